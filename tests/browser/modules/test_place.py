"""Paths, predictions and scalings: the browser's field against Python's for each of them."""

from __future__ import annotations

import itertools
from typing import get_args

import pytest

from playground.choice import kinds
from playground.dynamics.parameterization import Prediction, ScalingKind
from playground.dynamics.paths import AnyPath, Path
from tests.browser.modules.page import ModulePage, assert_near, fields, flow, points, times

PATHS = [cls() for cls in kinds(AnyPath) if issubclass(cls, Path)]
CASES = list(itertools.product(get_args(Prediction), get_args(ScalingKind)))


@pytest.mark.parametrize("waves", [0, 12], ids=["plain", "waves"])
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.kind)
def test_every_prediction_and_scaling_gives_the_velocity_of_python(page: ModulePage, path: Path, waves: int) -> None:
    tolerance = (
        1e-3 if path.bridge else 5e-5
    )  # beside the ends of a bridge float32 hardly resolves the time that is left
    cases = [(prediction, scaling) for prediction, scaling in CASES if prediction == "velocity" or not path.bridge]
    flows = [flow(scaling=scaling, path=path, prediction=prediction, waves=waves) for prediction, scaling in cases]
    xs = [points(70, 2)] * len(flows)
    for case, one, x, found in zip(cases, flows, xs, fields(page, flows, xs), strict=True):
        for t, velocity in zip(times(one), found, strict=True):
            assert_near(velocity, one.velocity(x, t), tolerance, (case, t))


def test_a_table_is_exact_for_lines_and_cubics_and_at_its_nodes(page: ModulePage) -> None:
    nodes = [0.0, 0.1, 0.35, 0.5, 0.9, 1.0]
    at = [0.0, 0.04, 0.1, 0.2, 0.77, 0.95, 1.0]
    table = {
        "t": nodes,
        "alpha": nodes,
        "sigma": [1 - t for t in nodes],
        "d_alpha": [t**3 - t for t in nodes],
        "d_sigma": [-1.0] * len(nodes),
        "gamma": [t * t for t in nodes],
        "d_gamma": [2 * t for t in nodes],
    }
    two = {name: [column[0], column[-1]] for name, column in table.items()}
    script = """return given.tables.map((table) => given.at.map((t) => new place.PathTable(table).at(t)));"""
    full, ends = page(script, {"tables": [table, two], "at": at})
    for t, row in zip(at, full, strict=True):
        expected = {"alpha": t, "sigma": 1 - t, "gamma": t * t, "dAlpha": t**3 - t, "dSigma": -1, "dGamma": 2 * t}
        assert row == pytest.approx(expected, abs=1e-14)
    assert [row["alpha"] for row in ends] == pytest.approx(at, abs=1e-15)
