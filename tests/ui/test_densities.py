"""Log-densities for the stage: they integrate to one, and equal the closed form where there is one."""

import base64
import json
import math

import numpy as np
import pytest
import torch

from playground import Experiment, Run
from playground.dynamics.solvers import Sampler
from playground.engine.training import Training
from playground.ui import densities

EXACT = {
    "source": "gaussian",
    "target": {"kind": "gaussian_mixture", "centers": [[1.0]], "std": [0.5], "weights": [1.0]},
    "model": "exact",
}


def trained(chosen):
    with Training(Experiment.parse(chosen), every=0) as training:
        for _ in training:
            pass
        return training.run


@pytest.fixture(scope="module")
def flow() -> Run:
    return trained({"target": "ring", "network": {"width": 32, "depth": 2}, "training": {"steps": 300}})


def read(answer):
    packed = answer["values"]
    return np.frombuffer(base64.b64decode(packed["f32"]), "<f4").reshape(packed["shape"])


@pytest.mark.parametrize("t", [0.0, 0.5, 1.0])
def test_over_the_plane_it_integrates_to_one_at_any_time(flow, t):
    half = 5 - 1.6 * t
    found = densities.surface(flow.trained(), 2, {"low": [-half, -half], "high": [half, half], "t": t})
    values = read(found)
    assert values.shape == (densities.SIDE, densities.SIDE)
    assert np.exp(values).sum() * (2 * half / densities.SIDE) ** 2 == pytest.approx(1, abs=0.03)


def test_rows_go_up_and_columns_across(flow):
    model = flow.trained()
    values = read(densities.surface(model, 2, {"low": [-2, -3], "high": [2, 3], "t": 1}))
    row, column = 30, 11
    x = torch.tensor([[-2 + 4 * (column + 0.5) / 48, -3 + 6 * (row + 0.5) / 48]])
    assert values[row, column] == pytest.approx(float(model.log_prob(x)), abs=0.1), "with half the steps"


def test_a_model_that_knows_its_density_at_the_end_alone_tells_that():
    run = trained(
        {"target": "two_moons", "model": "normalizing_flow", "network": {"width": 16}, "training": {"steps": 60}}
    )
    given = {"low": [-2.5, -1.5], "high": [2.5, 1.5], "t": 0.3}
    values = read(densities.surface(run.trained(), 2, given))
    x = torch.tensor([[-2.5 + 5 * 24.5 / 48, -1.5 + 3 * 20.5 / 48]])
    assert values[20, 24] == pytest.approx(float(run.trained().log_prob(x)), abs=1e-4)
    assert np.exp(values).sum() * 15 / 48**2 == pytest.approx(1, abs=0.08)
    with pytest.raises(ValueError, match="no density that is known"):
        densities.along(run.trained(), 2, {"probes": []})


def test_from_a_gaussian_to_a_gaussian_it_is_the_closed_form():
    run = trained(EXACT)
    values = read(densities.surface(run.trained(), 1, {"low": [-4], "high": [4]}))
    assert values.shape == (densities.HEIGHTS, densities.TIMES)
    y = -4 + 8 * (np.arange(densities.HEIGHTS) + 0.5) / densities.HEIGHTS
    for column in (0, 11, 23):
        t = (column + 0.5) / densities.TIMES
        std = math.sqrt((1 - t) ** 2 + (0.5 * t) ** 2)
        expected = -0.5 * ((y - t) / std) ** 2 - math.log(std * math.sqrt(2 * math.pi))
        assert values[:, column] == pytest.approx(expected, abs=1e-4)


def test_along_the_way_of_a_probe_it_is_the_density_at_each_of_its_places(flow):
    model = flow.trained()
    probe = {"point": [0.4, 1.2], "t": 0.4}
    (way,) = densities.along(model, 2, {"probes": [probe]})["ways"]
    times = np.array(way["t"])
    assert times[0] == 0 and times[-1] == pytest.approx(1) and (np.diff(times) > 0).all()
    fine = Sampler.model_validate({"solver": "rk4", "steps": 60})
    x = torch.tensor([probe["point"]])
    for stop, at in ((0.0, 0), (1.0, -1)):
        place = fine.integrate(model.velocity, x, 0.4, stop).end
        assert way["log"][at] == pytest.approx(float(model.log_prob_at(place, stop)), abs=0.03)
    now = float(model.log_prob_at(x, 0.4))
    assert np.interp(0.4, times, way["log"]) == pytest.approx(now, abs=0.03)


def test_an_exact_way_is_the_closed_form_at_its_places():
    run = trained(EXACT)
    (way,) = densities.along(run.trained(), 1, {"probes": [{"point": [0.5], "t": 0.5}]})["ways"]
    # The map between Gaussians is affine: a particle keeps its place in units of the deviation.
    units = (0.5 - 0.5) / math.sqrt(0.25 + 0.0625)
    for t, value in zip(way["t"], way["log"], strict=True):
        std = math.sqrt((1 - t) ** 2 + (0.5 * t) ** 2)
        assert value == pytest.approx(-0.5 * units**2 - math.log(std * math.sqrt(2 * math.pi)), abs=1e-3)


def test_the_likelihood_of_real_points_stands_beside_the_entropy(flow):
    target, real = flow.experiment.target.at(2), flow.real(2000)
    found = densities.likelihood(flow.trained(), target, real)
    expected = -float(flow.trained().log_prob(real[: densities.REAL]).mean())
    assert found["nll"] == pytest.approx(expected, abs=0.02) and found["nll_outside"] == 0
    assert found["entropy"] == pytest.approx(target.entropy()) and found["nll"] > found["entropy"] - 0.1


@pytest.mark.parametrize("given", [{}, {"low": [0, 0], "high": [1, "a"]}, {"low": [0, 0], "high": [1, 1e9], "t": 0}])
def test_what_makes_no_sense_gets_a_sentence(flow, given):
    for work in (densities.surface, densities.along):
        with pytest.raises(ValueError, match=r"could not be read|too far"):
            work(flow.trained(), 2, json.loads(json.dumps(given)))


def test_without_a_density_a_sentence_says_so():
    for work in (densities.surface, densities.along):
        with pytest.raises(ValueError, match="no density that is known"):
            work(object(), 2, {"low": [-1, -1], "high": [1, 1], "t": 1, "probes": []})
