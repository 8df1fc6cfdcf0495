"""The derivatives that are written out, against automatic ones."""

from __future__ import annotations

import pytest
import torch

from playground.dynamics.adjoint import Differentiated, adjoint, backpropagated, counting
from playground.dynamics.parameterization import Moments
from playground.dynamics.paths import LinearPath
from playground.dynamics.solvers import Heun, RungeKutta4
from playground.models.base import seeded
from playground.models.flow import Flow
from playground.models.ode.stretching import PENALTIES, DivergingDynamics, departing
from playground.networks import Network


def setting(activation: str, scaling: str = "residual", dim: int = 2, depth: int = 3):
    network = Network(width=10, depth=depth, activation=activation, frequencies=2, input_scaling=scaling)
    mlp = network.build(dim, dim, features=False)
    weights = 2 * mlp.initial(seeded(0, 1)).double()
    source, target = (torch.randn(200, dim, generator=seeded(0, 2)).double() * scale for scale in (1.0, 2.0))
    flow = Flow(mlp, weights, LinearPath(), scaling, Moments.of(source, target + 0.3))
    state = departing(target[:9])
    state[:, dim:] += 0.1 * torch.randn(9, dim * dim + PENALTIES, generator=seeded(0, 5))

    def slope(weights, state, t):
        velocity, jacobian = flow.jacobian_by(weights, state[:, :dim], t)
        turning = state[:, dim:-PENALTIES].view(-1, dim, dim) @ jacobian
        squares = torch.stack([velocity.square().sum(1), jacobian.square().sum((1, 2))], dim=1)
        return torch.cat([velocity, turning.flatten(1), squares], dim=1)

    return DivergingDynamics(flow, weights), Differentiated(slope, weights), state


@pytest.mark.parametrize("activation", ["tanh", "silu", "selu"])
@pytest.mark.parametrize("scaling", ["none", "residual"])
@pytest.mark.parametrize("dim", [1, 2, 3])
def test_slope_and_pulls_are_those_of_automatic_differentiation(activation, scaling, dim) -> None:
    written, automatic, state = setting(activation, scaling, dim)
    pull = torch.randn(state.shape, generator=seeded(0, 3)).double()
    for t in (0.3, 0.9, 0.3):  # the second time in memory that is used again
        (slope, tape), (expected, other) = (one.forward(state, t) for one in (written, automatic))
        torch.testing.assert_close(slope, expected)
        torch.testing.assert_close(written.slope(state, t), expected)
        torch.testing.assert_close(written.backward(tape, pull), automatic.backward(other, pull))
        torch.testing.assert_close(written.gradient, automatic.gradient)


@pytest.mark.parametrize("method", [backpropagated, adjoint])
@pytest.mark.parametrize("solver", [Heun, RungeKutta4])
def test_a_gradient_through_a_solution_is_the_automatic_one(method, solver) -> None:
    written, automatic, state = setting("tanh")
    times = [1.0, 0.7, 0.45, 0.0]
    loss = lambda end: end.sin().sum()  # noqa: E731
    found = [method(solver.tableau, one, state, times, loss) for one in (written, automatic, written)]
    for value, gradient in (found[0], found[2]):
        torch.testing.assert_close(value, found[1][0])
        torch.testing.assert_close(gradient, found[1][1])


def test_it_follows_weights_that_change_in_place_and_batches_that_grow() -> None:
    written, automatic, state = setting("tanh", depth=1)
    written.forward(state, 0.5)
    automatic._weights.mul_(0.5)  # the same memory
    larger = torch.cat([state, state + 0.1])
    torch.testing.assert_close(written.slope(larger, 0.5), automatic.slope(larger, 0.5))


def test_what_a_tape_keeps_is_counted_until_it_is_used() -> None:
    written, _, state = setting("tanh")
    with counting() as found:
        _, tape = written.forward(state, 0.5)
        kept = found.now
        _, again = written.forward(state, 0.6)
        assert kept > 3 * 9 * 10 * 8 * 3 and found.now == 2 * kept
        for each in (tape, again):
            written.backward(each, torch.ones_like(state))
        written.slope(state, 0.5)
        assert found.now == 0
