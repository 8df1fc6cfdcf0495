"""Conditions: what the network is told, the field that it learns under each, and what guidance makes of them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Generator, Tensor

from playground import Experiment, Run, run
from playground.choice import InvalidExperiment
from playground.distributions import Checkerboard, Circles, Gaussian, GaussianMixture, Ring
from playground.dynamics.couplings import (
    ClassOptimalTransportCoupling,
    IndependentCoupling,
    OptimalTransportCoupling,
    SinkhornCoupling,
)
from playground.dynamics.exact import ExactField, Normals
from playground.dynamics.guiding import Guiding
from playground.dynamics.likelihood import differentiated
from playground.dynamics.parameterization import Moments
from playground.dynamics.paths import CosinePath, LinearPath
from playground.dynamics.solvers import Euler, Sampler
from playground.models import FlowMatching
from playground.models.base import Pool, Task
from playground.models.condition import HARMONICS, Condition, ConditionEncoder
from playground.models.exact import mixture_of, moments_of
from playground.models.flow import BridgeFlow, ScoredFlow
from playground.models.flow_matching import Classes, averaged
from playground.models.pairing import Pairs
from playground.networks import Network

RING = Ring()
LABELS, ANGLE = ConditionEncoder("labels", RING, 0.2), ConditionEncoder("angle", RING, 0.2)
X = torch.randn(50, 2, generator=Generator().manual_seed(5))


def values(encoder: ConditionEncoder, n: int = 50) -> Tensor:
    return encoder.draw(n, Generator().manual_seed(6))


def flow(encoder: ConditionEncoder | None, **more) -> ScoredFlow:
    mlp = Network(width=16, depth=2, activation="silu").build(2, 2, condition_dim=encoder.width if encoder else 0)
    moments = Moments(torch.zeros(2), torch.tensor([0.1, -0.2]), torch.tensor(1.0), torch.tensor(1.4))
    return ScoredFlow(
        mlp, mlp.initial(Generator().manual_seed(3)), LinearPath(), "residual", moments, encoder=encoder, **more
    )


def conditional(target, steps=800, model=None, **condition) -> Run:
    return run(
        Experiment.parse(
            {
                "target": target,
                "model": model or "flow_matching",
                "network": {"width": 32, "depth": 2, "activation": "relu", "features": 0},  # enough for few steps
                "training": {"steps": steps, "decay": "inverse_sqrt"},
                "condition": condition or {"labels": True},
            }
        )
    )


# ------------------------------------------------------------------------------------------------ what is told


def test_labels_are_told_one_hot_with_one_column_more_for_none():
    told = LABELS.columns(torch.tensor([0, 7, 3]))
    assert told.shape == (3, 9)
    assert told.argmax(1).tolist() == [0, 7, 3]
    assert LABELS.null().argmax().item() == 8
    assert torch.equal(torch.cat([told, LABELS.null()]).sum(1), torch.ones(4))


def test_an_angle_is_told_by_its_harmonics_and_none_by_zeros():
    angle = torch.tensor([0.3, -2.0])
    told = ANGLE.columns(angle)
    turns = range(1, HARMONICS + 1)
    expected = [[1, *(math.cos(k * a) for k in turns), *(math.sin(k * a) for k in turns)] for a in (0.3, -2.0)]
    assert told.shape == (2, 1 + 2 * HARMONICS)
    assert torch.allclose(told, torch.tensor(expected), atol=1e-6)
    assert torch.allclose(told, ANGLE.columns(angle + 2 * math.pi), atol=1e-5)
    assert not ANGLE.null().any()


def test_the_angle_is_taken_from_the_middle_of_the_target():
    target = GaussianMixture(centers=((10.0, 0.0), (10.0, 4.0)), std=(0.01,))
    angles = ConditionEncoder("angle", target, 0.1).draw(200, Generator().manual_seed(0))
    assert torch.allclose(angles.abs(), torch.full((200,), math.pi / 2), atol=0.1)
    assert 0.3 < (angles > 0).float().mean() < 0.7


@pytest.mark.parametrize("encoder", [LABELS, ANGLE], ids=["labels", "angle"])
def test_the_condition_is_dropped_as_often_as_stated(encoder):
    n = 20_000
    dropped = encoder.dropped(n, Generator().manual_seed(1))
    assert float(dropped.float().mean()) == pytest.approx(0.2, abs=4 * math.sqrt(0.2 * 0.8 / n))
    given = values(encoder, n)
    told = encoder.encode(given, dropped)
    assert torch.equal(told[dropped], encoder.null().expand(int(dropped.sum()), -1))
    assert torch.equal(told[~dropped], encoder.columns(given[~dropped]))


def test_in_training_the_network_sees_the_condition_dropped_as_often_as_stated():
    """The columns after the point, its features and the time are what the network is told."""
    (learner,) = FlowMatching().rounds(task_of({"labels": True, "dropout": 0.3}))
    seen = learner._examples(60).inputs[:, 2 + 2 * Network().features + 1 :]
    assert seen.shape == (60 * 128, 9)
    assert float(seen[:, -1].mean()) == pytest.approx(0.3, abs=4 * math.sqrt(0.21 / 7680))
    assert torch.equal(seen.sum(1), torch.ones(len(seen)))


def task_of(condition) -> Task:
    experiment = Experiment.parse({"target": "ring", "condition": condition})
    return Task(
        experiment.source.at(2),
        experiment.target,
        2,
        experiment.network,
        experiment.training,
        0,
        torch.device("cpu"),
        experiment.encoder,
    )


@pytest.mark.parametrize(
    "coupling",
    [IndependentCoupling(), OptimalTransportCoupling(), SinkhornCoupling(), ClassOptimalTransportCoupling()],
    ids=lambda coupling: coupling.kind,
)
def test_pairs_keep_their_labels(coupling):
    points, labels = RING.draw(4000, Generator().manual_seed(0))
    target = Pool(points, Generator().manual_seed(1), labels)
    source = Pool(torch.randn(4000, 2, generator=Generator().manual_seed(2)), Generator().manual_seed(3))
    _, x1, given = Pairs(coupling, source, target, Generator().manual_seed(4)).labelled(3000)
    centers = RING.components().centers.float()
    assert given is not None
    assert torch.equal(torch.cdist(x1, centers).argmin(1), given)


# ------------------------------------------------------------------------------------------------ guidance


@pytest.mark.parametrize("encoder", [LABELS, ANGLE], ids=["labels", "angle"])
@pytest.mark.parametrize("t", [0.0, 0.4, 1.0])
def test_guidance_mixes_the_two_fields(encoder, t):
    told = flow(encoder).given(values(encoder))
    free = flow(encoder)
    inside, outside = told.velocity(X, t), free.velocity(X, t)
    assert not torch.allclose(inside, outside)
    assert torch.equal(told.guided(Guiding(1)).velocity(X, t), inside)
    assert torch.equal(told.guided(Guiding(0)).velocity(X, t), outside)
    for w in (0.5, 3.0):
        assert torch.allclose(told.guided(Guiding(w)).velocity(X, t), outside + w * (inside - outside), atol=1e-5)


def test_each_particle_has_its_own_condition():
    given = values(LABELS)
    together = flow(LABELS).given(given).guided(Guiding(2.5)).velocity(X, 0.3)
    for label in range(8):
        alone = flow(LABELS).given(torch.tensor([label])).guided(Guiding(2.5)).velocity(X, 0.3)
        assert torch.allclose(together[given == label], alone[given == label], atol=1e-6)


def test_the_score_and_the_divergence_are_guided_too():
    told = flow(LABELS).given(values(LABELS))
    parts = told.guided(Guiding(0)), told.guided(Guiding(1)), told.guided(Guiding(3))
    free, inside, guided = (one.score(X, 0.6) for one in parts)
    assert torch.allclose(guided, free + 3 * (inside - free), atol=1e-4)
    velocity, divergence = told.guided(Guiding(3)).diverging(X, 0.6)
    field = told.guided(Guiding(3))
    expected = differentiated(lambda x, t: field.velocity.__wrapped__(field, x, t))(X, 0.6)
    assert torch.allclose(velocity, expected[0], atol=1e-5)
    assert torch.allclose(divergence, expected[1], atol=1e-4)


@pytest.mark.parametrize(("w", "times"), [(0, 1), (1, 1), (2, 2)])
def test_guidance_costs_a_second_evaluation(w, times):
    told = flow(LABELS).given(values(LABELS))
    assert told.trajectory(X, Sampler(solver=Euler(), steps=7, guidance=w)).nfe == 7 * times
    assert flow(LABELS).trajectory(X, Sampler(solver=Euler(), steps=7, guidance=w)).nfe == 7
    assert flow(None).trajectory(X, Sampler(solver=Euler(), steps=7)).nfe == 7


# ------------------------------------------------------------------------------------------------ what is learnt


@pytest.mark.parametrize("prediction", ["velocity", "noise", "data"])
def test_the_fields_of_the_classes_and_of_all_together_are_the_exact_ones(prediction):
    target = GaussianMixture(centers=((-2.0, 0.0), (2.0, 1.0)), std=(0.4, 0.8))
    learnt = conditional(target.model_dump(), model={"kind": "flow_matching", "prediction": prediction}).trained()
    source, whole = moments_of(Gaussian(dimension=2)), mixture_of(target)
    assert whole is not None
    for t in (0.2, 0.5, 0.8):
        x1, labels = target.draw(1000, Generator().manual_seed(1))
        x = t * x1 + (1 - t) * torch.randn(x1.shape, generator=Generator().manual_seed(2))
        exact = {None: ExactField(LinearPath(), source, whole).velocity(x, t)}
        for k in (0, 1):
            one = Normals(whole.centers[k : k + 1], whole.covariances[k : k + 1], torch.ones(1, dtype=torch.float64))
            exact[k] = ExactField(LinearPath(), source, one).velocity(x, t)
        for k, field in exact.items():
            told = learnt if k is None else learnt.given(torch.tensor([k]))
            rows = slice(None) if k is None else labels == k
            error = (told.velocity(x, t) - field)[rows].square().mean().sqrt()
            apart = (exact[0] - exact[1])[rows].square().mean().sqrt()
            assert error < 0.12 * apart, (t, k)


def test_averaged_targets_are_those_of_the_told_class_alone():
    """Against Bayes' rule, row by row."""
    path, batch, source = LinearPath(), 32, Gaussian(dimension=2)
    x1, labels = RING.draw(2 * batch, Generator().manual_seed(0))
    x0 = torch.randn(x1.shape, generator=Generator().manual_seed(1))
    t = torch.rand(len(x1), 1, generator=Generator().manual_seed(2)) * 0.9
    told = labels.where(torch.arange(len(x1)) % 3 > 0, -1)
    xt, velocity = path.point(x0, x1, t)
    found = averaged(velocity, source, path, xt, x1, t, batch, Classes(labels, told))
    for i in range(len(x1)):
        rows = torch.arange(batch) + batch * (i // batch)
        if told[i] >= 0:
            rows = rows[labels[rows] == told[i]]
        noise = (xt[i] - t[i] * x1[rows]) / (1 - t[i])
        share = torch.softmax(-0.5 * noise.square().sum(1), 0)
        assert torch.allclose(found[i], share @ (x1[rows] - noise), atol=1e-3)


def test_optimal_transport_within_classes_keeps_conditional_samples_right_and_plain_transport_does_not():
    """C²OT's comparison: plain pairing gives each class its own part of the source (Cheng and Schwing 2025)."""
    right = {}
    for coupling in ("optimal_transport", "class_optimal_transport"):
        result = conditional("ring", 500, {"kind": "flow_matching", "coupling": coupling})
        x, labels = result.sample(1000, steps=8).end, result.conditions(1000)
        centers = RING.components().centers.float()
        right[coupling] = float(((x - centers[labels]).norm(dim=1) < 0.4).float().mean())
    assert right["class_optimal_transport"] > 0.9
    assert right["optimal_transport"] < 0.6


def test_the_angle_says_where_samples_lie():
    result = conditional("circles", 800, angle=True)
    for degrees in (0, 100, 250):
        x = result.sample(400, angle=degrees, steps=20).end
        off = torch.atan2(x[:, 1], x[:, 0]) - math.radians(degrees)
        assert float(torch.atan2(off.sin(), off.cos()).abs().median()) < 0.1
        radius = x.norm(dim=1)
        middle = Circles().sample(1000, Generator().manual_seed(0)).norm(dim=1).mean()
        assert 0.2 < float((radius > middle).float().mean()) < 0.8  # both circles


def test_a_bridge_is_told_the_condition_in_both_heads():
    model = {"kind": "flow_matching", "path": "bridge"}
    learnt = conditional("ring", 50, model).trained()
    assert isinstance(learnt, BridgeFlow)
    told = learnt.given(torch.tensor([3]))
    free, inside = learnt.score(X, 0.5), told.score(X, 0.5)
    assert not torch.allclose(free, inside)
    assert torch.allclose(told.guided(Guiding(2)).score(X, 0.5), free + 2 * (inside - free), atol=1e-4)


# ------------------------------------------------------------------------------------------------ runs


def test_a_run_samples_the_class_and_the_guidance_that_are_asked_for(tmp_path):
    result = conditional("ring", 500)
    center = RING.components().centers[5].float()
    one = result.sample(500, label=5, steps=10)
    assert float((one.end.mean(0) - center).norm()) < 0.1
    strong = result.sample(500, label=5, steps=10, guidance=3)
    assert strong.nfe == 2 * one.nfe
    assert strong.end.std(0).mean() < 0.7 * one.end.std(0).mean()
    every = result.sample(2000, steps=10)
    labels = result.conditions(2000)
    assert float(torch.cdist(every.end, RING.components().centers.float()).argmin(1).eq(labels).float().mean()) > 0.99
    result.save(tmp_path)
    again = Run.load(tmp_path).sample(500, label=5, steps=10, guidance=3)
    assert torch.equal(again.end, strong.end)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"label": 8}, "there is no class 8; this target has the classes 0 to 7"),
        ({"label": -1}, "there is no class -1"),
        ({"angle": 20}, "was not told the angle"),
        ({"guidance": 21}, "too large"),
        ({"guidance": -1}, "too small"),
    ],
)
def test_what_a_conditional_run_cannot_give_is_refused(asked, sentence):
    result = conditional("ring", 1)
    with pytest.raises(InvalidExperiment, match=sentence):
        result.sample(10, **asked)


def test_a_run_without_a_condition_has_neither_classes_nor_guidance():
    result = run(Experiment.parse({"target": "ring", "training": {"steps": 1}}))
    assert result.conditions(10) is None
    with pytest.raises(InvalidExperiment, match=r"train with condition\.labels set to true"):
        result.sample(10, label=2)
    with pytest.raises(InvalidExperiment, match="guidance needs a condition"):
        result.sample(10, guidance=2)
    assert result.sample(10, guidance=1).nfe == 100


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"target": "s_curve", "condition": {"labels": True}}, "no classes to tell apart"),
        ({"target": "ring", "condition": {"labels": True, "angle": True}}, "not both"),
        ({"target": "ring", "condition": {"labels": True}, "model": "gan"}, "takes no condition"),
        ({"target": "ring", "condition": {"angle": True}, "model": "exact"}, "for classes, not for angles"),
        ({"target": "checkerboard", "condition": {"labels": True}, "model": "exact"}, "the Gaussians of a mixture"),
        (
            {"target": "ring", "condition": {"labels": True}, "model": {"kind": "exact", "points": 9}},
            "the Gaussians of a mixture",
        ),
        ({"target": {"kind": "gaussian", "dimension": 1}, "condition": {"angle": True}}, "only points in the plane"),
        ({"target": "ring", "sampler": {"guidance": 2}}, "guidance needs a condition"),
        (
            {"target": "ring", "condition": {"labels": True, "dropout": 0}, "sampler": {"guidance": 2}},
            "dropout of 0 never trains",
        ),
        ({"target": "ring", "condition": {"labels": True, "dropout": 1}}, "choose less than 1"),
    ],
)
def test_conditions_that_are_not_possible_are_refused(given, sentence):
    with pytest.raises(InvalidExperiment, match=sentence):
        Experiment.parse(given)


@pytest.mark.parametrize(
    ("coupling", "condition", "instead"),
    [
        ("optimal_transport", {"labels": True}, "class_optimal_transport"),
        ("sinkhorn", {"labels": True}, "class_optimal_transport"),
        ("class_optimal_transport", {"angle": True}, "independent"),
        ("class_optimal_transport", {"labels": True}, None),
        ("independent", {"angle": True}, None),
        ("optimal_transport", {}, None),
    ],
)
def test_couplings_that_break_conditional_training_are_remarked_on(coupling, condition, instead):
    model = {"kind": "flow_matching", "coupling": coupling}
    found = " ".join(Experiment.parse({"target": "ring", "model": model, "condition": condition}).remarks())
    assert (f"Choose the coupling {instead}" in found) if instead else "coupling" not in found


def test_a_condition_comes_back_from_yaml_and_links():
    given = Experiment.parse({"target": "ring", "condition": {"labels": True}, "sampler": {"guidance": 2.5}})
    assert given.condition == Condition(labels=True)
    assert Experiment.from_yaml(given.to_yaml()) == given
    assert Experiment.from_link(given.to_link()) == given


@pytest.mark.parametrize("path", [LinearPath(), CosinePath()], ids=lambda path: path.kind)
def test_every_labelled_target_can_be_told(path):
    model = {"kind": "flow_matching", "path": path.kind}
    result = conditional(Checkerboard().model_dump(), 5, model)
    assert result.sample(20, label=7, guidance=2, steps=2).end.isfinite().all()


def exact(**condition) -> Run:
    return run(Experiment.parse({"target": "ring", "model": "exact", "condition": condition or {"labels": True}}))


def test_the_exact_field_of_a_class_is_that_of_its_gaussian_alone():
    """From N(0, I) to N(c, s² I) the exact flow is the affine map x0 → c + s x0."""
    result = exact()
    for label in (0, 5):
        moved = result.sample(200, label=label, steps=200, solver="rk4")
        center = RING.components().centers[label].float()
        assert torch.allclose(moved.end, center + 0.1 * result.starts(200), atol=2e-3)


@pytest.mark.parametrize("t", [0.1, 0.5, 0.9])
def test_exact_guidance_mixes_the_exact_fields(t):
    model = exact().trained()
    told = model.given(values(LABELS))
    free, inside = model.velocity(X, t), told.velocity(X, t)
    guided = replace(told, guiding=Guiding(3.0))
    assert torch.allclose(guided.velocity(X, t), free + 3 * (inside - free), atol=1e-5)
    assert torch.equal(replace(told, guiding=Guiding(0.0)).velocity(X, t), free)
    assert torch.allclose(guided.score(X, t), model.score(X, t) + 3 * (told.score(X, t) - model.score(X, t)), atol=1e-4)
    assert told.trajectory(X, Sampler(solver=Euler(), steps=3, guidance=2)).nfe == 6


def test_a_learnt_field_is_guided_about_as_the_exact_one():
    """Exactly it would be so with a perfect network: guidance also exaggerates what a network has got wrong."""
    learnt, known = conditional("ring", 1500), exact()
    for w in (1.5, 2.0):
        one, other = (result.sample(1000, label=2, steps=25, guidance=w).end for result in (learnt, known))
        assert float((one.mean(0) - other.mean(0)).norm()) < 0.06
        assert 0.3 < float(one.std(0).norm() / other.std(0).norm()) < 1.3
        assert float(other.std(0).norm()) < 0.8 * 0.1 * math.sqrt(2)
