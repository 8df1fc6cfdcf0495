"""How sharp a sample is, told from nearest neighbours: figures that see what is blurred at any scale.

Transport distances weigh a wrong point by how far it would have to go, so that a mode five times too wide costs
nothing beside the chance in how many points each mode has. The balls that reach to a point's k-th nearest neighbour
follow the density instead: they are as small as the target is fine. `benchmarks/metrics.py` prints how well each
figure tells a blurred sample from a real one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Generator, Tensor

from playground.distributions.base import Distribution

Array = NDArray[np.float64]

NEIGHBOURS = 5
"""k: the more, the less the figures vary from sample to sample, and the coarser what they see."""
FINEST = 1e-7
"""The least distance, as a share of the target's deviation: points may be equal."""


@dataclass(frozen=True)
class Sharpness:
    """Figures of a sample against real points; each has a floor, what real points have against other real points.

    sample_kl: KL(target ‖ sample) in nats, estimated; about 0 for a perfect sample, and at times below.
    stray: share of the sample that lies where no real point is near: outside all balls around real points that reach to
        their own 5th nearest neighbour.
    missed: share of the real points to which no point of the sample is near, by the same rule with the two exchanged.
    """

    sample_kl: float
    stray: float
    missed: float


SHARPNESS: tuple[str, ...] = tuple(field.name for field in fields(Sharpness))


def sharpness(x: Tensor, real: Tensor) -> Sharpness | None:
    """The figures of a sample x (n, d) against real points (m, d).

    The divergence is d/m Σ_i log(ν_i / ρ_i) + log(n / (m − 1)), with ρ_i and ν_i the distances from real point i to its
    k-th nearest among the other real points and among the sample (Wang, Kulkarni & Verdú 2009, eq. 5; k the same for
    both, so that their biases cancel). It sees nothing finer than those distances: edges and tails that n points hardly
    show are missing from it. Stray and missed points are the complements of precision and recall of
    Kynkäänniemi et al. (2019), in the space of the data. k is NEIGHBOURS, or all but one of fewer points.

    None where a point is not finite. Raises ValueError where the two differ in dimension or have fewer than two points.
    """
    if x.ndim != 2 or real.ndim != 2 or x.shape[1] != real.shape[1] or min(len(x), len(real)) < 2:
        raise ValueError(f"points of shapes {tuple(x.shape)} and {tuple(real.shape)} cannot be compared; give (n, d).")
    if not (x.isfinite().all() and real.isfinite().all()):
        return None
    from scipy.spatial import cKDTree  # here, so that importing the package imports no SciPy

    sample, target = (points.detach().cpu().double().numpy() for points in (x, real))
    n, (m, d) = len(sample), target.shape
    k = min(NEIGHBOURS, n - 1, m - 1)
    of_sample, of_target = cKDTree(sample), cKDTree(target)
    least = max(FINEST * float(np.sqrt(target.var(0).mean())), FINEST)
    own, other = _kth(of_target, target, k + 1), _kth(of_sample, target, k)  # a point is its own nearest
    ratio = np.maximum(other, least) / np.maximum(own, least)
    return Sharpness(
        sample_kl=float(d * np.log(ratio).mean() + math.log(n / (m - 1))),
        stray=_outside(sample, of_sample, target, own),
        missed=_outside(target, of_target, sample, _kth(of_sample, sample, k + 1)),
    )


def sharpness_figures(x: Tensor, real: Tensor) -> dict[str, float | None]:
    """The figures by name, each None where `sharpness` is."""
    found = sharpness(x, real)
    return {name: None if found is None else getattr(found, name) for name in SHARPNESS}


def sharpness_floor(
    distribution: Distribution, n: int, generator: Generator, pairs: int = 8
) -> dict[str, float | None]:
    """The figures of n real points against n others, the root mean square over so many pairs: the least to be seen."""
    drawn = [sharpness_figures(*(distribution.sample(n, generator) for _ in "xy")) for _ in range(pairs)]
    return {name: _root_mean_square([one[name] for one in drawn]) for name in SHARPNESS}


def _root_mean_square(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.sqrt(sum(value**2 for value in known) / len(known)) if len(known) == len(values) else None


def _kth(tree: Any, points: Array, k: int) -> Array:
    """The distance of each point (n, d) to the k-th nearest in the tree: (n,)."""
    found: Array = tree.query(points, k=[k])[0][:, 0]
    return found


def _outside(points: Array, tree: Any, centers: Array, radii: Array) -> float:
    """The share of points, which the tree holds, that lie in no ball around the centers (m, d) of the radii (m,)."""
    inside = np.zeros(len(points), dtype=bool)
    for found in tree.query_ball_point(centers, radii):
        inside[found] = True
    return 1 - float(inside.mean())
