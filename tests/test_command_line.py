"""The command line: one JSON object on standard output, sentences on standard error, and the exit status."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from playground import Experiment, Run
from playground.__main__ import Drawn, Listed, main, readable
from playground.engine import presets
from playground.figures import FIGURES
from playground.models import FlowMatching
from playground.models.base import Learner

FILE = """
name: From a file
source: gaussian
target: {kind: ring, modes: 3}
network: {width: 8, depth: 1}
training: {steps: 60, batch: 32}
"""


@dataclass
class Answer:
    status: int
    out: str
    err: str


@pytest.fixture
def call(monkeypatch, capsys):
    """Calls the command line as `python -m playground` does."""

    def call(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["playground", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Answer(int(ended.value.code or 0), *capsys.readouterr())

    return call


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "experiment.yaml"
    path.write_text(FILE)
    return path


@pytest.fixture(scope="module")
def folder(small_run, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("saved")
    small_run.save(path)
    return path


def sentence(answer: Answer) -> str:
    """The one line on standard error of an input that is not valid."""
    assert answer.status == 2
    assert answer.out == ""
    (line,) = answer.err.strip().splitlines()
    assert line.endswith(".")
    return line


# --- run -------------------------------------------------------------------------------------------------------------


def test_run_prints_one_object_and_nothing_else(file):
    """As a process of its own, which must not wait for the page's or the figures' libraries either."""
    command = [sys.executable, "-X", "importtime", "-m", "playground", "run", str(file), "--json", "--n", "50"]
    done = subprocess.run([*command, "--set", "training.seed=3"], capture_output=True, text=True, check=True)
    report = json.loads(done.stdout, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert done.stdout.count("\n") == 1
    assert set(report) == {"experiment", "device", "rounds"}
    assert report["experiment"]["training"]["seed"] == 3
    assert report["experiment"]["name"] == "From a file"
    (entry,) = report["rounds"]
    assert set(entry) == {"name", "steps", "train_seconds", "loss", "metrics"}
    assert entry["steps"] == 60
    assert 0 < entry["train_seconds"] < 60
    assert entry["loss"] > 0
    assert list(entry["metrics"]["by_nfe"]) == ["1", "2", "4", "8", "16", "32", "100"]
    assert Experiment.parse(report["experiment"]).training.steps == 60
    assert "step 60 of 60" in done.stderr
    imported = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert "torch" in imported
    assert not {"gradio", "plotly"} & imported


def test_run_prints_a_table_for_people(call, file):
    answer = call("run", file, "--n", 20)
    assert answer.status == 0
    lines = answer.out.strip().splitlines()
    assert lines[0].startswith("flow: 60 steps in ")
    assert [line.split()[0] for line in lines[2:10]] == ["1", "2", "4", "8", "16", "32", "100", "floor"]
    assert lines[-1].startswith("modes covered ")
    assert "of 3" in lines[-1]


def test_the_same_seed_prints_the_same_figures(call, file):
    def figures(seed: int) -> dict:
        report = json.loads(call("run", file, "--json", "--n", 20, "--set", f"training.seed={seed}").out)
        (entry,) = report["rounds"]
        return {"loss": entry["loss"], **entry["metrics"]}

    assert figures(1) == figures(1)
    assert figures(1)["by_nfe"] != figures(2)["by_nfe"]


def test_overrides_replace_what_the_file_says(call, file, tmp_path):
    sets = ("training.steps=5", "target=two_moons", "sampler.solver=rk4", "name=Set")
    answer = call(
        "run", file, "--n", 20, "--json", "--save", tmp_path / "kept", *(x for s in sets for x in ("--set", s))
    )
    report = json.loads(answer.out)
    assert report["experiment"]["target"]["kind"] == "two_moons"
    assert report["experiment"]["sampler"]["solver"]["kind"] == "rk4"
    assert report["rounds"][0]["metrics"]["modes_total"] is None
    kept = Run.load(tmp_path / "kept")
    assert kept.experiment == Experiment.parse(report["experiment"])
    assert kept.rounds[0].last.step == 5
    assert kept.metrics(n=20) == report["rounds"][0]["metrics"]


@pytest.mark.parametrize(
    ("override", "part"),
    [
        ("training.steps=-1", "training.steps: -1 is too small; choose at least 1."),
        ("network.width=1000000000", "network.width: 1000000000 is too large; choose at most 512."),
        ("training.rate=.nan", "training.rate: nan is not a finite number."),
        ("target=galaxy", "target: there is no kind 'galaxy'; choose one of 'gaussian', "),
        ("training.steps", "is not of the form key=value"),
        ("name=!!python/name:os.system", "tags such as "),
        ("source={kind: gaussian, dimension: 1}", "choose a source of the same dimension"),
    ],
)
def test_an_invalid_value_is_status_2_and_a_sentence(call, file, override, part):
    assert part in sentence(call("run", file, "--json", "--set", override))


def test_an_invalid_file_is_status_2_and_a_sentence(call, tmp_path):
    bad = tmp_path / "bad.yaml"
    assert "there is no file" in sentence(call("run", bad, "--json"))
    bad.write_text("target: [")
    assert "this is not valid YAML: line 1" in sentence(call("run", bad))
    bad.write_text("x: &a 1\ny: *a")
    assert "anchors" in sentence(call("run", bad))
    assert "is not a text file" in sentence(call("run", tmp_path))


def test_a_device_that_is_not_there_is_status_2(call, file, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert "there is no CUDA device here" in sentence(call("run", file, "--set", "training.device=cuda"))


def test_a_size_out_of_bounds_is_status_2(call, file):
    answer = call("run", file, "--n", 10**9, "--json", "--set", "training.steps=1")
    assert (answer.status, answer.out) == (2, "")
    assert "5" in answer.err.strip().splitlines()[-1]


def test_a_training_that_diverges_is_status_3(call, file, tmp_path, monkeypatch):
    class Breaking(Learner):
        name = "flow"

        def step(self, decay: float) -> torch.Tensor:
            return torch.tensor(math.nan)

        def weights(self) -> dict[str, torch.Tensor]:
            return {"velocity": torch.zeros(1)}

    monkeypatch.setattr(FlowMatching, "rounds", lambda self, task: iter([Breaking()]))
    answer = call("run", file, "--json", "--save", tmp_path / "kept")
    assert (answer.status, answer.out) == (3, "")
    assert answer.err.strip().splitlines()[-1].startswith("The loss stopped being a finite number at step 0.")


def test_wrong_usage_is_status_2(call):
    for arguments in (["walk"], ["run"], ["run", "x.yaml", "--fast"], ["list", "galaxies"]):
        answer = call(*arguments)
        assert (answer.status, answer.out) == (2, "")
        assert answer.err


# --- list ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", Listed)
def test_lists_as_json(call, what):
    answer = call("list", what.value, "--json")
    assert answer.status == 0
    rows = json.loads(answer.out)
    assert rows
    assert all(row["kind"] and row["summary"] for row in rows)
    assert len({row["kind"] for row in rows}) == len(rows)


@pytest.mark.parametrize(
    ("what", "some"),
    [
        ("distributions", {"gaussian", "uniform", "gaussian_mixture", "ring", "grid", "two_moons", "checkerboard"}),
        ("models", {"flow_matching"}),
        ("paths", {"linear", "cosine"}),
        ("couplings", {"independent"}),
        ("solvers", {"euler", "midpoint", "heun", "rk4"}),
        ("presets", set(presets.names())),
    ],
)
def test_lists_for_people(call, what, some):
    lines = call("list", what).out.strip().splitlines()
    assert some <= {line.split()[0] for line in lines}
    starts = {len(line) - len(line.split(maxsplit=1)[1]) for line in lines}
    assert len(starts) == 1, "the summaries stand below each other"


# --- figure ----------------------------------------------------------------------------------------------------------


def test_figures_that_can_be_asked_for_are_those_that_there_are():
    assert tuple(what.value for what in Drawn) == FIGURES


@pytest.mark.parametrize("what", ["trajectories", "loss"])
def test_figure_writes_html(call, folder, tmp_path, what):
    out = tmp_path / "figure.html"
    answer = call("figure", folder, "--what", what, "--out", out)
    assert (answer.status, answer.out) == (0, "")
    assert out.read_text(encoding="utf-8").count("plotly") > 1


def test_figure_writes_svg(call, folder, tmp_path):
    answer = call("figure", folder, "--what", "loss", "--out", tmp_path / "figure.svg")
    assert answer.status == 0
    text = (tmp_path / "figure.svg").read_text(encoding="utf-8")
    assert text.startswith("<svg")
    assert "Training loss" in text


def test_figures_that_cannot_be_drawn_are_status_2(call, folder, tmp_path):
    assert "there is no file" in sentence(call("figure", tmp_path / "none", "--out", tmp_path / "a.html"))
    assert "end its name in" in sentence(call("figure", folder, "--out", tmp_path / "a.gif"))
    assert "there is no folder" in sentence(call("figure", folder, "--out", tmp_path / "none" / "a.html"))
    answer = call("figure", folder, "--what", "pie")
    assert (answer.status, answer.out) == (2, "")
    (folder_of_junk := tmp_path / "junk").mkdir()
    (folder_of_junk / "experiment.yaml").write_text("{}")
    (folder_of_junk / "run.safetensors").write_bytes(b"junk")
    assert "does not hold weights" in sentence(call("figure", folder_of_junk, "--out", tmp_path / "a.html"))


def test_a_table_without_figures_has_dashes():
    row = {"sliced_w2": None, "w2": None, "energy_distance": 0.5, "sample_kl": 0.25, "stray": 0.1, "missed": 0.0}
    measured = {"by_nfe": {"1": row}, "floor": row} | dict.fromkeys(
        ("straightness", "npe", "transport_cost", "optimal_cost", "modes_covered_strict", "modes_total", "high_quality")
    )
    entry = {"name": "flow", "steps": 1234, "train_seconds": 1.26, "loss": None, "metrics": measured}
    lines = readable({"device": "cpu", "rounds": [entry]}).splitlines()
    assert lines[0] == "flow: 1,234 steps in 1.3 s on cpu"
    assert lines[2].split() == ["1", "–", "–", "0.5000", "0.2500", "0.1000", "0.0000"]
    assert lines[-1] == "straightness –, transport cost – (optimal –), normalised path energy –"


# --- several rounds, several seeds ------------------------------------------------------------------------------------


def test_every_round_of_a_rectified_flow_has_an_entry(call, file):
    model = "model={kind: rectified_flow, rounds: 2, distill: true}"
    answer = call("run", file, "--set", model, "--set", "training.steps=20", "--json", "--n", 20)
    assert answer.status == 0
    rounds = json.loads(answer.out)["rounds"]
    assert [entry["name"] for entry in rounds] == ["flow 1", "flow 2", "distilled"]
    assert [list(entry["metrics"]["by_nfe"])[-1] for entry in rounds] == ["100", "100", "1"]
    assert rounds[1]["metrics"]["straightness"] >= 0 and rounds[2]["metrics"]["straightness"] is None


def test_a_sweep_writes_and_prints_its_table(call, file, tmp_path):
    out = tmp_path / "table.csv"
    answer = call("sweep", file, "--seeds", 2, "--out", out, "--n", 20, "--set", "training.steps=10")
    assert answer.status == 0
    assert out.read_text().count("\n") == 3
    assert "| flow | 2 | " in answer.out and "2 of 2" in answer.err
    call("sweep", file, "--seeds", 1, "--out", tmp_path / "table.md", "--n", 20, "--set", "training.steps=10")
    assert (tmp_path / "table.md").read_text().startswith("| experiment | round | seeds |")


def test_a_sweep_that_cannot_be_written_or_told_apart_is_refused(call, file, tmp_path):
    answer = call("sweep", file, "--out", tmp_path / "table.xlsx")
    assert (answer.status, answer.err.strip()) == (2, "out: cannot write 'table.xlsx': end its name in .csv or .md.")
    answer = call("sweep", file, file, "--out", tmp_path / "table.csv")
    assert answer.status == 2 and "two of these files have one name" in answer.err


def test_few_training_points_are_told_apart_in_words():
    row = {"sliced_w2": 0.1, "w2": 0.2, "energy_distance": 0.5, "sample_kl": 0.25, "stray": 0.1, "missed": 0.0}
    figures = dict.fromkeys(("straightness", "npe", "transport_cost", "optimal_cost", "modes_total", "high_quality"))
    near = {"training_loss": 0.5, "held_out_loss": 1.25, "nearest": 0.01, "nearest_floor": 0.1}
    entry = {"name": "flow", "steps": 10, "train_seconds": 1.0, "loss": None}
    entry["metrics"] = {"by_nfe": {"1": row}, "floor": row} | figures | near
    lines = readable({"device": "cpu", "rounds": [entry]}).splitlines()
    assert lines[-2] == "loss on training points 0.5000, on held-out points 1.2500"
    assert lines[-1] == "mean distance to the nearest training point 0.0100 (held-out points 0.1000)"
