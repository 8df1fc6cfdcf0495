"""Figures of a run, and the files they are written to."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from kaleido.errors import ChromeNotFoundError

from playground import Experiment, Run, figures, run

MEASURED = {
    "by_nfe": {
        str(nfe): {
            "sliced_w2": 1 / nfe,
            "w2": None if nfe == 1 else 2 / nfe,
            "energy_distance": 0.5 / nfe,
            "sample_kl": 2 / nfe - 0.1,
        }
        for nfe in (1, 2, 4, 8, 16, 32, 100)
    },
    "floor": {"sliced_w2": 0.05, "w2": 0.1, "energy_distance": 0.02, "sample_kl": 0.03},
}


@pytest.fixture(scope="module")
def on_a_line() -> Run:
    target = {"kind": "gaussian_mixture", "centers": [[-1], [1]]}
    return run(Experiment.parse({"target": target, "network": {"width": 4, "depth": 1}, "training": {"steps": 5}}))


def traces(drawn) -> dict[str, object]:
    return {trace.name: trace for trace in drawn.data}


def test_trajectories_go_from_source_to_samples(small_run):
    drawn = figures.trajectories(small_run, n=200, paths=10)
    found = traces(drawn)
    assert set(found) == {"target", "source, t = 0", "samples, t = 1", "paths"}
    moved = small_run.sample(200)
    np.testing.assert_array_equal(found["source, t = 0"].x, moved.start[:, 0])
    np.testing.assert_array_equal(found["samples, t = 1"].y, moved.end[:, 1])
    np.testing.assert_array_equal(found["target"].x, small_run.real(200)[:, 0])
    # Ten paths of thirteen states, with a gap after each.
    xs = np.asarray(found["paths"].x, dtype=float).reshape(10, 14)
    assert np.isnan(xs[:, -1]).all()
    np.testing.assert_allclose(xs[:, :-1], moved.x[:, :10, 0].T)
    assert drawn.layout.title.text == "A small run · 12 steps, 24 NFE"
    assert drawn.layout.yaxis.scaleanchor == "x", "a circle looks like one"


def test_one_dimension_is_space_against_time(on_a_line):
    drawn = figures.trajectories(on_a_line, n=50, paths=3)
    found = traces(drawn)
    assert set(found["source, t = 0"].x) == {0.0}
    assert set(found["samples, t = 1"].x) == {1.0}
    times = np.asarray(found["paths"].x, dtype=float).reshape(3, -1)[0, :-1]
    np.testing.assert_allclose(times, np.linspace(0, 1, 51))
    assert drawn.layout.xaxis.title.text == "time t"


def test_the_loss_is_drawn_as_it_was_and_smoothed(small_run):
    drawn = figures.loss(small_run)
    raw, smooth = drawn.data
    assert len(raw.y) == len(smooth.y) == 300
    np.testing.assert_allclose(raw.y, [loss for _, loss in small_run.rounds[0].losses.points])
    assert np.std(smooth.y) < np.std(raw.y)
    assert np.mean(smooth.y) == pytest.approx(np.mean(raw.y), rel=0.02)
    assert (drawn.layout.yaxis.type, drawn.layout.xaxis.title.text) == ("log", "gradient step")


def test_a_short_loss_can_be_drawn(on_a_line):
    assert len(figures.loss(on_a_line).data[0].y) == 5


def test_quality_stands_beside_its_floor():
    drawn = figures.quality(MEASURED)
    found = traces(drawn)
    assert len(found) == 8
    for name in ("sliced W2", "W2", "energy distance", "KL"):
        assert list(found[name].x) == [1, 2, 4, 8, 16, 32, 100]
        floor = found[f"{name}, real against real"]
        assert len(set(floor.y)) == 1
        assert floor.line.dash == "dash"
        assert floor.line.color == found[name].line.color
    assert found["W2"].y[0] is None
    assert drawn.layout.xaxis.type == drawn.layout.yaxis.type == "log"
    assert {name for name, trace in found.items() if trace.yaxis == "y2"} == {"KL", "KL, real against real"}
    assert found["KL"].y[-1] < 0 and drawn.layout.yaxis2.type is None, "which no logarithmic axis can hold"


def test_a_run_draws_itself(small_run, monkeypatch):
    monkeypatch.setattr(Run, "metrics", lambda self, n=2000, round=-1: MEASURED)
    for what in figures.FIGURES:
        drawn = small_run.figure(what)
        assert drawn.data
        assert drawn.layout.title.text
        assert drawn.layout.xaxis.title.text
        assert drawn.layout.yaxis.title.text
    assert small_run.figure().to_dict()["layout"] == small_run.figure("trajectories").to_dict()["layout"]


def test_other_figures_get_a_sentence(small_run):
    with pytest.raises(ValueError, match="there is no figure 'pie'; choose one of trajectories, loss, quality"):
        small_run.figure("pie")
    with pytest.raises(ValueError, match="this run has 0 trained rounds"):
        Run(Experiment()).figure("trajectories")


@pytest.fixture(scope="module")
def drawn(small_run):
    return figures.trajectories(small_run, n=30, paths=3)


def test_html_needs_no_network(drawn, tmp_path):
    figures.write(drawn, tmp_path / "figure.html")
    text = (tmp_path / "figure.html").read_text(encoding="utf-8")
    assert "A small run" in text
    assert "<script src=" not in text
    assert "<link" not in text


def test_json_is_the_figure(drawn, tmp_path):
    figures.write(drawn, tmp_path / "figure.json")
    read = json.loads((tmp_path / "figure.json").read_text())
    assert {trace["name"] for trace in read["data"]} == {"target", "source, t = 0", "samples, t = 1", "paths"}
    assert not any(isinstance(value, float) and math.isnan(value) for value in read["data"][0]["x"])


@pytest.mark.parametrize("name", ["figure.gif", "figure", "figure.svg.exe"])
def test_other_endings_get_a_sentence(drawn, tmp_path, name):
    with pytest.raises(ValueError, match=rf"cannot write '{name}': end its name in \.svg, \.png, \.pdf, \.html or"):
        figures.write(drawn, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_gets_a_sentence(drawn, tmp_path):
    with pytest.raises(ValueError, match=r"there is no folder .*none"):
        figures.write(drawn, tmp_path / "none" / "figure.html")


def test_without_chrome_there_is_a_sentence(drawn, tmp_path, monkeypatch):
    def no_chrome(path):
        raise ChromeNotFoundError

    monkeypatch.setattr(type(drawn), "write_image", lambda self, path: no_chrome(path))
    with pytest.raises(ValueError, match=r"writing \.png needs Chrome or Chromium; install one, or write \.html\."):
        figures.write(drawn, tmp_path / "figure.png")


def test_straightness_is_drawn_for_every_flow(small_run):
    drawn = figures.figure(small_run, "straightness")
    (line,) = drawn.data
    assert len(line.x) == 101 and min(line.y) >= 0
    area = float(np.trapezoid(line.y, line.x))
    assert area == pytest.approx(small_run.metrics(1000)["straightness"], rel=1e-6)
    assert line.name == f"flow, S = {area:.3g}"
