"""What the stage asks of a run besides its samples, and only the server knows: where a grid is carried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from playground.engine.run import Run
from playground.models.base import Weights
from playground.ui import messages

Answer = dict[str, Any]
LINES, POINTS, PLACES = 15, 43, 31
"""Lines of a carried grid along each axis, and points on each; in one dimension places alone."""
FARTHEST = 1e4


@dataclass(frozen=True)
class Patch:
    """A rectangle of the plane, or an interval: its least and greatest value along each axis."""

    low: tuple[float, ...]
    high: tuple[float, ...]

    @classmethod
    def read(cls, given: dict[str, Any]) -> Self:
        """The patch {low: [...], high: [...]} of a question. Raises ValueError where it is none."""
        low, high = (tuple(side) if isinstance(side := given.get(name), list) else () for name in ("low", "high"))
        if len(low) != len(high) or len(low) not in (1, 2):
            raise ValueError("this question could not be read; reload the page.")
        if not all(isinstance(value, (int, float)) and abs(value) < FARTHEST for value in low + high):
            raise ValueError("this is too far away to look at.")
        return cls(low, high)

    def centres(self, cells: int) -> Tensor:
        """The middle of each cell, row after row from low to high: (cells^d, d)."""
        share = (torch.arange(cells) + 0.5) / cells
        axes = [low + (high - low) * share for low, high in zip(self.low, self.high, strict=True)]
        if len(axes) == 1:
            return axes[0][:, None]
        up, right = torch.meshgrid(axes[1], axes[0], indexing="ij")
        return torch.stack([right.flatten(), up.flatten()], dim=1)

    def lines(self) -> Tensor:
        """A grid of lines, first those across, then those up: (2 LINES POINTS, 2); on an interval (PLACES, 1)."""
        if len(self.low) == 1:
            return torch.linspace(self.low[0], self.high[0], PLACES)[:, None]
        (left, low), (right, high) = self.low, self.high
        line, along = torch.linspace(0, 1, LINES), torch.linspace(0, 1, POINTS)
        a, b = (part.flatten() for part in torch.meshgrid(line, along, indexing="ij"))
        across = torch.stack([left + (right - left) * b, low + (high - low) * a], dim=1)
        upright = torch.stack([left + (right - left) * a, low + (high - low) * b], dim=1)
        return torch.cat([across, upright])


def carried(run: Run, weights: Weights, patch: Patch) -> Answer:
    """Where a snapshot carries a grid of lines over a patch of its source: a trajectory, as of any points."""
    if len(patch.low) != run.dim:
        raise ValueError("this question is about other dimensions than the run has; reload the page.")
    found = run.with_weights(weights).trajectory(patch.lines(), run.experiment.sampler)
    return {**messages.trajectory(found)}
