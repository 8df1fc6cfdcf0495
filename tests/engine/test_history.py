"""What is kept of a training: bounded, evenly spread, first and last always."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.engine.history import History, LossCurve, Snapshot, binned

QUICK = settings(max_examples=80, deadline=None, derandomize=True)
CAPACITY = 48


def snapshot(id: int) -> Snapshot:
    return Snapshot(id, 0, 0, 10 * id, id / 10, (), {"velocity": torch.tensor([float(id)])})


def filled(count: int) -> History:
    history = History()
    for id in range(count):
        history.add(snapshot(id))
    return history


@QUICK
@given(count=st.integers(1, 3000))
def test_it_is_bounded_and_evenly_spread_with_first_and_last(count):
    ids = [kept.id for kept in filled(count)]
    assert len(ids) <= CAPACITY
    assert (ids[0], ids[-1]) == (0, count - 1)
    gaps = np.diff(ids)
    assert (gaps > 0).all()
    if len(ids) > 2:
        assert len(set(gaps[:-1])) == 1, "even but for the newest"
        assert gaps[-1] <= gaps[0]
        stride = int(gaps[0])
        assert stride & (stride - 1) == 0, "every second one goes, so that what stays was always there"
    if count >= CAPACITY:
        assert len(ids) >= CAPACITY // 2


def test_at_every_moment_of_a_long_training():
    history = History()
    for id in range(1000):
        history.add(snapshot(id))
        assert len(history) <= CAPACITY
        assert (history[0].id, history[-1].id) == (0, id)
        assert history.by_id(id).step == 10 * id


def test_nothing_goes_before_it_must():
    assert [kept.id for kept in filled(CAPACITY - 1)] == list(range(CAPACITY - 1))


def test_an_old_snapshot_is_asked_for_by_its_id():
    history = filled(200)
    kept = {snapshot.id for snapshot in history}
    for id in range(200):
        if id in kept:
            assert history.by_id(id).weights["velocity"].item() == id
        else:
            with pytest.raises(KeyError, match=f"snapshot {id} is no longer kept"):
                history.by_id(id)
    with pytest.raises(KeyError):
        history.by_id(200)


def test_it_is_a_sequence():
    history = filled(10)
    assert len(history) == 10
    assert [kept.id for kept in history[2:5]] == [2, 3, 4]
    assert history[3] in history
    assert [kept.id for kept in reversed(history)] == list(range(9, -1, -1))
    assert not History()


# --- losses ----------------------------------------------------------------------------------------------------------

LOSSES = st.lists(st.floats(0, 100), max_size=300)


def curve_of(losses: list[float], capacity: int, chunk: int) -> LossCurve:
    curve = LossCurve(capacity=capacity)
    points = list(enumerate(losses))
    for at in range(0, len(points), chunk):
        curve.extend(points[at : at + chunk])
    return curve


@QUICK
@given(losses=LOSSES, chunk=st.integers(1, 50))
def test_a_loss_curve_is_bounded_and_in_order(losses, chunk):
    curve = curve_of(losses, 16, chunk)
    assert len(curve.points) <= 16
    assert all(a[0] < b[0] for a, b in itertools.pairwise(curve.points))
    if losses:
        low, high = min(losses), max(losses)
        assert all(low - 1e-9 <= loss <= high + 1e-9 for _, loss in curve.points)


@QUICK
@given(losses=st.lists(st.floats(0, 100), max_size=15), chunk=st.integers(1, 50))
def test_a_short_loss_curve_is_kept_as_it_was(losses, chunk):
    assert curve_of(losses, 16, chunk).points == list(enumerate(losses))


@QUICK
@given(count=st.integers(1, 2000), chunk=st.integers(1, 100))
def test_a_straight_line_stays_one(count, chunk):
    """Means of neighbours of loss = step lie on the same line, and none is lost between them."""
    points = curve_of([float(step) for step in range(count)], 32, chunk).points
    assert all(step == pytest.approx(loss) for step, loss in points)
    assert len({b[0] - a[0] for a, b in itertools.pairwise(points)}) <= 1


@QUICK
@given(count=st.integers(1, 2000), chunk=st.integers(1, 100))
def test_the_newest_points_are_never_far_from_the_end(count, chunk):
    capacity = 32
    curve = curve_of([0.0] * count, capacity, chunk)
    assert curve.points[-1][0] >= count - 1 - 4 * max(1, count / capacity)


def test_the_recent_loss_is_that_of_the_last_twentieth():
    curve = LossCurve()
    assert curve.recent() is None
    curve.extend([(0, 8.0)])
    assert curve.recent() == 8.0
    curve = LossCurve()
    curve.extend([(step, 1.0 if step < 950 else 3.0) for step in range(1000)])
    assert curve.recent() == 3.0


def test_a_long_training_keeps_the_mean_of_its_losses():
    losses = np.random.default_rng(0).uniform(0, 1, 10_000)
    curve = LossCurve()
    curve.extend(list(enumerate(losses.tolist())))
    assert len(curve.points) <= 4096
    assert np.mean([loss for _, loss in curve.points]) == pytest.approx(losses.mean(), abs=0.01)


@QUICK
@given(losses=LOSSES, most=st.integers(1, 40))
def test_binned_points_are_few_and_keep_the_sum(losses, most):
    points = list(enumerate(losses))
    few = binned(points, most)
    assert len(few) <= most
    size = math.ceil(len(points) / most) if points else 1
    whole = few[: len(points) // size]
    assert sum(loss for _, loss in whole) * size == pytest.approx(sum(losses[: len(whole) * size]), abs=1e-6)
    if len(points) <= most:
        assert few == points
