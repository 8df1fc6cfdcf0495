"""The exact model: one snapshot, no training, the closed form; and what it is refused for."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from playground import Experiment, InvalidExperiment, Run, run, train
from playground.choice import kinds
from playground.distributions import DISTRIBUTIONS, Gaussian
from playground.dynamics.likelihood import differentiated
from playground.dynamics.likelihood import log_prob as by_change_of_variables
from playground.dynamics.paths import AnyPath
from playground.metrics import sliced_w2
from playground.models.contracts import HasDensity, HasField, HasScore
from playground.models.exact import MOST_IN_BROWSER, POINTS, mixture_of, moments_of

PATHS = [cls().kind for cls in kinds(AnyPath)]


def exact(**given) -> Run:
    model = {"kind": "exact"} | given.pop("model", {})
    return run(Experiment.parse({"target": {"kind": "ring", "modes": 5}, "model": model} | given))


def test_one_snapshot_and_it_is_done():
    training = train(Experiment.parse({"model": "exact", "training": {"seconds": 5}}))
    (snapshot,) = training
    assert (snapshot.id, snapshot.step, snapshot.losses) == (0, 0, ())
    record = training.run.rounds[0]
    assert (record.name, record.steps, training.run.failure) == ("exact", 0, None)
    with pytest.raises(ValueError, match="nothing to learn"):
        training.extend()


def test_it_can_do_all_that_a_trained_flow_can():
    model = exact().trained()
    assert isinstance(model, HasField)
    assert isinstance(model, HasScore)
    assert isinstance(model, HasDensity)


@pytest.mark.parametrize("path", PATHS)
def test_its_samples_are_as_good_as_real_ones(path):
    result = exact(model={"path": path})
    distances = [sliced_w2(result.sample(1500, steps=30, seed=seed).end, result.real(1500, seed)) for seed in range(3)]
    floor = [sliced_w2(result.real(1500, seed), result.real(1500, seed + 10)) for seed in range(6)]
    assert np.mean(distances) < 2 * np.mean(floor)


def test_with_points_every_particle_ends_on_one():
    result = exact(target="two_moons", model={"points": 40})
    weights = result.round().last.weights
    assert weights["centers"].shape == (40, 2)
    ends = result.sample(500, steps=50).end
    assert float(torch.cdist(ends, weights["centers"]).amin(1).quantile(0.9)) < 0.03


def test_points_are_the_training_points_where_those_are_limited():
    result = exact(training={"points": 30}, model={})
    centers = result.round().last.weights["centers"]
    assert torch.equal(centers, result.training_points())
    few = exact(training={"points": 30}, model={"points": 10}).round().last.weights["centers"]
    assert torch.equal(few, centers[:10])


def test_a_target_that_is_no_mixture_is_stood_for_by_points():
    result = exact(target="checkerboard")
    assert len(result.round().last.weights["centers"]) == POINTS
    model, source, target = result.experiment.model, Gaussian(dimension=2), result.experiment.target
    assert model.remarks(source, target) == [
        "Checkerboard is no mixture of Gaussians: 512 points of it stand for its density, so that all other "
        "real points are very unlikely."
    ]


@pytest.mark.parametrize("cls", DISTRIBUTIONS, ids=lambda cls: cls.kind_name())
def test_a_mixture_has_the_density_of_its_target(cls):
    target = cls() if cls().dim else cls().at(2)
    found = mixture_of(target)
    if found is None:
        assert cls.kind_name() not in ("gaussian", "ring", "two_scale", "two_moons", "spirals", "comb")
        return
    x, d = target.sample(100, Generator().manual_seed(0)).double(), target.dim
    spreads = found.covariances.expand(len(found.centers), d, d)
    parts = torch.distributions.MultivariateNormal(found.centers, spreads)
    expected = torch.logsumexp(parts.log_prob(x[:, None]) + found.weights.log(), 1)
    torch.testing.assert_close(target.log_prob(x), expected, rtol=1e-4, atol=1e-4)
    assert float(found.weights.sum()) == pytest.approx(1)


def test_the_moments_of_a_gaussian_are_those_of_its_samples():
    gaussian = Gaussian(mean=(1, -2), std=(0.5, 2), correlation=0.6)
    x = gaussian.sample(200_000, Generator().manual_seed(0)).double()
    found = moments_of(gaussian)
    torch.testing.assert_close(found.mean, x.mean(0), rtol=0, atol=0.02)
    torch.testing.assert_close(found.covariance, torch.cov(x.T), rtol=0.02, atol=0.02)
    with pytest.raises(TypeError, match="not a settled gaussian"):
        moments_of(Gaussian())


@pytest.mark.parametrize("source", ["gaussian", {"kind": "gaussian", "std": [0.5, 2], "correlation": 0.5}])
def test_its_density_is_that_of_its_flow(source):
    result = exact(source=source, target={"kind": "two_scale", "narrow": 0.2})
    model, x = result.trained(), result.real(40)
    start = result.experiment.source.at(2).log_prob
    found = by_change_of_variables(differentiated(model.velocity), start, x, model.interval)
    torch.testing.assert_close(found, model.log_prob(x), rtol=0, atol=0.02)


def test_its_likelihood_is_the_entropy():
    measured = exact(target="two_moons").metrics(n=1500)
    assert measured["nll"] == pytest.approx(measured["entropy"], abs=0.1)
    assert measured["nll_outside"] == 0
    assert measured["straightness"] > 0.1


def test_points_learnt_by_heart_are_unlikely_elsewhere():
    measured = exact(target="two_moons", model={"points": 20}).metrics(n=300)
    assert measured["nll"] > measured["entropy"] + 10


@pytest.mark.parametrize("dim", [1, 3])
def test_in_one_and_three_dimensions(dim):
    target = {"kind": "gaussian_mixture", "centers": [[-1.0] * dim, [1.0] * dim], "std": [0.2, 0.4]}
    result = exact(target=target)
    assert result.sample(200, steps=10).end.shape == (200, dim)
    told = result.trained().describe()
    assert told["dim"] == dim
    assert told["mixture"]["covariances"]["shape"] == [2, dim, dim]


def test_it_survives_a_file(tmp_path):
    result = exact(target="two_moons", model={"path": "bridge"})
    result.save(tmp_path)
    again = Run.load(tmp_path)
    assert torch.equal(again.sample(50, steps=5).end, result.sample(50, steps=5).end)


def test_weights_of_another_model_are_refused():
    weights = exact().round().last.weights
    model = Experiment.parse({"model": "exact"}).model
    for name, wrong in (("source", torch.zeros(3)), ("centers", torch.zeros(4, 3))):
        with pytest.raises(ValueError, match="another model"):
            model.trained(weights | {name: wrong}, Experiment().network, 2)


# --- for another runtime ----------------------------------------------------------------------------------------------


def read(wire: dict) -> np.ndarray:
    return np.frombuffer(base64.b64decode(wire["f32"]), "<f4").reshape(wire["shape"]).astype(float)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("target", ["two_scale", "checkerboard"])
def test_the_description_is_enough_to_compute_the_field(path, target):
    """With numpy, from the JSON text alone."""
    source = {"kind": "gaussian", "mean": [0.5, 0], "std": [0.7, 1.2], "correlation": -0.4}
    model = exact(source=source, target=target, model={"path": path}).trained()
    told = json.loads(json.dumps(model.describe(), allow_nan=False))
    centers, covariances = read(told["mixture"]["centers"]), read(told["mixture"]["covariances"])
    weights, mean0 = np.array(told["mixture"]["weights"]), np.array(told["source"]["mean"])
    covariance0, table = np.array(told["source"]["covariance"]), told["path"]["table"]
    low, high = told["path"]["t_min"], told["path"]["t_max"]
    assert (low, high) == model.interval

    def velocity(x: np.ndarray, at: int) -> np.ndarray:
        a, s, g, da, ds, dg = (table[key][at] for key in ("alpha", "sigma", "gamma", "d_alpha", "d_sigma", "d_gamma"))
        spread = a**2 * covariances + s**2 * covariance0 + g**2 * np.eye(2)
        cross = da * a * covariances + ds * s * covariance0 + dg * g * np.eye(2)
        apart = x[:, None] - a * centers - s * mean0
        pull = np.linalg.solve(spread, apart[..., None])[..., 0]
        logs = np.log(weights) - 0.5 * np.linalg.slogdet(spread)[1] - 0.5 * (apart * pull).sum(2)
        share = np.exp(logs - logs.max(1, keepdims=True))
        share /= share.sum(1, keepdims=True)
        means = da * centers + ds * mean0 + np.einsum("kij,nkj->nki", cross, pull)
        return (share[..., None] * means).sum(1)

    x = 2 * torch.randn(30, 2, generator=Generator().manual_seed(0))
    inside = [k for k, t in enumerate(table["t"]) if low <= t <= high]
    for at in (inside[0], inside[len(inside) // 3], inside[-20]):
        expected = model.velocity(x, table["t"][at]).numpy()
        np.testing.assert_allclose(
            velocity(x.numpy(), at), expected, rtol=5e-3, atol=1e-6 + 5e-3 * np.abs(expected).max()
        )


def test_more_components_than_the_browser_takes_are_not_described():
    assert exact(target="two_moons", model={"points": MOST_IN_BROWSER}).trained().describe() is not None
    assert exact(target="two_moons", model={"points": MOST_IN_BROWSER + 1}).trained().describe() is None


# --- bad input --------------------------------------------------------------------------------------------------------


def test_a_source_that_is_not_gaussian_is_refused():
    with pytest.raises(InvalidExperiment) as caught:
        Experiment.parse({"source": "two_moons", "model": "exact"})
    assert str(caught.value) == (
        "the exact field is known for a gaussian source, not for two_moons; "
        "choose the source gaussian, or the model flow_matching."
    )


def test_the_step_is_not_for_anyone():
    model = Experiment.parse({"model": "exact"}).model
    from playground.models.base import Optimisation, Task
    from playground.networks import Network

    source, target = Gaussian(dimension=2), Gaussian(dimension=2, mean=(1, 1))
    (learner,) = model.rounds(Task(source, target, 2, Network(), Optimisation(), 0, torch.device("cpu")))
    with pytest.raises(NotImplementedError):
        learner.step(1.0)
    assert all(isinstance(values, Tensor) and values.dtype == torch.float32 for values in learner.weights().values())
