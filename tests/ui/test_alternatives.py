"""What the form does not offer: exactly what the experiment's own validators refuse, and nothing else."""

import json

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from playground import Experiment
from playground.choice import InvalidExperiment
from playground.ui.alternatives import refused
from playground.ui.assets import routes
from playground.ui.form import describe
from playground.ui.session import Sessions


@pytest.fixture(scope="module")
def description():
    return describe(Experiment)


def values(found, path):
    return {refusal["value"] for refusal in found.get(path, [])}


def whole(**given):
    return Experiment.parse(given).to_dict()


def test_a_source_of_another_dimension_is_not_offered_and_says_why(description):
    found = refused(whole(target="ring"), description)
    assert {"bimodal", "comb"} <= values(found, "source")
    assert "two_moons" not in values(found, "source") and "target" not in found
    sentence = next(each["sentence"] for each in found["source"] if each["value"] == "bimodal")
    assert "choose a source of the same dimension" in sentence


def test_what_only_a_gaussian_source_allows(description):
    assert "score" not in values(refused(whole(), description), "model.prediction")
    found = refused(whole(source="two_moons"), description)
    assert values(found, "model.prediction") == {"score"} and "exact" in values(found, "model")
    found = refused(whole(model={"kind": "flow_matching", "prediction": "score"}), description)
    assert "two_moons" in values(found, "source"), "and the other way round"


def test_a_nested_choice_is_tried_with_the_rest_unchanged(description):
    found = refused(whole(model={"kind": "flow_matching", "path": "bridge"}), description)
    assert values(found, "model.prediction") == {"noise", "data", "score"}
    found = refused(whole(model={"kind": "flow_matching", "prediction": "noise"}), description)
    assert "bridge" in values(found, "model.path")


@pytest.mark.parametrize("given", [{}, {"source": "two_moons"}, {"target": "bimodal"}, {"model": "exact"}])
def test_every_single_alternative_agrees_with_the_validator(description, given):
    experiment = whole(**given)
    found = refused(experiment, description)
    for name in ("source", "target"):
        field = next(each for each in description["fields"] if each["name"] == name)
        for kind in field["kinds"]:
            if kind["kind"] == experiment[name]["kind"]:
                continue
            try:
                Experiment.parse({**experiment, name: kind["kind"]})
                valid = True
            except InvalidExperiment:
                valid = False
            assert valid == (kind["kind"] not in values(found, name)), (name, kind["kind"])


def test_a_problem_that_is_there_already_refuses_nothing(description):
    experiment = whole() | {"training": {"steps": -1}}
    assert refused(experiment, description) == {}


def test_the_route_answers_in_json_and_refuses_rubbish():
    client = TestClient(Starlette(routes=routes(Sessions())))
    answer = client.post("/playground/alternatives", content=json.dumps(whole(source="two_moons")))
    assert answer.status_code == 200 and answer.json()["refused"]["model.prediction"][0]["value"] == "score"
    for text in ("[1]", "3", "{", '"x"'):
        answer = client.post("/playground/alternatives", content=text)
        assert answer.status_code == 400 and answer.json()["message"]
