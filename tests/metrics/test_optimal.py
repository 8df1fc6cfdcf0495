"""The optimal transport cost against closed forms: it must be as near as its own error says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from playground.distributions import Gaussian, GaussianMixture, Ring, Uniform
from playground.distributions.base import Distribution
from playground.metrics import optimal_cost, w2
from playground.models.base import seeded

GRID = (np.arange(1_000_000) + 0.5) / 1_000_000
"""Levels of quantile functions, for W2² between distributions that are products of lines."""


def between_lines(low: float, high: float) -> float:
    """W2² between a uniform on [low, high] and a standard normal."""
    return float(np.mean((norm.ppf(GRID) - (low + (high - low) * GRID)) ** 2))


def near(source: Distribution, target: Distribution, exact: float, n: int = 1000, room: float = 3) -> None:
    dim = source.dim or 2
    found = optimal_cost(source.at(dim), target.at(dim), seeded(0, 17), n=n)
    assert abs(found.value - exact) < room * found.error, found
    assert 0 < found.error < 0.06 * exact


@pytest.mark.parametrize("n", [400, 1000])
def test_between_gaussians_it_is_bures(n: int) -> None:
    wide = Gaussian(mean=(1.0, -1.0), std=(1.5, 0.5), correlation=0.6)
    covariance = np.array([[2.25, 0.45], [0.45, 0.25]])
    trace = 2.5 + 2 - 2 * np.sqrt(np.linalg.eigvalsh(covariance)).sum()  # the other's is the identity
    near(Gaussian(), wide, 2 + trace, n=n)


def test_between_a_square_and_a_gaussian_it_is_that_of_two_lines() -> None:
    near(Uniform(low=(-1.0,), high=(1.0,)), Gaussian(), 2 * between_lines(-1, 1))


def test_on_a_line_it_is_that_of_quantiles() -> None:
    near(Uniform(low=(0.0,), high=(3.0,)).at(1), Gaussian().at(1), between_lines(0, 3))


def test_far_apart_it_is_the_moments() -> None:
    """A point far away is reached in one way, whatever the order: |m|² + tr Σ in the limit of no width."""
    dot = GaussianMixture(centers=((3.0, 4.0),), std=0.01)
    near(Gaussian(), dot, 25 + 2)


def test_it_is_below_what_optimal_transport_between_samples_costs() -> None:
    source, target, generator = Gaussian().at(2), Ring(), seeded(0, 18)
    drawn = [(w2(source.sample(500, generator), target.sample(500, generator)) or 0) ** 2 for _ in range(8)]
    found = optimal_cost(source, target, generator)
    assert 0.9 * np.mean(drawn) < found.value < np.mean(drawn)


def test_of_a_distribution_to_itself_it_is_nothing() -> None:
    for one in (Gaussian().at(2), Ring()):
        assert optimal_cost(one, one, seeded(0, 17), n=500).value == 0


def test_it_needs_points_and_draws() -> None:
    for given in ({"n": 9}, {"draws": 1}):
        with pytest.raises(ValueError, match="at least two draws of ten points"):
            optimal_cost(Gaussian().at(2), Ring(), seeded(0, 17), **given)
