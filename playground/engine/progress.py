"""How long a training will still take, from how fast it has been."""

from __future__ import annotations

from collections import deque

from playground.engine.history import Snapshot
from playground.engine.run import Run
from playground.experiment import MAX_STEPS

WINDOW = 5.0
"""Seconds that the rate is the mean over: long enough to even out a busy machine, short enough to follow it."""
SOONEST = 0.2
"""Seconds before which nothing is said."""


class Progress:
    """Watches the snapshots of one training and tells the seconds left, by the clock that they are heard at."""

    def __init__(self) -> None:
        self._heard: deque[tuple[float, int]] = deque()
        self._at = (-1, -1)

    def hear(self, now: float, taken: Snapshot) -> None:
        """A snapshot has come at `now` seconds. What a round makes before its first step is no part of its rate."""
        if (taken.round, taken.phase) != self._at or taken.prepared < 1:
            self._heard.clear()
            self._at = taken.round, taken.phase
        self._heard.append((now, taken.step))
        while len(self._heard) > 2 and now - self._heard[1][0] >= WINDOW:
            self._heard.popleft()

    @property
    def rate(self) -> float | None:
        """Steps a second, whatever happens between them included; None while that would be a guess."""
        if len(self._heard) < 2:
            return None
        (since, first), (now, last) = self._heard[0], self._heard[-1]
        return (last - first) / (now - since) if last > first and now - since >= SOONEST else None

    def left(self, run: Run) -> float | None:
        """Seconds until all rounds have had their steps, as if those to come were as fast; None where not known."""
        rate, (index, _) = self.rate, self._at
        if rate is None or not self._heard:
            return None
        steps = run.rounds[index].steps
        if steps >= MAX_STEPS and run.experiment.training.seconds is not None:
            return None  # a budget in seconds, before the first steps have been timed
        more = max(0, run.experiment.model.round_count - index - 1) * run.experiment.training.steps
        return (steps - self._heard[-1][1] + more) / rate
