"""Adaptive Runge–Kutta methods: pairs of methods that share their stages and choose the step by their difference.

All particles share one step size, so that a picture has one axis of time. The error of a step is the root mean square
over particles and axes of |error| / (atol + rtol |x|), and the step size follows the standard controller (Hairer,
Nørsett and Wanner 1993, section II.4). A step whose error is above 1 is rejected and tried again, shorter; its
evaluations count.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from playground.dynamics.noise import Noise
from playground.dynamics.runge_kutta import Interval, Solver, State, Tableau, Velocity, combined

SAFETY = 0.9
"""The next step aims at an error this much (to the power of the order) below what is allowed."""
SHRINK, GROW = 0.2, 5.0
"""A step is at least and at most so many times the one before."""
SMALLEST = 1e-6
"""The shortest step, as a share of the interval: float32 hardly tells its two ends apart."""
MAX_EVALUATIONS = 4000
"""As many as a thousand steps of RK4, the dearest of the solvers with fixed steps."""


class Unsolved(ValueError):
    """An adaptive solver that cannot keep to its tolerance; the sentence says what to change."""


class Adaptive(Solver):
    """An embedded pair that keeps its estimated error below a tolerance, forwards or backwards in time.

    Raises Unsolved where it cannot.

    In all pairs here the last stage is the field at the end of the step, which begins the next one ("first same as
    last"): an accepted step costs one evaluation less than it has stages, and so does a rejected one.
    """

    adaptive: ClassVar[bool] = True
    tableau: ClassVar[Tableau]
    order: ClassVar[int]

    rtol: float = Field(
        1e-5,
        ge=1e-7,
        le=0.1,
        title="Relative tolerance",
        description="Allowed error of each step as a share of the particles' coordinates.",
        json_schema_extra={"scale": "log", "hidden": True},  # the stage sets it
    )
    atol: float = Field(
        1e-5,
        ge=1e-7,
        le=0.1,
        title="Absolute tolerance",
        description="Allowed error of each step in data units, which counts where coordinates are near zero.",
        json_schema_extra={"scale": "log", "hidden": True},  # the stage sets it
    )

    def states(self, field: Velocity, x: Tensor, times: Sequence[float], noise: Noise | None = None) -> Iterator[State]:
        t, stop = times[0], times[-1]
        if stop < t:
            for state in self.states(lambda x, t: -field(x, -t), x, (-t, -stop), noise):
                yield State(-state.t, state.x, state.nfe, tuple((-begin, -end) for begin, end in state.rejected))
            return
        smallest = SMALLEST * (stop - t)
        yield State(t, x, nfe=0)
        slope = field(x, t)
        if not slope.isfinite().all():
            raise Unsolved(f"{self.label()} cannot begin: the field is not finite at t = {abs(t):.4g}.")
        h = max(smallest, self._first_step(field, x, t, stop, slope))
        nfe = 2
        rejected: list[Interval] = []
        while t < stop:
            if nfe + len(self.tableau.b) - 1 > MAX_EVALUATIONS:
                raise Unsolved(self._sentence(t, f"{MAX_EVALUATIONS:,} evaluations do not suffice"))
            after = stop if t + 1.01 * h >= stop else t + h  # rather than leave a tiny last step
            h = after - t
            slopes = self.tableau.slopes(field, x, t, h, slope)
            nfe += len(slopes) - 1
            reached = combined(x, h, self.tableau.b, slopes)
            error = self._norm(combined(torch.zeros_like(x), h, self.tableau.error, slopes), x, reached)
            scale = SAFETY * max(error, 1e-10) ** (-1 / self.order) if math.isfinite(error) else SHRINK
            if error <= 1:
                t, x, slope = after, reached, slopes[-1]
                yield State(t, x, nfe, tuple(rejected))
                h *= min(1.0 if rejected else GROW, max(SHRINK, scale))  # growing at once would fail at once
                rejected.clear()
            else:
                rejected.append((t, after))
                h *= max(SHRINK, scale)
                if h < smallest:
                    raise Unsolved(self._sentence(t, f"even a step of {h:.0e} misses the tolerance"))

    def _norm(self, values: Tensor, *states: Tensor) -> float:
        """The root mean square of values (n, d) in units of the tolerance at the states (eq. II.4.11)."""
        size = torch.stack([state.abs() for state in states]).amax(0)
        return float((values / (self.atol + self.rtol * size)).square().mean().sqrt())

    def _first_step(self, field: Velocity, x: Tensor, t: float, stop: float, slope: Tensor) -> float:
        """A first step from two slopes, at the price of one evaluation (Hairer, Nørsett and Wanner 1993, p. 169)."""
        position, speed = self._norm(x, x), self._norm(slope, x)
        tried = min(0.01 * position / speed if min(position, speed) > 1e-5 else 1e-6, stop - t)
        change = self._norm(field(x + tried * slope, t + tried) - slope, x) / tried
        largest = max(speed, change)
        by_change = (0.01 / largest) ** (1 / self.order) if largest > 1e-15 else max(1e-6, 1e-3 * tried)
        return min(100 * tried, by_change, stop - t)

    def _sentence(self, t: float, what: str) -> str:
        return (
            f"{self.label()} stops at t = {abs(t):.4g}, where {what}: the field is too stiff or kinked for it. "
            "Raise the tolerances, train with a smooth activation such as silu, or choose a solver with fixed steps."
        )


class Dopri5(Adaptive):
    """Fifth order with a fourth-order error estimate, six evaluations a step: by Dormand and Prince (1980)."""

    title: ClassVar[str] = "Dormand–Prince 5(4)"
    kind: Literal["dopri5"] = "dopri5"
    order: ClassVar[int] = 5
    tableau: ClassVar[Tableau] = Tableau(
        a=(
            (),
            (1 / 5,),
            (3 / 40, 9 / 40),
            (44 / 45, -56 / 15, 32 / 9),
            (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
            (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
            (35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
        ),
        b=(35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, 0),
        c=(0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1),
        error=(71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40),
    )


class BogackiShampine(Adaptive):
    """Third order with a second-order error estimate, three evaluations a step: by Bogacki and Shampine (1989)."""

    title: ClassVar[str] = "Bogacki–Shampine 3(2)"
    kind: Literal["bogacki_shampine"] = "bogacki_shampine"
    order: ClassVar[int] = 3
    tableau: ClassVar[Tableau] = Tableau(
        a=((), (1 / 2,), (0, 3 / 4), (2 / 9, 1 / 3, 4 / 9)),
        b=(2 / 9, 1 / 3, 4 / 9, 0),
        c=(0, 1 / 2, 3 / 4, 1),
        error=(-5 / 72, 1 / 12, 1 / 9, -1 / 8),
    )
