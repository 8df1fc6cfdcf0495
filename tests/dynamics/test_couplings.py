"""What every coupling promises: marginals that stay the source and the target."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from playground.choice import kinds
from playground.dynamics.couplings import AnyCoupling, IndependentCoupling

EVERY_COUPLING = pytest.mark.parametrize("coupling", [cls() for cls in kinds(AnyCoupling)], ids=lambda c: c.kind)


def batches(n=400, d=2):
    generator = Generator().manual_seed(5)
    return torch.randn(n, d, generator=generator), 3 + 2 * torch.randn(n, d, generator=generator)


def in_order(x):
    return x[x[:, 0].argsort()]


@EVERY_COUPLING
@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_marginals_stay(coupling, d):
    x0, x1 = batches(d=d)
    first, second = coupling.pair(x0, x1, Generator().manual_seed(0))
    torch.testing.assert_close(in_order(first), in_order(x0))
    if coupling.kind != "sinkhorn":  # whose partners are drawn, some of them twice
        torch.testing.assert_close(in_order(second), in_order(x1))


@EVERY_COUPLING
def test_chance_comes_from_the_generator_alone(coupling):
    x0, x1 = batches()
    first, again = (coupling.pair(x0, x1, Generator().manual_seed(2)) for _ in range(2))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])


def test_independent_pairs_are_not_correlated():
    x0, x1 = batches(4000)
    x0, x1 = IndependentCoupling().pair(x0, x1, Generator().manual_seed(0))
    correlations = torch.corrcoef(torch.cat([x0, x1], dim=1).T)[:2, 2:]
    assert (correlations.abs() < 5 / 4000**0.5).all()
