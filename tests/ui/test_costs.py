"""What the form says of a training before it begins, against the learners that are built."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from playground import Experiment
from playground.choice import kinds
from playground.models import AnyModel
from playground.models.base import Task
from playground.models.learning import Adam
from playground.models.mixture.fit import EM
from playground.ui.costs import cost, streamed_of, weights_of

WIDE: dict[str, Any] = {"width": 24, "depth": 2, "frequencies": 1}
FILM: dict[str, Any] = {"kind": "film", "width": 12, "depth": 3}
FAMILIES: list[dict[str, Any]] = [
    *({"model": family.kind_name()} for family in kinds(AnyModel)),
    *(
        {"model": {"kind": "normalizing_flow", "architecture": {"kind": kind, "layers": 2}}}
        for kind in ("neural_spline", "real_nvp", "glow", "maf", "iaf")
    ),
    *({"model": {"kind": "autoregressive", "conditionals": kind}} for kind in ("grid", "logistics", "coarse_to_fine")),
    {"model": {"kind": "flow_matching", "path": "bridge"}},
    {"model": {"kind": "gan", "latent_dim": 3, "pack": 2}},
    {"model": {"kind": "vae", "latent_dim": 1}},
    {"model": {"kind": "energy", "objective": "denoising"}},
    {"model": {"kind": "rbm", "hidden": 5}},
    {"model": {"kind": "flow_matching"}, "network": FILM},
    {"model": {"kind": "flow_matching"}, "network": FILM, "condition": {"labels": True}},
    {"model": {"kind": "flow_matching"}, "condition": {"labels": True}},
    {"model": {"kind": "neural_ode"}, "network": FILM},
]


def learner(experiment: Experiment) -> Any:
    return next(iter(experiment.model.rounds(task(experiment))))


def task(experiment: Experiment) -> Task:
    dim, device = experiment.dim, torch.device("cpu")
    source, target = experiment.source.at(dim), experiment.aim
    return Task(source, target, dim, experiment.network, experiment.training, 0, device, experiment.encoder)


def trained_by(learner: Any) -> int:
    """The numbers that its optimisers change."""
    parts = [learner, *getattr(learner, "_heads", {}).values()]
    return sum(part.weights.numel() for each in parts for part in vars(each).values() if isinstance(part, Adam))


@pytest.mark.parametrize("given", FAMILIES, ids=str)
@pytest.mark.parametrize("target", ["ring", {"kind": "gaussian", "dimension": 3}])
def test_the_weights_are_those_that_a_learner_trains(given: dict[str, Any], target: Any) -> None:
    if target != "ring" and "condition" in given:
        given = {**given, "condition": {"angle": False, "labels": False}}
    experiment = Experiment.parse({"network": WIDE, "target": target, **given})
    if experiment.model.kind_name() == "mixture":
        fit = learner(experiment)
        assert isinstance(fit, EM)
        fit.step(1.0)
        assert weights_of(experiment) == fit._fit._n_parameters()
        return
    unused = (
        1 if given["model"] == {"kind": "energy", "objective": "denoising"} else 0
    )  # a normaliser that is not learnt
    assert weights_of(experiment) == trained_by(learner(experiment)) - unused


@pytest.mark.parametrize("shape", ["full", "diagonal", "round", "tied"])
def test_a_mixtures_numbers_are_those_that_scikit_learn_counts(shape: str) -> None:
    experiment = Experiment.parse({"model": {"kind": "mixture", "components": 5, "shape": shape}, "target": "ring"})
    fit = learner(experiment)
    fit.step(1.0)
    assert weights_of(experiment) == fit._fit._n_parameters()


def test_a_fixed_deviation_of_a_decoder_is_not_trained() -> None:
    free, fixed = (Experiment.parse({"model": {"kind": "vae", "std": std}, "target": "ring"}) for std in (None, 0.2))
    assert weights_of(free) == weights_of(fixed) + 1


def test_what_the_form_is_told() -> None:
    found = cost({"model": {"kind": "rectified_flow"}, "target": "ring"})
    assert found == {"weights": 11778, "rounds": 3, "step": {"overhead": 77, "passes": 1}}
    assert cost({"model": "exact", "target": "ring"}) == {"weights": 0, "rounds": 1, "step": None}
    assert cost({"model": "mixture", "target": "ring"})["step"] is None
    assert cost({"model": "nothing of the kind"}) is None


def test_more_work_is_told_as_more() -> None:
    def step(**model: Any) -> dict[str, float]:
        return cost({"model": model, "target": "ring"})["step"]

    assert step(kind="neural_ode", solver_steps=4)["passes"] == 2 * step(kind="neural_ode")["passes"]
    few, many = (step(kind="energy", objective={"kind": "persistent", "moves": moves}) for moves in (5, 50))
    assert many["passes"] > 4 * few["passes"] and many["overhead"] > few["overhead"]
    layers = [step(kind="normalizing_flow", architecture={"kind": "glow", "layers": k})["overhead"] for k in (2, 4)]
    assert layers[1] == 2 * layers[0]


def test_a_layered_flow_streams_less_than_it_trains() -> None:
    experiment = Experiment.parse({"model": "normalizing_flow", "target": "ring"})
    assert streamed_of(experiment) < weights_of(experiment)
