"""Where the steps of a solver stand."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np
import pytest
import torch

from playground.dynamics.discrete import DiscretePath
from playground.dynamics.grids import WARPS, GridName, grid, noise_to_signal, time_at
from playground.dynamics.path import Path
from playground.dynamics.paths import CosinePath, InterpolantPath, LinearPath, SubVPPath, VEPath, VPPath
from playground.dynamics.process import Process
from playground.dynamics.solvers import Dopri5, Euler, Sampler

GRIDS = get_args(GridName)
EVERY_GRID = pytest.mark.parametrize("name", GRIDS)
EVERY_WARP = pytest.mark.parametrize("name", WARPS)
EVERY_PATH = pytest.mark.parametrize(
    "path", [LinearPath(), CosinePath(), VPPath(), SubVPPath(), VEPath(), InterpolantPath()], ids=str
)


@EVERY_GRID
@pytest.mark.parametrize("steps", [1, 2, 3, 7, 1000])
def test_a_grid_ascends_from_the_start_to_the_stop(name: GridName, steps: int) -> None:
    times = grid(name, 0.1, 0.7, steps, LinearPath())
    assert len(times) == steps + 1
    assert (times[0], times[-1]) == (0.1, 0.7)
    assert (np.diff(times) > 0).all()


@EVERY_WARP
def test_a_warp_reaches_the_end_that_is_written_down_exactly(name: GridName) -> None:
    assert WARPS[name](0.0) == 0
    assert WARPS[name](1.0) == pytest.approx(1, abs=1e-15)


def test_where_the_steps_are_dense() -> None:
    first, last = {}, {}
    for name in WARPS:
        steps = np.diff(grid(name, 0.0, 1.0, 10))
        first[name], last[name] = steps[0], steps[-1]
    assert first["cosine"] < first["uniform"] < first["quadratic"]
    assert last["quadratic"] < last["late"] < last["uniform"] < last["cosine"]


def test_grids_are_those_of_the_papers() -> None:
    np.testing.assert_allclose(grid("uniform", 0.0, 1.0, 4), [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(1 - np.array(grid("quadratic", 0.0, 1.0, 4)), np.array([4, 3, 2, 1, 0]) ** 2 / 16)
    np.testing.assert_allclose(1 - np.array(grid("late", 0.0, 1.0, 4)), (np.array([4, 3, 2, 1, 0]) / 4) ** 1.5)
    expected = [1 - math.cos(math.pi * k / 8) for k in range(5)]
    np.testing.assert_allclose(grid("cosine", 0.0, 1.0, 4), expected)


@EVERY_GRID
def test_a_sampler_stands_at_the_times_of_its_grid(name: GridName) -> None:
    sampler, path = Sampler(solver=Euler(), steps=6, grid=name), VPPath()
    field = Process(lambda x, t: torch.full_like(x, t), path)
    trajectory = sampler.integrate(field, torch.zeros(2, 1, dtype=torch.float64), 0.2, 0.8)
    times = grid(name, 0.2, 0.8, 6, path)
    assert trajectory.t.tolist() == times
    # Euler adds up the left rectangles under v = t.
    assert float(trajectory.end[0, 0]) == pytest.approx(sum(t * h for t, h in zip(times, np.diff(times), strict=False)))


def test_a_sampler_describes_itself_to_another_runtime() -> None:
    assert Sampler(steps=7, grid="cosine").describe() == {"solver": "heun", "steps": 7, "grid": "cosine"}
    described = Sampler(solver=Dopri5(rtol=0.01)).describe()
    assert described == {"solver": "dopri5", "steps": 50, "grid": "uniform", "rtol": 0.01, "atol": 1e-5}


@EVERY_PATH
def test_the_root_of_the_noise_falls_evenly_on_the_grid_of_edm(path: Path) -> None:
    """EDM, eq. 5: σ_i = (σ_max^{1/ρ} + i / N (σ_min^{1/ρ} − σ_max^{1/ρ}))^ρ, which is a time of every path."""
    times = grid("karras", path.t_min, path.t_max, 9, path)
    assert (times[0], times[-1]) == (path.t_min, path.t_max)
    assert (np.diff(times) > 0).all()
    roots = [noise_to_signal(path, t) ** (1 / 7) for t in times[1:-1]]
    np.testing.assert_allclose(np.diff(roots), np.diff(roots)[0], rtol=1e-9)
    ends = [min(80, max(0.002, noise_to_signal(path, t))) ** (1 / 7) for t in (path.t_min, path.t_max)]
    assert roots[0] - ends[0] == pytest.approx(roots[1] - roots[0])
    assert ends[1] - roots[-1] == pytest.approx(roots[1] - roots[0])
    np.testing.assert_allclose(grid("karras", 0.8, 0.3, 5, path)[::-1], grid("karras", 0.3, 0.8, 5, path), rtol=1e-9)


@EVERY_PATH
def test_the_time_of_a_ratio_is_found_or_the_nearer_end(path: Path) -> None:
    for t in (0.2, 0.55, 0.9):
        assert time_at(path, noise_to_signal(path, t), 0.1, 0.95) == pytest.approx(t, abs=1e-9)
    assert time_at(path, 1e9, 0.1, 0.95) == 0.1
    assert time_at(path, 0, 0.1, 0.95) == 0.95


def test_a_discrete_diffusion_stands_at_its_steps_on_every_grid() -> None:
    field = Process(lambda x, t: 0 * x, DiscretePath(timesteps=50))
    for name in GRIDS:
        moved = Sampler(solver=Euler(), steps=10, grid=name).integrate(field, torch.zeros(1, 1))
        assert all(abs(float(t) * 50 - round(float(t) * 50)) < 1e-9 for t in moved.t)


def test_without_a_path_there_is_no_noise_to_follow() -> None:
    with pytest.raises(ValueError, match="karras follows the noise of a path"):
        Sampler(grid="karras").integrate(lambda x, t: x, torch.zeros(1, 1))
