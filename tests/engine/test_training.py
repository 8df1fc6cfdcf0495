"""The training loop: a steady stream of snapshots, a run that is valid at any moment, the same seed the same run."""

from __future__ import annotations

import itertools
import math
import time
from types import SimpleNamespace
from typing import get_args

import pytest
import torch
from torch import Tensor

from playground import Experiment, InvalidExperiment, Run, run, train
from playground.engine import training as module
from playground.engine.training import choose_device, decay
from playground.experiment import TrainingSettings
from playground.metrics import floor, sliced_w2
from playground.models import FlowMatching
from playground.models.base import Learner, seeded

DECAYS = get_args(TrainingSettings.model_fields["decay"].annotation)
QUICK = {"network": {"width": 8, "depth": 1}, "training": {"steps": 120, "batch": 32}, "target": "ring"}


def quick(**training) -> Experiment:
    return Experiment.parse(QUICK | {"training": QUICK["training"] | training})


def final(finished: Run) -> Tensor:
    return finished.rounds[-1].last.weights["velocity"]


class Counter(Learner):
    """A learner whose only weight is the number of its steps, and whose losses are told beforehand."""

    def __init__(self, name: str = "count", loss=lambda step: 1.0, clock=None, cost: float = 0.0, costs=None) -> None:
        self.name, self.loss, self.clock, self.costs = name, loss, clock, costs or itertools.repeat(cost)
        self.decays: list[float] = []

    def step(self, decay: float) -> Tensor:
        self.decays.append(decay)
        if self.clock is not None:
            self.clock.now += next(self.costs)
        return torch.tensor(self.loss(len(self.decays) - 1))

    def weights(self) -> dict[str, Tensor]:
        return {"velocity": torch.tensor([float(len(self.decays))])}


@pytest.fixture
def learns_with(monkeypatch):
    """Replaces what flow matching learns with."""
    return lambda *learners: monkeypatch.setattr(FlowMatching, "rounds", lambda self, task: iter(learners))


@pytest.fixture
def clock(monkeypatch):
    """A clock that only stands where a learner puts it."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    return clock


# --- what it reaches -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["two_moons", "ring", "checkerboard"])
def test_a_thousand_steps_come_near_the_target(target):
    """Sliced W2 at n = 2,000 is at most 2.5 times that between two real samples; root mean squares over several."""
    n = 2000
    finished = run(Experiment.parse({"target": target, "training": {"steps": 1000}}))
    squares = [sliced_w2(finished.sample(n, seed=seed).end, finished.real(n, seed=seed)) ** 2 for seed in range(4)]
    least = floor(finished.experiment.target, n, ("sliced_w2",), seeded(0, 99), pairs=12)["sliced_w2"]
    assert math.sqrt(sum(squares) / len(squares)) <= 2.5 * least


def test_one_dimension_and_a_source_that_is_not_normal():
    target = {"kind": "gaussian_mixture", "centers": [[-2], [2]], "std": [0.3]}
    finished = run(Experiment.parse({"source": "uniform", "target": target, "training": {"steps": 400}}))
    least = floor(finished.experiment.target, 2000, ("sliced_w2",), seeded(0, 99))["sliced_w2"]
    assert sliced_w2(finished.sample(2000).end, finished.real(2000)) <= 4 * least


@pytest.mark.parametrize("kind", ["gaussian", "uniform"])
@pytest.mark.parametrize("source", ["gaussian", "uniform", "ring"])
def test_targets_that_adapt_can_be_learnt(source, kind):
    finished = run(Experiment.parse(QUICK | {"source": source, "target": kind, "training": {"steps": 3}}))
    assert finished.sample(5, steps=2).end.shape == (5, 2)


# --- the same run ----------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_run():
    first, again, other = run(quick(seed=7)), run(quick(seed=7)), run(quick(seed=8))
    (one,), (two,) = first.rounds, again.rounds
    assert [kept.id for kept in one.history] == [kept.id for kept in two.history]
    for a, b in zip(one.history, two.history, strict=True):
        assert (a.step, a.losses) == (b.step, b.losses)
        assert all(torch.equal(a.weights[name], b.weights[name]) for name in a.weights)
    assert one.losses.points == two.losses.points
    assert not torch.equal(final(first), final(other))
    assert torch.equal(first.sample(50).end, again.sample(50).end)


def test_watching_does_not_change_the_run():
    watched = train(quick(), every=0)
    for _ in watched:
        torch.randn(1)
    assert torch.equal(final(watched.run), final(run(quick())))


def test_a_budget_in_seconds_becomes_steps_and_its_replay_is_the_same():
    timed = run(quick(seconds=0.15))
    settings = timed.experiment.training
    assert settings.seconds is None
    assert settings.steps == timed.rounds[-1].steps == timed.rounds[-1].last.step
    assert settings.steps >= 50
    replayed = run(Experiment.from_yaml(timed.experiment.to_yaml()))
    assert torch.equal(final(timed), final(replayed))
    assert timed.rounds[-1].losses.points == replayed.rounds[-1].losses.points


def test_a_budget_in_seconds_is_kept(learns_with, clock):
    learner = Counter(clock=clock, cost=0.002)
    learns_with(learner)
    finished = run(quick(seconds=1.5))
    assert finished.experiment.training.steps == 750
    assert len(learner.decays) == 750
    assert finished.rounds[0].seconds == pytest.approx(1.5)


def costs(*phases):
    """The cost of each step: (steps, seconds) one after another, the last without end."""
    each = itertools.chain(*([seconds] * steps for steps, seconds in phases[:-1]))
    return itertools.chain(each, itertools.repeat(phases[-1]))


@pytest.mark.parametrize("decay", ["inverse_sqrt", "constant"])
@pytest.mark.parametrize("later", [0.001, 0.004])
def test_a_budget_in_seconds_is_kept_where_steps_cost_more_or_less_later(learns_with, clock, decay, later):
    learner = Counter(clock=clock, costs=costs((5, 0.05), (300, 0.002), later))
    learns_with(learner)
    finished = run(quick(seconds=8, decay=decay))
    assert finished.rounds[0].seconds == pytest.approx(8, rel=0.03)
    assert finished.experiment.training.steps == len(learner.decays)
    again = Counter()
    learns_with(again)
    run(finished.experiment)
    assert again.decays == learner.decays


@pytest.mark.parametrize("decay", ["cosine", "linear"])
def test_slow_first_steps_do_not_shorten_a_schedule_that_is_laid_out_once(learns_with, clock, decay):
    learner = Counter(clock=clock, costs=costs((5, 0.05), 0.002))
    learns_with(learner)
    finished = run(quick(seconds=8, decay=decay))
    assert finished.rounds[0].seconds == pytest.approx(8)
    again = Counter()
    learns_with(again)
    run(finished.experiment)
    assert again.decays == learner.decays


def test_a_budget_too_short_to_be_timed_still_ends(learns_with, clock):
    learner = Counter(clock=clock, cost=0.5)
    learns_with(learner)
    finished = run(quick(seconds=1))
    assert 50 <= len(learner.decays) <= 100
    assert finished.rounds[0].last.step == len(learner.decays) == finished.experiment.training.steps


def test_a_budget_of_a_very_fast_learner_is_bounded(learns_with, clock, monkeypatch):
    monkeypatch.setattr(module, "MAX_STEPS", 500)
    learner = Counter(clock=clock, cost=1e-6)
    learns_with(learner)
    assert run(quick(seconds=600)).experiment.training.steps == 500
    assert len(learner.decays) == 500


# --- the stream ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("every", [None, 0, 0.01])
def test_snapshots_follow_each_other(every):
    seen = list(train(quick(), every=every))
    assert [snapshot.id for snapshot in seen] == list(range(len(seen)))
    assert (seen[0].step, seen[-1].step) == (0, 120)
    assert all(a.step < b.step for a, b in itertools.pairwise(seen))
    assert all(a.seconds <= b.seconds for a, b in itertools.pairwise(seen))
    assert {(snapshot.round, snapshot.phase) for snapshot in seen} == {(0, 0)}
    losses = [point for snapshot in seen for point in snapshot.losses]
    assert [step for step, _ in losses] == list(range(120)), "every loss is told once, in order"
    assert all(step < snapshot.step for snapshot in seen for step, _ in snapshot.losses)
    assert all(math.isfinite(loss) and loss > 0 for _, loss in losses)
    if every == 0:
        assert len(seen) == 121


def test_snapshots_come_at_the_rate_that_is_asked_for(learns_with, clock):
    learns_with(Counter(clock=clock, cost=0.01))
    seen = list(train(quick(steps=200), every=0.25))
    assert [snapshot.seconds for snapshot in seen] == pytest.approx([0.25 * k for k in range(9)])


def test_whoever_looks_is_not_charged_to_training(learns_with, clock):
    learns_with(Counter(clock=clock, cost=0.01))
    stream = train(quick(steps=100), every=0.1)
    for _ in stream:
        clock.now += 5
    assert stream.run.rounds[0].seconds == pytest.approx(1)


def test_an_unwatched_run_keeps_as_much_history_as_there_is_room_for():
    for steps in (1, 45, 46, 47, 120, 1000):
        kept = run(quick(steps=steps)).rounds[0].history
        assert (kept[0].step, kept[-1].step) == (0, steps)
        assert min(steps + 1, 24) <= len(kept) <= 48
        gaps = {b.step - a.step for a, b in itertools.pairwise(list(kept)[:-1])}
        assert len(gaps) <= 1


def test_a_watched_run_of_many_snapshots_stays_bounded():
    stream = train(quick(steps=300), every=0)
    for snapshot in stream:
        history = stream.run.rounds[0].history
        assert len(history) <= 48
        assert history[0].step == 0
        assert history[-1] is snapshot


def test_one_step_is_a_training():
    finished = run(quick(steps=1))
    assert finished.rounds[0].last.step == 1
    assert finished.sample(3).end.isfinite().all()


@pytest.mark.parametrize("kind", [kind for kind in DECAYS if kind != "constant"])
def test_the_rate_falls_towards_zero(learns_with, kind):
    learner = Counter()
    learns_with(learner)
    run(quick(steps=400, decay=kind))
    assert all(0 < factor <= 1 for factor in learner.decays)
    assert learner.decays[-1] < 0.02
    peak = learner.decays.index(max(learner.decays))
    assert peak <= 100
    assert all(b <= a for a, b in itertools.pairwise(learner.decays[peak:]))
    assert all(b >= a for a, b in itertools.pairwise(learner.decays[: peak + 1])), "warm-up, where there is one"


def test_the_rate_may_stay(learns_with):
    learner = Counter()
    learns_with(learner)
    run(quick(steps=400, decay="constant"))
    assert set(learner.decays) == {1.0}


@pytest.mark.parametrize("kind", DECAYS)
def test_the_first_steps_do_not_depend_on_a_budget_that_is_not_known_yet(kind):
    for step in range(50):
        assert decay(kind, step, 100) == decay(kind, step, 200_000) == pytest.approx(decay(kind, step, 500))


def test_rounds_follow_each_other(learns_with):
    learns_with(Counter("first"), Counter("second"))
    seen = list(train(quick(steps=60), every=None))
    assert [snapshot.round for snapshot in seen] == sorted(snapshot.round for snapshot in seen)
    assert {snapshot.round for snapshot in seen} == {0, 1}
    for index in (0, 1):
        ids = [snapshot.id for snapshot in seen if snapshot.round == index]
        assert ids == list(range(len(ids)))


# --- stopping --------------------------------------------------------------------------------------------------------


def test_nothing_is_computed_until_it_is_asked_for(learns_with):
    learner = Counter()
    learns_with(learner)
    stream = train(quick())
    assert not learner.decays
    assert not stream.run.rounds
    first = next(stream)
    assert not learner.decays
    assert first.step == 0


def test_close_stops_and_keeps_what_was_learnt():
    stream = train(quick(steps=100_000), every=0.02)
    last = [next(stream) for _ in range(4)][-1]
    asked = time.perf_counter()
    stream.close()
    assert time.perf_counter() - asked < 0.2
    assert list(stream) == []
    assert stream.run.failure is None
    assert stream.run.rounds[0].last is last
    assert stream.run.sample(10, steps=2).end.isfinite().all()
    stream.close()


def test_closed_before_it_began():
    stream = train(quick())
    stream.close()
    assert list(stream) == []
    assert stream.run.rounds == []


def test_it_closes_at_the_end_of_a_with_statement(learns_with):
    learner = Counter()
    learns_with(learner)
    with train(quick(steps=1000), every=0) as stream:
        for snapshot in stream:
            if snapshot.step == 5:
                break
    assert len(learner.decays) == 5
    assert list(stream) == []


def test_the_run_is_valid_before_and_after_each_snapshot():
    stream = train(quick(steps=40), every=0)
    with pytest.raises(ValueError, match="this run has 0 trained rounds"):
        stream.run.sample(5)
    for snapshot in stream:
        assert stream.run.rounds[-1].last is snapshot
        assert stream.run.trained(snapshot=snapshot.id)
        end = stream.run.sample(5, steps=1).end
        assert end.shape == (5, 2)
        assert end.isfinite().all()
    assert stream.run.failure is None


# --- failing ---------------------------------------------------------------------------------------------------------


def breaking(activation: str, batch: int, source: str | dict) -> Experiment:
    """Raw values far from zero, the deepest network and a rate of one: it overflows within a few steps."""
    network = {"width": 512, "depth": 8, "activation": activation, "frequencies": 16, "features": 0}
    network |= {"input_scaling": "none"}
    training = {"rate": 1.0, "steps": 60, "decay": "constant", "batch": batch}
    model = {"kind": "flow_matching", "times": "uniform"}
    given = {"source": source, "target": "ring", "model": model, "network": network, "training": training}
    return Experiment.parse(given)


FAR = {"kind": "gaussian", "mean": [-50, 50], "std": [10, 10]}


@pytest.mark.parametrize("every", [None, 0])
def test_a_training_that_diverges_ends_with_a_sentence_and_keeps_the_last_good_state(every):
    # Whether one of these reaches the largest float, and not only nearly, is a matter of chance.
    for activation, batch, source in [("selu", 32, FAR), ("selu", 8, FAR), ("silu", 8, "gaussian"), ("silu", 32, FAR)]:
        stream = train(breaking(activation, batch, source), every=every)
        seen = list(stream)
        if stream.run.failure:
            break
    assert "The loss stopped being a finite number at step " in stream.run.failure
    assert stream.run.failure.endswith("try a lower learning rate.")
    assert seen[-1] is stream.run.rounds[0].last
    assert seen[-1].step <= stream.run.rounds[0].steps < 60
    for snapshot in seen:
        assert all(values.isfinite().all() for values in snapshot.weights.values())
        assert all(math.isfinite(loss) for _, loss in snapshot.losses)
    assert stream.run.sample(5, steps=1).x.shape == (2, 5, 2)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_the_step_of_the_first_bad_loss_is_named(learns_with, bad):
    learner = Counter(loss=lambda step: bad if step == 73 else 1.0)
    learns_with(learner)
    stream = train(quick(steps=100), every=None)
    seen = list(stream)
    assert "at step 73." in stream.run.failure
    assert seen[-1].step <= 73
    assert stream.run.rounds[0].last is seen[-1]
    assert all(math.isfinite(loss) for _, loss in stream.run.rounds[0].losses.points)


def test_weights_that_are_not_finite_end_it_too(learns_with, monkeypatch):
    learner = Counter()
    monkeypatch.setattr(
        learner, "weights", lambda: {"velocity": torch.tensor([math.nan if len(learner.decays) > 5 else 1.0])}
    )
    learns_with(learner)
    stream = train(quick(), every=0)
    assert [snapshot.step for snapshot in stream] == [0, 1, 2, 3, 4, 5]
    assert "The loss stopped being a finite number" in stream.run.failure


def test_no_round_follows_one_that_failed(learns_with):
    second = Counter("second")
    learns_with(Counter("first", loss=lambda step: math.nan), second)
    finished = run(quick())
    assert finished.failure
    assert len(finished.rounds) == 1
    assert not second.decays


# --- what a round makes before its first step ------------------------------------------------------------------------


class Preparing(Counter):
    """Makes something in ten pieces, each of which takes `piece` seconds of the clock."""

    piece = 0.06
    made = 0

    def prepare(self):
        for done in range(1, 11):
            self.made += 1
            self.clock.now += self.piece
            yield done / 10


def test_preparation_streams_and_counts_as_the_rounds_time(learns_with, clock):
    learner = Preparing("second", clock=clock, cost=0.01)
    learns_with(Counter("first"), learner)
    seen = [taken for taken in train(quick(steps=30), every=0.1) if taken.round == 1]
    before = [taken for taken in seen if taken.prepared < 1]
    assert [taken.prepared for taken in before] == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0][:5]
    assert {taken.id for taken in before} == {0} and {taken.step for taken in before} == {0}
    after = seen[len(before) + 1 :]
    assert seen[len(before)].prepared == 1, "the last piece is told, or the first steps"
    assert all(taken.step > 0 for taken in after)
    assert after[-1].step == 30 and after[-1].seconds == pytest.approx(0.9)


def test_preparation_is_no_snapshot_of_its_own(learns_with, clock):
    learner = Preparing(clock=clock, cost=0.01)
    learns_with(learner)
    stream = train(quick(steps=30), every=0.1)
    list(stream)
    record = stream.run.rounds[0]
    assert [kept.id for kept in record.history] == list(range(len(record.history)))
    assert [kept.step for kept in record.history].count(0) == 1
    assert record.preparing == pytest.approx(0.6) and record.seconds == pytest.approx(0.9)


def test_a_stop_while_preparing_leaves_the_rest_undone(learns_with, clock):
    learner = Preparing("second", clock=clock)
    learns_with(Counter("first"), learner)
    stream = train(quick(steps=5), every=0.1)
    for taken in stream:
        if 0 < taken.prepared < 1:
            break
    stream.close()
    assert learner.made == 2 and not learner.decays
    assert [(record.name, record.steps) for record in stream.run.rounds] == [("first", 5), ("second", 0)]
    assert not list(stream)


def test_a_budget_in_seconds_is_for_the_steps_alone(learns_with, clock):
    learner = Preparing(clock=clock, cost=0.002)
    learns_with(learner)
    finished = run(quick(seconds=1.5))
    assert finished.experiment.training.steps == 750
    assert finished.rounds[0].seconds == pytest.approx(2.1)


# --- going on --------------------------------------------------------------------------------------------------------


def test_a_finished_training_can_go_on():
    stream = train(quick(steps=60), every=0)
    first = list(stream)
    stream.extend(40)
    more = list(stream)
    assert [snapshot.step for snapshot in more] == list(range(61, 101))
    assert {snapshot.phase for snapshot in more} == {1}
    assert [snapshot.id for snapshot in first + more] == list(range(101))
    record = stream.run.rounds[0]
    assert record.steps == 100
    assert record.seconds >= first[-1].seconds
    assert not torch.equal(more[-1].weights["velocity"], first[-1].weights["velocity"])
    stream.extend()
    assert {snapshot.phase for snapshot in stream} == {2}
    assert record.last.step == 160


def test_it_goes_on_at_a_third_of_the_peak_rate(learns_with):
    learner = Counter()
    learns_with(learner)
    stream = train(quick(steps=60, decay="cosine"), every=None)
    list(stream)
    stream.extend(200)
    list(stream)
    assert learner.decays[60] == max(learner.decays[60:]) == pytest.approx(1 / 3)


def test_going_on_is_repeatable():
    def extended() -> Tensor:
        stream = train(quick(steps=60), every=None)
        list(stream)
        stream.extend(30)
        list(stream)
        return final(stream.run)

    assert torch.equal(extended(), extended())


def test_only_a_finished_training_can_go_on(learns_with):
    stream = train(quick(), every=0)
    with pytest.raises(ValueError, match="only a training that has finished can go on"):
        stream.extend(10)
    next(stream)
    with pytest.raises(ValueError, match="only a training that has finished can go on"):
        stream.extend(10)
    learns_with(Counter(loss=lambda step: math.nan))
    failed = train(quick(), every=0)
    list(failed)
    with pytest.raises(ValueError, match="only a training that has finished can go on"):
        failed.extend(10)


# --- what can be asked of a run --------------------------------------------------------------------------------------


def test_samples_are_those_of_the_seed(small_run):
    first, again, other = (small_run.sample(20, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.x, again.x)
    assert not torch.equal(first.start, other.start)
    assert torch.equal(first.start, small_run.starts(20, 1))


def test_the_sampler_of_the_experiment_can_be_replaced(small_run):
    own = small_run.sample(4)
    assert (len(own.t), own.nfe) == (13, 24)
    assert small_run.sample(4, steps=3).nfe == 6
    assert small_run.sample(4, solver="rk4").nfe == 48
    assert small_run.sample(4, steps=1, solver="euler").x.shape == (2, 4, 2)


def test_any_snapshot_can_be_sampled(small_run):
    history = small_run.rounds[0].history
    ends = {kept.id: small_run.sample(10, snapshot=kept.id).end for kept in (history[0], history[5], history[-1])}
    assert torch.equal(ends[history[-1].id], small_run.sample(10).end)
    assert not torch.equal(ends[history[0].id], ends[history[5].id])
    with pytest.raises(KeyError, match="no longer kept"):
        small_run.sample(10, snapshot=10_000)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"n": 0}, "n: 0 samples are out of bounds; choose from 1 to 100,000."),
        ({"n": -5}, "n: -5 samples are out of bounds; choose from 1 to 100,000."),
        ({"n": 10**9}, "n: 1000000000 samples are out of bounds; choose from 1 to 100,000."),
        ({"steps": 0}, "steps: 0 is too small; choose at least 1."),
        ({"steps": 10**9}, "steps: 1000000000 is too large; choose at most 1000."),
        ({"solver": "magic"}, "solver: there is no kind 'magic'; choose one of "),
        ({"round": 1}, "this run has 1 trained rounds; there is no round 1."),
        ({"round": -2}, "this run has 1 trained rounds; there is no round -2."),
    ],
)
def test_requests_out_of_bounds_get_a_sentence(small_run, given, sentence):
    with pytest.raises(ValueError) as caught:
        small_run.sample(**given)
    assert sentence in str(caught.value)


def test_devices(monkeypatch):
    assert choose_device("cpu") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device("auto") == torch.device("cpu")
    with pytest.raises(ValueError, match=r"there is no CUDA device here; choose auto or cpu\."):
        choose_device("cuda")
    with pytest.raises(ValueError, match=r"there is no Apple GPU here; choose auto or cpu\."):
        choose_device("mps")
    with pytest.raises(ValueError, match="no CUDA device"):
        train(quick(device="cuda"))


def test_two_trainings_do_not_disturb_each_other():
    alone = [final(run(quick(seed=seed))) for seed in (1, 2)]
    streams = [train(quick(seed=seed), every=0) for seed in (1, 2)]
    for _ in itertools.zip_longest(*streams):
        pass
    assert all(torch.equal(final(stream.run), weights) for stream, weights in zip(streams, alone, strict=True))


def test_an_experiment_that_is_not_valid_never_trains():
    with pytest.raises(InvalidExperiment):
        train(quick(steps=-1))
