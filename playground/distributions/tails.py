"""Distributions in any dimension whose tails are heavier than a Gaussian's, or that have an edge."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from playground.distributions.axes import DimensionFree, Spread


class StudentT(DimensionFree):
    """A round cloud with heavy tails: now and then a point lies very far out.

    x = spread · z / √(χ²/ν) with z ~ N(0, I) and χ² chi-square with ν degrees of freedom, one for all axes.
    """

    kind: Literal["student_t"] = "student_t"
    title: ClassVar[str] = "Student's t"
    freedom: int = Field(
        3,
        ge=1,
        le=30,
        title="Degrees of freedom",
        description="The fewer, the heavier the tails; at 2 the variance is infinite, at 1 there is not even a mean.",
        json_schema_extra={"scale": "log"},
    )
    spread: Spread = Field(
        0.5,
        title="Spread",
        description="How wide it is; with many degrees of freedom, its standard deviation.",
        json_schema_extra={"step": 0.05},
    )

    def draw(self, n: int, generator: Generator) -> tuple[Tensor, Tensor]:
        z = torch.randn(n, self._settled(), generator=generator, device=generator.device)
        noise = torch.randn(n, self.freedom, generator=generator, device=generator.device)
        # A normal number is exactly 0 once in 2²⁴, which with one degree of freedom would be a division by 0.
        chi_square = noise.square().sum(1, keepdim=True).clamp_min(1e-20)
        labels = torch.zeros(n, dtype=torch.int64, device=generator.device)
        return self.spread * z * (self.freedom / chi_square).sqrt(), labels

    def log_prob(self, x: Tensor) -> Tensor:
        square = (x / self.spread).square().sum(1) / self.freedom
        return self._log_peak() - 0.5 * (self.freedom + self._settled()) * square.log1p()

    def entropy(self) -> float:
        """(ν + d)/2 · (ψ((ν + d)/2) − ψ(ν/2)) less the logarithm of the density in the middle."""
        freedom, both = torch.tensor([self.freedom, self.freedom + self._settled()], dtype=torch.float64) / 2
        return float(both * (both.digamma() - freedom.digamma())) - self._log_peak()

    def _log_peak(self) -> float:
        """The logarithm of the density in the middle."""
        d = self._settled()
        gammas = math.lgamma((self.freedom + d) / 2) - math.lgamma(self.freedom / 2)
        return gammas - 0.5 * d * math.log(self.freedom * math.pi) - d * math.log(self.spread)


class Laplace(DimensionFree):
    """A sharp peak with straight flanks on a logarithmic scale, on each axis independently."""

    kind: Literal["laplace"] = "laplace"
    spread: Spread = Field(
        0.7,
        title="Spread",
        description="Mean distance from the middle on each axis.",
        json_schema_extra={"step": 0.05},
    )

    def draw(self, n: int, generator: Generator) -> tuple[Tensor, Tensor]:
        u = torch.rand(2, n, self._settled(), generator=generator, device=generator.device)
        right, left = -torch.log1p(-u)  # exponential, of which Laplace's is the difference
        return self.spread * (right - left), torch.zeros(n, dtype=torch.int64, device=generator.device)

    def log_prob(self, x: Tensor) -> Tensor:
        return -x.abs().sum(1) / self.spread - self._settled() * math.log(2 * self.spread)

    def entropy(self) -> float:
        """1 + ln 2b on each axis."""
        return self._settled() * (1 + math.log(2 * self.spread))


class Exponential(DimensionFree):
    """Densest at a hard edge and falling off to one side, on each axis independently."""

    kind: Literal["exponential"] = "exponential"
    start: float = Field(
        -1.0,
        ge=-50,
        le=50,
        title="Edge",
        description="Where it begins on each axis; nothing lies below.",
        json_schema_extra={"step": 0.1},
    )
    spread: Spread = Field(
        1.0,
        title="Spread",
        description="Mean distance from the edge on each axis.",
        json_schema_extra={"step": 0.05},
    )

    def draw(self, n: int, generator: Generator) -> tuple[Tensor, Tensor]:
        u = torch.rand(n, self._settled(), generator=generator, device=generator.device)
        x = self.start - self.spread * torch.log1p(-u)
        return x, torch.zeros(n, dtype=torch.int64, device=generator.device)

    def log_prob(self, x: Tensor) -> Tensor:
        beyond = (x - self.start) / self.spread
        density = -beyond.sum(1) - self._settled() * math.log(self.spread)
        return torch.where((beyond >= 0).all(1), density, -math.inf)

    def entropy(self) -> float:
        """1 + ln b on each axis."""
        return self._settled() * (1 + math.log(self.spread))
