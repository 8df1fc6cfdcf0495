"""The family without a target: what it reaches, what it is measured against, and what it refuses."""

from __future__ import annotations

import json

import pytest
import torch
from typer.testing import CliRunner

from playground import Experiment, InvalidExperiment, Run, run
from playground.__main__ import cli
from playground.dynamics.systems import SYSTEMS
from playground.models.equation import POOL, Law

LINEAR = {"kind": "linear", "matrix": [[-1, 0], [0, -50]]}


def equation(system, **more):
    return Experiment.parse({"model": {"kind": "equation", "system": system}, **more})


@pytest.mark.parametrize("cls", SYSTEMS, ids=lambda cls: cls.kind_name())
def test_every_system_runs_with_its_defaults_and_reaches_its_law(cls):
    source = {"kind": "gaussian", "mean": [1.0] * cls().dim, "std": [0.1]}
    result = run(equation(cls.kind_name(), source=source))
    found = result.sample(500, steps=200, solver="heun")
    assert found.end.shape == (500, cls().dim)
    assert float(found.t[-1]) == pytest.approx(cls().T)
    assert result.metrics(300)["by_nfe"].keys() >= {"1", "100"}
    assert result.experiment.remarks()
    assert Experiment.from_link(result.experiment.to_link()) == result.experiment


def test_it_has_one_round_that_is_done_at_once_and_survives_a_file(tmp_path):
    result = run(equation(LINEAR))
    assert [record.steps for record in result.rounds] == [0]
    result.save(tmp_path)
    again = Run.load(tmp_path)
    assert torch.equal(again.sample(50, steps=3).x, result.sample(50, steps=3).x)


def test_distances_are_to_the_law_and_fall_with_the_step():
    measured = run(equation(LINEAR)).metrics(500)
    assert measured["by_nfe"]["32"]["sliced_w2"] > 1e6  # h = 1/16 is above 2/50
    assert measured["by_nfe"]["100"]["sliced_w2"] < 3 * measured["floor"]["sliced_w2"]
    assert all(measured[name] is None for name in ("straightness", "npe", "transport_cost", "optimal_cost"))


def test_a_solution_that_is_not_finite_has_no_distance():
    source = {"kind": "gaussian", "mean": [3.0], "std": [0.1]}
    result = run(equation({"kind": "custom", "field": "exp(x)", "T": 0.02}, source=source))
    assert result.metrics(300)["by_nfe"]["100"]["sliced_w2"] is not None
    steep = {"kind": "custom", "field": "-50*x^3", "T": 2}
    measured = run(equation(steep, source=source)).metrics(300)
    assert measured["by_nfe"]["8"]["sliced_w2"] is None


def test_what_leaves_to_infinity_is_left_out_of_the_law_and_said():
    source = {"kind": "gaussian", "mean": [1.0], "std": [0.3]}
    experiment = equation({"kind": "blow_up", "T": 0.9}, source=source)
    assert any("leave to infinity" in remark for remark in experiment.remarks())
    assert bool(experiment.aim.sample(500, torch.Generator().manual_seed(0)).isfinite().all())
    wild = equation({"kind": "custom", "field": "1e6*exp(x^2)", "T": 100}, source=source)
    assert any("choose a smaller T" in remark for remark in wild.remarks())
    assert bool(wild.aim.sample(500, torch.Generator().manual_seed(0)).isfinite().all())


def test_a_law_keeps_its_points_and_draws_from_them():
    law = equation("ornstein_uhlenbeck").aim
    assert isinstance(law, Law)
    one, other = (law.sample(1000, torch.Generator().manual_seed(seed)) for seed in (0, 1))
    assert not torch.equal(one, other)
    assert law.sample(2 * POOL, torch.Generator().manual_seed(0)).shape == (2 * POOL, 2)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"sampler": {"solver": "dopri5"}, "model": {"kind": "equation", "system": "brownian"}}, "noise is not"),
        ({"sampler": {"solver": "ddim"}, "model": {"kind": "equation"}}, "path of a diffusion model"),
        ({"sampler": {"solver": "implicit_euler"}}, "for the model equation"),
        ({"sampler": {"solver": "milstein"}, "target": "ring"}, "for the model equation"),
        ({"model": {"kind": "equation", "system": "decay"}, "source": "two_moons"}, "this equation is 1-dimensional"),
    ],
)
def test_what_does_not_go_together_is_refused_with_a_sentence(given, sentence):
    with pytest.raises(InvalidExperiment, match=sentence):
        Experiment.parse(given)


def test_the_command_line_lists_systems_and_runs_them(tmp_path):
    listed = CliRunner().invoke(cli, ["list", "systems", "--json"])
    assert [row["kind"] for row in json.loads(listed.stdout)] == [cls.kind_name() for cls in SYSTEMS]
    path = tmp_path / "equation.yaml"
    path.write_text("model: {kind: equation, system: {kind: logistic}}\nsource: {kind: uniform, low: [0], high: [1]}\n")
    done = CliRunner().invoke(cli, ["run", str(path), "--json", "--n", "200"])
    report = json.loads(done.stdout)
    assert report["rounds"][0]["metrics"]["by_nfe"]["100"]["sliced_w2"] < 0.1
