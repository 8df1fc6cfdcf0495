"""Sweeps: the table that they give, as CSV and as Markdown."""

from __future__ import annotations

import csv
import io
import math
import statistics

import pytest
import torch

from playground import Experiment, InvalidExperiment, run
from playground.engine.sweep import Row, as_csv, as_markdown, check_name, spread, sweep
from playground.models.flow_matching import FlowLearner

SMALL = {"network": {"width": 8, "depth": 1}, "training": {"steps": 30, "batch": 32, "seed": 4}, "target": "ring"}


@pytest.fixture(scope="module")
def experiments() -> dict[str, Experiment]:
    reflow = {"kind": "rectified_flow", "rounds": 1, "distill": True}
    return {"plain": Experiment.parse(SMALL), "reflow": Experiment.parse(SMALL | {"model": reflow})}


@pytest.fixture(scope="module")
def rows(experiments) -> list[Row]:
    return [row for some in sweep(experiments, 2, 50) for row in some]


def test_every_round_of_every_seed_is_a_row(rows):
    assert [(row.experiment, row.seed, row.round) for row in rows] == [
        ("plain", 4, "flow"),
        ("plain", 5, "flow"),
        ("reflow", 4, "flow 1"),
        ("reflow", 4, "distilled"),
        ("reflow", 5, "flow 1"),
        ("reflow", 5, "distilled"),
    ]


def test_its_figures_are_those_of_the_run(rows, experiments):
    measured = run(experiments["plain"]).metrics(50)
    assert rows[0].figures["stray_8"] == measured["by_nfe"]["8"]["stray"]
    assert rows[0].figures["sliced_w2_floor"] == measured["floor"]["sliced_w2"]
    assert rows[0].figures["straightness"] == measured["straightness"]
    assert rows[3].figures["straightness"] is None, "a map has none"


def test_the_same_seeds_give_the_same_table(rows, experiments):
    again = [row for some in sweep(experiments, 2, 50) for row in some]
    assert as_csv(again) == as_csv(rows) and as_markdown(again) == as_markdown(rows)


def test_csv_has_every_training(rows):
    read = list(csv.DictReader(io.StringIO(as_csv(rows))))
    assert len(read) == 6
    assert float(read[1]["w2_100"]) == pytest.approx(rows[1].figures["w2_100"], rel=1e-5)
    assert read[3]["npe"] == "" and read[3]["w2_100"] == "" and read[3]["sliced_w2_1"] != ""


def test_markdown_has_means_over_the_seeds(rows):
    header, _, first, *_ = as_markdown(rows).splitlines()
    cells = dict(zip(*([cell.strip() for cell in line.strip("|").split("|")] for line in (header, first)), strict=True))
    both = [row.figures["sample_kl_1"] for row in rows[:2]]
    assert (cells["experiment"], cells["round"], cells["seeds"]) == ("plain", "flow", "2")
    assert cells["KL, estimated, 1 NFE"] == f"{statistics.mean(both):.4g} ± {statistics.stdev(both):.2g}"
    assert "| reflow | distilled | 2 | " in as_markdown(rows)


def test_a_mean_is_of_all_or_not_shown():
    assert spread([1.0, 3.0]) == "2 ± 1.4"
    assert spread([1.5]) == "1.5"
    assert spread([1.0, None]) == spread([]) == "–"


def test_a_training_that_diverged_is_told_and_the_others_go_on(monkeypatch):
    step = FlowLearner.step

    def breaking(self: FlowLearner, decay: float) -> torch.Tensor:
        return step(self, decay) * (math.nan if self._batch == 31 else 1)

    monkeypatch.setattr(FlowLearner, "step", breaking)
    bad = SMALL | {"training": SMALL["training"] | {"batch": 31}}
    both = {"bad": Experiment.parse(bad), "good": Experiment.parse(SMALL)}
    first, last = (row for some in sweep(both, 1, 50) for row in some)
    assert (last.experiment, last.failure) == ("good", None)
    assert first.failure in as_csv([first, last])
    assert "| bad | flow | 0 of 1 | – | " in as_markdown([first, last])


@pytest.mark.parametrize(
    ("name", "sentence"), [("table.txt", "end its name in .csv or .md"), ("no/folder/t.csv", "there is no folder")]
)
def test_a_table_that_cannot_be_written_is_refused_first(tmp_path, name, sentence):
    with pytest.raises(InvalidExperiment, match=sentence):
        check_name(tmp_path / name)
    check_name(tmp_path / "table.md")


def test_guidance_has_a_column_for_each_strength_and_lists_have_none():
    given = {"target": "ring", "condition": {"labels": True}, "training": {"steps": 1}, "network": {"width": 4}}
    ((row,),) = sweep({"ring": Experiment.parse(given)}, seeds=1, n=100)
    assert {"coverage_guidance_1", "spread_guidance_4", "nfe_guidance_2"} <= set(row.figures)
    assert not any(isinstance(value, (dict, list)) for value in row.figures.values())
    assert "coverage_guidance_2" in as_csv([row]).splitlines()[0]
