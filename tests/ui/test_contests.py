"""The verbs of a tab with many stages: what is told, when it stops, and what is refused."""

from __future__ import annotations

import json

import pytest

from playground import Experiment
from playground.engine import presets
from playground.ui.contests import Contests
from playground.ui.entrants import MOST_ENTRANTS
from playground.ui.session import Sessions

KEY = "a-key-of-sixteen-letters"


def entrant(key: str, model: str = "flow_matching", **network) -> dict:
    experiment = Experiment.parse(
        {
            "target": "ring",
            "model": model,
            "network": {"kind": "mlp", "width": 8, "depth": 1, **network},
            "training": {"batch": 16},
        }
    )
    return {"key": key, "title": key.title(), "experiment": experiment.to_dict()}


def asked(*entrants: dict, **more) -> str:
    return json.dumps({"page": KEY, "entrants": list(entrants), "budget": "steps", "amount": 50, **more})


def told(updates) -> dict[str, list]:
    """What an event has said, by the prop that it said it with."""
    found: dict[str, list] = {"scene": [], "value": [], "problems": []}
    for update in updates:
        for name in found:
            text = update.props.get(name) or update.constructor_args.get(name)
            if text:
                found[name].append(json.loads(text))
    return found


def sentences(found: dict[str, list]) -> str:
    return " ".join(problem["sentence"] for problems in found["problems"] for problem in problems)


@pytest.fixture
def contests() -> Contests:
    return Contests(Sessions())


def test_training_tells_the_scenes_once_and_then_the_snapshots_of_all(contests):
    found = told(contests.train(asked(entrant("flow"), entrant("gan", "gan"))))
    (scene,) = found["scene"]
    assert [panel["title"] for panel in scene["panels"]] == ["Flow", "Gan"]
    assert all(panel["scene"]["network"] for panel in scene["panels"])
    shots = [shot for value in found["value"] for shot in value["shots"]]
    for key in ("flow", "gan"):
        own = [shot["shot"] for shot in shots if shot["key"] == key]
        assert own[0]["step"] == 0
        assert own[-1]["step"] == own[-1]["steps"] == 50
        assert own[-1]["done"]
        (run,) = {shot["run"] for shot in own}
        assert run == next(panel["scene"]["run"] for panel in scene["panels"] if panel["key"] == key)
    assert found["value"][-1]["stopped"]
    assert sentences(found) == ""


def test_a_stop_ends_it_and_a_resume_goes_on(contests):
    session = contests.sessions.of(KEY)
    updates = contests.train(asked(entrant("flow"), entrant("gan", "gan"), amount=400))
    for update in updates:
        if told([update])["value"]:
            session.stop.set()
            break
    rest = told(updates)
    assert rest["value"][-1]["stopped"]
    assert not session.contest.finished
    resumed = told(contests.resume(asked()))
    assert session.contest.finished
    assert not resumed["scene"]
    assert "all have had their budget" in sentences(told(contests.resume(asked())))


@pytest.mark.parametrize(("turn", "moves"), [("critic", {"critic"}), ("generator", {"generator"})])
def test_a_step_of_one_player_moves_that_one_alone(contests, turn, moves):
    first = told(contests.step(asked(entrant("gan", "gan"), key="gan", turn=turn)))
    before = first["value"][0]["shots"][0]["shot"]
    after = first["value"][-1]["shots"][0]["shot"]
    assert (before["step"], after["step"]) == (0, 1)
    changed = {name for name in before["weights"] if before["weights"][name] != after["weights"][name]}
    assert changed == moves


@pytest.mark.parametrize(("turn", "moves"), [("critic", {"critic"}), ("generator", {"generator"})])
def test_a_step_of_a_preset_goes_on_from_its_weights(contests, turn, moves):
    """After its last step, of that panel alone, by little."""
    run = presets.run("gan_tuned")
    shown = {"key": "gan", "title": "GAN", "experiment": run.experiment.to_dict(), "preset": "gan_tuned"}
    other = {"key": "flow", "title": "Flow", "experiment": presets.experiment("ring").to_dict(), "preset": "ring"}
    found = told(contests.step(asked(shown, other, key="gan", turn=turn)))
    assert found["scene"] == [], "nothing begins anew"
    (value,) = found["value"]
    assert value["of_presets"] and value["stopped"]
    (shot,) = value["shots"]
    last = run.rounds[-1].last
    assert shot["key"] == "gan"
    assert (shot["shot"]["step"], shot["shot"]["id"]) == (last.step + 1, last.id + 1)
    session = contests.sessions.of(KEY)
    after = session.contest.find("gan").training.run.rounds[-1].last.weights
    for name in ("generator", "critic"):
        change = float((after[name] - last.weights[name]).abs().max())
        assert (0 < change < 0.01) if name in moves else change == 0
    again = told(contests.step(asked(shown, other, key="gan", repeat=3)))
    assert again["value"][0]["shots"][0]["shot"]["step"] == last.step + 4
    assert session.contest.find("flow") is None
    assert "cannot go on from weights alone" in sentences(told(contests.step(asked(shown, other, key="flow"))))
    assert told(contests.train(asked(entrant("flow"), amount=5)))["scene"], "and a training begins one of its own"
    assert not session.contest.of_presets


def test_a_preset_that_is_none_is_refused(contests):
    shown = entrant("gan", "gan") | {"preset": "../gan"}
    assert "there is no preset" in sentences(told(contests.step(asked(shown, key="gan"))))


def test_a_step_after_the_end_goes_on(contests):
    told(contests.train(asked(entrant("gan", "gan"), amount=5)))
    found = told(contests.step(asked(entrant("gan", "gan"), key="gan")))
    assert found["value"][-1]["shots"][0]["shot"]["step"] == 6


def test_steps_may_be_several_at_once_and_are_bounded(contests):
    found = told(contests.step(asked(entrant("gan", "gan"), key="gan", repeat=7)))
    assert found["value"][-1]["shots"][0]["shot"]["step"] == 7
    assert told(contests.step(asked(key="nobody")))["value"] == []


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        ("nonsense", "reload the page"),
        (json.dumps({"entrants": []}), "no key of its own"),
        (asked(), f"from one to {MOST_ENTRANTS}"),
        (asked(*[entrant(f"e{k}") for k in range(MOST_ENTRANTS + 1)]), f"from one to {MOST_ENTRANTS}"),
        (asked(entrant("same"), entrant("same")), "a key of its own"),
        (asked(entrant("large", "gan", width=512, depth=3)), "too large a network"),
        (asked(entrant("flow"), amount=1e9), "out of bounds"),
        (asked(entrant("flow"), amount="many"), "out of bounds"),
        (asked({"key": "x", "experiment": {"model": "no_such"}}), "no kind"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(contests, request_, sentence):
    assert sentence in sentences(told(contests.train(request_)))
