"""The one training loop: any family's learners in, a stream of snapshots out."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from types import TracebackType
from typing import Self

import torch
from torch import Tensor

from playground.choice import InvalidExperiment, Problem
from playground.engine.history import Snapshot
from playground.engine.record import Round
from playground.engine.run import Run
from playground.experiment import MAX_STEPS, Experiment
from playground.models.base import Learner, Prepares, Resumes, Task, Weights

TIMED_STEPS = 50
"""Steps that are timed before a budget in seconds becomes a number of steps."""
UNTIMED_STEPS = 10
"""Warm-up steps excluded from timing: the first steps set up what later ones reuse."""
WARM_UP = 100
"""Steps over which the learning rate rises to its peak."""
EVEN_SNAPSHOTS = 46
"""Snapshots of a training that is not watched; with the first, as many as a history keeps without thinning."""


class Training(Iterator[Snapshot]):
    """A training under way: iterate it for snapshots, `close` it to stop, ask `run` for what it has learnt so far.

    clock: what time is measured by, the wall's unless given; by time.thread_time others' work costs nothing.
    every: seconds between snapshots, 0 for one after each step; None takes evenly spaced steps instead, so that the
        same seed gives the same history as well as the same final weights. It may be changed on the way.

    A round that has something to make before its first step shows its first snapshot again and again meanwhile, with
    the share that is done, unless every is 0 or None. A loss that is not finite ends the stream: `run.failure` then
    says so and the last good snapshot stays the run's.
    """

    def __init__(
        self, experiment: Experiment, every: float | None = 0.1, clock: Callable[[], float] | None = None
    ) -> None:
        self.run = Run(experiment, device=str(choose_device(experiment.training.device)))
        self.every = every
        self._clock = clock or time.perf_counter
        self._latest: Learner | None = None
        self._stream = self._rounds()

    @classmethod
    def resumed(cls, run: Run, every: float | None = 0.1, clock: Callable[[], float] | None = None) -> Self:
        """A training that goes on from the last weights of a finished run, such as a preset, once `extend` says so.

        What the optimiser knew is lost and begins anew. Raises ValueError where the family cannot go on like this.
        """
        training = cls(run.experiment, every, clock)
        learner = next(iter(run.experiment.model.rounds(training._task())))
        if not isinstance(learner, Resumes) or len(run.rounds) != 1 or not len(run.rounds[0].history):
            raise ValueError(f"{run.experiment.model.label()} cannot go on from weights alone; train it again.")
        learner.resume(run.rounds[0].last.weights)
        training.run, training._latest = run, learner
        training._stream.close()
        return training

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Snapshot:
        return next(self._stream)

    def close(self) -> None:
        """Ends training for good; what was learnt up to the last snapshot is kept in `run`."""
        self._stream.close()
        for record in self.run.rounds:
            if len(record.history):
                record.steps = record.last.step

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def finished(self) -> bool:
        """Whether the last step of the last round has been taken."""
        rounds, count = self.run.rounds, self.run.experiment.model.round_count
        return len(rounds) >= count and len(rounds[-1].history) > 0 and rounds[-1].last.step >= rounds[-1].steps

    @property
    def learner(self) -> Learner | None:
        """The learner of the round under way; None before the first."""
        return self._latest

    def extend(self, steps: int | None = None) -> None:
        """Lets a finished training go on for `steps` more, by default as many as the experiment says.

        The last round gets a new phase, whose learning rate restarts at a third of the peak. Raises ValueError where
        training has not finished or has failed.
        """
        record = self.run.rounds[-1] if self.run.rounds else None
        if record is None or self._latest is None or self.run.failure or not self.finished:
            raise ValueError("only a training that has finished can go on.")
        if not record.steps:
            raise ValueError("this model has nothing to learn, so that its training cannot go on.")
        first, phase = record.steps, record.last.phase + 1
        own = self.run.experiment.training.steps if self._latest.steps is None else self._latest.steps
        more = own if steps is None else steps
        if not 1 <= more <= MAX_STEPS - first:
            raise ValueError(f"{more:,} more steps are out of bounds; a training has at most {MAX_STEPS:,} in all.")
        record.steps = first + more
        self._stream = self._phase(len(self.run.rounds) - 1, record, self._latest, phase, first)

    def _rounds(self) -> Generator[Snapshot]:
        for index, learner in enumerate(self.run.experiment.model.rounds(self._task())):
            self._latest = learner
            record = Round(learner.name, steps=self._budget(learner))
            self.run.rounds.append(record)
            if isinstance(learner, Prepares):
                yield from self._prepared(index, record, learner)
            yield from self._phase(index, record, learner, phase=0, first=0)
            if self.run.failure:
                return

    def _task(self) -> Task:
        experiment = self.run.experiment
        return Task(
            source=experiment.source.at(experiment.dim),
            target=experiment.aim,
            dim=experiment.dim,
            network=experiment.network,
            optimisation=experiment.training,
            seed=experiment.training.seed,
            device=torch.device(self.run.device),
            encoder=experiment.encoder,
        )

    def _budget(self, learner: Learner) -> int:
        """The steps that a learner gets: its own number, such as 0 where nothing is learnt, or the experiment's."""
        settings = self.run.experiment.training
        if learner.steps is not None:
            return learner.steps
        return settings.steps if settings.seconds is None else MAX_STEPS

    def _prepared(self, index: int, record: Round, learner: Learner) -> Generator[Snapshot]:
        """Lets a learner make what it needs before its first step."""
        assert isinstance(learner, Prepares)
        shown = Snapshot(record.next_id(), index, 0, 0, record.seconds, (), learner.weights(), prepared=0.0)
        record.history.add(shown)
        yield shown
        clock, last_shown = Stopwatch(record.seconds, self._clock), record.seconds
        for share in learner.prepare():
            if self.every and clock.seconds - last_shown >= self.every:
                clock.pause()
                last_shown = clock.seconds
                yield replace(shown, seconds=last_shown, prepared=share)
                clock.resume()
        record.seconds = record.preparing = clock.seconds

    def _phase(self, index: int, record: Round, learner: Learner, phase: int, first: int) -> Generator[Snapshot]:
        """Drives a learner from step `first` to the end of its budget."""
        settings = self.run.experiment.training
        peak = 1.0 if phase == 0 else 1 / 3
        clock, last_shown = Stopwatch(record.seconds, self._clock), record.seconds
        pending: list[tuple[int, Tensor]] = []
        timed = first, clock.seconds  # since when the steps are timed
        for step in itertools.count(first):
            seen = len(record.history) > 0 and not pending
            due = learner.each or self._is_due(step, record.steps, clock.seconds - last_shown)
            if due and not seen:
                clock.pause()
                last_shown = record.seconds = clock.seconds
                losses = [(at, float(loss)) for at, loss in pending]
                weights = learner.weights()
                broken = _first_broken(losses, weights, step)
                if broken is not None:
                    self._fail(record, broken)
                    return
                pending.clear()
                record.losses.extend(losses)
                shown = record.next_id(), index, phase, step, clock.seconds, tuple(losses), weights
                snapshot = Snapshot(*shown, remark=learner.remark)
                record.history.add(snapshot)
                yield snapshot
                clock.resume()
            if step == record.steps:
                return
            rate = peak * decay(settings.decay, step - first, record.steps - first)
            pending.append((step, learner.step(rate)))
            if settings.seconds is None:
                continue
            taken = step + 1
            if taken == UNTIMED_STEPS or _should_reestimate_steps(settings.decay, taken, record.steps):
                now = clock.seconds
                if taken > UNTIMED_STEPS:
                    affordable = (settings.seconds - now + record.preparing) * (taken - timed[0]) / (now - timed[1])
                    record.steps = min(MAX_STEPS, max(2 * taken, taken + round(affordable)))
                    self._fix_budget(record.steps)
                timed = taken, now

    def _fix_budget(self, steps: int) -> None:
        """Writes the number of steps that a budget in seconds came to into the experiment, for an equal replay."""
        training = self.run.experiment.training.model_copy(update={"steps": steps, "seconds": None})
        self.run.experiment = self.run.experiment.model_copy(update={"training": training})

    def _is_due(self, step: int, steps: int, waited: float) -> bool:
        if step in (0, steps):
            return True
        if self.every is not None:
            return waited >= self.every
        return step % math.ceil(steps / EVEN_SNAPSHOTS) == 0

    def _fail(self, record: Round, step: int) -> None:
        record.steps = step
        self.run.failure = (
            f"The loss stopped being a finite number at step {step:,}. The last good state is kept; "
            "try a lower learning rate."
        )


def _first_broken(losses: list[tuple[int, float]], weights: Weights, step: int) -> int | None:
    """The first step at which a loss, or else a weight, is no longer finite."""
    for at, loss in losses:
        if not math.isfinite(loss):
            return at
    finite = all(bool(torch.isfinite(values).all()) for values in weights.values())
    return None if finite else step


class Stopwatch:
    """Adds up the time between resumes and pauses, so that whoever looks at a snapshot is not charged to training."""

    def __init__(self, spent: float = 0.0, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or time.perf_counter
        self._spent, self._since = spent, self._clock()
        self._running = True

    @property
    def seconds(self) -> float:
        """The time it has run."""
        return self._spent + (self._clock() - self._since if self._running else 0.0)

    def pause(self) -> None:
        """Stops counting."""
        self._spent, self._running = self.seconds, False

    def resume(self) -> None:
        """Counts on."""
        self._since, self._running = self._clock(), True


def train(experiment: Experiment, every: float | None = 0.1) -> Training:
    """Starts training; nothing is computed until the result is iterated."""
    return Training(experiment, every)


def run(experiment: Experiment) -> Run:
    """Trains to the end and returns the run."""
    with Training(experiment, every=None) as training:
        for _ in training:
            pass
    return training.run


def decay(kind: str, step: int, steps: int) -> float:
    """The factor on the learning rate at a step of a budget.

    Over the first TIMED_STEPS it does not depend on the budget, which may not be known before. The inverse square root
    and the line warm up over WARM_UP steps; the former falls to zero over the last quarter.
    """
    warm = min(1.0, (step + 1) / WARM_UP)
    if kind == "inverse_sqrt":
        return min(warm, 1 / math.sqrt(1 + step / WARM_UP)) * min(1.0, 4 * (1 - step / steps))
    progress = max(0, step - TIMED_STEPS) / max(1, steps - TIMED_STEPS)
    if kind == "cosine":
        return 0.5 * (1 + math.cos(math.pi * progress))
    return warm * (1 - progress) if kind == "linear" else 1.0


def _should_reestimate_steps(kind: str, taken: int, steps: int) -> bool:
    """Whether to estimate, or re-estimate, after `taken` steps how many a budget in seconds affords.

    Again each time their number has doubled, as long as no learning rate has depended on the total yet, so
    that a replay with the final number is the same.
    """
    if kind not in ("inverse_sqrt", "constant"):
        return taken == TIMED_STEPS
    doubled = taken // TIMED_STEPS
    return taken == TIMED_STEPS * doubled and doubled & (doubled - 1) == 0 and 0 < taken <= steps // 2


def choose_device(name: str) -> torch.device:
    """The device to train on. Raises InvalidExperiment where the one that was asked for is not there."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise _no_device("there is no CUDA device here; choose auto or cpu.")
    if name == "mps" and not torch.backends.mps.is_available():
        raise _no_device("there is no Apple GPU here; choose auto or cpu.")
    return torch.device(name)


def _no_device(sentence: str) -> InvalidExperiment:
    return InvalidExperiment([Problem(("training", "device"), sentence)])
