"""The browser's systems of equations against their Python twins: the same trees give the same states."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from playground.distributions import Gaussian
from playground.dynamics.fokker_planck import Lattice, solve_fokker_planck
from playground.dynamics.solvers import Sampler
from playground.dynamics.systems import SYSTEMS, System
from playground.dynamics.systems.brownian import BrownianMotion
from playground.dynamics.systems.custom import Custom
from playground.dynamics.systems.decay import Decay
from playground.dynamics.systems.geometric_brownian import GeometricBrownian
from playground.dynamics.systems.langevin import LangevinDoubleWell
from playground.dynamics.systems.ornstein_uhlenbeck import OrnsteinUhlenbeck
from playground.dynamics.systems.rotation import Rotation
from playground.dynamics.systems.stiff import Stiff
from playground.dynamics.systems.underdamped import UnderdampedLangevin
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


ORDERS = """
    const found = order.ordersOf(new equations.Equations(given.description), Float64Array.from(given.x0));
    return found.map(({ solver, kind, theory, slope }) => ({ solver, kind, theory, slope }));
"""


@pytest.mark.parametrize("kind", ["rotation", "logistic", "pendulum", "decay"])
def test_the_slopes_that_the_page_prints_are_those_of_theory(page: ModulePage, kind: str) -> None:
    system = next(cls for cls in SYSTEMS if cls.kind_name() == kind)(T=2.0)
    x0 = starts(system, 16).double().flatten().tolist()
    found = page(ORDERS, {"description": EquationFlow(system).describe(), "x0": x0})
    assert {row["solver"]: row["theory"] for row in found} == {
        "euler": 1,
        "midpoint": 2,
        "heun": 2,
        "rk4": 4,
        "implicit_euler": 1,
        "trapezoidal": 2,
    }
    for row in found:
        assert row["slope"] == pytest.approx(row["theory"], abs=0.1), row


@pytest.mark.parametrize("calculus", ["ito", "stratonovich"])
def test_strong_and_weak_orders_are_those_of_theory(page: ModulePage, calculus: str) -> None:
    system = GeometricBrownian(mu=1.0, sigma=0.8, calculus=calculus)
    found = page(ORDERS, {"description": EquationFlow(system).describe(), "x0": [1.0] * 2000})
    assert {(row["solver"], row["kind"]) for row in found} == {
        (solver, kind) for solver in ("euler", "heun", "milstein") for kind in ("strong", "weak")
    }
    for row in found:
        assert row["slope"] == pytest.approx(row["theory"], abs=0.1 if row["kind"] == "strong" else 0.2), row


STABILITY = """
    return given.cases.map(({ description, solver, steps }) => stability.stabilityOf(description, null, solver, steps));
"""


def test_the_limit_of_a_stable_step_is_named_when_it_is_crossed(page: ModulePage) -> None:
    decay, stiff, rotation = Decay(theta=8.0, T=2.5), Stiff(), Rotation()
    tried = [
        (decay, "euler", 11, 0.25, None),  # h = 0.227
        (decay, "euler", 9, 0.25, "2/θ = 0.25"),  # h = 0.278
        (decay, "rk4", 9, 2.785293563 / 8, None),
        (decay, "implicit_euler", 1, None, None),
        (stiff, "euler", 49, 0.04, "2/|λ| = 0.04"),
        (stiff, "heun", 51, 0.04, None),
        (stiff, "trapezoidal", 2, None, None),
        (rotation, "euler", 200, 0, "imaginary axis"),
        (rotation, "rk4", 10, 2 * 2**0.5, None),
    ]
    cases = [
        {"description": EquationFlow(system).describe(), "solver": solver, "steps": steps}
        for system, solver, steps, *_ in tried
    ]
    for (system, solver, steps, limit, words), found in zip(tried, page(STABILITY, {"cases": cases}), strict=True):
        what = (system.kind, solver, steps)
        assert found["h"] == pytest.approx(system.T / steps)
        assert (words in found["sentence"]) if words else found["sentence"] is None, (what, found)
        if limit is not None:
            assert found["limit"] == pytest.approx(limit, rel=1e-6), what
        else:
            assert found["limit"] is None or found["limit"] == float("inf"), what


DENSITY = """
    const system = new equations.Equations(given.description);
    const all = [...fokkerPlanck.fokkerPlanck(system, given.lattice, Float64Array.from(given.start), given.steps)];
    return Array.from(all.at(-1).p);
"""


@pytest.mark.parametrize(
    "system",
    [
        OrnsteinUhlenbeck(axes=1),
        LangevinDoubleWell(T=1.0),
        UnderdampedLangevin(T=1.0),
        Custom(field="-x*t; y - t", noise="0.5; 0.3*x", T=1.0),
    ],
    ids=named,
)
def test_the_density_on_a_grid_is_the_one_of_python(page: ModulePage, system: System) -> None:
    cells = (60,) if system.dim == 1 else (24, 30)
    lattice = Lattice((-3.0,) * system.dim, (3.5,) * system.dim, cells)
    start = np.exp(-(lattice.middles**2).sum(-1))
    *_, (_, expected) = solve_fokker_planck(system.equations, lattice, start, 12)
    told = {"low": lattice.low, "high": lattice.high, "cells": lattice.cells}
    given = {"lattice": told, "start": start.flatten().tolist(), "steps": 12}
    found = page(DENSITY, {"description": EquationFlow(system).describe(), **given})
    np.testing.assert_allclose(np.array(found).reshape(cells), expected, rtol=1e-9, atol=1e-12)


COMPARED = """
    const { equation } = given.description;
    const start = Float64Array.from(floats(equation.lattice.density.f32));
    const system = new equations.Equations(given.description);
    const { end, ...found } = fokkerPlanck.compared(system, equation.lattice, start, Float64Array.from(given.x0));
    return found;
"""


@pytest.mark.parametrize("system", [OrnsteinUhlenbeck(axes=1), OrnsteinUhlenbeck(), BrownianMotion()], ids=named)
def test_particles_and_the_probability_flow_have_the_density_of_the_grid(page: ModulePage, system: System) -> None:
    source = Gaussian(mean=(0.5,), std=(0.4,)).at(system.dim)
    x0 = source.sample(2000, torch.Generator().manual_seed(5)).flatten().tolist()
    found = page(COMPARED, {"description": EquationFlow(system, source).describe(), "x0": x0})
    assert found["mass"] < 1e-10
    assert found["times"][-1] == pytest.approx(system.T)
    for name in ("particles", "flow"):
        for difference, chance in zip(found[name], found["chance"], strict=True):
            assert difference < 1.6 * chance, (name, found)
