"""Training times: quantile functions of the densities that the papers give."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from playground.choice import kinds
from playground.dynamics.parameterization import Moments, log_noise
from playground.dynamics.paths import AnyPath, LinearPath
from playground.dynamics.times import AnyTimes, LogitNormalTimes, NoiseTimes, UniformTimes, UShapedTimes

ALL = [*(cls() for cls in kinds(AnyTimes)), LogitNormalTimes(mean=-0.5, std=0.5), UShapedTimes(steepness=10)]
PATHS = [cls() for cls in kinds(AnyPath)]
MOMENTS = Moments(torch.zeros(2), torch.zeros(2), 1.0, 1.7)
EVERY = pytest.mark.parametrize("times", ALL, ids=lambda times: times.kind)


def density(times, t: np.ndarray) -> np.ndarray:
    match times:
        case UniformTimes():
            return np.ones_like(t)
        case LogitNormalTimes():
            logit = np.log(t / (1 - t))
            bell = np.exp(-0.5 * ((logit - times.mean) / times.std) ** 2)
            return bell / (times.std * math.sqrt(2 * math.pi) * t * (1 - t))
        case NoiseTimes():  # on the linear path, where r = log((1 − t) / (1.7 t)) and dr/dt = −1 / (t (1 − t))
            bell = 1 / np.cosh((np.log((1 - t) / (1.7 * t)) - times.mean) / times.scale / 2) ** 2
            return bell / (4 * times.scale * t * (1 - t))
        case UShapedTimes():
            a = times.steepness
            return np.cosh(a * (t - 0.5)) * a / (2 * np.sinh(a / 2))
    raise AssertionError


def quantile(times, path=LinearPath()):  # noqa: B008
    low, high = path.t_min, path.t_max
    return times.on(lambda share: log_noise(MOMENTS, path, low + (high - low) * share))


@EVERY
def test_shares_below_a_quantile_are_those_of_the_density(times):
    grid = np.linspace(1e-6, 1 - 1e-6, 200_001)
    below = np.concatenate([[0], np.cumsum((density(times, grid)[1:] + density(times, grid)[:-1]) / 2 * np.diff(grid))])
    assert below[-1] == pytest.approx(1, abs=1e-3)
    shares = torch.linspace(0.01, 0.99, 99, dtype=torch.float64)
    found = quantile(times)(shares).numpy()
    np.testing.assert_allclose(np.interp(found, grid, below), shares.numpy(), atol=1e-3)


@EVERY
def test_times_stay_in_the_unit_interval_in_order(times):
    for dtype, path in itertools.product((torch.float32, torch.float64), PATHS):
        shares = torch.cat([torch.linspace(0, 1, 1001, dtype=dtype)[:-1], torch.tensor([1 - 2**-24], dtype=dtype)])
        t = quantile(times, path)(shares)
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


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.kind)
def test_levels_of_noise_are_logistic_on_every_path_and_cut_to_what_the_path_has(path):
    times, low, high = NoiseTimes(mean=-1.0, scale=0.7), path.t_min, path.t_max
    shares = (torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000
    t = low + (high - low) * quantile(times, path)(shares)
    r = log_noise(MOMENTS, path, t)
    least, most = (log_noise(MOMENTS, path, torch.tensor(end).double()).clamp(-17, 17) for end in (high, low))
    below = lambda level: torch.sigmoid((level - times.mean) / times.scale)  # noqa: E731
    expected = (below(r) - below(least)) / (below(most) - below(least))
    torch.testing.assert_close(expected, 1 - shares, rtol=0, atol=1e-4)
