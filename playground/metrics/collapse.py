"""Mode collapse over time: which mode is alive when, how far the modes' shares are from the true ones, and an alarm.

The page counts the same from the particles it shows (ui/web/compute/metrics/modes.js).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from playground.metrics.coverage import Coverage

ALIVE = 0.01
"""The share of a sample from which on a mode is alive: the strict rule of `coverage`."""
FEW = 0.5
"""The share of the modes, or of more than that which were alive before, from which down a generator has collapsed."""
GOOD = 0.5
"""The share of high-quality points from which on few modes are a collapse, and not the beginning of learning."""


def alive(shares: Sequence[float]) -> tuple[bool, ...]:
    """Which modes are alive by the strict rule, given the share (k) of the sample on each; see `Coverage.shares`."""
    return tuple(share > 0 and share >= ALIVE * (1 - 1e-12) for share in shares)


def mode_kl(shares: Sequence[float], weights: Sequence[float]) -> float | None:
    """KL(q ‖ p) in nats of the modes' shares q among the high-quality points from their true weights p, both (k).

    0 where every mode has its due, ln k where one of k equal modes has it all. None where no point is on a mode.
    """
    whole = sum(shares)
    if not whole:
        return None
    pairs = [(share / whole, weight) for share, weight in zip(shares, weights, strict=True) if share]
    return sum(share * math.log(share / weight) for share, weight in pairs)


@dataclass(frozen=True)
class Alarm:
    """A collapse: the step of the first look at it, and the modes alive then and at most before."""

    step: int
    alive: int
    before: int


def alarm(looks: Iterable[tuple[int, Coverage]]) -> Alarm | None:
    """The first collapse in looks (step, coverage) in order of training, or None.

    A generator has collapsed where, at two looks in a row, at most FEW of the modes are alive although GOOD of its
    points are of high quality, or where at most FEW of those still are that were alive before, if these were more than
    FEW of all. One that never had more has not learnt yet, or never will: that is no fall.
    """
    most, first = 0, None
    for step, found in looks:
        count = sum(alive(found.shares))
        few = found.high_quality >= GOOD and count <= FEW * found.modes_total
        fallen = most > FEW * found.modes_total and count <= FEW * most
        if found.modes_total < 2 or not (few or fallen):
            first = None
        elif first is not None:
            return first
        else:
            first = Alarm(step, count, most)
        most = max(most, count)
    return None
