"""Negative log-likelihood, inside the support and outside it."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Generator

from playground.metrics import nll


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


@pytest.mark.parametrize("wrong", [[math.nan, 0.0], [math.inf], []])
def test_what_is_no_log_density_is_refused(wrong: list[float]) -> None:
    with pytest.raises(ValueError, match="log-densit"):
        nll(torch.tensor(wrong))
    with pytest.raises(ValueError, match="shape"):
        nll(torch.zeros(3, 1))
