"""The heart."""

from __future__ import annotations

import math
from typing import Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from playground.distributions.base import Distribution
from playground.distributions.gaussians import pick

_AREA = 1 + math.pi / 4
"""Area of the square with its two half discs."""

_WIDTH, _HEIGHT = 1 + math.sqrt(0.5), 0.5 + 1.5 * math.sqrt(0.5)
"""How wide and how high they stand on the square's corner."""

_CENTROID = (math.sqrt(0.5) + math.pi / 4 * (1.5 * math.sqrt(0.5) + math.sqrt(2) / (3 * math.pi))) / _AREA
"""How high above that corner their centroid lies."""

_MARGIN = 1e-5
"""How far beyond the edge the density reaches, so that rounding never puts a point outside."""


class Heart(Distribution):
    """Uniform inside a heart: a square on its corner, with half a disc on each of its upper sides."""

    kind: Literal["heart"] = "heart"
    width: float = Field(
        4.0,
        ge=0.2,
        le=100,
        title="Width",
        description="From the left edge to the right one.",
        json_schema_extra={"step": 0.1, "range": [0.2, 20]},
    )
    height: float = Field(
        3.6,
        ge=0.2,
        le=100,
        title="Height",
        description="From the tip to the top.",
        json_schema_extra={"step": 0.1, "range": [0.2, 20]},
    )

    @property
    def dim(self) -> int:
        return 2

    def draw(self, n: int, generator: Generator) -> tuple[Tensor, Tensor]:
        part = pick(torch.tensor([1.0, math.pi / 8, math.pi / 8]) / _AREA, n, generator)
        u = torch.rand(n, 2, generator=generator, device=generator.device)
        radius, angle = 0.5 * u[:, 0].sqrt(), math.pi * u[:, 1]
        beside, beyond = 0.5 + radius * angle.cos(), 1 + radius * angle.sin()
        discs = [torch.stack([beside, beyond], dim=1), torch.stack([beyond, beside], dim=1)]
        square = torch.stack([u, *discs])[part, torch.arange(n, device=u.device)]
        upright = torch.stack([square[:, 0] - square[:, 1], square.sum(1)], dim=1) * math.sqrt(0.5)
        labels = torch.zeros(n, dtype=torch.int64, device=u.device)
        return (upright - upright.new_tensor([0, _CENTROID])) * upright.new_tensor(self._scales), labels

    def log_prob(self, x: Tensor) -> Tensor:
        upright = x / x.new_tensor(self._scales) + x.new_tensor([0, _CENTROID])
        # In the square's own axes it is [0, 1]², with the half discs beyond 1 around (½, 1) and (1, ½).
        square = torch.stack([upright.sum(1), upright[:, 1] - upright[:, 0]], dim=1) * math.sqrt(0.5)
        inside = ((square >= -_MARGIN) & (square <= 1 + _MARGIN)).all(1)
        for middle in ([0.5, 1.0], [1.0, 0.5]):
            # The other half of each disc lies in the square.
            inside |= (square - square.new_tensor(middle)).norm(dim=1) <= 0.5 + _MARGIN
        return torch.where(inside, -self.entropy(), -math.inf).to(x.dtype)

    def entropy(self) -> float:
        """The logarithm of the area."""
        return math.log(_AREA * self._scales[0] * self._scales[1])

    @property
    def _scales(self) -> tuple[float, float]:
        """What the heart of the unit square is stretched by."""
        return self.width / _WIDTH, self.height / _HEIGHT
