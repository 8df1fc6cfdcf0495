"""Collapse over time, on constructed samples and histories."""

from __future__ import annotations

import math

import pytest
import torch

from playground.distributions.base import Modes
from playground.metrics import alarm, alive, coverage, mode_kl
from playground.metrics.coverage import Coverage

EIGHT = Modes(torch.arange(8.0)[:, None] * torch.tensor([[10.0, 0.0]]), torch.ones(8), torch.full((8,), 1 / 8))


def on(*counts: int) -> Coverage:
    """The coverage of a sample with as many points as given on each of eight modes."""
    return coverage(EIGHT.centers.repeat_interleave(torch.tensor(counts), dim=0), EIGHT)


@pytest.mark.parametrize("k", range(9))
def test_exactly_k_of_n_modes_are_alive(k):
    found = on(*[100] * k, *[0] * (8 - k))
    assert sum(alive(found.shares)) == found.modes_covered_strict == found.modes_covered == k


def test_a_mode_is_alive_from_one_percent_on():
    assert alive(on(99, 1, 0, 0, 0, 0, 0, 0).shares)[:2] == (True, True)
    found = on(100, 1, 0, 0, 0, 0, 0, 0)
    assert alive(found.shares)[:2] == (True, False)
    assert found.modes_covered == 2


def test_a_point_on_the_edge_of_three_deviations_belongs():
    edge, beyond = torch.tensor([[3.0, 0.0]]), torch.tensor([[0.0, 3.001]])
    assert alive(coverage(edge, EIGHT).shares)[0]
    assert not any(alive(coverage(beyond, EIGHT).shares))


def test_an_empty_sample_has_nothing_alive_and_no_histogram():
    found = coverage(torch.empty(0, 2), EIGHT)
    assert not any(alive(found.shares))
    assert mode_kl(found.shares, EIGHT.weights.tolist()) is None


def test_mode_kl_of_known_histograms():
    equal = EIGHT.weights.tolist()
    assert mode_kl(on(*[5] * 8).shares, equal) == pytest.approx(0, abs=1e-6)
    assert mode_kl(on(5, *[0] * 7).shares, equal) == pytest.approx(math.log(8), abs=1e-6)
    unequal = mode_kl((0.5, 0.25), (0.5, 0.5))
    assert unequal == pytest.approx(2 / 3 * math.log(4 / 3) + 1 / 3 * math.log(2 / 3))


def test_the_alarm_gives_the_step_of_a_fall():
    history = [
        (0, on(*[0] * 8)),
        (10, on(*[9] * 8)),
        (20, on(*[9] * 7, 0)),
        (30, on(9, *[0] * 7)),
        (40, on(9, *[0] * 7)),
    ]
    found = alarm(history)
    assert found is not None
    assert (found.step, found.alive, found.before) == (30, 1, 8)


def test_one_look_is_no_collapse():
    all_alive, one = on(*[9] * 8), on(9, *[0] * 7)
    assert alarm([(0, all_alive), (1, one), (2, all_alive), (3, one)]) is None
    assert alarm([(0, all_alive), (1, one), (2, one)]) is not None


def test_few_modes_of_good_points_are_a_collapse_that_never_covered_more():
    half = on(*[9] * 4, *[0] * 4)
    assert alarm([(0, half), (1, half)]) is not None
    more = on(*[9] * 5, *[0] * 3)
    assert alarm([(0, more), (1, more)]) is None


def test_two_modes_of_eight_at_the_beginning_are_no_height_to_fall_from():
    def few(k):
        return coverage(torch.cat([EIGHT.centers[:k], torch.full((9, 2), 555.0)]), EIGHT)

    assert alarm([(0, few(2)), (1, few(1)), (2, few(1))]) is None
    assert alarm([(0, few(5)), (1, few(2)), (2, few(2))]) is not None


def test_a_generator_that_has_not_found_the_modes_yet_has_not_collapsed():
    scattered = coverage(torch.cat([EIGHT.centers[:1], torch.full((9, 2), 555.0)]), EIGHT)
    assert alarm([(0, scattered), (1, scattered), (2, scattered)]) is None
