"""Chains on a Gaussian, of which everything is known."""

from __future__ import annotations

import math
from itertools import islice

import pytest
import torch
from torch import Generator, Tensor

from playground.models.energy.chains import Hmc, Langevin, Mala

COVARIANCE = torch.tensor([[1.0, 0.6], [0.6, 0.5]])
MEAN = torch.tensor([0.5, -1.0])
PRECISION = torch.linalg.inv(COVARIANCE)


def gaussian(u: Tensor) -> tuple[Tensor, Tensor]:
    slope = (u - MEAN) @ PRECISION
    return 0.5 * ((u - MEAN) * slope).sum(1), slope


def drawn(n: int) -> Tensor:
    z = torch.randn(n, 2, generator=Generator().manual_seed(0))
    return MEAN + z @ torch.linalg.cholesky(COVARIANCE).t()


@pytest.mark.parametrize("chain", [Mala(step=0.5), Hmc(step=0.4, leapfrogs=5), Hmc(step=0.55, leapfrogs=3)])
def test_a_gaussian_is_left_invariant(chain):
    """From the density itself, after some moves, it is still that density, though many moves are rejected."""
    n = 40_000
    *_, last = islice(chain.states(gaussian, drawn(n), Generator().manual_seed(1)), 20)
    assert 0.2 < last.accepted < 0.98
    assert (last.u.mean(0) - MEAN).abs().max() < 5 / math.sqrt(n)
    assert (torch.cov(last.u.t()) - COVARIANCE).abs().max() < 8 / math.sqrt(n)


@pytest.mark.parametrize("chain", [Mala(step=0.5), Hmc(step=0.3, leapfrogs=6)])
def test_chains_from_elsewhere_find_its_moments(chain):
    start = torch.full((20_000, 2), 4.0)
    *_, last = islice(chain.states(gaussian, start, Generator().manual_seed(2)), 150)
    assert (last.u.mean(0) - MEAN).abs().max() < 0.04
    assert (torch.cov(last.u.t()) - COVARIANCE).abs().max() < 0.06


@pytest.mark.parametrize("step", [0.3, 0.8])
def test_langevins_bias_is_the_known_one(step):
    """On N(0, 1) u ← (1 − h²/2) u + h z is stationary with variance 1 / (1 − h²/4)."""
    n = 100_000
    start = torch.randn(n, 1, generator=Generator().manual_seed(3))
    states = Langevin(step=step).states(lambda u: (0.5 * u[:, 0] ** 2, u), start, Generator().manual_seed(4))
    *_, last = islice(states, 150)
    assert float(last.u.var()) == pytest.approx(1 / (1 - step**2 / 4), rel=5 * math.sqrt(2 / n))


@pytest.mark.parametrize(("step", "stable"), [(1.9, True), (2.1, False)])
def test_langevin_is_unstable_beyond_its_limit(step, stable):
    start = torch.randn(100, 1, generator=Generator().manual_seed(3))
    states = Langevin(step=step).states(lambda u: (0.5 * u[:, 0] ** 2, u), start, Generator().manual_seed(4))
    *_, last = islice(states, 400)
    assert bool(last.u.abs().max() < 30) is stable


def test_a_move_to_nowhere_is_rejected():
    def wall(u: Tensor) -> tuple[Tensor, Tensor]:
        outside = (u[:, 0].abs() > 0.5) * math.nan
        return outside.nan_to_num(posinf=0) + torch.where(u[:, 0].abs() > 0.5, math.nan, 0.0), torch.zeros_like(u)

    states = Mala(step=1.0).states(wall, torch.zeros(500, 1), Generator().manual_seed(5))
    *_, last = islice(states, 20)
    assert last.u.abs().max() <= 0.5
    assert 0 < last.accepted < 1


def test_the_same_chance_gives_the_same_chain():
    ends = [list(islice(Hmc().states(gaussian, drawn(10), Generator().manual_seed(7)), 5))[-1].u for _ in range(2)]
    assert torch.equal(*ends)
