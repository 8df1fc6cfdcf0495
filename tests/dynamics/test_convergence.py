"""Every solver along every path, on every grid, against the exact Gaussian: more steps are never worse.

Between Gaussians the field is linear in x, and every sampler is then linear in its start and its noise. So the spread
of what it draws is known without drawing: a particle is sent for the start, one for each number of the noise, and the
squares of where they end add up.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import get_args

import pytest
import torch
from torch import Tensor

from playground.choice import kinds
from playground.dynamics.discrete import DiscretePath
from playground.dynamics.grids import GridName
from playground.dynamics.path import Path
from playground.dynamics.paths import (
    AnyPath,
    BridgePath,
    CosinePath,
    InterpolantPath,
    LinearPath,
    SubVPPath,
    VEPath,
    VPPath,
)
from playground.dynamics.process import Process
from playground.dynamics.samplers import offered
from playground.dynamics.solvers import (
    DDIM,
    Ancestral,
    AnySolver,
    DiffusionSampler,
    DPMSolver,
    Euler,
    EulerMaruyama,
    Heun,
    Midpoint,
    RungeKutta4,
    Sampler,
    Solver,
    StochasticHeun,
    StochasticMidpoint,
)

WIDE, NARROW = 0.5, 0.1
PATHS = [
    LinearPath(),
    CosinePath(),
    VPPath(),
    SubVPPath(),
    VEPath(),
    InterpolantPath(),
    InterpolantPath(gamma="root"),
    BridgePath(),
    DiscretePath(schedule="linear_beta", timesteps=1000),
    DiscretePath(schedule="cosine_alpha_bar", timesteps=1000),
]
ORDERS: dict[Solver, int] = {
    Euler(): 1,
    Midpoint(): 2,
    Heun(): 2,
    RungeKutta4(): 4,
    DPMSolver(): 2,
    DDIM(): 1,
    DDIM(eta=1.0): 1,
    Ancestral(): 1,
    Ancestral(variance=1.0): 1,
    EulerMaruyama(churn=0.5): 1,
    EulerMaruyama(churn=1.0): 1,
    StochasticMidpoint(churn=0.5): 2,
    StochasticMidpoint(churn=1.0): 2,
    StochasticHeun(s_churn=10): 2,
}
"""What each promises: for stochastic ones their weak order, that of the distribution they draw from."""
STEPS = (*range(1, 18), 20, 25, 32, 50, 100)
SETTLED = 8
"""With fewer steps a solver of the flow may not be stable yet, or be right by chance."""
RIGHT, SMALL = 0.03, 0.001
"""An error of so little, on a spread of ½, may come from the other side; and one of so little need not shrink more."""


@pytest.fixture(autouse=True, scope="module")
def schedules_are_read_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Path, "at", lru_cache(None)(Path.at))
        yield


@lru_cache(None)
def gaussian(path: Path, t: float, spread: float) -> tuple[float, float]:
    """(slope of the velocity, variance) of x_t at time t, from N(0, 1) to N(0, spread²)."""
    c = path.at(t)
    variance = float((c.alpha * spread) ** 2 + c.sigma**2 + c.gamma**2)
    return float(c.d_alpha * c.alpha * spread**2 + c.d_sigma * c.sigma + c.d_gamma * c.gamma) / variance, variance


def process(path: Path, spread: float) -> Process:
    def score(x: Tensor, t: float) -> Tensor:
        return -x / gaussian(path, t, spread)[1]

    known = score if path.bridge else None
    return Process(lambda x, t: gaussian(path, t, spread)[0] * x, path, scored=not path.bridge, score=known)


def drawn(path: Path, solver: Solver, steps: int, spread: float = WIDE, grid: str = "uniform") -> float:
    """The standard deviation of what a solver draws, over that of x at the last time, times the target's."""
    times = path.snapped(Sampler(solver=solver, steps=steps, grid=grid).times(path.t_min, path.t_max, path))
    rows = torch.arange(1 + (2 if path.bridge else 1) * (len(times) - 1) * solver.stochastic)[:, None]
    first, last = (math.sqrt(gaussian(path, t, spread)[1]) for t in (path.t_min, path.t_max))
    asked = iter(range(1, len(rows)))
    *_, end = solver.states(
        process(path, spread), first * (rows == 0).double(), times, lambda *_: (rows == next(asked)).double()
    )
    return float(end.x.square().sum().sqrt()) / last * spread


PAIRS = [
    pytest.param(path, solver, id=f"{path} {solver}")
    for path in PATHS
    for solver in ORDERS
    if not isinstance(solver, DiffusionSampler) or solver.kind_name() in offered(process(path, WIDE))
]


def test_all_paths_and_solvers_are_here() -> None:
    assert {type(path) for path in PATHS} == {*kinds(AnyPath), DiscretePath}
    apart = {cls for cls in kinds(AnySolver) if issubclass(cls, Solver) and (cls.adaptive or cls.of_equations)}
    assert {type(solver) for solver in ORDERS} == {*kinds(AnySolver)} - apart


@pytest.mark.parametrize(("path", "solver"), PAIRS)
def test_more_steps_are_never_worse_and_the_error_shrinks_by_its_order(path: Path, solver: Solver) -> None:
    found = {steps: drawn(path, solver, steps) for steps in STEPS}
    assert all(map(math.isfinite, found.values()))
    errors = {steps: abs(value - WIDE) for steps, value in found.items()}
    for few, more in pairwise(STEPS[SETTLED - 1 :]):
        assert errors[more] <= max(RIGHT, errors[few]), (more, found)
    assert errors[100] <= max(SMALL, errors[50] / 2 ** (ORDERS[solver] - 0.4)), found


@pytest.mark.parametrize("grid", [name for name in get_args(GridName) if name != "uniform"])
@pytest.mark.parametrize(("path", "solver"), PAIRS)
def test_on_every_grid_too(path: Path, solver: Solver, grid: str) -> None:
    found = {steps: drawn(path, solver, steps, grid=grid) for steps in (1, 2, 15, 50, 100)}
    assert all(map(math.isfinite, found.values()))
    errors = {steps: abs(value - WIDE) for steps, value in found.items()}
    assert errors[50] <= max(RIGHT, 0.6 * errors[15]), found
    assert errors[100] <= max(5 * SMALL, errors[50] / 2 ** (ORDERS[solver] - 0.5)), found


@pytest.mark.parametrize("path", [path for path in PATHS if not path.bridge], ids=str)
def test_dpm_solver_draws_the_right_spread_from_15_steps_on(path: Path) -> None:
    for steps in STEPS[14:]:
        assert drawn(path, DPMSolver(), steps) == pytest.approx(WIDE, abs=0.02), steps


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_whatever_the_churn_a_narrow_mode_keeps_its_width(path: Path) -> None:
    """At 50 to 100 steps, within 4 %."""
    for churn in (0.0, 0.25, 0.5, 0.75, 1.0):
        for steps in (50, 64, 100):
            width = drawn(path, StochasticMidpoint(churn=churn), steps, NARROW)
            assert width == pytest.approx(NARROW, abs=0.004), (churn, steps)


def test_euler_maruyama_is_as_narrow_as_it_says() -> None:
    widths = [drawn(VPPath(), EulerMaruyama(churn=churn), 100, NARROW) for churn in (0.0, 0.5, 1.0)]
    assert widths == pytest.approx([0.094, 0.086, 0.082], abs=0.001)
    assert drawn(BridgePath(), EulerMaruyama(churn=1.0), 100, NARROW) == pytest.approx(0.106, abs=0.001)


def test_at_the_end_of_a_path_without_noise_there_is_none() -> None:
    """Where a step ends at σ = 0 is told by σ, which has to be 0 there and no rounding of it."""
    for path in PATHS:
        c = path.at(path.t_max)
        assert float(c.sigma) == 0 or float(c.sigma) > 1e-5, path
        assert float(c.gamma) == 0 or float(c.gamma) > 1e-5, path
