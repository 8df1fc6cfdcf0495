"""Guidance in an interval of times and by an earlier snapshot: what field it makes, what it costs, what is refused."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import pytest
import torch

from playground import Experiment, Run, run
from playground.choice import InvalidExperiment
from playground.dynamics.guiding import Guiding
from playground.dynamics.solvers import Dopri5, Sampler
from playground.models.flow import BridgeFlow, Flow

X = torch.randn(40, 2, generator=torch.Generator().manual_seed(3))
FEW = {"training": {"steps": 200}, "network": {"width": 32}}


@lru_cache(None)
def trained(**about: str) -> Run:
    given: dict[str, Any] = {"target": "ring", **FEW}
    if "condition" in about:
        given["condition"] = {"labels": True}
    if "path" in about:
        given["model"] = {"kind": "flow_matching", "path": about["path"]}
    return run(Experiment.parse(given))


def early_and_late(**about: str) -> tuple[Flow, Flow]:
    learnt = trained(**about)
    first, last = learnt.round().history[1], learnt.round().last
    early, late = learnt.with_weights(first.weights), learnt.with_weights(last.weights)
    assert isinstance(early, Flow)
    assert isinstance(late, Flow)
    return early, late


@pytest.mark.parametrize("about", [{}, {"condition": "labels"}, {"path": "bridge"}], ids=str)
def test_autoguidance_leads_on_from_the_earlier_field(about: dict[str, str]) -> None:
    early, late = early_and_late(**about)
    if "condition" in about:
        labels = torch.arange(40) % 8
        guided, early, late = late.guided_by(early).given(labels), early.given(labels), late.given(labels)
    else:
        guided = late.guided_by(early)
    bad, good = early.velocity(X, 0.5), late.velocity(X, 0.5)
    assert not torch.allclose(bad, good)
    for w in (0.0, 0.5, 2.0):
        found = guided.guided(Guiding(early=w)).velocity(X, 0.5)
        torch.testing.assert_close(found, bad + w * (good - bad), atol=1e-5, rtol=1e-5)
    assert torch.equal(guided.guided(Guiding(early=1.0)).velocity(X, 0.5), good)
    if isinstance(early, BridgeFlow) and isinstance(late, BridgeFlow):
        score = guided.guided(Guiding(early=2.0)).process.score
        assert score is not None
        torch.testing.assert_close(score(X, 0.5), 2 * late.score(X, 0.5) - early.score(X, 0.5), atol=1e-4, rtol=1e-4)


def test_guidance_is_in_force_between_two_times_alone() -> None:
    _, late = early_and_late(condition="labels")
    told = late.given(torch.arange(40) % 8)
    between = told.guided(Guiding(3.0, between=(0.3, 0.6)))
    for t, w in ((0.2, 1.0), (0.3, 3.0), (0.5, 3.0), (0.6, 3.0), (0.7, 1.0)):
        assert torch.equal(between.velocity(X, t), told.guided(Guiding(w)).velocity(X, t)), t


@pytest.mark.parametrize(
    ("sampling", "nfe"),
    [
        ({"guidance": 2}, 20),
        ({"guidance": 2, "guidance_from": 0.25, "guidance_to": 0.55}, 13),  # at .3, .4 and .5
        ({"guidance": 0, "guidance_from": 0.25}, 10),
        ({"autoguidance": 2}, 20),
        ({"autoguidance": 2, "guidance_to": 0.35}, 14),
        ({"autoguidance": 1}, 10),
    ],
)
def test_only_what_is_evaluated_counts(sampling: dict[str, float], nfe: int) -> None:
    assert trained(condition="labels").sample(20, steps=10, solver="euler", **sampling).nfe == nfe


def test_the_evaluations_of_an_adaptive_solver_are_counted_too() -> None:
    early, late = early_and_late()
    plain = late.trajectory(X, Sampler(solver=Dopri5(rtol=1e-3, atol=1e-3)))
    by_the_solver = Sampler(solver=Dopri5(rtol=1e-3, atol=1e-3)).integrate(late.process, late.start(X), *late.interval)
    assert plain.nfe == by_the_solver.nfe
    guided = late.guided_by(replace(late)).trajectory(X, Sampler(solver=Dopri5(rtol=1e-3, atol=1e-3), autoguidance=2))
    assert guided.nfe == 2 * plain.nfe
    assert early.interval == late.interval


def test_the_guide_is_the_snapshot_nearest_to_its_share_of_the_training() -> None:
    learnt = trained()
    history = learnt.round().history
    for share in (0.0, 0.1, 0.5, 0.95):
        earlier = [one for one in history if one.step < history[-1].step]
        nearest = min(earlier, key=lambda one: abs(one.step - share * history[-1].step))
        late = learnt.with_weights(history[-1].weights)
        assert isinstance(late, Flow)
        by_hand = late.guided_by(learnt.with_weights(nearest.weights))
        expected = by_hand.trajectory(learnt.starts(30), Sampler(steps=5, autoguidance=2.0, guide=share)).end
        found = learnt.sample(30, steps=5, autoguidance=2.0, guide=share).end
        torch.testing.assert_close(found, expected)
    with pytest.raises(InvalidExperiment, match="needs an earlier snapshot"):
        learnt.sample(5, autoguidance=2, snapshot=history[0].id)
    assert learnt.sample(5, autoguidance=2, snapshot=history[2].id).end.isfinite().all()


def test_a_run_that_autoguides_can_be_kept(tmp_path: Any) -> None:
    given = {"target": "ring", **FEW, "sampler": {"autoguidance": 2.0, "guide": 0.2, "grid": "karras", "steps": 6}}
    learnt = run(Experiment.parse(given))
    learnt.save(tmp_path)
    again = Run.load(tmp_path)
    assert again.sample(20).nfe == learnt.sample(20).nfe == 24
    assert again.experiment.sampler == learnt.experiment.sampler


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"sampler": {"guidance_from": 0.5, "guidance_to": 0.5}}, "0.5 is not before 0.5"),
        (
            {"target": "ring", "condition": {"labels": True}, "sampler": {"guidance": 2, "autoguidance": 2}},
            "do not go together",
        ),
        ({"model": "exact", "sampler": {"autoguidance": 2}}, "Exact learns none; choose flow_matching"),
        ({"model": "vae", "sampler": {"autoguidance": 2}}, "learns none; choose flow_matching"),
        ({"model": "neural_ode", "sampler": {"grid": "karras"}}, "karras follows the noise of a path"),
    ],
)
def test_what_cannot_go_together_is_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidExperiment, match=sentence):
        Experiment.parse(given)


def test_a_run_refuses_the_same() -> None:
    for sampling in ({"autoguidance": 2, "guidance": 2}, {"guidance_from": 0.7, "guidance_to": 0.2}, {"grid": "dense"}):
        with pytest.raises(InvalidExperiment):
            trained(condition="labels").sample(5, **sampling)  # type: ignore[arg-type]  # as a caller without types
