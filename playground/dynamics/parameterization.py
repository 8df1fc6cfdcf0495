"""From what a network outputs to a velocity: input and output scaling by the moments of source and target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from playground.dynamics.paths import Path

ScalingKind = Literal["none", "standard", "residual"]


@dataclass(frozen=True)
class Moments:
    """Mean (d,) of source and target, and the standard deviation of each, one number for all axes."""

    mean0: Tensor
    mean1: Tensor
    std0: float
    std1: float

    @classmethod
    def of(cls, x0: Tensor, x1: Tensor) -> Moments:
        """The moments of source points x0 (n, d) and target points x1 (m, d)."""
        return cls(x0.mean(0), x1.mean(0), _spread(x0), _spread(x1))

    def packed(self) -> Tensor:
        """One vector (2d + 2,) that keeps them beside a network's weights."""
        spreads = torch.tensor([self.std0, self.std1])
        return torch.cat([self.mean0.cpu(), self.mean1.cpu(), spreads])

    @classmethod
    def unpacked(cls, vector: Tensor) -> Moments:
        """The inverse of `packed`."""
        dim = (len(vector) - 2) // 2
        return cls(vector[:dim], vector[dim : 2 * dim], float(vector[-2]), float(vector[-1]))

    def describe(self) -> dict[str, Any]:
        """As plain numbers, for the message to the browser."""
        return {
            "mean0": self.mean0.tolist(),
            "mean1": self.mean1.tolist(),
            "std0": self.std0,
            "std1": self.std1,
        }


def _spread(x: Tensor) -> float:
    return max(float(x.var(0).mean().sqrt()), 1e-3)


@dataclass(frozen=True)
class Affine:
    """The network's place in the field at times t: v = skip (x − center) + drift + out F(inside (x − center), t).

    Scalars have the shape (n, 1) of t; center and drift are (n, d).
    """

    inside: Tensor
    center: Tensor
    skip: Tensor
    drift: Tensor
    out: Tensor


def affine(kind: ScalingKind, moments: Moments, path: Path, t: Tensor) -> Affine:
    """The scaling at times t (n, 1) for independent x0 and x1 with the given moments.

    With m and var the mean and variance of x_t:

    - none: v = F(x, t).
    - standard: v = s_v F((x − m) / √var, t), with s_v² the variance of the velocity dx_t/dt.
    - residual: v = m' + k (x − m) + c F((x − m) / √var, t), where m' + k (x − m) is the exact velocity between two
      Gaussians of these moments, k = Cov(dx_t/dt, x_t) / var, and c the deviation of what it leaves unexplained:
      c = |alpha' sigma − sigma' alpha| s0 s1 / √var. It is the preconditioning of EDM (Karras et al. 2022, eq. 7)
      for a velocity, with the means taken out.
    """
    if kind == "none":
        zero, one = torch.zeros_like(t), torch.ones_like(t)
        origin = torch.zeros_like(t * moments.mean0)
        return Affine(inside=one, center=origin, skip=zero, drift=origin, out=one)
    c = path.coefficients(t)
    var0, var1 = moments.std0**2, moments.std1**2
    variance = c.alpha**2 * var1 + c.sigma**2 * var0
    center = c.alpha * moments.mean1 + c.sigma * moments.mean0
    inside = variance.rsqrt()
    if kind == "standard":
        out = (c.d_alpha**2 * var1 + c.d_sigma**2 * var0).sqrt()
        return Affine(inside, center, torch.zeros_like(t), torch.zeros_like(center), out)
    skip = (c.d_alpha * c.alpha * var1 + c.d_sigma * c.sigma * var0) / variance
    drift = c.d_alpha * moments.mean1 + c.d_sigma * moments.mean0
    out = (c.d_alpha * c.sigma - c.d_sigma * c.alpha).abs() * (moments.std0 * moments.std1) * inside
    return Affine(inside, center, skip, drift, out)
