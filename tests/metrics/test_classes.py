"""Figures of conditional samples, on samples whose figures are known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Generator

from playground.distributions import Checkerboard, Ring
from playground.distributions.base import Modes
from playground.metrics.classes import NEIGHBOURS, class_figures, overall

RING = Ring()
MODES = RING.separate_modes()


def ring(n: int, seed: int):
    return RING.draw(n, Generator().manual_seed(seed))


def test_a_perfect_sample_lies_in_its_classes_and_fills_them():
    (x, labels), (real, real_labels) = ring(8000, 1), ring(8000, 2)
    found = class_figures(x, labels, real, real_labels, MODES)
    assert sorted(found) == list(range(8))
    whole = overall(found, labels)
    assert whole.in_class == 1
    assert whole.high_quality == pytest.approx(1 - math.exp(-4.5), abs=0.005)
    assert whole.coverage == pytest.approx(1 - 2**-NEIGHBOURS, abs=0.01)
    assert whole.spread == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("modes", [MODES, None], ids=["exact", "against real points"])
def test_a_narrower_sample_has_lost_spread_and_coverage(modes):
    (x, labels), (real, real_labels) = ring(4000, 1), ring(4000, 2)
    assert MODES is not None
    centers = MODES.centers[labels]
    whole = overall(class_figures(centers + 0.25 * (x - centers), labels, real, real_labels, modes), labels)
    assert whole.spread == pytest.approx(0.25, rel=0.05)
    assert whole.coverage is not None
    assert whole.coverage < 0.5
    assert whole.in_class == 1


def test_points_of_another_class_are_not_in_theirs():
    (x, labels), (real, real_labels) = ring(2000, 1), ring(2000, 2)
    found = class_figures(x, (labels + 1) % 8, real, real_labels, MODES)
    for one in found.values():
        assert (one.in_class, one.high_quality, one.coverage) == (0, 0, 0)


def test_by_hand():
    real = torch.tensor([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0], [100.0], [101.0]])
    real_labels = torch.tensor([0] * 6 + [1] * 2)
    x = torch.tensor([[0.0], [2.0], [99.0], [99.5], [200.0], [201.0]])
    labels = torch.tensor([0, 0, 0, 1, 1, 1])
    found = class_figures(x, labels, real, real_labels)
    assert found[0].in_class == pytest.approx(2 / 3)
    assert found[1].in_class == 1
    assert found[0].coverage is None  # three samples are too few
    mean = (0 + 2 + 99) / 3
    own = math.sqrt(((0 - mean) ** 2 + (2 - mean) ** 2 + (99 - mean) ** 2) / 3)
    assert found[0].spread == pytest.approx(own / math.sqrt(35 / 12))


def test_coverage_is_counted_by_brute_force():
    (x, labels), (real, real_labels) = Checkerboard().draw(300, Generator().manual_seed(1)), ring(300, 2)
    real, labels, real_labels = 0.8 * real, torch.zeros_like(labels), torch.zeros_like(real_labels)
    covered = 0
    for i in range(300):
        away = sorted(float((real[i] - other).norm()) for j, other in enumerate(real) if j != i)
        covered += min(float((real[i] - point).norm()) for point in x) <= away[NEIGHBOURS - 1]
    assert class_figures(x, labels, real, real_labels)[0].coverage == pytest.approx(covered / 300)


def test_points_that_are_not_finite_are_in_no_class_and_on_no_mode():
    (x, labels), (real, real_labels) = ring(1600, 1), ring(1600, 2)
    broken = x.clone()
    broken[::2] = math.nan
    modes = Modes(RING.components().centers.float(), RING.components().stds.float(), torch.full((8,), 1 / 8))
    whole = overall(class_figures(broken, labels, real, real_labels, modes), labels)
    assert whole.high_quality is not None
    assert whole.high_quality <= 0.51
    assert math.isfinite(whole.spread)
