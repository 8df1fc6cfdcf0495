"""Every distribution has a thumbnail made from its own samples."""

from __future__ import annotations

import json

import pytest
import torch

from playground.choice import Choice
from playground.distributions import DISTRIBUTIONS, Distribution, Gaussian, GaussianMixture, Ring, StudentT, Uniform
from playground.dynamics.paths import LinearPath
from playground.experiment import Experiment
from playground.ui.form import describe
from playground.ui.thumbnails import POINTS, thumbnail


def drawn(choice: Choice) -> torch.Tensor:
    points = thumbnail(choice)
    assert points is not None
    return torch.tensor(points)


@pytest.mark.parametrize("cls", DISTRIBUTIONS, ids=lambda cls: cls.kind_name())
def test_every_distribution_has_one_that_fills_its_frame(cls: type[Distribution]) -> None:
    points = drawn(cls())
    assert points.shape == (POINTS, 2)
    assert points.abs().max() <= 1
    assert (points.amax(0) - points.amin(0)).max() > 1.5
    assert (points.amax(0) - points.amin(0)).min() > 0.7
    text = json.dumps(thumbnail(cls()))
    assert max(len(number.strip(" []-")) for number in text.split(",")) <= 4, "two decimals"


def test_other_choices_have_none() -> None:
    assert thumbnail(LinearPath()) is None


def test_it_is_the_same_every_time_and_made_once() -> None:
    first = thumbnail(Ring(modes=3))
    assert thumbnail(Ring(modes=3)) is first
    thumbnail.cache_clear()
    assert thumbnail(Ring(modes=3)) == first != thumbnail(Ring(modes=4))


def test_shapes_keep_their_proportions_and_stand_upright() -> None:
    wide = drawn(Uniform(low=(-4, -1), high=(4, 1)))
    assert wide[:, 0].abs().max() > 0.9
    assert 0.2 < wide[:, 1].abs().max() < 0.3
    top_left = drawn(GaussianMixture(centers=((-1, 1), (1, -1)), std=(0.05,)))
    assert ((top_left[:, 0] < 0) == (top_left[:, 1] > 0)).all()


def test_heavy_tails_do_not_shrink_the_rest_to_a_dot() -> None:
    assert drawn(StudentT(freedom=2)).abs().median() > 0.05


def test_on_a_line_the_points_fill_the_area_under_the_density() -> None:
    points = drawn(Gaussian(dimension=1))
    middle, tails = points[points[:, 0].abs() < 0.2], points[points[:, 0].abs() > 0.7]
    assert middle[:, 1].max() > 0.5 and tails[:, 1].max() < 0
    assert points[:, 1].min() == pytest.approx(-0.8, abs=0.05)
    assert drawn(Gaussian(dimension=3)).shape == (POINTS, 2)


def test_the_form_carries_them() -> None:
    target = next(field for field in describe(Experiment, thumbnail)["fields"] if field["name"] == "target")
    assert all(len(kind["thumbnail"]) == POINTS for kind in target["kinds"])
