"""The browser's systems of equations against their Python twins: the same trees give the same states."""

from __future__ import annotations

import pytest
import torch

from playground.dynamics.solvers import Sampler
from playground.dynamics.systems import SYSTEMS, System
from playground.dynamics.systems.custom import Custom
from playground.models.equation import EquationFlow
from tests.browser.modules.page import ModulePage, assert_near, sampled

EVERY = [cls(T=min(3.0, cls().T)) for cls in SYSTEMS] + [
    Custom(field="exp(-x^2) + 2^-abs(x)/(1 + t) - tanh(x)*log(2 + x^2)", T=1.0),
    Custom(field="-x*y + sinh(y)/cosh(x); tan(x/4) - sign(y)*y^3", noise="0.1*x; 0.2*sqrt(1 + y^2)", T=1.0),
    Custom(field="-x; 0.5*y", noise="x; y", calculus="stratonovich", T=1.0),
]


def named(system: System) -> str:
    return f"{system.kind} {system.field if isinstance(system, Custom) else ''}".strip()


def starts(system: System, n: int = 150) -> torch.Tensor:
    scale = 0.5 if system.kind == "blow_up" else 1.0  # so that none leaves to infinity before T
    return scale * (0.5 + torch.rand(n, system.dim, generator=torch.Generator().manual_seed(3)))


@pytest.mark.parametrize("system", EVERY, ids=named)
def test_every_solver_passes_through_the_same_states_as_in_python(page: ModulePage, system: System) -> None:
    flow = EquationFlow(system)
    page("pool.open(given.run, given.description)", {"run": "system", "description": flow.describe()})
    solvers = ["euler", "midpoint", "heun", "rk4", "implicit_euler", "trapezoidal", "milstein"]
    for solver in solvers:
        steps = 80
        twin = flow.trajectory(starts(system), Sampler.model_validate({"solver": solver, "steps": steps}))
        found = sampled(page, "system", starts(system), solver=solver, steps=steps)
        assert bool(twin.x.isfinite().all())
        assert (found["n"], found["dim"]) == (150, system.dim)
        assert_near(found["x"], twin.x, 1e-5, (named(system), solver))


@pytest.mark.parametrize("system", [one for one in EVERY if not one.equations.noisy], ids=named)
def test_an_adaptive_solver_follows_the_same_equation(page: ModulePage, system: System) -> None:
    flow = EquationFlow(system)
    page("pool.open(given.run, given.description)", {"run": "system", "description": flow.describe()})
    x0 = starts(system)
    twin = flow.trajectory(x0, Sampler.model_validate({"solver": {"kind": "dopri5", "rtol": 1e-4, "atol": 1e-4}}))
    times = (twin.t / system.T).tolist()
    found = sampled(page, "system", x0, solver="dopri5", times=times)
    assert_near(found["x"], twin.x, 1e-5, named(system))


@pytest.mark.parametrize("system", [one for one in EVERY if one.equations.parsed.solution], ids=named)
def test_the_closed_form_is_the_same(page: ModulePage, system: System) -> None:
    flow = EquationFlow(system)
    page("pool.open(given.run, given.description)", {"run": "system", "description": flow.describe()})
    x0 = 0.5 * starts(system)
    found = sampled(page, "system", x0, solver="exact", steps=4)
    solver = "heun" if system.equations.noisy else "rk4"
    fine = flow.trajectory(x0, Sampler.model_validate({"solver": solver, "steps": 1000}))
    assert_near(found["x"], fine.x[::250], 2e-2 if system.equations.noisy else 1e-5, named(system))
    if not system.equations.noisy:
        exact = system.equations.solution(x0.double(), system.T)
        assert_near(found["x"][-1], exact.float(), 1e-5, named(system))


def test_other_numbers_are_taken_over_at_once(page: ModulePage) -> None:
    before, after = SYSTEMS[0](), SYSTEMS[0](theta=0.3, T=2.0)
    names = list(before.parameters())
    page("pool.open(given.run, given.description)", {"run": "live", "description": EquationFlow(before).describe()})
    numbers = [after.parameters()[name] for name in names]
    page("pool.put('live', 0, { live: Float64Array.from(given) })", numbers)
    twin = EquationFlow(after).trajectory(starts(after), Sampler.model_validate({"solver": "rk4", "steps": 9}))
    assert_near(sampled(page, "live", starts(after), solver="rk4", steps=9)["x"], twin.x, 1e-5, "live")
