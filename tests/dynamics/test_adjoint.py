"""The adjoint method against backpropagation, against a closed form, and in memory."""

from __future__ import annotations

import math

import pytest
import torch

from playground.dynamics.adjoint import Differentiated, adjoint, backpropagated, counting
from playground.dynamics.solvers import Euler, Midpoint, RungeKutta4
from playground.networks import Mlp


def setting(steps: int):
    mlp = Mlp(2, 2, (8, 8), "tanh")
    generator = torch.Generator().manual_seed(0)
    weights = 1.5 * mlp.initial(generator).double()
    start = torch.randn(7, 2, generator=generator).double()

    def dynamics(weights, state, t):
        return mlp(weights, state, torch.tensor([[t]], dtype=state.dtype))

    times = [1 - k / steps for k in range(steps + 1)]
    return Differentiated(dynamics, weights), start, times, lambda end: end.square().mean() + end[:, 0].sin().sum()


@pytest.mark.parametrize(("solver", "order"), [(Euler, 1), (Midpoint, 2), (RungeKutta4, 4)])
def test_it_tends_to_backpropagation_at_the_solvers_order(solver, order) -> None:
    def difference(steps: int) -> float:
        dynamics, start, times, loss = setting(steps)
        (value, one), (again, other) = (
            method(solver.tableau, dynamics, start, times, loss) for method in (adjoint, backpropagated)
        )
        assert float(value) == pytest.approx(float(again), rel=1e-12)
        return float((one - other).norm() / other.norm())

    coarse, fine = difference(8), difference(16)
    assert fine < coarse / 2 ** (order - 0.5)
    if order == 4:
        assert fine < 1e-6


def test_both_give_the_derivative_of_a_closed_form() -> None:
    """ds/dt = θ s from t = 0 to 1 has the end e^θ s, whose derivative by θ is itself."""
    theta, start = torch.tensor([0.7], dtype=torch.float64), torch.tensor([[1.0], [2.0]], dtype=torch.float64)
    times = [k / 20 for k in range(21)]
    for method in (adjoint, backpropagated):
        dynamics = Differentiated(lambda w, s, t: w * s, theta)
        value, gradient = method(RungeKutta4.tableau, dynamics, start, times, torch.sum)
        assert float(value) == pytest.approx(3 * math.exp(0.7), rel=1e-6)
        assert float(gradient) == pytest.approx(3 * math.exp(0.7), rel=1e-6)


def test_the_adjoint_keeps_as_much_however_many_steps_and_backpropagation_more() -> None:
    def kept(method, steps: int) -> int:
        dynamics, start, times, loss = setting(steps)
        with counting() as found:
            method(RungeKutta4.tableau, dynamics, start, times, loss)
        assert found.now == 0, "all is released"
        return found.most

    assert kept(adjoint, 16) == kept(adjoint, 4)
    assert kept(backpropagated, 16) > 3 * kept(backpropagated, 4)
    assert kept(backpropagated, 16) > 10 * kept(adjoint, 16)


def test_counting_counts_the_bytes_of_a_known_graph() -> None:
    a, b = (torch.randn(100, dtype=torch.float64, requires_grad=True) for _ in range(2))
    with counting() as found:
        product = a * b  # keeps both
        again = product * a  # keeps the product, and a once more
    assert found.now == found.most == 3 * 800
    del product, again
    assert found.now == 0
