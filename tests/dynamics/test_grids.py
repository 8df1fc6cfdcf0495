"""Where the steps of a solver stand."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np
import pytest
import torch

from playground.dynamics.grids import WARPS, GridName, grid
from playground.dynamics.solvers import Dopri5, Euler, Sampler

GRIDS = get_args(GridName)
EVERY_GRID = pytest.mark.parametrize("name", GRIDS)


@EVERY_GRID
@pytest.mark.parametrize("steps", [1, 2, 3, 7, 1000])
def test_a_grid_ascends_from_the_start_to_the_stop(name: GridName, steps: int) -> None:
    times = grid(name, 0.1, 0.7, steps)
    assert len(times) == steps + 1
    assert (times[0], times[-1]) == (0.1, 0.7)
    assert (np.diff(times) > 0).all()


@EVERY_GRID
def test_a_warp_reaches_the_end_that_is_written_down_exactly(name: GridName) -> None:
    assert WARPS[name](0.0) == 0
    assert WARPS[name](1.0) == pytest.approx(1, abs=1e-15)


def test_where_the_steps_are_dense() -> None:
    first, last = {}, {}
    for name in GRIDS:
        steps = np.diff(grid(name, 0.0, 1.0, 10))
        first[name], last[name] = steps[0], steps[-1]
    assert first["cosine"] < first["uniform"] < first["quadratic"]
    assert last["quadratic"] < last["uniform"] < last["cosine"]


def test_grids_are_those_of_the_papers() -> None:
    np.testing.assert_allclose(grid("uniform", 0.0, 1.0, 4), [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(1 - np.array(grid("quadratic", 0.0, 1.0, 4)), np.array([4, 3, 2, 1, 0]) ** 2 / 16)
    expected = [1 - math.cos(math.pi * k / 8) for k in range(5)]
    np.testing.assert_allclose(grid("cosine", 0.0, 1.0, 4), expected)


@EVERY_GRID
def test_a_sampler_stands_at_the_times_of_its_grid(name: GridName) -> None:
    sampler = Sampler(solver=Euler(), steps=6, grid=name)
    trajectory = sampler.integrate(lambda x, t: torch.full_like(x, t), torch.zeros(2, 1, dtype=torch.float64), 0.2, 0.8)
    times = grid(name, 0.2, 0.8, 6)
    assert trajectory.t.tolist() == times
    # Euler adds up the left rectangles under v = t.
    assert float(trajectory.end[0, 0]) == pytest.approx(sum(t * h for t, h in zip(times, np.diff(times), strict=False)))


def test_a_sampler_describes_itself_to_another_runtime() -> None:
    assert Sampler(steps=7, grid="cosine").describe() == {"solver": "heun", "steps": 7, "grid": "cosine"}
    described = Sampler(solver=Dopri5(rtol=0.01)).describe()
    assert described == {"solver": "dopri5", "steps": 50, "grid": "uniform", "rtol": 0.01, "atol": 1e-5}
