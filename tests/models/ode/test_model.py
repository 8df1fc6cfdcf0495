"""The neural ODE: its likelihood and gradients against independent ones, its memory, and what it shares with a flow."""

from __future__ import annotations

import pytest
import torch

from playground import Experiment, InvalidExperiment, Run, run
from playground.distributions import Gaussian, Ring
from playground.dynamics.likelihood import differentiated
from playground.dynamics.likelihood import log_prob as by_change_of_variables
from playground.dynamics.solvers import RungeKutta4, runge_kutta
from playground.experiment import TrainingSettings
from playground.models.base import Task
from playground.models.contracts import HasDensity, HasField, HasScore
from playground.models.flow import Flow
from playground.models.ode.model import NeuralOde, OdeLearner
from playground.networks import FilmNetwork, Network

SMALL = Network(width=16, depth=2, activation="relu")


def learner(model: NeuralOde, batch: int = 64, network: Network = SMALL) -> OdeLearner:
    settings = TrainingSettings(steps=50, batch=batch)
    return OdeLearner(model, Task(Gaussian(dimension=2), Ring(), 2, network, settings, 0, torch.device("cpu")))


@pytest.fixture(scope="module")
def trained() -> Run:
    given = {"model": "neural_ode", "target": "two_moons", "network": SMALL.model_dump()}
    return run(Experiment.parse(given | {"training": {"steps": 60}}))


def test_the_loss_is_the_likelihood_by_a_fine_solution() -> None:
    one = learner(NeuralOde(solver_steps=32, energy=0.0, bending=0.0))
    x = one._pool.points[:40]
    loss, _ = one.gradient(x, "backpropagation")
    velocity = differentiated(_differentiable(one))
    expected = by_change_of_variables(velocity, Gaussian(dimension=2).log_prob, x, one._flow.interval)
    assert float(loss) == pytest.approx(-float(expected.mean()), abs=1e-3)


def _differentiable(one: OdeLearner):
    return lambda x, t: one._flow.jacobian_by(one._adam.weights, x, t)[0]


def test_the_energy_is_that_of_its_paths() -> None:
    plain, charged = (learner(NeuralOde(solver_steps=16, energy=energy)) for energy in (0.0, 0.5))
    x = plain._pool.points[:50]
    paid = float(charged.gradient(x, "adjoint")[0] - plain.gradient(x, "adjoint")[0])
    flow, at, total = plain._flow, x, 0.0
    for k in range(400):
        slope = flow.velocity(at, 1 - (k + 0.5) / 400)
        at, total = at - slope / 400, total + float(slope.square().sum(1).mean()) / 400
    assert paid == pytest.approx(0.5 * total, rel=0.02)


@pytest.mark.parametrize("activation", ["silu", "tanh", "selu"])
def test_the_adjoints_gradient_is_backpropagations(activation) -> None:
    network = Network(width=16, depth=2, activation=activation)
    one = learner(NeuralOde(solver_steps=16, energy=0.05), network=network)
    for _ in range(3):
        one.step(0.5)
    x = one._pool.points[:64]
    (loss, gradient), (same, other) = one.gradient(x, "adjoint"), one.gradient(x, "backpropagation")
    assert float(loss) == pytest.approx(float(same), rel=1e-5)
    assert float((gradient - other).norm() / other.norm()) < 5e-3


def test_its_gradient_is_the_slope_of_its_loss() -> None:
    one = learner(NeuralOde())
    x, weights = one._pool.points[:64], one._adam.weights
    _, gradient = one.gradient(x, "backpropagation")
    along = gradient / gradient.norm()
    values = []
    for h in (-3e-3, 3e-3):
        weights.add_(along, alpha=h)
        values.append(float(one.gradient(x, "backpropagation")[0]))
        weights.sub_(along, alpha=h)
    assert (values[1] - values[0]) / 6e-3 == pytest.approx(float(gradient.norm()), rel=0.02)


def test_the_adjoint_needs_a_constant_part_of_the_memory() -> None:
    short, long = (learner(NeuralOde(solver_steps=steps)) for steps in (2, 8))
    assert long.memory("adjoint") == short.memory("adjoint")
    assert long.memory("backpropagation") > 3 * short.memory("backpropagation")
    assert long.memory("backpropagation") > 10 * long.memory("adjoint")


def test_it_learns_and_offers_what_a_flow_does(trained: Run) -> None:
    model = trained.trained()
    assert isinstance(model, (Flow, HasField)) and isinstance(model, HasDensity) and isinstance(model, HasScore)
    before = -float(trained.trained(snapshot=0).log_prob(trained.real(300)).mean())
    after = -float(model.log_prob(trained.real(300)).mean())
    assert after < before - 0.2
    told = model.describe()
    assert told["networks"]["velocity"]["ops"][1] == {"op": "tanh"}, "a ReLU is replaced"
    assert trained.sample(30, steps=3, solver="euler").nfe == 3


def test_either_gradient_trains_to_about_the_same() -> None:
    losses = []
    for method in ("adjoint", "backpropagation"):
        one = learner(NeuralOde(gradient=method))
        x = one._pool.points[-1000:]
        before = float(one.gradient(x, method)[0])
        for _ in range(12):
            one.step(0.2)
        losses.append(float(one.gradient(x, method)[0]))
        assert losses[-1] < before - 0.1
    assert losses[0] == pytest.approx(losses[1], abs=0.02)


def test_it_survives_a_file_and_refuses_other_weights(trained: Run, tmp_path) -> None:
    trained.save(tmp_path)
    again = Run.load(tmp_path)
    assert torch.equal(again.sample(20).end, trained.sample(20).end)
    with pytest.raises(ValueError, match="another network"):
        NeuralOde().trained(trained.round().last.weights, Network(width=8), 2)


@pytest.mark.parametrize("source", ["uniform", "checkerboard"])
def test_a_source_without_a_density_everywhere_is_refused(source) -> None:
    with pytest.raises(InvalidExperiment, match="density is known and positive everywhere"):
        Experiment.parse({"model": "neural_ode", "source": source, "target": "ring"})


def test_its_facts_tell_both_gradients_memory(trained: Run) -> None:
    both = {fact.name: fact for fact in trained.trained().facts(trained.real(128))}
    assert list(both) == ["Memory, backpropagation", "Memory, adjoint"]
    assert both["Memory, backpropagation"].value > 2.5 * both["Memory, adjoint"].value > 0
    assert "8 evaluations" in both["Memory, backpropagation"].note and "16" in both["Memory, adjoint"].note


def test_a_solver_that_is_too_coarse_is_named() -> None:
    one = learner(NeuralOde(solver_steps=1))
    one.look()
    assert one.remark is None, "the field is gentle at first"
    one._adam.weights.mul_(4)
    one.look()
    assert "The solver's steps are too coarse" in one.remark
    fine = learner(NeuralOde(solver_steps=16))
    fine._adam.weights.mul_(2)
    fine.look()
    assert fine.remark is None


def test_its_loss_is_that_of_the_map_which_the_solver_makes() -> None:
    """However coarse: log p0 of where its steps end, and the logarithm of the determinant of that map."""
    one = learner(NeuralOde(solver_steps=2, energy=0.0, bending=0.0))
    one._adam.weights.mul_(3)
    times = one._likelihood.times()

    def back(x):
        (*_, last) = runge_kutta(RungeKutta4.tableau, one._flow.velocity, x, times)
        return last.x

    points, h = one._pool.points[:12], 4e-3
    rows = [(back(points + step) - back(points - step)) / (2 * h) for step in h * torch.eye(2)]
    expected = Gaussian(dimension=2).log_prob(back(points)) + torch.stack(rows, dim=1).det().abs().log()
    loss, _ = one.gradient(points, "backpropagation")
    assert float(loss) == pytest.approx(-float(expected.mean()), abs=5e-3)


def test_a_modulated_network_learns_by_the_same_loss() -> None:
    network = FilmNetwork(width=8, depth=2, activation="silu", embedding=4)
    one = learner(NeuralOde(solver_steps=16), network=network)
    x = one._pool.points[:32]
    (loss, gradient), (same, other) = one.gradient(x, "adjoint"), one.gradient(x, "backpropagation")
    assert float(loss) == pytest.approx(float(same), rel=1e-5)
    assert float((gradient - other).norm() / other.norm()) < 5e-3


def test_a_long_training_makes_no_profit_from_the_solvers_error() -> None:
    one = learner(NeuralOde(), network=Network(width=32, depth=2))
    for _ in range(150):
        one.step(1.0)
    one.look()
    assert abs(one._missed) < 0.05


def test_a_straight_activation_is_replaced_in_words() -> None:
    straight = {"model": "neural_ode", "target": "ring", "network": {"activation": "relu"}}
    remarks = Experiment.parse(straight).remarks()
    assert any("tanh stands in for ReLU" in remark for remark in remarks)
    curved = {"model": "neural_ode", "target": "ring", "network": {"activation": "silu"}}
    assert not any("stands in" in remark for remark in Experiment.parse(curved).remarks())
