"""What a tab with many stages asks to be trained: experiments by their keys, and what each gets of what."""

from __future__ import annotations

from typing import Any

from playground.choice import InvalidExperiment, Problem
from playground.engine import presets
from playground.engine.contest import Budget
from playground.engine.run import Run
from playground.experiment import Experiment
from playground.ui.costs import weights_of
from playground.ui.events import MAX_KEY
from playground.ui.live import MAX_NETWORK

MOST_ENTRANTS = 4
MOST_SECONDS, MOST_STEPS = 60.0, 20_000


def titles_of(asked: dict[str, Any]) -> dict[str, str]:
    """The title of each entrant that is asked for, by its key."""
    return {str(one.get("key")): str(one.get("title", ""))[:80] for one in asked.get("entrants", [])}


def entrants_of(asked: dict[str, Any]) -> list[tuple[str, Experiment]]:
    """The experiments to train, by their keys, within what a shared page allows. Raises InvalidExperiment."""
    given = asked.get("entrants")
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_ENTRANTS:
        raise InvalidExperiment([Problem((), f"choose from one to {MOST_ENTRANTS} experiments.")])
    found: list[tuple[str, Experiment]] = []
    for one in given:
        key = one.get("key") if isinstance(one, dict) else None
        if not isinstance(key, str) or not 1 <= len(key) <= MAX_KEY or key in dict(found):
            raise InvalidExperiment([Problem((), "each experiment needs a key of its own; reload the page.")])
        experiment = Experiment.parse(one.get("experiment"))
        if weights_of(experiment) > MAX_NETWORK:
            sentence = f"{one.get('title') or key} has too large a network for the page; choose less width or depth."
            raise InvalidExperiment([Problem(("network", "width"), sentence)])
        found.append((key, experiment))
    return found


def trained_before(asked: dict[str, Any], key: str) -> Run | None:
    """The preset, {"preset": its name}, that the page shows for an entrant, with its weights; None where it shows none.

    Raises InvalidExperiment for a name that is none.
    """
    named = [one.get("preset") for one in asked.get("entrants", []) if isinstance(one, dict) and one.get("key") == key]
    return presets.run(str(named[0])) if named and named[0] is not None else None


def budget_of(asked: dict[str, Any]) -> Budget:
    """What all get the same of."""
    return "steps" if asked.get("budget") == "steps" else "seconds"


def amount_of(asked: dict[str, Any]) -> float:
    """How much of it each gets. Raises InvalidExperiment."""
    amount, most = asked.get("amount"), MOST_STEPS if budget_of(asked) == "steps" else MOST_SECONDS
    if not isinstance(amount, int | float) or not 0.5 <= amount <= most:
        raise InvalidExperiment([Problem(("amount",), f"{amount!r} is out of bounds; choose from 1 to {most:g}.")])
    return float(amount)
