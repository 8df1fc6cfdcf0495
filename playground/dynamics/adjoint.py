"""Gradients through the solution of an ordinary differential equation: by backpropagation, or by the adjoint method.

Backpropagation keeps what every stage of every step needs on the way back. The adjoint method keeps the last state
alone, and solves a second equation backwards in time (Pontryagin; Chen et al. 2018, algorithm 1): with a = ∂L/∂s,
da/dt = −a ∂f/∂s and d(∂L/∂θ)/dt = −a ∂f/∂θ, while the state itself is solved backwards again. Its gradient is that of
the exact solution, so that the two differ by the solver's error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from playground.dynamics.runge_kutta import Tableau, runge_kutta

Dynamics = Callable[[Tensor, Tensor, float], Tensor]
"""Weights (m,), state (n, k) and time → ds/dt (n, k), differentiable."""
EndLoss = Callable[[Tensor], Tensor]
"""The last state (n, k) → a scalar loss, differentiable."""


def backpropagated(
    tableau: Tableau, dynamics: Dynamics, weights: Tensor, start: Tensor, times: Sequence[float], loss: EndLoss
) -> tuple[Tensor, Tensor]:
    """The loss of the state that `start` (n, k) is carried to along the times, and its gradient (m,)."""
    leaf = weights.detach().requires_grad_()
    (*_, last) = runge_kutta(tableau, lambda state, t: dynamics(leaf, state, t), start, times)
    value = loss(last.x)
    return value.detach(), torch.autograd.grad(value, leaf)[0]


def adjoint(
    tableau: Tableau, dynamics: Dynamics, weights: Tensor, start: Tensor, times: Sequence[float], loss: EndLoss
) -> tuple[Tensor, Tensor]:
    """The same by the adjoint method, with the same solver on the way back."""
    with torch.no_grad():
        end = start
        for state in runge_kutta(tableau, lambda state, t: dynamics(weights, state, t), start, times):
            end = state.x
    leaf = end.detach().requires_grad_()
    value = loss(leaf)
    (pull,) = torch.autograd.grad(value, leaf)
    size = start.numel()

    def backwards(packed: Tensor, t: float) -> Tensor:
        at = packed[:size].view_as(start).requires_grad_()
        theta = weights.detach().requires_grad_()
        with torch.enable_grad():
            slope = dynamics(theta, at, t)
            by_state, by_weights = torch.autograd.grad(slope, (at, theta), packed[size : 2 * size].view_as(start))
        return torch.cat([slope.detach().flatten(), -by_state.flatten(), -by_weights])

    packed = torch.cat([end.flatten(), pull.flatten(), torch.zeros_like(weights)])
    with torch.no_grad():
        for state in runge_kutta(tableau, backwards, packed, list(reversed(times))):
            packed = state.x
    return value.detach(), packed[2 * size :]


@dataclass
class Kept:
    """What automatic differentiation keeps for the way back: bytes now, and the most at any time."""

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


@contextmanager
def counting() -> Iterator[Kept]:
    """Counts what automatic differentiation keeps inside the block."""
    kept = Kept()
    with torch.autograd.graph.saved_tensors_hooks(kept.hold, lambda held: held.tensor):
        yield kept
