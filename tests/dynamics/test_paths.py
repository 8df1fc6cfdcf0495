"""Paths: their derivatives against automatic differentiation, and where they begin and end."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Generator

from playground.choice import kinds
from playground.dynamics.paths import AnyPath, CosinePath, LinearPath

EVERY_PATH = pytest.mark.parametrize("path", [cls() for cls in kinds(AnyPath)], ids=lambda path: path.kind)
EXACT = pytest.mark.parametrize("path", [LinearPath(), CosinePath()], ids=lambda path: path.kind)
"""Paths that begin exactly at the source and end exactly at the target."""


def times(path, count=41):
    return torch.linspace(path.t_min, path.t_max, count, dtype=torch.float64)


def pairs(n=50, d=2):
    generator = Generator().manual_seed(3)
    return tuple(torch.randn(n, d, generator=generator, dtype=torch.float64) for _ in range(2))


@EVERY_PATH
def test_derivatives_are_those_of_automatic_differentiation(path):
    t = times(path).requires_grad_()
    c = path.coefficients(t)
    for value, derivative in ((c.alpha, c.d_alpha), (c.sigma, c.d_sigma)):
        constant = not value.requires_grad
        slope = torch.zeros_like(t) if constant else torch.autograd.grad(value.sum(), t, retain_graph=True)[0]
        torch.testing.assert_close(derivative.detach(), slope.detach())
        assert derivative.isfinite().all()


@EVERY_PATH
def test_the_velocity_of_a_point_is_its_derivative(path):
    x0, x1 = pairs()
    t = torch.rand(50, 1, generator=Generator().manual_seed(1), dtype=torch.float64)
    t = (path.t_min + (path.t_max - path.t_min) * t).requires_grad_()
    xt, velocity = path.point(x0, x1, t)
    for axis in range(2):
        (slope,) = torch.autograd.grad(xt[:, axis].sum(), t, retain_graph=True)
        torch.testing.assert_close(velocity[:, axis : axis + 1].detach(), slope)


@EXACT
def test_it_goes_from_source_to_target(path):
    x0, x1 = pairs()
    first, _ = path.point(x0, x1, torch.full((50, 1), path.t_min, dtype=torch.float64))
    last, _ = path.point(x0, x1, torch.full((50, 1), path.t_max, dtype=torch.float64))
    torch.testing.assert_close(first, x0, rtol=0, atol=1e-15)
    torch.testing.assert_close(last, x1, rtol=0, atol=1e-15)
    assert torch.equal(path.start(x0), x0)


@EVERY_PATH
def test_coefficients_have_the_shape_and_type_of_the_time(path):
    for shape in ((), (3,), (3, 1)):
        for dtype in (torch.float32, torch.float64):
            t = torch.full(shape, 0.25, dtype=dtype)
            c = path.coefficients(t)
            for value in (c.alpha, c.sigma, c.d_alpha, c.d_sigma):
                assert value.shape == shape
                assert value.dtype == dtype


@EVERY_PATH
def test_the_signal_only_gains_on_the_source(path):
    c = path.coefficients(times(path))
    assert (c.alpha.diff() >= 0).all()
    assert (c.sigma.diff() <= 0).all()
    assert (c.d_alpha * c.sigma - c.d_sigma * c.alpha > 0).all()


@EXACT
def test_the_table_is_the_path(path):
    """Another runtime that interpolates the table linearly is never far from the path."""
    described = path.describe()
    table = {name: np.array(column) for name, column in described["table"].items()}
    assert described["kind"] == path.kind
    assert (table["t"][0], table["t"][-1]) == (described["t_min"], described["t_max"]) == (path.t_min, path.t_max)
    between = times(path, 1001)
    c = path.coefficients(between)
    for name in ("alpha", "sigma", "d_alpha", "d_sigma"):
        read = np.interp(between.numpy(), table["t"], table[name])
        np.testing.assert_allclose(read, getattr(c, name).numpy(), atol=5e-5)


def test_linear_is_exact_in_closed_form():
    x0, x1 = pairs()
    xt, velocity = LinearPath().point(x0, x1, torch.full((50, 1), 0.25, dtype=torch.float64))
    torch.testing.assert_close(xt, 0.25 * x1 + 0.75 * x0)
    torch.testing.assert_close(velocity, x1 - x0)


def test_cosine_keeps_the_variance():
    path = CosinePath()
    c = path.coefficients(times(path))
    torch.testing.assert_close(c.alpha**2 + c.sigma**2, torch.ones_like(c.alpha))
    torch.testing.assert_close(c.d_alpha**2 + c.d_sigma**2, torch.full_like(c.alpha, (math.pi / 2) ** 2))
    # Halfway both have the same share.
    half = path.coefficients(torch.tensor(0.5, dtype=torch.float64))
    assert float(half.alpha) == pytest.approx(float(half.sigma)) == pytest.approx(math.sqrt(0.5))
