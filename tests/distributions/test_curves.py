from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.special import ive
from scipy.stats import kstest
from sklearn.datasets import make_circles, make_moons

from playground.distributions import Circles, RingsOfRings, SCurve, Smiley, Spirals, SwissRoll, TwoMoons
from playground.distributions.curves import THINNEST


@pytest.mark.parametrize(("noise", "scale"), [(0.05, 1.0), (0.2, 2.0)])
def test_moons_are_scikit_learns_moved_to_the_origin(noise, scale, same_law, generator):
    theirs, arms = make_moons(20_000, noise=noise, random_state=0)
    theirs = scale * (theirs - [0.5, 0.25])
    ours, labels = TwoMoons(noise=noise, scale=scale).draw(20_000, generator)
    for arm in (0, 1):
        assert same_law(ours[labels == arm], theirs[arms == arm])
    assert not same_law(ours[labels == 0], theirs[arms == 1])


def test_circles_are_scikit_learns(same_law, generator):
    theirs, rings = make_circles(20_000, noise=0.1, factor=0.4, random_state=0)
    ours, labels = Circles(noise=0.1, factor=0.4, scale=3.0).draw(20_000, generator)
    for ring in (0, 1):
        assert same_law(ours[labels == ring], 3 * theirs[rings == ring])


def test_moments(generator, has_moments):
    x = TwoMoons(noise=0.1, scale=2.0).sample(50_000, generator)
    xy = 0.125 - 1 / math.pi
    has_moments(x, [0.0, 0.0], [[4 * 0.76, 4 * xy], [4 * xy, 4 * (0.5625 - 1 / math.pi + 0.01)]])
    x = Circles(factor=0.5, noise=0.1, scale=2.0).sample(50_000, generator)
    variance = 4 * ((1 + 0.25) / 4 + 0.01)
    has_moments(x, [0.0, 0.0], [[variance, 0], [0, variance]])
    x = Spirals(arms=2, noise=0.1, scale=1.0).sample(50_000, generator)
    assert x.square().sum(1).mean().item() == pytest.approx(0.5 + 0.02, abs=0.01)


def test_without_noise_points_lie_on_the_arm_that_their_label_names(generator):
    x, labels = TwoMoons(noise=0.0, scale=2.0).draw(2000, generator)
    upper, lower = x[labels == 0] / 2, x[labels == 1] / 2
    for moon, sign in ((upper, 1), (lower, -1)):
        centre = torch.tensor([-0.5, -0.25]) * sign
        torch.testing.assert_close((moon - centre).norm(dim=1), torch.ones(len(moon)))
        assert (sign * (moon - centre)[:, 1] >= -1e-6).all()

    x, labels = Circles(noise=0.0, factor=0.3, scale=2.0).draw(2000, generator)
    torch.testing.assert_close(x.norm(dim=1), torch.tensor([2.0, 0.6])[labels])

    x, labels = Circles(count=4, noise=0.0, factor=0.25, scale=1.0).draw(2000, generator)
    torch.testing.assert_close(x.norm(dim=1), torch.tensor([1.0, 0.75, 0.5, 0.25])[labels])

    x, _ = SwissRoll(turns=2.0, noise=0.0, scale=1.0).draw(2000, generator)
    turns = x[:, 1].atan2(x[:, 0]) / (2 * math.pi) - 2.75 * x.norm(dim=1)
    torch.testing.assert_close(turns, turns.round(), atol=1e-4, rtol=0)
    assert x.norm(dim=1).min() >= 0.75 / 2.75 - 1e-5

    x, _ = SCurve(noise=0.0, scale=2.0).draw(2000, generator)
    centre = torch.stack([torch.zeros(len(x)), -x[:, 1].sign()], 1)
    torch.testing.assert_close((x / 2 + centre).norm(dim=1), torch.ones(len(x)))

    x, labels = RingsOfRings(rings=5, size=0.4, noise=0.0, scale=2.0).draw(2000, generator)
    angle = 2 * math.pi / 5 * labels
    centre = 2 * torch.stack([angle.cos(), angle.sin()], 1)
    torch.testing.assert_close((x - centre).norm(dim=1), torch.full((len(x),), 0.8))

    x, labels = Spirals(arms=3, turns=2.0, noise=0.0, scale=2.0).draw(2000, generator)
    radius = x.norm(dim=1)
    assert radius.max() <= 2 + 1e-6
    turns = x[:, 1].atan2(x[:, 0]) / (2 * math.pi) - 2 * radius / 2 - labels / 3
    torch.testing.assert_close(turns, turns.round(), atol=1e-4, rtol=0)


def test_spiral_points_lie_evenly_along_the_outer_arm(generator):
    x, _ = Spirals(arms=1, turns=3.0, noise=0.0, scale=1.0).draw(5000, generator)
    fine = torch.linspace(0, 1, 100_001, dtype=torch.float64)
    angle = 6 * math.pi * fine
    points = torch.stack([fine * angle.cos(), fine * angle.sin()], 1)
    length = torch.cat([torch.zeros(1), points.diff(dim=0).norm(dim=1).cumsum(0)]).numpy()
    outer = x.norm(dim=1)[x.norm(dim=1) > 1 / 3].double().numpy()
    at = np.interp(outer, fine.numpy(), length)
    start = np.interp(1 / 3, fine.numpy(), length)
    assert kstest((at - start) / (length[-1] - start), "uniform").pvalue > 1e-4


@pytest.mark.parametrize("noise", [THINNEST, 0.05, 0.5])
@pytest.mark.parametrize("factor", [0.1, 0.9])
def test_density_and_entropy_of_circles_are_exact(noise, factor):
    """A noisy circle of radius R has density exp(−(r − R)²/2σ²) e^{−rR/σ²} I₀(rR/σ²) / 2πσ² at radius r."""
    circles = Circles(noise=noise, factor=factor, scale=2.0)
    std, r = 2 * noise, np.linspace(0, 2 + 18 * noise, 4001)

    def circle(radius):
        return -((r - radius) ** 2) / (2 * std**2) + np.log(ive(0, r * radius / std**2)) - np.log(2 * np.pi * std**2)

    exact = np.logaddexp(circle(2.0), circle(2.0 * factor)) - np.log(2)
    direction = torch.tensor([math.cos(0.3), math.sin(0.3)], dtype=torch.float64)
    got = circles.log_prob(torch.from_numpy(r)[:, None] * direction)
    np.testing.assert_allclose(got.numpy(), exact, atol=1e-3)
    probable = exact > exact.max() - 20
    np.testing.assert_allclose(got.numpy()[probable], exact[probable], atol=5e-5)
    entropy = -np.trapezoid(2 * np.pi * r * np.exp(exact) * exact, r)
    assert circles.entropy() == pytest.approx(entropy, abs=2e-5)


def test_density_at_the_open_ends_of_a_moon_is_exact():
    """Far from the other moon and for thin noise, the end of an arc is the end of a straight line: half as dense."""
    thin = TwoMoons(noise=THINNEST, scale=3.0)
    end, inside = 3 * torch.tensor([[-1.5, -0.25]], dtype=torch.float64), 3 * torch.tensor([[-0.5, 0.75]])
    assert (thin.log_prob(inside).item() - thin.log_prob(end).item()) == pytest.approx(math.log(2), abs=1e-3)


@pytest.mark.parametrize("cls", [TwoMoons, Circles, Spirals, SCurve])
def test_too_thin_a_curve_has_no_density(cls, generator):
    for noise in (0.0, THINNEST * 0.9):
        thin = cls(noise=noise)
        assert thin.log_prob(thin.sample(3, generator)) is None
        assert thin.entropy() is None
    assert cls(noise=THINNEST).entropy() is not None


def test_entropy_of_published_moons():
    """1.008 nats by quadrature for scikit-learn's moons with noise 0.1."""
    assert TwoMoons(noise=0.1).entropy() == pytest.approx(1.008, abs=5e-4)


@pytest.mark.parametrize("cls", [TwoMoons, Circles, Spirals, SCurve])
def test_scale_enlarges_the_noise_too(cls, generator):
    small, large = cls(noise=0.1, scale=1.0), cls(noise=0.1, scale=4.0)
    torch.testing.assert_close(large.sample(100, generator), 4 * small.sample(100, generator.manual_seed(7)))
    assert large.entropy() == pytest.approx(small.entropy() + 2 * math.log(4), abs=1e-6)


def test_an_offset_moves_the_moons_and_their_density(generator):
    moons, moved = TwoMoons(scale=2.0), TwoMoons(scale=2.0, offset=(1.0, -0.5))
    x = moons.sample(500, generator)
    offset = torch.tensor([1.0, -0.5])
    torch.testing.assert_close(moved.sample(500, generator.manual_seed(7)), x + offset)
    torch.testing.assert_close(moved.log_prob(x + offset), moons.log_prob(x), atol=1e-3, rtol=1e-3)
    assert moved.entropy() == pytest.approx(moons.entropy(), abs=1e-6)


def test_a_smiley_smiles_and_frowns(generator):
    for smile, sign in ((1.0, 1), (-1.0, -1)):
        x, labels = Smiley(smile=smile, noise=0.0, scale=1.0).draw(4000, generator)
        torch.testing.assert_close(x[labels == 0].norm(dim=1), torch.ones((labels == 0).sum()))
        left, right, mouth = (x[labels == part] for part in (1, 2, 3))
        assert (left[:, 0] < 0).all() and (right[:, 0] > 0).all() and (torch.cat([left, right])[:, 1] > 0).all()
        assert (mouth[:, 1] < 0).all()
        corner = mouth[:, 0].abs() > 0.4
        assert sign * (mouth[corner, 1].mean() - mouth[~corner, 1].mean()) > 0.1
