"""Mode coverage on samples whose counts are known by construction."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Generator, Tensor

from playground.distributions.base import Modes
from playground.metrics import coverage


def square_grid(side: int, spacing: float, std: float) -> Modes:
    axis = spacing * (torch.arange(side) - (side - 1) / 2)
    return Modes(torch.cartesian_prod(axis, axis), torch.full((side**2,), std), torch.full((side**2,), 1 / side**2))


def around(modes: Modes, counts: list[int]) -> Tensor:
    """counts[i] points on the centre of mode i."""
    return modes.centers.repeat_interleave(torch.tensor(counts), 0)


def test_exactly_k_of_n_modes() -> None:
    modes = square_grid(5, 1.0, 0.05)
    for k in (0, 1, 7, 25):
        result = coverage(around(modes, [40] * k + [0] * (25 - k)), modes)
        assert (result.modes_covered, result.modes_covered_strict, result.modes_total) == (k, k, 25)
        assert result.high_quality == (1.0 if k else 0.0)
        assert result.shares == tuple([1 / k if k else 0.0] * k + [0.0] * (25 - k))


def test_the_strict_rule_begins_at_one_percent_of_all_samples() -> None:
    modes = square_grid(2, 4.0, 0.1)
    far = torch.full((1000, 2), 50.0)
    counts = [25, 24, 1, 0]
    result = coverage(torch.cat([around(modes, counts), far, far, far[:450]]), modes)  # 2,500 points
    assert result.modes_covered == 3
    assert result.modes_covered_strict == 1
    assert result.shares == pytest.approx([0.01, 0.0096, 0.0004, 0])
    assert result.high_quality == pytest.approx(0.02)


def test_the_edge_of_three_standard_deviations_is_inside() -> None:
    modes = Modes(
        torch.tensor([[0.0, 0.0], [8.0, 0.0]]), torch.tensor([0.25] * 2), torch.tensor([0.5] * 2)
    )  # 3σ = .75 exactly
    beyond = math.nextafter(0.75, 1)
    x = torch.tensor([[0.75, 0.0], [0.0, -0.75], [beyond, 0.0], [8.75, 0.0]], dtype=torch.float64)
    assert coverage(x, modes).shares == (0.5, 0.25)


def test_a_point_counts_once_for_its_nearest_mode_where_modes_overlap() -> None:
    modes = Modes(torch.tensor([[0.0], [1.0]]), torch.ones(2), torch.tensor([0.5, 0.5]))
    assert coverage(torch.tensor([[0.4], [0.6], [2.0], [-2.9]]), modes).shares == (0.5, 0.5)


def test_each_mode_has_its_own_width() -> None:
    """3.2 is nearer to the narrow mode's centre, but only within reach of the wide one."""
    modes = Modes(torch.tensor([[0.0], [4.0]]), torch.tensor([1.5, 0.1]), torch.tensor([0.5, 0.5]))
    result = coverage(torch.tensor([[3.2], [-4.4], [4.25], [4.35], [4.6]]), modes)
    assert result.shares == (0.6, 0.2)
    assert result.high_quality == pytest.approx(0.8)


def test_one_dimension() -> None:
    modes = Modes(torch.tensor([[-2.0], [0.0], [2.0]]), torch.full((3,), 0.1), torch.full((3,), 1 / 3))
    result = coverage(torch.tensor([[-2.0], [-1.75], [0.5], [2.31]]), modes)
    assert (result.modes_covered, result.modes_covered_strict, result.high_quality) == (1, 1, 0.5)


@pytest.mark.parametrize("d", [1, 2])
def test_a_perfect_sample_has_the_high_quality_of_theory(d: int) -> None:
    generator, centers = Generator().manual_seed(0), torch.tensor([[-1.0] * d, [1.0] * d])
    label = torch.randint(2, (20_000,), generator=generator)
    x = centers[label] + 0.05 * torch.randn(20_000, d, generator=generator)
    result = coverage(x, Modes(centers, torch.full((2,), 0.05), torch.tensor([0.5, 0.5])))
    inside = math.erf(3 / math.sqrt(2)) if d == 1 else 1 - math.exp(-4.5)
    assert result.high_quality == pytest.approx(inside, abs=0.003)
    assert result.modes_covered_strict == 2


def test_a_uniform_blob_covers_by_the_lenient_rule_only() -> None:
    modes = square_grid(5, 1.0, 0.05)
    blob = 5 * torch.rand(2500, 2, generator=Generator().manual_seed(0)) - 2.5
    result = coverage(blob, modes)
    assert result.modes_covered >= 24
    assert result.modes_covered_strict <= 2
    # Discs of radius .15 around 25 centres in a square of area 25.
    assert result.high_quality == pytest.approx(math.pi * 0.15**2, abs=0.02)


def test_nothing_and_nonsense() -> None:
    modes = square_grid(2, 1.0, 0.1)
    empty = coverage(torch.zeros(0, 2), modes)
    assert (empty.modes_covered, empty.modes_covered_strict, empty.high_quality) == (0, 0, 0.0)
    assert empty.shares == (0.0,) * 4
    x = torch.tensor([[math.nan, 0.0], [math.inf, 0.5], [0.5, 0.5], [0.5, -math.inf]])
    assert coverage(x, modes).high_quality == 0.25
    with pytest.raises(ValueError, match="do not fit"):
        coverage(torch.zeros(3, 1), modes)


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("width", [0.5, 1.0, 3.0])
def test_the_spread_is_how_many_times_too_wide_the_modes_are(dim: int, width: float) -> None:
    centers = torch.zeros(2, dim)
    centers[1, 0] = 50
    modes, g = Modes(centers, torch.tensor([0.2, 1.0]), torch.tensor([0.5, 0.5])), Generator().manual_seed(0)
    which = torch.randint(2, (20_000,), generator=g)
    x = centers[which] + width * modes.std[which, None] * torch.randn(20_000, dim, generator=g)
    assert coverage(x, modes).spread == pytest.approx(width, rel=0.03)


def test_a_few_stray_points_do_not_widen_a_mode() -> None:
    modes, g = square_grid(2, 4.0, 0.1), Generator().manual_seed(0)
    x = around(modes, [500] * 4) + 0.1 * torch.randn(2000, 2, generator=g)
    x[::50] += 1.5
    assert coverage(x, modes).spread == pytest.approx(1, abs=0.05)


def test_a_spread_takes_points() -> None:
    modes = square_grid(2, 4.0, 0.1)
    assert coverage(around(modes, [9, 9, 9, 9]), modes).spread is None
    assert coverage(torch.full((50, 2), math.nan), modes).spread is None
    assert coverage(around(modes, [10, 0, 0, 0]), modes).spread == 0
