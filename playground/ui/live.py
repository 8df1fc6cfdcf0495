"""Training on the page: what its buttons do, each a generator of updates for the stage."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from playground.choice import InvalidExperiment, Problem
from playground.engine.history import Snapshot
from playground.engine.progress import Progress
from playground.engine.run import Run
from playground.engine.training import Training
from playground.experiment import Experiment
from playground.ui import messages
from playground.ui.costs import seconds_between, weights_of
from playground.ui.events import Updates, performed, session_of, told
from playground.ui.session import Session, Sessions

UPDATES_A_SECOND = 10
TRAINING_SHARE = 2
"""Training goes on for at least so many times as long as an update took to make."""
LONGEST = 1.0
"""But no longer (s), so that a stop is soon seen."""
MAX_NETWORK = 300_000
"""The most weights that a training on the page may have: more would take seconds to send once."""

AT_ITS_END = "This run has taken its last step: Continue trains it further, Reset begins anew."

Verb = Callable[[Session, Experiment, int], Updates]


@dataclass(frozen=True)
class Live:
    """The verbs of the page; each takes what the form says: {"page": key, "turn": count, "experiment": {...}}."""

    sessions: Sessions

    def train(self, given: str) -> Updates:
        """Trains from the beginning, until the end, a stop or a closed page."""
        yield from self._perform(given, _train)

    def resume(self, given: str) -> Updates:
        """Goes on where training was stopped; from its end, trains on as a further phase."""
        yield from self._perform(given, _resume)

    def step(self, given: str) -> Updates:
        """One gradient step, from the beginning where nothing has begun."""
        yield from self._perform(given, _step)

    def reset(self, given: str) -> Updates:
        """Back to the first snapshot: the initialisation that the seed fixes."""
        yield from self._perform(given, _reset)

    def preview(self, given: str) -> Updates:
        """The source and target on the stage before any training; the run so far is set aside."""
        yield from self._perform(given, _preview)

    def stop(self, given: str) -> None:
        """Asks the training under way to end; it shows its last state."""
        try:
            session_of(self.sessions, json.loads(given)).stop.set()
        except ValueError:
            return

    def _perform(self, given: str, verb: Verb) -> Updates:
        def act(session: Session, asked: dict[str, Any]) -> Updates:
            turn = asked.get("turn", 0)
            return verb(session, _checked(asked.get("experiment")), turn if isinstance(turn, int) else 0)

        return performed(self.sessions, given, act, _ended)


def _train(session: Session, experiment: Experiment, said: int) -> Updates:
    training = _begin(session, experiment, said)
    yield from _stream(session, training)


def _reset(session: Session, experiment: Experiment, said: int) -> Updates:
    training = _begin(session, experiment, said)
    with session.turn:
        yield _first(session, training, next(training), done=True)


def _resume(session: Session, experiment: Experiment, said: int) -> Updates:
    training = session.training
    if training is None:
        yield from _train(session, experiment, said)
        return
    if _finished(training):
        try:
            training.extend()
        except ValueError as error:
            raise InvalidExperiment([Problem((), str(error))]) from None
    yield from _stream(session, training)


def _step(session: Session, experiment: Experiment, said: int) -> Updates:
    if session.training is None:
        yield from _reset(session, experiment, said)
    training = session.training
    if training is not None and _finished(training):
        raise InvalidExperiment([Problem((), AT_ITS_END)])
    if training is None or not session.turn.acquire(blocking=False):
        return
    try:
        training.every = 0
        taken = next(training, None)
        failure = training.run.failure or ""
        yield _ended(session, failure) if taken is None else _shown(session, training, taken, done=True)
    finally:
        session.turn.release()


def _preview(session: Session, experiment: Experiment, said: int) -> Updates:
    if session.training is not None and said <= session.said:
        return
    if not experiment.model.learns:  # there is nothing to wait for
        yield from _train(session, experiment, said)
        return
    session.set_aside()
    yield gr.HTML(scene=messages.scene(session.next_name(), Run(experiment)), problems="[]")


def _begin(session: Session, experiment: Experiment, said: int) -> Training:
    session.set_aside()
    session.said = said
    session.training = training = Training(experiment)
    session.name = session.next_name()
    return training


def _stream(session: Session, training: Training) -> Updates:
    """The stage's updates while this training takes steps, until its end or a stop."""
    with session.turn:  # whoever had it has been asked to stop
        if session.training is not training:
            return
        session.stop.clear()
        training.every = usual = seconds_between([training.run.experiment], 1 / UPDATES_A_SECOND)
        progress = Progress()
        for taken in training:
            now = time.perf_counter()
            progress.hear(now, taken)
            done = session.stop.is_set() or _finished(training)
            show = _first if taken.step == 0 and taken.round == 0 else _shown
            update = show(session, training, taken, rate=progress.rate, left=progress.left(training.run), done=done)
            # Where every update takes a chain of its own to sample, training still gets most of the time.
            training.every = max(usual, min(LONGEST, TRAINING_SHARE * (time.perf_counter() - now)))
            yield update
            if done:
                return
        if training.run.failure:
            yield _ended(session, training.run.failure)


def _first(session: Session, training: Training, taken: Snapshot, **about: Any) -> Any:
    scene = messages.scene(session.name, training.run)
    return gr.HTML(scene=scene, problems="[]", value=_message(session, training, taken, **about))


def _shown(session: Session, training: Training, taken: Snapshot, **about: Any) -> Any:
    return gr.HTML(value=_message(session, training, taken, **about))


def _message(
    session: Session,
    training: Training,
    taken: Snapshot,
    *,
    rate: float | None = None,
    left: float | None = None,
    done: bool = False,
) -> str:
    return messages.snapshot(session.name, training.run, taken, rate=rate, left=left, done=done)


def _ended(session: Session | None, sentence: str) -> Any:
    """A training that could not go on: why, and the last good snapshot once more, as its end."""
    problems = told([Problem((), sentence)])
    training = session.training if session else None
    rounds = [record for record in training.run.rounds if len(record.history)] if training else []
    if session is None or training is None or not rounds:
        return gr.HTML(problems=problems)
    return gr.HTML(problems=problems, value=_message(session, training, rounds[-1].last, done=True))


def _finished(training: Training) -> bool:
    return training.finished


def _checked(given: Any) -> Experiment:
    """The form's experiment, within what a shared page allows. Raises InvalidExperiment."""
    experiment = Experiment.parse(given)
    weights = weights_of(experiment)
    if weights > MAX_NETWORK:
        sentence = (
            f"{weights:,} weights are too many for the page; stay below {MAX_NETWORK:,}, with less width or depth."
        )
        raise InvalidExperiment([Problem(("network", "width"), sentence)])
    return experiment
