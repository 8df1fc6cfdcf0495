"""Guidance: a field that is led on from a second one, in an interval of times, and what that costs in evaluations.

Both kinds are v = u + w (v_c − u): the second field u is that without the condition (classifier-free guidance, Ho and
Salimans 2022) or that of an earlier snapshot of the same training (autoguidance, Karras et al. 2024).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor

from playground.dynamics.process import Process
from playground.dynamics.runge_kutta import Velocity


@dataclass(frozen=True)
class Guiding:
    """w of classifier-free guidance and of autoguidance, and the times between which they are in force.

    1 is no guidance. Beyond the interval a conditional field is that of its condition (Kynkäänniemi et al. 2024).
    """

    condition: float = 1.0
    early: float = 1.0
    between: tuple[float, float] = (0.0, 1.0)

    def inside(self, t: float) -> bool:
        """Whether guidance is in force at time t."""
        return self.between[0] <= t <= self.between[1]

    def condition_at(self, t: float) -> float:
        """The w by which a condition guides at time t."""
        return self.condition if self.inside(t) else 1.0

    def early_at(self, t: float) -> float:
        """The w by which an earlier snapshot guides at time t."""
        return self.early if self.inside(t) else 1.0

    def evaluations(self, t: float) -> int:
        """How many evaluations of a network the field of a condition takes at time t."""
        own = 1 if self.condition_at(t) in (0, 1) else 2
        return own * (1 if self.early_at(t) == 1 else 2)


UNGUIDED = Guiding()


def led(w: float, value: Tensor, early: Callable[[], Tensor]) -> Tensor:
    """The value that w leads on to from u, u + w (value − u), with u from `early`, which is not asked where w is 1."""
    if w == 1:
        return value
    other = early()
    return other + w * (value - other)


class Meter:
    """Counts the evaluations of networks that a sampler has caused."""

    def __init__(self) -> None:
        self.spent = 0

    def of(self, process: Process, cost: Callable[[float], int]) -> Process:
        """The same process, whose every call counts as what it costs at its time."""
        score = None if process.score is None else self._counted(process.score, cost)
        return replace(process, velocity=self._counted(process.velocity, cost), score=score)

    def _counted(self, field: Velocity, cost: Callable[[float], int]) -> Velocity:
        def counted(x: Tensor, t: float) -> Tensor:
            self.spent += cost(t)
            return field(x, t)

        return counted
