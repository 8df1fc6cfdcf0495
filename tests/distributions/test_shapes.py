"""The shapes that are neither mixtures nor noisy curves: banana, funnel, pinwheel, heart."""

from __future__ import annotations

import math

import pytest
import torch

from playground.distributions import Banana, Funnel, Heart, Pinwheel


@pytest.mark.parametrize("bent", [Banana(), Banana(curvature=-2.0, length=0.5, width=0.1), Funnel(), Funnel(spread=3)])
def test_straightening_undoes_bending(bent, generator):
    z = torch.randn(200, 2, generator=generator, dtype=torch.float64)
    back, log_det = bent.straighten(bent.bend(z))
    torch.testing.assert_close(back, z)
    jacobian = torch.func.vmap(torch.func.jacrev(lambda each: bent.bend(each[None])[0]))(z)
    torch.testing.assert_close(log_det.expand(200), jacobian.det().abs().log())


def test_moments_of_banana_and_funnel(generator, has_moments):
    banana = Banana(curvature=0.5, length=1.0, width=0.2).sample(50_000, generator)
    has_moments(banana, [0.0, 0.0], [[1, 0], [0, 0.04 + 0.25 * 2]])
    funnel = Funnel(spread=0.5).sample(50_000, generator)
    has_moments(funnel, [0.0, 0.0], [[math.exp(0.125), 0], [0, 0.25]])


def test_an_untwisted_pinwheel_has_straight_blades(generator):
    x, labels = Pinwheel(arms=4, twist=0.0, length=0.3, width=0.05, scale=2.0).draw(20_000, generator)
    angle = math.pi / 2 * labels
    along = x[:, 0] * angle.cos() + x[:, 1] * angle.sin()
    across = x[:, 1] * angle.cos() - x[:, 0] * angle.sin()
    assert along.mean().item() == pytest.approx(2, abs=0.03)
    assert along.std().item() == pytest.approx(0.6, rel=0.03)
    assert across.std().item() == pytest.approx(0.1, rel=0.03)


def test_twisting_keeps_the_entropy_and_sweeps_clockwise():
    straight, twisted = (Pinwheel(twist=twist, width=0.05) for twist in (0.0, 0.5))
    assert twisted.entropy() == straight.entropy()
    at_blade = torch.tensor([[2.0, 0.0]])
    swept = 0.5 * math.e
    assert twisted.log_prob(2 * torch.tensor([[math.cos(swept), -math.sin(swept)]])).item() == pytest.approx(
        straight.log_prob(at_blade).item(), abs=1e-5
    )


def test_entropy_of_separate_blades():
    lonely = Pinwheel(arms=2, length=0.1, width=0.05, scale=3.0)
    assert lonely.entropy() == pytest.approx(
        math.log(2) + math.log(2 * math.pi * math.e * 0.1 * 0.05) + 2 * math.log(3), abs=1e-6
    )


def test_a_heart_has_its_size_its_shape_and_its_middle(generator):
    heart = Heart(width=6.0, height=3.0)
    x = heart.sample(50_000, generator)
    extent = x.amax(0) - x.amin(0)
    assert extent.tolist() == pytest.approx([6, 3], rel=0.02)
    assert x.mean(0).abs().max() < 5 * 1.5 / math.sqrt(50_000)
    # The tip is single, the lobes are two, and between them is a notch.
    for place, inside in (([0.0, -1.7], True), ([0.5, -1.75], False), ([1.5, 1.0], True), ([0.0, 1.2], False)):
        assert (heart.log_prob(torch.tensor([place])) > -math.inf).item() == inside, place


def test_no_point_falls_out_of_the_heart_by_rounding(extreme_rand, generator):
    for width, height in ((0.2, 100.0), (4.0, 3.6)):
        heart = Heart(width=width, height=height)
        assert heart.log_prob(heart.sample(100, generator)).isfinite().all()
