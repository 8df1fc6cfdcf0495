"""Scalings of the literature: each is what it is called, by an oracle or by the figure that was published."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.datasets import make_circles, make_moons, make_s_curve, make_swiss_roll

from playground.distributions import (
    DISTRIBUTIONS,
    Checkerboard,
    Circles,
    Comb,
    Funnel,
    Gaussian,
    Grid,
    Pinwheel,
    Ring,
    SCurve,
    SwissRoll,
    TwoMoons,
)
from playground.experiment import Experiment
from playground.metrics import w2
from playground.models.base import seeded
from playground.ui.form import describe

PRESETS = [(cls, name) for cls in DISTRIBUTIONS for name in cls.presets]
N = 10_000


@pytest.mark.parametrize(("cls", "name"), PRESETS)
def test_every_preset_is_valid_and_has_a_density(cls, name):
    assert cls.preset(name).entropy() is not None


def test_the_form_offers_them_as_whole_objects():
    target = next(field for field in describe(Experiment)["fields"] if field["name"] == "target")
    offered = {kind["kind"]: kind.get("presets", []) for kind in target["kinds"]}
    assert [(cls.kind_name(), name) for cls, name in PRESETS] == [
        (kind, preset["label"]) for kind, presets in offered.items() for preset in presets
    ]
    assert offered["ring"][-1] == {
        "label": "PacGAN ring",
        "value": {"kind": "ring", "modes": 8, "radius": 1.0, "std": 0.01},
    }
    assert Experiment.parse({"target": offered["two_moons"][0]["value"]}).target == TwoMoons.preset("[SF]²M moons")


def test_a_name_that_is_none_is_an_error():
    with pytest.raises(KeyError):
        Ring.preset("round")


def gaussians_on_a_ring(radius, std):
    """Eight of them, as the papers' codes draw them."""
    angle = 2 * np.pi * np.random.default_rng(0).integers(8, size=N) / 8
    noise = std * np.random.default_rng(1).standard_normal((N, 2))
    return radius * np.stack([np.cos(angle), np.sin(angle)], 1) + noise


def concentric_rings():
    """FFJORD's rings in the form that later codes use: noise is added after scaling."""
    rng = np.random.default_rng(0)
    angle, radius = 2 * np.pi * rng.random(N), rng.choice([0.25, 0.5, 0.75, 1.0], N)
    return 3 * radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1) + 0.08 * rng.standard_normal((N, 2))


def board():
    """FFJORD's checkerboard."""
    rng = np.random.default_rng(0)
    across = 4 * rng.random(N) - 2
    up = rng.random(N) - 2 * rng.integers(2, size=N) + np.floor(across) % 2
    return 2 * np.stack([across, up], 1)


def wheel():
    """FFJORD's pinwheel, whose twist follows the coordinate along the blade."""
    rng = np.random.default_rng(0)
    along, across = 1 + 0.3 * rng.standard_normal(N), 0.1 * rng.standard_normal(N)
    angle = 2 * np.pi * rng.integers(5, size=N) / 5 + 0.25 * np.exp(along)
    cos, sin = np.cos(angle), np.sin(angle)
    return 2 * np.stack([cos * along + sin * across, cos * across - sin * along], 1)


def side_view(points):
    return points[0][:, [0, 2]]


LAWS = [
    (Ring.preset("FFJORD 8 Gaussians"), lambda: gaussians_on_a_ring(4 / 1.414, 0.5 / 1.414)),
    (TwoMoons.preset("[SF]²M moons"), lambda: 2 * make_moons(N, noise=0.05, random_state=0)[0] - [1, 0]),
    (TwoMoons.preset("FFJORD moons"), lambda: 2 * make_moons(N, noise=0.1, random_state=0)[0] + [-1, -0.2]),
    (Circles.preset("FFJORD circles"), lambda: 3 * make_circles(N, noise=0.08, factor=0.5, random_state=0)[0]),
    (Circles.preset("FFJORD rings"), concentric_rings),
    (Checkerboard.preset("FFJORD checkerboard"), board),
    (SwissRoll.preset("FFJORD Swiss roll"), lambda: side_view(make_swiss_roll(N, noise=1.0, random_state=0)) / 5),
    (SCurve.preset("[SF]²M S-curve"), lambda: 1.5 * side_view(make_s_curve(N, noise=0.05, random_state=0))),
    (Pinwheel.preset("FFJORD pinwheel"), wheel),
]


@pytest.mark.parametrize(("ours", "theirs"), LAWS, ids=lambda value: getattr(value, "kind", ""))
def test_samples_are_those_of_the_published_code(ours, theirs, same_law, generator):
    assert same_law(ours.sample(N, generator), theirs())


@pytest.mark.parametrize(
    ("target", "published", "within"),
    [
        (Ring.preset("[SF]²M 8 Gaussians"), 14.2, 0.5),
        (Ring.preset("[SF]²M 8 Gaussians, as torchcfm draws them"), 14.2, 0.5),
        (TwoMoons.preset("[SF]²M moons"), 1.2, 0.12),
        (SCurve.preset("[SF]²M S-curve"), 1.7, 0.12),
    ],
)
def test_squared_w2_from_noise_is_the_published_one(target, published, within):
    """The mean over pairs of 400 points; a few per cent above the value for many points."""
    found = [w2(Gaussian().at(2).sample(400, seeded(k, 0)), target.sample(400, seeded(k, 1))) for k in range(6)]
    assert np.square(found).mean() == pytest.approx(published, abs=within)


def test_the_two_deviations_of_the_eight_gaussians():
    """The text gives the variance .1; passing its root as a covariance makes it √.1."""
    text, code = (Ring.preset(name).std for name in list(Ring.presets)[:2])
    assert text == pytest.approx(0.316, abs=5e-4)
    assert code == pytest.approx(0.562, abs=5e-4)
    assert code**2 == pytest.approx(text)


def test_published_entropies():
    assert Ring.preset("FFJORD 8 Gaussians").entropy() == pytest.approx(2.832, abs=5e-4)
    assert Checkerboard.preset("FFJORD checkerboard").entropy() == pytest.approx(math.log(32))


def test_geometry_of_the_mode_collapse_tests():
    ring, grid = Ring.preset("PacGAN ring").separate_modes(), Grid.preset("PacGAN grid").separate_modes()
    torch.testing.assert_close(ring.centers.norm(dim=1), torch.ones(8))
    assert sorted(set(grid.centers.flatten().tolist())) == [-4, -2, 0, 2, 4]
    assert ring.std.tolist() == pytest.approx([0.01] * 8)
    assert grid.std.tolist() == pytest.approx([0.05] * 25)


def test_the_smooth_comb_has_the_published_parts():
    """Marron and Wand (1992), number 14."""
    parts = Comb.preset("Marron–Wand smooth comb").components()
    half = 0.5 ** np.arange(6)
    np.testing.assert_allclose(parts.weights, 32 * half / 63)
    np.testing.assert_allclose(parts.centers[:, 0], (65 - 96 * half) / 21, atol=1e-12)
    np.testing.assert_allclose(parts.stds, 32 / 63 * half)


def test_neals_funnel(generator):
    x = Funnel.preset("Neal's funnel").sample(20_000, generator)
    assert x[:, 1].std().item() == pytest.approx(3, rel=0.03)
    assert (x[:, 0] / (x[:, 1] / 2).exp()).std().item() == pytest.approx(1, rel=0.03)
