"""Pairs that are made once and used often: the marginals, the amount, the chance."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from playground.dynamics.couplings import (
    ClassOptimalTransportCoupling,
    IndependentCoupling,
    OptimalTransportCoupling,
    SinkhornCoupling,
)
from playground.models.base import Pool
from playground.models.pairing import FIRST, KEPT, Pairs

COUPLINGS = [
    IndependentCoupling(),
    OptimalTransportCoupling(batch=64),
    SinkhornCoupling(batch=64),
    ClassOptimalTransportCoupling(batch=64),
]
EVERY_COUPLING = pytest.mark.parametrize("coupling", COUPLINGS, ids=lambda coupling: coupling.kind)


def pools(n: int = 20_000, labelled: bool = True) -> tuple[Pool, Pool]:
    chance = Generator().manual_seed(1)
    x0, x1 = torch.randn(2, n, 2, generator=chance)
    labels = (x1[:, 0] > 0).long() if labelled else None
    return Pool(x0, Generator().manual_seed(2)), Pool(3 + x1, Generator().manual_seed(3), labels)


def pairs_of(coupling, **options) -> Pairs:
    return Pairs(coupling, *pools(**options), Generator().manual_seed(4))


@EVERY_COUPLING
def test_marginals_are_those_of_the_pools(coupling):
    x0, x1 = pairs_of(coupling).batch(8192)
    assert x0.shape == x1.shape == (8192, 2)
    # Of 1,024 pairs or more: a mean is known to 0.031.
    torch.testing.assert_close(x0.mean(0), torch.zeros(2), rtol=0, atol=0.09)
    torch.testing.assert_close(x1.mean(0), torch.full((2,), 3.0), rtol=0, atol=0.09)
    torch.testing.assert_close(x0.std(0), torch.ones(2), rtol=0, atol=0.07)
    torch.testing.assert_close(x1.std(0), torch.ones(2), rtol=0, atol=0.07)


@EVERY_COUPLING
def test_the_seed_decides_everything(coupling):
    def drawn() -> list[Tensor]:
        pairs = pairs_of(coupling)
        return [part for _ in range(3) for part in pairs.batch(1000)]

    assert all(torch.equal(one, two) for one, two in zip(drawn(), drawn(), strict=True))


def test_pairs_are_near_each_other():
    independent, optimal, classes = (
        (x1 - x0 - 3).square().sum(1).mean()
        for x0, x1 in (pairs_of(coupling).batch(4000) for coupling in (COUPLINGS[0], COUPLINGS[1], COUPLINGS[3]))
    )
    assert optimal < 0.15 * independent
    assert optimal < classes < independent


def test_classes_come_from_the_pool():
    """Without labels the classes' coupling is the plain one, and better."""
    apart, alike = (
        float((x1 - x0 - 3).square().sum(1).mean())
        for x0, x1 in (pairs_of(COUPLINGS[3], labelled=labelled).batch(4000) for labelled in (True, False))
    )
    assert alike < 0.5 * apart


def test_new_pairs_are_made_at_the_rate_that_is_stated():
    made = []

    class Counting(OptimalTransportCoupling):
        def partners(self, x0, x1, generator, labels=None):
            made.append(len(x0))
            return torch.arange(len(x0))

    coupling = Counting(batch=64)
    assert (coupling.uses, OptimalTransportCoupling().uses) == (14, 56)
    pairs = pairs_of(coupling)
    pairs.batch(1)
    assert FIRST <= sum(made) <= FIRST + 64
    before = sum(made)
    for _ in range(50):
        pairs.batch(4096)
    assert sum(made) - before == pytest.approx(50 * 4096 / coupling.uses, abs=4096 / coupling.uses + 64)
    assert set(made) == {64}
    for _ in range(100):
        pairs.batch(8192)
    assert len(pairs._kept[0]) <= KEPT


def test_a_few_training_points_are_enough():
    few = Pool(torch.randn(5, 2, generator=Generator().manual_seed(0)), Generator().manual_seed(1))
    x0, x1 = Pairs(OptimalTransportCoupling(), pools()[0], few, Generator().manual_seed(2)).batch(500)
    assert x1.unique(dim=0).shape[0] <= 5
    assert x0.shape == (500, 2)


def test_labels_stay_with_their_points():
    _, pool = pools(n=300)
    for n in (100, 100, 100, 250, 1000):
        points, labels = pool.labelled(n)
        assert torch.equal(labels, (points[:, 0] > 3).long())
