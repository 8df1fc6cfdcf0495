"""How long a training will still take, by a clock that is made up."""

from __future__ import annotations

import pytest

from playground import Experiment
from playground.engine.history import Snapshot
from playground.engine.progress import WINDOW, Progress
from playground.engine.record import Round
from playground.engine.run import Run
from playground.experiment import MAX_STEPS


def taken(step: int, round: int = 0, phase: int = 0, prepared: float = 1.0) -> Snapshot:
    return Snapshot(step, round, phase, step, 0.0, (), {}, prepared=prepared)


def run_of(steps: int = 1000, model: str = "flow_matching", rounds: int = 1, **training) -> Run:
    run = Run(Experiment.parse({"model": model, "target": "ring", "training": {"steps": 1000, **training}}))
    run.rounds = [Round("flow", steps=steps) for _ in range(rounds)]
    return run


def heard(*looks: tuple[float, Snapshot]) -> Progress:
    progress = Progress()
    for now, one in looks:
        progress.hear(now, one)
    return progress


def test_nothing_is_said_before_it_is_known():
    assert heard().left(run_of()) is None
    assert heard((7.0, taken(0))).left(run_of()) is None
    assert heard((7.0, taken(0)), (7.01, taken(5))).left(run_of()) is None, "a hundredth of a second is a guess"


def test_a_steady_training_ends_when_it_says():
    progress = heard((5.0, taken(0)), (5.5, taken(50)), (6.0, taken(100)))
    assert progress.rate == pytest.approx(100)
    assert progress.left(run_of()) == pytest.approx(9)


def test_the_rate_follows_a_machine_that_gets_busy():
    looks = [(0.1 * k, taken(10 * k)) for k in range(101)]
    slow = [(10 + 0.1 * k, taken(1000 + k)) for k in range(1, 101)]
    assert heard(*looks).rate == pytest.approx(100)
    assert heard(*looks, *slow[: int(WINDOW * 5)]).rate == pytest.approx(55, rel=0.1)
    assert heard(*looks, *slow).rate == pytest.approx(10, rel=0.05)


def test_what_is_made_before_a_round_and_the_rounds_to_come_count_apart():
    looks = [(0.0, taken(0)), (1.0, taken(100)), (2.0, taken(0, 1, prepared=0)), (7.0, taken(0, 1, prepared=0.9))]
    run = run_of(model="rectified_flow", rounds=2)
    assert heard(*looks).left(run) is None
    on = [*looks, (8.0, taken(100, 1))]
    # The second of three rounds: 900 steps of this one and 1,000 of the next.
    assert heard(*on).left(run) == pytest.approx(19, rel=0.02)


def test_a_second_phase_has_a_rate_of_its_own():
    looks = [(0.0, taken(0)), (1.0, taken(1000)), (60.0, taken(1000, phase=1)), (61.0, taken(1100, phase=1))]
    assert heard(*looks).left(run_of(2000)) == pytest.approx(9)


def test_a_budget_in_seconds_says_nothing_before_it_is_steps():
    progress = heard((0.0, taken(0)), (1.0, taken(20)))
    assert progress.left(run_of(MAX_STEPS, seconds=4)) is None
    assert progress.left(run_of(400)) == pytest.approx(19)
