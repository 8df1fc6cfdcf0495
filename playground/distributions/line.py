"""Distributions on a line: two peaks, a comb, Cantor's dust."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from playground.distributions.axes import Spread
from playground.distributions.base import Distribution
from playground.distributions.gaussians import Gaussians, equal
from playground.distributions.mixture import Mixture

_MARGIN = 1e-4
"""Share of an interval left free at both ends, so that rounding never puts a point outside."""


class Bimodal(Mixture):
    """Two peaks on a line, as far from the origin on either side."""

    kind: Literal["bimodal"] = "bimodal"
    title: ClassVar[str] = "Two peaks"
    distance: float = Field(
        3.0,
        ge=0,
        le=20,
        title="Distance",
        description="How far apart the two peaks are.",
        json_schema_extra={"step": 0.1},
    )
    share: float = Field(
        0.5,
        ge=0.01,
        le=0.99,
        title="Left share",
        description="How much of the probability the left peak has.",
        json_schema_extra={"step": 0.01},
    )
    std: Spread = Field(
        0.3,
        title="Standard deviation",
        description="How wide each peak is.",
        json_schema_extra={"step": 0.05},
    )

    def components(self) -> Gaussians:
        ends = torch.tensor([[-0.5], [0.5]], dtype=torch.float64)
        weights = torch.tensor([self.share, 1 - self.share], dtype=torch.float64)
        return Gaussians(self.distance * ends, equal(ends, self.std).stds, weights)


class Comb(Mixture):
    """A row of peaks on a line, even or ever finer to the right, around a mean of 0.

    From one tooth to the next the width, the gap and the weight are multiplied by the taper.
    """

    kind: Literal["comb"] = "comb"
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        # Number 14 of their fifteen: weights 2^(5−l)/63, means (65 − 96/2^l)/21, deviations (32/63)/2^l.
        "Marron–Wand smooth comb": {"teeth": 6, "taper": 0.5, "spacing": 16 / 7, "std": 32 / 63},
    }
    teeth: int = Field(6, ge=1, le=10, title="Teeth", description="How many peaks there are.")
    taper: float = Field(
        1.0,
        ge=0.5,
        le=1,
        title="Taper",
        description="How much finer each tooth is than the one to its left; 1 makes all alike.",
        json_schema_extra={"step": 0.05},
    )
    spacing: float = Field(
        0.8,
        ge=0.1,
        le=10,
        title="Spacing",
        description="The distance between the first two peaks.",
        json_schema_extra={"step": 0.1},
    )
    std: Spread = Field(
        0.1,
        title="Standard deviation",
        description="How wide the first peak is.",
        json_schema_extra={"step": 0.01},
    )

    def components(self) -> Gaussians:
        sizes = self.taper ** torch.arange(self.teeth, dtype=torch.float64)
        weights = sizes / sizes.sum()
        centers = self.spacing * (sizes.cumsum(0) - sizes)
        return Gaussians((centers - weights @ centers)[:, None], self.std * sizes, weights)


class Cantor(Distribution):
    """Uniform on what is left of an interval when the middle third of every piece goes, again and again."""

    kind: Literal["cantor"] = "cantor"
    title: ClassVar[str] = "Cantor's dust"
    levels: int = Field(3, ge=0, le=6, title="Levels", description="How often the middle thirds are taken out.")
    half_width: float = Field(
        2.0,
        ge=0.1,
        le=50,
        title="Half width",
        description="Half-width w: the support is [−w, w].",
        json_schema_extra={"step": 0.1},
    )

    @property
    def dim(self) -> int:
        return 1

    @property
    def classes(self) -> int:
        return int(2**self.levels)

    def draw(self, n: int, generator: Generator) -> tuple[Tensor, Tensor]:
        device = generator.device
        labels = torch.randint(self.classes, (n,), generator=generator, device=device)
        u = torch.rand(n, generator=generator, device=device)
        across = (1 - 2 * _MARGIN) * (u - 0.5) * self._length
        return (self._middles().float().to(device)[labels] + across)[:, None], labels

    def log_prob(self, x: Tensor) -> Tensor:
        off = (x - self._middles().to(x.dtype).to(x.device)).abs().amin(1)
        return torch.where(off <= self._length / 2, -self.entropy(), -math.inf).to(x.dtype)

    def entropy(self) -> float:
        """The logarithm of the length of all pieces together."""
        return math.log(self.classes * self._length)

    @property
    def _length(self) -> float:
        """The length of a piece."""
        return 2 * self.half_width / 3.0**self.levels

    def _middles(self) -> Tensor:
        """The middle of each piece, from left to right: (classes,) in float64."""
        middles = torch.zeros(1, dtype=torch.float64)
        for level in range(self.levels):
            step = 2 * self.half_width / 3.0 ** (level + 1)
            middles = torch.stack([middles - step, middles + step], dim=1).flatten()
        return middles
