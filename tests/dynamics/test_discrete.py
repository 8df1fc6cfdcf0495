"""The discrete noising of DDPM: published schedules, rescaled to any T, and the path that it is part of."""

from __future__ import annotations

import math

import pytest
import torch

from playground.dynamics.discrete import DiscretePath, alpha_bars, betas
from playground.dynamics.paths import VPPath
from playground.dynamics.process import Process
from playground.dynamics.samplers import DDIM
from playground.dynamics.solvers import Sampler

SCHEDULES = ["linear_beta", "cosine_alpha_bar"]
EVERY_SCHEDULE = pytest.mark.parametrize("schedule", SCHEDULES)


def test_linear_betas_are_those_of_ddpm_at_a_thousand_steps():
    """linspace(1e-4, 0.02), but for the integral over each step instead of its value there."""
    published = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
    torch.testing.assert_close(betas("linear_beta", 1000), published, rtol=0.02, atol=1.1e-5)
    assert float(alpha_bars("linear_beta", 1000)[-1]) == pytest.approx(float((1 - published).prod()), rel=0.15)


@pytest.mark.parametrize("timesteps", [2, 20, 100])
def test_any_number_of_steps_ends_with_the_same_noise(timesteps):
    """ᾱ of step i is that of the VP path at t = 1 − i / T, for which exp(−∫β) is exact."""
    left = alpha_bars("linear_beta", timesteps)
    assert (betas("linear_beta", timesteps) < 1).all()
    assert float(left[-1]) == pytest.approx(math.exp(-(0.1 + 0.5 * 19.9)), rel=1e-9)
    t = 1 - torch.arange(1, timesteps + 1, dtype=torch.float64) / timesteps
    torch.testing.assert_close(left[1:].sqrt(), VPPath().coefficients(t).alpha, rtol=1e-9, atol=0)


def test_the_cosine_schedule_is_the_published_one():
    left = alpha_bars("cosine_alpha_bar", 100)

    def f(tau: float) -> float:
        return math.cos((tau + 0.008) / 1.008 * math.pi / 2) ** 2

    for i in (1, 37, 99):
        assert float(left[i]) == pytest.approx(f(i / 100) / f(0), rel=1e-9)
    assert float(betas("cosine_alpha_bar", 100)[-1]) == pytest.approx(0.999)
    assert left.shape == (101,)
    assert (left.diff() < 0).all()


@EVERY_SCHEDULE
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_path_stands_on_the_steps_and_turns_between_them(schedule, dtype):
    path = DiscretePath(schedule=schedule, timesteps=50)
    c = path.coefficients(path.nodes().to(dtype))
    left = alpha_bars(schedule, 50).flip(0).to(dtype)
    torch.testing.assert_close(c.alpha, left.sqrt(), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(c.alpha.square() + c.sigma.square(), torch.ones_like(left))
    assert float(c.sigma[-1]) == 0
    assert (c.turning > 0).all() and c.d_sigma.isfinite().all()
    t = torch.tensor([0.111, 0.503, 0.9951], dtype=torch.float64)
    ahead, behind = path.coefficients(t + 1e-6), path.coefficients(t - 1e-6)
    for value, slope in (("alpha", "d_alpha"), ("sigma", "d_sigma")):
        found = (getattr(ahead, value) - getattr(behind, value)) / 2e-6
        torch.testing.assert_close(found, getattr(path.coefficients(t), slope), rtol=1e-5, atol=1e-6)


def test_samplers_stand_at_its_steps_and_no_others():
    path = DiscretePath(timesteps=10)
    assert path.snapped([0, 0.26, 0.31, 0.34, 0.5, 1.0]) == [0, 0.3, 0.5, 1.0]
    known = Process(lambda x, t: torch.zeros_like(x), path, scored=True)
    x0 = torch.zeros(1, 2)
    assert Sampler(solver=DDIM(), steps=4).integrate(known, x0).t.tolist() == [0, 0.3, 0.5, 0.8, 1]
    assert Sampler(solver=DDIM(), steps=300).integrate(known, x0).nfe == 10
    assert Sampler(solver="heun", steps=300).integrate(known, x0).nfe == 20


@pytest.mark.parametrize("timesteps", [0, 1, 1001])
def test_a_number_of_steps_out_of_bounds_is_refused(timesteps):
    with pytest.raises(ValueError, match="than or equal to"):
        DiscretePath(timesteps=timesteps)
