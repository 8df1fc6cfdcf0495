"""What is drawn of a model's parts, and how a chain that flies off reaches the page."""

from __future__ import annotations

import json

import pytest
import torch

from playground import Experiment, Run, run
from playground.models.energy.rbm import Machine
from playground.ui import messages


def trained(target="ring", steps=20, **model) -> Run:
    given = {"target": target, "model": model, "network": {"width": 8, "depth": 1}, "training": {"steps": steps}}
    return run(Experiment.parse(given))


def content(result: Run) -> dict:
    return json.loads(messages.snapshot("run 1", result, result.rounds[0].last, done=True))


def test_a_mixture_is_told_as_ellipses():
    result = trained(kind="mixture", components=3, iterations=3)
    told = content(result)
    assert "weights" not in told
    normals = result.trained().normals
    for k, one in enumerate(told["shapes"]["ellipses"]):
        root = torch.tensor(one["root"], dtype=torch.float64)
        assert torch.allclose(root @ root.t(), normals.covariances[k], atol=1e-3)
        assert one["center"] == pytest.approx(normals.centers[k].tolist(), abs=1e-4)
    assert sum(one["share"] for one in told["shapes"]["ellipses"]) == pytest.approx(1, abs=1e-3)


def test_a_machines_lines_are_where_its_units_are_in_doubt():
    result = trained(kind="rbm", hidden=4)
    model = result.trained()
    machine: Machine = model.machine
    for j, line in enumerate(content(result)["shapes"]["lines"]):
        normal = torch.tensor(line["normal"])
        x = -line["offset"] * normal / normal.square().sum()
        inputs = machine.inputs(model.weights, ((x - model.mean) / model.std)[None])[0]
        assert float(inputs[j]) == pytest.approx(0, abs=0.01)
        assert torch.allclose(torch.tensor(line["pull"]), model.std * machine.parts(model.weights)[0][:, j], atol=1e-3)


def test_an_energy_tells_its_learnt_normaliser_and_how_its_surface_is_read():
    result = trained(kind="energy", chain={"kind": "mala", "steps": 5})
    model, told = result.trained(), content(result)
    expected = float(model.learnt) + float(model.std.log().sum())
    assert told["shapes"]["normaliser"] == pytest.approx(expected, abs=1e-3)
    assert 0 <= told["trajectory"]["acceptance"] <= 1
    assert not told["trajectory"]["broken"]
    scene = json.loads(messages.scene("run 1", result))
    assert scene["network"]["surfaces"]["energy"]["bowl"] == 0.5
    assert "energy" in told["weights"]
    assert content(trained(kind="energy", objective="denoising"))["shapes"]["normaliser"] is None


@pytest.mark.parametrize("model", [{"kind": "mixture", "components": 2}, {"kind": "rbm", "hidden": 3}])
def test_nothing_is_drawn_in_one_dimension(model):
    told = content(trained({"kind": "gaussian", "dimension": 1}, **model))
    assert told["shapes"]["ellipses"] == told["shapes"]["lines"] == []


def test_a_chain_that_flies_off_is_cut_where_it_leaves():
    chain = {"kind": "langevin", "step": 2.6, "steps": 200}
    told = content(trained(kind="energy", chain=chain))["trajectory"]
    assert told["broken"]
    assert told["ends"][1] < 200
    high = max(abs(value) for value in told["x"]["high"] + told["x"]["low"])
    assert 50 < high < 300, "the last state shows where the particles went"
