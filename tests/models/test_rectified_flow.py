"""Rectified flow: rounds that learn from the pairs of the one before, straighter each, and a map of one call."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from playground import Experiment, InvalidExperiment, Run, run, train
from playground.dynamics.coupling_figures import coupling_figures
from playground.dynamics.solvers import Euler, Sampler
from playground.engine.evaluation import FINE
from playground.metrics import path_figures, w2
from playground.models import FlowMatching
from playground.models import rectified_flow as module
from playground.models.base import Task
from playground.models.contracts import HasField
from playground.models.jump import Jump
from playground.models.rectified_flow import MadePairs, RectifiedFlow

QUICK = {
    "target": {"kind": "ring", "modes": 4, "radius": 3},
    "network": {"width": 16, "depth": 2, "activation": "relu", "features": 0},
    "training": {"steps": 300, "batch": 64, "decay": "inverse_sqrt"},
}
ONE = Sampler(solver=Euler(), steps=1)


def quick(training: dict | None = None, **model) -> Experiment:
    given = QUICK | {"model": {"kind": "rectified_flow", **model}}
    return Experiment.parse(given | {"training": QUICK["training"] | (training or {})})


@pytest.fixture(scope="module")
def finished() -> Run:
    """Two flows and a map; a training this short has no steps to spare for the times next to the target."""
    return run(quick(times={"kind": "uniform"}))


def straightness(finished: Run, round: int, n: int = 500) -> float:
    model = finished.trained(round)
    fine = model.trajectory(finished.starts(n), FINE)
    slopes = torch.stack([model.velocity(x, float(t)) for t, x in zip(fine.t, fine.x, strict=True)])
    return path_figures(fine.t, fine.x, slopes).straightness


# --- the declaration --------------------------------------------------------------------------------------------------


def test_it_is_declared_as_it_is_written():
    chosen = Experiment.parse({"model": {"kind": "rectified_flow", "rounds": 3, "distill": False}})
    assert (chosen.model.flows, chosen.model.distill, chosen.model.round_count) == (3, False, 3)
    assert chosen.to_dict()["model"]["rounds"] == 3
    assert Experiment.from_yaml(chosen.to_yaml()) == chosen == Experiment.from_link(chosen.to_link())
    assert RectifiedFlow(rounds=4).flows == 4
    assert set(FlowMatching.model_fields) <= set(RectifiedFlow.model_fields), "it has what flow matching has"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"rounds": 0}, "model.rounds: 0 is too small; choose at least 1."),
        ({"rounds": 5}, "model.rounds: 5 is too large; choose at most 4."),
        ({"pairs": "old"}, "model.pairs: 'old' is not one of 'fresh' or 'mixed'."),
        ({"prediction": "score"}, "a score says nothing of a flow between pairs; choose the prediction velocity."),
    ],
)
def test_what_cannot_be_is_refused(given, sentence):
    with pytest.raises(InvalidExperiment) as caught:
        quick(**given)
    assert sentence in str(caught.value)


def test_only_straight_paths_are_rectified():
    with pytest.raises(InvalidExperiment, match="path"):
        quick(path="cosine")


def test_a_map_is_told_no_condition():
    given = quick().to_dict() | {"condition": {"labels": True}}
    with pytest.raises(InvalidExperiment, match="the distilled map is told no condition; set model"):
        Experiment.parse(given)


# --- the rounds -------------------------------------------------------------------------------------------------------


def test_every_flow_is_a_round_and_so_is_the_map(finished):
    assert [record.name for record in finished.rounds] == ["flow 1", "flow 2", "distilled"]
    assert [record.steps for record in finished.rounds] == [300] * 3
    assert [isinstance(finished.trained(index), HasField) for index in range(3)] == [True, True, False]
    assert isinstance(finished.trained(), Jump)
    for rounds in (1, 4):
        only = run(quick({"steps": 2}, rounds=rounds, distill=False))
        assert [record.name for record in only.rounds] == [f"flow {number}" for number in range(1, rounds + 1)]


def test_the_first_flow_is_that_of_flow_matching(finished):
    alone = run(Experiment.parse(QUICK | {"model": {"kind": "flow_matching", "times": {"kind": "uniform"}}}))
    assert torch.equal(alone.rounds[0].last.weights["velocity"], finished.rounds[0].last.weights["velocity"])


def test_no_round_changes_an_earlier_one():
    stream = train(quick({"steps": 20}), every=0)
    before = [next(iter(taken.weights.values())).clone() for taken in stream if taken.step == 20]
    after = [next(iter(record.last.weights.values())) for record in stream.run.rounds]
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))
    assert not torch.equal(after[0], after[1])


def test_a_stop_keeps_the_finished_rounds():
    stream = train(quick({"steps": 20}), every=0)
    for taken in stream:
        if taken.round == 1 and taken.step == 5:
            break
    stream.close()
    assert [(record.name, record.steps) for record in stream.run.rounds] == [("flow 1", 20), ("flow 2", 5)]
    assert stream.run.sample(10, steps=1, round=0).x.shape == (2, 10, 2)


@pytest.mark.parametrize("target", ["ring", "two_moons", "checkerboard"])
def test_the_second_flow_is_straighter(target):
    """On three targets and over three seeds."""
    for seed in range(3):
        one = run(Experiment.parse({**quick({"seed": seed}, distill=False).to_dict(), "target": target}))
        first, second = (straightness(one, index, 300) for index in range(2))
        assert second < 0.3 * first, (seed, first, second)


def test_one_step_of_the_map_is_nearly_as_good_as_of_the_second_flow(finished):
    real = finished.real(500)
    first, second, distilled = (
        w2(finished.trained(index).trajectory(finished.starts(500), ONE).end, real) for index in range(3)
    )
    assert second < 0.5 * first
    assert distilled < 1.5 * second


def test_reflow_costs_no_more_and_leaves_less_to_bend_for(finished):
    """E|Z1 − Z0|² ≤ E|X1 − X0|², and V of the pairs falls (Liu et al. 2023, theorems 3.5 and 3.7)."""
    x0 = finished.starts(1500)
    couplings = [finished.real(1500), *(finished.trained(index).trajectory(x0, FINE).end for index in range(2))]
    figures = [coupling_figures(x0, x1) for x1 in couplings]
    assert figures[1].cost < figures[0].cost
    assert figures[2].cost < 1.05 * figures[1].cost
    assert figures[1].variance < 0.25 * figures[0].variance


def test_it_transfers_between_any_two_distributions():
    given = {**quick().to_dict(), "source": "two_moons"}
    moved = run(Experiment.parse(given))
    assert straightness(moved, 1, 300) < 0.3 * straightness(moved, 0, 300)
    one = Experiment.parse(
        {**quick({"steps": 30}).to_dict(), "target": {"kind": "gaussian_mixture", "centers": [[-2], [2]], "std": [0.2]}}
    )
    assert run(one).sample(20).end.shape == (20, 1)


def test_the_same_seed_gives_the_same_rounds():
    first, again, other = (run(quick({"steps": 40, "seed": seed})) for seed in (1, 1, 2))
    for a, b in zip(first.rounds, again.rounds, strict=True):
        assert all(torch.equal(a.last.weights[name], b.last.weights[name]) for name in a.last.weights)
    assert not torch.equal(first.rounds[-1].last.weights["map"], other.rounds[-1].last.weights["map"])


@pytest.mark.parametrize("loss", ["squared", "huber"])
@pytest.mark.parametrize("network", [{}, {"input_scaling": "standard"}, {"frequencies": 2, "activation": "silu"}])
def test_every_network_and_loss_can_be_distilled(loss, network):
    given = quick({"steps": 200}, rounds=1, distill_loss=loss).to_dict()
    one = run(Experiment.parse({**given, "network": {**QUICK["network"], **network}}))
    start, fine = one.starts(500), one.trained(0).trajectory(one.starts(500), FINE).end
    jumped = one.trained().trajectory(start, ONE)
    assert jumped.nfe == 1
    assert (jumped.end - fine).square().sum(1).mean() < 0.3 * (start - fine).square().sum(1).mean()


def test_a_conditional_flow_is_rectified_under_its_conditions():
    given = {**quick({"steps": 400}, distill=False).to_dict(), "condition": {"labels": True}}
    one = run(Experiment.parse(given))
    angle = math.pi / 2
    for label in range(4):
        ends = one.sample(100, steps=1, solver="euler", label=label).end
        modes = one.experiment.target.separate_modes().centers
        nearest = torch.cdist(ends, modes.float()).argmin(1)
        assert (nearest == label).float().mean() > 0.8, (label, angle)


# --- the pairs --------------------------------------------------------------------------------------------------------


def task_of(experiment: Experiment) -> Task:
    return Task(
        experiment.source.at(2),
        experiment.target.at(2),
        2,
        experiment.network,
        experiment.training,
        0,
        torch.device("cpu"),
        experiment.encoder,
    )


def made(finished: Run, mixed: bool, count: int = 2**14, **training) -> MadePairs:
    experiment = finished.experiment
    task = replace(task_of(experiment), optimisation=experiment.training.model_copy(update=training))
    pairs = MadePairs(task, 20, RectifiedFlow(pairs="mixed" if mixed else "fresh", pair_count=count))
    shares = list(pairs.made(experiment.model.flow_of(finished.rounds[0].last.weights, task)))
    assert shares == sorted(shares) and shares[-1] == 1
    return pairs


def test_pairs_are_the_ends_of_solutions(finished):
    flow, pairs = finished.trained(0), made(finished, mixed=False)
    z0, z1, labels = pairs.labelled(400)
    assert labels is None
    torch.testing.assert_close(z1, module.SOLUTION.integrate(flow.velocity, z0).end, rtol=0, atol=1e-5)
    assert abs(float(z0.var()) - 1) < 0.15, "they start from the source"


@pytest.mark.parametrize("count", [4096, 5000, 9001])
def test_as_many_pairs_are_made_as_are_asked_for(finished, count):
    pairs = made(finished, mixed=False, count=count)
    seen = torch.cat([pairs.labelled(1000)[0] for _ in range(4 * count // 1000 + 20)])
    assert len(seen.unique(dim=0)) <= count
    assert pairs._pool is not None and len(pairs._pool.points) == count


@pytest.mark.parametrize("count", [0, 100, 2**18])
def test_a_number_of_pairs_out_of_bounds_is_refused(count):
    with pytest.raises(InvalidExperiment, match="4096" if count < 4096 else "131072"):
        Experiment.parse({"model": {"kind": "rectified_flow", "pair_count": count}})


def test_half_of_mixed_pairs_end_on_real_points(finished):
    flow = finished.trained(0)
    z0, z1, _ = made(finished, mixed=True, points=32).labelled(2000)
    known = Run(
        finished.experiment.model_copy(
            update={"training": finished.experiment.training.model_copy(update={"points": 32})}
        )
    ).training_points()
    real = torch.cdist(z1, known, compute_mode="donot_use_mm_for_euclid_dist").amin(1) < 1e-6
    assert 0.4 < real.float().mean() < 0.6
    back = module.SOLUTION.integrate(flow.velocity, z1[real], 1.0, 0.0).end
    torch.testing.assert_close(z0[real], back, rtol=0, atol=1e-4)


def test_mixing_real_data_in_keeps_a_small_flow_nearer_to_the_data():
    """A flow too small to be right: fresh pairs teach its errors to the next, real ends do not."""
    small = {"network": {"width": 8, "depth": 1, "features": 0}, "training": {"steps": 200, "batch": 64, "rate": 0.005}}
    found = {}
    for pairs in ("fresh", "mixed"):
        model = {"kind": "rectified_flow", "rounds": 4, "distill": False, "pairs": pairs}
        one = run(Experiment.parse({**QUICK, **small, "model": model}))
        found[pairs] = w2(one.trained().trajectory(one.starts(800), FINE).end, one.real(800))
    assert found["mixed"] < found["fresh"]
