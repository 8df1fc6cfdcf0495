"""A drawing of one's own: strokes and dots, given as data."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from playground.distributions.curves import NoisyCurve, scale_field

EXTENT = 8.0
"""How far from the origin a drawing may reach, before it is scaled."""
MOST_STROKES, MOST_POINTS, MOST_LENGTH = 64, 400, 120.0
"""So much and no more may be drawn: a link and a density have to hold it."""
DOT = 4.0
"""A dot has as many points as a stroke whose length is so many times the pen's deviation."""
_SPECK = 1e-4
"""A dot is a stroke too short to be seen."""

Stroke = tuple[Annotated[float, Field(ge=-EXTENT, le=EXTENT)], ...]

HOUSE: tuple[Stroke, ...] = (
    (-1.5, -1.5, 1.5, -1.5, 1.5, 0.5, 0.0, 1.9, -1.5, 0.5, -1.5, -1.5),
    (-0.4, -1.5, -0.4, -0.5, 0.4, -0.5, 0.4, -1.5),
    (2.0, 2.0),
)


class Drawing(NoisyCurve):
    """Your own drawing: points evenly along its strokes, as wide as the pen."""

    kind: Literal["drawing"] = "drawing"
    strokes: tuple[Stroke, ...] = Field(
        HOUSE,
        max_length=MOST_STROKES,
        title="Drawing",
        description="Each stroke as the coordinates of its corners, x before y; one corner alone is a dot.",
        json_schema_extra={"control": "drawing"},
    )
    noise: float = Field(
        0.06,
        ge=0.02,
        le=0.5,
        title="Pen",
        description="How far points scatter around the strokes: the pen's standard deviation, before it is scaled.",
        json_schema_extra={"step": 0.01},
    )
    scale: float = scale_field(1.0)

    @model_validator(mode="after")
    def _something_is_drawn_and_not_too_much(self) -> Self:
        if not self.strokes:
            raise ValueError("the drawing is empty; draw a stroke, or at least a dot.")
        for stroke in self.strokes:
            if len(stroke) < 2 or len(stroke) % 2:
                raise ValueError(f"a stroke has {len(stroke)} numbers; give an x and a y for each of its corners.")
        points = sum(len(stroke) // 2 for stroke in self.strokes)
        if points > MOST_POINTS:
            raise ValueError(f"{points} corners are too many; draw at most {MOST_POINTS}.")
        if sum(self._lengths) > MOST_LENGTH:
            raise ValueError(f"the strokes are {sum(self._lengths):.0f} long in all; draw at most {MOST_LENGTH:.0f}.")
        return self

    def shares(self) -> tuple[float, ...]:
        weights = [length or DOT * self.noise for length in self._lengths]
        return tuple(weight / sum(weights) for weight in weights)

    def curve(self, u: Tensor, arm: Tensor) -> Tensor:
        corners = [self._corners(stroke) for stroke in self.strokes]
        found = torch.zeros(len(u), 2, dtype=u.dtype, device=u.device)
        for index, points in enumerate(corners):
            mine = arm == index
            found[mine] = _along(points.to(u), u[mine])
        return found

    @property
    def _lengths(self) -> list[float]:
        """The length of each stroke, 0 for a dot."""
        corners = [list(zip(stroke[::2], stroke[1::2], strict=True)) for stroke in self.strokes]
        return [sum(((c - a) ** 2 + (d - b) ** 2) ** 0.5 for (a, b), (c, d) in pairwise(each)) for each in corners]

    @staticmethod
    def _corners(stroke: Stroke) -> Tensor:
        """The corners (k, 2) of a stroke, at least two."""
        points = torch.tensor(stroke, dtype=torch.float64).view(-1, 2)
        dot = bool((points == points[:1]).all())
        return torch.cat([points[:1], points[:1] + torch.tensor([_SPECK, 0.0])]) if dot else points


def _along(corners: Tensor, u: Tensor) -> Tensor:
    """The points (n, 2) at the shares u (n,) of a polyline's length."""
    steps = corners.diff(dim=0)
    lengths = steps.norm(dim=1)
    ends = lengths.cumsum(0)
    at = (u * ends[-1]).contiguous()
    piece = torch.searchsorted(ends, at).clamp_(max=len(steps) - 1)
    before = ends[piece] - lengths[piece]
    share = ((at - before) / lengths[piece].clamp_min(1e-12)).clamp(0, 1)
    found: Tensor = corners[piece] + share[:, None] * steps[piece]
    return found
