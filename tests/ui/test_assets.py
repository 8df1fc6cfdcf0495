"""The routes beside Gradio's: presets, runs found again, experiments as text, static files."""

import json
import re

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from playground import Experiment
from playground.engine import presets
from playground.ui.assets import Preloaded, routes
from playground.ui.live import Live
from playground.ui.session import Sessions

PAGE = "page-page"


@pytest.fixture
def sessions() -> Sessions:
    return Sessions()


@pytest.fixture
def client(sessions) -> TestClient:
    return TestClient(Starlette(routes=routes(sessions)))


@pytest.mark.parametrize("name", presets.names())
def test_every_preset_opens_with_weights(client, name):
    opening = client.get(f"/playground/presets/{name}.json").json()
    assert opening["scene"]["experiment"]["name"] and opening["scene"]["network"]
    assert opening["snapshots"][0]["step"] == 0
    last = opening["snapshots"][-1]
    assert last["done"] and last["step"] == last["steps"]
    assert bool(last["loss"]) == presets.experiment(name).model.learns, "an equation has nothing to learn"


@pytest.mark.parametrize("name", ["nothing", "..%2F..%2Fapp", "../README", "%2e%2e%2frequirements"])
def test_a_name_that_is_not_a_preset_is_refused(client, name):
    answer = client.get(f"/playground/presets/{name}.json")
    assert answer.status_code == 404 or "there is no preset" in answer.json()["message"]


def test_a_reload_finds_its_run_and_nobody_elses(client, sessions):
    assert client.get(f"/playground/runs/{PAGE}.json").json() is None
    small = {"network": {"kind": "mlp", "width": 8, "depth": 1}, "training": {"steps": 30}}
    list(Live(sessions).train(json.dumps({"page": PAGE, "experiment": small})))
    found = client.get(f"/playground/runs/{PAGE}.json").json()
    assert found["scene"]["run"] == "run 1" and found["snapshots"][-1]["step"] == 30
    assert client.get("/playground/runs/another-page.json").json() is None


def test_an_experiment_is_written_as_yaml_and_link_and_both_are_read_back(client):
    experiment = Experiment.parse({"target": "ring", "training": {"seed": 7}})
    written = client.post("/playground/write", content=json.dumps(experiment.to_dict())).json()
    for text in (written["yaml"], f"link:{written['link']}"):
        assert Experiment.parse(client.post("/playground/read", content=text).json()["experiment"]) == experiment


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        ("read", "target: nothing", "there is no kind"),
        ("read", "a: !!python/object:os.system {}", "tags"),
        ("read", "link:rubbish", "does not hold an experiment"),
        ("read", "[1, 2", "not valid YAML"),
        ("write", "{", "not text"),
        ("write", '{"training": {"steps": -1}}', "too small"),
        ("read", "x" * 70_000, "shorter"),
        ("read", b"\xff\xfe", "not text"),
    ],
)
def test_text_that_is_not_an_experiment_gets_a_sentence(client, path, text, words):
    answer = client.post(f"/playground/{path}", content=text)
    assert answer.status_code >= 400 and words in answer.json()["message"]


def test_modules_are_served_as_javascript_and_nothing_outside_the_folder(client):
    module = client.get("/playground/stage/stage.js")
    assert "javascript" in module.headers["content-type"] and module.headers["cache-control"] == "no-cache"
    assert client.get("/playground/..%2Fpage.py").status_code == 404


def test_joined_files_are_sent_once_and_then_only_asked_about(client):
    answer = client.get("/playground/joined/main.js")
    assert answer.headers["content-type"].startswith("text/javascript") and "$use(" in answer.text
    again = client.get("/playground/joined/main.js", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/playground/joined/nothing.js").status_code == 404
    assert client.get("/playground/joined/..%2Fassets.js").status_code == 404


def test_the_page_alone_says_what_it_will_need(sessions):
    wrapped = Starlette(routes=[Route("/", lambda request: PlainTextResponse("page")), *routes(sessions)])
    wrapped.add_middleware(Preloaded)
    client = TestClient(wrapped)
    links = client.get("/").headers["link"]
    for address in re.findall("<([^>]+)>", links):
        assert client.get(f"/{address}").status_code == 200
    assert "link" not in client.get("/playground/form.json").headers
