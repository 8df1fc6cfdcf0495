"""Whatever says why a layer is not offered is true: every layer, of every family, before and after training."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from playground.choice import kinds
from playground.dynamics.path import Path
from playground.engine.run import Run
from playground.engine.training import Training
from playground.experiment import Experiment
from playground.models import AnyModel
from playground.models.contracts import density_of
from playground.models.exact_reference import no_reference
from playground.ui import messages
from tests.browser.modules.page import ModulePage

LACKS = """
    const { layers } = await import("/stage/layers/index.js");
    const { lackOf } = await import("/scene/capabilities.js");
    const { Track } = await import("/scene/track.js");
    const { scene, rounds } = given;
    const first = new Track(scene);
    const scenes = rounds.length
      ? rounds.map(({ network, name }, round) =>
          round ? Track.after(first, { run: scene.run, round, name, network }).scene : { ...scene, network })
      : [scene];
    return scenes.map((one) => Object.fromEntries(layers().map((layer) => [layer.name, lackOf(layer, one)])));
"""
SMALL = {"network": {"kind": "mlp", "width": 8, "depth": 1}, "training": {"steps": 2, "batch": 16}}
PAIRED = {"coupling", "batch", "curved", "pairs"}
"""The layers that draw pairs of the experiment's coupling."""

Truth = Callable[[Run, int], bool]
"""Whether a sentence holds of a run and a round of it."""


def reference(run: Run) -> str | None:
    return no_reference(run.experiment.model, run.experiment.source.at(run.dim))


SENTENCES: dict[str, Truth] = {
    "Nothing learnt yet.": lambda run, round_: not run.rounds,
    "Nothing learnt yet that could be compared.": lambda run, round_: not run.rounds,
    "The density of this model is not known.": lambda run, round_: density_of(run.trained(round_)) is None,
    "This model is not trained on pairs of a source point and a target point.": lambda run, round_: (
        not isinstance(getattr(run.experiment.model, "path", None), Path)
    ),
    "This round learnt from pairs that the round before it made; they are not sent to the page.": lambda run, round_: (
        round_ > 0
    ),
    "Training is not limited to some points here.": lambda run, round_: run.experiment.training.points is None,
    "The exact field of a further round is not known.": lambda run, round_: round_ > 0,
    "Only in one dimension.": lambda run, round_: run.dim != 1,
    "Only in two dimensions.": lambda run, round_: run.dim != 2,
    "Only in one and two dimensions.": lambda run, round_: run.dim > 2,
    "The browser does not know the field of this model.": lambda run, round_: (
        "velocity" not in messages.reading(run.trained(round_)).get("networks", {})
    ),
    "This network is told a condition; the exact field is known without one.": lambda run, round_: (
        run.experiment.encoder is not None
    ),
}

EXPERIMENTS: dict[str, dict[str, Any]] = {
    **{kind.kind_name(): {"model": {"kind": kind.kind_name()}} for kind in kinds(AnyModel)},
    "reflowed": {"model": {"kind": "rectified_flow", "rounds": 2, "distill": True, "pair_count": 4096}},
    "of a line": {"target": "bimodal"},
    "of classes": {"target": "ring", "condition": {"labels": True}},
    "of few points": {"training": {"steps": 2, "points": 16}},
    "transported": {"model": {"kind": "flow_matching", "coupling": "optimal_transport"}},
}


@pytest.mark.parametrize("trained", [False, True], ids=["untrained", "trained"])
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_reason_why_a_layer_is_not_offered_is_true(page: ModulePage, name: str, trained: bool) -> None:
    given = EXPERIMENTS[name]
    experiment = Experiment.parse(SMALL | given | {"training": SMALL["training"] | given.get("training", {})})
    run = Run(experiment)
    if trained:
        training = Training(experiment, every=None)
        for _ in training:
            pass
        run = training.run
    networks = [messages.reading(run.trained(round_)) for round_ in range(len(run.rounds))]
    rounds = [{"name": record.name, "network": network} for record, network in zip(run.rounds, networks, strict=True)]
    found = page(LACKS, {"scene": json.loads(messages.scene("run", run)), "rounds": rounds})
    assert len(found) == max(1, len(run.rounds))
    for round_, lacks in enumerate(found):
        for layer, sentence in lacks.items():
            if sentence is None:
                continue
            assert sentence in SENTENCES or sentence == reference(run), f"{layer}: {sentence}"
            true = SENTENCES.get(sentence, lambda run, _: True)
            assert true(run, round_), f"of round {round_} it is not true for {layer}: {sentence}"
        paired = round_ == 0 and isinstance(getattr(experiment.model, "path", None), Path)
        assert all((lacks[layer] is None) == paired for layer in PAIRED)
