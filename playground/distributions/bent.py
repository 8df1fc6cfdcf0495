"""Gaussians bent by maps whose inverse is known, so that their density is exact: banana, funnel, pinwheel."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from playground.distributions.axes import Spread
from playground.distributions.base import Distribution


class Bent(Distribution):
    """x = f(z) with z ~ N(0, I) in two dimensions and f one-to-one, of density N(f⁻¹(x)) / |det ∂f/∂z|."""

    @abstractmethod
    def bend(self, z: Tensor) -> Tensor:
        """f: (n, 2) → (n, 2)."""

    @abstractmethod
    def straighten(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """f⁻¹ of x (n, 2), and ln |det ∂f/∂z| there, which fits (n,)."""

    @abstractmethod
    def mean_log_det(self) -> float:
        """E ln |det ∂f/∂z|."""

    @property
    def dim(self) -> int:
        return 2

    def draw(self, n: int, generator: Generator) -> tuple[Tensor, Tensor]:
        z = torch.randn(n, 2, generator=generator, device=generator.device)
        return self.bend(z), torch.zeros(n, dtype=torch.int64, device=generator.device)

    def log_prob(self, x: Tensor) -> Tensor:
        z, log_det = self.straighten(x)
        return -0.5 * z.square().sum(1) - math.log(2 * math.pi) - log_det

    def entropy(self) -> float:
        """That of the unbent Gaussian, ln 2πe, and the mean of what the map adds."""
        return math.log(2 * math.pi * math.e) + self.mean_log_det()


class Banana(Bent):
    """A long Gaussian bent into a parabola, a classic test for samplers (Haario et al. 1999).

    x₁ = length · z₁ and x₂ = width · z₂ + bend · (x₁² − length²), so that the mean is the origin.
    """

    kind: Literal["banana"] = "banana"
    curvature: float = Field(
        0.6,
        ge=-3,
        le=3,
        title="Bend",
        description="How strongly it is bent: upwards, or below 0 downwards.",
        json_schema_extra={"step": 0.1},
    )
    length: Spread = Field(
        1.2,
        title="Length",
        description="Standard deviation along the first axis.",
        json_schema_extra={"step": 0.05},
    )
    width: Spread = Field(
        0.3,
        title="Width",
        description="Standard deviation around the parabola, along the second axis.",
        json_schema_extra={"step": 0.05},
    )

    def bend(self, z: Tensor) -> Tensor:
        along = self.length * z[:, 0]
        return torch.stack([along, self.width * z[:, 1] + self._parabola(along)], dim=1)

    def straighten(self, x: Tensor) -> tuple[Tensor, Tensor]:
        across = x[:, 1] - self._parabola(x[:, 0])
        z = torch.stack([x[:, 0] / self.length, across / self.width], dim=1)
        return z, x.new_tensor(self.mean_log_det())

    def mean_log_det(self) -> float:
        return math.log(self.length * self.width)

    def _parabola(self, along: Tensor) -> Tensor:
        return self.curvature * (along.square() - self.length**2)


class Funnel(Bent):
    """Wide at the top and ever narrower below: one coordinate sets the scale of the other (Neal 2003).

    x₂ = spread · z₂ and x₁ = e^{x₂/2} · z₁.
    """

    kind: Literal["funnel"] = "funnel"
    presets: ClassVar[dict[str, dict[str, Any]]] = {"Neal's funnel": {"spread": 3}}
    spread: float = Field(
        1.5,
        ge=0.1,
        le=3,
        title="Spread",
        description="Standard deviation of the height, which is twice the logarithm of the width there.",
        json_schema_extra={"step": 0.1},
    )

    def bend(self, z: Tensor) -> Tensor:
        height = self.spread * z[:, 1]
        return torch.stack([(height / 2).exp() * z[:, 0], height], dim=1)

    def straighten(self, x: Tensor) -> tuple[Tensor, Tensor]:
        half = x[:, 1] / 2
        return torch.stack([x[:, 0] * (-half).exp(), x[:, 1] / self.spread], dim=1), half + math.log(self.spread)

    def mean_log_det(self) -> float:
        return math.log(self.spread)


class Pinwheel(Distribution):
    """Blades around the middle, swept to one side (Johnson et al. 2016).

    Each blade is a Gaussian around (1, 0) with deviations length and width, turned by its share of the circle, and
    then by twist · e^r clockwise at distance r from the middle. The usual code twists by the coordinate along the
    blade, which for thin blades is the same; twisting by r keeps areas, so that the density is that of the untwisted
    Gaussians.
    """

    kind: Literal["pinwheel"] = "pinwheel"
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "FFJORD pinwheel": {"arms": 5, "twist": 0.25, "length": 0.3, "width": 0.1, "scale": 2},
    }
    arms: int = Field(5, ge=1, le=16, title="Blades", description="How many blades there are.")
    twist: float = Field(
        0.25,
        ge=-1,
        le=1,
        title="Twist",
        description="How far the blades are swept: clockwise, or below 0 the other way.",
        json_schema_extra={"step": 0.05},
    )
    length: float = Field(
        0.3,
        ge=0.05,
        le=0.5,
        title="Length",
        description="Standard deviation along each blade, in units of the shape.",
        json_schema_extra={"step": 0.05},
    )
    width: float = Field(
        0.1,
        ge=0.02,
        le=0.5,
        title="Width",
        description="Standard deviation across each blade, in units of the shape.",
        json_schema_extra={"step": 0.01},
    )
    scale: float = Field(
        2.0,
        ge=0.1,
        le=20,
        title="Scale",
        description="How far the middle of each blade lies from the origin; all else grows with it.",
        json_schema_extra={"step": 0.1},
    )

    @property
    def dim(self) -> int:
        return 2

    @property
    def classes(self) -> int:
        return self.arms

    def draw(self, n: int, generator: Generator) -> tuple[Tensor, Tensor]:
        device = generator.device
        labels = torch.randint(self.arms, (n,), generator=generator, device=device)
        blade = self._blade(torch.randn(n, 2, generator=generator, device=device))
        return self.scale * turned(blade, 2 * math.pi / self.arms * labels - self._sweep(blade)), labels

    def log_prob(self, x: Tensor) -> Tensor:
        x = x / self.scale
        return self._untwisted(turned(x, self._sweep(x))) - 2 * math.log(self.scale)

    def entropy(self) -> float:
        """That of the untwisted Gaussians, by the trapezoid rule over one of them, and 2 ln scale."""
        narrowest = min(self.length, self.width)
        axes = [
            torch.linspace(-6.5, 6.5, math.ceil(13 / 0.4 * std / narrowest) + 1, dtype=torch.float64)
            for std in (self.length, self.width)
        ]
        z = torch.cartesian_prod(*axes)
        share = torch.softmax(-0.5 * z.square().sum(1), 0)
        return -(share @ self._untwisted(self._blade(z))).item() + 2 * math.log(self.scale)

    def _blade(self, z: Tensor) -> Tensor:
        """The first blade before the twist, from standard noise (n, 2)."""
        return torch.stack([1 + self.length * z[:, 0], self.width * z[:, 1]], dim=1)

    def _sweep(self, x: Tensor) -> Tensor:
        """The angle by which the twist turns points (n, 2), clockwise: (n,)."""
        radius: Tensor = torch.linalg.vector_norm(x, dim=1)
        return self.twist * radius.exp()

    def _untwisted(self, x: Tensor) -> Tensor:
        """Log-density of the blades before the twist at x (n, 2), in units of the shape."""
        exponents = []
        for arm in range(self.arms):
            along, across = turned(x, x.new_tensor(-2 * math.pi * arm / self.arms)).unbind(1)
            exponents.append(((along - 1) / self.length).square() + (across / self.width).square())
        peak = math.log(2 * math.pi * self.length * self.width * self.arms)
        return torch.logsumexp(-0.5 * torch.stack(exponents), 0) - peak


def turned(x: Tensor, angle: Tensor) -> Tensor:
    """Points x (n, 2) turned about the origin, counterclockwise by an angle (n,) or ()."""
    cos, sin = angle.cos(), angle.sin()
    return torch.stack([cos * x[:, 0] - sin * x[:, 1], sin * x[:, 0] + cos * x[:, 1]], dim=1)
