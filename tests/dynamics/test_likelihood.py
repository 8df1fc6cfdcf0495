"""Log-densities by the change of variables, against closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Generator

from playground.distributions import Gaussian, Uniform
from playground.dynamics.exact import ExactField, Normal, Normals
from playground.dynamics.likelihood import differentiated, log_prob, log_prob_along
from playground.dynamics.paths import CosinePath, InterpolantPath, LinearPath, VPPath
from playground.dynamics.solvers import Heun, Sampler

DOUBLE = torch.float64
UNIT = (0.0, 1.0)


def standard(dim: int) -> Normal:
    return Normal(torch.zeros(dim, dtype=DOUBLE), torch.eye(dim, dtype=DOUBLE))


def gaussian(dim: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviations of a target."""
    return torch.tensor([1.0, -0.5, 0.3], dtype=DOUBLE)[:dim], torch.tensor([1.5, 0.5, 0.8], dtype=DOUBLE)[:dim]


def to_gaussian(path, dim: int):
    """The velocity from N(0, I) to it: m' + (s'/s)(x − m) on each axis."""
    mean, std = gaussian(dim)

    def velocity(x, t: float):
        c = path.at(t)
        variance = (c.alpha * std) ** 2 + c.sigma**2 + c.gamma**2
        growth = (c.d_alpha * c.alpha * std**2 + c.d_sigma * c.sigma + c.d_gamma * c.gamma) / variance
        return c.d_alpha * mean + growth * (x - c.alpha * mean)

    return velocity


def to_mixture(path):
    """The velocity from N(0, I) to `mixture`, a mean of those to its parts."""
    target = mixture()

    def velocity(x, t: float):
        c = path.at(t)
        own = target.covariances[:, 0, 0]
        variance = c.alpha**2 * own + c.sigma**2
        apart = x[:, None] - c.alpha * target.centers
        share = torch.softmax(target.weights.log() - variance.log() - 0.5 * apart.square().sum(2) / variance, 1)
        growth = (c.d_alpha * c.alpha * own + c.d_sigma * c.sigma) / variance
        return (share[..., None] * (c.d_alpha * target.centers + growth[:, None] * apart)).sum(1)

    return velocity


def standard_log_prob(x):
    return -0.5 * x.square().sum(1) - 0.5 * x.shape[1] * math.log(2 * math.pi)


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("path", [LinearPath(), CosinePath(), InterpolantPath()], ids=lambda path: path.kind)
def test_gaussian_to_gaussian_is_the_closed_form(path, dim):
    mean, std = gaussian(dim)
    x = mean + 2 * std * torch.randn(50, dim, generator=Generator().manual_seed(0), dtype=DOUBLE)
    found = log_prob(differentiated(to_gaussian(path, dim)), standard_log_prob, x, UNIT)
    torch.testing.assert_close(found, torch.distributions.Normal(mean, std).log_prob(x).sum(1), rtol=0, atol=1e-4)


def mixture() -> Normals:
    centers = torch.tensor([[-1.5, 0.0], [1.0, 1.0]], dtype=DOUBLE)
    covariances = torch.stack([0.3 * torch.eye(2, dtype=DOUBLE), 0.6 * torch.eye(2, dtype=DOUBLE)])
    return Normals(centers, covariances, torch.tensor([0.3, 0.7], dtype=DOUBLE))


@pytest.mark.parametrize("path", [LinearPath(), VPPath()], ids=lambda path: path.kind)
def test_to_a_mixture_it_is_the_exact_density(path):
    """From the path's own marginal at t_min to the one at t_max."""
    field, interval = ExactField(path, standard(2), mixture()), (path.t_min, path.t_max)
    x = 1.5 * torch.randn(100, 2, generator=Generator().manual_seed(1), dtype=DOUBLE)
    found = log_prob(differentiated(to_mixture(path)), lambda y: field.log_prob(y, interval[0]), x, interval)
    torch.testing.assert_close(found, field.log_prob(x, interval[1]), rtol=0, atol=2e-3)


def test_it_integrates_to_one():
    axis, field = torch.linspace(-5, 5, 51, dtype=DOUBLE), differentiated(to_mixture(LinearPath()))
    density = log_prob(field, standard_log_prob, torch.cartesian_prod(axis, axis), UNIT).exp()
    assert float(density.sum() * (axis[1] - axis[0]) ** 2) == pytest.approx(1, abs=2e-3)


def test_along_a_path_it_is_the_density_of_the_marginals():
    field = ExactField(LinearPath(), standard(2), mixture())
    x0 = torch.randn(40, 2, generator=Generator().manual_seed(2), dtype=DOUBLE)
    sampler = Sampler(solver=Heun(), steps=100)
    moved, found = log_prob_along(differentiated(to_mixture(LinearPath())), standard_log_prob, x0, UNIT, sampler)
    assert moved.x.shape == (101, 40, 2)
    assert found.shape == (101, 40)
    assert moved.nfe == 200
    plain = sampler.integrate(field.velocity, x0)
    torch.testing.assert_close(moved.x, plain.x)
    for step in (0, 25, 60, 100):
        expected = field.log_prob(moved.x[step], float(moved.t[step]))
        torch.testing.assert_close(found[step], expected, rtol=0, atol=5e-3)


def test_the_divergence_is_the_trace_of_the_jacobian():
    for dim in (1, 2, 3):
        x = torch.randn(20, dim, generator=Generator().manual_seed(0), dtype=DOUBLE)
        velocity, trace = differentiated(lambda y, t: torch.sin(y).cumsum(1) * t)(x, 0.7)
        torch.testing.assert_close(velocity, torch.sin(x).cumsum(1) * 0.7)
        torch.testing.assert_close(trace, 0.7 * torch.cos(x).sum(1))


def test_outside_a_bounded_source_there_is_no_density():
    """Everything moves to the right by 1: what comes from outside the square has density 0."""
    source = Uniform(dimension=2, low=(-1,), high=(1,))
    x = torch.tensor([[1.0, 0.0], [-0.5, 0.0], [2.5, 0.0]])
    shift = torch.tensor([1.0, 0.0])
    found = log_prob(differentiated(lambda y, t: y * 0 + shift), source.log_prob, x, UNIT)
    assert found.tolist() == [pytest.approx(-math.log(4)), -math.inf, -math.inf]


def test_a_shrinking_flow_gains_density():
    found = log_prob(differentiated(lambda y, t: -y), Gaussian(dimension=1).log_prob, torch.zeros(1, 1), UNIT)
    assert float(found) == pytest.approx(1 - 0.5 * math.log(2 * math.pi), abs=1e-5)
