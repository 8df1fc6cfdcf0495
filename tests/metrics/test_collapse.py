"""Collapse over time, on constructed samples and histories."""

from __future__ import annotations

import math

import pytest
import torch

from playground.distributions.base import Modes
from playground.metrics import alarm, alive, course, coverage, held, mode_kl
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


def test_few_modes_that_were_never_more_are_no_collapse():
    half = on(*[9] * 4, *[0] * 4)
    assert alarm([(0, half), (1, half)]) is None
    assert course([(0, half), (1, half)]).kind == "few"


def test_two_modes_of_eight_at_the_beginning_are_no_height_to_fall_from():
    def few(k):
        return coverage(torch.cat([EIGHT.centers[:k], torch.full((4, 2), 555.0)]), EIGHT)

    assert alarm([(0, few(2)), (1, few(1)), (2, few(1))]) is None
    assert alarm([(0, few(5)), (1, few(2)), (2, few(2))]) is not None


def test_a_generator_that_has_not_found_the_modes_yet_has_not_collapsed():
    scattered = coverage(torch.cat([EIGHT.centers[:1], torch.full((9, 2), 555.0)]), EIGHT)
    assert alarm([(0, scattered), (1, scattered), (2, scattered)]) is None


SMEAR = coverage(torch.cat([EIGHT.centers.repeat(3, 1), torch.full((60, 2), 555.0)]), EIGHT)
BROKEN = coverage(torch.full((90, 2), math.nan), EIGHT)
ALL, ONE, SEVEN = on(*[9] * 8), on(9, *[0] * 7), on(*[9] * 7, 0)


def test_a_smear_has_points_on_all_modes_and_holds_none():
    assert sum(alive(SMEAR.shares)) == 8
    assert held(SMEAR) == 0
    assert held(ALL) == 8


@pytest.mark.parametrize(
    ("history", "kind", "last", "most", "different"),
    [
        ([ONE, ONE, ONE], "few", 1, 1, 1),
        ([ONE, on(0, 9, *[0] * 6), on(0, 0, 9, *[0] * 5)], "few", 1, 1, 3),
        ([SMEAR, ONE, ONE], "few", 1, 1, 1),
        ([SMEAR, SMEAR], "smear", 0, 0, 0),
        ([BROKEN, BROKEN], "smear", 0, 0, 0),
        ([ALL, ONE, ONE], "fell", 1, 8, 8),
        ([ALL, BROKEN, BROKEN], "fell", 0, 8, 8),
        ([ALL, SMEAR, SMEAR], "smear", 0, 8, 8),
        ([ALL, ONE, ONE, ALL], "recovered", 8, 8, 8),
        ([ONE, ALL], "all", 8, 8, 8),
        ([ONE, SEVEN], "some", 7, 7, 7),
    ],
)
def test_what_a_history_comes_to(history, kind, last, most, different):
    found = course(enumerate(history))
    assert (found.kind, found.last, found.most, found.different) == (kind, last, most, different)


def test_nothing_comes_of_no_looks_or_of_a_single_mode():
    assert course([]) is None
    single = Modes(torch.zeros(1, 2), torch.ones(1), torch.ones(1))
    assert course([(0, coverage(torch.zeros(9, 2), single))]) is None
