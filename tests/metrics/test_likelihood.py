"""Negative log-likelihood, inside the support and outside it."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Generator

from playground.metrics import excess, nll


def test_a_gaussian_under_itself_has_its_entropy() -> None:
    x = torch.randn(100_000, generator=Generator().manual_seed(0))
    log_prob = -x.square() / 2 - math.log(2 * math.pi) / 2
    result = nll(log_prob)
    assert result.nll == pytest.approx(0.5 * math.log(2 * math.pi * math.e), abs=0.01)
    assert result.outside == 0


def test_points_outside_are_counted_and_not_averaged() -> None:
    result = nll(torch.tensor([-1.0, -3.0, -math.inf, -2.0]))
    assert (result.nll, result.outside) == (2.0, 0.25)
    nowhere = nll(torch.full((3,), -math.inf))
    assert (nowhere.nll, nowhere.outside) == (None, 1.0)


def test_what_is_not_solved_is_counted_apart() -> None:
    result = nll(torch.tensor([math.nan, -1.0, -math.inf, -3.0]))
    assert (result.nll, result.outside, result.unsolved) == (2.0, pytest.approx(1 / 3), 0.25)
    nothing = nll(torch.full((2,), math.nan))
    assert (nothing.nll, nothing.outside, nothing.unsolved) == (None, 0.0, 1.0)


@pytest.mark.parametrize("seed", range(5))
def test_the_excess_is_the_divergence_within_its_error(seed: int) -> None:
    """KL(N(0, 1) ‖ N(.1, 1)) = .005, which the mean of −log p less the entropy misses by five times as much."""
    x = torch.randn(2000, generator=Generator().manual_seed(seed), dtype=torch.float64)
    true, model = torch.distributions.Normal(0.0, 1.0), torch.distributions.Normal(0.1, 1.0)
    found = excess(true.log_prob(x), model.log_prob(x))
    assert found.value == pytest.approx(0.005, abs=3 * found.error)
    assert found.error == pytest.approx(0.1 / 2000**0.5, rel=0.1)
    assert excess(true.log_prob(x), true.log_prob(x)).value == 0


def test_the_excess_is_infinite_where_a_real_point_has_no_density() -> None:
    true = torch.zeros(4)
    assert excess(true, torch.tensor([0.0, -math.inf, 0.0, 0.0])).value is None
    some = excess(true, torch.tensor([-1.0, math.nan, -1.0, -1.0]))
    assert (some.value, some.error) == (1.0, 0.0)
    assert excess(true, torch.full((4,), math.nan)).value is None
    with pytest.raises(ValueError, match="no pairs"):
        excess(true, torch.zeros(3))
    with pytest.raises(ValueError, match="under their target"):
        excess(torch.tensor([-math.inf, 0.0]), torch.zeros(2))


@pytest.mark.parametrize("wrong", [[math.inf], []])
def test_what_is_no_log_density_is_refused(wrong: list[float]) -> None:
    with pytest.raises(ValueError, match="log-densit"):
        nll(torch.tensor(wrong))
    with pytest.raises(ValueError, match="shape"):
        nll(torch.zeros(3, 1))
