"""Solutions in which every particle takes steps of its own length: for numbers that have to be right, not pictures.

The pair of Dormand and Prince (1980) and the standard controller (Hairer, Nørsett and Wanner 1993, section II.4), one
for each particle: those that cross a sharp edge of the field take small steps there and do not hold up the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from playground.dynamics.adaptive import GROW, SAFETY, SHRINK, Dopri5

Slope = Callable[[Tensor, Tensor], Tensor]
"""States (m, k) and the time of each (m, 1) → their derivatives (m, k)."""

SMALLEST = 1e-6
"""A step of this share of the interval is taken whatever its error: it stands at a jump, as a kink of ReLU is one of
the divergence, where the error falls only with the step itself."""
ATTEMPTS = 2000
"""Steps after which a particle is given up, rejected ones included."""


@dataclass(frozen=True)
class Separate:
    """Where the particles have come to.

    state: (n, k); not a number where a particle was given up. evaluations: of the slope, the mean over particles.
    """

    state: Tensor
    evaluations: float

    @property
    def unsolved(self) -> Tensor:
        """(n,) which particles were given up."""
        return ~self.state.isfinite().all(1)


def solve_separately(
    slope: Slope, state: Tensor, begin: float, end: float, tolerance: float, scale: Sequence[float] | None = None
) -> Separate:
    """Carries states (n, k) from one time to the other, forwards or backwards.

    Each step keeps the error of every component below tolerance · scale · (1 + |component|). Particles whose slope is
    not finite where they begin, or that need more than ATTEMPTS steps, are given up.
    """
    tableau, (n, k) = Dopri5.tableau, state.shape
    allowed = tolerance * state.new_tensor([1.0] * k if scale is None else list(scale))
    span = end - begin
    found = torch.full_like(state, torch.nan)
    rows = torch.arange(n)
    x, s = state, state.new_zeros(n, 1)  # s runs from 0 to 1, whatever the times
    h, evaluations = state.new_full((n, 1), 1e-3), n

    def field(x: Tensor, s: Tensor) -> Tensor:
        return span * slope(x, begin + span * s)

    first = field(x, s)
    for _ in range(ATTEMPTS):
        h = torch.minimum(h, 1 - s)
        slopes = [first]
        for row, c in zip(tableau.a[1:], tableau.c[1:], strict=True):
            reached = x + h * sum(a * one for a, one in zip(row, slopes, strict=True) if a)
            slopes.append(field(reached, s + c * h))
        evaluations += 6 * len(x)
        missed = h * sum(weight * one for weight, one in zip(tableau.error, slopes, strict=True) if weight)
        size = torch.maximum(x.abs(), reached.abs())
        error = (missed.abs() / (allowed * (1 + size))).amax(1, keepdim=True)
        finite = error.isfinite()
        factor = torch.where(finite, SAFETY * error.clamp_min(1e-10) ** (-1 / Dopri5.order), SHRINK).clamp(SHRINK, GROW)
        taken = ((error <= 1) | (h <= SMALLEST)) & finite
        done = taken & (s + h >= 1)
        found[rows[done[:, 0]]] = reached[done[:, 0]]
        x = torch.where(taken, reached, x)
        first = torch.where(taken, slopes[-1], first)
        s = torch.where(taken, s + h, s)
        h = (h * factor).clamp_min(SMALLEST)
        live = ~done[:, 0] & (finite[:, 0] | (h[:, 0] > SMALLEST))
        if not live.any():
            break
        if not live.all():
            x, s, h, first, rows = x[live], s[live], h[live], first[live], rows[live]
    return Separate(found, evaluations / max(n, 1))
