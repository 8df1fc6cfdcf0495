"""Points on smooth curves with Gaussian noise: moons, circles, spirals, the Swiss roll, the S-curve."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Generator, Tensor

from playground.distributions.axes import Coordinate
from playground.distributions.base import Distribution
from playground.distributions.gaussians import Gaussians, pick

THINNEST = 0.01
"""The least noise with a density: below it quadrature would need too many nodes."""


def noise_field(default: float) -> float:
    """The declaration of a curve's noise."""
    return Field(
        default,
        ge=0,
        le=0.5,
        title="Noise",
        description="How far points scatter around the curve, in units of the shape: it grows with the scale.",
        json_schema_extra={"step": 0.01},
    )


def scale_field(default: float) -> float:
    """The declaration of a curve's scale."""
    return Field(
        default,
        ge=0.1,
        le=20,
        title="Scale",
        description="How large the shape is; its noise is enlarged with it.",
        json_schema_extra={"step": 0.1},
    )


class NoisyCurve(Distribution):
    """Points along smooth curves, scattered by Gaussian noise that is part of the shape and scaled with it.

    x = scale · (γ_arm(u) + noise · e) + middle with u ~ U(0, 1) and e ~ N(0, I).

    A subclass gives its curve γ, the shares of its arms where it has several, and last the fields noise and scale.
    The density is that of a continuous mixture of Gaussians along the curve, by quadrature; None where the noise
    is below THINNEST.
    """

    if TYPE_CHECKING:  # as fields of this class they would come before a subclass's own
        noise: float
        scale: float

    @abstractmethod
    def curve(self, u: Tensor, arm: Tensor) -> Tensor:
        """γ: the points at u in [0, 1] (n,) along the arms (n,), before noise and scale: (n, 2), as u is."""

    def shares(self) -> tuple[float, ...]:
        """The probability of each arm, summing to 1."""
        return (1.0,)

    def middle(self) -> tuple[float, ...]:
        """Where the origin of γ comes to lie."""
        return (0.0, 0.0)

    @property
    def dim(self) -> int:
        return 2

    @property
    def classes(self) -> int:
        return len(self.shares())

    def draw(self, n: int, generator: Generator) -> tuple[Tensor, Tensor]:
        device = generator.device
        arm = pick(torch.tensor(self.shares()), n, generator)
        u = torch.rand(n, generator=generator, device=device)
        e = torch.randn(n, 2, generator=generator, device=device)
        return self.scale * (self.curve(u, arm) + self.noise * e) + e.new_tensor(self.middle()), arm

    def log_prob(self, x: Tensor) -> Tensor | None:
        parts = self.components()
        return None if parts is None else parts.log_prob(x)

    def entropy(self) -> float | None:
        """By the trapezoid rule on a grid of half a standard deviation, which is exponentially accurate."""
        parts, std = self.components(), self.noise * self.scale
        if parts is None:
            return None
        low, high = parts.centers.amin(0) - 8 * std, parts.centers.amax(0) + 8 * std
        axes = [
            torch.arange(a, b, 0.5 * std, dtype=torch.float64) for a, b in zip(low.tolist(), high.tolist(), strict=True)
        ]
        density = parts.on_grid(axes)
        return -torch.xlogy(density, density).sum().item() * (0.5 * std) ** 2

    def components(self) -> Gaussians | None:
        """The Gaussians whose sum it is, by quadrature; None where the noise is below THINNEST.

        They stand at Gauss–Legendre nodes: 8 on each piece of at most 4 standard deviations.
        """
        if self.noise < THINNEST:
            return None
        nodes, weights = (torch.from_numpy(part) for part in np.polynomial.legendre.leggauss(8))
        centers, shares = [], []
        for arm, share in enumerate(self.shares()):
            u = torch.linspace(0, 1, 2001, dtype=torch.float64)
            points = self.curve(u, torch.full(u.shape, arm))
            length = np.concatenate([[0.0], points.diff(dim=0).norm(dim=1).cumsum(0).numpy()])
            pieces = max(8, math.ceil(length[-1] / (4 * self.noise)))
            # Pieces are of equal length on the curve, however unevenly u runs along it.
            ends = torch.from_numpy(np.interp(np.linspace(0, length[-1], pieces + 1), length, u.numpy()))
            middle, half = (ends[1:] + ends[:-1]) / 2, (ends[1:] - ends[:-1]) / 2
            at = (middle[:, None] + half[:, None] * nodes).flatten()
            centers.append(self.curve(at, torch.full(at.shape, arm)))
            shares.append(share * (half[:, None] * weights).flatten())
        weight = torch.cat(shares)
        at = self.scale * torch.cat(centers) + weight.new_tensor(self.middle())
        return Gaussians(at, torch.full_like(weight, self.noise * self.scale), weight)


class TwoMoons(NoisyCurve):
    """Two interleaved half-circles, as in scikit-learn's make_moons but centred on the origin."""

    kind: Literal["two_moons"] = "two_moons"
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        # scikit-learn's moons have their middle at (½, ¼): twice that, and −1 on the first axis, or (−1, −.2).
        "[SF]²M moons": {"noise": 0.05, "scale": 2, "offset": (0, 0.5)},
        "FFJORD moons": {"noise": 0.1, "scale": 2, "offset": (0, 0.3)},
    }
    noise: float = noise_field(0.05)
    scale: float = scale_field(1.0)
    offset: tuple[Coordinate, ...] = Field(
        (0.0, 0.0),
        min_length=2,
        max_length=2,
        title="Offset",
        description="Where the middle of the two moons lies.",
        json_schema_extra={"step": 0.1, "advanced": True},
    )

    def shares(self) -> tuple[float, ...]:
        return (0.5, 0.5)

    def curve(self, u: Tensor, arm: Tensor) -> Tensor:
        # The lower moon is the upper one turned by half a turn about the origin.
        angle = math.pi * u
        upper = torch.stack([angle.cos() - 0.5, angle.sin() - 0.25], dim=1)
        return torch.where(arm[:, None] == 0, upper, -upper)

    def middle(self) -> tuple[float, ...]:
        return self.offset


class Circles(NoisyCurve):
    """Circles around the origin, one inside the other."""

    kind: Literal["circles"] = "circles"
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "FFJORD circles": {"noise": 0.08, "scale": 3},
        "FFJORD rings": {"count": 4, "factor": 0.25, "noise": 0.08 / 3, "scale": 3},
    }
    count: int = Field(2, ge=1, le=8, title="Circles", description="How many circles, all equally likely.")
    factor: float = Field(
        0.5,
        ge=0.1,
        le=0.9,
        title="Inner radius",
        description="The innermost circle's radius, as a share of the outermost one's.",
        json_schema_extra={"step": 0.05},
    )
    noise: float = noise_field(0.05)
    scale: float = scale_field(2.0)

    def shares(self) -> tuple[float, ...]:
        return (1 / self.count,) * self.count

    def curve(self, u: Tensor, arm: Tensor) -> Tensor:
        radii = torch.linspace(1, self.factor, self.count, dtype=u.dtype, device=u.device)
        return radii[arm, None] * on_circle(u)


class Spirals(NoisyCurve):
    """Arms that wind out from the origin; points lie evenly along them but for the innermost turn."""

    kind: Literal["spirals"] = "spirals"
    arms: int = Field(2, ge=1, le=8, title="Arms", description="How many arms wind out from the middle.")
    turns: float = Field(
        1.5,
        ge=0.25,
        le=4,
        title="Turns",
        description="How often each arm winds around the middle.",
        json_schema_extra={"step": 0.25},
    )
    noise: float = noise_field(0.03)
    scale: float = scale_field(3.0)

    def shares(self) -> tuple[float, ...]:
        return (1 / self.arms,) * self.arms

    def curve(self, u: Tensor, arm: Tensor) -> Tensor:
        # The length of a winding grows with its radius; a radius of √u makes up for it.
        radius = u.sqrt()
        return radius[:, None] * on_circle(self.turns * radius + arm / self.arms)


class SwissRoll(NoisyCurve):
    """A spiral that begins away from the middle, as seen from the side of scikit-learn's make_swiss_roll."""

    kind: Literal["swiss_roll"] = "swiss_roll"
    title: ClassVar[str] = "Swiss roll"
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        # scikit-learn's radius is the angle, up to 9π/2, here 1; FFJORD adds noise of 1 to it and divides by 5.
        "FFJORD Swiss roll": {"turns": 1.5, "noise": 2 / (9 * math.pi), "scale": 9 * math.pi / 10},
    }
    turns: float = Field(
        1.5,
        ge=0.25,
        le=4,
        title="Turns",
        description="How often it winds around the middle; it begins three quarters of a turn out.",
        json_schema_extra={"step": 0.25},
    )
    noise: float = noise_field(0.03)
    scale: float = scale_field(3.0)

    def curve(self, u: Tensor, arm: Tensor) -> Tensor:
        winding = 0.75 + self.turns * u
        return (winding / (0.75 + self.turns))[:, None] * on_circle(winding)


class SCurve(NoisyCurve):
    """Two open three-quarter circles that make an S, as seen from the side of scikit-learn's make_s_curve."""

    kind: Literal["s_curve"] = "s_curve"
    title: ClassVar[str] = "S-curve"
    presets: ClassVar[dict[str, dict[str, Any]]] = {"[SF]²M S-curve": {"noise": 0.05, "scale": 1.5}}
    noise: float = noise_field(0.05)
    scale: float = scale_field(1.0)

    def curve(self, u: Tensor, arm: Tensor) -> Tensor:
        angle = 3 * math.pi * (u - 0.5)
        return torch.stack([angle.sin(), angle.sign() * (angle.cos() - 1)], dim=1)


def on_circle(turns: Tensor) -> Tensor:
    """The points of the unit circle after so many turns (n,) from the positive x-axis: (n, 2)."""
    angle = 2 * math.pi * turns
    return torch.stack([angle.cos(), angle.sin()], dim=1)
