from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator

from playground.distributions import Checkerboard


@settings(derandomize=True, database=None, deadline=None, max_examples=30)
@given(cells=st.integers(1, 16), half_width=st.floats(0.1, 50))
def test_every_second_cell_is_filled_and_samples_stay_in_theirs(cells, half_width):
    board = Checkerboard(cells=cells, half_width=half_width)
    side = 2 * half_width / cells
    middles = (torch.arange(-1, cells + 1) + 0.5) * side - half_width
    density = board.log_prob(torch.cartesian_prod(middles, middles)).exp().reshape(cells + 2, cells + 2)
    assert density.sum().item() * side**2 == pytest.approx(1, rel=1e-5)
    filled = density[1:-1, 1:-1] > 0
    assert (density > 0).sum() == filled.sum() == board.classes, "nothing beyond the edge"
    assert filled[0, 0]
    assert not (filled[1:] & filled[:-1]).any()
    assert not (filled[:, 1:] & filled[:, :-1]).any()
    assert board.entropy() == pytest.approx(math.log(filled.sum().item() * side**2))

    x, labels = board.draw(5000, Generator().manual_seed(0))
    assert board.log_prob(x).isfinite().all()
    cell = ((x + half_width) / side).floor()
    for label in labels.unique():
        assert len(cell[labels == label].unique(dim=0)) == 1
    assert len(cell.unique(dim=0)) == len(labels.unique())


@pytest.mark.parametrize(("cells", "filled"), [(1, 1), (2, 2), (3, 5), (4, 8), (5, 13)])
def test_filled_cells(cells, filled, generator):
    board = Checkerboard(cells=cells)
    assert board.classes == filled
    assert board.draw(2000, generator)[1].unique().tolist() == list(range(filled))


def test_default_is_the_board_of_the_literature():
    """FFJORD's: 8 unit squares on [−2, 2]², the lower left one filled; twice as large its entropy is ln 32."""
    x = torch.tensor([[-1.5, -1.5], [-1.5, -0.5], [0.5, 0.5], [1.5, 1.5], [1.5, -1.5], [2.5, 0.5]])
    full, empty = -math.log(8), -math.inf
    assert Checkerboard().log_prob(x).tolist() == pytest.approx([full, empty, full, full, empty, empty])
    assert Checkerboard(half_width=4.0).entropy() == pytest.approx(math.log(32))


def test_moments(generator, has_moments):
    has_moments(Checkerboard().sample(50_000, generator), [0.0, 0.0], [[4 / 3, 0.25], [0.25, 4 / 3]])


@pytest.mark.parametrize("cells", range(1, 17))
def test_no_point_falls_into_the_neighbour_by_rounding(cells, extreme_rand, generator):
    for half_width in (0.1, 0.7, 2.0, 49.9):
        board = Checkerboard(cells=cells, half_width=half_width)
        assert board.log_prob(board.sample(1000, generator)).isfinite().all()
