"""A saved run's files, brought to the page."""

from __future__ import annotations

import base64
import json

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from playground import Experiment, run
from playground.choice import InvalidExperiment
from playground.engine.run import Run
from playground.ui.assets import routes
from playground.ui.live import Live
from playground.ui.measures import POINTS
from playground.ui.saved import opening
from playground.ui.session import MOST_SHELVED, Session, Sessions

PAGE = "page-page"


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("saved")
    experiment = Experiment.parse(
        {"name": "Mine", "model": "gan", "training": {"steps": 30}, "network": {"kind": "mlp", "width": 8, "depth": 1}}
    )
    run(experiment).save(folder)
    weights = base64.b64encode((folder / "run.safetensors").read_bytes()).decode()
    return {"page": PAGE, "yaml": (folder / "experiment.yaml").read_text(), "weights": weights}


def test_it_opens_with_its_experiment_scene_and_history(files):
    message = json.loads(opening(Sessions(), files))
    assert message["scene"]["experiment"]["name"] == "Mine"
    assert message["scene"]["run"] == "saved run 1"
    assert message["snapshots"][0]["step"] == 0
    assert message["snapshots"][-1]["step"] == 30
    assert set(message["snapshots"][-1]["weights"]) == {"generator", "critic", "moments"}


def test_weights_of_another_experiment_are_refused(files):
    other = files["yaml"].replace("width: 8", "width: 16")
    with pytest.raises(InvalidExperiment, match="does not hold weights for this experiment"):
        opening(Sessions(), files | {"yaml": other})


@pytest.mark.parametrize(
    "given", [{}, {"yaml": "name: x"}, {"yaml": "name: x", "weights": "not base64!"}, {"yaml": "name: x", "weights": 3}]
)
def test_what_is_no_saved_run_is_refused(given):
    with pytest.raises((ValueError, KeyError, TypeError)):
        opening(Sessions(), {"page": PAGE} | given)


def test_files_without_a_page_are_refused(files):
    with pytest.raises(InvalidExperiment, match="no key of its own"):
        opening(Sessions(), {**files, "page": None})


def test_a_saved_run_is_measured_as_it_is_and_by_its_page_alone(files, tmp_path):
    sessions = Sessions()
    client = TestClient(Starlette(routes=routes(sessions)))
    name = client.post("/playground/saved", content=json.dumps(files)).json()["scene"]["run"]
    found = client.post("/playground/measure", content=json.dumps({"page": PAGE, "run": name})).json()
    (tmp_path / "experiment.yaml").write_text(files["yaml"])
    (tmp_path / "run.safetensors").write_bytes(base64.b64decode(files["weights"]))
    expected = json.loads(json.dumps({"points": POINTS, **Run.load(tmp_path).metrics(POINTS)}))
    assert {**found, "sampling_ms": 0} == {**expected, "sampling_ms": 0}
    other = client.post("/playground/measure", content=json.dumps({"page": "other-page", "run": name})).json()
    assert other["busy"] and "no longer has this run" in other["message"]


def test_a_pinned_run_stays_as_it_was_while_its_page_trains_on():
    sessions = Sessions()
    client, live = TestClient(Starlette(routes=routes(sessions))), Live(sessions)
    assert client.get(f"/playground/pinned/{PAGE}.json").json() is None
    small = {"network": {"kind": "mlp", "width": 8, "depth": 1}, "training": {"steps": 30}}
    asked = json.dumps({"page": PAGE, "experiment": small})
    list(live.train(asked))
    pinned = client.get(f"/playground/pinned/{PAGE}.json").json()
    list(live.resume(asked))
    kept = sessions.of(PAGE).shelf[pinned["scene"]["run"]]
    assert kept.rounds[-1].last.step == pinned["snapshots"][-1]["step"] == 30
    training = sessions.of(PAGE).training
    assert training is not None and training.run.rounds[-1].last.step == 60
    answer = client.post("/playground/measure", content=json.dumps({"page": PAGE, "run": pinned["scene"]["run"]}))
    assert answer.json()["points"] == POINTS
    with sessions.of(PAGE).turn:
        assert client.get(f"/playground/pinned/{PAGE}.json").json() is None, "it is training"


def test_a_shelf_keeps_the_newest(files):
    session, runs = Session(), [Run(Experiment.parse({"name": str(k)})) for k in range(MOST_SHELVED + 2)]
    names = [session.shelve(one, "saved") for one in runs]
    assert list(session.shelf) == names[2:] and session.shelf[names[-1]] is runs[-1]


@pytest.mark.parametrize("model", ["flow_matching", "gan", {"kind": "rectified_flow", "rounds": 1, "distill": True}])
def test_a_run_that_the_server_has_forgotten_comes_back_from_the_browser_as_it_was(model):
    sessions = Sessions()
    client, live = TestClient(Starlette(routes=routes(sessions))), Live(sessions)
    small = {"model": model, "network": {"kind": "mlp", "width": 8, "depth": 1}, "training": {"steps": 30}}
    list(live.train(json.dumps({"page": PAGE, "experiment": small})))
    told = client.get(f"/playground/runs/{PAGE}.json").json()
    before = sessions.of(PAGE).training
    assert before is not None

    newest = {shot["round"]: shot for shot in told["snapshots"]}
    rounds = [
        {"name": shot["name"], "snapshot": shot["id"], **{key: shot[key] for key in ("step", "seconds", "weights")}}
        for shot in newest.values()
    ]
    given = {"page": "other-page", "experiment": told["scene"]["experiment"], "rounds": rounds}
    answer = client.post("/playground/returned", content=json.dumps(given))
    run = sessions.of("other-page").shelf[answer.json()["run"]]
    assert [record.last.step for record in run.rounds] == [record.last.step for record in before.run.rounds]
    assert (run.sample(50).x == before.run.sample(50).x).all()

    rounds[-1]["weights"] = {name: text[:-8] for name, text in rounds[-1]["weights"].items()}
    refused = client.post("/playground/returned", content=json.dumps(given))
    assert refused.status_code == 400 and refused.json()["message"] == "these are not the weights of this run."


def test_the_server_is_told_what_is_shown_and_says_whether_it_can_train_it_on():
    sessions = Sessions()
    client, live = TestClient(Starlette(routes=routes(sessions))), Live(sessions)
    small = {"network": {"kind": "mlp", "width": 8, "depth": 1}, "training": {"steps": 30}}
    list(live.train(json.dumps({"page": PAGE, "turn": 1, "experiment": small})))

    def shown(run: str, turn: int) -> dict[str, bool]:
        asked = json.dumps({"page": PAGE, "run": run, "turn": turn})
        return dict(client.post("/playground/shown", content=asked).json())

    assert shown("preset ring", 2) == {"kept": False} and sessions.of(PAGE).training is None
    assert client.get(f"/playground/runs/{PAGE}.json").json() is None
    assert shown("run 1", 5) == {"kept": True}
    late = json.dumps({"page": PAGE, "turn": 4, "experiment": small})
    assert list(live.preview(late)) == [] and sessions.of(PAGE).training is not None
    for wrong in ("{", "3", json.dumps({"page": PAGE}), json.dumps({"page": PAGE, "run": "x", "turn": "y"})):
        assert client.post("/playground/shown", content=wrong).status_code == 400
