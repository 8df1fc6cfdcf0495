"""Whether samples are copies of the training points, or new points of the same distribution."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

COPY = 1 / 3
"""A copy's nearest training point is nearer than this share of the distance to the second nearest."""


@dataclass(frozen=True)
class Memorisation:
    """How near samples are to the training points, beside what real points that were held out have.

    nearest: the mean distance to the nearest training point, in units of the data. copied: the share of samples whose
    nearest training point is less than a third as far as the second nearest (Yoon et al. 2023). Each `floor` is the
    same of held-out points: samples that generalise have that, and memorised ones go to 0 and 1. Where points repeat
    exactly, as in a discrete target, even held-out points are copies.
    """

    nearest: float
    nearest_floor: float
    copied: float
    copied_floor: float


def memorisation(samples: Tensor, training: Tensor, held_out: Tensor) -> Memorisation:
    """How near samples (n, d) and held-out real points (m, d) are to the training points (k, d), k at least 2.

    Samples that are not finite are left out; with none left the figures are NaN.
    """
    nearest, copied = _near(samples[samples.isfinite().all(1)], training)
    nearest_floor, copied_floor = _near(held_out, training)
    return Memorisation(nearest, nearest_floor, copied, copied_floor)


def _near(points: Tensor, training: Tensor) -> tuple[float, float]:
    """The mean distance to the nearest training point, and the share of copies."""
    from scipy.spatial import KDTree

    found, _ = KDTree(training.double().numpy()).query(points.double().numpy(), k=2)
    first, second = torch.from_numpy(found).reshape(-1, 2).unbind(1)
    return float(first.mean()), float((first < COPY * second).double().mean())
