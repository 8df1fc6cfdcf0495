"""The figures that the server works out when it is asked: what they are, and what it refuses."""

import asyncio
import json
import time

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from playground import Experiment, Run
from playground.engine.evaluation import least_cost
from playground.engine.pairing_figures import pairing
from playground.metrics import floor
from playground.models.base import seeded
from playground.ui import measures, messages
from playground.ui.live import Live
from playground.ui.session import Sessions

PAGE = "page-page"
SMALL = {"network": {"kind": "mlp", "width": 8, "depth": 1}, "training": {"steps": 30}, "target": "ring"}


@pytest.fixture
def sessions() -> Sessions:
    return Sessions()


@pytest.fixture
def client(sessions) -> TestClient:
    return TestClient(Starlette(routes=measures.routes(sessions)))


@pytest.fixture
def trained(sessions) -> str:
    """The name of a run that PAGE has trained."""
    list(Live(sessions).train(json.dumps({"page": PAGE, "experiment": SMALL})))
    return sessions.of(PAGE).name


def ask(client, what, **given):
    return client.post(f"/playground/{what}", content=json.dumps({"page": PAGE, **given}))


def refused(answer) -> bool:
    """Whether a question gets a sentence: as an error, or quietly where the page has only gone on meanwhile."""
    return answer.status_code == 400 or answer.json().get("busy") is True


def test_a_finished_run_is_measured_like_any_other(client, sessions, trained, monkeypatch):
    monkeypatch.setattr(measures, "POINTS", 100)
    answer = ask(client, "measure", run=trained)
    assert answer.status_code == 200
    assert answer.json() == json.loads(
        json.dumps({"points": 100, **sessions.of(PAGE).training.run.metrics(100, every_w2=True)})
    )


def test_a_preset_is_measured_without_a_training(client, monkeypatch):
    monkeypatch.setattr(measures, "POINTS", 50)
    measures._measured_preset.cache_clear()
    figures = ask(client, "measure", run="preset ring").json()
    measures._measured_preset.cache_clear()
    assert figures["modes_total"] == 8 and figures["by_nfe"]["100"]["w2"] > 0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"run": "run 99"}, "no longer has this run"),
        ({"run": "preset nothing"}, "there is no preset"),
        ({"run": None}, "no longer has this run"),
        ({"page": "another-page", "run": "run 1"}, "no longer has this run"),
        ({"page": 3}, "could not be read"),
    ],
)
def test_what_cannot_be_measured_gets_a_sentence(client, trained, given, words):
    answer = ask(client, "measure", **given)
    assert refused(answer) and words in answer.json()["message"]


def test_a_run_that_trains_is_not_measured(client, sessions, trained):
    with sessions.of(PAGE).turn:
        answer = ask(client, "measure", run=trained)
    assert refused(answer) and "still training" in answer.json()["message"]


@pytest.mark.parametrize("text", [b"", b"\xff", b"[]", b"{", b"3"])
@pytest.mark.parametrize("what", ["measure", "reference"])
def test_rubbish_gets_a_sentence(client, what, text):
    answer = client.post(f"/playground/{what}", content=text)
    assert answer.status_code == 400 and "reload" in answer.json()["message"]


def test_a_long_question_is_refused(client):
    answer = client.post("/playground/reference", content=b" " * 20_000)
    assert answer.status_code == 400 and "too long" in answer.json()["message"]


@pytest.mark.parametrize(("source", "target"), [("gaussian", "ring"), ("uniform", "bimodal")])
def test_what_figures_are_read_against(client, source, target, monkeypatch):
    monkeypatch.setattr(measures, "PARTICLES", 200)
    measures.reference.cache_clear()
    found = ask(client, "reference", source={"kind": source}, target={"kind": target}).json()
    measures.reference.cache_clear()
    run = Run(Experiment.parse({"source": source, "target": target}))
    chosen = run.experiment.target.at(run.dim)
    expected = floor(chosen, 200, ["sliced_w2", "energy_distance"], seeded(0, 13), measures.PAIRS)
    for name, value in expected.items():
        spread = found["floor"][name]
        assert spread["value"] == pytest.approx(value) and spread["low"] < value < spread["high"]
    assert found["optimal_cost"] == pytest.approx(vars(least_cost(run.experiment)))
    assert found["entropy"] == pytest.approx(chosen.entropy())
    assert found["fewer"]["points"] == measures.FEWER


@pytest.mark.parametrize("given", [{}, {"source": "gaussian", "target": "nothing"}, {"source": 3, "target": "ring"}])
def test_what_is_no_pair_of_distributions_gets_a_sentence(client, given):
    answer = ask(client, "reference", **given)
    assert answer.status_code == 400 and answer.json()["message"]


def test_one_question_a_page_and_few_that_wait():
    async def crowd() -> list[object]:
        desk = measures.Desk()

        def work() -> measures.Figures:
            time.sleep(0.05)
            return {}

        pages = ["same", "same", *(f"page {k}" for k in range(12))]
        return await asyncio.gather(*(desk.run(page, work) for page in pages), return_exceptions=True)

    answers = asyncio.run(crowd())
    refused = [str(answer) for answer in answers if isinstance(answer, measures.Busy)]
    assert "still being measured" in refused[0] and all("try again" in sentence for sentence in refused[1:])
    assert len(answers) - len(refused) == measures.AT_ONCE + measures.WAITING
    assert all(answer == {} for answer in answers if not isinstance(answer, measures.Busy))


def test_a_desk_serves_again_after_a_failure():
    def fail() -> measures.Figures:
        raise ValueError("no")

    async def twice() -> None:
        desk = measures.Desk()
        for _ in range(2):
            with pytest.raises(ValueError, match="no"):
                await desk.run("page", fail)

    asyncio.run(twice())


def test_plotly_is_the_packages_own_and_kept(client):
    first = client.get("/playground/plotly.min.js")
    assert "javascript" in first.headers["content-type"] and b"plotly.js v" in first.content[:200]
    again = client.get("/playground/plotly.min.js", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304 and not again.content


def test_pairs_are_of_the_experiment_that_is_named(client):
    experiment = Experiment.parse(SMALL | {"model": {"kind": "flow_matching", "coupling": "optimal_transport"}})
    named = messages.setting(experiment)
    assert Experiment.parse(named).model == experiment.model
    answer = ask(client, "coupling", setting=named).json()
    expected = pairing(experiment, messages.PARTICLES)
    assert answer == json.loads(json.dumps(expected)) and len(answer["couplings"]) == 2


def test_the_exact_field_is_as_the_browser_reads_it(client):
    experiment = Experiment.parse(SMALL)
    answer = ask(client, "exact", setting=messages.setting(experiment)).json()
    assert answer["network"]["mixture"]["centers"]["shape"] == [8, 2] and answer["target"] == "the target's own density"
    refused = ask(client, "exact", setting=messages.setting(Experiment.parse(SMALL | {"source": "two_moons"})))
    assert refused.status_code == 400 and "Gaussian source" in refused.json()["message"]


@pytest.mark.parametrize("what", ["coupling", "exact"])
def test_a_question_about_no_experiment_gets_a_sentence(client, what):
    for setting in (None, 3, {"target": "nothing"}):
        answer = ask(client, what, setting=setting)
        assert answer.status_code == 400 and answer.json()["message"]


REMOTE = {"target": "ring", "model": {"kind": "exact", "points": 600}, "sampler": {"solver": "euler", "steps": 5}}


@pytest.fixture
def sampled_here(sessions) -> str:
    """The name of a run that only the server can sample."""
    list(Live(sessions).train(json.dumps({"page": PAGE, "experiment": REMOTE})))
    return sessions.of(PAGE).name


def test_a_snapshot_is_sampled_anew_under_other_settings(client, sampled_here):
    plain = ask(client, "sample", run=sampled_here, round=0, snapshot=0).json()
    finer = ask(client, "sample", run=sampled_here, round=0, snapshot=0, sampler={"solver": "heun", "steps": 9}).json()
    assert (plain["nfe"], len(plain["t"])) == (5, 6)
    assert (finer["nfe"], len(finer["t"])) == (18, 10)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"run": "run 99"}, "no longer has this run"),
        ({"snapshot": 5}, "no longer kept"),
        ({"snapshot": "x"}, "could not be read"),
        ({"round": 3}, "no round 3"),
        ({"sampler": {"steps": 0}}, "too small"),
        ({"sampler": {"steps": 10**9}}, "too large"),
        ({"sampler": 7}, "sampler"),
    ],
)
def test_a_sampling_that_cannot_be_is_refused_with_a_sentence(client, sampled_here, given, words):
    answer = ask(client, "sample", **({"run": sampled_here, "round": 0, "snapshot": 0} | given))
    assert refused(answer)
    assert words in answer.json()["message"]


def test_fields_of_the_model_that_need_training_are_left_as_they_were(client, sampled_here):
    given = {"run": sampled_here, "round": 0, "snapshot": 0}
    plain = ask(client, "sample", **given).json()
    other = ask(client, "sample", **given, model={"points": 3, "path": "cosine"}).json()
    assert plain["x"] == other["x"]


@pytest.mark.parametrize("what", ["surface", "likelihood", "along"])
def test_densities_are_of_the_moment_that_is_named(client, trained, what):
    given = {"run": trained, "snapshot": 0, "low": [-3, -3], "high": [3, 3], "t": 0.5, "probes": []}
    assert ask(client, f"density/{what}", **given).status_code == 200
    refused = ask(client, f"density/{what}", **given | {"snapshot": 99})
    assert refused.json()["busy"] and "no longer kept" in refused.json()["message"]


def test_what_is_no_density_gets_a_sentence(client, trained):
    answer = ask(client, "density/nothing", run=trained)
    assert answer.status_code == 400 and "could not be read" in answer.json()["message"]
