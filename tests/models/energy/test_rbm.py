"""The restricted Boltzmann machine against brute force: the partition function, the conditionals, Gibbs' chain."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Generator, Tensor

from playground import Experiment, InvalidExperiment, run
from playground.models.energy.quadrature import log_normaliser
from playground.models.energy.rbm import LINK, PLACE, Machine, RestrictedBoltzmannMachine, TrainedBoltzmann, every_state


def any_machine(dim: int, hidden: int) -> tuple[Machine, Tensor]:
    machine, generator = Machine(dim, hidden), Generator().manual_seed(4)
    weights = machine.initial(generator)
    units = torch.cat([torch.full(((dim + 1) * hidden,), LINK), torch.full((2 * dim,), PLACE)])
    return machine, 0.5 * weights + 0.1 * torch.randn(weights.shape, generator=generator) / units


def joint_energy(machine: Machine, weights: Tensor, u: Tensor, h: Tensor) -> Tensor:
    """E(u, h) as it is defined, number by number."""
    links, hidden, visible, std = machine.parts(weights.double())
    energy = torch.zeros(len(u), dtype=torch.float64)
    for i in range(machine.dim):
        energy = energy + (u[:, i].double() - visible[i]) ** 2 / (2 * std[i] ** 2)
        for j in range(machine.hidden):
            energy = energy - u[:, i].double() * links[i, j] * h[j] / std[i] ** 2
    return energy - sum(hidden[j] * h[j] for j in range(machine.hidden))


@pytest.mark.parametrize("dim", [1, 2])
def test_the_partition_function_is_the_sum_and_integral(dim):
    """By enumeration of h and quadrature over u of exp(−E(u, h)), and by the free energy alone."""
    machine, weights = any_machine(dim, 4)
    known = float(machine.log_partition(weights.double()))
    states = [torch.tensor(h, dtype=torch.float64) for h in itertools.product((0, 1), repeat=4)]
    parts = [log_normaliser(lambda u, h=h: -joint_energy(machine, weights, u, h), dim) for h in states]
    assert float(torch.logsumexp(torch.tensor(parts), 0)) == pytest.approx(known, abs=1e-4)
    assert log_normaliser(lambda u: -machine.free_energy(weights, u), dim) == pytest.approx(known, abs=1e-4)


def test_every_state_is_there_once():
    states = every_state(5)
    assert states.shape == (32, 5)
    assert len({tuple(state) for state in states.tolist()}) == 32
    assert set(states.flatten().tolist()) == {0.0, 1.0}


def test_the_free_energy_sums_over_the_hidden_units():
    machine, weights = any_machine(3, 5)
    u = torch.randn(7, 3, generator=Generator().manual_seed(0))
    states = itertools.product((0.0, 1.0), repeat=5)
    energies = torch.stack([joint_energy(machine, weights, u, torch.tensor(h).double()) for h in states])
    assert torch.allclose(machine.free_energy(weights, u).double(), -torch.logsumexp(-energies, 0), atol=1e-4)


def test_gibbs_leaves_the_machine_invariant():
    """Points drawn exactly (a state by its weight, then its Gaussian) have the same moments after some moves."""
    machine, weights = any_machine(2, 3)
    n, generator = 60_000, Generator().manual_seed(1)
    links, hidden, visible, std = machine.parts(weights)
    states = every_state(3)
    pulled = states @ links.t()
    heights = states @ hidden + ((visible * pulled + 0.5 * pulled**2) / std**2).sum(1)
    chosen = torch.multinomial(heights.softmax(0), n, replacement=True, generator=generator)
    u = visible + pulled[chosen] + std * torch.randn(n, 2, generator=generator)
    moved = u
    for _ in range(5):
        moved = machine.move(weights, moved, generator)
    assert (moved.mean(0) - u.mean(0)).abs().max() < 8 * float(u.std()) / math.sqrt(n)
    assert (torch.cov(moved.t()) - torch.cov(u.t())).abs().max() < 12 * float(u.var()) / math.sqrt(n)
    assert (moved - u).abs().mean() > 0.5 * std.mean(), "and it does move"


@pytest.mark.parametrize(
    ("hidden", "learning", "excess"),
    [(6, "exact", 0.1), (6, "persistent", 0.3), (6, "contrastive_divergence", 0.4), (20, "persistent", 0.3)],
)
def test_it_learns_two_bumps(hidden, learning, excess):
    target = {"kind": "gaussian_mixture", "centers": [[-1.0, 0.5], [1.0, -0.5]], "std": [0.4]}
    model = {"kind": "rbm", "hidden": hidden, "learning": learning}
    experiment = Experiment.parse({"target": target, "model": model, "training": {"steps": 600}})
    result = run(experiment)
    real, entropy = result.real(3000), experiment.target.entropy()
    before = result.with_weights(result.rounds[0].history[0].weights)
    assert -float(result.trained().log_prob(real).mean()) < entropy + excess
    assert -float(before.log_prob(real).mean()) > entropy + excess
    found = result.sample(1000)
    assert found.x.shape == (101, 1000, 2)
    assert (found.nfe, found.axis) == (100, "Gibbs move")


def test_the_exact_losses_are_the_likelihood():
    experiment = Experiment.parse(
        {"target": "two_moons", "model": {"kind": "rbm", "hidden": 5}, "training": {"steps": 60}}
    )
    result = run(experiment)
    (_, last) = result.rounds[0].losses.points[-1]
    assert -float(result.trained().log_prob(result.real(4000)).mean()) == pytest.approx(last, abs=0.3)


def test_its_fact_is_the_partition_function_over_the_data():
    for hidden in (5, 20):
        machine, weights = any_machine(2, hidden)
        model = TrainedBoltzmann(machine, weights, torch.ones(2), torch.tensor([2.0, 0.5]), 5)
        (fact,) = model.facts(torch.zeros(1, 2))
        x = torch.tensor([[0.3, -0.2]])
        free = float(machine.free_energy(weights, (x - model.mean) / model.std))
        assert -free - fact.value == pytest.approx(float(model.log_prob(x)), abs=1e-4)


def test_too_many_units_for_the_exact_likelihood_are_refused():
    with pytest.raises(InvalidExperiment, match="at most 12"):
        Experiment.parse({"model": {"kind": "rbm", "hidden": 13, "learning": "exact"}})
    Experiment.parse({"model": {"kind": "rbm", "hidden": 13, "learning": "persistent"}})


def test_no_likelihood_in_three_dimensions_with_many_units():
    machine, weights = any_machine(3, 40)
    many = TrainedBoltzmann(machine, weights, torch.zeros(3), torch.ones(3), 5)
    assert many.log_prob(torch.zeros(2, 3)) is None
    machine, weights = any_machine(3, 4)
    assert TrainedBoltzmann(machine, weights, torch.zeros(3), torch.ones(3), 5).log_prob(torch.zeros(2, 3)) is not None


def test_weights_of_another_machine_are_refused():
    with pytest.raises(ValueError, match="another machine"):
        RestrictedBoltzmannMachine().trained({"machine": torch.zeros(3), "place": torch.zeros(4)}, None, 2)


@pytest.mark.parametrize("hidden", [12, 64, 256])
def test_it_begins_about_where_the_data_is(hidden: int) -> None:
    machine, generator = Machine(2, hidden), Generator().manual_seed(1)
    u = torch.randn(500, 2, generator=generator)
    for _ in range(20):
        u = machine.move(machine.initial(Generator().manual_seed(0)), u, generator)
    assert float(u.norm(dim=1).mean()) < 6


def test_its_default_learns_two_moons_better_than_one_gaussian_does() -> None:
    given = {"model": "rbm", "target": {"kind": "two_moons", "noise": 0.1}, "training": {"steps": 300}}
    result = run(Experiment.parse(given))
    real = result.real(500)
    gaussian = torch.distributions.MultivariateNormal(real.mean(0), real.T.cov())
    assert float(result.trained().log_prob(real).mean()) > float(gaussian.log_prob(real).mean()) + 0.15
