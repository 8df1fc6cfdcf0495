"""Copies are told from new points; distances are those of brute force."""

import math

import pytest
import torch

from playground.metrics import memorisation


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_against_brute_force(dim):
    generator = torch.Generator().manual_seed(dim)
    samples, training, held_out = (torch.randn(n, dim, generator=generator) for n in (120, 30, 90))
    found = memorisation(samples, training, held_out)
    for points, nearest, copied in (
        (samples, found.nearest, found.copied),
        (held_out, found.nearest_floor, found.copied_floor),
    ):
        near = [sorted(float((point - other).norm()) for other in training.double()) for point in points.double()]
        assert nearest == pytest.approx(sum(each[0] for each in near) / len(near))
        assert copied == sum(each[0] < each[1] / 3 for each in near) / len(near)


def test_copies_are_copies_and_fresh_points_are_like_held_out_ones():
    generator = torch.Generator().manual_seed(0)
    training, fresh, held_out = (torch.randn(n, 2, generator=generator) for n in (64, 4000, 4000))
    copies = training[torch.randint(64, (500,), generator=generator)] + 1e-4
    found = memorisation(copies, training, held_out)
    assert found.copied > 0.99 and found.nearest == pytest.approx(math.sqrt(2) * 1e-4, rel=0.05)
    found = memorisation(fresh, training, held_out)
    assert found.nearest == pytest.approx(found.nearest_floor, rel=0.1)
    assert found.copied == pytest.approx(found.copied_floor, abs=0.03)
    assert found.copied_floor == pytest.approx(1 / 9, abs=0.06), "in the plane a ninth lies so near by chance"


def test_samples_that_are_not_finite_are_left_out():
    training = torch.tensor([[0.0], [10.0]])
    samples = torch.tensor([[1.0], [math.nan], [math.inf]])
    assert memorisation(samples, training, training).nearest == 1
    assert math.isnan(memorisation(samples[1:], training, training).nearest)
