"""The checkerboard."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from playground.distributions.base import Distribution

_MARGIN = 1e-5
"""Share of a cell's side left free, so that rounding never puts a point into the neighbour."""


class Checkerboard(Distribution):
    """Uniform on every second square of a board, the one at the lower left among them."""

    kind: Literal["checkerboard"] = "checkerboard"
    presets: ClassVar[dict[str, dict[str, Any]]] = {"FFJORD checkerboard": {"half_width": 4}}
    cells: int = Field(4, ge=1, le=16, title="Cells a side", description="How many squares along each side.")
    half_width: float = Field(
        2.0,
        ge=0.1,
        le=50,
        title="Half width",
        description="Half-width w: the support is [−w, w]².",
        json_schema_extra={"step": 0.1},
    )

    @property
    def dim(self) -> int:
        return 2

    @property
    def classes(self) -> int:
        return (self.cells**2 + 1) // 2

    def draw(self, n: int, generator: Generator) -> tuple[Tensor, Tensor]:
        device = generator.device
        labels = torch.randint(self.classes, (n,), generator=generator, device=device)
        u = torch.rand(n, 2, generator=generator, device=device)
        inside = _MARGIN + (1 - 2 * _MARGIN) * u
        return (self._filled().to(device)[labels] + inside) * self._side - self.half_width, labels

    def log_prob(self, x: Tensor) -> Tensor:
        cell = ((x + self.half_width) / self._side).floor()
        on_board = ((cell >= 0) & (cell < self.cells)).all(1)
        filled = on_board & (cell.sum(1) % 2 == 0)
        return torch.where(filled, -self.entropy(), -math.inf).to(x.dtype)

    def entropy(self) -> float:
        """The logarithm of the filled area."""
        return math.log(self.classes * self._side**2)

    @property
    def _side(self) -> float:
        """Length of a cell's side."""
        return 2 * self.half_width / self.cells

    def _filled(self) -> Tensor:
        """(classes, 2) column and row of each filled cell: those whose sum is even, as in FFJORD's board."""
        column, row = torch.meshgrid(torch.arange(self.cells), torch.arange(self.cells), indexing="ij")
        return torch.stack([column, row], dim=2)[(column + row) % 2 == 0]
