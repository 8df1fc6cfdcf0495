"""Solutions in which every particle has its own steps, against closed forms."""

from __future__ import annotations

import math

import pytest
import torch

from playground.dynamics.separate import solve_separately

DOUBLE = torch.float64


def growing(x, t):
    return x * torch.cos(5 * t)


@pytest.mark.parametrize(("begin", "end"), [(0.0, 1.0), (1.0, 0.0), (0.2, 0.9)])
def test_it_is_the_closed_form_forwards_and_backwards(begin, end):
    x = torch.tensor([[1.0, -2.0], [0.0, 3.0]], dtype=DOUBLE)
    found = solve_separately(growing, x, begin, end, 1e-8)
    exact = x * math.exp((math.sin(5 * end) - math.sin(5 * begin)) / 5)
    torch.testing.assert_close(found.state, exact, rtol=0, atol=1e-6)
    assert not found.unsolved.any()


@pytest.mark.parametrize("tolerance", [1e-3, 1e-5, 1e-7])
def test_the_error_follows_the_tolerance(tolerance):
    x = torch.linspace(-2, 2, 9, dtype=DOUBLE)[:, None]
    found = solve_separately(lambda x, t: torch.sin(3 * x) + t, x, 0.0, 1.0, tolerance)
    finest = solve_separately(lambda x, t: torch.sin(3 * x) + t, x, 0.0, 1.0, 1e-10)
    assert float((found.state - finest.state).abs().max()) < 30 * tolerance


def test_a_stiff_particle_does_not_hold_up_the_others():
    """Those at rest take few steps, and the fast one as many as alone."""
    rates = torch.tensor([[0.0], [0.0], [0.0], [400.0]], dtype=DOUBLE)
    state = torch.cat([torch.ones(4, 1, dtype=DOUBLE), rates], dim=1)

    def slope(state, t):
        return torch.cat([-state[:, 1:] * (state[:, :1] - torch.cos(t)), torch.zeros(len(state), 1)], dim=1)

    found = solve_separately(slope, state, 0.0, 1.0, 1e-5)
    alone = solve_separately(slope, state[3:], 0.0, 1.0, 1e-5)
    calm = solve_separately(slope, state[:3], 0.0, 1.0, 1e-5)
    torch.testing.assert_close(found.state[3:], alone.state)
    assert found.evaluations == pytest.approx((3 * calm.evaluations + alone.evaluations) / 4)
    assert calm.evaluations < alone.evaluations / 5


def test_a_jump_is_crossed():
    x = torch.tensor([[0.1], [0.3]], dtype=DOUBLE)
    found = solve_separately(lambda x, t: torch.where(x < 0.5, 1.0, 0.25).to(x), x, 0.0, 1.0, 1e-6)
    torch.testing.assert_close(found.state, torch.tensor([[0.65], [0.7]], dtype=DOUBLE), rtol=0, atol=1e-4)


def test_what_cannot_be_solved_is_given_up_and_told():
    x = torch.tensor([[1.0], [-1.0], [math.nan]], dtype=DOUBLE)
    found = solve_separately(lambda x, t: x * x, x, 0.0, 2.0, 1e-6)  # 1 / (1/x − t): the first is infinite at t = 1
    assert found.unsolved.tolist() == [True, False, True]
    torch.testing.assert_close(found.state[1], torch.tensor([-1 / 3], dtype=DOUBLE), rtol=0, atol=1e-5)


def test_the_tolerance_can_differ_between_components():
    state = torch.ones(1, 2, dtype=DOUBLE)

    def slope(state, t):
        return torch.cat([state[:, :1] * 0, torch.cos(300 * t)], dim=1)

    even, rough = (solve_separately(slope, state, 0.0, 1.0, 1e-6, scale) for scale in (None, (1.0, 1e4)))
    assert rough.evaluations < even.evaluations / 3
