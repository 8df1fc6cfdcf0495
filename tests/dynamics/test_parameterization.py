"""Input and output scaling: unit variance, and the exact field between Gaussians where the network says nothing."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Generator, Tensor

from playground.choice import kinds
from playground.distributions import DISTRIBUTIONS
from playground.dynamics.parameterization import Moments, affine
from playground.dynamics.paths import AnyPath
from playground.dynamics.solvers import RungeKutta4, Sampler

PATHS = [path for path in (cls() for cls in kinds(AnyPath)) if not getattr(path, "bridge", False)]
EVERY_PATH = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.kind)
SCALED = pytest.mark.parametrize("kind", ["standard", "residual"])

MEAN0, STD0 = torch.tensor([1.0, -2.0], dtype=torch.float64), 0.7
MEAN1, STD1 = torch.tensor([-0.5, 3.0], dtype=torch.float64), 2.5
MOMENTS = Moments(MEAN0, MEAN1, STD0, STD1)


def times(path, count=9):
    return torch.linspace(path.t_min, path.t_max, count, dtype=torch.float64)[:, None]


def gaussian_velocity(path, x: Tensor, t: Tensor) -> Tensor:
    """The velocity that carries N(m0, s0² I) to N(m1, s1² I): m' + (s'/s)(x − m), with s' of s² = α² s1² + σ² s0²."""

    t = t.clone().requires_grad_()
    c = path.coefficients(t)
    mean = c.alpha * MEAN1 + c.sigma * MEAN0
    log_deviation = 0.5 * (c.alpha**2 * STD1**2 + c.sigma**2 * STD0**2).log()
    growth, *drift = (
        torch.autograd.grad(value.sum(), t, retain_graph=True)[0] for value in (log_deviation, mean[:, 0], mean[:, 1])
    )
    return (torch.cat(drift, dim=1) + growth * (x - mean)).detach()


def field_without_network(kind, path):
    def velocity(x: Tensor, t: float) -> Tensor:
        place = affine(kind, MOMENTS, path, torch.tensor([[t]], dtype=x.dtype))
        return place.skip * (x - place.center) + place.drift

    return velocity


@EVERY_PATH
def test_residual_without_a_network_is_the_exact_velocity(path):
    t = times(path)
    x = torch.randn(len(t), 2, generator=Generator().manual_seed(0), dtype=torch.float64)
    place = affine("residual", MOMENTS, path, t)
    torch.testing.assert_close(place.skip * (x - place.center) + place.drift, gaussian_velocity(path, x, t))


@EVERY_PATH
def test_residual_without_a_network_transports_one_gaussian_to_the_other(path):
    """Point by point: x ↦ m1 + (s1/s0)(x − m0), with the moments at both ends of the path."""
    c = path.coefficients(torch.tensor([path.t_min, path.t_max], dtype=torch.float64))
    first, last = (c.alpha * MEAN1[:, None] + c.sigma * MEAN0[:, None]).T
    before, after = (c.alpha**2 * STD1**2 + c.sigma**2 * STD0**2).sqrt()
    x0 = first + before * torch.randn(200, 2, generator=Generator().manual_seed(1), dtype=torch.float64)
    field = field_without_network("residual", path)
    end = Sampler(solver=RungeKutta4(), steps=500).integrate(field, x0, path.t_min, path.t_max).end
    torch.testing.assert_close(end, last + after / before * (x0 - first), rtol=0, atol=1e-4)
    if path.kind in ("linear", "cosine"):
        torch.testing.assert_close(end, MEAN1 + STD1 / STD0 * (x0 - MEAN0), rtol=0, atol=1e-5)


@EVERY_PATH
def test_the_network_sees_and_says_values_of_unit_variance(path):
    """Both scalings, by Monte Carlo at every time: inputs, and targets once skip and drift are taken off."""
    n, generator = 40_000, Generator().manual_seed(2)
    x0 = MEAN0 + STD0 * torch.randn(n, 2, generator=generator, dtype=torch.float64)
    x1 = MEAN1 + STD1 * torch.randn(n, 2, generator=generator, dtype=torch.float64)
    for t in times(path):
        xt, velocity = path.point(x0, x1, t)
        for kind in ("standard", "residual"):
            place = affine(kind, MOMENTS, path, t[None])
            seen = place.inside * (xt - place.center)
            said = (velocity - place.skip * (xt - place.center) - place.drift) / place.out
            assert seen.mean(0).tolist() == pytest.approx([0, 0], abs=0.03)
            assert seen.std(0).tolist() == pytest.approx([1, 1], abs=0.02)
            assert said.std(0).tolist() == pytest.approx([1, 1], abs=0.02)
            if kind == "residual":
                assert said.mean(0).tolist() == pytest.approx([0, 0], abs=0.03)


@EVERY_PATH
def test_what_the_residual_leaves_is_not_correlated_with_the_input(path):
    """The skip is the regression of the velocity on the point: for Gaussians nothing is left to predict."""
    n, generator = 40_000, Generator().manual_seed(3)
    x0 = MEAN0 + STD0 * torch.randn(n, 2, generator=generator, dtype=torch.float64)
    x1 = MEAN1 + STD1 * torch.randn(n, 2, generator=generator, dtype=torch.float64)
    for t in times(path):
        xt, velocity = path.point(x0, x1, t)
        place = affine("residual", MOMENTS, path, t[None])
        centred = xt - place.center
        rest = velocity - place.skip * centred - place.drift
        correlations = torch.corrcoef(torch.cat([centred, rest], dim=1).T)[:2, 2:]
        assert correlations.abs().max() < 5 / math.sqrt(n)


@SCALED
@EVERY_PATH
def test_scales_are_finite_and_positive_on_the_whole_interval(path, kind):
    place = affine(kind, MOMENTS, path, times(path, 201))
    for value in (place.inside, place.center, place.skip, place.drift, place.out):
        assert value.isfinite().all()
    assert (place.inside > 0).all()
    assert (place.out > 0).all()


@EVERY_PATH
def test_none_changes_nothing(path):
    t = times(path)
    x, output = torch.ones(len(t), 2, dtype=torch.float64), torch.full((len(t), 2), 0.25, dtype=torch.float64)
    place = affine("none", MOMENTS, path, t)
    assert torch.equal(place.inside * (x - place.center), x)
    assert torch.equal(place.skip * (x - place.center) + place.drift + place.out * output, output)


@pytest.mark.parametrize("kind", ["none", "standard", "residual"])
@EVERY_PATH
def test_shapes_and_types_are_those_of_the_time(path, kind):
    moments = Moments(MEAN0.float(), MEAN1.float(), STD0, STD1)
    for n in (1, 7):
        place = affine(kind, moments, path, torch.full((n, 1), 0.3))
        for value, shape in (
            (place.inside, (n, 1)),
            (place.skip, (n, 1)),
            (place.out, (n, 1)),
            (place.center, (n, 2)),
            (place.drift, (n, 2)),
        ):
            assert value.shape == shape
            assert value.dtype == torch.float32


def test_moments_are_those_of_the_samples():
    generator = Generator().manual_seed(4)
    x0 = MEAN0 + STD0 * torch.randn(50_000, 2, generator=generator, dtype=torch.float64)
    x1 = MEAN1 + STD1 * torch.randn(20_000, 2, generator=generator, dtype=torch.float64)
    moments = Moments.of(x0, x1)
    torch.testing.assert_close(moments.mean0, MEAN0, rtol=0, atol=0.02)
    torch.testing.assert_close(moments.mean1, MEAN1, rtol=0, atol=0.1)
    assert moments.std0 == pytest.approx(STD0, rel=0.01)
    assert moments.std1 == pytest.approx(STD1, rel=0.01)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_moments_survive_packing(d):
    generator = Generator().manual_seed(6)
    moments = Moments.of(torch.randn(100, d, generator=generator), 2 * torch.randn(100, d, generator=generator))
    again = Moments.unpacked(moments.packed())
    assert moments.packed().shape == (2 * d + 2,)
    assert torch.equal(again.mean0, moments.mean0)
    assert torch.equal(again.mean1, moments.mean1)
    assert (again.std0, again.std1) == pytest.approx((moments.std0, moments.std1))
    assert again.describe()["mean1"] == pytest.approx(moments.mean1.tolist())


def test_points_that_do_not_spread_are_no_division_by_zero():
    same = torch.zeros(100, 2)
    moments = Moments.of(same, same)
    for path in PATHS:
        for kind in ("standard", "residual"):
            place = affine(kind, moments, path, times(path).float())
            assert all(value.isfinite().all() for value in (place.inside, place.skip, place.out))


@EVERY_PATH
@pytest.mark.parametrize("cls", DISTRIBUTIONS, ids=lambda cls: cls.kind_name())
def test_every_target_is_seen_at_unit_variance(cls, path):
    """From standard noise, averaged over the axes."""
    n, generator = 20_000, Generator().manual_seed(8)
    target = cls() if cls().dim else cls().at(2)
    x0, x1 = torch.randn(n, 2, generator=generator), target.sample(n, generator)
    moments = Moments.of(x0, x1)
    for t in (path.t_min, 0.5, path.t_max):
        at = torch.full((1, 1), t)
        xt, velocity = path.point(x0, x1, at)
        place = affine("residual", moments, path, at)
        seen = place.inside * (xt - place.center)
        said = (velocity - place.skip * (xt - place.center) - place.drift) / place.out
        assert float(seen.var(0).mean()) == pytest.approx(1, abs=0.05)
        assert float(said.var(0).mean()) == pytest.approx(1, abs=0.05)
