"""Trajectory: the one thing that every model can show."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Trajectory:
    """Particles at the successive states of a sampler, always in data space.

    t: (T,) the position of each state on the axis, ascending; for flows 0 is the source and 1 the target.
    x: (T, n, d) the particles at each state.
    nfe: network evaluations that one particle cost from first state to last.
    axis: what t counts: "time", "layer", "Langevin step", "coordinate".
    latent: (n, k) where the family begins in a space of its own, else None.
    rejected: where an adaptive solver tried steps and threw them away: (begin, end) of each, in order. The accepted
        ones lead from each t to the next.
    acceptance: of chains whose moves may be rejected, the share that was accepted, else None.
    """

    t: Tensor
    x: Tensor
    nfe: int
    axis: str = "time"
    latent: Tensor | None = None
    rejected: tuple[tuple[float, float], ...] = ()
    acceptance: float | None = None

    @property
    def start(self) -> Tensor:
        """(n, d) the first state."""
        return self.x[0]

    @property
    def end(self) -> Tensor:
        """(n, d) the samples: the last state."""
        return self.x[-1]
