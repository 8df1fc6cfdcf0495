from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

from playground.distributions import Exponential, Laplace, StudentT


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("freedom", [1, 2, 30])
def test_student_has_scipys_density_and_entropy(freedom, dim):
    ours = StudentT(freedom=freedom, spread=0.7, dimension=dim)
    theirs = stats.multivariate_t(np.zeros(dim), 0.49 * np.eye(dim), df=freedom)
    x = 10 * torch.linspace(-1, 1, 30 * dim, dtype=torch.float64).sin().reshape(30, dim) ** 3
    np.testing.assert_allclose(ours.log_prob(x), theirs.logpdf(x.numpy()), atol=1e-9)
    assert ours.entropy() == pytest.approx(theirs.entropy(), abs=1e-9)


@pytest.mark.parametrize("freedom", [1, 2, 5])
def test_student_is_drawn_with_its_tails(freedom, generator):
    """Along each axis by Kolmogorov–Smirnov; the radius over √2 has the F distribution's root."""
    x = StudentT(freedom=freedom, spread=2.0).at(2).sample(20_000, generator) / 2
    assert x.isfinite().all()
    for axis in x.T.numpy():
        assert stats.kstest(axis, stats.t(freedom).cdf).pvalue > 1e-4
    assert stats.kstest(x.square().sum(1).numpy() / 2, stats.f(2, freedom).cdf).pvalue > 1e-4


def test_one_degree_of_freedom_divides_by_no_zero(monkeypatch, generator):
    monkeypatch.setattr(torch, "randn", lambda *shape, generator, device: torch.zeros(shape))
    assert StudentT(freedom=1).at(2).sample(5, generator).isfinite().all()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Laplace(spread=0.4), stats.laplace(scale=0.4)),
        (Exponential(start=0.5, spread=2.0), stats.expon(loc=0.5, scale=2)),
    ],
    ids=["laplace", "exponential"],
)
def test_axes_are_scipys_and_independent(ours, theirs, generator):
    line, plane = ours.at(1), ours.at(2)
    x = torch.linspace(-3, 6, 50, dtype=torch.float64)[:, None]
    np.testing.assert_allclose(line.log_prob(x), theirs.logpdf(x.numpy()[:, 0]), atol=1e-9)
    np.testing.assert_allclose(
        plane.log_prob(torch.cat([x, x.flip(0)], 1)), line.log_prob(x) + line.log_prob(x.flip(0))
    )
    assert line.entropy() == pytest.approx(theirs.entropy())
    assert plane.entropy() == pytest.approx(2 * theirs.entropy())
    sample = plane.sample(20_000, generator)
    for axis in sample.T.numpy():
        assert stats.kstest(axis, theirs.cdf).pvalue > 1e-4
    assert abs(sample.T.corrcoef()[0, 1].item()) < 0.04


@pytest.mark.parametrize("distribution", [Laplace(dimension=1), Exponential(dimension=1, start=50.0, spread=0.001)])
def test_extreme_numbers_stay_finite_and_inside(distribution, extreme_rand, generator):
    x = distribution.sample(10, generator)
    assert x.isfinite().all()
    assert (distribution.log_prob(x) > -math.inf).all()
