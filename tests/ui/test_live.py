"""The page's buttons, called as Gradio calls them: each visitor alone, bounded, stopped at once."""

import base64
import json
import threading
import time
from typing import Any

import numpy as np
import pytest
import torch

from playground.ui import session as session_module
from playground.ui.live import Live
from playground.ui.session import KEPT_SECONDS, MOST_EARLIER, Sessions

ANNA, BEN = "anna-anna", "ben-ben-ben"


@pytest.fixture
def live() -> Live:
    return Live(Sessions())


def form(page: str = ANNA, turn: int = 1, **experiment):
    small = {"network": {"kind": "mlp", "width": 8, "depth": 1}, "training": {"steps": 40}}
    return json.dumps({"page": page, "turn": turn, "experiment": small | experiment})


def value(update) -> dict:
    return json.loads(update.props.get("value") or update.constructor_args["value"])


def problems(update) -> list[dict]:
    return json.loads(update.props["problems"])


def test_train_sends_the_scene_once_and_then_every_snapshot_to_the_end(live):
    updates = list(live.train(form()))
    assert [bool(update.props.get("scene")) for update in updates] == [True] + [False] * (len(updates) - 1)
    shots = [value(update) for update in updates]
    assert shots[0]["step"] == 0 and not shots[0]["done"]
    assert shots[-1]["step"] == 40 and shots[-1]["done"]
    assert {shot["run"] for shot in shots} == {"run 1"}


def test_stop_ends_the_stream_with_what_was_learnt_and_resume_goes_on_to_the_end(live):
    endless = form(training={"steps": 200_000})
    stream = live.train(endless)
    next(stream)
    live.stop(endless)
    begun = time.monotonic()
    last = list(stream)[-1]
    assert value(last)["done"] and value(last)["step"] < 200_000
    assert time.monotonic() - begun < 30  # far from the minutes that the whole would take

    resumed = live.resume(endless)
    assert value(next(resumed))["step"] > value(last)["step"]
    resumed.close()


def test_resume_after_the_end_is_a_second_phase(live):
    list(live.train(form()))
    shots = [value(update) for update in live.resume(form())]
    assert shots[-1]["step"] == 80 and shots[-1]["steps"] == 80
    run = live.sessions.of(ANNA).training.run
    assert {snapshot.phase for snapshot in run.rounds[0].history} == {0, 1}


def test_step_at_the_end_of_a_run_says_so(live):
    list(live.train(form(training={"steps": 40})))
    (update,) = live.step(form(training={"steps": 40}))
    (problem,) = json.loads(update.constructor_args["problems"])
    assert problem["path"] == [] and "Continue trains it further" in problem["sentence"]


def test_step_takes_one_gradient_step_from_the_initialisation(live):
    assert [value(update)["step"] for update in live.step(form())] == [0, 1]
    assert [value(update)["step"] for update in live.step(form())] == [2]


def test_reset_shows_the_initialisation_that_the_seed_fixes(live):
    first = halves(value(next(live.train(form()))))
    again = [halves(value(update)) for update in live.reset(form())]
    other = [halves(value(update)) for update in live.reset(form(training={"seed": 1}))]
    assert again == [first] and other != [first]


def halves(shot: dict[str, Any]) -> list[float]:
    """The velocity's weights in float16, in which those on the way travel."""
    told = shot["weights"]["velocity"]
    text, kind = (told, "<f4") if isinstance(told, str) else (told["f16"], "<f2")
    return np.frombuffer(base64.b64decode(text), kind).astype("<f2").tolist()


def test_two_pages_train_different_things_and_neither_sees_the_other(live):
    anna, ben = live.train(form(ANNA, target="ring")), live.train(form(BEN, target="two_moons"))
    scenes = [json.loads(next(stream).props["scene"]) for stream in (anna, ben)]
    assert [scene["target_label"] for scene in scenes] == ["Ring", "Two moons"]
    live.stop(form(BEN))
    assert value(list(anna)[-1])["step"] == 40
    assert live.sessions.of(ANNA).training is not live.sessions.of(BEN).training


def test_a_new_training_stops_the_one_under_way_on_the_same_page(live):
    old = live.train(form(training={"steps": 200_000}))
    next(old)
    seen = []
    thread = threading.Thread(target=lambda: seen.extend(old))
    thread.start()
    assert value(list(live.train(form()))[-1])["step"] == 40
    thread.join(30)
    assert not thread.is_alive() and value(seen[-1])["step"] < 200_000


def test_preview_shows_both_clouds_without_a_network(live):
    (update,) = live.preview(form(source="two_moons", target="ring"))
    scene = json.loads(update.props["scene"])
    assert scene["network"] is None and scene["x0"]["shape"] == scene["target"]["shape"] == [2000, 2]


def test_a_preview_that_comes_late_does_not_end_the_training_and_a_later_one_does(live):
    list(live.train(form(turn=3)))
    assert list(live.preview(form(turn=3))) == [] and live.sessions.of(ANNA).training is not None
    assert len(list(live.preview(form(turn=4)))) == 1 and live.sessions.of(ANNA).training is None


def test_a_run_that_lost_its_place_can_be_come_back_to_and_goes_on_from_where_it_stopped(live):
    stream = live.train(form(training={"steps": 200_000}))
    next(stream)
    list(live.preview(form(turn=2, target="ring")))
    stopped = value(list(stream)[-1])
    list(live.train(form(turn=3, target="ring")))
    session = live.sessions.of(ANNA)
    assert list(session.earlier) == ["run 1"] and session.name == "run 3"
    assert session.bring_back("run 1") and session.name == "run 1" and list(session.earlier) == ["run 3"]
    resumed = live.resume(form())
    shot = value(next(resumed))
    assert shot["run"] == "run 1" and shot["step"] > stopped["step"] > 0
    resumed.close()
    assert not session.bring_back("preset ring") and session.training is None, "it is shown no more"
    assert list(session.earlier) == ["run 3", "run 1"]


def test_earlier_runs_are_bounded_in_number_and_in_size(live, monkeypatch):
    session = live.sessions.of(ANNA)
    for turn in range(MOST_EARLIER + 3):
        list(live.train(form(turn=turn)))
    assert len(session.earlier) == MOST_EARLIER
    monkeypatch.setattr(session_module, "MOST_NUMBERS", 1)
    list(live.train(form(turn=99)))
    assert len(session.earlier) == 1, "the newest of them is kept, whatever its size"


@pytest.mark.parametrize(
    ("given", "path", "words"),
    [
        (form(target="nothing"), ["target"], "there is no kind 'nothing'"),
        (form(training={"steps": -1}), ["training", "steps"], "too small"),
        (form(network={"kind": "mlp", "width": 512, "depth": 8}), ["network", "width"], "too many for the page"),
        (form(training={"device": "cuda"}), ["training", "device"], "CUDA"),
        ("{", [], "reload the page"),
        (json.dumps({"page": ANNA, "experiment": 3}), [], "mapping"),
        (json.dumps({"page": "x", "experiment": {}}), [], "reload"),
        (json.dumps([]), [], "reload"),
    ],
)
def test_what_is_not_valid_becomes_sentences(live, given, path, words):
    if words == "CUDA" and torch.cuda.is_available():
        given, words = form(training={"device": "mps"}), "Apple"
    (update,) = live.train(given)
    (problem,) = problems(update)
    assert problem["path"] == path and words in problem["sentence"]


def test_a_training_that_diverges_says_so_and_keeps_the_last_good_state(live, monkeypatch):
    from playground.models.flow_matching import FlowLearner

    honest = FlowLearner.step
    monkeypatch.setattr(FlowLearner, "step", lambda self, decay: honest(self, decay) * float("nan"))
    *shown, last = live.train(form())
    assert "stopped being a finite number" in problems(last)[0]["sentence"]
    assert value(shown[-1])["step"] == value(last)["step"] == 0 and value(last)["done"]


def test_an_error_of_our_own_is_noted_on_the_server_and_not_shown(live, monkeypatch, caplog):
    from playground.models.flow_matching import FlowLearner

    monkeypatch.setattr(FlowLearner, "step", lambda self, decay: 1 / 0)
    last = list(live.train(form()))[-1]
    assert "went wrong on the server" in problems(last)[0]["sentence"] and value(last)["done"]
    assert "ZeroDivisionError" in caplog.text


def test_sessions_are_bounded_and_forgotten_when_unused(monkeypatch):
    sessions = Sessions(capacity=2)
    first = sessions.of("one")
    sessions.of("two")
    sessions.of("three")
    assert len(sessions) == 2 and sessions.find("one") is None and first.stop.is_set()
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + KEPT_SECONDS + 1)
    sessions.of("four")
    assert len(sessions) == 1
