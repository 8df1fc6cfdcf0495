"""Autoregressive densities integrate to one, their samples follow them, and no output sees what it must not."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Generator

from playground import Experiment, run
from playground.models.autoregressive.masked import MaskedMlp
from playground.models.autoregressive.model import Autoregressive, TrainedAutoregressive
from playground.networks import Network

KINDS = ["grid", "logistics", "coarse_to_fine"]


def at_random(kind: str, dim: int, order: str = "first_to_last") -> TrainedAutoregressive:
    """Conditionals of random weights over a box: any density."""
    model = Autoregressive.model_validate(
        {"conditionals": {"kind": kind} | ({} if kind == "logistics" else {"levels": 4}), "order": order}
    )
    mlp = model.conditionals.network(Network(width=16, depth=2), dim)
    weights = (1 if kind == "logistics" else 3) * mlp.initial(Generator().manual_seed(5))
    return TrainedAutoregressive(model, mlp, weights, -torch.ones(dim), 2 * torch.ones(dim))


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_a_masked_output_sees_only_what_comes_before(dim):
    mlp = Network(width=13, depth=2).build(dim * 2, dim * 3, timed=False)
    masked, weights = MaskedMlp(mlp, dim), mlp.initial(Generator().manual_seed(0))
    x = torch.randn(1, dim * 2, generator=Generator().manual_seed(1))
    jacobian = torch.autograd.functional.jacobian(lambda v: masked(weights, v)[0], x)[:, :, 0].view(dim, 3, dim, 2)
    for i in range(dim):
        for j in range(dim):
            assert bool(jacobian[i, :, j].abs().sum() > 0) is (j < i)


@pytest.mark.parametrize("order", ["first_to_last", "last_to_first"])
@pytest.mark.parametrize("kind", KINDS)
def test_densities_integrate_to_one(kind, order):
    model = at_random(kind, 2, order)
    edge, nodes = (12.0, 600) if kind == "logistics" else (1.0, 160)
    axis = (torch.arange(nodes) + 0.5) / nodes * 2 * edge - edge
    total = model.log_prob(torch.cartesian_prod(axis, axis)).double().exp().sum() * (2 * edge / nodes) ** 2
    assert float(total) == pytest.approx(1, abs=2e-3)
    outside = model.log_prob(torch.tensor([[1.5, 0.0]]))
    assert bool(outside.isneginf().all()) is (kind != "logistics")


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_samples_follow_the_density(kind, dim):
    """The mean of −log p over samples is that over the density, by cells; so is each cell's share."""
    model = at_random(kind, dim)
    n = 20_000
    samples = model.trajectory(torch.randn(n, dim, generator=Generator().manual_seed(2)), None).end
    assert samples.shape == (n, dim)
    halves = (samples > 0.1).float() @ (2.0 ** torch.arange(dim))
    found = torch.bincount(halves.long(), minlength=2**dim) / n
    edge, nodes = (7.0, {1: 4000, 2: 500, 3: 90}[dim]) if kind == "logistics" else (1.0, {1: 160, 2: 160, 3: 80}[dim])
    axis = (torch.arange(nodes) + 0.5) / nodes * 2 * edge - edge
    grid = torch.cartesian_prod(*[axis] * dim).view(-1, dim)
    mass = model.log_prob(grid).double().exp() * (2 * edge / nodes) ** dim
    cell = ((grid > 0.1).float() @ (2.0 ** torch.arange(dim))).long()
    expected = torch.zeros(2**dim, dtype=torch.float64).index_add(0, cell, mass)
    # A cell's edge at 0.1 is not one of the quadrature's: allow for a row of it.
    assert (found - expected).abs().max() < 5 * math.sqrt(0.25 / n) + (0.06 if dim == 3 else 0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_the_map_is_triangular_and_the_order_turns_it(kind):
    u = torch.randn(200, 2, generator=Generator().manual_seed(3))
    straight = at_random(kind, 2)
    moved = u.clone()
    moved[:, 1] = torch.randn(200, generator=Generator().manual_seed(4))
    first, again = (straight.trajectory(start, None).end for start in (u, moved))
    if kind != "coarse_to_fine":
        assert torch.equal(first[:, 0], again[:, 0]), "what is drawn first does not depend on what comes later"
        turned = at_random(kind, 2, "last_to_first").trajectory(u.flip(1), None).end
        assert torch.allclose(turned.flip(1), first, atol=1e-6)
    assert not torch.equal(first[:, 1], again[:, 1])


def test_coordinate_by_coordinate():
    states = at_random("grid", 3).trajectory(torch.randn(50, 3, generator=Generator().manual_seed(0)), None)
    assert states.x.shape == (4, 50, 3)
    assert (states.nfe, states.axis) == (3, "coordinates drawn")
    for at in range(3):
        changed = (states.x[at + 1] != states.x[at]).any(0)
        assert changed.tolist() == [axis == at for axis in range(3)]


def test_a_coarse_state_holds_the_finer_ones_in_its_cells():
    states = at_random("coarse_to_fine", 2).trajectory(torch.randn(300, 2, generator=Generator().manual_seed(0)), None)
    for level in range(1, 5):
        cells = [((x + 1) / 2 * 2**level).floor() for x in states.x[level:]]
        assert all(torch.equal(cells[0], later) for later in cells[1:])


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_two_bumps(kind):
    target = {"kind": "gaussian_mixture", "centers": [[-1.0, 0.5], [1.0, -0.5]], "std": [0.4]}
    experiment = Experiment.parse(
        {"target": target, "model": {"kind": "autoregressive", "conditionals": kind},
         "network": {"width": 32, "depth": 2, "activation": "relu"},
         "training": {"steps": 300, "decay": "inverse_sqrt"}}
    )  # fmt: skip
    result = run(experiment)
    found = result.trained().log_prob(result.real(3000))
    inside = found[found.isfinite()]
    assert len(inside) > 2990
    assert -float(inside.mean()) == pytest.approx(experiment.target.entropy(), abs=0.12)


def test_weights_of_another_network_are_refused():
    with pytest.raises(ValueError, match="another network"):
        Autoregressive().trained({"conditionals": torch.zeros(3), "box": torch.zeros(4)}, Network(), 2)
