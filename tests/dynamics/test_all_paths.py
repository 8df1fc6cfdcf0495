"""What only some paths have: noise of their own, steep ends, a start that is not the source, the published formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Generator

from playground.choice import InvalidExperiment, kinds
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
from playground.experiment import Experiment

EXTREME = [
    VPPath(beta_min=0.01, beta_max=50),
    VPPath(beta_min=1, beta_max=2),
    SubVPPath(beta_max=50),
    VEPath(sigma_min=0.001, sigma_max=100),
    InterpolantPath(gamma="root"),
    InterpolantPath(amount=5),
    BridgePath(sigma=0.01),
]
PATHS = [cls() for cls in kinds(AnyPath)] + EXTREME
EVERY_PATH = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.kind)
COLUMNS = ("alpha", "sigma", "d_alpha", "d_sigma", "gamma", "d_gamma")


def times(path, count=41):
    return torch.linspace(path.t_min, path.t_max, count, dtype=torch.float64)


@EVERY_PATH
def test_derivatives_are_those_of_automatic_differentiation(path):
    t = times(path, 101).requires_grad_()
    c = path.coefficients(t)
    for value, derivative in ((c.alpha, c.d_alpha), (c.sigma, c.d_sigma), (c.gamma, c.d_gamma)):
        slope = torch.zeros_like(t)
        if value.requires_grad:
            (slope,) = torch.autograd.grad(value.sum(), t, retain_graph=True)
        torch.testing.assert_close(derivative.detach(), slope)
        assert derivative.isfinite().all()


@EVERY_PATH
def test_points_of_pairs_and_noise_have_the_velocity_that_is_stated(path):
    generator = Generator().manual_seed(0)
    x0, x1, z = torch.randn(3, 50, 2, generator=generator, dtype=torch.float64)
    share = torch.rand(50, 1, generator=generator, dtype=torch.float64)
    t = (path.t_min + (path.t_max - path.t_min) * share).requires_grad_()
    xt, velocity = path.point(x0, x1, t, z)
    for axis in range(2):
        (slope,) = torch.autograd.grad(xt[:, axis].sum(), t, retain_graph=True)
        torch.testing.assert_close(velocity[:, axis : axis + 1].detach(), slope)
    mean, drift = path.point(x0, x1, t)
    c = path.coefficients(t)
    torch.testing.assert_close(xt - mean, c.gamma * z)
    torch.testing.assert_close(velocity - drift, c.d_gamma * z)


@EVERY_PATH
def test_single_precision_is_enough_up_to_both_ends(path):
    exact = path.coefficients(times(path, 1001))
    rounded = path.coefficients(times(path, 1001).float())
    for name in COLUMNS:
        wanted = getattr(exact, name)
        # Where 1 − t is 1e-4 a time in single precision is known to 6e-4 of that.
        error = (getattr(rounded, name).double() - wanted).abs() / (wanted.abs() + 1e-3 * wanted.abs().max() + 1e-12)
        assert float(error.max()) < 2e-3, name


@EVERY_PATH
def test_the_signal_to_noise_ratio_grows(path):
    inner = times(path, 101)[1:-1]
    assert (path.log_snr(inner).diff() > 0).all() or path.bridge
    c = path.coefficients(inner)
    expected = torch.log(c.alpha**2 / (c.sigma**2 + c.gamma**2))
    torch.testing.assert_close(path.log_snr(inner), expected, rtol=1e-9, atol=1e-9)


def lagrange(nodes, column, t):
    """Cubic interpolation through the four nearest nodes, as the browser does it."""
    low = np.clip(np.searchsorted(nodes, t, side="right") - 1, 0, len(nodes) - 2)
    first = np.clip(low - 1, 0, len(nodes) - 4)
    total = np.zeros_like(t)
    for i in range(4):
        factor = np.ones_like(t)
        for j in range(4):
            if j != i:
                factor *= (t - nodes[first + j]) / (nodes[first + i] - nodes[first + j])
        total += factor * column[first + i]
    return total


@EVERY_PATH
def test_the_table_is_read_by_cubic_interpolation(path):
    told = path.describe()
    table = {name: np.array(column) for name, column in told["table"].items()}
    assert set(table) == {"t", *COLUMNS}
    assert (table["t"][0], table["t"][-1]) == (told["t_min"], told["t_max"]) == (path.t_min, path.t_max)
    assert (np.diff(table["t"]) > 0).all()
    assert len(table["t"]) < 400
    near = np.geomspace(1e-4, 0.5, 2000)
    t = np.concatenate([np.linspace(path.t_min, path.t_max, 5003), near, 1 - near])
    t = t[(t >= path.t_min) & (t <= path.t_max)]
    c = path.coefficients(torch.from_numpy(t))
    for name in COLUMNS:
        exact = getattr(c, name).numpy()
        allowed = 1e-5 * np.abs(exact) + 2e-6 * np.abs(exact).max() + 1e-15
        assert (np.abs(lagrange(table["t"], table[name], t) - exact) < allowed).all(), name


@EVERY_PATH
def test_a_sampler_starts_from_what_the_source_decides(path):
    x0 = torch.randn(10, 2, generator=Generator().manual_seed(0))
    factor = path.describe()["start"]
    assert factor == pytest.approx(float(path.at(path.t_min).sigma))
    assert path.start(x0).dtype == torch.float32
    torch.testing.assert_close(path.start(x0), factor * x0)
    torch.testing.assert_close(path.start(x0, 0.25), float(path.at(0.25).sigma) * x0)


def test_the_mismatch_at_the_source_is_named():
    assert LinearPath().mismatch is None
    assert CosinePath().mismatch is None
    assert InterpolantPath().mismatch is None
    assert VPPath().mismatch == (
        "Variance preserving (VP) begins at t = 0 with x = x0 + 0.00657 x1, not with the source alone; "
        "a sampler starts from x0 and leaves out the rest."
    )
    assert "x = 10 x0 + x1, not" in VEPath().mismatch
    assert "at t = 0.0001 with x = x0 + 0.0001 x1 + 0.005 z" in BridgePath().mismatch


def test_vp_solves_its_differential_equation():
    """d alpha/dτ = −½ β alpha, and the variance of a unit target stays 1 (Song et al. 2021, eq. 11)."""
    path = VPPath(beta_min=0.2, beta_max=12)
    t = times(path, 101)
    c, beta = path.coefficients(t), 0.2 + (1 - t) * 11.8
    torch.testing.assert_close(c.d_alpha, 0.5 * beta * c.alpha)
    torch.testing.assert_close(c.alpha**2 + c.sigma**2, torch.ones_like(t))
    # ∫₀¹ β = (0.2 + 12) / 2
    assert float(path.at(0.0).alpha) == pytest.approx(math.exp(-6.1 / 2))
    assert float(path.at(path.t_max).sigma) == pytest.approx(0.0143, abs=1e-4)


def test_sub_vp_has_less_noise_than_vp():
    t = torch.linspace(0.01, 0.99, 99, dtype=torch.float64)
    vp, sub = VPPath().coefficients(t), SubVPPath().coefficients(t)
    torch.testing.assert_close(sub.alpha, vp.alpha)
    torch.testing.assert_close(sub.sigma, vp.sigma**2)


def test_ve_shrinks_geometrically():
    path = VEPath(sigma_min=0.02, sigma_max=8)
    sigma = path.coefficients(times(path, 5)).sigma
    torch.testing.assert_close(sigma[1:] / sigma[:-1], torch.full((4,), (0.02 / 8) ** 0.25, dtype=torch.float64))
    assert (float(sigma[0]), float(sigma[-1])) == pytest.approx((8, 0.02))
    assert (path.coefficients(times(path)).alpha == 1).all()


def test_the_bridge_is_brownian():
    """The variance of a Brownian bridge is σ² t (1 − t) (Tong et al. 2024, eq. 8)."""
    path = BridgePath(sigma=0.7)
    t = times(path)
    torch.testing.assert_close(path.coefficients(t).gamma ** 2, 0.49 * t * (1 - t))
    root = InterpolantPath(gamma="root", amount=0.7)
    assert path.brownian == root.brownian == 0.7
    assert InterpolantPath().brownian is None
    torch.testing.assert_close(root.coefficients(t).d_gamma, path.coefficients(t).d_gamma)


def test_the_smooth_interpolant_has_no_noise_at_its_ends():
    c = InterpolantPath(amount=0.4).coefficients(torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64))
    assert c.gamma.tolist() == pytest.approx([0, 0.4, 0], abs=1e-12)
    assert c.d_gamma.tolist() == pytest.approx([0, 0, 0], abs=1e-12)


@pytest.mark.parametrize("sigma", [0, -1, 1e-3])
def test_a_bridge_without_noise_is_refused(sigma):
    with pytest.raises(InvalidExperiment, match=r"model\.path\.sigma: .* is too small; choose at least 0\.01\."):
        Experiment.parse({"model": {"kind": "flow_matching", "path": {"kind": "bridge", "sigma": sigma}}})
