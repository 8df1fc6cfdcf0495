from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch.distributions import MultivariateNormal

from playground.distributions import Gaussian

axis = st.tuples(st.floats(-5, 5), st.floats(0.1, 5))


@settings(derandomize=True, database=None, deadline=None, max_examples=30)
@given(axes=st.lists(axis, min_size=1, max_size=3), correlation=st.floats(-0.99, 0.99))
def test_density_and_entropy_are_those_of_torchs_normal(axes, correlation):
    mean, std = zip(*axes, strict=True)
    correlation = correlation if len(axes) == 2 else 0.0
    gaussian = Gaussian(mean=mean, std=std, correlation=correlation, dimension=len(axes))
    covariance = torch.diag(torch.tensor(std, dtype=torch.float64) ** 2)
    if len(axes) == 2:
        covariance[0, 1] = covariance[1, 0] = correlation * std[0] * std[1]
    oracle = MultivariateNormal(torch.tensor(mean, dtype=torch.float64), covariance)
    x = oracle.mean + 3 * torch.linspace(-1, 1, 50 * len(axes), dtype=torch.float64).sin().reshape(50, -1)
    torch.testing.assert_close(gaussian.log_prob(x), oracle.log_prob(x), rtol=1e-6, atol=1e-6)
    assert gaussian.entropy() == pytest.approx(oracle.entropy().item(), abs=1e-6)


def test_moments(generator, has_moments):
    x = Gaussian(mean=(1.0, -2.0), std=(0.5, 2.0), correlation=0.8).sample(50_000, generator)
    has_moments(x, [1.0, -2.0], [[0.25, 0.8], [0.8, 4.0]])
    x = Gaussian(mean=(3.0,), std=(1.0, 2.0, 0.1)).sample(50_000, generator)
    has_moments(x, [3.0, 3.0, 3.0], [[1, 0, 0], [0, 4, 0], [0, 0, 0.01]])


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_left_open_it_follows_its_partner(dim, generator):
    settled = Gaussian().at(dim)
    assert Gaussian().dim is None
    assert settled.dim == dim
    assert settled == Gaussian(dimension=dim)
    assert settled.sample(5, generator).shape == (5, dim)
    assert settled.entropy() == pytest.approx(dim * 0.5 * math.log(2 * math.pi * math.e))


@pytest.mark.parametrize(
    ("gaussian", "dim"),
    [
        (Gaussian(mean=(0.0, 1.0)), 2),
        (Gaussian(std=(1.0, 2.0, 3.0)), 3),
        (Gaussian(correlation=0.5), 2),
        (Gaussian(dimension=1), 1),
    ],
)
def test_dimension_is_read_from_the_fields(gaussian, dim):
    assert gaussian.dim == dim
    with pytest.raises(ValueError, match=f"is {dim}-dimensional here; choose one of dimension {dim % 3 + 1}"):
        gaussian.at(dim % 3 + 1)


def test_an_open_dimension_neither_draws_nor_goes_beyond_three(generator):
    with pytest.raises(ValueError, match="settle it first"):
        Gaussian().sample(3, generator)
    with pytest.raises(ValueError, match="settle it first"):
        Gaussian().entropy()
    for dim in (0, 4):
        with pytest.raises(ValueError, match=f"1, 2 or 3 dimensions, not {dim}"):
            Gaussian().at(dim)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"mean": [0, 1], "std": [1, 1, 1]}, "one for each of the 2 axes, not 3"),
        ({"dimension": 3, "mean": [0, 1]}, "one for each of the 3 axes, not 2"),
        ({"std": [1, 1, 1], "correlation": 0.5}, "a correlation needs 2 dimensions, not 3"),
        ({"dimension": 1, "correlation": 0.5}, "a correlation needs 2 dimensions, not 1"),
    ],
)
def test_fields_that_disagree_are_refused(fields, sentence):
    with pytest.raises(ValidationError, match=sentence):
        Gaussian.model_validate(fields)


def test_a_bare_number_serves_every_axis():
    assert Gaussian.model_validate({"mean": 1, "std": "0.5"}) == Gaussian(mean=(1.0,), std=(0.5,))
