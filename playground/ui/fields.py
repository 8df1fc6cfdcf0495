"""What the stage asks about an experiment and not about a run: the pairs of its coupling, its exact field.

Each question names the experiment by the scene's `setting` (see ui.messages); the answers depend on nothing else, and
are kept for whoever asks again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

from playground.engine.pairing_figures import pairing
from playground.experiment import Experiment
from playground.models.exact_reference import reference_field
from playground.ui.messages import PARTICLES

Answer = dict[str, Any]


def coupling(given: dict[str, Any]) -> Callable[[], Answer]:
    """How to answer {setting, every}: the pairing of the scene's own points. Raises InvalidExperiment."""
    return partial(_coupling, _named(given), given.get("every") is True)


def _named(given: dict[str, Any]) -> str:
    """The experiment of a question, as JSON. Raises InvalidExperiment."""
    return json.dumps(Experiment.parse(given.get("setting")).to_dict())


def exact(given: dict[str, Any]) -> Callable[[], Answer]:
    """How to answer {setting}: the exact field that the model tends to, {network, target, few}.

    network is as models.exact describes it, target says what stands for the target, few whether that is a few points.
    Raises ValueError with a sentence where there is no such field.
    """
    return partial(_exact, _named(given))


@lru_cache(maxsize=64)
def _exact(experiment: str) -> Answer:
    chosen = Experiment.parse(json.loads(experiment))
    source, target = chosen.source.at(chosen.dim), chosen.target.at(chosen.dim)
    field, words = reference_field(chosen.model, source, target, chosen.training, chosen.training.seed)
    return {"network": field.describe(), "target": words, "few": not bool(field.field.target.covariances.any())}


@lru_cache(maxsize=128)
def _coupling(experiment: str, every: bool) -> Answer:
    return pairing(Experiment.parse(json.loads(experiment)), PARTICLES, every=every)
