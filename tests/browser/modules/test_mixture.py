"""The exact field of a Gaussian mixture against a brute force in float64, and its speed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from playground.dynamics.exact import ExactField, Normal, Normals
from playground.dynamics.path import Path
from playground.dynamics.paths import BridgePath, CosinePath, LinearPath, VPPath
from playground.dynamics.solvers import Sampler
from playground.models.exact import ExactFlow
from playground.ui.messages import exact
from tests.browser.modules.page import ModulePage, assert_near, packed, points, sampled, unpacked

FIELD = """
    return given.cases.map(({ description, x, t }) => {
      const { velocity } = new mixture.MixtureRun(new kernel.Kernel({ simd: given.simd }), description).field();
      const points = floats(x), into = new Float32Array(points.length);
      velocity(points, t, into);
      return text(into);
    });
"""


class Mixture:
    """Random components, their message, and their field by enumeration."""

    def __init__(self, k: int, dim: int, path: Path, seed: int = 0, least: float = 0.02) -> None:
        generator = Generator().manual_seed(seed)
        self.path = path
        self.centers = 2 * torch.randn(k, dim, generator=generator)
        roots = 0.4 * torch.randn(k, dim, dim, generator=generator)
        self.covariances = roots @ roots.mT + least * torch.eye(dim)
        self.weights = torch.rand(k, generator=generator) + 0.1
        self.mean0 = torch.randn(dim, generator=generator)
        self.covariance0 = 0.49 * torch.eye(dim, dtype=torch.float64)

    def describe(self) -> dict[str, Any]:
        return {
            "mixture": {
                "centers": exact(self.centers),
                "weights": self.weights.tolist(),
                "covariances": exact(self.covariances),
            },
            "source": {"mean": self.mean0.tolist(), "covariance": self.covariance0.tolist()},
            "path": self.path.describe(),
        }

    def velocity(self, x: Tensor, t: float) -> Tensor:
        """E[dx_t/dt | x_t = x] from the joint normal of (x_t, dx_t/dt) in each component: (n, d), in float64."""
        c = self.path.at(t)
        weights, centers, covariances = (a.double() for a in (self.weights, self.centers, self.covariances))
        x, mean0, eye = x.double()[:, None], self.mean0.double(), torch.eye(x.shape[1], dtype=torch.float64)
        source = c.sigma * self.covariance0
        variance = c.alpha**2 * covariances + c.sigma * source + c.gamma**2 * eye
        slopes = c.d_alpha * c.alpha * covariances + c.d_sigma * source + c.d_gamma * c.gamma * eye
        at = c.alpha * centers + c.sigma * mean0
        logs = weights.log() + torch.distributions.MultivariateNormal(at, variance).log_prob(x)
        regression = torch.linalg.solve(variance, slopes)
        means = c.d_alpha * centers + c.d_sigma * mean0 + torch.einsum("nki,kij->nkj", x - at, regression)
        return (logs.softmax(1)[:, :, None] * means).sum(1)


@pytest.mark.parametrize(
    ("path", "simd"),
    [(LinearPath(), True), (CosinePath(), True), (VPPath(), True), (BridgePath(), True), (CosinePath(), False)],
    ids=str,
)
def test_the_field_is_that_of_a_brute_force(page: ModulePage, path: Path, simd: bool) -> None:
    times = np.random.default_rng(0).uniform(path.t_min, path.t_max, 2).tolist()
    cases = [
        (Mixture(k, dim, path, seed), t, points(130, dim, seed) * 2)
        for seed, (k, dim) in enumerate([(1, 2), (2, 1), (9, 2), (64, 1), (512, 2)])
        for t in [path.t_min, *times, path.t_max]
    ]
    for one, _, _ in cases[:15:2]:
        if len(one.mean0) == 2:
            one.covariance0 = torch.tensor([[0.9, -0.3], [-0.3, 0.2]], dtype=torch.float64)
    given = [{"description": one.describe(), "x": packed(x), "t": t} for one, t, x in cases]
    for (one, t, x), found in zip(cases, page(FIELD, {"simd": simd, "cases": given}), strict=True):
        assert_near(unpacked(found, *x.shape).double(), one.velocity(x, t), 1e-4, (len(one.weights), x.shape, t))


def test_points_have_variance_zero_and_isotropic_covariances_may_be_numbers(page: ModulePage) -> None:
    one = Mixture(16, 2, LinearPath(), least=0.0)
    one.covariances = torch.zeros(16, 2, 2)
    described = one.describe()
    described["mixture"]["covariances"] = exact(torch.zeros(16))
    described["source"] = {"mean": described["source"]["mean"], "std": 0.7}
    x = points(70, 2)
    for t in (0.0, 0.3, 0.9, 0.999):
        near = (1 - t) * x + t * one.centers[:1]
        cases = [{"description": each, "x": packed(near), "t": t} for each in (one.describe(), described)]
        full, numbers = page(FIELD, {"simd": True, "cases": cases})
        assert full == numbers
        assert_near(unpacked(full, 70, 2).double(), one.velocity(near, t), 1e-3, t)


def test_a_mixture_is_sampled_like_a_network(page: ModulePage) -> None:
    one = Mixture(8, 2, CosinePath())
    page("pool.open('mixture', given); pool.put('mixture', 3, {});", one.describe())
    x0 = points(200, 2)
    for solver in ("heun", "dopri5"):
        sampler = Sampler.model_validate({"solver": solver, "steps": 20})
        twin = sampler.integrate(lambda x, t: one.velocity(x, t).float(), x0)
        found = sampled(page, "mixture", x0, **sampler.describe())
        assert_near(found["x"][-1], twin.end, 1e-4, solver)
    arrows = page(
        "return text(await pool.evaluate({ run: 'mixture', snapshot: 0, points: floats(given), t: 0.4 }));", packed(x0)
    )
    assert_near(unpacked(arrows, 200, 2).double(), one.velocity(x0, 0.4), 1e-4, "evaluate")


@pytest.mark.parametrize("path", [LinearPath(), VPPath()], ids=lambda path: path.kind)
def test_the_exact_model_is_the_same_in_the_browser(page: ModulePage, path: Path) -> None:
    source = Normal(torch.tensor([0.3, -0.2]).double(), torch.tensor([[1.0, 0.4], [0.4, 0.5]]).double())
    model = ExactFlow(ExactField(path, source, Normals.points(2 * points(300, 2, seed=3))))
    page("pool.open('exact', given);", model.describe())
    x0 = model.path.start(points(150, 2))
    sampler = Sampler(solver="heun", steps=20)
    twin = model.trajectory(points(150, 2), sampler)
    found = sampled(page, "exact", x0, **sampler.describe())
    assert found["t"] == pytest.approx(twin.t.tolist(), abs=1e-12)
    assert_near(found["x"], twin.x, 2e-4, path.kind)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        ("given.mixture.centers = codec.encodeArray({ shape: [513, 2], data: new Float32Array(1026) })", "1 to 512"),
        ("given.mixture.centers = codec.encodeArray({ shape: [1, 3], data: new Float32Array(3) })", "1 or 2 dimen"),
    ],
)
def test_what_is_no_mixture_is_refused(page: ModulePage, spoil: str, sentence: str) -> None:
    script = f"{spoil}; try {{ new mixture.MixtureRun(new kernel.Kernel(), given); }} catch (e) {{ return e.message; }}"
    assert sentence in page(script, Mixture(1, 2, LinearPath()).describe())
