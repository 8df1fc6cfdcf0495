"""The figures of a run: complete, null where there is none, and right where they are known."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from playground import Experiment, Run
from playground.distributions import DISTRIBUTIONS, Drawing, Gaussian
from playground.dynamics.solvers import Sampler
from playground.engine.evaluation import EVALUATIONS, MAX_POINTS, likelihood, measure
from playground.engine.history import Snapshot
from playground.engine.record import Round
from playground.trajectory import Trajectory

KEYS = {
    "by_nfe",
    "floor",
    "straightness",
    "npe",
    "transport_cost",
    "optimal_cost",
    "optimal_cost_error",
    "modes_covered",
    "modes_total",
    "modes_covered_strict",
    "high_quality",
    "spread",
    "nll",
    "nll_outside",
    "nll_unsolved",
    "kl",
    "kl_error",
    "entropy",
    "training_loss",
    "held_out_loss",
    "nearest",
    "nearest_floor",
    "copied",
    "copied_floor",
    "facts",
}
DISTANCES = {"sliced_w2", "w2", "energy_distance"}
SHARPNESS = {"sample_kl", "stray", "missed"}


@dataclass(frozen=True)
class Shift:
    """An exact constant field: every particle moves by `by`."""

    by: Tensor

    def velocity(self, x: Tensor, t: float) -> Tensor:
        return self.by.expand_as(x)

    def trajectory(self, x0: Tensor, sampler: Sampler, seed: int = 0) -> Trajectory:
        return sampler.integrate(self.velocity, x0)

    def describe(self) -> None:
        return None


@dataclass(frozen=True)
class Jump:
    """A one-shot model, which has no field to be measured."""

    by: Tensor

    def trajectory(self, x0: Tensor, sampler: Sampler, seed: int = 0) -> Trajectory:
        return Trajectory(t=torch.tensor([0.0, 1.0]), x=torch.stack([x0, x0 + self.by]), nfe=1)

    def describe(self) -> None:
        return None


@dataclass
class Stub(Run):
    """A run of any model."""

    model: object = None

    def trained(self, round: int = -1, snapshot: int | None = None) -> object:
        return self.model


def of(model: object, **given) -> Stub:
    return Stub(Experiment.parse(given), model=model)


@pytest.fixture(scope="module")
def measured(small_run):
    return small_run.metrics(n=300, every_w2=True)


def test_every_figure_is_there(measured):
    assert set(measured) == KEYS
    assert EVALUATIONS == (1, 2, 4, 8, 16, 32, 100)
    assert list(measured["by_nfe"]) == [str(nfe) for nfe in EVALUATIONS]
    for row in (*measured["by_nfe"].values(), measured["floor"]):
        assert set(row) == DISTANCES | SHARPNESS
        assert all(row[name] > 0 for name in DISTANCES)
    assert json.loads(json.dumps(measured, allow_nan=False)) == measured


def test_the_exact_distance_is_on_request_where_it_is_rarely_read(measured, small_run):
    found = small_run.metrics(n=300)
    assert [row["w2"] is None for row in found["by_nfe"].values()] == [True] * 6 + [False]
    for row, whole in zip(found["by_nfe"].values(), measured["by_nfe"].values(), strict=True):
        assert row == whole | {"w2": row["w2"]}
    assert found["by_nfe"]["100"] == measured["by_nfe"]["100"]
    assert found["floor"] == measured["floor"]


def test_a_run_that_has_learnt_is_better_than_nothing(measured, small_run):
    distances = measured["by_nfe"]
    assert distances["100"]["sliced_w2"] < distances["2"]["sliced_w2"] < distances["1"]["sliced_w2"]
    assert distances["100"]["sliced_w2"] > 0.3 * measured["floor"]["sliced_w2"]
    assert measured["modes_total"] == 5
    assert measured["entropy"] < measured["nll"] < measured["entropy"] + 2
    assert measured["nll_outside"] == measured["nll_unsolved"] == 0
    assert 3 * measured["kl_error"] < measured["kl"] == pytest.approx(distances["100"]["sample_kl"], rel=0.3)
    assert measured["kl"] == pytest.approx(measured["nll"] - measured["entropy"], abs=0.3), "within the chance of both"
    assert distances["1"]["sample_kl"] > distances["100"]["sample_kl"]
    assert distances["1"]["stray"] > distances["100"]["stray"] > measured["floor"]["stray"]
    assert measured["spread"] > 1.1
    assert measured["modes_covered_strict"] <= measured["modes_covered"] <= 5
    assert 0 < measured["high_quality"] <= 1
    assert measured["entropy"] == pytest.approx(small_run.experiment.target.entropy())
    assert measured["straightness"] > 0
    assert measured["transport_cost"] > 0
    assert measured["npe"] > 0


def test_it_does_not_depend_on_the_sampler_of_the_experiment(measured, small_run):
    sampler = Sampler(solver="rk4", steps=3)
    other = Run(small_run.experiment.model_copy(update={"sampler": sampler}), rounds=small_run.rounds)
    assert other.metrics(n=300, every_w2=True) == measured


def test_a_constant_field_is_straight():
    by = torch.tensor([3.0, -1.0])
    found = measure(of(Shift(by), target={"kind": "gaussian", "mean": [3, -1]}), n=500, every_w2=True)
    assert found["straightness"] == pytest.approx(0, abs=1e-9)
    assert found["transport_cost"] == pytest.approx(10, rel=1e-4)
    assert found["npe"] == pytest.approx(0, abs=0.1), "a shift is the optimal transport"
    distances = list(found["by_nfe"].values())
    for row in distances:
        assert row == pytest.approx(distances[0], rel=1e-3, abs=1e-3), "one step is as good as a hundred"
        for name, value in row.items():
            assert value < 3 * found["floor"][name]
    assert found["entropy"] == pytest.approx(math.log(2 * math.pi * math.e))


def test_a_model_that_stands_still_is_as_far_as_the_source_is():
    found = measure(of(Shift(torch.zeros(2)), target={"kind": "gaussian", "mean": [3, 4]}), n=500, every_w2=True)
    assert found["straightness"] == found["transport_cost"] == 0
    assert found["npe"] == pytest.approx(1)
    for row in found["by_nfe"].values():
        assert row["w2"] == pytest.approx(5, abs=0.3)
        assert row["sliced_w2"] == pytest.approx(5 / math.sqrt(2), abs=0.3)


def test_a_model_without_a_field_has_no_path_figures():
    found = measure(of(Jump(torch.zeros(2)), target="ring"), n=50)
    assert list(found["by_nfe"]) == ["1"]
    assert (found["straightness"], found["npe"], found["transport_cost"]) == (None, None, None)
    assert set(found) == KEYS


@pytest.mark.parametrize("target", ["checkerboard", "two_moons", {"kind": "gaussian_mixture", "std": 5}])
def test_targets_without_separate_modes_have_none_to_cover(target):
    found = measure(of(Shift(torch.zeros(2)), target=target), n=20)
    assert [found[name] for name in ("modes_covered", "modes_total", "modes_covered_strict", "high_quality")] == [
        None
    ] * 4
    assert found["entropy"] is not None


def test_a_target_without_a_density_has_no_entropy():
    found = measure(of(Shift(torch.zeros(2)), target={"kind": "two_moons", "noise": 0}), n=20)
    assert found["entropy"] is None


def test_the_target_itself_covers_all_its_modes():
    """Source and target are one: all modes, strictly, and as much quality as a real sample has."""
    found = measure(of(Shift(torch.zeros(2)), source="ring", target="ring"), n=500)
    assert found["modes_covered"] == found["modes_covered_strict"] == found["modes_total"] == 8
    assert found["high_quality"] == pytest.approx(0.9889, abs=0.01)
    assert found["spread"] == pytest.approx(1, abs=0.05)


def test_in_one_dimension_the_sliced_distance_is_the_exact_one():
    found = measure(
        of(Shift(torch.tensor([1.0])), target={"kind": "gaussian", "dimension": 1, "mean": 1}), n=200, every_w2=True
    )
    for row in (*found["by_nfe"].values(), found["floor"]):
        assert row["sliced_w2"] == pytest.approx(row["w2"])


def test_samples_that_are_not_finite_have_no_distance():
    found = measure(of(Shift(torch.tensor([math.inf, math.nan])), target="ring"), n=20)
    assert all(value is None for row in found["by_nfe"].values() for value in row.values())
    assert (found["straightness"], found["npe"], found["transport_cost"]) == (None, None, None)
    assert found["high_quality"] == 0
    assert found["floor"]["w2"] > 0
    json.dumps(found, allow_nan=False)


def test_the_newest_snapshot_is_measured(small_run, measured):
    first = small_run.rounds[0].history[0]
    early = Run(small_run.experiment, rounds=[Round("flow", 300)])
    early.rounds[0].history.add(Snapshot(0, 0, 0, 0, 0.0, (), first.weights))
    untrained = early.metrics(n=300)
    assert untrained["by_nfe"]["100"]["sliced_w2"] > 1.3 * measured["by_nfe"]["100"]["sliced_w2"]
    assert untrained["floor"] == measured["floor"]


@pytest.mark.parametrize("n", [-1, 0, 9, MAX_POINTS + 1, 10**9])
def test_sizes_out_of_bounds_get_a_sentence(small_run, n):
    with pytest.raises(ValueError, match=rf"n: {n} is out of bounds; choose from 10 to 5,000\."):
        small_run.metrics(n=n)


def test_a_round_that_is_not_there_gets_a_sentence(small_run):
    with pytest.raises(ValueError, match="there is no round 3"):
        small_run.metrics(n=20, round=3)
    with pytest.raises(ValueError, match="this run has 0 trained rounds"):
        Run(Experiment()).metrics(n=20)


def test_likelihoods_are_counted_by_kind():
    """Density where there is one, infinite where a real point has none, and what could not be solved left out."""
    target = Gaussian(dimension=1)
    real = target.sample(400, torch.Generator().manual_seed(0))

    class Dense:
        def __init__(self, spoilt):
            self.spoilt = spoilt

        def log_prob(self, x):
            return torch.cat([x.new_full((100,), self.spoilt), Gaussian(dimension=1, std=2).log_prob(x[100:])])

    exact = math.log(2) + 1 / 8 - 0.5
    found = likelihood(Dense(math.nan), target, real)
    assert (found["nll_outside"], found["nll_unsolved"]) == (0, 0.25)
    assert found["kl"] == pytest.approx(exact, abs=4 * found["kl_error"])
    assert 0.005 < found["kl_error"] < 0.05
    outside = likelihood(Dense(-math.inf), target, real)
    assert (outside["nll_outside"], outside["kl"], outside["kl_error"]) == (0.25, None, None)
    assert set(likelihood(object(), target, real).values()) == {None}


@pytest.mark.parametrize(
    "kind", [kind for kind in DISTRIBUTIONS if kind is not Drawing], ids=lambda kind: kind.kind_name()
)
def test_real_points_have_a_density_under_their_target(kind):
    settled = kind() if kind().dim else kind().at(2)
    found = settled.log_prob(settled.sample(50_000, torch.Generator().manual_seed(0)).double())
    assert found is None or bool(found.isfinite().all())
