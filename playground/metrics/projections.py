"""One-dimensional transport, and the fixed directions along which sliced distances look."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.float64]


def directions(dim: int, count: int = 128) -> Tensor:
    """The fixed unit vectors of the sliced distances: (count, dim) float64, or [[1]] in one dimension.

    In 2-D they are evenly spaced over the half circle, at angles π(k + ½)/count for k = 0 … count − 1, so that
    the mean over them is a quadrature and not a Monte-Carlo estimate (the browser uses the same angles); from
    3-D on they are normalised Gaussians of one fixed seed.

    Raises ValueError where dim or count is less than 1.
    """
    if dim < 1 or count < 1:
        raise ValueError(f"directions need dim and count of at least 1, not {dim} and {count}.")
    if dim == 1:
        return torch.ones(1, 1, dtype=torch.float64)
    if dim == 2:
        angles = math.pi * (torch.arange(count, dtype=torch.float64) + 0.5) / count
        return torch.stack([angles.cos(), angles.sin()], dim=1)
    normal = torch.randn(count, dim, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.normalize(normal, dim=1)


def sorted_projections(x: Tensor, onto: Tensor) -> Array:
    """Projects points x (n, d) onto directions (k, d) and sorts each projection: (k, n), both float64."""
    projected: Array = (onto @ x.T).contiguous().numpy()
    projected.sort(axis=1)  # numpy's vectorised sort: ten times faster than torch's here
    return projected


def transport_1d(a: Array, b: Array) -> Array:
    """Squared W2 between rows of sorted points a (k, n) and b (k, m), each of equal weights: (k,).

    W2² = ∫₀¹ (F_a⁻¹(q) − F_b⁻¹(q))² dq (Peyré & Cuturi 2019, §2.6, 1-D case). Both quantile functions are constant
    between multiples of 1/n and of 1/m, so the sum over the merged grid is the integral, exactly.
    """
    n, m = a.shape[1], b.shape[1]
    if n == m:
        return np.asarray(np.square(a - b).mean(axis=1))
    # The grid in units of 1/(n m), as integers: no rounding can make two equal quantiles differ.
    cuts = np.union1d(np.arange(1, n + 1, dtype=np.int64) * m, np.arange(1, m + 1, dtype=np.int64) * n)
    widths = np.diff(cuts, prepend=0) / (n * m)
    return np.asarray(np.square(a[:, (cuts - 1) // m] - b[:, (cuts - 1) // n]) @ widths)
