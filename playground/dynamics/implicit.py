"""Implicit one-step methods: each step solves an equation, by Newton's method, and pays for stability with it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import ClassVar, Literal, Protocol, runtime_checkable

import torch
from torch import Tensor

from playground.dynamics.noise import Noise
from playground.dynamics.runge_kutta import Solver, State, Velocity

MOST_ITERATIONS = 12
CONVERGED = 1e-10
"""Newton's method ends when no point moves by more than this share of 1 + |x|."""


@runtime_checkable
class HasJacobian(Protocol):
    """A field that knows its derivatives."""

    def __call__(self, x: Tensor, t: float) -> Tensor:
        """dx/dt at x (n, d) and the shared time t."""

    def jacobian(self, x: Tensor, t: float) -> Tensor:
        """∂f_i/∂x_j at x (n, d) and the shared time t: (n, d, d)."""


class Implicit(Solver):
    """The method x₁ = x₀ + h ((1 − w) f(x₀, t₀) + w f(x₁, t₁)), solved by Newton's method with the exact Jacobian.

    An evaluation is counted for each iteration of Newton's, the Jacobian with it.
    """

    of_equations: ClassVar[bool] = True
    order: ClassVar[int]

    @property
    @abstractmethod
    def weight(self) -> float:
        """How much of the new slope there is in a step."""

    def states(self, field: Velocity, x: Tensor, times: Sequence[float], noise: Noise | None = None) -> Iterator[State]:
        if not isinstance(field, HasJacobian):
            raise ValueError(f"{self.label()} needs the derivatives of the field; choose a solver such as heun.")
        yield State(times[0], x, nfe=0)
        nfe = 0
        for t, after in pairwise(times):
            x, spent = self.stepped(field, x, t, after)
            nfe += spent
            yield State(after, x, nfe)

    def stepped(
        self, field: HasJacobian, x: Tensor, t: float, after: float, kick: Tensor | None = None
    ) -> tuple[Tensor, int]:
        """The state at `after` from x (n, d) at t, and the evaluations spent; kick (n, d) is added to x first."""
        h, start = after - t, x.double()
        base = start if kick is None else start + kick
        if self.weight < 1:
            base = base + h * (1 - self.weight) * field(start, t)
        return solved(field, start, base, h * self.weight, after, extra=self.weight < 1, like=x)


def solved(
    field: HasJacobian, guess: Tensor, base: Tensor, h: float, t: float, *, extra: bool, like: Tensor
) -> tuple[Tensor, int]:
    """The y (n, d) with y = base + h f(y, t), and the evaluations that finding it took, one more where `extra`.

    Newton's method starts from `guess`; the answer has the type of `like`.
    """
    y, identity = guess, torch.eye(guess.shape[1], dtype=torch.float64)
    spent = int(extra)
    for _ in range(MOST_ITERATIONS):
        spent += 1
        move = _solve(identity - h * field.jacobian(y, t), base + h * field(y, t) - y)
        y = y + move
        if not bool((move.abs() > CONVERGED * (1 + y.abs())).any()):
            break
    return y.to(like.dtype), spent


def _solve(a: Tensor, b: Tensor) -> Tensor:
    """The x (n, d) with a x = b for matrices a (n, d, d), d at most 2, by Cramer's rule; not finite where singular."""
    if a.shape[1] == 1:
        return b / a[:, :, 0]
    (p, q), (r, s) = (row.unbind(1) for row in a.unbind(1))
    determinant = p * s - q * r
    one, other = b.unbind(1)
    return torch.stack([(s * one - q * other) / determinant, (p * other - r * one) / determinant], 1)


class ImplicitEuler(Implicit):
    """First order, and stable for every step where the solution decays: the slope at the end of the step."""

    kind: Literal["implicit_euler"] = "implicit_euler"
    order: ClassVar[int] = 1

    @property
    def weight(self) -> float:
        return 1.0


class Trapezoidal(Implicit):
    """Second order, and stable for every step (A-stable): the mean of the slopes at both ends."""

    title: ClassVar[str] = "Trapezoidal rule"
    kind: Literal["trapezoidal"] = "trapezoidal"
    order: ClassVar[int] = 2

    @property
    def weight(self) -> float:
        return 0.5
