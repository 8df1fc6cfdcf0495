"""The least that carrying a source to a target can cost: estimated, since between samples it costs more."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from playground.distributions.base import Distribution
from playground.metrics.distances import symmetric_root, w2

_MOMENTS = 2**18
"""Points on which mean and covariance of a distribution are taken."""

_SORTED = 10_000
"""Points of a cloud in one dimension, where transport is a sort."""

_CERTAIN = 3
"""A cost below so many of its standard errors cannot be told from 0."""

_DOUBT = 0.25
"""The part of an extrapolation that is counted as its error: no law of the bias is exact at so few points."""


@dataclass(frozen=True)
class Cost:
    """W2² between a source and a target, in squared units of the data, and how far off it may be (a standard error)."""

    value: float
    error: float


def optimal_cost(
    source: Distribution, target: Distribution, generator: Generator, n: int = 1000, draws: int = 8
) -> Cost:
    """W2²(source, target), the cost of the optimal transport between two distributions of d dimensions.

    Between two samples of n points optimal transport costs more than between what they are drawn from, since W2² is
    convex in both. The bias falls as 1/n, log n / n or n^(−2/d) in one, two or more dimensions (Ajtai, Komlós & Tusnády
    1984; Fournier & Guillin 2015): the estimate goes on from the cost at n/2 and at n, on the same points, to where
    that law ends. What is so extrapolated is only the excess over Gelbrich's bound (1990),
    |m − m'|² + tr(Σ + Σ' − 2(Σ^½ Σ' Σ^½)^½) ≤ W2², an equality between Gaussians, whose moments are had from many more
    points. The mean over independent draws; 0 where it cannot be told from 0. About a second with the defaults;
    in one dimension, where transport is a sort, n is 10,000 whatever is given.

    Raises ValueError where n is less than 10, draws less than 2, or the two differ in dimension.
    """
    if n < 10 or draws < 2:
        raise ValueError(f"an optimal cost needs at least two draws of ten points, not {draws} of {n}.")
    bound = _gelbrich(source.sample(_MOMENTS, generator), target.sample(_MOMENTS, generator))
    if source.dim == 1:
        n = _SORTED
    drawn = []
    for _ in range(draws):
        x, y = source.sample(n, generator), target.sample(n, generator)
        halves = [_excess(x[part::2], y[part::2]) for part in (0, 1)]
        drawn.append((_excess(x, y), sum(halves) / 2, _gelbrich(x, y)))
    whole, half, moments = torch.tensor(drawn, dtype=torch.float64).T
    ratio = _bias(n // 2, x.shape[1]) / _bias(n, x.shape[1])
    correction = (half - whole) / (ratio - 1)
    value = bound + max(0.0, float((whole - correction).mean()))
    noise = (whole - correction).var() / draws + moments.var() * n / _MOMENTS
    error = float((noise + (_DOUBT * correction.mean()) ** 2).sqrt())
    return Cost(value if value > _CERTAIN * error else 0.0, error)


def _bias(n: int, dim: int) -> float:
    """How the bias of W2² between samples of n points falls with n, up to a factor."""
    return math.log(n) / n if dim == 2 else n ** (-2 / max(2, dim))


def _excess(x: Tensor, y: Tensor) -> float:
    """W2² of two clouds over their Gelbrich bound."""
    distance = w2(x, y)
    if distance is None:
        raise ValueError(f"exact transport between {len(x):,} points needs POT; choose a smaller n.")
    return distance**2 - _gelbrich(x, y)


def _gelbrich(x: Tensor, y: Tensor) -> float:
    """The W2² of two Gaussians with the moments of x (n, d) and y (m, d)."""
    x, y = x.double(), y.double()
    a, b = (torch.cov(points.T, correction=0).reshape(points.shape[1], -1) for points in (x, y))
    root = symmetric_root(a)
    between = (x.mean(0) - y.mean(0)).square().sum()
    return float(between + (a + b - 2 * symmetric_root(root @ b @ root)).trace())
