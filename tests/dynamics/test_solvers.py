"""Solvers with fixed steps against differential equations whose solution is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torchdiffeq
from torch import Tensor

from playground.choice import kinds
from playground.dynamics.grids import grid
from playground.dynamics.solvers import AnySolver, Euler, Heun, Midpoint, RungeKutta, RungeKutta4, Sampler

ORDERS = {"euler": 1, "midpoint": 2, "heun": 2, "rk4": 4}
STAGES = {"euler": 1, "midpoint": 2, "heun": 2, "rk4": 4}
SOLVERS = [cls for cls in kinds(AnySolver) if issubclass(cls, RungeKutta)]
EVERY_SOLVER = pytest.mark.parametrize("cls", SOLVERS, ids=lambda cls: cls.kind_name())
THETA = 1.7


def points(n: int = 5, d: int = 2) -> Tensor:
    return torch.linspace(0.4, 1.6, n * d, dtype=torch.float64).view(n, d)


def decay(x: Tensor, t: float) -> Tensor:
    """dx/dt = −θx, whose solution is x0 e^{−θt}."""
    return -THETA * x


def logistic(x: Tensor, t: float) -> Tensor:
    """dx/dt = x (1 − x) (1 + sin 3t): nonlinear, and the time matters."""
    return x * (1 - x) * (1 + math.sin(3 * t))


def logistic_solution(x0: Tensor, t: float) -> Tensor:
    """The logistic curve x0 / (x0 + (1 − x0) e^{−s}), run by the clock s = ∫(1 + sin 3t) dt."""
    clock = t + (1 - math.cos(3 * t)) / 3
    return x0 / (x0 + (1 - x0) * math.exp(-clock))


PROBLEMS = {
    "decay": (decay, lambda x0, t: x0 * math.exp(-THETA * t)),
    "logistic": (logistic, logistic_solution),
}


def test_every_solver_is_measured():
    assert {cls.kind_name() for cls in SOLVERS} == set(ORDERS)


def test_the_stated_solution_is_one():
    x0 = points()
    t = torch.tensor(0.6, dtype=torch.float64)
    ahead, behind = (logistic_solution(x0, float(t) + h) for h in (1e-5, -1e-5))
    torch.testing.assert_close((ahead - behind) / 2e-5, logistic(logistic_solution(x0, 0.6), 0.6), rtol=1e-8, atol=1e-8)


@EVERY_SOLVER
@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_error_falls_with_the_order(cls, problem):
    field, solution = PROBLEMS[problem]
    x0 = points()
    steps = np.array([16, 32, 64, 128])
    errors = []
    for count in steps:
        end = Sampler(solver=cls(), steps=int(count)).integrate(field, x0).end
        assert end.dtype == torch.float64
        errors.append(float((end - solution(x0, 1.0)).abs().max()))
    slope = -np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert slope == pytest.approx(ORDERS[cls.kind_name()], abs=0.15)
    assert cls.order == ORDERS[cls.kind_name()]


@EVERY_SOLVER
@pytest.mark.parametrize("steps", [1, 2, 7, 100])
def test_evaluations_are_counted_exactly(cls, steps):
    calls: list[float] = []

    def field(x: Tensor, t: float) -> Tensor:
        calls.append(t)
        return -x

    trajectory = Sampler(solver=cls(), steps=steps).integrate(field, points())
    assert trajectory.nfe == len(calls) == STAGES[cls.kind_name()] * steps
    assert min(calls) == 0
    assert max(calls) <= 1


@EVERY_SOLVER
def test_states_count_what_each_has_cost(cls):
    x0 = points()
    states = list(cls().states(decay, x0, grid("uniform", 0.0, 1.0, 3)))
    assert [state.nfe for state in states] == [STAGES[cls.kind_name()] * k for k in range(4)]
    assert [state.t for state in states] == [0.0, pytest.approx(1 / 3), pytest.approx(2 / 3), 1.0]
    assert states[0].x is x0


@EVERY_SOLVER
def test_states_come_one_by_one(cls):
    calls: list[float] = []
    states = cls().states(lambda x, t: calls.append(t) or -x, points(), grid("uniform", 0.0, 1.0, 1000))
    next(states)
    assert not calls, "the first state costs nothing"
    next(states)
    assert len(calls) == STAGES[cls.kind_name()]


@EVERY_SOLVER
@pytest.mark.parametrize("d", [1, 2, 3])
def test_one_step_works(cls, d):
    x0 = points(4, d)
    one = Sampler(solver=cls(), steps=1).integrate(decay, x0)
    assert one.x.shape == (2, 4, d)
    assert torch.equal(one.t, torch.tensor([0.0, 1.0], dtype=torch.float64))
    assert torch.equal(one.start, x0)
    # A step on a linear field is the Taylor polynomial of e^{−θ} of the method's order.
    factor = sum((-THETA) ** k / math.factorial(k) for k in range(cls.order + 1))
    torch.testing.assert_close(one.end, factor * x0)


@EVERY_SOLVER
def test_a_constant_field_is_followed_exactly(cls):
    x0, velocity = points(), torch.tensor([2.0, -1.0], dtype=torch.float64)
    path = Sampler(solver=cls(), steps=7).integrate(lambda x, t: velocity.expand_as(x), x0)
    torch.testing.assert_close(path.x, x0 + path.t[:, None, None] * velocity)


@EVERY_SOLVER
def test_starting_points_are_left_as_they_were(cls):
    x0 = points()
    before = x0.clone()
    Sampler(solver=cls(), steps=3).integrate(decay, x0)
    assert torch.equal(x0, before)


@EVERY_SOLVER
def test_particles_do_not_feel_each_other(cls):
    x0 = points()
    sampler = Sampler(solver=cls(), steps=5)
    together = sampler.integrate(logistic, x0).end
    alone = torch.cat([sampler.integrate(logistic, row[None]).end for row in x0])
    torch.testing.assert_close(together, alone, rtol=0, atol=0)


@EVERY_SOLVER
def test_another_interval_of_time(cls):
    x0 = points()
    halfway = Sampler(solver=cls(), steps=200).integrate(logistic, x0, 0.0, 0.5)
    end = Sampler(solver=cls(), steps=200).integrate(logistic, halfway.end, 0.5, 1.0)
    assert float(end.t[0]) == 0.5
    assert float(end.t[-1]) == 1.0
    torch.testing.assert_close(end.end, logistic_solution(x0, 1.0), rtol=0, atol=2e-3 if cls is Euler else 2e-5)


@EVERY_SOLVER
def test_tableaux_are_consistent(cls):
    """c_i = Σ_j a_ij and Σ b_i = 1, without which no method is of first order."""
    tableau = cls.tableau
    assert len(tableau.a) == len(tableau.b) == len(tableau.c) == cls().stages
    for stage, (row, c) in enumerate(zip(tableau.a, tableau.c, strict=True)):
        assert len(row) == stage, "explicit: a stage knows those before it"
        assert sum(row) == pytest.approx(c)
    assert sum(tableau.b) == pytest.approx(1)


@pytest.mark.parametrize(("ours", "theirs"), [(Euler, "euler"), (Midpoint, "midpoint"), (Heun, "heun2")])
def test_states_are_those_of_torchdiffeq(ours, theirs):
    x0, grid = points(), torch.linspace(0, 1, 11, dtype=torch.float64)
    expected = torchdiffeq.odeint(lambda t, x: logistic(x, float(t)), x0, grid, method=theirs)
    torch.testing.assert_close(Sampler(solver=ours(), steps=10).integrate(logistic, x0).x, expected)


def test_rk4_is_the_classical_one():
    """One step for dx/dt = t³ is Simpson's rule, which is exact."""
    end = Sampler(solver=RungeKutta4(), steps=1).integrate(lambda x, t: torch.full_like(x, t**3), points()).end
    torch.testing.assert_close(end, points() + 0.25)
