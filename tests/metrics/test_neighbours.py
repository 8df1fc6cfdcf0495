"""Figures from nearest neighbours: known divergences, and what each kind of damage does to them."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Generator

from playground.distributions import Cantor, Checkerboard, Gaussian, Grid, TwoMoons
from playground.metrics import SHARPNESS, sharpness, sharpness_figures, sharpness_floor, sliced_w2


def seeded(seed: int) -> Generator:
    return Generator().manual_seed(seed)


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize(("mean", "std"), [(0.0, 1.0), (1.0, 1.0), (0.0, 2.0), (0.5, 1.0)])
def test_between_gaussians_the_divergence_is_the_closed_form(dim, mean, std):
    g = seeded(0)
    found = [
        sharpness(mean + std * torch.randn(4000, dim, generator=g), torch.randn(4000, dim, generator=g)).sample_kl
        for _ in range(4)
    ]
    exact = dim * (math.log(std) + (1 + mean**2) / (2 * std**2) - 0.5)
    assert sum(found) / 4 == pytest.approx(exact, abs=0.03 + 0.15 * exact)


def test_real_points_are_at_the_floor():
    target = TwoMoons()
    floor = sharpness_floor(target, 2000, seeded(0))
    found = sharpness_figures(target.sample(2000, seeded(1)), target.sample(2000, seeded(2)))
    assert set(found) == set(SHARPNESS) == set(floor)
    for name in SHARPNESS:
        assert abs(found[name]) < 3 * floor[name]
    assert floor["sample_kl"] < 0.05
    assert floor["stray"] < 0.02


def test_they_see_the_blur_that_a_transport_distance_does_not():
    """Modes 1.4 times too wide on a wide grid: sliced W2 stays at its floor."""
    target, g = Grid(spacing=2), seeded(3)
    real, other = target.sample(2000, g), target.sample(2000, g)
    blurred = other + 0.05 * torch.randn(2000, 2, generator=g)
    floor = sharpness_floor(target, 2000, g)
    found = sharpness(blurred, real)
    assert sliced_w2(blurred, real) == pytest.approx(sliced_w2(other, real), rel=0.05)
    assert found.sample_kl > 5 * floor["sample_kl"]
    assert found.stray > 5 * floor["stray"]
    assert found.missed < 2 * floor["missed"]


def test_a_lost_mode_is_missed_and_nothing_strays():
    target, g = Grid(), seeded(4)
    real, (x, labels) = target.sample(2000, g), target.draw(2000, g)
    found = sharpness(x[labels != 7], real)
    assert found.missed == pytest.approx(float(1 / 25), abs=0.03)
    assert found.stray < 0.03
    assert found.sample_kl > 0.1


def test_a_blob_on_the_checkerboard_strays():
    """Half of a uniform blob lies off the board; the balls around the real points reach a little over its edges."""
    g = seeded(5)
    blob = 4 * torch.rand(2000, 2, generator=g) - 2
    found = sharpness(blob, Checkerboard().sample(2000, g))
    assert 0.3 < found.stray < 0.5
    assert found.sample_kl == pytest.approx(math.log(2), abs=0.1)


def test_equal_points_do_no_harm():
    real = Cantor().sample(500, seeded(6))
    for x in (real, torch.zeros(500, 1), real[:1].expand(500, 1)):
        found = sharpness(x, real)
        assert all(math.isfinite(value) for value in vars(found).values())
    assert sharpness(torch.zeros(500, 2), torch.zeros(500, 2)).sample_kl == pytest.approx(0, abs=0.01)


def test_sizes_may_differ_and_be_small():
    g = seeded(7)
    target = Gaussian(dimension=2)
    found = sharpness(target.sample(500, g), target.sample(3000, g))
    assert found.sample_kl == pytest.approx(0, abs=0.15)
    assert sharpness(target.sample(2, g), target.sample(3, g)) is not None
    with pytest.raises(ValueError, match="cannot be compared"):
        sharpness(target.sample(1, g), target.sample(3, g))
    with pytest.raises(ValueError, match="cannot be compared"):
        sharpness(target.sample(5, g), torch.zeros(5, 3))


def test_points_that_are_not_finite_have_no_figures():
    x = torch.full((20, 2), math.inf)
    assert sharpness(x, torch.randn(20, 2)) is None
    assert sharpness_figures(x, torch.randn(20, 2)) == dict.fromkeys(SHARPNESS)
