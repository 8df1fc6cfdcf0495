"""Straightness, energy and cost against flows whose solution is known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Generator, Tensor

from playground.metrics import bending, npe, path_figures

TIMES = torch.linspace(0, 1, 101, dtype=torch.float64)


def start(n: int = 200, d: int = 2) -> Tensor:
    return torch.randn(n, d, generator=Generator().manual_seed(0), dtype=torch.float64)


def rotation(x0: Tensor, omega: float, t: Tensor) -> tuple[Tensor, Tensor]:
    """States and velocities of dx/dt = ωJx."""
    angle = omega * t[:, None, None]
    turned = torch.stack([-x0[:, 1], x0[:, 0]], dim=1)
    return angle.cos() * x0 + angle.sin() * turned, omega * (angle.cos() * turned - angle.sin() * x0)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_a_constant_field_is_straight(d: int) -> None:
    x0, c = start(d=d), torch.arange(1.0, d + 1, dtype=torch.float64)
    figures = path_figures(TIMES, x0 + TIMES[:, None, None] * c, c.expand(101, 200, d))
    assert figures is not None
    assert figures.straightness == pytest.approx(0, abs=1e-20)
    assert figures.energy == pytest.approx(float(c.square().sum()))
    assert figures.transport_cost == pytest.approx(float(c.square().sum()))
    assert npe(figures.energy, float(c.square().sum())) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("omega", [0.5, math.pi / 2, math.pi])
def test_a_rotation_meets_its_closed_form(omega: float) -> None:
    x0 = start()
    figures = path_figures(TIMES, *rotation(x0, omega, TIMES))
    assert figures is not None
    moment = float(x0.square().sum(1).mean())
    energy, cost = omega**2 * moment, 2 * (1 - math.cos(omega)) * moment
    assert figures.energy == pytest.approx(energy, rel=1e-12)
    assert figures.transport_cost == pytest.approx(cost, rel=1e-12)
    assert figures.straightness == pytest.approx(energy - cost, rel=1e-3)


def test_the_rule_converges_with_the_squared_step() -> None:
    x0 = start()
    moment = float(x0.square().sum(1).mean())
    exact = (math.pi**2 - 4) * moment
    errors = []
    for steps in (50, 100):
        t = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
        figures = path_figures(t, *rotation(x0, math.pi, t))
        assert figures is not None
        errors.append(abs(figures.straightness - exact))
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.02)


def test_a_straight_path_on_an_uneven_grid_and_with_varying_speed() -> None:
    """x = x0 + t²c: energy ∫4t²|c|² = 4/3, cost 1, so S = 1/3 of |c|² although the line is straight."""
    t = torch.linspace(0, 1, 401, dtype=torch.float64) ** 1.5
    x0, c = start(), torch.tensor([1.0, 2.0], dtype=torch.float64)
    figures = path_figures(t, x0 + t[:, None, None] ** 2 * c, (2 * t[:, None, None] * c).expand(401, 200, 2))
    assert figures is not None
    assert figures.straightness == pytest.approx(5 / 3, rel=1e-4)
    assert figures.energy == pytest.approx(20 / 3, rel=1e-4)


def test_times_that_do_not_reach_the_ends() -> None:
    t = torch.linspace(0.1, 0.9, 51)
    x0, c = start().float(), torch.tensor([2.0, 0.0])
    figures = path_figures(t, x0 + t[:, None, None] * c, c.expand(51, 200, 2))
    assert figures is not None
    assert figures.straightness == pytest.approx(0, abs=1e-10)


def test_a_diverged_solution_has_no_figures_and_a_wrong_one_is_refused() -> None:
    x, v = rotation(start(), 1.0, TIMES)
    broken = x.clone()
    broken[-1, 0, 0] = math.inf
    assert path_figures(TIMES, broken, v) is None
    for arguments in ((TIMES[:5], x, v), (TIMES, x, v[:, :3]), (TIMES[:1], x[:1], v[:1]), (TIMES, x[:, :0], v[:, :0])):
        with pytest.raises(ValueError, match="states"):
            path_figures(*arguments)
    with pytest.raises(ValueError, match="ascend"):
        path_figures(TIMES.flip(0), x, v)


def test_npe() -> None:
    assert npe(3.0, 2.0) == 0.5
    assert npe(1.0, 2.0) == 0.5
    assert npe(0.0, 2.0) == 1.0
    assert npe(1.0, 0.0) is None
    assert npe(1.0, None) is None


@pytest.mark.parametrize("omega", [0.5, math.pi / 2])
def test_where_a_rotation_loses_straightness(omega: float) -> None:
    """|(Z1 − Z0) − v_t|² = r² (2 (1 − cos ω) + ω² − 4 ω sin(ω/2) cos(ω (t − ½))): most at both ends, by r² of each."""
    x0 = start()
    found = bending(TIMES, *rotation(x0, omega, TIMES))
    waves = 4 * omega * math.sin(omega / 2) * torch.cos(omega * (TIMES - 0.5))
    expected = (2 * (1 - math.cos(omega)) + omega**2 - waves)[:, None] * x0.square().sum(1)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-12)
