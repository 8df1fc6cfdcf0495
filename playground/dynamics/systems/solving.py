"""How a system is followed over the unit interval, time in units of T: with any solver, along one Brownian path.

Without noise a solver does what it always does. With noise

    Euler           is Euler–Maruyama: x + h f + g ΔW with Itô's f;
    Milstein        adds ½ g ∂g (ΔW² − h);
    Heun, midpoint, RK4   follow dx/dt = f + g ΔW/h with Stratonovich's f over each step: Wong and Zakai's limit;
    implicit ones   take the drift implicitly and the noise explicitly, with Itô's f.

Noise along an axis is driven by that axis's own Brownian motion. Where g_i depends on another axis than i, no method
here exceeds strong order ½ (Kloeden and Platen 1992, section 10.3).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Literal

import torch
from torch import Tensor

from playground.dynamics.implicit import Implicit
from playground.dynamics.noise import Noise
from playground.dynamics.runge_kutta import RungeKutta, Solver, State, Velocity, combined
from playground.dynamics.systems.base import Equations
from playground.dynamics.systems.expression import Tree


class Milstein(Solver):
    """For equations with noise: strong order 1 by one more term of the Itô–Taylor expansion; without noise Euler's."""

    of_equations: ClassVar[bool] = True
    kind: Literal["milstein"] = "milstein"

    def states(self, field: Velocity, x: Tensor, times: Sequence[float], noise: Noise | None = None) -> Iterator[State]:
        raise ValueError("Milstein's method is for equations with noise; choose a solver such as heun.")


@dataclass(frozen=True)
class UnitField:
    """A system in units of T: its field has a time in [0, 1]."""

    equations: Equations

    def __call__(self, x: Tensor, t: float) -> Tensor:
        """The drift T f (n, d), in Itô's sense."""
        return self._at(self.equations.ito, x, t, self.equations.T)

    def stratonovich(self, x: Tensor, t: float) -> Tensor:
        """The drift (n, d) in Stratonovich's sense."""
        return self._at(self.equations.stratonovich, x, t, self.equations.T)

    def spread(self, x: Tensor, t: float) -> Tensor:
        """The factors √T g (n, d) of the noise."""
        return self._at(self.equations.parsed.noise, x, t, math.sqrt(self.equations.T))

    def slope(self, x: Tensor, t: float) -> Tensor:
        """The derivative √T ∂g_i/∂x_i (n, d)."""
        return self._at(self.equations.slopes, x, t, math.sqrt(self.equations.T))

    def jacobian(self, x: Tensor, t: float) -> Tensor:
        """t ∂f_i/∂x_j (n, d, d)."""
        return torch.stack([self._at(row, x, t, self.equations.T) for row in self.equations.jacobian], 1)

    def _at(self, trees: tuple[Tree, ...], x: Tensor, t: float, factor: float) -> Tensor:
        return factor * self.equations.at(trees, x, self.equations.T * t)


def states(
    solver: Solver, field: UnitField, x: Tensor, times: Sequence[float], noise: Noise | None = None
) -> Iterator[State]:
    """The states of x (n, d) at the times of a grid in [0, 1]; noise: the Brownian motion that a noisy system needs.

    Raises ValueError for a solver that cannot follow noise.
    """
    if not field.equations.noisy:
        plain = isinstance(solver, RungeKutta | Implicit) or solver.adaptive
        return solver.states(field, x, times) if plain else driven(solver, field, x, times, None)
    if noise is None:
        raise ValueError("an equation with noise needs noise to draw from.")
    if solver.adaptive:
        raise ValueError(no_noise(solver.label()))
    return driven(solver, field, x, times, noise)


def no_noise(label: str) -> str:
    """What is to be said of a solver that takes the right-hand side to be smooth."""
    return f"{label} takes the right-hand side to be smooth, and noise is not; choose euler, heun or milstein."


def driven(solver: Solver, field: UnitField, x: Tensor, times: Sequence[float], noise: Noise | None) -> Iterator[State]:
    """The states of a system along one Brownian path; without noise by Euler's method, whatever the solver."""
    yield State(times[0], x, nfe=0)
    nfe = 0
    for t, after in pairwise(times):
        h = after - t
        root = math.sqrt(h)
        z = noise(t, after) if noise else torch.zeros_like(x)
        if isinstance(solver, Implicit):
            x, spent = solver.stepped(field, x, t, after, field.spread(x, t) * root * z)
            nfe += spent
        elif isinstance(solver, RungeKutta) and solver.order > 1:
            x, nfe = _shaken(solver, field, x, t, h, z / root), nfe + solver.stages
        else:
            x, nfe = _first_order(isinstance(solver, Milstein), field, x, t, h, z), nfe + 1
        yield State(after, x, nfe)


def _shaken(solver: RungeKutta, field: UnitField, x: Tensor, t: float, h: float, push: Tensor) -> Tensor:
    """A Runge–Kutta step along f + g · push, with Stratonovich's drift."""

    def slope(x: Tensor, t: float) -> Tensor:
        return field.stratonovich(x, t) + field.spread(x, t) * push

    return combined(x, h, solver.tableau.b, solver.tableau.slopes(slope, x, t, h))


def _first_order(milstein: bool, field: UnitField, x: Tensor, t: float, h: float, z: Tensor) -> Tensor:
    moved = x + h * field(x, t)
    if not field.equations.noisy:
        return moved
    spread = field.spread(x, t)
    moved = moved + math.sqrt(h) * spread * z
    if milstein:
        moved = moved + 0.5 * h * spread * field.slope(x, t) * (z.square() - 1)
    return moved
