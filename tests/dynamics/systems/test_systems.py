"""Every system: closed forms against tight numerics, derivatives against differences, laws against samples."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Generator

from playground.dynamics.noise import Brownian
from playground.dynamics.solvers import Euler, Heun, ImplicitEuler, Midpoint, Milstein, RungeKutta4, Trapezoidal
from playground.dynamics.systems import SYSTEMS, System
from playground.dynamics.systems.decay import Decay
from playground.dynamics.systems.expression import FUNCTIONS, derivative, evaluate
from playground.dynamics.systems.geometric_brownian import GeometricBrownian
from playground.dynamics.systems.grammar import parse
from playground.dynamics.systems.linear import Linear, eigenvalues, portrait
from playground.dynamics.systems.ornstein_uhlenbeck import OrnsteinUhlenbeck
from playground.dynamics.systems.rotation import Rotation
from playground.dynamics.systems.solving import UnitField, states
from playground.dynamics.systems.stiff import Stiff

MATRICES = [
    ((1.0, 0.5), (0.5, -1.0)),
    ((-1.0, 0.0), (0.0, -2.0)),
    ((-0.3, 2.0), (-2.0, -0.3)),
    ((0.0, 1.0), (-1.0, 0.0)),
    ((-1.0, 1.0), (0.0, -1.0)),
    ((0.0, 1.0), (0.0, 0.0)),
]
KNOWN = [
    *(cls() for cls in SYSTEMS if cls().equations.parsed.solution and not cls().equations.noisy),
    *(Linear(matrix=matrix, T=2.0) for matrix in MATRICES),
    Decay(theta=-1.0, T=2.0),
]


def points(dim: int, n: int = 40, low: float = 0.1, high: float = 1.1) -> torch.Tensor:
    return low + (high - low) * torch.rand(n, dim, generator=Generator().manual_seed(1), dtype=torch.float64)


def end(solver, system: System, x: torch.Tensor, steps: int, seed: int | None = None) -> torch.Tensor:
    times = [k / steps for k in range(steps + 1)]
    noise = None if seed is None else Brownian(seed, x)
    return list(states(solver, UnitField(system.equations), x, times, noise))[-1].x


@pytest.mark.parametrize("system", KNOWN, ids=lambda one: f"{one.kind} {getattr(one, 'matrix', '')}")
def test_the_closed_form_is_what_a_tight_numerical_solution_tends_to(system):
    x = points(system.dim)
    fine = end(RungeKutta4(), system, x, 2000)
    torch.testing.assert_close(system.equations.solution(x, system.T), fine, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("system", [s for s in KNOWN if s.kind != "square_root"], ids=lambda one: one.kind)
def test_the_closed_form_holds_for_starts_of_both_signs(system):
    if system.kind == "logistic":
        return  # below 0 it leaves to infinity, as its page says
    x = points(system.dim, low=-1.0, high=0.9)
    fine = end(RungeKutta4(), system, x, 2000)
    torch.testing.assert_close(system.equations.solution(x, system.T), fine, rtol=1e-8, atol=1e-9)


def test_two_solutions_leave_the_point_where_the_root_is_not_lipschitz():
    root = next(cls() for cls in SYSTEMS if cls.kind_name() == "square_root")
    x = torch.tensor([[0.0], [-0.25]], dtype=torch.float64)
    leaving = root.equations.solution(x, 3.0)
    # dx/dt = √|x| along both: it rises from 0 as t²/4, and from −1/4 it is at 0 after t = 1.
    torch.testing.assert_close(leaving, torch.tensor([[2.25], [1.0]], dtype=torch.float64))
    assert float(end(RungeKutta4(), root, x[:1], 300)) == 0.0


@pytest.mark.parametrize("cls", SYSTEMS, ids=lambda cls: cls.kind_name())
def test_the_jacobian_and_the_slopes_are_the_derivatives(cls):
    system = cls()
    field, x, h = UnitField(system.equations), points(system.dim), 1e-6
    jacobian = field.jacobian(x, 0.3)
    for j in range(system.dim):
        step = torch.zeros(system.dim, dtype=torch.float64)
        step[j] = h
        rise = (field(x + step, 0.3) - field(x - step, 0.3)) / (2 * h)
        torch.testing.assert_close(jacobian[:, :, j], rise, rtol=1e-6, atol=1e-6)
        if system.equations.noisy:
            rise = (field.spread(x + step, 0.3) - field.spread(x - step, 0.3))[:, j] / (2 * h)
            torch.testing.assert_close(field.slope(x, 0.3)[:, j], rise, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_its_derivative(name):
    (tree,) = parse(f"{name}(0.3*x)", ["x"])
    x = points(1).squeeze(1)
    h = 1e-6
    rise = (evaluate(tree, {"x": x + h}) - evaluate(tree, {"x": x - h})) / (2 * h)
    found = evaluate(derivative(tree, "x"), {"x": x}).expand(len(x))
    torch.testing.assert_close(found, rise, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("text", ["x^3", "2^x", "x^x", "(x + 1)/(x^2 + 2)", "-x*exp(-x)", "x^-2", "x - (2 - x)"])
def test_the_derivative_of_operations(text):
    (tree,) = parse(text, ["x"])
    x, h = points(1).squeeze(1), 1e-6
    rise = (evaluate(tree, {"x": x + h}) - evaluate(tree, {"x": x - h})) / (2 * h)
    torch.testing.assert_close(evaluate(derivative(tree, "x"), {"x": x}).expand(len(x)), rise, rtol=1e-5, atol=1e-5)


SLOPES = [(Euler(), 1), (Midpoint(), 2), (Heun(), 2), (RungeKutta4(), 4), (ImplicitEuler(), 1), (Trapezoidal(), 2)]


@pytest.mark.parametrize(("solver", "order"), SLOPES, ids=lambda one: str(one))
@pytest.mark.parametrize("system", [Rotation(T=2.0), Decay(theta=1.0, T=2.0), *KNOWN[4:5]], ids=lambda one: one.kind)
def test_the_error_falls_with_the_order_of_the_method(solver, order, system):
    x = points(system.dim)
    exact = system.equations.solution(x, system.T)
    errors = [float((end(solver, system, x, steps) - exact).abs().mean()) for steps in (64, 128)]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.1)


def test_euler_explodes_beyond_two_over_theta_and_implicit_methods_do_not():
    system, x = Decay(theta=10.0, T=20.0), points(1)
    assert float(end(Euler(), system, x, 110).abs().max()) < 1e-6  # h θ = 1.82
    assert float(end(Euler(), system, x, 90).abs().max()) > 1e6  # h θ = 2.22
    for steps in (1, 5, 20, 90):
        assert float(end(ImplicitEuler(), system, x, steps).abs().max()) < 0.01
    assert float(end(Trapezoidal(), system, x, 90).abs().max()) < 0.01


def test_the_stiff_system_explodes_along_its_fast_axis_alone():
    system, x = Stiff(), points(2)
    found = end(Euler(), system, x, 40)  # h λ₂ = 2.5
    exact = system.equations.solution(x, system.T)
    assert float((found - exact)[:, 0].abs().max()) < 0.01
    assert float((found - exact)[:, 1].abs().min()) > 1e3
    calm = end(ImplicitEuler(), system, x, 40)
    assert float((calm - exact).abs().max()) < 0.02


def test_the_trapezoidal_rule_keeps_the_radius_and_euler_does_not():
    system, x = Rotation(), points(2)
    radius = x.norm(dim=1)
    torch.testing.assert_close(end(Trapezoidal(), system, x, 20).norm(dim=1), radius)
    assert bool((end(Euler(), system, x, 200).norm(dim=1) > 1.05 * radius).all())
    assert bool((end(ImplicitEuler(), system, x, 200).norm(dim=1) < 0.95 * radius).all())


@pytest.mark.parametrize(
    ("matrix", "name"),
    [
        ((1, 0.5, 0.5, -1), "saddle"),
        ((-1, 0, 0, -2), "stable node"),
        ((2, 1, 0, 3), "unstable node"),
        ((-0.3, 2, -2, -0.3), "stable spiral"),
        ((0.3, 2, -2, 0.3), "unstable spiral"),
        ((0, 1, -1, 0), "centre"),
        ((-1, 1, 0, -1), "single rate"),
        ((0, 1, 0, 0), "degenerate"),
    ],
)
def test_the_phase_portrait_is_told_from_the_eigenvalues(matrix, name):
    assert name in portrait(*matrix)
    a, b, c, d = matrix
    expected = torch.linalg.eigvals(torch.tensor([[a, b], [c, d]], dtype=torch.float64)).tolist()
    found = sorted(eigenvalues(*matrix), key=lambda z: (z.real, z.imag))
    for one, other in zip(found, sorted(expected, key=lambda z: (z.real, z.imag)), strict=True):
        assert one == pytest.approx(other, abs=1e-6)


GBM = GeometricBrownian(mu=0.3, sigma=1.0)
STRONG = [
    (Euler(), 0.5),
    (Milstein(), 1.0),
    (Heun(), 1.0),
]


@pytest.mark.parametrize("calculus", ["ito", "stratonovich"])
@pytest.mark.parametrize(("solver", "order"), STRONG, ids=lambda one: str(one))
def test_the_strong_order_on_one_brownian_path_a_particle(solver, order, calculus):
    system = GBM.model_copy(update={"calculus": calculus})
    x = torch.ones(4_000, 1, dtype=torch.float64)
    w = Brownian(5, x)(0.0, 1.0)
    exact = system.equations.solution(x, 1.0, w)
    errors = [float((end(solver, system, x, steps, seed=5) - exact).abs().mean()) for steps in (16, 32, 64, 128)]
    logs = [math.log2(error) for error in errors]
    slope = sum((k - 1.5) * log for k, log in enumerate(logs)) / 5
    assert -slope == pytest.approx(order, abs=0.1)


@pytest.mark.parametrize("solver", [Euler(), Milstein(), Heun()], ids=lambda one: str(one))
def test_the_weak_order_is_one_or_more(solver):
    """The mean of X_T is known without sampling: with the same numbers at every step size, the bias is what is left."""
    system, n = GeometricBrownian(mu=1.0, sigma=0.3), 20_000
    x = torch.ones(n, 1, dtype=torch.float64)
    control = system.equations.solution(x, 1.0, Brownian(7, x)(0.0, 1.0)).mean()
    errors = [abs(float(end(solver, system, x, steps, seed=7).mean() - control)) for steps in (4, 8, 16)]
    slope = math.log2(errors[0] / errors[2]) / 2
    assert slope > 0.85
    if isinstance(solver, Euler):
        assert slope == pytest.approx(1, abs=0.15)


def test_ito_and_stratonovich_grow_at_their_own_rates():
    x, n = 1.0, 100_000
    for calculus, rate in (("ito", GBM.mu), ("stratonovich", GBM.mu + GBM.sigma**2 / 2)):
        system = GBM.model_copy(update={"calculus": calculus})
        z = torch.randn(n, 1, generator=Generator().manual_seed(2), dtype=torch.float64)
        drawn = system.equations.drawn(torch.full((n, 1), x, dtype=torch.float64), 1.0, z)
        assert float(drawn.mean()) == pytest.approx(math.exp(rate), rel=0.02)
        numeric = end(Heun(), system, torch.full((10_000, 1), x, dtype=torch.float64), 64, seed=3)
        assert float(numeric.mean()) == pytest.approx(math.exp(rate), rel=0.08)


def test_quadratic_variation_is_sigma_squared_t_on_every_path():
    system = next(cls(sigma=1.5, T=2.0) for cls in SYSTEMS if cls.kind_name() == "brownian")
    x = torch.zeros(400, 1, dtype=torch.float64)
    times = [k / 128 for k in range(129)]
    way = torch.stack([s.x for s in states(Euler(), UnitField(system.equations), x, times, Brownian(1, x))])
    variation = way.diff(dim=0).square().sum(0)
    assert float(variation.mean()) == pytest.approx(1.5**2 * 2.0, rel=0.02)
    assert float(variation.std()) == pytest.approx(1.5**2 * 2.0 * math.sqrt(2 / 128), rel=0.2)


def test_the_law_of_an_ornstein_uhlenbeck_process_is_what_its_paths_have():
    system = OrnsteinUhlenbeck(theta=1.5, mu=0.5, sigma=0.8, axes=1, T=0.7)
    x = torch.full((10_000, 1), 2.0, dtype=torch.float64)
    z = torch.randn(x.shape, generator=Generator().manual_seed(4), dtype=torch.float64)
    law, paths = system.equations.drawn(x, system.T, z), end(Heun(), system, x, 64, seed=9)
    mean = 0.5 + 1.5 * math.exp(-1.5 * 0.7)
    std = 0.8 * math.sqrt((1 - math.exp(-2.1)) / 3.0)
    for found in (law, paths):
        assert float(found.mean()) == pytest.approx(mean, abs=0.02)
        assert float(found.std()) == pytest.approx(std, abs=0.02)
