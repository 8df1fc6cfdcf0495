"""Samplers of diffusions against closed forms: orders, marginals, posterior variances, what they are at their ends."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from playground.dynamics.churned import (
    EulerMaruyama,
    StochasticHeun,
    StochasticMidpoint,
    euler_maruyama,
    noisier,
)
from playground.dynamics.exact import ExactField, Normal, Normals
from playground.dynamics.grids import grid
from playground.dynamics.noise import Brownian
from playground.dynamics.paths import BridgePath, CosinePath, InterpolantPath, LinearPath, SubVPPath, VEPath, VPPath
from playground.dynamics.process import Level, Process
from playground.dynamics.samplers import DDIM, Ancestral, DPMSolver, posterior_variances
from playground.dynamics.solvers import Sampler
from playground.metrics import sliced_w2

STANDARD = Normal(torch.zeros(2, dtype=torch.float64), torch.eye(2, dtype=torch.float64))
BROAD = Normals(
    torch.tensor([[0.7, -0.4]], dtype=torch.float64),
    torch.tensor([[[0.25, 0.1], [0.1, 0.5]]], dtype=torch.float64),
    torch.ones(1, dtype=torch.float64),
)
TWO = Normals(
    torch.tensor([[1.5, 0.0], [-1.5, 0.5]], dtype=torch.float64),
    0.09 * torch.eye(2, dtype=torch.float64)[None],
    torch.tensor([0.7, 0.3], dtype=torch.float64),
)
PATHS = [LinearPath(), CosinePath(), VPPath(), SubVPPath(), VEPath()]
EVERY_PATH = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.kind)
STOCHASTIC = [
    EulerMaruyama(churn=1.0),
    EulerMaruyama(churn=0.4),
    StochasticMidpoint(churn=1.0),
    StochasticMidpoint(churn=0.4),
    StochasticHeun(s_churn=20),
    Ancestral(),
    Ancestral(variance=1.0),
    DDIM(eta=1.0),
    DDIM(eta=0.5),
]
SAMPLERS = [
    *STOCHASTIC,
    DDIM(),
    DPMSolver(),
    EulerMaruyama(churn=0),
    StochasticHeun(s_churn=0),
    StochasticMidpoint(churn=0),
]
EVERY_SAMPLER = pytest.mark.parametrize("solver", SAMPLERS, ids=str)


def process(path, target=TWO) -> Process:
    field = ExactField(path, STANDARD, target)
    return Process(field.velocity, path, scored=True, score=field.score if path.bridge else None)


def starts(n: int, seed: int = 0) -> Tensor:
    return torch.randn(n, 2, generator=Generator().manual_seed(seed), dtype=torch.float64)


def carried(path, solver, steps: int, n: int = 2000, target=TWO, seed: int = 0, **about):
    sampler = Sampler(solver=solver, steps=steps, **about)
    return sampler.integrate(process(path, target), path.start(starts(n)), path.t_min, path.t_max, seed=seed)


# ------------------------------------------------------------------------------------------------- orders


def order(errors: list[float], steps: np.ndarray) -> float:
    return float(-np.polyfit(np.log(steps), np.log(errors), 1)[0])


def ends(drift, spread, steps: int, n: int = 4000) -> tuple[Tensor, Tensor]:
    """The end of Euler–Maruyama from x = 1, and the value at 1 of the Brownian path that it was driven by."""
    x = torch.ones(n, 1, dtype=torch.float64)
    *_, end = euler_maruyama(drift, spread, x, grid("uniform", 0, 1, steps), Brownian(5, x))
    return end, Brownian(5, x)(0, 1)


def test_euler_maruyama_has_strong_order_one_half_and_weak_order_one_on_geometric_brownian_motion():
    """dx = μ x dt + σ x dW, whose solution is exp((μ − σ²/2) t + σ W) and has the mean e^{μt}."""
    mu, sigma, steps = 1.5, 1.0, np.array([8, 16, 32, 64, 128])
    strong, weak = [], []
    for count in steps:
        end, w = ends(lambda x, t: mu * x, lambda x, t: sigma * x, int(count))
        strong.append(float((end - torch.exp((mu - sigma**2 / 2) + sigma * w)).abs().mean()))
        # The mean of a step is known, E[x'] = (1 + μh) E[x]: the sample's is compared with it, then it with e^μ.
        assert float(end.mean()) == pytest.approx((1 + mu / count) ** count, rel=5 * 1.4 / math.sqrt(len(end)))
        weak.append(abs((1 + mu / count) ** count - math.exp(mu)))
    assert order(strong, steps) == pytest.approx(0.5, abs=0.12)
    assert order(weak, steps) == pytest.approx(1.0, abs=0.12)


def test_euler_maruyama_has_strong_order_one_where_the_noise_is_additive():
    """dx = −θ x dt + σ dW against 1024 steps of itself on the same path."""
    theta, sigma, steps = 2.0, 0.8, np.array([8, 16, 32, 64])
    fine, _ = ends(lambda x, t: -theta * x, lambda x, t: sigma, 1024, n=500)
    errors = [
        float((ends(lambda x, t: -theta * x, lambda x, t: sigma, int(n), n=500)[0] - fine).abs().mean()) for n in steps
    ]
    assert order(errors, steps) == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("path", [LinearPath(), VPPath()], ids=lambda path: path.kind)
def test_dpm_solver_has_order_two_on_an_exact_field(path):
    """Where the clock log(alpha / sigma) is finite and runs evenly enough: within the path."""
    known, low, high = process(path, BROAD), 0.1, 0.8
    x0 = starts(50)
    steps = np.array([20, 40, 80, 160])
    fine = Sampler(solver="rk4", steps=1000).integrate(known, x0, low, high).end
    errors = {
        kind: [
            float((Sampler(solver=kind, steps=int(n)).integrate(known, x0, low, high).end - fine).abs().max())
            for n in steps
        ]
        for kind in ("dpm_solver", "ddim", "euler_maruyama")
    }
    assert order(errors["dpm_solver"], steps) == pytest.approx(2.0, abs=0.3)
    assert order(errors["ddim"], steps) == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize("path", [LinearPath(), VPPath()], ids=lambda path: path.kind)
def test_the_reverse_sde_tends_to_one_solution_on_one_brownian_path(path):
    """Dragging the steps refines the same picture: the ends of 64 and of 128 steps lie near each other."""
    few, more, most = (carried(path, EulerMaruyama(), n, 300, BROAD).end for n in (16, 64, 256))
    far, near = (float((one - most).norm(dim=1).mean()) for one in (few, more))
    assert near < 0.5 * far
    assert near < 0.1


# ------------------------------------------------------------------------------------------------- marginals


@EVERY_PATH
@EVERY_SAMPLER
def test_marginals_are_those_of_the_path_all_the_way(path, solver):
    """Mean and covariance of the states of a Gaussian target, which are known at every time."""
    moved = carried(path, solver, 100, 3000, BROAD)
    slack = 0.05 if path.kind == "ve" else 0.0  # it begins at 10 x0, without the target's part
    for k in (10, 50, 90, 100):
        c = path.at(float(moved.t[k]))
        mean = c.alpha * BROAD.centers[0]
        covariance = c.alpha**2 * BROAD.covariances[0] + c.sigma**2 * STANDARD.covariance
        scale = float(covariance.diagonal().max())
        assert float((moved.x[k].mean(0) - mean).abs().max()) < 0.1 * math.sqrt(scale) + slack
        assert float((moved.x[k].T.cov() - covariance).abs().max()) < 0.13 * scale + slack


@pytest.mark.parametrize("solver", STOCHASTIC, ids=str)
def test_flow_and_diffusion_end_in_one_distribution(solver):
    """Two samples of 1,000, one by the flow, one with noise: as far apart as two of the flow."""
    flow = Sampler(solver="rk4", steps=50)
    path = LinearPath()
    one, two = (flow.integrate(process(path), starts(1000, seed)).end for seed in (1, 2))
    noisy = Sampler(solver=solver, steps=100).integrate(process(path), starts(1000, 3)).end
    floor = sliced_w2(one, two)
    assert sliced_w2(noisy, one) < 2.5 * floor + 0.02
    assert sliced_w2(noisy, TWO.centers.repeat(500, 1)) > 3 * floor  # and the measure can tell


@pytest.mark.parametrize("path", [BridgePath(), InterpolantPath(), InterpolantPath(gamma="root")], ids=str)
def test_along_a_bridge_churn_keeps_the_marginals_with_the_score_that_is_known(path):
    moved = carried(path, EulerMaruyama(), 200, 3000, BROAD)
    assert moved.nfe == 400
    c = path.at(0.5)
    covariance = c.alpha**2 * BROAD.covariances[0] + (c.sigma**2 + c.gamma**2) * STANDARD.covariance
    assert float((moved.x[100].T.cov() - covariance).abs().max()) < 0.1 * float(covariance.max())
    assert float((moved.x[-1].mean(0) - BROAD.centers[0]).abs().max()) < 0.06
    assert float((moved.x[-1].T.cov() - BROAD.covariances[0]).abs().max()) < 0.06


# ------------------------------------------------------------------------------------------------- the dials' ends


@EVERY_PATH
def test_without_churn_they_are_the_solvers_of_the_flow(path):
    twins = (
        (EulerMaruyama(churn=0), "euler"),
        (StochasticHeun(s_churn=0), "heun"),
        (StochasticMidpoint(churn=0), "midpoint"),
    )
    for solver, twin in twins:
        torch.testing.assert_close(carried(path, solver, 9, 20).x, carried(path, twin, 9, 20).x, rtol=1e-12, atol=1e-12)


@EVERY_PATH
def test_ddim_with_eta_one_is_ancestral_sampling(path):
    """With the same noise the same states, but for the last step, in which DDPM adds none."""
    one, other = (carried(path, solver, 20, 50) for solver in (DDIM(eta=1), Ancestral()))
    torch.testing.assert_close(one.x[:-1], other.x[:-1], rtol=1e-9, atol=1e-9)
    last = posterior_variances(*(Level.of(path, float(t)) for t in one.t[-2:]))[0]
    assert float((one.end - other.end).abs().max()) <= 5 * math.sqrt(last) + 1e-9


@EVERY_PATH
def test_ddim_without_eta_is_deterministic_and_exact_for_a_single_point(path):
    point = Normals.points(torch.tensor([[0.5, -1.0]]))
    known = process(path, point)
    one, other = (Sampler(solver=DDIM(), steps=3).integrate(known, starts(9), 0.05, 0.9, seed=s) for s in (0, 1))
    assert torch.equal(one.x, other.x)
    first, last = path.at(0.05), path.at(0.9)
    noise = (starts(9) - first.alpha * point.centers) / first.sigma
    torch.testing.assert_close(one.end, last.alpha * point.centers + last.sigma * noise)


@EVERY_PATH
@EVERY_SAMPLER
def test_every_step_is_finite_from_pure_noise_to_data(path, solver):
    for steps in (1, 2, 20):
        moved = carried(path, solver, steps, 20, BROAD)
        assert moved.x.isfinite().all()
        assert moved.nfe == steps * (2 if isinstance(solver, (StochasticHeun, StochasticMidpoint)) else 1)


def test_in_one_step_ddim_lands_on_the_mean_and_churn_forgets_the_start():
    moved = carried(LinearPath(), DDIM(), 1, 50)
    torch.testing.assert_close(moved.end, (TWO.weights @ TWO.centers).expand(50, 2))
    at_once = Sampler(solver="euler_maruyama", steps=2).integrate(process(LinearPath()), starts(3), seed=1).x[1]
    other = Sampler(solver="euler_maruyama", steps=2).integrate(process(LinearPath()), starts(3, 9), seed=1).x[1]
    torch.testing.assert_close(at_once, other)  # at t = 0 the path is all noise, which the full churn replaces


def test_the_seed_is_the_only_chance():
    one, same, other = (carried(VPPath(), EulerMaruyama(), 10, 20, seed=seed).x for seed in (4, 4, 5))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


# ------------------------------------------------------------------------------------------------- variances


def test_posterior_variances_are_those_of_ddpm():
    """β̃ = (1 − ᾱ₋) / (1 − ᾱ) β and β = 1 − ᾱ / ᾱ₋ (Ho et al. 2020, eq. 7), for steps of the VP path."""
    path = VPPath()
    for t, after in ((0.0, 0.1), (0.5, 0.51), (0.9, 0.99)):
        now, then = Level.of(path, t), Level.of(path, after)
        beta = 1 - now.alpha**2 / then.alpha**2
        expected = (1 - then.alpha**2) / (1 - now.alpha**2) * beta
        assert posterior_variances(now, then) == pytest.approx((expected, beta), rel=1e-9)


@EVERY_PATH
def test_the_least_variance_is_that_of_the_later_point_given_both_ends(path):
    """Brute force: x₂ given x₁ and x1 among joint draws, as what a linear regression leaves."""
    now, then = Level.of(path, 0.4), Level.of(path, 0.6)
    generator = Generator().manual_seed(0)
    x1, one, two = torch.randn(3, 200_000, generator=generator, dtype=torch.float64)
    x_then = then.alpha * x1 + then.sigma * one
    a = now.alpha / then.alpha
    _, beta = posterior_variances(now, then)
    x_now = a * x_then + math.sqrt(beta) * two
    design = torch.stack([x_now, x1], dim=1)
    solved = torch.linalg.lstsq(design, x_then[:, None]).solution
    left = float((x_then[:, None] - design @ solved).square().mean())
    assert left == pytest.approx(posterior_variances(now, then)[0], rel=0.02)


def test_noise_is_raised_by_the_asked_factor_or_as_far_as_it_goes():
    for path, t, factor in itertools.product((LinearPath(), VPPath()), (0.3, 0.9), (1.1, 1.4)):
        before, now = Level.of(path, noisier(path, 0.0, t, factor)), Level.of(path, t)
        assert before.sigma / before.alpha == pytest.approx(factor * now.sigma / now.alpha, rel=1e-6)
    assert noisier(VPPath(), 0.0, 0.01, 10) == 0.0


# ------------------------------------------------------------------------------------------------- refusals


def test_what_they_need_is_said():
    x0, linear = starts(3), LinearPath()
    unknown = Process(process(linear).velocity, linear)
    with pytest.raises(ValueError, match="adds noise, for which the score must be known"):
        Sampler(solver="euler_maruyama").integrate(unknown, x0)
    assert Sampler(solver="ddim", steps=3).integrate(unknown, x0).end.isfinite().all()
    with pytest.raises(ValueError, match="samples only along a path"):
        Sampler(solver="ddim").integrate(process(linear).velocity, x0)
    with pytest.raises(ValueError, match="along a bridge choose stochastic_midpoint or heun"):
        Sampler(solver="dpm_solver").integrate(process(BridgePath()), x0, 0.1, 0.9)
    with pytest.raises(ValueError, match="needs noise"):
        EulerMaruyama().states(process(linear), x0, [0.0, 1.0])


def test_churn_beside_the_solver_stands_for_stochastic_midpoint():
    assert Sampler.model_validate({"churn": 0.3}).solver == StochasticMidpoint(churn=0.3)
    assert Sampler.model_validate({"churn": 0.3, "solver": {"kind": "heun"}}).solver == StochasticMidpoint(churn=0.3)
    assert Sampler.model_validate({"churn": 0.3, "solver": "euler_maruyama"}).solver == EulerMaruyama(churn=0.3)
    assert Sampler.model_validate({"churn": 0, "solver": "rk4"}).solver.kind == "rk4"
    with pytest.raises(ValueError, match="churn is a setting of the solvers stochastic_midpoint and euler_maruyama"):
        Sampler.model_validate({"churn": 0.3, "solver": "rk4"})


@pytest.mark.parametrize(
    "solver", [{"kind": "ddim", "eta": 1.5}, {"kind": "ddim", "eta": -0.1}, {"kind": "euler_maruyama", "churn": 2}]
)
def test_dials_have_ends(solver):
    with pytest.raises(ValueError, match="than or equal to"):
        Sampler.model_validate({"solver": solver})
