"""The browser's solvers against their Python twins: the same states, whatever takes the steps."""

from __future__ import annotations

import itertools
from typing import Any, get_args

import pytest
import torch

from playground.choice import kinds
from playground.dynamics.grids import GridName
from playground.dynamics.paths import CosinePath
from playground.dynamics.solvers import Adaptive, AnySolver, Dopri5, RungeKutta, Sampler, runge_kutta
from tests.browser.modules.page import ModulePage, assert_near, flow, points, put, sampled

SOLVERS = [cls.kind_name() for cls in kinds(AnySolver) if issubclass(cls, RungeKutta)]
ADAPTIVE = [cls for cls in kinds(AnySolver) if issubclass(cls, Adaptive)]
EVERY_ADAPTIVE = pytest.mark.parametrize("cls", ADAPTIVE, ids=lambda cls: cls.kind_name())
FLOWS = {
    "relu": flow(activation="relu", seed=1),
    "silu, frequencies": flow(activation="silu", frequencies=3, seed=2),
    "tanh, odd width": flow(width=37, activation="tanh", scaling="standard", seed=3),
    "selu, raw": flow(activation="selu", depth=2, scaling="none", seed=4),
    "line": flow(dim=1, width=48, activation="silu", seed=5),
    "curved path": flow(path=CosinePath(), seed=6),
}
EVERY_FLOW = pytest.mark.parametrize("name", FLOWS)


@EVERY_FLOW
def test_every_solver_passes_through_the_same_states_as_in_python(page: ModulePage, name: str) -> None:
    one = FLOWS[name]
    put(page, name, one)
    x0 = points(150, one.mlp.inputs, seed=9)
    for solver, steps in itertools.product(SOLVERS, (1, 3, 8, 32)):
        twin = one.trajectory(x0, Sampler.model_validate({"solver": solver, "steps": steps}))
        found = sampled(page, name, x0, solver=solver, steps=steps)
        assert (found["n"], found["dim"], found["nfe"]) == (150, x0.shape[1], twin.nfe)
        assert found["t"] == twin.t.tolist()
        assert found["rejected"] == []
        assert_near(found["x"], twin.x, 1e-4, (solver, steps))


@pytest.mark.parametrize("grid", get_args(GridName))
def test_every_grid_stands_at_the_same_times(page: ModulePage, grid: GridName) -> None:
    one = FLOWS["relu"]
    put(page, "grid", one)
    x0 = points(20, 2)
    for steps in (1, 7, 50):
        twin = one.trajectory(x0, Sampler(solver="euler", steps=steps, grid=grid))
        found = sampled(page, "grid", x0, solver="euler", steps=steps, grid=grid)
        assert found["t"] == pytest.approx(twin.t.tolist(), abs=1e-15)
        assert_near(found["x"], twin.x, 1e-4, steps)


@EVERY_ADAPTIVE
@EVERY_FLOW
def test_an_adaptive_solver_takes_steps_that_python_retraces(page: ModulePage, name: str, cls: type[Adaptive]) -> None:
    """Each side replays the steps that the other accepted: a decision at the threshold may differ by rounding."""
    one = FLOWS[name]
    put(page, name, one)
    x0 = points(150, one.mlp.inputs, seed=9)
    twin = one.trajectory(x0, Sampler(solver=cls(rtol=1e-4, atol=1e-5)))
    solver = cls.kind_name()
    found = sampled(page, name, x0, solver=solver, rtol=1e-4, atol=1e-5)

    t, rejected, stages = found["t"], found["rejected"], len(cls.tableau.b)
    assert (t[0], t[-1]) == one.interval
    assert found["nfe"] == 2 + (stages - 1) * (len(t) - 1 + len(rejected))
    assert found["nfe"] == pytest.approx(twin.nfe, rel=0.25)
    following = dict(itertools.pairwise(t))
    assert all(following[begin] < end for begin, end in rejected)

    retraced = torch.stack([state.x for state in runge_kutta(cls.tableau, one.velocity, x0, t)])
    assert_near(found["x"], retraced, 1e-4, "Python on the browser's steps")
    back = sampled(page, name, x0, solver=solver, times=twin.t.tolist())
    assert back["t"] == twin.t.tolist()
    assert_near(back["x"], twin.x, 1e-4, "the browser on Python's steps")


@EVERY_ADAPTIVE
def test_a_cloud_of_any_size_takes_the_same_steps_and_others_ride_them(page: ModulePage, cls: type[Adaptive]) -> None:
    put(page, "ride", FLOWS["silu, frequencies"])
    x0 = points(300, 2)
    cloud = sampled(page, "ride", x0, solver=cls.kind_name())
    twice = sampled(page, "ride", torch.cat([x0, x0]), solver=cls.kind_name())
    assert twice["t"] == pytest.approx(cloud["t"], abs=1e-5), "the step control carries rounding of the norm along"
    assert_near(twice["x"][:, 300:], cloud["x"], 1e-4, "a cloud twice")
    probe = sampled(page, "ride", x0[7:8], solver=cls.kind_name(), times=cloud["t"])
    assert torch.equal(probe["x"][:, 0], cloud["x"][:, 7])


def test_a_point_goes_back_in_time_along_the_times_of_others(page: ModulePage) -> None:
    put(page, "back", FLOWS["silu, frequencies"])
    there = sampled(page, "back", points(5, 2), solver="rk4", steps=40)
    again = sampled(page, "back", there["x"][30], solver="rk4", times=there["t"][30::-1])
    assert again["t"][-1] == 0
    assert_near(again["x"].flip(0), there["x"][:31], 1e-3, "back")


def test_a_solver_may_come_as_its_tableau(page: ModulePage) -> None:
    put(page, "tableau", FLOWS["relu"])
    heun = sampled(page, "tableau", points(10, 2), solver="heun", steps=4)
    given = sampled(page, "tableau", points(10, 2), solver={"a": [[], [1]], "b": [0.5, 0.5], "c": [0, 1]}, steps=4)
    assert torch.equal(given["x"], heun["x"])


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        ({"solver": "dopri"}, 'there is no solver "dopri" here'),
        ({"solver": "euler", "steps": 3, "grid": "odd"}, 'there is no grid "odd" here'),
        ({"solver": "dopri5", "rtol": 1e-30, "atol": 1e-30}, "the field is too stiff or kinked for it. Raise the tol"),
    ],
)
def test_what_cannot_be_solved_is_said(page: ModulePage, request_: dict[str, Any], sentence: str) -> None:
    put(page, "said", FLOWS["relu"])
    script = """try { await pool.sample({ run: "said", snapshot: 0, x0: new Float32Array(8), dim: 2, ...given }); }
                catch (error) { return error.message; }"""
    assert sentence in page(script, request_)


def test_a_field_that_is_not_finite_is_refused_at_once(page: ModulePage) -> None:
    one = FLOWS["relu"]
    put(page, "nan", one)
    script = """pool.put("nan", 1, { velocity: new Float32Array(given).fill(NaN) });
                const request = { run: "nan", snapshot: 1, x0: new Float32Array(8), dim: 2, solver: "dopri5" };
                try { await pool.sample(request); } catch (error) { return error.message; }"""
    assert page(script, one.mlp.size) == f"{Dopri5.label()} cannot begin: the field is not finite at t = 0."
