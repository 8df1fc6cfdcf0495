"""Gradients through the solution of an ordinary differential equation: by backpropagation, or by the adjoint method.

Backpropagation keeps what every stage of every step needs on the way back. The adjoint method keeps the last state
alone, and solves a second equation backwards in time (Pontryagin; Chen et al. 2018, algorithm 1): with a = ∂L/∂s,
da/dt = −a ∂f/∂s and d(∂L/∂θ)/dt = −a ∂f/∂θ, while the state itself is solved backwards again. Its gradient is that of
the exact solution, so that the two differ by the solver's error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Protocol

import torch
from torch import Tensor

from playground.dynamics.runge_kutta import Tableau, combined, runge_kutta

EndLoss = Callable[[Tensor], Tensor]
"""The last state (n, k) → a scalar loss, differentiable."""


class Dynamics(Protocol):
    """ds/dt = f(s, t; θ) with its derivatives. `gradient` (m,) gathers ∂loss/∂θ."""

    gradient: Tensor

    def slope(self, state: Tensor, t: float) -> Tensor:
        """ds/dt at the state (n, k), and nothing else."""

    def forward(self, state: Tensor, t: float) -> tuple[Tensor, Any]:
        """ds/dt at the state (n, k), and what the way back needs."""

    def backward(self, tape: Any, pull: Tensor) -> Tensor:
        """Adds pull · ∂f/∂θ to `gradient`, and returns pull · ∂f/∂s (n, k)."""


class Differentiated:
    """Dynamics that are differentiated automatically: f(weights (m,), state (n, k), t) → (n, k)."""

    def __init__(self, f: Callable[[Tensor, Tensor, float], Tensor], weights: Tensor) -> None:
        self._f, self._weights = f, weights.detach()
        self.gradient = torch.zeros_like(weights)

    @torch.no_grad()
    def slope(self, state: Tensor, t: float) -> Tensor:
        return self._f(self._weights, state, t)

    @torch.enable_grad()
    def forward(self, state: Tensor, t: float) -> tuple[Tensor, Any]:
        leaves = state.detach().requires_grad_(), self._weights.detach().requires_grad_()
        slope = self._f(leaves[1], leaves[0], t)
        return slope.detach(), (slope, leaves)

    def backward(self, tape: Any, pull: Tensor) -> Tensor:
        slope, leaves = tape
        by_state: Tensor
        by_state, by_weights = torch.autograd.grad(slope, leaves, pull)
        self.gradient += by_weights
        return by_state


def backpropagated(
    tableau: Tableau, dynamics: Dynamics, start: Tensor, times: Sequence[float], loss: EndLoss
) -> tuple[Tensor, Tensor]:
    """The loss of the state that `start` (n, k) is carried to along the times, and its gradient (m,).

    With the slopes k_i of a step's stages and λ = ∂L/∂s after it, going down: ∂L/∂k_i = h b_i λ + h Σ_j a_ji μ_j, where
    μ_j = ∂L/∂k_j · ∂f/∂s is the pull on stage j; before the step it is λ + Σ_j μ_j.
    """
    dynamics.gradient.zero_()
    steps: list[list[Any]] = []
    state = start
    for t, after in pairwise(times):
        slopes: list[Tensor] = []
        steps.append([])
        for row, c in zip(tableau.a, tableau.c, strict=True):
            slope, tape = dynamics.forward(combined(state, after - t, row, slopes), t + c * (after - t))
            slopes.append(slope)
            steps[-1].append(tape)
        state = combined(state, after - t, tableau.b, slopes)
    value, pull = _pulled(loss, state)
    for t, after in list(pairwise(times))[::-1]:
        h, tapes = after - t, steps.pop()
        pulls: dict[int, Tensor] = {}
        for stage in reversed(range(len(tableau.b))):
            later = [tableau.a[other][stage] for other in pulls]
            pulls[stage] = dynamics.backward(
                tapes.pop(), combined(h * tableau.b[stage] * pull, h, later, [*pulls.values()])
            )
        pull = combined(pull, 1.0, [1.0] * len(pulls), [*pulls.values()])
    return value, dynamics.gradient.clone()


def adjoint(
    tableau: Tableau, dynamics: Dynamics, start: Tensor, times: Sequence[float], loss: EndLoss
) -> tuple[Tensor, Tensor]:
    """The same by the adjoint method, with the same solver on the way back."""
    end = start
    for state in runge_kutta(tableau, dynamics.slope, start, times):
        end = state.x
    value, pull = _pulled(loss, end)
    size = start.numel()

    def backwards(packed: Tensor, t: float) -> Tensor:
        slope, tape = dynamics.forward(packed[:size].view_as(start), t)
        dynamics.gradient.zero_()
        by_state = dynamics.backward(tape, packed[size : 2 * size].view_as(start))
        return torch.cat([slope.flatten(), -by_state.flatten(), -dynamics.gradient])

    packed = torch.cat([end.flatten(), pull.flatten(), torch.zeros_like(dynamics.gradient)])
    for state in runge_kutta(tableau, backwards, packed, list(reversed(times))):
        packed = state.x
    return value, packed[2 * size :]


def _pulled(loss: EndLoss, end: Tensor) -> tuple[Tensor, Tensor]:
    """The loss of the last state, and ∂L/∂s there."""
    leaf = end.detach().requires_grad_()
    value = loss(leaf)
    return value.detach(), torch.autograd.grad(value, leaf)[0]


@dataclass
class Kept:
    """What is kept for the way back: bytes now, and the most at any time."""

    now: int = 0
    most: int = 0
    _held: dict[int, int] = field(default_factory=dict)

    def hold(self, tensor: Tensor) -> _Held:
        """Counts a tensor that is kept, once however often its memory is referred to."""
        memory = tensor.untyped_storage()
        key, size = memory.data_ptr(), memory.nbytes()
        self._held[key] = self._held.get(key, 0) + 1
        if self._held[key] == 1:
            self.now += size
            self.most = max(self.most, self.now)
        return _Held(self, tensor, key, size)

    def release(self, key: int, size: int) -> None:
        """Counts that it is no longer kept."""
        self._held[key] -= 1
        if not self._held[key]:
            del self._held[key]
            self.now -= size


class _Held:
    def __init__(self, kept: Kept, tensor: Tensor, key: int, size: int) -> None:
        self.tensor = tensor
        self._release: Any = lambda: kept.release(key, size)

    def __del__(self) -> None:
        self._release()


_COUNTING: ContextVar[Kept | None] = ContextVar("counting", default=None)


@contextmanager
def counting() -> Iterator[Kept]:
    """Counts what is kept inside the block, by automatic differentiation or by dynamics that say so by `keep`."""
    kept = Kept()
    token = _COUNTING.set(kept)
    try:
        with torch.autograd.graph.saved_tensors_hooks(kept.hold, lambda held: held.tensor):
            yield kept
    finally:
        _COUNTING.reset(token)


def keep(tensors: Sequence[Tensor]) -> list[_Held]:
    """Counts tensors that a tape keeps, for as long as it keeps what is returned; nothing where nobody counts."""
    kept = _COUNTING.get()
    return [kept.hold(tensor) for tensor in tensors] if kept else []
