from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from playground.distributions import GaussianMixture, Grid, Ring, TwoScale

part = st.tuples(st.floats(-3, 3), st.floats(-3, 3), st.floats(0.1, 10), st.floats(0.2, 1))


@settings(derandomize=True, database=None, deadline=None, max_examples=30)
@given(st.lists(part, min_size=1, max_size=6))
def test_density_and_entropy_are_those_of_torchs_mixture(parts):
    xs, ys, weights, std = zip(*parts, strict=True)
    centers = tuple(zip(xs, ys, strict=True))
    mixture = GaussianMixture(centers=centers, weights=weights, std=std)
    deviations = torch.tensor(std, dtype=torch.float64)[:, None].expand(-1, 2)
    oracle = MixtureSameFamily(
        Categorical(torch.tensor(weights, dtype=torch.float64)),
        Independent(Normal(torch.tensor(centers, dtype=torch.float64), deviations), 1),
    )
    line = torch.linspace(-10, 10, 201, dtype=torch.float64)
    grid = torch.cartesian_prod(line, line)
    expected = oracle.log_prob(grid)
    torch.testing.assert_close(mixture.log_prob(grid), expected)
    # A sum on a grid this fine is itself exact to 1e-6 for these widths.
    assert mixture.entropy() == pytest.approx(-(expected.exp() * expected).sum().item() * 0.01, abs=1e-4)


def test_entropy_of_separate_clouds_is_the_sum_of_both_choices():
    """Far apart: H = ln k + H(one); on top of each other: H = H(one)."""
    one = math.log(2 * math.pi * math.e * 0.05**2)
    assert Grid(std=0.05).entropy() == pytest.approx(math.log(25) + one, abs=1e-6)
    assert GaussianMixture(centers=((1.0, 1.0),) * 3, std=(0.05,)).entropy() == pytest.approx(one, abs=1e-6)
    assert GaussianMixture(centers=((0.0,), (9.0,)), weights=(1.0, 3.0), std=(0.1, 0.2)).entropy() == pytest.approx(
        -0.25 * math.log(0.25 / 0.1) - 0.75 * math.log(0.75 / 0.2) + 0.5 * math.log(2 * math.pi * math.e), abs=1e-6
    )


def test_entropy_sees_a_needle_in_a_wide_cloud():
    """In 1-D against a sum over nodes that are fine where the needle is."""
    needle = GaussianMixture(centers=((0.0,), (0.0,)), std=(0.01, 1.0))
    x = torch.sinh(torch.linspace(-10, 10, 200_001, dtype=torch.float64)) / 1000
    log_density = needle.log_prob(x[:, None])
    assert needle.entropy() == pytest.approx(-torch.trapezoid(log_density.exp() * log_density, x).item(), abs=1e-5)


def test_moments(generator, has_moments):
    x = GaussianMixture(centers=((-1.0, 0.0), (3.0, 2.0)), weights=(3.0, 1.0), std=(0.5, 1.0)).sample(50_000, generator)
    noise = 0.75 * 0.25 + 0.25 * 1.0
    has_moments(x, [0.0, 0.5], [[3 + noise, 1.5], [1.5, 0.75 + noise]])
    x = Ring(modes=5, radius=3.0, std=0.2).sample(50_000, generator)
    has_moments(x, [0.0, 0.0], [[4.5 + 0.04, 0], [0, 4.5 + 0.04]])
    x = Grid(side=4, spacing=2.0, std=0.5).sample(50_000, generator)
    has_moments(x, [0.0, 0.0], [[5 + 0.25, 0], [0, 5 + 0.25]])


@pytest.mark.parametrize(
    "mixture", [GaussianMixture(std=(0.1,)), Ring(), Grid(), Ring(modes=1), Grid(side=1), TwoScale(wide=0.2)]
)
def test_labels_name_the_cloud_and_clouds_come_by_weight(mixture, generator):
    x, labels = mixture.draw(20_000, generator)
    modes = mixture.separate_modes()
    assert len(modes.centers) == mixture.classes
    assert torch.equal(torch.cdist(x, modes.centers).argmin(1), labels)
    error = 5 * (modes.weights * (1 - modes.weights) / len(x)).sqrt()
    assert ((labels.bincount() / len(x) - modes.weights).abs() <= error).all()
    around = (x - modes.centers[labels]) / modes.std[labels, None]
    assert around.std().item() == pytest.approx(1, rel=0.03)
    assert modes.weights.sum().item() == pytest.approx(1)


def test_weights_need_not_sum_to_one(generator):
    mixture = GaussianMixture(centers=((-5.0,), (5.0,)), weights=(30.0, 10.0))
    labels = mixture.draw(20_000, generator)[1]
    assert (labels == 0).float().mean().item() == pytest.approx(0.75, abs=0.02)
    assert mixture.separate_modes().weights.tolist() == [0.75, 0.25]


def test_ring_of_eight_has_eight_modes_at_eighths_of_a_turn():
    centers = Ring().separate_modes().centers
    expected = [[2 * math.cos(math.pi * k / 4), 2 * math.sin(math.pi * k / 4)] for k in range(8)]
    torch.testing.assert_close(centers, torch.tensor(expected))
    assert torch.pdist(centers).min().item() == pytest.approx(4 * math.sin(math.pi / 8), abs=1e-5)


def test_grid_is_centred_with_its_spacing():
    for side, line in ((5, [-2.0, -1.0, 0.0, 1.0, 2.0]), (2, [-0.5, 0.5])):
        centers = Grid(side=side).separate_modes().centers
        assert sorted(centers.tolist()) == [[x, y] for x in line for y in line]
    assert Grid(spacing=2.0).separate_modes().centers.max() == 4


def test_clouds_that_merge_are_no_separate_modes():
    assert Ring(std=0.5).separate_modes() is not None
    assert Ring(std=0.8).separate_modes() is None
    assert GaussianMixture(centers=((0.0,), (1.0,)), std=(0.1, 0.85)).separate_modes() is not None
    assert GaussianMixture(centers=((0.0,), (1.0,)), std=(0.1, 0.95)).separate_modes() is None
    assert GaussianMixture(centers=((0.0,), (0.0,)), std=(0.1, 1.0)).separate_modes() is None


def test_modes_may_differ_in_width():
    assert GaussianMixture(std=(0.1, 0.1, 0.2)).separate_modes().std.tolist() == pytest.approx([0.1, 0.1, 0.2])
    modes = TwoScale(pairs=2, wide=0.4, narrow=0.1).separate_modes()
    assert modes.std.tolist() == pytest.approx([0.4, 0.1] * 2)
    assert modes.weights.tolist() == [0.25] * 4
    torch.testing.assert_close(modes.centers, torch.tensor([[2.0, 0], [0, 2], [-2, 0], [0, -2]]), atol=1e-6, rtol=0)


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_any_dimension(dim, generator):
    mixture = GaussianMixture(centers=((-1.5,) * dim, (1.5,) * dim))
    assert mixture.dim == dim
    assert mixture.sample(4, generator).shape == (4, dim)


def test_bare_numbers_are_centers_on_a_line():
    assert GaussianMixture.model_validate({"centers": [-1.5, 1.5], "std": 0.2}) == GaussianMixture(
        centers=((-1.5,), (1.5,)), std=(0.2,)
    )


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"weights": [1, 2]}, "give one weight for each of the 3 centers, not 2"),
        ({"weights": [1, 2, 0]}, "greater than or equal to 0.001"),
        ({"std": [0.1, 0.2]}, "one for each of the 3 centers, not 2"),
        ({"centers": [[0, 0], [1]]}, "the first has 2, center 2 has 1"),
        ({"centers": [[0, 0], []]}, "center 2 has 0"),
        ({"centers": [[0, 0, 0, 0]]}, "center 1 has 4"),
    ],
)
def test_parts_that_do_not_fit_are_refused(fields, sentence):
    with pytest.raises(ValidationError, match=sentence):
        GaussianMixture.model_validate(fields)
