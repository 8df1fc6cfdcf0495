"""A saved run's files, brought to the page."""

from __future__ import annotations

import base64
import json

import pytest

from playground import Experiment, run
from playground.choice import InvalidExperiment
from playground.ui.saved import opening


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("saved")
    experiment = Experiment.parse(
        {"name": "Mine", "model": "gan", "training": {"steps": 30}, "network": {"kind": "mlp", "width": 8, "depth": 1}}
    )
    run(experiment).save(folder)
    weights = base64.b64encode((folder / "run.safetensors").read_bytes()).decode()
    return {"name": "1", "yaml": (folder / "experiment.yaml").read_text(), "weights": weights}


def test_it_opens_with_its_experiment_scene_and_history(files):
    message = json.loads(opening(files))
    assert message["experiment"]["name"] == "Mine"
    assert message["scene"]["run"] == "saved 1"
    assert message["snapshots"][0]["step"] == 0
    assert message["snapshots"][-1]["step"] == 30
    assert set(message["snapshots"][-1]["weights"]) == {"generator", "critic"}


def test_weights_of_another_experiment_are_refused(files):
    other = files["yaml"].replace("width: 8", "width: 16")
    with pytest.raises(InvalidExperiment, match="does not hold weights for this experiment"):
        opening(files | {"yaml": other})


@pytest.mark.parametrize(
    "given", [{}, {"yaml": "name: x"}, {"yaml": "name: x", "weights": "not base64!"}, {"yaml": "name: x", "weights": 3}]
)
def test_what_is_no_saved_run_is_refused(given):
    with pytest.raises((ValueError, KeyError, TypeError)):
        opening(given)
