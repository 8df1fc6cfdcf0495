"""Probability paths: how a point travels from x0 (source, t = 0) to x1 (target, t = 1).

The diffusion literature runs time the other way: its time is τ = 1 − t here, and dt = −dτ, converted in this file only.
"""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from playground.choice import FROM_NAME
from playground.dynamics.path import Coefficients, Path

__all__ = [
    "AnyPath",
    "BridgePath",
    "Coefficients",
    "CosinePath",
    "InterpolantPath",
    "LinearPath",
    "Path",
    "SubVPPath",
    "VEPath",
    "VPPath",
]


class LinearPath(Path):
    """x_t = t x1 + (1 − t) x0: straight lines at constant speed.

    Rectified flow (Liu et al. 2023, eq. 1) and the conditional optimal-transport path (Lipman et al. 2023, eq. 22
    with sigma_min = 0).
    """

    kind: Literal["linear"] = "linear"

    def coefficients(self, t: Tensor) -> Coefficients:
        one = torch.ones_like(t)
        return Coefficients.of(alpha=t, sigma=1 - t, d_alpha=one, d_sigma=-one)


class CosinePath(Path):
    """x_t = sin(πt/2) x1 + cos(πt/2) x0: quarter circles that keep the variance of independent unit pairs.

    The trigonometric interpolant of Albergo and Vanden-Eijnden (2023, eq. 5).
    """

    kind: Literal["cosine"] = "cosine"

    def coefficients(self, t: Tensor) -> Coefficients:
        quarter = math.pi / 2
        sine, cosine = torch.sin(quarter * t), torch.sin(quarter * (1 - t))  # which is 0 at t = 1; cos(π/2) is not
        return Coefficients.of(alpha=sine, sigma=cosine, d_alpha=quarter * cosine, d_sigma=-quarter * sine)


class Diffusion(Path):
    """What the diffusions with linear β(τ) = beta_min + τ (beta_max − beta_min) share, τ = 1 − t."""

    beta_min: float = Field(
        0.1,
        ge=0.01,
        le=1,
        title="Least β",
        description="The rate of noising at the target, t = 1.",
        json_schema_extra={"step": 0.01},
    )
    beta_max: float = Field(
        20.0,
        ge=2,
        le=50,
        title="Greatest β",
        description="The rate of noising at the source, t = 0: the larger, the less of the target is left there.",
        json_schema_extra={"step": 0.5},
    )

    def _rate(self, t: Tensor) -> Tensor:
        """β at t."""
        return self.beta_min + (1 - t) * (self.beta_max - self.beta_min)

    def _noise(self, t: Tensor) -> Tensor:
        """∫₀^τ β."""
        tau = 1 - t
        return tau * (self.beta_min + 0.5 * tau * (self.beta_max - self.beta_min))


class VPPath(Diffusion):
    """The variance-preserving diffusion of DDPM, in continuous time: a point turns to noise and keeps its variance.

    alpha = exp(−½∫β) and sigma² = 1 − alpha² (Song et al. 2021, eq. 33). sigma' grows as 1 / sigma at the target, so
    that the path ends at t = 0.999, where sigma is 0.01, as their samplers do.
    """

    kind: Literal["vp"] = "vp"
    title: ClassVar[str] = "Variance preserving (VP)"

    @property
    def t_max(self) -> float:
        return 0.999

    @property
    def steep(self) -> tuple[bool, bool]:
        return False, True

    def coefficients(self, t: Tensor) -> Coefficients:
        noise, half_rate = self._noise(t), 0.5 * self._rate(t)
        alpha, sigma = torch.exp(-0.5 * noise), torch.sqrt(-torch.expm1(-noise))
        return Coefficients.of(alpha, sigma, d_alpha=half_rate * alpha, d_sigma=-half_rate * alpha.square() / sigma)


class SubVPPath(Diffusion):
    """The sub-VP diffusion: VP's signal with less noise on the way.

    alpha = exp(−½∫β) and sigma = 1 − alpha² (Song et al. 2021, eq. 29).
    """

    kind: Literal["sub_vp"] = "sub_vp"
    title: ClassVar[str] = "Sub-VP"

    @property
    def steep(self) -> tuple[bool, bool]:
        return False, True

    def coefficients(self, t: Tensor) -> Coefficients:
        noise, rate = self._noise(t), self._rate(t)
        alpha, sigma = torch.exp(-0.5 * noise), -torch.expm1(-noise)
        return Coefficients.of(alpha, sigma, d_alpha=0.5 * rate * alpha, d_sigma=-rate * alpha.square())


class VEPath(Path):
    """The variance-exploding diffusion: the target stays where it is under noise that shrinks.

    x_t = x1 + sigma(t) x0 with sigma falling from sigma_max to sigma_min in geometric progression (Song et al. 2021,
    eq. 29). It begins far outside the source: a sampler starts from sigma_max x0.
    """

    kind: Literal["ve"] = "ve"
    title: ClassVar[str] = "Variance exploding (VE)"
    sigma_min: float = Field(
        0.01,
        ge=0.001,
        le=0.5,
        title="Least σ",
        description="How much noise is left at the target.",
        json_schema_extra={"scale": "log"},
    )
    sigma_max: float = Field(
        10.0,
        ge=1,
        le=100,
        title="Greatest σ",
        description="How much noise there is at the source; it should exceed the size of the target.",
        json_schema_extra={"scale": "log"},
    )

    def coefficients(self, t: Tensor) -> Coefficients:
        rate = math.log(self.sigma_min / self.sigma_max)
        sigma = self.sigma_max * torch.exp(rate * t)
        return Coefficients.of(torch.ones_like(t), sigma, torch.zeros_like(t), rate * sigma)


SHARP = 1e-4
"""How far from either end a path stays whose gamma is √(t (1 − t)): gamma' is infinite there."""


def _root(t: Tensor, amount: float) -> tuple[Tensor, Tensor]:
    """The noise amount √(t (1 − t)) and its derivative."""
    gamma = amount * torch.sqrt(t * (1 - t))
    return gamma, 0.5 * amount**2 * (1 - 2 * t) / gamma


class InterpolantPath(Path):
    """A stochastic interpolant: straight lines with noise that comes and goes, added on the way.

    x_t = t x1 + (1 − t) x0 + gamma(t) z (Albergo, Boffi and Vanden-Eijnden 2023).
    """

    kind: Literal["interpolant"] = "interpolant"
    title: ClassVar[str] = "Stochastic interpolant"
    bridge: ClassVar[bool] = True
    gamma: Literal["sine", "root"] = Field(
        "sine",
        title="Noise",
        description="sine: amount · sin²(πt), smooth at both ends; root: amount · √(t(1 − t)), as a Brownian bridge.",
    )
    amount: float = Field(
        0.5,
        ge=0.01,
        le=5,
        title="Amount",
        description="How much noise there is on the way, in units of the data.",
        json_schema_extra={"step": 0.05},
    )

    @property
    def t_min(self) -> float:
        return SHARP if self.gamma == "root" else 0.0

    @property
    def t_max(self) -> float:
        return 1 - self.t_min

    @property
    def steep(self) -> tuple[bool, bool]:
        return (self.gamma == "root",) * 2

    @property
    def brownian(self) -> float | None:
        return self.amount if self.gamma == "root" else None

    def coefficients(self, t: Tensor) -> Coefficients:
        one = torch.ones_like(t)
        if self.gamma == "root":
            return Coefficients(t, 1 - t, one, -one, *_root(t, self.amount))
        turn = math.pi * (t - t.round())  # so that gamma is 0 at t = 1; sin²(π) is not
        gamma = self.amount * torch.sin(turn).square()
        return Coefficients(t, 1 - t, one, -one, gamma, self.amount * math.pi * torch.sin(2 * turn))


class BridgePath(Path):
    """Brownian bridges between the pairs: with an entropic coupling of ε = 2σ², Schrödinger's bridge.

    x_t = t x1 + (1 − t) x0 + σ √(t (1 − t)) z ([SF]²M, Tong et al. 2024); velocity and score are learnt side by
    side.
    """

    kind: Literal["bridge"] = "bridge"
    title: ClassVar[str] = "Brownian bridge"
    bridge: ClassVar[bool] = True
    sigma: float = Field(
        0.5,
        ge=0.01,
        le=5,
        title="σ",
        description="How strongly the bridge is shaken, in units of the data; without any it is the linear path.",
        json_schema_extra={"step": 0.05},
    )

    @property
    def t_min(self) -> float:
        return SHARP

    @property
    def t_max(self) -> float:
        return 1 - SHARP

    @property
    def steep(self) -> tuple[bool, bool]:
        return True, True

    @property
    def brownian(self) -> float:
        return self.sigma

    def coefficients(self, t: Tensor) -> Coefficients:
        one = torch.ones_like(t)
        return Coefficients(t, 1 - t, one, -one, *_root(t, self.sigma))


AnyPath = Annotated[
    LinearPath | CosinePath | VPPath | SubVPPath | VEPath | InterpolantPath | BridgePath,
    Field(discriminator="kind"),
    FROM_NAME,
]
