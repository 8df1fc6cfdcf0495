"""The exact field against brute force, and what must hold of it."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Generator, Tensor

from playground.choice import kinds
from playground.dynamics.coupling_figures import coupling_figures
from playground.dynamics.exact import ExactField, Normal, Normals, attention
from playground.dynamics.parameterization import convert
from playground.dynamics.paths import AnyPath, CosinePath, InterpolantPath, LinearPath, VEPath, VPPath
from playground.dynamics.solvers import Heun, RungeKutta4, Sampler
from playground.dynamics.stiffness import last_time
from playground.metrics import path_figures

PATHS = [*(cls() for cls in kinds(AnyPath)), InterpolantPath(gamma="root", amount=1)]
EVERY_PATH = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.kind)
DOUBLE = torch.float64


def normal(dim: int = 2) -> Normal:
    """A source that is off the middle, stretched and tilted."""
    mean = torch.tensor([0.5, -0.3, 0.2], dtype=DOUBLE)[:dim]
    root = torch.tensor([[0.9, 0, 0], [0.4, 0.6, 0], [0, -0.2, 1.1]], dtype=DOUBLE)[:dim, :dim]
    return Normal(mean, root @ root.T)


def standard(dim: int = 2) -> Normal:
    return Normal(torch.zeros(dim, dtype=DOUBLE), torch.eye(dim, dtype=DOUBLE))


def mixture(dim: int = 2, shared: bool = False) -> Normals:
    generator = Generator().manual_seed(1)
    centers = 1.5 * torch.randn(4, dim, generator=generator, dtype=DOUBLE)
    roots = 0.4 * torch.randn(4, dim, dim, generator=generator, dtype=DOUBLE)
    covariances = roots @ roots.mT + 0.05 * torch.eye(dim, dtype=DOUBLE)
    weights = torch.tensor([0.4, 0.3, 0.2, 0.1], dtype=DOUBLE)
    return Normals(centers, covariances[:1] if shared else covariances, weights)


def points(k: int = 30, dim: int = 2) -> Normals:
    return Normals.points(torch.randn(k, dim, generator=Generator().manual_seed(2), dtype=DOUBLE))


TARGETS = {"mixture": mixture(), "shared": mixture(shared=True), "points": points()}
EVERY_TARGET = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)


def inner_times(path, count: int = 5) -> list[float]:
    return torch.linspace(path.t_min, path.t_max, count + 2, dtype=DOUBLE)[1:-1].tolist()


def somewhere(field: ExactField, t: float, n: int = 40) -> Tensor:
    """Points of the marginal at t."""
    generator = Generator().manual_seed(3)
    c, d = field.path.at(t), len(field.source.mean)
    label = torch.multinomial(field.target.weights, n, replacement=True, generator=generator)
    spreads = field.target.covariances.expand(len(field.target.centers), d, d)[label]
    spread = c.alpha**2 * spreads + c.sigma**2 * field.source.covariance + c.gamma**2 * torch.eye(d)
    noise = torch.randn(n, d, 1, generator=generator, dtype=DOUBLE)
    mean = c.alpha * field.target.centers[label] + c.sigma * field.source.mean
    return mean + (torch.linalg.cholesky(spread) @ noise)[..., 0]


def by_enumeration(field: ExactField, x: Tensor, t: float) -> tuple[Tensor, Tensor]:
    """Velocity and score from one joint Gaussian of (x_t, dx_t/dt) a component, with torch's own densities."""
    c, d = field.path.at(t), len(field.source.mean)
    eye = torch.eye(d, dtype=DOUBLE)
    logs, velocities, scores = [], [], []
    for k, (center, weight) in enumerate(zip(field.target.centers, field.target.weights, strict=True)):
        own = field.target.covariances[k if len(field.target.covariances) > 1 else 0]
        spread = c.alpha**2 * own + c.sigma**2 * field.source.covariance + c.gamma**2 * eye
        cross = c.d_alpha * c.alpha * own + c.d_sigma * c.sigma * field.source.covariance + c.d_gamma * c.gamma * eye
        mean = c.alpha * center + c.sigma * field.source.mean
        pull = torch.linalg.solve(spread, (x - mean).T).T
        logs.append(weight.log() + torch.distributions.MultivariateNormal(mean, spread).log_prob(x))
        velocities.append(c.d_alpha * center + c.d_sigma * field.source.mean + pull @ cross.T)
        scores.append(-pull)
    share = torch.stack(logs).softmax(0)[..., None]
    return (share * torch.stack(velocities)).sum(0), (share * torch.stack(scores)).sum(0)


@EVERY_PATH
@EVERY_TARGET
def test_it_is_the_sum_over_the_components(path, target):
    field = ExactField(path, normal(), target)
    for t in inner_times(path):
        x = somewhere(field, t)
        velocity, score = by_enumeration(field, x, t)
        torch.testing.assert_close(field.velocity(x, t), velocity, rtol=1e-6, atol=1e-6)
        torch.testing.assert_close(field.score(x, t), score, rtol=1e-6, atol=1e-6)
        scale = float(velocity.abs().max())
        torch.testing.assert_close(field.velocity(x.float(), t).double(), velocity, rtol=1e-3, atol=1e-3 * scale)


@pytest.mark.parametrize("dim", [1, 3])
@EVERY_PATH
def test_in_one_and_three_dimensions(path, dim):
    for target in (mixture(dim), mixture(dim, shared=True), points(20, dim)):
        field = ExactField(path, normal(dim), target)
        x = somewhere(field, 0.4)
        velocity, score = by_enumeration(field, x, 0.4)
        torch.testing.assert_close(field.velocity(x, 0.4), velocity, rtol=1e-6, atol=1e-6)
        torch.testing.assert_close(field.score(x, 0.4), score, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("path", [LinearPath(), VPPath(), InterpolantPath(amount=1)], ids=lambda path: path.kind)
def test_it_is_the_mean_of_the_velocities_of_pairs_that_pass_there(path):
    """By Monte Carlo without any formula: pairs are drawn, and those that come near a point are averaged."""
    field, n, generator = ExactField(path, normal(), mixture()), 1_000_000, Generator().manual_seed(5)
    label = torch.multinomial(field.target.weights.float(), n, replacement=True, generator=generator)
    roots = torch.linalg.cholesky(field.target.covariances)[label].float()
    noise = torch.randn(3, n, 2, 1, generator=generator)
    x1 = field.target.centers[label].float() + (roots @ noise[0])[..., 0]
    x0 = field.source.mean.float() + (torch.linalg.cholesky(field.source.covariance).float() @ noise[1])[..., 0]
    t = 0.55
    xt, velocity = path.point(x0, x1, torch.full((1, 1), t), noise[2, ..., 0] if path.bridge else None)
    for probe in somewhere(field, t, 4).float():
        # A Gaussian window of deviation h has the mean field of points around the probe, to second order in h.
        weights = torch.exp(-0.5 * ((xt - probe) / 0.05).square().sum(1))
        found = (weights[:, None] * velocity).sum(0) / weights.sum()
        effective = float(weights.sum() ** 2 / weights.square().sum())
        near = probe + 0.05 * torch.randn(2000, 2, generator=generator)
        density = field.log_prob(near.double(), t).softmax(0).float()
        expected = (density[:, None] * field.velocity(near, t)).sum(0)
        torch.testing.assert_close(found, expected, rtol=0, atol=8 / math.sqrt(effective) + 0.03)


@EVERY_PATH
@EVERY_TARGET
def test_the_density_is_the_one_that_the_score_is_of(path, target):
    field = ExactField(path, normal(), target)
    for t in inner_times(path, 3):
        x = somewhere(field, t).requires_grad_()
        (slope,) = torch.autograd.grad(field.log_prob(x, t).sum(), x)
        torch.testing.assert_close(field.score(x.detach(), t), slope, rtol=1e-6, atol=1e-6)


def test_densities_integrate_to_one():
    field = ExactField(CosinePath(), normal(), mixture())
    axis = torch.linspace(-9, 9, 400, dtype=DOUBLE)
    grid = torch.cartesian_prod(axis, axis)
    for t in (0.0, 0.5, 1.0):
        assert float(field.log_prob(grid, t).exp().sum() * (axis[1] - axis[0]) ** 2) == pytest.approx(1, abs=1e-6)


@EVERY_PATH
def test_mass_is_conserved(path):
    """The continuity equation d log p/dt + ∇·v + v·∇log p = 0, which ties velocity, score and density together."""
    field = ExactField(path, normal(), mixture())
    for t in inner_times(path, 3):
        x, h = somewhere(field, t, 12), 1e-5
        rate = (field.log_prob(x, t + h) - field.log_prob(x, t - h)) / (2 * h)
        jacobian = torch.autograd.functional.jacobian(lambda y, t=t: field.velocity(y, t).sum(0), x)
        divergence = jacobian[0, :, 0] + jacobian[1, :, 1]
        flux = divergence + (field.velocity(x, t) * field.score(x, t)).sum(1)
        torch.testing.assert_close(rate + flux, torch.zeros_like(rate), rtol=0, atol=1e-4 * float(flux.abs().max() + 1))


@pytest.mark.parametrize("path", [path for path in PATHS if not path.bridge], ids=lambda path: path.kind)
@EVERY_TARGET
def test_all_predictions_agree_inside_the_path(path, target):
    """From N(0, I): velocity, noise, data and score of the same field, each converted into each."""
    field = ExactField(path, standard(), target)
    for t in inner_times(path):
        x, c = somewhere(field, t), path.coefficients(torch.full((1, 1), t, dtype=DOUBLE))
        given = field.posterior(x, t)
        known = {"velocity": field.velocity(x, t), "noise": given.noise, "data": given.data, "score": field.score(x, t)}
        for have, value in known.items():
            for want, expected in known.items():
                found = convert(value, x, have, want, c)
                scale = float(expected.abs().max())
                torch.testing.assert_close(found, expected, rtol=1e-7, atol=1e-7 * max(scale, 1), msg=f"{have}->{want}")


def test_one_gaussian_to_another_is_the_linear_map():
    """Point by point x ↦ m1 + (s1/s0)(x − m0), on every path that begins and ends exactly."""
    source = Normal(torch.tensor([1.0, 2.0], dtype=DOUBLE), 0.25 * torch.eye(2, dtype=DOUBLE))
    target = Normals(
        torch.tensor([[-1.0, 0.0]], dtype=DOUBLE), 4 * torch.eye(2, dtype=DOUBLE)[None], torch.ones(1).double()
    )
    x0 = source.mean + 0.5 * torch.randn(50, 2, generator=Generator().manual_seed(0), dtype=DOUBLE)
    for path in (LinearPath(), CosinePath(), InterpolantPath()):
        field = ExactField(path, source, target)
        end = Sampler(solver=RungeKutta4(), steps=100).integrate(field.velocity, x0).end
        torch.testing.assert_close(end, target.centers + 4 * (x0 - source.mean), rtol=0, atol=1e-5)


def test_energy_is_transport_and_straightness_and_the_coupling_pays_for_both():
    """E∫|v|² = E|Z1 − Z0|² + S, and E|X1 − X0|² − E|Z1 − Z0|² = S + V(X0, X1), on the exact field."""
    field = ExactField(LinearPath(), standard(), mixture())
    generator, n = Generator().manual_seed(4), 3000
    x0 = torch.randn(n, 2, generator=generator)
    fine = Sampler(solver=Heun(), steps=60).integrate(field.velocity, x0)
    slopes = torch.stack([field.velocity(x, float(t)) for t, x in zip(fine.t, fine.x, strict=True)])
    flow = path_figures(fine.t, fine.x, slopes)
    assert flow is not None
    assert flow.energy == pytest.approx(flow.transport_cost + flow.straightness, rel=1e-4)
    assert flow.straightness > 0.1
    pairs = coupling_figures(x0.double(), somewhere(field, 1.0, n))
    assert pairs.cost - flow.transport_cost == pytest.approx(flow.straightness + pairs.variance, rel=0.03)


def test_points_are_reached_one_by_one():
    """Memorised: every particle ends on a point, as far as the spread that is left."""
    target = points(12)
    for path in PATHS:
        field, last = ExactField(path, standard(), target), last_time(path)
        c = path.at(last)
        x0 = torch.randn(200, 2, generator=Generator().manual_seed(0), dtype=DOUBLE)
        end = Sampler(solver=Heun(), steps=50).integrate(field.velocity, path.start(x0), path.t_min, last).end
        nearest = torch.cdist(end, float(c.alpha) * target.centers).amin(1)
        assert float(nearest.quantile(0.9)) < max(3 * math.hypot(float(c.sigma), float(c.gamma)), 0.03), path.kind


def test_the_last_time_is_where_the_field_gets_too_stiff():
    assert last_time(LinearPath()) == pytest.approx(0.99)
    assert last_time(LinearPath(), 50) == pytest.approx(0.98)
    assert last_time(VEPath()) == 1
    assert last_time(InterpolantPath(gamma="root")) == pytest.approx(0.995, abs=1e-4)
    for path in PATHS:
        last = last_time(path)
        x = torch.randn(50, 2, generator=Generator().manual_seed(0), dtype=DOUBLE)
        field = ExactField(path, standard(), Normals.points(torch.zeros(1, 2)))
        assert (field.velocity(x, last) / x).abs().max() <= 100.001


def test_attention_is_a_weighted_mean():
    generator = Generator().manual_seed(0)
    queries, keys, values = (torch.randn(n, 3, generator=generator, dtype=DOUBLE) for n in (50, 700, 700))
    heights = torch.randn(700, generator=generator, dtype=DOUBLE)
    expected = torch.softmax(queries @ keys.T + heights, 1) @ values
    torch.testing.assert_close(attention(queries, keys, heights, values), expected)


def test_memory_stays_bounded():
    """100,000 particles and 20,000 points: the matrix between them alone would take 8 GB."""
    field = ExactField(LinearPath(), standard(), points(20_000))
    assert field.velocity(torch.zeros(1000, 2), 0.5).isfinite().all()
    each = mixture()
    many = ExactField(LinearPath(), standard(), each)
    assert many.velocity(torch.zeros(100_000, 2), 0.5).shape == (100_000, 2)
