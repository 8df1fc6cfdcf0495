"""Several trainings on one page: what the buttons of a tab with many stages do, each a generator of its updates.

A request is {"page": key, "entrants": [{"key", "title", "experiment"}, ...], "budget": "seconds" | "steps", "amount",
...}; an update is a flat JSON string:

    scene   {"contest", "panels": [{"key", "title", "scene"}, ...]}    once, at the beginning
    value   {"contest", "shots": [{"key", "charged", "shot"}, ...]}    snapshots, as ui.messages has them
            (with "of_presets": true they go on from the presets that the page shows, after their last snapshots)
            {"contest", "seeds": {"share", "rows": [...], ...}}        of many seeds: what is finished so far
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from playground.choice import InvalidExperiment, Problem
from playground.engine.contest import Budget, Contest, Entrant
from playground.engine.history import Snapshot
from playground.engine.run import Run
from playground.experiment import Experiment
from playground.models.base import HasTurn
from playground.ui import messages, seeds
from playground.ui.costs import seconds_between
from playground.ui.entrants import amount_of, budget_of, entrants_of, titles_of, trained_before
from playground.ui.events import Updates, performed, told
from playground.ui.session import Session, Sessions

YIELD_EVERY = 0.1
"""Seconds after which a page is told of what happened, at the latest, so that a stop takes effect."""
MOST_REPEATS = 50

Verb = Callable[[Session, dict[str, Any]], Updates]


@dataclass(frozen=True)
class Contests:
    """The verbs of a tab on which several models train on one clock."""

    sessions: Sessions

    @property
    def verbs(self) -> dict[str, Callable[[str], Updates]]:
        """All of them, by the names of their events."""
        return {"train": self.train, "resume": self.resume, "step": self.step, "seeds": self.seeds}

    def train(self, given: str) -> Updates:
        """Trains all from the beginning, until each has had its budget, a stop or a closed page."""
        yield from self._perform(given, _train)

    def resume(self, given: str) -> Updates:
        """Goes on where the training was stopped."""
        yield from self._perform(given, _resume)

    def step(self, given: str) -> Updates:
        """{"repeat"} steps of one entrant, {"key"}, of whoever has the {"turn"}: "both", "critic" or "generator"."""
        yield from self._perform(given, _step)

    def seeds(self, given: str) -> Updates:
        """Trains every entrant anew from {"count"} seeds and counts the modes that each reaches."""
        yield from self._perform(given, seeds.run)

    def _perform(self, given: str, verb: Verb) -> Updates:
        return performed(self.sessions, given, verb)


def _train(session: Session, asked: dict[str, Any]) -> Updates:
    entrants, budget, amount = entrants_of(asked), budget_of(asked), amount_of(asked)
    session.stop.set()
    contest = _begin(session, entrants, budget, amount)
    yield gr.HTML(scene="", problems="[]")
    yield from _stream(session, contest, titles_of(asked))


def _resume(session: Session, asked: dict[str, Any]) -> Updates:
    if session.contest is None or session.contest.of_presets:
        yield from _train(session, asked)
    elif session.contest.finished:
        raise InvalidExperiment([Problem((), "all have had their budget; train again, or give them a larger one.")])
    else:
        for entrant in session.contest.entrants:
            _give_turn(entrant, "both")
            entrant.training.every = _interval(session.contest) if session.contest.budget == "seconds" else None
        yield from _stream(session, session.contest, None)


def _step(session: Session, asked: dict[str, Any]) -> Updates:
    """A step of what the page shows: of the contest, of a preset from its weights on, or the first of a new contest."""
    key, turn = str(asked.get("key")), asked.get("turn", "both")
    if turn not in ("both", "critic", "generator"):
        return
    shown = trained_before(asked, key)
    if shown is not None:
        if session.contest is None or not session.contest.of_presets:
            session.contest, session.name = Contest.of_runs(), session.next_name()
        if session.contest.find(key) is None:
            session.contest.entrants.append(_resumed(key, shown))
    elif session.contest is None or session.contest.of_presets:
        contest = _begin(session, entrants_of(asked), budget_of(asked), amount_of(asked))
        with session.turn:
            shots = [(entrant, entrant.advance()) for entrant in contest.entrants]
            yield gr.HTML(
                scene=_scene(session, contest, titles_of(asked)),
                problems="[]",
                value=_shots(session, [(one, taken) for one, taken in shots if taken is not None]),
            )
    assert session.contest is not None, "begun above"
    entrant = session.contest.find(key)
    if entrant is None or not session.turn.acquire(blocking=False):
        return
    try:
        if entrant.done:
            _go_on(entrant)
        _give_turn(entrant, turn)
        entrant.training.every = 0
        repeat = asked.get("repeat", 1)
        taken = None
        for _ in range(min(MOST_REPEATS, repeat) if isinstance(repeat, int) else 1):
            taken = entrant.advance() or taken
        if taken is not None:
            yield gr.HTML(value=_shots(session, [(entrant, taken)], stopped=True))
    finally:
        session.turn.release()


def _resumed(key: str, run: Run) -> Entrant:
    try:
        return Entrant.resumed(key, run)
    except ValueError as error:
        raise InvalidExperiment([Problem((), str(error))]) from None


def _go_on(entrant: Entrant) -> None:
    try:
        entrant.go_on()
    except ValueError as error:
        raise InvalidExperiment([Problem((), str(error))]) from None


# ------------------------------------------------------------------------------------------------ the stream


def _begin(session: Session, entrants: list[tuple[str, Experiment]], budget: Budget, amount: float) -> Contest:
    session.contest = Contest(entrants, budget, amount)
    session.name = session.next_name()
    for entrant in session.contest.entrants:
        if budget == "seconds":
            entrant.training.every = _interval(session.contest)
    return session.contest


def _stream(session: Session, contest: Contest, titles: dict[str, str] | None) -> Updates:
    """The tab's updates while all take steps by turns; titles where the panels are still to be told of."""
    with session.turn:  # whoever had it has been asked to stop
        if session.contest is not contest:
            return
        session.stop.clear()
        pending: list[tuple[Entrant, Snapshot]] = []
        told = time.perf_counter()
        for entrant, taken in contest:
            pending.append((entrant, taken))
            if titles is not None:
                if len(pending) < len(contest.entrants) and not all(
                    one.training.run.rounds for one in contest.entrants
                ):
                    continue
                yield gr.HTML(scene=_scene(session, contest, titles), problems="[]", value=_shots(session, pending))
                titles = None
            elif time.perf_counter() - told >= YIELD_EVERY or contest.finished or session.stop.is_set():
                yield gr.HTML(value=_shots(session, pending, stopped=session.stop.is_set()))
            else:
                continue
            pending, told = [], time.perf_counter()
            if session.stop.is_set():
                yield gr.HTML(value=_ending(session, contest))
                return
        yield gr.HTML(value=_ending(session, contest), problems=_failures(contest))


def _ending(session: Session, contest: Contest) -> str:
    """The last snapshot of each once more, as its end."""
    last = [(one, one.training.run.rounds[-1].last) for one in contest.entrants if one.training.run.rounds]
    return _shots(session, last, stopped=True)


def _failures(contest: Contest) -> str:
    failed = [one.training.run.failure for one in contest.entrants if one.training.run.failure]
    return told([Problem((), sentence) for sentence in failed])


def _scene(session: Session, contest: Contest, titles: dict[str, str]) -> str:
    panels = [
        f'{{"key":{json.dumps(one.key)},"title":{json.dumps(titles.get(one.key, one.key))},'
        f'"scene":{messages.scene(_name(session, one), one.training.run)}}}'
        for one in contest.entrants
    ]
    return f'{{"contest":{json.dumps(session.name)},"panels":[{",".join(panels)}]}}'


def _shots(session: Session, taken: list[tuple[Entrant, Snapshot]], stopped: bool = False) -> str:
    """The newest snapshots; of several of one entrant that wait, all, since each is a place in its history."""
    parts = []
    assert session.contest is not None, "whose snapshots they are"
    for entrant, one in taken:
        run = entrant.training.run
        done = stopped or (entrant.done and one is run.rounds[-1].last)
        shot = messages.snapshot(_name(session, entrant), run, one, done=done)
        parts.append(f'{{"key":{json.dumps(entrant.key)},"charged":{entrant.charged:.3f},"shot":{shot}}}')
    head = {"contest": session.name, "of_presets": session.contest.of_presets, "stopped": stopped}
    return f'{json.dumps(head, separators=(",", ":"))[:-1]},"shots":[{",".join(parts)}]}}'


def _name(session: Session, entrant: Entrant) -> str:
    return f"{session.name} {entrant.key}"


def _give_turn(entrant: Entrant, turn: str) -> None:
    """Lets the critic, the generator or both take the next steps, of a model that has them."""
    learner = entrant.training.learner
    if isinstance(learner, HasTurn):
        learner.turn = turn


def _interval(contest: Contest) -> float:
    """Seconds of training between two snapshots of one entrant."""
    return seconds_between([one.experiment for one in contest.entrants], YIELD_EVERY)
