"""Solvers: a field and starting points in, the successive states out, with the evaluations they cost."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from playground.choice import FROM_NAME, Choice, Settings
from playground.trajectory import Trajectory

Velocity = Callable[[Tensor, float], Tensor]
"""A velocity field: x (n, d) and the time that all particles share → dx/dt (n, d)."""


@dataclass(frozen=True)
class State:
    """The particles x (n, d) at time t, after nfe evaluations of the field."""

    t: float
    x: Tensor
    nfe: int


class Solver(Choice):
    """A method that integrates dx/dt = v(x, t) from one time of a grid to the next."""

    @abstractmethod
    def states(self, field: Velocity, x: Tensor, times: Sequence[float]) -> Iterator[State]:
        """Yields the state at every time of the ascending grid, the first being x itself at no cost."""


@dataclass(frozen=True)
class Tableau:
    """A Butcher tableau: stage i is evaluated at t + c[i] h from x + h Σ_j a[i][j] k_j; the step is h Σ_i b[i] k_i."""

    a: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]
    c: tuple[float, ...]


class RungeKutta(Solver):
    """An explicit Runge–Kutta method (Hairer, Nørsett and Wanner 1993, eq. II.1.8), given by its tableau."""

    tableau: ClassVar[Tableau]
    order: ClassVar[int]

    @property
    def stages(self) -> int:
        """Field evaluations in one step."""
        return len(self.tableau.b)

    def states(self, field: Velocity, x: Tensor, times: Sequence[float]) -> Iterator[State]:
        yield State(times[0], x, nfe=0)
        for step, (t, after) in enumerate(zip(times[:-1], times[1:], strict=True), start=1):
            h = after - t
            slopes: list[Tensor] = []
            for row, c in zip(self.tableau.a, self.tableau.c, strict=True):
                slopes.append(field(_advance(x, h, row, slopes), t + c * h))
            x = _advance(x, h, self.tableau.b, slopes)
            yield State(after, x, nfe=step * self.stages)


def _advance(x: Tensor, h: float, weights: Sequence[float], slopes: Sequence[Tensor]) -> Tensor:
    for weight, slope in zip(weights, slopes, strict=True):
        if weight:
            x = torch.add(x, slope, alpha=h * weight)
    return x


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


AnySolver = Annotated[Euler | Midpoint | Heun | RungeKutta4, Field(discriminator="kind"), FROM_NAME]


def uniform_grid(start: float, stop: float, steps: int) -> list[float]:
    """Steps + 1 evenly spaced times from start to stop."""
    return [start + (stop - start) * k / steps for k in range(steps)] + [stop]


class Sampler(Settings):
    """How a trained field is turned into samples."""

    solver: AnySolver = Field(Heun(), title="Solver", description="The method that follows the velocity field.")
    steps: int = Field(
        50, ge=1, le=1000, title="Steps", description="How many steps the solver takes from source to target."
    )

    def integrate(self, field: Velocity, x0: Tensor, start: float = 0.0, stop: float = 1.0) -> Trajectory:
        """Carries x0 (n, d) along the field from time start to stop; all states are kept."""
        states = list(self.solver.states(field, x0, uniform_grid(start, stop, self.steps)))
        return Trajectory(
            t=torch.tensor([state.t for state in states], dtype=torch.float64),
            x=torch.stack([state.x for state in states]),
            nfe=states[-1].nfe,
        )
