"""Several trainings on one clock: whose turn it is, what each is charged, and that each learns as it would alone."""

from __future__ import annotations

import time

import pytest
import torch

from playground import Experiment, run
from playground.engine.contest import Contest, within


def quick(model: str = "flow_matching", **training) -> Experiment:
    settings = {"steps": 60, "batch": 16, **training}
    return Experiment.parse({"model": model, "network": {"kind": "mlp", "width": 8, "depth": 1}, "training": settings})


def final(entrant) -> dict[str, torch.Tensor]:
    return entrant.training.run.rounds[-1].last.weights


def test_by_steps_all_take_as_many_whatever_they_cost():
    contest = Contest([("flow", quick()), ("gan", quick("gan"))], "steps", 92)
    shown = [(entrant.key, taken.step) for entrant, taken in contest]
    assert contest.finished
    steps = {key: [step for name, step in shown if name == key] for key in ("flow", "gan")}
    assert steps["flow"] == steps["gan"]
    assert steps["flow"][0] == 0
    assert steps["flow"][-1] == 92
    for at in range(len(shown)):  # by turns: at no moment is one more than a snapshot ahead
        counts = [sum(name == key for name, _ in shown[: at + 1]) for key in ("flow", "gan")]
        assert abs(counts[0] - counts[1]) <= 1


def test_each_learns_what_it_would_alone():
    contest = Contest([("flow", quick()), ("gan", quick("gan"))], "steps", 60)
    for _ in contest:
        pass
    for entrant in contest.entrants:
        alone = run(entrant.experiment).rounds[-1].last.weights
        for name, weights in final(entrant).items():
            assert torch.equal(weights, alone[name])


def test_by_seconds_whoever_was_charged_least_goes_on(monkeypatch):
    """On a clock that stands still but for the steps, of which a GAN's costs three times as much as a flow's."""
    now = [0.0]
    monkeypatch.setattr(time, "thread_time", lambda: now[0])
    contest = Contest([("flow", quick()), ("gan", quick("gan"))], "seconds", 3.0, every=0.1)
    for entrant, cost in zip(contest.entrants, (0.01, 0.03), strict=True):
        _costly(entrant.training, now, cost)
    charged = [[entrant.charged for entrant in contest.entrants] for _ in contest]
    assert max(abs(a - b) for a, b in charged) < 0.2
    flow, gan = contest.entrants
    assert flow.charged == pytest.approx(3.0, rel=0.05)
    assert gan.charged == pytest.approx(3.0, rel=0.05)
    assert flow.training.run.rounds[-1].last.step == pytest.approx(300, abs=3)
    assert gan.training.run.rounds[-1].last.step == pytest.approx(100, abs=3)


def _costly(training, now, cost):
    """Lets each step of this training take so long on the clock."""
    rounds = training.run.experiment.model.rounds

    def slow(task):
        for learner in rounds(task):
            step = learner.step

            def timed(decay, step=step):
                now[0] += cost
                return step(decay)

            learner.step = timed
            yield learner

    model = training.run.experiment.model
    object.__setattr__(model, "rounds", slow)


def test_one_that_fails_leaves_the_others_going():
    bad = quick("gan", decay="constant")
    loss = {"kind": "f_gan", "divergence": "kl"}
    model = bad.model.model_copy(update={"generator_rate": 1.0, "critic_rate": 1.0}).model_dump() | {"loss": loss}
    bad = Experiment.parse(bad.to_dict() | {"model": model})
    contest = Contest([("bad", bad), ("flow", quick())], "steps", 300)
    for _ in contest:
        pass
    assert contest.finished
    failed, flow = contest.entrants
    assert failed.training.run.failure is not None
    assert flow.training.run.failure is None
    assert flow.training.run.rounds[-1].last.step == 300


def test_a_budget_replaces_the_experiments_own():
    experiment = quick(steps=60)
    assert within(experiment, "steps", 500).training.steps == 500
    assert within(experiment, "seconds", 2.5).training.seconds == 2.5
    assert within(quick(seconds=9.0), "steps", 7).training.seconds is None
    assert experiment.training.steps == 60
