"""Trained under one prediction, weighting or spread of times, sampled as a velocity: it is the same flow."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Generator, Tensor

from playground import Experiment, InvalidExperiment, run
from playground.choice import kinds
from playground.distributions import Gaussian, Ring, TwoMoons, Uniform
from playground.dynamics.exact import ExactField, Normals
from playground.dynamics.likelihood import differentiated
from playground.dynamics.parameterization import Moments, affine, convert, interval, score_affine, weight
from playground.dynamics.paths import (
    AnyPath,
    BridgePath,
    CosinePath,
    InterpolantPath,
    LinearPath,
    SubVPPath,
    VEPath,
    VPPath,
)
from playground.dynamics.solvers import Sampler
from playground.dynamics.times import AnyTimes
from playground.models import FlowMatching
from playground.models.base import Optimisation, Task
from playground.models.contracts import HasDensity, HasField, HasScore
from playground.models.exact import moments_of
from playground.models.flow import BridgeFlow, Flow, ScoredFlow, is_standard
from playground.networks import ACTIVATIONS, Network

PREDICTIONS = ("velocity", "noise", "data", "score")
SCALINGS = ("none", "standard", "residual")
PATHS = [cls() for cls in kinds(AnyPath)]
PLAIN = [path for path in PATHS if not path.bridge]
STANDARD = Gaussian(dimension=2)
TARGET = Gaussian(mean=(1.0, -0.5), std=(1.2,), dimension=2)
DOUBLE = torch.float64


def task(source=STANDARD, target=TARGET, seed=0, network=None, **optimisation) -> Task:
    return Task(
        source=source,
        target=target,
        dim=2,
        network=Network(**{"width": 32, "depth": 2, "activation": "relu", "features": 0} | (network or {})),
        optimisation=Optimisation(**{"rate": 1e-2} | optimisation),
        seed=seed,
        device=torch.device("cpu"),
    )


def learnt(model: FlowMatching, given: Task, steps: int) -> Flow:
    (learner,) = model.rounds(given)
    for step in range(steps):
        assert learner.step(0.5 * (1 + math.cos(math.pi * step / steps))).isfinite()
    return model.trained(learner.weights(), given.network, 2, given.source)


def exact_field(path, source=STANDARD) -> ExactField:
    normal = moments_of(TARGET)
    return ExactField(
        path, moments_of(source), Normals(normal.mean[None], normal.covariance[None], torch.ones(1).double())
    )


def marginal(path, t: float, n: int = 400) -> Tensor:
    c = path.at(t)
    z = torch.randn(n, 2, generator=Generator().manual_seed(9))
    deviation = float(((c.alpha * 1.2) ** 2 + c.sigma**2 + c.gamma**2).sqrt())
    return float(c.alpha) * torch.tensor([1.0, -0.5]) + deviation * z


# --- the scalings -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: path.kind)
@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("scaling", SCALINGS)
def test_the_network_says_what_its_prediction_names(path, prediction, scaling):
    """Solving the place for F: raw values without scaling, unit variance with it."""
    n, generator = 20_000, Generator().manual_seed(0)
    x0 = torch.randn(n, 2, generator=generator, dtype=DOUBLE)
    x1 = torch.tensor([1.0, -0.5]) + 1.2 * torch.randn(n, 2, generator=generator, dtype=DOUBLE)
    moments = Moments(torch.zeros(2, dtype=DOUBLE), torch.tensor([1.0, -0.5], dtype=DOUBLE), 1.0, 1.2)
    low, high = interval(scaling, prediction, path)
    for t in torch.linspace(low, high, 4, dtype=DOUBLE)[1:3]:
        at = t.view(1, 1)
        c = path.coefficients(at)
        xt, velocity = path.point(x0, x1, at)
        place = affine(scaling, moments, path, at, prediction)
        said = (velocity - place.skip * (xt - place.center) - place.drift) / place.out
        named = {"velocity": velocity, "noise": x0, "data": x1, "score": -x0 / c.sigma}[prediction]
        if scaling == "none":
            torch.testing.assert_close(said, named, rtol=1e-6, atol=1e-6)
        else:
            assert said.std(0).tolist() == pytest.approx([1, 1], abs=0.03)
            # It is linear in what is named, once the point itself is taken off.
            design = torch.cat([named, xt, torch.ones(n, 1, dtype=DOUBLE)], dim=1)
            fitted = design @ torch.linalg.lstsq(design, said).solution
            torch.testing.assert_close(fitted, said, rtol=0, atol=1e-6)


def test_with_residual_scaling_all_predictions_are_one_but_for_the_sign_of_the_noise():
    t = torch.linspace(0, 1, 7)[:, None]
    moments = Moments(torch.zeros(2), torch.ones(2), 1.0, 2.0)
    velocity = affine("residual", moments, LinearPath(), t)
    for prediction in PREDICTIONS:
        place = affine("residual", moments, LinearPath(), t, prediction)
        assert torch.equal(place.out, -velocity.out if prediction == "noise" else velocity.out)
        assert torch.equal(place.skip, velocity.skip)
        assert place.out.isfinite().all()


def test_intervals_leave_out_where_a_prediction_says_too_little():
    assert interval("none", "velocity", LinearPath()) == (0, 1)
    assert interval("standard", "noise", LinearPath()) == pytest.approx((0.01, 1))
    assert interval("standard", "data", CosinePath()) == pytest.approx((0, 0.99), abs=1e-4)
    assert interval("none", "score", LinearPath()) == pytest.approx((0.01, 0.99))
    assert interval("standard", "score", LinearPath()) == pytest.approx((0.01, 1))
    assert interval("none", "data", SubVPPath()) == pytest.approx((0, 0.984), abs=1e-3)
    assert interval("none", "data", VPPath()) == pytest.approx((0, 0.993), abs=1e-3)
    assert interval("none", "noise", VPPath()) == (0, 0.999)
    assert interval("none", "data", VEPath()) == (0, 1)
    for prediction in PREDICTIONS:
        for path in PATHS:
            assert interval("residual", prediction, path) == (path.t_min, path.t_max)


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: path.kind)
@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_places_are_finite_on_their_interval(path, scaling, prediction):
    low, high = interval(scaling, prediction, path)
    t = torch.linspace(low, high, 101)[:, None]
    place = affine(scaling, Moments(torch.ones(2), torch.zeros(2), 1.0, 0.5), path, t, prediction)
    for value in (place.inside, place.center, place.skip, place.drift, place.out):
        assert value.isfinite().all()


def test_the_second_network_of_a_bridge_says_the_score():
    """What it is to say of pairs is −z / gamma, whose deviation `noise` makes 1."""
    path, n, generator = BridgePath(sigma=0.8), 20_000, Generator().manual_seed(0)
    x0, x1, z = torch.randn(3, n, 2, generator=generator, dtype=DOUBLE)
    moments = Moments(torch.zeros(2, dtype=DOUBLE), torch.zeros(2, dtype=DOUBLE), 1.0, 1.0)
    for t in (path.t_min, 0.3, 0.9):
        at = torch.full((1, 1), t, dtype=DOUBLE)
        xt, _ = path.point(x0, x1, at, z)
        for scaling in SCALINGS:
            place = score_affine(scaling, moments, path, at)
            said = (-z / path.coefficients(at).gamma - place.skip * xt) / place.out / place.noise
            assert said.std(0).tolist() == pytest.approx([1, 1], abs=0.03)
            if scaling == "residual":  # nothing of the point is left in it
                assert torch.corrcoef(torch.cat([said, xt], dim=1).T)[:2, 2:].abs().max() < 0.04


@pytest.mark.parametrize("path", [path for path in PATHS if path.bridge], ids=lambda path: path.kind)
@pytest.mark.parametrize("scaling", ["standard", "residual"])
def test_along_bridges_nothing_is_large_at_the_ends(path, scaling):
    """A network that errs by 1 errs by a few units of the data, though gamma' is 25 there."""
    t = torch.linspace(path.t_min, path.t_max, 101)[:, None]
    moments = Moments(torch.zeros(2), torch.zeros(2), 1.0, 1.5)
    for place in (affine(scaling, moments, path, t), score_affine(scaling, moments, path, t)):
        assert place.out.isfinite().all()
        assert place.skip.isfinite().all()
        assert (place.out.abs() < 11).all()


def test_weightings_are_the_squared_errors_that_they_name():
    """An error of F is one of the velocity, and through the conversion one of the noise and the data."""
    path, moments = CosinePath(), Moments(torch.zeros(2), torch.ones(2), 1.0, 0.7)
    t = torch.linspace(0.1, 0.9, 5, dtype=DOUBLE)[:, None]
    c, place = path.coefficients(t), affine("residual", moments, path, t)
    x, value, error = torch.randn(3, 5, 2, generator=Generator().manual_seed(0), dtype=DOUBLE)
    torch.testing.assert_close(weight("unit", c, place), torch.ones_like(t))
    for name in ("velocity", "noise", "data"):
        before = convert(value, x, "velocity", name, c)
        after = convert(value + place.out * error, x, "velocity", name, c)
        torch.testing.assert_close((after - before) ** 2, weight(name, c, place) * error**2)
    snr = (c.alpha / c.sigma) ** 2
    data = weight("data", c, place)
    torch.testing.assert_close(weight("noise", c, place), snr * data)
    torch.testing.assert_close(weight("min_snr", c, place), snr.clamp(max=5) * data)


# --- learning ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scaling", ["none", "standard"])
@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_every_prediction_learns_the_same_flow(prediction, scaling):
    path = VPPath()
    # Raw scores grow without bound where the noise is small, unless an error counts as one of the noise.
    weighting = "noise" if (prediction, scaling) == ("score", "none") else "unit"
    model = FlowMatching(path=path, prediction=prediction, weighting=weighting, times="uniform")
    flow = learnt(model, task(network={"input_scaling": scaling}), 500)
    field = exact_field(path)
    for t in (0.3, 0.6):
        x = marginal(path, t)
        expected = field.velocity(x, t)
        error = (flow.velocity(x, t) - expected).square().mean().sqrt()
        assert float(error) < 0.3 * float(expected.square().mean().sqrt() + 0.5), t
    end = flow.trajectory(STANDARD.sample(2000, Generator().manual_seed(1)), Sampler(steps=60)).end
    assert end.mean(0).tolist() == pytest.approx([1, -0.5], abs=0.15)
    assert end.std(0).tolist() == pytest.approx([1.2, 1.2], abs=0.2)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.kind)
def test_every_path_carries_the_source_to_the_target(path):
    flow = learnt(FlowMatching(path=path), task(), 300)
    end = flow.trajectory(STANDARD.sample(4000, Generator().manual_seed(1)), Sampler(steps=60)).end
    assert end.mean(0).tolist() == pytest.approx([1, -0.5], abs=0.12)
    assert end.std(0).tolist() == pytest.approx([1.2, 1.2], abs=0.12)


@pytest.mark.parametrize("weighting", ["unit", "velocity", "noise", "data", "min_snr"])
@pytest.mark.parametrize("times", [cls() for cls in kinds(AnyTimes)], ids=lambda times: times.kind)
def test_every_weighting_and_spread_of_times(weighting, times):
    model = FlowMatching(weighting=weighting, times=times)
    flow = learnt(model, task(), 150)
    end = flow.trajectory(STANDARD.sample(2000, Generator().manual_seed(1)), Sampler(steps=20)).end
    assert end.std(0).tolist() == pytest.approx([1.2, 1.2], abs=0.2)


@pytest.mark.parametrize("coupling", ["optimal_transport", "sinkhorn", "class_optimal_transport"])
def test_every_coupling_carries_the_source_to_the_target(coupling):
    experiment = Experiment.parse({"model": {"kind": "flow_matching", "coupling": coupling, "times": "uniform"}})
    flow = learnt(experiment.model, task(target=Ring(modes=3)), 300)
    x0 = STANDARD.sample(1000, Generator().manual_seed(1))
    moved = flow.trajectory(x0, Sampler(steps=20)).end
    assert float((moved.norm(dim=1) - 2).abs().mean()) < 0.3
    cost = float((moved - x0).square().sum(1).mean())
    assert cost < (3.5 if coupling != "class_optimal_transport" else 7)


def test_shares_of_the_times_are_those_of_their_distribution():
    (learner,) = FlowMatching(times="logit_normal", path=VPPath()).rounds(task())
    t = learner._times(100)
    logit = torch.logit(t / VPPath().t_max)
    assert float(logit.mean()) == pytest.approx(0, abs=0.02)
    assert float(logit.std()) == pytest.approx(1, abs=0.02)


# --- what a trained flow can do ---------------------------------------------------------------------------------------


def test_the_score_of_a_flow_from_standard_noise():
    flow = learnt(FlowMatching(), task(), 300)
    assert isinstance(flow, ScoredFlow)
    assert isinstance(flow, HasScore)
    field = exact_field(LinearPath())
    for t in (0.1, 0.5, 0.8):
        x = marginal(LinearPath(), t)
        expected = field.score(x, t)
        error = (flow.score(x, t) - expected).square().mean().sqrt()
        assert float(error) < 0.15 * float(expected.square().mean().sqrt())


@pytest.mark.parametrize("source", [Gaussian(dimension=2, std=(0.8,)), Gaussian(dimension=2)])
@pytest.mark.parametrize("path", [BridgePath(sigma=0.8), InterpolantPath(amount=0.8)], ids=lambda path: path.kind)
def test_the_two_heads_of_a_bridge(path, source):
    """Velocity and score, the latter from any source."""
    flow = learnt(FlowMatching(path=path), task(source=source, batch=512), 500)
    assert isinstance(flow, BridgeFlow)
    assert isinstance(flow, HasScore)
    field = exact_field(path, source)
    for t in (0.3, 0.5, 0.7):
        x = marginal(path, t)
        for found, expected in ((flow.velocity(x, t), field.velocity(x, t)), (flow.score(x, t), field.score(x, t))):
            assert float((found - expected).square().mean().sqrt()) < 0.2 * float(expected.square().mean().sqrt() + 0.3)
    assert set(flow.describe()["networks"]) == {"velocity", "score"}


def test_protocols_are_offered_where_they_hold():
    (learner,) = FlowMatching().rounds(task())
    weights, network = learner.weights(), task().network
    for source, has_score in (
        (STANDARD, True),
        (Gaussian(dimension=2, std=(2,)), False),
        (Uniform(dimension=2), False),
    ):
        flow = FlowMatching().trained(weights, network, 2, source)
        assert isinstance(flow, HasField)
        assert isinstance(flow, HasDensity)
        assert isinstance(flow, HasScore) == has_score
        assert flow.log_prob(torch.zeros(3, 2)).shape == (3,)
    unknown = FlowMatching().trained(weights, network, 2)
    assert unknown.log_prob(torch.zeros(3, 2)) is None
    assert unknown.log_prob_along(torch.zeros(3, 2), Sampler(steps=2)) is None
    thin = TwoMoons(noise=0.0)
    assert FlowMatching().trained(weights, network, 2, thin).log_prob(torch.zeros(3, 2)) is None


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (Gaussian(dimension=2), True),
        (Gaussian(), False),
        (Gaussian(mean=(0, 0.1)), False),
        (Gaussian(std=(1, 1)), True),
        (Gaussian(std=(1, 2)), False),
        (Gaussian(correlation=0.1), False),
        (Uniform(dimension=2), False),
    ],
)
def test_what_is_standard_noise(source, expected):
    assert is_standard(source) == expected


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("prediction", ["velocity", "noise"])
def test_divergences_are_those_of_the_field(activation, prediction):
    model, given = FlowMatching(prediction=prediction, path=VPPath()), task(network={"activation": activation})
    flow = learnt(model, given, 5)
    x = torch.randn(30, 2, generator=Generator().manual_seed(0))
    for t in (0.2, 0.8):
        velocity, divergence = flow.diverging(x, t)
        expected = differentiated(flow.velocity)(x, t)
        torch.testing.assert_close(velocity, expected[0])
        torch.testing.assert_close(divergence, expected[1], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("path", [LinearPath(), VEPath(), BridgePath()], ids=lambda path: path.kind)
def test_the_density_of_a_flow_integrates_to_one_and_is_that_of_its_samples(path):
    flow = learnt(FlowMatching(path=path), task(network={"activation": "silu"}), 200)
    axis = torch.linspace(-6, 8, 71)
    grid = torch.cartesian_prod(axis, axis)
    density = flow.log_prob(grid).exp()
    assert float(density.sum() * 0.2**2) == pytest.approx(1, abs=0.01)
    # The mean of the samples is that of the density.
    end = flow.trajectory(STANDARD.sample(20_000, Generator().manual_seed(0)), Sampler(steps=60)).end
    mean = (density[:, None] * grid).sum(0) * 0.2**2
    torch.testing.assert_close(end.mean(0), mean, rtol=0, atol=0.05)
    assert float(-flow.log_prob(end[:2000]).mean()) == pytest.approx(
        -float((density * density.log()).sum() * 0.2**2), abs=0.1
    )


def test_log_densities_along_a_path_end_where_they_should():
    flow = learnt(FlowMatching(), task(network={"activation": "silu"}), 100)
    x0 = STANDARD.sample(50, Generator().manual_seed(0))
    moved, along = flow.log_prob_along(x0, Sampler(solver="rk4", steps=100))
    torch.testing.assert_close(along[0], STANDARD.log_prob(x0))
    torch.testing.assert_close(along[-1], flow.log_prob(moved.end), rtol=0, atol=1e-2)
    assert torch.equal(moved.start, x0)


def test_a_bounded_source_leaves_points_without_density():
    given = {
        "source": "checkerboard",
        "target": "ring",
        "training": {"steps": 50},
        "network": {"width": 16, "depth": 1},
    }
    measured = run(Experiment.parse(given)).metrics(n=200)
    assert 0.2 < measured["nll_outside"] < 0.8
    assert measured["nll"] is not None


# --- bad input --------------------------------------------------------------------------------------------------------


def refused(**data) -> str:
    with pytest.raises(InvalidExperiment) as caught:
        Experiment.parse(data)
    return str(caught.value)


@pytest.mark.parametrize("source", ["uniform", "two_moons", {"kind": "gaussian", "std": 2}])
def test_a_score_from_another_source_is_refused(source):
    sentence = refused(source=source, model={"kind": "flow_matching", "prediction": "score"})
    assert sentence.startswith("the score can be predicted only where the source is a standard gaussian")
    assert sentence.endswith("choose that source, or the prediction velocity.")
    assert Experiment.parse({"model": {"kind": "flow_matching", "prediction": "score"}}).model.prediction == "score"


def test_a_bridge_predicts_its_velocity():
    bridge = {"kind": "flow_matching", "path": "bridge"}
    assert "the network predicts a velocity, and a second one the score" in refused(
        model=bridge | {"prediction": "data"}
    )
    assert "has no meaning along bridges" in refused(model=bridge | {"weighting": "min_snr"})
    assert Experiment.parse({"model": bridge | {"weighting": "velocity"}}).model.path.sigma == 0.5


def test_remarks_name_the_mismatch():
    assert FlowMatching().remarks(STANDARD, TARGET) == []
    (remark,) = FlowMatching(path=VEPath()).remarks(STANDARD, TARGET)
    assert remark == VEPath().mismatch
