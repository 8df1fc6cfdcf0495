"""Explicit Runge–Kutta methods on a grid of times, and what every solver promises."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Literal

import torch
from torch import Tensor

from playground.choice import Choice
from playground.dynamics.noise import Noise

Velocity = Callable[[Tensor, float], Tensor]
"""A velocity field: x (n, d) and the time that all particles share → dx/dt (n, d)."""

Interval = tuple[float, float]
"""Where a step begins and where it would end."""


@dataclass(frozen=True)
class State:
    """The particles x (n, d) at time t, after nfe evaluations of the field.

    rejected: the steps that were tried since the state before and missed the tolerance.
    """

    t: float
    x: Tensor
    nfe: int
    rejected: tuple[Interval, ...] = ()


class Solver(Choice):
    """A method that integrates dx/dt = v(x, t) from one time of a grid to the next."""

    adaptive: ClassVar[bool] = False
    """Whether it chooses its own steps and takes from the grid only its two ends."""
    of_equations: ClassVar[bool] = False
    """Whether it needs what only the model equation knows: derivatives of the field, or the factors of its noise."""

    @property
    def stochastic(self) -> bool:
        """Whether it adds noise on the way, for which it has to know the score."""
        return False

    @abstractmethod
    def states(self, field: Velocity, x: Tensor, times: Sequence[float], noise: Noise | None = None) -> Iterator[State]:
        """Yields the state at every time of the ascending grid, the first being x itself at no cost.

        An adaptive solver yields one at every time that it reaches on its way from the first to the last instead.
        noise: what a stochastic one draws from.
        """


@dataclass(frozen=True)
class Tableau:
    """A Butcher tableau: stage i is evaluated at t + c[i] h from x + h Σ_j a[i][j] k_j; the step is h Σ_i b[i] k_i.

    error: where a second method shares the stages, the difference of its weights: the step's error is about
    h Σ_i error[i] k_i.
    """

    a: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]
    c: tuple[float, ...]
    error: tuple[float, ...] = ()

    def slopes(self, field: Velocity, x: Tensor, t: float, h: float, first: Tensor | None = None) -> list[Tensor]:
        """The field at each stage of a step from x at t; first: the field at (x, t) where that is known already."""
        found = [] if first is None else [first]
        for row, c in list(zip(self.a, self.c, strict=True))[len(found) :]:
            found.append(field(combined(x, h, row, found), t + c * h))
        return found


def combined(x: Tensor, h: float, weights: Sequence[float], slopes: Sequence[Tensor]) -> Tensor:
    """The point x + h Σ_i weights[i] slopes[i]."""
    for weight, slope in zip(weights, slopes, strict=True):
        if weight:
            x = torch.add(x, slope, alpha=h * weight)
    return x


class RungeKutta(Solver):
    """An explicit Runge–Kutta method (Hairer, Nørsett and Wanner 1993, eq. II.1.8), given by its tableau."""

    tableau: ClassVar[Tableau]
    order: ClassVar[int]

    @property
    def stages(self) -> int:
        """Field evaluations in one step."""
        return len(self.tableau.b)

    def states(self, field: Velocity, x: Tensor, times: Sequence[float], noise: Noise | None = None) -> Iterator[State]:
        return runge_kutta(self.tableau, field, x, times)


def runge_kutta(tableau: Tableau, field: Velocity, x: Tensor, times: Sequence[float]) -> Iterator[State]:
    """Yields the state at each of the ascending times, one step of the tableau apart, the first being x itself."""
    yield State(times[0], x, nfe=0)
    for step, (t, after) in enumerate(pairwise(times), start=1):
        h = after - t
        x = combined(x, h, tableau.b, tableau.slopes(field, x, t, h))
        yield State(after, x, nfe=step * len(tableau.b))


class Euler(RungeKutta):
    """One evaluation a step, first order: follows the tangent."""

    kind: Literal["euler"] = "euler"
    order: ClassVar[int] = 1
    tableau: ClassVar[Tableau] = Tableau(a=((),), b=(1.0,), c=(0.0,))


class Midpoint(RungeKutta):
    """Two evaluations a step, second order: the tangent at half the step."""

    kind: Literal["midpoint"] = "midpoint"
    order: ClassVar[int] = 2
    tableau: ClassVar[Tableau] = Tableau(a=((), (0.5,)), b=(0.0, 1.0), c=(0.0, 0.5))


class Heun(RungeKutta):
    """Two evaluations a step, second order: the mean of the tangents at both ends."""

    kind: Literal["heun"] = "heun"
    order: ClassVar[int] = 2
    tableau: ClassVar[Tableau] = Tableau(a=((), (1.0,)), b=(0.5, 0.5), c=(0.0, 1.0))


class RungeKutta4(RungeKutta):
    """Four evaluations a step, fourth order: the classical Runge–Kutta method."""

    title: ClassVar[str] = "RK4"
    kind: Literal["rk4"] = "rk4"
    order: ClassVar[int] = 4
    tableau: ClassVar[Tableau] = Tableau(
        a=((), (0.5,), (0.0, 0.5), (0.0, 0.0, 1.0)), b=(1 / 6, 1 / 3, 1 / 3, 1 / 6), c=(0.0, 0.5, 0.5, 1.0)
    )
