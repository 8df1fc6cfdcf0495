"""Normalizing flows: inverse, determinant and density against independent truths, for every kind of layer."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from playground import Experiment, InvalidExperiment, Run, run
from playground.choice import kinds
from playground.distributions import Gaussian
from playground.engine import presets
from playground.experiment import TrainingSettings
from playground.metrics import sliced_w2
from playground.models.base import Task
from playground.models.contracts import HasDensity
from playground.models.normalizing.layers import AnyArchitecture, Glow, Iaf, Maf, NeuralSpline, RealNvp, Stack
from playground.models.normalizing.model import LikelihoodLearner, NormalizingFlow
from playground.networks import Network

ARCHITECTURES = kinds(AnyArchitecture)
NETWORK = Network(width=16, depth=2, activation="tanh")


def bent(architecture, dim: int = 2) -> Stack:
    """Layers far from the identity, in double precision."""
    stack = Stack(architecture, dim, NETWORK)
    generator = Generator().manual_seed(1)
    weights = stack.initial(generator)
    stack.read(weights + 0.3 * torch.randn(len(weights), generator=generator))
    return stack.double()


def points(n: int, dim: int = 2) -> torch.Tensor:
    return 1.5 * torch.randn(n, dim, generator=Generator().manual_seed(2), dtype=torch.float64)


ROUNDING = 4e-6
"""What single precision loses in a stack of layers."""


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("kind", ARCHITECTURES, ids=lambda kind: kind.kind_name())
@torch.no_grad()
def test_there_and_back_is_the_identity(kind, dim) -> None:
    stack, x = bent(kind(), dim), points(50, dim)
    z, _ = stack.to_noise(x)
    assert float((z - x).abs().max()) > 0.1
    (*_, back) = stack.from_noise(z)
    torch.testing.assert_close(back, x, rtol=0, atol=ROUNDING)
    (*_, there) = stack.from_noise(x)
    torch.testing.assert_close(stack.to_noise(there)[0], x, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("kind", ARCHITECTURES, ids=lambda kind: kind.kind_name())
def test_the_determinant_is_that_of_automatic_differentiation(kind, dim) -> None:
    stack, x = bent(kind(), dim), points(12, dim)
    _, change = stack.to_noise(x)
    for point, found in zip(x, change, strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda y: stack.to_noise(y[None])[0][0], point)
        assert float(found.detach()) == pytest.approx(float(jacobian.det().abs().log()), abs=1e-6)


@pytest.mark.parametrize("kind", ARCHITECTURES, ids=lambda kind: kind.kind_name())
def test_a_density_has_mass_one_and_is_that_of_its_samples(kind) -> None:
    given = {
        "target": "two_moons",
        "source": {"kind": "gaussian", "mean": [0.5, 0], "std": [0.7, 1.3]},
        "model": {"kind": "normalizing_flow", "architecture": {"kind": kind.kind_name(), "layers": 3}},
        "network": {"width": 16, "depth": 2},
        "training": {"steps": 60},
    }
    result = run(Experiment.parse(given))
    model = result.trained()
    assert isinstance(model, HasDensity)
    ends = result.sample(4000).end
    low, high = ends.amin(0) - 1.5, ends.amax(0) + 1.5
    axes = [torch.linspace(float(a), float(b), 300) for a, b in zip(low, high, strict=True)]
    mass = model.log_prob(torch.cartesian_prod(*axes)).exp() * float(
        (axes[0][1] - axes[0][0]) * (axes[1][1] - axes[1][0])
    )
    assert float(mass.sum()) == pytest.approx(1, abs=0.03)
    inside = (torch.cartesian_prod(*axes)[:, 0] < 0).double() @ mass.double()
    assert float(inside) == pytest.approx(float((ends[:, 0] < 0).double().mean()), abs=0.04)


@pytest.mark.parametrize("kind", ARCHITECTURES, ids=lambda kind: kind.kind_name())
def test_it_learns(kind) -> None:
    model = {"kind": "normalizing_flow", "architecture": {"kind": kind.kind_name(), "layers": 4}}
    training = {"steps": 120, "batch": 256, "decay": "inverse_sqrt"}
    result = run(
        Experiment.parse(
            {
                "target": "two_moons",
                "model": model,
                "network": {"width": 32, "activation": "relu"},
                "training": training,
            }
        )
    )
    x = result.real(1000)
    losses = [-float(result.trained(snapshot=which).log_prob(x).mean()) for which in (0, None)]
    assert losses[1] < losses[0] - 0.4
    assert sliced_w2(result.sample(1000).end, x) < 0.6 * sliced_w2(result.sample(1000, snapshot=0).end, x)


@pytest.mark.parametrize("kind", [RealNvp, NeuralSpline])
def test_its_trajectory_goes_layer_by_layer(kind) -> None:
    model = NormalizingFlow(architecture=kind(layers=4))
    result = run(Experiment.parse({"target": "ring", "model": model.model_dump(), "training": {"steps": 3}}))
    found = result.sample(20)
    assert found.axis == "layer" and found.t.tolist() == [0, 1, 2, 3, 4]
    assert torch.equal(found.start, result.starts(20))
    assert found.nfe == (8 if kind is NeuralSpline else 4)


def test_what_a_point_costs_in_each_direction() -> None:
    costs = {
        kind: [kind(layers=5).evaluations(3, way) for way in ("sampling", "density")]
        for kind in (RealNvp, Glow, Maf, Iaf, NeuralSpline)
    }
    assert costs == {RealNvp: [5, 5], Glow: [5, 5], Maf: [15, 5], Iaf: [5, 15], NeuralSpline: [15, 5]}


def test_the_slow_direction_really_evaluates_more_often() -> None:
    """Counted, not timed: calls of the conditioners."""
    for kind in (Maf, Iaf):
        stack, calls = Stack(kind(layers=3), 2, NETWORK), []
        for module in stack.modules():
            if hasattr(module, "hyper"):
                module.hyper.register_forward_hook(lambda *_, calls=calls: calls.append(1))
        with torch.no_grad():
            list(stack.from_noise(torch.randn(5, 2)))
        assert len(calls) == kind(layers=3).evaluations(2, "sampling")


def test_both_directions_are_timed() -> None:
    result = run(Experiment.parse({"target": "ring", "model": "normalizing_flow", "training": {"steps": 2}}))
    seconds = result.trained().seconds(200, repeats=1)
    assert set(seconds) == {"sampling", "density"} and all(value > 0 for value in seconds.values())


def test_actnorm_begins_with_standardised_activations() -> None:
    stack = Stack(Glow(layers=3), 2, NETWORK)
    stack.read(stack.initial(Generator().manual_seed(0)))
    x = torch.randn(500, 2, generator=Generator().manual_seed(1)) @ torch.tensor([[3.0, 1.0], [0.0, 0.2]]) + 4
    stack.begin(x)
    with torch.no_grad():
        after = stack.layers[0]()(x)
    torch.testing.assert_close(after.mean(0), torch.zeros(2), rtol=0, atol=1e-4)
    torch.testing.assert_close(after.std(0), torch.ones(2), rtol=0, atol=1e-3)


def test_a_spline_in_one_dimension() -> None:
    target = {"kind": "gaussian_mixture", "centers": [[-1.5], [1.5]], "std": 0.4}
    result = run(Experiment.parse({"target": target, "model": "normalizing_flow", "training": {"steps": 250}}))
    measured = result.metrics(1000)
    assert measured["nll"] == pytest.approx(measured["entropy"], abs=0.08)
    with pytest.raises(InvalidExperiment, match="in one dimension"):
        Experiment.parse({"target": target, "model": {"kind": "normalizing_flow", "architecture": "maf"}})


def test_a_source_without_a_density_everywhere_is_refused() -> None:
    with pytest.raises(InvalidExperiment) as refused:
        Experiment.parse({"source": "uniform", "model": "normalizing_flow"})
    assert "choose the source gaussian" in str(refused.value)


def test_the_same_seed_gives_the_same_weights() -> None:
    def learner(seed: int) -> LikelihoodLearner:
        settings, device = TrainingSettings(batch=64), torch.device("cpu")
        source, target = Gaussian(dimension=2), Gaussian(dimension=2, mean=(1, 1))
        return LikelihoodLearner(NormalizingFlow(), Task(source, target, 2, NETWORK, settings, seed, device))

    torch.manual_seed(0)
    first = learner(3)
    torch.manual_seed(99)
    again, other = learner(3), learner(4)
    for one in (first, again, other):
        one.step(1.0)
    assert torch.equal(first.weights()["layers"], again.weights()["layers"])
    assert not torch.equal(first.weights()["layers"], other.weights()["layers"])


def test_independent_coordinates_tell_an_affine_layer_nothing_until_its_axes_are_tilted() -> None:
    """A grid's best Gaussian has 3.50 nats, and untilted layers find no more."""

    def reached(tilt: float) -> float:
        architecture = {"kind": "real_nvp", "tilt": tilt}
        model = {"kind": "normalizing_flow", "architecture": architecture}
        result = run(Experiment.parse({"target": "grid", "model": model, "training": {"steps": 400}}))
        return result.rounds[-1].losses.recent()

    assert reached(0) > 3.4 and reached(15) < 3


def test_it_survives_a_file_and_refuses_other_weights(tmp_path) -> None:
    result = run(Experiment.parse({"target": "ring", "model": "normalizing_flow", "training": {"steps": 2}}))
    result.save(tmp_path)
    assert torch.equal(Run.load(tmp_path).sample(20).end, result.sample(20).end)
    with pytest.raises(ValueError, match="another network"):
        NormalizingFlow().trained(result.round().last.weights, NETWORK, 2)


def test_a_neural_spline_reaches_the_entropy_of_the_moons() -> None:
    """The weights of the preset, on points that it has not seen: 1.08 nats at most, against 1.008 that are possible."""
    result = presets.run("neural_spline")
    x = result.real(4000, seed=77)
    likelihood = -float(result.trained().log_prob(x).mean())
    entropy = result.experiment.target.entropy()
    assert entropy == pytest.approx(1.008, abs=0.001)
    assert entropy - 0.04 < likelihood < 1.08
