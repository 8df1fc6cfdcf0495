"""Distances against closed forms, other libraries and brute force."""

from __future__ import annotations

import itertools
import math
import sys
import time
from typing import Literal

import numpy as np
import pytest
import torch
from scipy.stats import energy_distance as scipy_energy_distance
from torch import Generator, Tensor

from playground.distributions.base import Distribution
from playground.metrics import DISTANCES, directions, distances, energy_distance, floor, mmd, sliced_w2, w2

# The package exports a function of the same name as this module.
module = sys.modules["playground.metrics.distances"]


def normal(n: int, d: int = 2, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(n, d, generator=Generator().manual_seed(seed), dtype=dtype)


class Ball(Distribution):
    """A standard Gaussian in two dimensions."""

    kind: Literal["ball"] = "ball"

    @property
    def dim(self) -> int:
        return 2

    def draw(self, n: int, generator: Generator) -> tuple[Tensor, Tensor]:
        return torch.randn(n, 2, generator=generator), torch.zeros(n, dtype=torch.int64)


# --- directions


def test_directions_in_the_plane_are_the_midpoints_of_the_half_circle() -> None:
    theta = directions(2)
    assert theta.shape == (128, 2)
    for k in (0, 1, 63, 127):
        angle = math.pi * (k + 0.5) / 128
        assert theta[k].tolist() == pytest.approx([math.cos(angle), math.sin(angle)], abs=1e-15)
    # A quadrature that is exact for second moments: Σ θθᵀ/count = I/2.
    assert torch.allclose(theta.T @ theta / 128, torch.eye(2, dtype=torch.float64) / 2, atol=1e-15)


def test_directions_elsewhere() -> None:
    assert directions(1).tolist() == [[1.0]]
    three = directions(3, 1000)
    assert torch.allclose(three.norm(dim=1), torch.ones(1000, dtype=torch.float64))
    assert torch.equal(three, directions(3, 1000))
    assert torch.allclose(three.T @ three / 1000, torch.eye(3, dtype=torch.float64) / 3, atol=0.03)
    with pytest.raises(ValueError, match="at least 1"):
        directions(0)


def test_nothing_touches_the_global_generators() -> None:
    torch.manual_seed(5)
    np.random.seed(5)
    before = torch.get_rng_state()
    cloud = normal(40, 3)
    first = distances(cloud, normal(30, 3, 1), (*DISTANCES, "mmd"))
    assert first == distances(cloud, normal(30, 3, 1), (*DISTANCES, "mmd"))
    assert torch.equal(before, torch.get_rng_state())
    assert np.random.rand() == np.random.RandomState(5).rand()


# --- sliced W2


@pytest.mark.parametrize(("d", "n", "m"), [(2, 200, 200), (2, 200, 130), (3, 97, 97), (3, 30, 45), (1, 50, 20)])
def test_sliced_w2_is_what_pot_computes_on_the_same_projections(d: int, n: int, m: int) -> None:
    ot = pytest.importorskip("ot")
    a, b = normal(n, d), normal(m, d, 1) * 2 + 1
    reference = ot.sliced_wasserstein_distance(a.numpy(), b.numpy(), projections=directions(d).numpy().T)
    assert sliced_w2(a, b) == pytest.approx(float(reference), rel=1e-9)


@pytest.mark.parametrize(("n", "m"), [(6, 4), (1, 7), (5, 5), (12, 9), (8, 4)])
def test_unequal_sizes_are_the_same_as_copies_up_to_the_common_multiple(n: int, m: int) -> None:
    a, b, common = normal(n), normal(m, seed=1), math.lcm(n, m)
    copies = a.repeat_interleave(common // n, 0), b.repeat_interleave(common // m, 0)
    assert sliced_w2(a, b) == pytest.approx(sliced_w2(*copies), rel=1e-12)
    assert sliced_w2(a, b) == pytest.approx(sliced_w2(b, a), rel=1e-12)


def test_a_translation_is_its_length_over_root_d() -> None:
    a, c = normal(300), torch.tensor([0.3, -1.2], dtype=torch.float64)
    assert sliced_w2(a, a + c) == pytest.approx(float(c.norm()) / math.sqrt(2), rel=1e-12)
    assert sliced_w2(a, a[torch.randperm(300, generator=Generator().manual_seed(2))]) == 0


def test_float32_clouds_lose_nothing_but_their_own_rounding() -> None:
    a, b = normal(500), normal(500, seed=1) + 0.2
    for distance in (sliced_w2, energy_distance):
        assert distance(a.float(), b.float()) == pytest.approx(distance(a, b), rel=1e-5)


def test_twenty_thousand_points_are_quick() -> None:
    a, b = normal(20_000, dtype=torch.float32), normal(20_000, seed=1, dtype=torch.float32)
    start = time.perf_counter()
    sliced_w2(a, b)
    assert time.perf_counter() - start < 2  # 0.05 s on an idle machine


# --- exact W2


def brute_force_w2(a: Tensor, b: Tensor) -> float:
    costs = [(a - b[list(order)]).square().sum(1).mean() for order in itertools.permutations(range(len(b)))]
    return math.sqrt(min(costs))


@pytest.mark.parametrize("d", [1, 2, 3])
def test_w2_is_the_best_of_all_assignments(d: int) -> None:
    a, b = normal(6, d), normal(6, d, 1)
    assert w2(a, b) == pytest.approx(brute_force_w2(a, b), rel=1e-9)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_w2_of_a_translation_is_its_length(d: int) -> None:
    a, c = normal(200, d), torch.arange(1.0, d + 1, dtype=torch.float64) / 3
    assert w2(a, a + c) == pytest.approx(float(c.norm()), rel=1e-9)
    assert w2(a, a) == pytest.approx(0, abs=1e-9)


def test_w2_between_gaussians_meets_its_closed_form() -> None:
    """W2² = |m|² + Σ(σ_a − σ_b)² for axis-aligned Gaussians (Dowson & Landau 1982)."""
    a = normal(1500)
    b = normal(1500, seed=1) * torch.tensor([2.0, 0.5]) + torch.tensor([3.0, 0.0])
    assert w2(a, b) == pytest.approx(math.sqrt(9 + 1 + 0.25), rel=0.03)
    one, two = normal(20_000, 1), 3 * normal(20_000, 1, 1) + 1
    assert w2(one, two) == pytest.approx(math.sqrt(1 + 4), rel=0.02)


def test_w2_in_one_dimension_is_the_integral_of_quantiles_for_any_sizes() -> None:
    a, b = normal(3, 1), normal(7, 1, 1)
    q = (torch.arange(21_000, dtype=torch.float64) + 0.5) / 21_000
    at = [x.flatten().sort().values[(q * len(x)).long()] for x in (a, b)]
    assert w2(a, b) == pytest.approx(float((at[0] - at[1]).square().mean().sqrt()), rel=1e-9)


@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("shape", ["near", "far", "flat", "turned", "collapsed"])
def test_the_assignment_agrees_with_the_network_simplex(d: int, shape: str) -> None:
    ot = pytest.importorskip("ot")
    a, b = normal(300, d), normal(300, d, seed=1)
    flat = torch.tensor([1.0, 1e-5, 1.0][:d], dtype=a.dtype)
    a, b = {
        "near": (a, b),
        "far": (0.1 * a - 50, b),
        "flat": (a * flat, b * flat.flip(0)),
        "turned": (a * flat, (b * flat).flip(1) + 3),
        "collapsed": (a * 0 + 1, b),
    }[shape]
    squares = torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist").square().numpy()
    assert w2(a, b) == pytest.approx(math.sqrt(ot.emd2([], [], squares, numItermax=10**7)), rel=1e-8)


def test_without_pot_it_knows_its_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ot", None)
    a, b = normal(300), normal(300, seed=1) + 0.5
    assert w2(a, b) is not None
    assert w2(a, b[:299]) is None
    assert w2(normal(2501), normal(2501, seed=1)) is None
    assert w2(normal(2501, 1), normal(3000, 1, 1)) is not None
    assert distances(a, b[:299])["w2"] is None


def test_w2_with_unequal_sizes_is_the_same_as_copies() -> None:
    pytest.importorskip("ot")
    a, b = normal(20), normal(30, seed=1)
    assert w2(a, b) == pytest.approx(w2(a.repeat_interleave(3, 0), b.repeat_interleave(2, 0)), rel=1e-9)


@pytest.mark.filterwarnings("ignore:numItermax")
def test_a_simplex_that_stops_early_is_an_error_and_not_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ot")
    monkeypatch.setattr(module, "_MAX_ITERATIONS", 50)
    with pytest.raises(RuntimeError, match="did not converge"):
        w2(normal(200), normal(201, seed=1))


def test_a_collapsed_cloud_is_as_far_as_its_second_moment() -> None:
    a, b = torch.zeros(400, 2), normal(400)
    assert w2(a, b) == pytest.approx(float(b.square().sum(1).mean().sqrt()), rel=1e-9)


# --- energy distance


@pytest.mark.parametrize(("n", "m"), [(80, 80), (80, 33), (1, 5)])
def test_energy_distance_in_one_dimension_is_scipys(n: int, m: int) -> None:
    a, b = normal(n, 1), normal(m, 1, 1) + 0.3
    assert energy_distance(a, b) == pytest.approx(scipy_energy_distance(a[:, 0].numpy(), b[:, 0].numpy()), rel=1e-9)


def test_energy_distance_is_its_definition_however_it_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = normal(37, 3), normal(23, 3, 1) + 0.2

    def mean(x: Tensor, y: Tensor) -> float:
        return sum(math.dist(p, q) for p in x.tolist() for q in y.tolist()) / (len(x) * len(y))

    expected = math.sqrt(2 * mean(a, b) - mean(a, a) - mean(b, b))
    for block in (1, 50, 200, 2**18):
        monkeypatch.setattr(module, "_BLOCK", block)
        assert energy_distance(a, b) == pytest.approx(expected, rel=1e-9)
    assert energy_distance(a, a) == pytest.approx(0, abs=1e-7)


def test_energy_distance_of_two_points_far_apart() -> None:
    a, b = torch.zeros(5, 2), torch.tensor([[3.0, 4.0]]).expand(9, 2)
    assert energy_distance(a, b) == pytest.approx(math.sqrt(2 * 5))


# --- MMD


def test_mmd_is_gretton_equation_3() -> None:
    a, b, h = normal(15), normal(12, seed=1) + 0.5, 0.8

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        return torch.exp(-(x[:, None] - y[None]).square().sum(-1) / (2 * h * h))

    def off_diagonal(x: Tensor) -> float:
        k = kernel(x, x)
        return float(k.sum() - k.trace()) / (len(x) * (len(x) - 1))

    expected = off_diagonal(a) + off_diagonal(b) - 2 * float(kernel(a, b).mean())
    assert mmd(a, b, h) == pytest.approx(expected, rel=1e-9)


def test_mmd_between_gaussians_meets_its_closed_form() -> None:
    """E k(X, Y) = (h²/(h² + 2))^{d/2} exp(−|m|²/(2(h² + 2))) for unit Gaussians m apart."""
    m, h = 1.0, 1.5
    within = h * h / (h * h + 2)
    expected = 2 * within * (1 - math.exp(-m * m / (2 * (h * h + 2))))
    assert mmd(normal(3000), normal(3000, seed=1) + torch.tensor([m, 0.0]), h) == pytest.approx(expected, rel=0.15)


def test_mmd_without_a_bandwidth_takes_the_median_distance() -> None:
    a, b = normal(40), normal(41, seed=1)
    pooled = torch.cat([a, b])
    median = float(torch.pdist(pooled).median())
    assert mmd(a, b) == pytest.approx(mmd(a, b, median), rel=1e-12)
    assert mmd(torch.ones(5, 2), torch.ones(4, 2)) == 0
    # Its scale follows the data.
    assert mmd(100 * a, 100 * b) == pytest.approx(mmd(a, b), rel=1e-9)


def test_mmd_is_zero_on_average() -> None:
    values = torch.tensor([mmd(normal(50, seed=2 * s), normal(50, seed=2 * s + 1), 1.0) for s in range(100)])
    assert abs(float(values.mean())) < 3 * float(values.std()) / 10
    assert (values < 0).any()


@pytest.mark.parametrize("bandwidth", [0.0, -1.0, math.nan, math.inf])
def test_mmd_refuses_a_bandwidth_that_is_none(bandwidth: float) -> None:
    with pytest.raises(ValueError, match="bandwidth"):
        mmd(normal(5), normal(5), bandwidth)


# --- together


@pytest.mark.parametrize("distance", [sliced_w2, w2, energy_distance, mmd])
def test_clouds_that_cannot_be_compared_are_refused(distance: object) -> None:
    assert callable(distance)
    broken = normal(4)
    broken[1, 0] = math.nan
    for a, b in ((normal(4), normal(4, 3)), (normal(4)[:, 0], normal(4)), (normal(0), normal(4)), (broken, normal(4))):
        with pytest.raises(ValueError, match=r"compared|empty|not finite"):
            distance(a, b)


def test_distances_by_name() -> None:
    a, b = normal(60), normal(60, seed=1)
    assert distances(a, b) == {"sliced_w2": sliced_w2(a, b), "w2": w2(a, b), "energy_distance": energy_distance(a, b)}
    assert list(distances(a, b, ["mmd"])) == ["mmd"]
    assert all(type(value) is float for value in distances(a, b).values())
    with pytest.raises(KeyError):
        distances(a, b, ["w3"])


def test_a_diverged_sample_has_no_distance() -> None:
    broken = normal(10)
    broken[3, 1] = math.inf
    assert distances(broken, normal(10)) == {"sliced_w2": None, "w2": None, "energy_distance": None}


# --- floors


def test_the_floor_of_the_energy_distance_is_what_theory_says() -> None:
    """E D² = 2 E|X − X'|/n for two samples of one distribution; E|X − X'| = √π for a unit Gaussian in 2-D."""
    value = floor(Ball(), 400, ["energy_distance"], Generator().manual_seed(0), pairs=40)["energy_distance"]
    assert value == pytest.approx(math.sqrt(2 * math.sqrt(math.pi) / 400), rel=0.1)


def test_floors_shrink_with_n() -> None:
    small, large = (floor(Ball(), n, DISTANCES, Generator().manual_seed(0), pairs=4) for n in (50, 800))
    assert list(small) == list(DISTANCES)
    for name in DISTANCES:
        low, high = large[name], small[name]
        assert low is not None
        assert high is not None
        assert 0 < low < 0.6 * high


def test_a_floor_is_the_root_mean_square_of_its_pairs() -> None:
    generator, again = Generator().manual_seed(3), Generator().manual_seed(3)
    values = [sliced_w2(Ball().sample(30, again), Ball().sample(30, again)) for _ in range(5)]
    expected = math.sqrt(sum(value**2 for value in values) / 5)
    assert floor(Ball(), 30, ["sliced_w2"], generator, pairs=5)["sliced_w2"] == pytest.approx(expected, rel=1e-12)


def test_a_floor_without_pairs_or_points_is_refused_and_none_stays_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="at least one pair"):
        floor(Ball(), 10, DISTANCES, Generator().manual_seed(0), pairs=0)
    with pytest.raises(ValueError, match="empty"):
        floor(Ball(), 0, DISTANCES, Generator().manual_seed(0))
    monkeypatch.setitem(sys.modules, "ot", None)
    assert floor(Ball(), 2501, ["w2"], Generator().manual_seed(0), pairs=1) == {"w2": None}
