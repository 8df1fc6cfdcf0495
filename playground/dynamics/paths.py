"""Probability paths: how a point travels from x0 (source, t = 0) to x1 (target, t = 1)."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from playground.choice import FROM_NAME, Choice


@dataclass(frozen=True)
class Coefficients:
    """The schedule of a path at times t; each has the shape of t."""

    alpha: Tensor
    sigma: Tensor
    d_alpha: Tensor
    d_sigma: Tensor


class Path(Choice):
    """x_t = alpha(t) x1 + sigma(t) x0, with derivatives that are finite on [t_min, t_max]."""

    t_min: ClassVar[float] = 0.0
    t_max: ClassVar[float] = 1.0

    @abstractmethod
    def coefficients(self, t: Tensor) -> Coefficients:
        """alpha, sigma and their time derivatives at t (any shape), each of t's shape."""

    def point(self, x0: Tensor, x1: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """The point x_t and its velocity dx_t/dt for pairs x0, x1 (n, d) at t (n, 1): two (n, d) tensors."""
        c = self.coefficients(t)
        return c.alpha * x1 + c.sigma * x0, c.d_alpha * x1 + c.d_sigma * x0

    def start(self, x0: Tensor) -> Tensor:
        """Where a sampler begins for source points x0 (n, d): x_t at t_min, as far as x0 alone decides it."""
        return x0

    def describe(self, nodes: int = 129) -> dict[str, Any]:
        """The interval and a table of the coefficients at evenly spaced times, for another runtime."""
        t = torch.linspace(self.t_min, self.t_max, nodes, dtype=torch.float64)
        c = self.coefficients(t)
        columns = {"alpha": c.alpha, "sigma": c.sigma, "d_alpha": c.d_alpha, "d_sigma": c.d_sigma}
        table = {"t": t.tolist()} | {name: column.tolist() for name, column in columns.items()}
        return {"kind": self.kind_name(), "t_min": self.t_min, "t_max": self.t_max, "table": table}


class LinearPath(Path):
    """x_t = t x1 + (1 − t) x0: straight lines at constant speed.

    Rectified flow (Liu et al. 2023, eq. 1) and the conditional optimal-transport path (Lipman et al. 2023, eq. 22
    with sigma_min = 0).
    """

    kind: Literal["linear"] = "linear"

    def coefficients(self, t: Tensor) -> Coefficients:
        one = torch.ones_like(t)
        return Coefficients(alpha=t, sigma=1 - t, d_alpha=one, d_sigma=-one)


class CosinePath(Path):
    """x_t = sin(πt/2) x1 + cos(πt/2) x0: quarter circles that keep the variance of independent unit pairs.

    The trigonometric interpolant of Albergo and Vanden-Eijnden (2023, eq. 5).
    """

    kind: Literal["cosine"] = "cosine"

    def coefficients(self, t: Tensor) -> Coefficients:
        quarter = math.pi / 2
        sine, cosine = torch.sin(quarter * t), torch.cos(quarter * t)
        return Coefficients(alpha=sine, sigma=cosine, d_alpha=quarter * cosine, d_sigma=-quarter * sine)


AnyPath = Annotated[LinearPath | CosinePath, Field(discriminator="kind"), FROM_NAME]
