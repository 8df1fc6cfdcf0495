"""Mode collapse over time: which mode is alive when, how far the modes' shares are from the true ones, and a verdict.

The page counts the same from the particles it shows (ui/web/compute/metrics/modes.js).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from playground.metrics.coverage import Coverage

ALIVE = 0.01
"""The share of a sample from which on a mode is alive: the strict rule of `coverage`."""
FEW = 0.5
"""The share of the modes that were held before from which down a generator has collapsed."""
GOOD = 0.5
"""The share of high-quality points from which on a sample holds modes; a smear along a ring of eight has .4."""


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


def held(found: Coverage) -> int:
    """How many modes a sample holds: those that are alive, where GOOD of its points are of high quality.

    A smear across modes has points on all of them and holds none.
    """
    return sum(alive(found.shares)) if found.high_quality >= GOOD else 0


@dataclass(frozen=True)
class Alarm:
    """A collapse: the step of the first look at it, the modes alive then, and the most that were held before."""

    step: int
    alive: int
    before: int


def alarm(looks: Iterable[tuple[int, Coverage]]) -> Alarm | None:
    """The first collapse in looks (step, coverage) in order of training, or None.

    A generator has collapsed where, at two looks in a row, at most FEW of the modes are alive that it held before, if
    these were more than FEW of all. One that never held more has not learnt yet, or never will: that is no fall.
    """
    most, first = 0, None
    for step, found in looks:
        count = sum(alive(found.shares))
        if found.modes_total < 2 or most <= FEW * found.modes_total or count > FEW * most:
            first = None
        elif first is not None:
            return first
        else:
            first = Alarm(step, count, most)
        most = max(most, held(found))
    return None


@dataclass(frozen=True)
class Course:
    """What a training came to, as far as it was looked at.

    kind: "fell", a collapse that lasts; "recovered", one after which more than FEW of what was held is held again;
        "smear", less than GOOD of the last points lie on modes; "few", it never held more than FEW of the modes;
        "some" or "all" of the modes are held at the last look.
    last, most: modes held at the last look, and at most at once.
    different: modes that were held at any time.
    """

    kind: Literal["fell", "recovered", "smear", "few", "some", "all"]
    last: int
    most: int
    different: int


def course(looks: Iterable[tuple[int, Coverage]]) -> Course | None:
    """What looks (step, coverage) in order of training come to; None without any, or where there is but one mode."""
    ordered = list(looks)
    if not ordered or ordered[-1][1].modes_total < 2:
        return None
    total, final = ordered[-1][1].modes_total, ordered[-1][1]
    counts = [held(found) for _, found in ordered]
    last, most = counts[-1], max(counts)
    good = [alive(found.shares) for (_, found), count in zip(ordered, counts, strict=True) if count]
    different = sum(any(column) for column in zip(*good, strict=True))
    if alarm(ordered):
        kind: Any = "recovered" if last > FEW * most else "fell"
    elif final.high_quality < GOOD:
        kind = "smear"
    elif most <= FEW * total:
        kind = "few"
    else:
        kind = "all" if last == total else "some"
    return Course(kind, last, most, different)
