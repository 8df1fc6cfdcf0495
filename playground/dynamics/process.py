"""A velocity field together with its path, and the solvers that make use of both.

Along x_t = alpha x1 + sigma x0 a velocity tells the expected data and noise, x̂1 = E[x1 | x_t] and x̂0 = E[x0 | x_t]; if
x0 ~ N(0, I) is independent of x1, it also tells the score, −x̂0 / sigma.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from playground.dynamics.noise import Noise
from playground.dynamics.path import Path
from playground.dynamics.runge_kutta import Solver, State, Velocity


@dataclass(frozen=True)
class Process:
    """A velocity field whose marginals are those of a path.

    scored: whether the velocity tells the score, which takes a source N(0, I) that is independent of the target.
    score: the score where it is known from elsewhere, as along bridges.
    """

    velocity: Velocity
    path: Path
    scored: bool = False
    score: Velocity | None = None

    def __call__(self, x: Tensor, t: float) -> Tensor:
        """dx/dt at x (n, d) and the shared time t."""
        return self.velocity(x, t)


@dataclass(frozen=True)
class Level:
    """The schedule at one time, as plain numbers."""

    alpha: float
    sigma: float
    d_alpha: float
    d_sigma: float

    @classmethod
    def of(cls, path: Path, t: float) -> Level:
        c = path.at(t)
        return cls(float(c.alpha), float(c.sigma), float(c.d_alpha), float(c.d_sigma))

    def split(self, velocity: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """(x̂1, x̂0) at x (n, d) from the velocity there: the solution of x = α x̂1 + σ x̂0, v = α' x̂1 + σ' x̂0."""
        turning = self.d_alpha * self.sigma - self.d_sigma * self.alpha
        data = (self.sigma * velocity - self.d_sigma * x) / turning
        noise = (self.d_alpha * x - self.alpha * velocity) / turning
        return data, noise


def noise_ratio(before: Level, after: Level) -> float:
    """(α₁ σ₂) / (α₂ σ₁), how far σ/α has fallen: the share of the noise x̂0 that is left, undisturbed, from 1 to 0."""
    return (before.alpha * after.sigma) / (after.alpha * before.sigma)


class DiffusionSampler(Solver):
    """A solver that makes use of the path; with a stochastic one, `field` is a Process that knows its score."""

    def states(self, field: Velocity, x: Tensor, times: Sequence[float], noise: Noise | None = None) -> Iterator[State]:
        if not isinstance(field, Process):
            raise ValueError(f"{self.label()} samples only along a path; choose a solver such as heun.")
        if self.stochastic and not (field.scored or field.score):
            raise ValueError(no_score(self.label()))
        if self.stochastic and noise is None:
            raise ValueError(f"{self.label()} needs noise to draw from.")
        if field.path.bridge and not self.on_bridges:
            raise ValueError(no_bridge(self.label()))
        return self.sampled(field, x, times, noise or silence)

    @property
    def on_bridges(self) -> bool:
        """Whether it can follow a path with noise of its own."""
        return False

    @abstractmethod
    def sampled(self, process: Process, x: Tensor, times: Sequence[float], noise: Noise) -> Iterator[State]:
        """The states; where the sampler is stochastic, there is noise and the process knows its score."""


def silence(begin: float, end: float) -> Tensor:
    """The noise of what has no use for any."""
    raise ValueError("a deterministic sampler draws no noise.")


def no_score(label: str) -> str:
    """What is to be said where noise cannot be added."""
    return (
        f"{label} adds noise, for which the score must be known: it is where the source is a standard gaussian (mean "
        "0, std 1, no correlation) in independent pairs with the target, or along a bridge; choose that source and "
        "the coupling independent, or a solver such as heun."
    )


def no_bridge(label: str) -> str:
    """What is to be said of a sampler that cannot follow bridges."""
    return f"{label} is for paths without noise of their own; along a bridge choose stochastic_midpoint or heun."
