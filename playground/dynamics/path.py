"""What every probability path offers: its schedule, its points, where a sampler begins, a table for other runtimes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import torch
from torch import Tensor

from playground.choice import Choice

NODES = 129
"""Evenly spaced times in a path's table; a path with a steep end has as many again that crowd towards it."""
NEAREST = 1e-4
"""How near to 0 and 1 they crowd."""


@dataclass(frozen=True)
class Coefficients:
    """The schedule of a path at times t; each has the shape of t."""

    alpha: Tensor
    sigma: Tensor
    d_alpha: Tensor
    d_sigma: Tensor
    gamma: Tensor
    d_gamma: Tensor

    @classmethod
    def of(cls, alpha: Tensor, sigma: Tensor, d_alpha: Tensor, d_sigma: Tensor) -> Coefficients:
        """The schedule of a path without noise of its own."""
        zero = torch.zeros_like(alpha)
        return cls(alpha, sigma, d_alpha, d_sigma, zero, zero)

    @property
    def turning(self) -> Tensor:
        """The minor alpha' sigma − sigma' alpha, positive wherever the signal gains on the source."""
        return self.d_alpha * self.sigma - self.d_sigma * self.alpha


class Path(Choice):
    """x_t = alpha(t) x1 + sigma(t) x0 + gamma(t) z, z ~ N(0, I), with derivatives that are finite on [t_min, t_max].

    gamma is 0 but for a bridge, whose field has two parts: a velocity and, from the noise z, a score.
    """

    bridge: ClassVar[bool] = False
    """Whether gamma is not 0."""

    @property
    def t_min(self) -> float:
        """The first time at which the coefficients and their derivatives are finite."""
        return 0.0

    @property
    def t_max(self) -> float:
        """The last such time."""
        return 1.0

    @property
    def steep(self) -> tuple[bool, bool]:
        """Whether the coefficients change ever faster, relative to their size, towards t_min, and towards t_max."""
        return False, False

    @property
    def brownian(self) -> float | None:
        """The deviation σ of the Brownian bridges, gamma = σ √(t (1 − t)), that it is made of; None for other paths."""
        return None

    @property
    def steps(self) -> int | None:
        """How many steps of noising it is made of, where it is discrete: 1 − i / steps are the times it knows."""
        return None

    def snapped(self, times: Sequence[float]) -> list[float]:
        """The ascending times that a sampler stands at instead of these, given which of them the path knows."""
        return list(times)

    @abstractmethod
    def coefficients(self, t: Tensor) -> Coefficients:
        """alpha, sigma, gamma and their time derivatives at t (any shape), each of t's shape."""

    def point(self, x0: Tensor, x1: Tensor, t: Tensor, z: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The point x_t and its velocity dx_t/dt for pairs x0, x1 (n, d) at t (n, 1): two (n, d) tensors.

        z (n, d) is a bridge's noise; without it the point is the mean of the bridge.
        """
        c = self.coefficients(t)
        xt, velocity = c.alpha * x1 + c.sigma * x0, c.d_alpha * x1 + c.d_sigma * x0
        return (xt, velocity) if z is None else (xt + c.gamma * z, velocity + c.d_gamma * z)

    def start(self, x0: Tensor, t: float | None = None) -> Tensor:
        """Where a sampler begins for source points x0 (n, d): sigma x0, what x0 alone decides of x_t.

        t: when it begins, by default at t_min.
        """
        return self.at(self.t_min if t is None else t).sigma.to(x0) * x0

    def log_snr(self, t: Tensor) -> Tensor:
        """The logarithm of the signal-to-noise ratio alpha² / (sigma² + gamma²), for a source of unit variance."""
        c = self.coefficients(t)
        return 2 * c.alpha.log() - (c.sigma.square() + c.gamma.square()).log()

    @property
    def mismatch(self) -> str | None:
        """Where x at t_min is not exactly the source: a sentence that says how far; else None."""
        c = self.at(self.t_min)
        shares = {"x0": float(c.sigma), "x1": float(c.alpha), "z": float(c.gamma)}
        if shares == {"x0": 1.0, "x1": 0.0, "z": 0.0}:
            return None
        begins, *rest = (f"{value:.3g} {name}".removeprefix("1 ") for name, value in shares.items() if value)
        return (
            f"{self.label()} begins at t = {self.t_min:g} with x = {' + '.join([begins, *rest])}, not with the source "
            f"alone; a sampler starts from {begins} and leaves out the rest."
        )

    def at(self, t: float) -> Coefficients:
        """The schedule at one time, as float64 scalars."""
        return self.coefficients(torch.tensor(t, dtype=torch.float64))

    def nodes(self) -> Tensor:
        """The times of the table, in float64, ascending from t_min to t_max.

        They are evenly spaced, and towards a steep end also in geometric progression, as the coefficients there are
        powers of the distance to 0 or 1.
        """
        low, high = self.t_min, self.t_max
        times = [torch.linspace(low, high, NODES, dtype=torch.float64)]
        first, last = self.steep
        if first:
            times.append(_geometric(max(low, NEAREST), high))
        if last:
            times.append(1 - _geometric(max(1 - high, NEAREST), 1 - low))
        together = torch.cat(times).clamp(low, high).sort().values
        apart = torch.cat([torch.ones(1, dtype=torch.bool), together.diff() > 1e-9])
        return together[apart]

    def describe(self) -> dict[str, Any]:
        """Its name and what to know of it, the interval, the factor of x0 at the start, a table of the coefficients.

        Cubic Lagrange interpolation between the four nearest nodes reads every column to 1e-5 of its value, but for
        1e-6 of the largest value in the column.
        """
        t = self.nodes()
        c = self.coefficients(t)
        table = {"t": t.tolist()} | {field.name: getattr(c, field.name).tolist() for field in fields(c)}
        interval = {"t_min": self.t_min, "t_max": self.t_max, "start": float(self.at(self.t_min).sigma)}
        words = {"kind": self.kind_name(), "label": self.label(), "about": self.summary(), "mismatch": self.mismatch}
        return words | interval | {"table": table}


def _geometric(least: float, most: float) -> Tensor:
    """NODES values from least to most, each the same multiple of the one before."""
    return torch.logspace(0, 1, NODES, base=most / least, dtype=torch.float64) * least
