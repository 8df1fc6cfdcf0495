"""Distances between two clouds of points, and the floor that tells what their values mean.

A distance between two finite samples is never zero, even when both come from the same distribution: each value
is to be read beside its real-vs-real `floor` at the same n.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor

from playground.distributions.base import Distribution
from playground.metrics.projections import directions, sorted_projections, transport_1d

_MAX_ITERATIONS = 10**9
"""Pivots granted to the network simplex. POT's own limit of 10⁵ ends early at a few thousand points."""

_MAX_ASSIGNMENT = 2_500
"""Points up to which SciPy's assignment, cubic in n, is no slower than POT, which takes seconds to be imported."""
_ROUND = 1e-3
"""A cloud that is flatter than this share of the two clouds' variance is treated as if it were not."""

_BLOCK = 2**18
"""Pairwise distances held at once: 2 MB, which stays in cache."""


def sliced_w2(a: Tensor, b: Tensor, count: int = 128) -> float:
    """Sliced 2-Wasserstein distance of a (n, d) and b (m, d), in the units of the data.

    SW2² = mean over directions θ of W2²(⟨θ, a⟩, ⟨θ, b⟩) (Bonneel et al. 2015), over the `count` fixed
    `directions` and without a factor d: a cloud moved by c is |c|/√d away. In one dimension it is W2.

    Raises ValueError where the clouds are empty, not finite, or differ in dimension.
    """
    a, b = _clouds(a, b)
    onto = directions(a.shape[1], count)
    return math.sqrt(transport_1d(sorted_projections(a, onto), sorted_projections(b, onto)).mean())


def w2(a: Tensor, b: Tensor) -> float | None:
    """Exact 2-Wasserstein distance of a (n, d) and b (m, d), in the units of the data.

    The root of min over couplings of E|x − y|² (Peyré & Cuturi 2019, §2.4): in one dimension by sorting; of up to 2,500
    points and as many, by SciPy's assignment (Crouse 2016), about half a second at 2,000; else by POT's network simplex
    where POT is installed, which takes 40·n·m bytes and, at n = m = 5,000, about 6 s. None where POT is missing and the
    clouds are larger than that or of unequal sizes.

    Raises ValueError where the clouds are empty, not finite, or differ in dimension, and RuntimeError where the
    network simplex stops before its optimum.
    """
    a, b = _clouds(a, b)
    if a.shape[1] == 1:
        return sliced_w2(a, b)
    if len(a) == len(b) <= _MAX_ASSIGNMENT:
        return _w2_by_assignment(a, b)
    try:
        import ot
    except ImportError:
        return None
    # Empty marginals mean equal weights.
    cost, log = ot.emd2([], [], _squared_distances(a, b).numpy(), numItermax=_MAX_ITERATIONS, log=True)
    if log["warning"] is not None:
        raise RuntimeError(f"exact optimal transport did not converge: {log['warning']}")
    return math.sqrt(cost)


def _w2_by_assignment(a: Tensor, b: Tensor) -> float:
    """W2 of equally many points: their best one-to-one assignment.

    The costs are φ(x) + φ*(y) − ⟨x, y⟩ instead of |x − y|²/2, which differs by terms that every assignment has. With
    φ(x) = ½ xᵀTx, T the optimal map between Gaussians of the clouds' covariances, they are nowhere negative, and near 0
    for points that belong together: the search begins near its end.
    """
    from scipy.optimize import linear_sum_assignment

    x, y = a - a.mean(0), b - b.mean(0)
    eye = torch.eye(a.shape[1], dtype=a.dtype)
    spreads = [cloud.T @ cloud / len(cloud) for cloud in (x, y)]
    least = _ROUND * sum(float(spread.trace()) for spread in spreads) + 1e-300
    first, second = (spread + least * eye for spread in spreads)
    root = symmetric_root(first)
    back = torch.linalg.inv(root)
    forth = back @ symmetric_root(root @ second @ root) @ back
    own = (x @ forth * x).sum(1), (torch.linalg.solve(forth, y.T).T * y).sum(1)
    costs = 0.5 * (own[0][:, None] + own[1]) - x @ y.T
    rows, columns = linear_sum_assignment(costs.numpy())
    return math.sqrt(float((a[rows] - b[columns]).square().sum(1).mean()))


def symmetric_root(matrix: Tensor) -> Tensor:
    """The square root of a symmetric matrix without negative eigenvalues, (d, d)."""
    values, vectors = torch.linalg.eigh(matrix)
    root: Tensor = vectors * values.clamp(min=0).sqrt() @ vectors.T
    return root


def energy_distance(a: Tensor, b: Tensor) -> float:
    """Energy distance D of a (n, d) and b (m, d), in square roots of the units of the data.

    D² = 2 E|X − Y| − E|X − X'| − E|Y − Y'| (Rizzo & Székely 2016, eq. 1) between the two empirical
    distributions: the V-statistic, zero distances of points to themselves included, and its root. D is
    therefore never negative, zero only for equal clouds, a metric, and in one dimension what
    `scipy.stats.energy_distance` gives. For two samples of n points of one distribution D² is 2 E|X − X'|/n on
    average. Distances are held in blocks, so that memory stays bounded: about 2 s at n = m = 20,000.

    Raises ValueError where the clouds are empty, not finite, or differ in dimension.
    """
    a, b = _clouds(a, b)
    squared = 2 * _sum_between(a, b) / (len(a) * len(b)) - _sum_within(a) / len(a) ** 2 - _sum_within(b) / len(b) ** 2
    return math.sqrt(max(squared, 0.0))  # rounding may leave −1e-16 for equal clouds


def mmd(a: Tensor, b: Tensor, bandwidth: float | None = None) -> float:
    """Squared maximum mean discrepancy of a (n, d) and b (m, d) under a Gaussian kernel, unbiased; no units.

    MMD² = E k(X, X') + E k(Y, Y') − 2 E k(X, Y) with k = exp(−|x − y|²/(2 bandwidth²)), and each mean within a
    cloud over pairs of different points (Gretton et al. 2012, eq. 3). Being unbiased it is zero on average for
    two samples of one distribution, and so is often slightly negative. The bandwidth is in the units of the
    data; by default it is the median of the positive distances in the pooled sample (at most 1,000 points of
    each cloud, evenly spaced in their order).

    Raises ValueError where a cloud has fewer than two points, the clouds are not finite or differ in dimension,
    or the bandwidth is not positive.
    """
    a, b = _clouds(a, b)
    if len(a) < 2 or len(b) < 2:
        raise ValueError("the unbiased MMD needs at least two points in each cloud.")
    if bandwidth is None:
        bandwidth = _median_distance(a, b)
        if bandwidth is None:  # all points are one point
            return 0.0
    elif not 0 < bandwidth < math.inf:
        raise ValueError(f"{bandwidth} is not a bandwidth; choose a positive number.")
    scale = -0.5 / bandwidth**2

    def kernel(distance: Tensor) -> Tensor:
        return distance.square_().mul_(scale).exp_()

    def mean_within(x: Tensor) -> float:
        # k(x, x) = 1 exactly: the pairs of a point with itself are taken off again.
        return (_sum_within(x, kernel) - len(x)) / (len(x) * (len(x) - 1))

    return mean_within(a) + mean_within(b) - 2 * _sum_between(a, b, kernel) / (len(a) * len(b))


DISTANCES: tuple[str, ...] = ("sliced_w2", "w2", "energy_distance")
"""The distances that are reported of every run. "mmd" can be asked for by name."""

_BY_NAME: dict[str, Callable[[Tensor, Tensor], float | None]] = {
    "sliced_w2": sliced_w2,
    "w2": w2,
    "energy_distance": energy_distance,
    "mmd": mmd,
}


def distances(a: Tensor, b: Tensor, metrics: Sequence[str] = DISTANCES) -> dict[str, float | None]:
    """The named distances between a (n, d) and b (m, d).

    A distance is None where it cannot be had: w2 as its docstring says, and all of them where a point is not
    finite, as after a sampler that diverged.

    Raises ValueError where a cloud is empty or the two differ in dimension, KeyError for an unknown name.
    """
    functions = {name: _BY_NAME[name] for name in metrics}
    if not (a.isfinite().all() and b.isfinite().all()):
        return dict.fromkeys(functions)
    return {name: function(a, b) for name, function in functions.items()}


def floor(
    distribution: Distribution, n: int, metrics: Sequence[str], generator: Generator, pairs: int = 8
) -> dict[str, float | None]:
    """The named distances between two samples of n points of the same distribution: the best that n allows.

    Each is the root mean square over `pairs` independent pairs of samples, since a single pair is noise (its
    standard deviation is 5 to 25 % of its mean). None where the distance is None.

    Raises ValueError where n or pairs is less than 1, KeyError for an unknown name.
    """
    if pairs < 1:
        raise ValueError(f"a floor needs at least one pair of samples, not {pairs}.")
    drawn = [
        distances(distribution.sample(n, generator), distribution.sample(n, generator), metrics) for _ in range(pairs)
    ]
    return {name: _root_mean_square([values[name] for values in drawn]) for name in metrics}


def _root_mean_square(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.sqrt(sum(value**2 for value in known) / len(known)) if len(known) == len(values) else None


def _clouds(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Both clouds as float64 on the CPU. Raises ValueError where they cannot be compared."""
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or not a.shape[1]:
        raise ValueError(f"clouds of shapes {tuple(a.shape)} and {tuple(b.shape)} cannot be compared; give (n, d).")
    if not len(a) or not len(b):
        raise ValueError("an empty cloud has no distance to another.")
    if not (a.isfinite().all() and b.isfinite().all()):
        raise ValueError("a cloud with points that are not finite has no distance to another.")
    return a.detach().cpu().double(), b.detach().cpu().double()


def _distances(x: Tensor, y: Tensor) -> Tensor:
    """|x_i − y_j| from the differences themselves (n, m); the expanded square loses the digits of near points."""
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")


def _squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """|x_i − y_j|² (n, m)."""
    return _distances(x, y).square_()


def _same(distance: Tensor) -> Tensor:
    return distance


def _sum_between(x: Tensor, y: Tensor, of: Callable[[Tensor], Tensor] = _same) -> float:
    """Σ over i, j of of(|x_i − y_j|), a few rows at a time."""
    rows = max(1, _BLOCK // len(y))
    return sum(float(of(_distances(x[start : start + rows], y)).sum()) for start in range(0, len(x), rows))


def _sum_within(x: Tensor, of: Callable[[Tensor], Tensor] = _same) -> float:
    """Σ over i, j of of(|x_i − x_j|), i = j included; pairs further apart than a block are computed once."""
    total, rows = 0.0, max(1, _BLOCK // len(x))
    for start in range(0, len(x), rows):
        block, rest = x[start : start + rows], x[start + rows :]
        total += float(of(_distances(block, block)).sum()) + 2 * float(of(_distances(block, rest)).sum())
    return total


def _median_distance(a: Tensor, b: Tensor) -> float | None:
    """Median of the positive distances in the pooled sample; None where all points are equal."""
    pooled = torch.cat([x[:: math.ceil(len(x) / 1_000)] for x in (a, b)])
    distance = torch.pdist(pooled)
    positive = distance[distance > 0]
    return float(positive.median()) if len(positive) else None
