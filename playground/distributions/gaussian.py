"""The normal distribution, with full covariance in two dimensions."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import torch
from pydantic import Field, ValidationInfo, field_validator
from torch import Generator, Tensor

from playground.distributions.axes import ONE_OR_MORE, Coordinate, DimensionFree, Spread, axes_of


class Gaussian(DimensionFree):
    """A single bell-shaped cloud, round, stretched or tilted.

    With standardised noise e ~ N(0, I), x = mean + std · e on each axis; in 2-D the second e is first correlated
    with the first, so that the covariance is [[s1², ρ s1 s2], [ρ s1 s2, s2²]].
    """

    kind: Literal["gaussian"] = "gaussian"
    mean: Annotated[tuple[Coordinate, ...], ONE_OR_MORE] = Field(
        (0.0,),
        min_length=1,
        max_length=3,
        title="Mean",
        description="Where its middle lies: one value for every axis, or one for each.",
        json_schema_extra={"step": 0.1},
    )
    std: Annotated[tuple[Spread, ...], ONE_OR_MORE] = Field(
        (1.0,),
        min_length=1,
        max_length=3,
        title="Standard deviation",
        description="How wide it is: one value for every axis, or one for each.",
        json_schema_extra={"step": 0.05},
    )
    correlation: float = Field(
        0.0,
        ge=-0.99,
        le=0.99,
        title="Correlation",
        description="How much the two axes go together; it tilts the cloud (2-D only).",
        json_schema_extra={"step": 0.01},
    )

    @field_validator("correlation")
    @classmethod
    def _two_axes_to_correlate(cls, correlation: float, info: ValidationInfo) -> float:
        axes = axes_of(info.data)
        if correlation != 0 and axes not in (None, 2):
            raise ValueError(f"a correlation needs 2 dimensions, not {axes}; choose 0.")
        return correlation

    @property
    def dim(self) -> int | None:
        return 2 if self.correlation else super().dim

    def draw(self, n: int, generator: Generator) -> tuple[Tensor, Tensor]:
        z = torch.randn(n, self._settled(), generator=generator, device=generator.device)
        if self.correlation:
            z[:, 1] = self.correlation * z[:, 0] + self._unshared * z[:, 1]
        labels = torch.zeros(n, dtype=torch.int64, device=generator.device)
        return self._vector(self.mean, z) + self._vector(self.std, z) * z, labels

    def whiten(self, x: Tensor) -> Tensor:
        """The standardised noise e that x (n, d) came from: (n, d)."""
        e = (x - self._vector(self.mean, x)) / self._vector(self.std, x)
        if self.correlation:
            e = torch.stack([e[:, 0], (e[:, 1] - self.correlation * e[:, 0]) / self._unshared], dim=1)
        return e

    def log_prob(self, x: Tensor) -> Tensor:
        spread = self._vector(self.std, x).log().sum() + math.log(self._unshared)
        normaliser = 0.5 * self._settled() * math.log(2 * math.pi) + spread
        return -0.5 * self.whiten(x).square().sum(1) - normaliser

    def entropy(self) -> float:
        """½ ln det(2πe Σ)."""
        d = self._settled()
        stds = self.std * d if len(self.std) == 1 else self.std
        return 0.5 * d * math.log(2 * math.pi * math.e) + sum(map(math.log, stds)) + math.log(self._unshared)

    @property
    def _unshared(self) -> float:
        """√(1 − ρ²), the part of the second axis that the first does not tell."""
        return math.sqrt(1 - self.correlation**2)
