from __future__ import annotations

import math

import pytest
import torch
from pydantic import ValidationError

from playground.distributions import Uniform


def test_moments(generator, has_moments):
    x = Uniform(low=(-1.0, 0.0), high=(1.0, 3.0)).sample(50_000, generator)
    has_moments(x, [0.0, 1.5], [[4 / 12, 0], [0, 9 / 12]])


def test_density_is_flat_inside_and_nothing_outside():
    box = Uniform(low=(-1.0, 0.0), high=(1.0, 3.0))
    x = torch.tensor([[0.0, 1.0], [-1.0, 3.0], [1.01, 1.0], [0.0, -0.01]])
    assert box.log_prob(x).tolist() == pytest.approx([-math.log(6), -math.log(6), -math.inf, -math.inf])
    assert box.entropy() == pytest.approx(math.log(6))


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_left_open_it_follows_its_partner(dim, generator):
    cube = Uniform(low=(0.0,), high=(3.0,)).at(dim)
    assert cube.dim == dim
    assert cube.entropy() == pytest.approx(dim * math.log(3))
    assert cube.sample(5, generator).shape == (5, dim)


def test_one_value_may_serve_against_one_for_each_axis():
    assert Uniform(low=(0.0,), high=(1.0, 2.0)).entropy() == pytest.approx(math.log(2))


@pytest.mark.parametrize("high", [-49.8, 0.1, 0.3, 3.3, 49.7])
def test_samples_never_leave_by_rounding(high, extreme_rand, generator):
    interval = Uniform(low=(-49.9,), high=(high,), dimension=1)
    assert interval.log_prob(interval.sample(1, generator)).isfinite().all()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"low": 1, "high": 1}, "choose at least 0.001 above the lower end, 1"),
        ({"low": [0, 2], "high": [1, 1]}, "1 is too small; choose at least 0.001 above the lower end, 2"),
        ({"low": [0, 5]}, "2 is too small"),
        ({"low": [0, 0], "high": [1, 1, 1]}, "one for each of the 2 axes, not 3"),
    ],
)
def test_ends_that_do_not_fit_are_refused(fields, sentence):
    with pytest.raises(ValidationError, match=sentence):
        Uniform.model_validate(fields)
