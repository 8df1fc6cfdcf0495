"""The map of one call: what it computes, and that it begins as one Euler step of the flow that it is distilled from."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from playground import Experiment
from playground.dynamics.parameterization import Moments
from playground.dynamics.solvers import Euler, Sampler
from playground.models.jump import Jump, one_step
from playground.networks import FilmNetwork, Network

MOMENTS = Moments(torch.tensor([1.0, -1.0]), torch.tensor([0.5, 2.0]), 0.7, 3.0)


def jump(network: Network) -> tuple[Jump, torch.Tensor]:
    weights = network.build(2, 2).initial(Generator().manual_seed(0))
    untimed = network.build(2, 2, timed=False, features=True)
    return Jump(untimed, one_step(network.build(2, 2), weights, untimed), MOMENTS), weights


@pytest.mark.parametrize("kind", [Network, FilmNetwork])
@pytest.mark.parametrize("features", [0, 5])
@pytest.mark.parametrize("frequencies", [0, 3])
def test_the_time_goes_into_the_biases(frequencies, features, kind):
    """And the damping of the features, that of pure noise, into their columns."""
    network = kind(width=8, depth=2, frequencies=frequencies, features=features)
    mapped, weights = jump(network)
    x = torch.randn(50, 2, generator=Generator().manual_seed(1))
    expected = network.build(2, 2)(weights, x, torch.zeros(1, 1), blur=torch.ones(1, 1))
    torch.testing.assert_close(mapped.mlp(mapped.weights, x), expected)


def test_it_begins_as_one_euler_step_of_the_flow():
    """x + v(x, 0) of a velocity with the residual scaling is mean1 + std1 F((x − mean0) / std0, 0)."""
    mapped, weights = jump(Network(width=8, depth=2))
    model = Experiment.parse({"network": {"width": 8, "depth": 2}}).model
    flow = model.trained({"velocity": weights, "moments": MOMENTS.packed()}, Network(width=8, depth=2), 2)
    x = torch.randn(50, 2, generator=Generator().manual_seed(1))
    stepped = flow.trajectory(x, Sampler(solver=Euler(), steps=1)).end
    torch.testing.assert_close(mapped.end(x), stepped, rtol=0, atol=1e-5)
    trajectory = mapped.trajectory(x, Sampler())
    assert trajectory.nfe == 1 and trajectory.t.tolist() == [0, 1]
    assert torch.equal(trajectory.start, x) and torch.equal(trajectory.end, mapped.end(x))


def test_its_description_is_what_it_computes():
    mapped, _ = jump(Network(width=8, depth=2, activation="relu", features=3))
    told = mapped.describe()
    x = torch.randn(20, 2, generator=Generator().manual_seed(1))
    inside, outside = (
        {key: torch.tensor(values) for key, values in told["map"][side].items()} for side in ("inside", "outside")
    )
    place, at = (x - inside["mean"]) / inside["std"], 0
    angles = place @ torch.tensor(told["networks"]["map"]["waves"]).T
    h = torch.cat([place, angles.sin(), angles.cos()], dim=1)
    for op in told["networks"][told["map"]["network"]]["ops"]:
        if op["op"] != "linear":
            h = h.relu()
            continue
        size = op["in"] * op["out"]
        matrix, bias = (
            mapped.weights[at : at + size].view(op["out"], op["in"]),
            mapped.weights[at + size :][: op["out"]],
        )
        h, at = h @ matrix.T + bias, at + size + op["out"]
    torch.testing.assert_close(outside["mean"] + outside["std"] * h, mapped.end(x))


def test_the_weights_of_another_network_are_refused():
    mapped, _ = jump(Network(width=8, depth=2))
    weights = {"map": mapped.weights, "moments": MOMENTS.packed()}
    assert torch.equal(Jump.of(Network(width=8, depth=2), 2, weights).weights, mapped.weights)
    for network, dim in ((Network(width=9, depth=2), 2), (Network(width=8, depth=2), 1)):
        with pytest.raises(ValueError, match="these are the weights of another network"):
            Jump.of(network, dim, weights)
