"""What the server tells of a run besides its samples, against the model itself."""

from __future__ import annotations

import base64

import numpy as np
import pytest
import torch

from playground import Experiment, Run, run
from playground.ui.messages import reading
from playground.ui.probing import LINES, POINTS, Patch, carried

FLOW = {"target": "two_moons", "model": "normalizing_flow", "network": {"width": 16, "depth": 2}}


@pytest.fixture(scope="module")
def trained() -> Run:
    return run(Experiment.parse(FLOW | {"training": {"steps": 60}}))


def read(wire: dict) -> np.ndarray:
    steps = np.frombuffer(base64.b64decode(wire["u16"]), "<u2").reshape(wire["shape"])
    low, high = np.array(wire["low"]), np.array(wire["high"])
    return low + steps / 65535 * (high - low)


def weights(result: Run):
    return result.round().last.weights


def test_a_grid_is_carried_as_its_points_are(trained: Run) -> None:
    patch = Patch((-2.0, -2.0), (2.0, 1.0))
    lines = patch.lines()
    assert lines.shape == (2 * LINES * POINTS, 2)
    assert lines[0].tolist() == [-2, -2] and lines[POINTS - 1].tolist() == [2, -2]
    assert lines[LINES * POINTS].tolist() == [-2, -2] and lines[LINES * POINTS + POINTS - 1].tolist() == [-2, 1]
    answer = carried(trained, weights(trained), patch)
    found = read(answer["x"])
    expected = trained.trained().trajectory(lines, trained.experiment.sampler).x.numpy()
    np.testing.assert_allclose(found, expected, atol=2e-4 * float(np.ptp(expected)))


def test_in_one_dimension_places_are_carried() -> None:
    target = {"kind": "gaussian_mixture", "centers": [[-1.5], [1.5]], "std": 0.4}
    result = run(Experiment.parse(FLOW | {"target": target, "training": {"steps": 3}}))
    found = read(carried(result, weights(result), Patch((-3.0,), (3.0,)))["x"])
    places = torch.linspace(-3, 3, 31)[:, None]
    expected = result.trained().trajectory(places, result.experiment.sampler).x.numpy()
    np.testing.assert_allclose(found, expected, atol=2e-4 * float(np.ptp(expected)))
    with pytest.raises(ValueError, match="other dimensions"):
        carried(result, weights(result), Patch((-3.0, -3.0), (3.0, 3.0)))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"low": [0], "high": [1, 2]},
        {"low": "ab", "high": [1, 2]},
        {"low": [0, "x"], "high": [1, 1]},
        {"low": [0, 1e9], "high": [1, 1]},
    ],
)
def test_a_patch_that_is_none_is_refused(given) -> None:
    with pytest.raises(ValueError, match=r"reload the page|too far"):
        Patch.read(given)


def test_the_page_is_told_what_it_may_ask_for(trained: Run) -> None:
    told = reading(trained.trained())
    assert told["remote"] and told["carries"] and not told["sampled"]
    latent = run(Experiment.parse({"model": "vae", "training": {"steps": 2}})).trained()
    assert "carries" not in reading(latent) and reading(latent)["map"]["latent"] == 4
