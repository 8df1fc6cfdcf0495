"""Several trainings side by side on one clock: interleaved in one thread, each charged its own processor time."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from playground.engine.history import Snapshot
from playground.engine.run import Run
from playground.engine.training import Training
from playground.experiment import MAX_STEPS, Experiment

Budget = Literal["seconds", "steps"]
"""What all get the same of: computing time, or gradient steps."""


@dataclass
class Entrant:
    """One of the trainings: `charged` is the processor time of this thread that it has had, in seconds."""

    key: str
    experiment: Experiment
    training: Training = field(init=False)
    charged: float = 0.0
    done: bool = False

    def __post_init__(self) -> None:
        self.training = Training(self.experiment, clock=time.thread_time)

    @classmethod
    def resumed(cls, key: str, run: Run) -> Entrant:
        """One that goes on from a finished run's weights, for as many steps again.

        Raises ValueError where its family cannot.
        """
        found = cls(key, run.experiment)
        found.training = Training.resumed(run, clock=time.thread_time)
        found.go_on()
        return found

    def go_on(self) -> None:
        """Lets a finished training go on for as many steps again. Raises ValueError where it cannot."""
        self.training.extend()
        self.done = False

    def advance(self) -> Snapshot | None:
        """Trains on to its next snapshot and returns it; None where it has ended."""
        begun = time.thread_time()
        taken = next(self.training, None)
        self.charged += time.thread_time() - begun
        self.done = taken is None or self.training.finished
        return taken


class Contest:
    """Trains experiments by turns until each has had its budget; iterate it for (entrant, snapshot).

    By seconds, each experiment's schedule is laid out over that time on this machine, and whoever has been charged
    least goes on. By steps, each takes the same number, shown at the same ones, whatever they cost. every: seconds of
    training between two snapshots of one entrant, by seconds alone.
    """

    def __init__(
        self, experiments: Sequence[tuple[str, Experiment]], budget: Budget, amount: float, every: float = 0.1
    ) -> None:
        self.budget, self.amount, self.of_presets = budget, amount, False
        self.entrants = [Entrant(key, within(experiment, budget, amount)) for key, experiment in experiments]
        for entrant in self.entrants:
            entrant.training.every = every if budget == "seconds" else None

    @classmethod
    def of_runs(cls) -> Contest:
        """One of runs that were trained before and go on a step at a time, without any yet."""
        contest = cls([], "steps", 1)
        contest.of_presets = True
        return contest

    def __iter__(self) -> Iterator[tuple[Entrant, Snapshot]]:
        while waiting := [entrant for entrant in self.entrants if not entrant.done]:
            entrant = min(waiting, key=self._had)
            taken = entrant.advance()
            if taken is not None:
                yield entrant, taken

    def _had(self, entrant: Entrant) -> float:
        if self.budget == "seconds":
            return entrant.charged
        rounds = entrant.training.run.rounds
        begun = bool(rounds and len(rounds[-1].history))
        return rounds[-1].last.step / max(1, rounds[-1].steps) if begun else -1.0

    def find(self, key: str) -> Entrant | None:
        """The entrant of this key, if there is one."""
        return next((entrant for entrant in self.entrants if entrant.key == key), None)

    @property
    def finished(self) -> bool:
        """Whether all have had their budget or have failed."""
        return all(entrant.done for entrant in self.entrants)


def within(experiment: Experiment, budget: Budget, amount: float) -> Experiment:
    """The same experiment trained for that many seconds, or steps."""
    steps = min(MAX_STEPS, max(1, round(amount)))
    changed = {"seconds": amount} if budget == "seconds" else {"seconds": None, "steps": steps}
    training = experiment.training.model_copy(update=changed)
    return experiment.model_copy(update={"training": training})
