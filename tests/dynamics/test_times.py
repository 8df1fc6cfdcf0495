"""Training times: quantile functions of the densities that the papers give."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from playground.choice import kinds
from playground.dynamics.times import AnyTimes, LogitNormalTimes, UniformTimes, UShapedTimes

ALL = [*(cls() for cls in kinds(AnyTimes)), LogitNormalTimes(mean=-0.5, std=0.5), UShapedTimes(steepness=10)]
EVERY = pytest.mark.parametrize("times", ALL, ids=lambda times: times.kind)


def density(times, t: np.ndarray) -> np.ndarray:
    match times:
        case UniformTimes():
            return np.ones_like(t)
        case LogitNormalTimes():
            logit = np.log(t / (1 - t))
            bell = np.exp(-0.5 * ((logit - times.mean) / times.std) ** 2)
            return bell / (times.std * math.sqrt(2 * math.pi) * t * (1 - t))
        case UShapedTimes():
            a = times.steepness
            return np.cosh(a * (t - 0.5)) * a / (2 * np.sinh(a / 2))
    raise AssertionError


@EVERY
def test_shares_below_a_quantile_are_those_of_the_density(times):
    grid = np.linspace(1e-6, 1 - 1e-6, 200_001)
    below = np.concatenate([[0], np.cumsum((density(times, grid)[1:] + density(times, grid)[:-1]) / 2 * np.diff(grid))])
    assert below[-1] == pytest.approx(1, abs=1e-3)
    shares = torch.linspace(0.01, 0.99, 99, dtype=torch.float64)
    found = times.quantile(shares).numpy()
    np.testing.assert_allclose(np.interp(found, grid, below), shares.numpy(), atol=1e-3)


@EVERY
def test_times_stay_in_the_unit_interval_in_order(times):
    for dtype in (torch.float32, torch.float64):
        shares = torch.cat([torch.linspace(0, 1, 1001, dtype=dtype)[:-1], torch.tensor([1 - 2**-24], dtype=dtype)])
        t = times.quantile(shares)
        assert t.dtype == dtype
        assert t.isfinite().all()
        assert ((t >= 0) & (t <= 1)).all()
        assert (t.diff() >= 0).all()


def test_where_they_are():
    shares = torch.linspace(0.005, 0.995, 100, dtype=torch.float64)
    assert torch.equal(UniformTimes().quantile(shares), shares)
    middle = lambda t: float(((t > 0.25) & (t < 0.75)).float().mean())  # noqa: E731
    assert middle(LogitNormalTimes().quantile(shares)) > 0.65
    assert middle(UShapedTimes().quantile(shares)) < 0.4
    assert float(LogitNormalTimes(mean=1.0).quantile(torch.tensor(0.5))) == pytest.approx(1 / (1 + math.exp(-1)))
