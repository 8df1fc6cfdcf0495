"""Every model of a tab trained anew from several seeds: the spread of the modes that each reaches."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import Any

import gradio as gr

from playground.choice import InvalidExperiment, Problem
from playground.engine.contest import Contest, Entrant
from playground.experiment import Experiment
from playground.metrics import coverage, mode_kl
from playground.ui.entrants import amount_of, budget_of, entrants_of
from playground.ui.events import Updates
from playground.ui.session import Session

MOST_SEEDS = 5
SAMPLES = 2500
TOLD_EVERY = 0.1
"""Seconds of training between two updates, after which a stop takes effect."""


def run(session: Session, asked: dict[str, Any]) -> Updates:
    """Runs of all entrants from seeds after their own, in turn, so that what is unfinished is fair to all."""
    entrants, budget, amount = entrants_of(asked), budget_of(asked), amount_of(asked)
    count = asked.get("count", MOST_SEEDS)
    if not isinstance(count, int) or not 1 <= count <= MOST_SEEDS:
        raise InvalidExperiment([Problem(("count",), f"{count!r} seeds are out of bounds; choose 1 to {MOST_SEEDS}.")])
    session.stop.set()
    with session.turn:  # whoever had it has been asked to stop
        session.stop.clear()
        tell = partial(_message, session.next_name(), count * len(entrants), time.perf_counter())
        rows: list[dict[str, Any]] = []
        for seed in range(count):
            for key, experiment in entrants:
                contest = Contest([(key, _seeded(experiment, seed))], budget, amount)
                entrant = contest.entrants[0]
                entrant.training.every = TOLD_EVERY
                for _ in contest:
                    if session.stop.is_set():
                        yield tell(rows, ended="stopped")
                        return
                    yield tell(rows, key=key, seed=seed, share=_share(entrant))
                rows.append({"key": key, "seed": seed} | _counted(entrant))
        yield tell(rows, ended="done")


def _message(
    name: str, all_: int, begun: float, rows: list[dict[str, Any]], ended: str | None = None, **at: Any
) -> Any:
    """{"all": trainings, "share": of them done, "seconds" so far, "at": the one under way, "ended": how, "rows"}."""
    told = {
        "all": all_,
        "share": (len(rows) + at.get("share", 0)) / all_,
        "seconds": round(time.perf_counter() - begun, 1),
        "at": at or None,
        "ended": ended,
        "rows": rows,
    }
    return gr.HTML(value=json.dumps({"contest": name, "seeds": told}, separators=(",", ":"), allow_nan=False))


def _share(entrant: Entrant) -> float:
    record = entrant.training.run.rounds[-1]
    return min(1.0, record.last.step / max(1, record.steps))


def _counted(entrant: Entrant) -> dict[str, Any]:
    """The modes that a trained entrant reaches, null where its target has none."""
    run = entrant.training.run
    modes = run.experiment.aim.separate_modes()
    if modes is None:
        return dict.fromkeys(("strict", "covered", "high_quality", "spread", "kl")) | {"failure": run.failure}
    found = coverage(run.sample(SAMPLES, seed=1).end, modes)
    return {
        "strict": found.modes_covered_strict,
        "covered": found.modes_covered,
        "total": found.modes_total,
        "high_quality": found.high_quality,
        "spread": found.spread,
        "kl": mode_kl(found.shares, modes.weights.tolist()),
        "failure": run.failure,
    }


def _seeded(experiment: Experiment, more: int) -> Experiment:
    training = experiment.training.model_copy(update={"seed": (experiment.training.seed + more) % 2**31})
    return experiment.model_copy(update={"training": training})
