"""Mode coverage: which of a target's modes a sample reaches, and how much of it lies on any mode."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor

from playground.distributions.base import Modes

RADIUS = 3.0
"""How many standard deviations around a mode count as belonging to it."""
FEWEST = 10
"""Points that a mode must have for its width to be told."""
HALFWAY = (0.6744897501960817, 1.1774100225154747, 1.5381722544550522)
"""In one, two and three dimensions the distance from its mean, in standard deviations, of half of a Gaussian."""


@dataclass(frozen=True)
class Coverage:
    """How a sample spreads over k modes. All shares are of the whole sample, low-quality points included.

    modes_total: k.
    modes_covered: modes with at least one high-quality point (VEEGAN); noise that is spread wide enough scores
        well by it, so it means little without high_quality.
    modes_covered_strict: modes that hold at least one point and at least 1 % of the sample. A mode whose own
        weight is about 1 % or less, as on a grid of 10 × 10, cannot be counted on to pass even for a perfect
        sampler.
    high_quality: share of the points within 3 standard deviations of a mode. A perfect sample has .9973 of them in
        one dimension and 1 − e^{−9/2} = .9889 in two.
    shares: (k) share of the points that are high-quality points of each mode; they sum to high_quality.
    spread: how many times too wide the modes are: half of the points of which a mode is the nearest lie within this
        many times the distance within which half of them should; the mean over the modes with at least FEWEST
        points. 1 for a perfect sample; None where no mode has so many.
    """

    modes_total: int
    modes_covered: int
    modes_covered_strict: int
    high_quality: float
    shares: tuple[float, ...]
    spread: float | None


def coverage(x: Tensor, modes: Modes) -> Coverage:
    """Counts the modes that a sample x (n, d) reaches, by VEEGAN's protocol (Srivastava et al. 2017, synthetic data).

    A point belongs to its nearest mode, the first of several as near, and is of high quality when it lies within 3
    standard deviations of it, edge included. Distances are Euclidean, in units of each mode's own standard deviation,
    which for modes of one width, as in the protocol, names the same mode as plain distance does. The protocol draws
    2,500 points. Points that are not finite count as points of low quality, and an empty sample gives zeros.

    Raises ValueError where x is not (n, d) with the modes' d.
    """
    centers = modes.centers.detach().cpu().double()
    if x.ndim != 2 or x.shape[1] != centers.shape[1]:
        raise ValueError(f"points of shape {tuple(x.shape)} do not fit modes in {centers.shape[1]} dimensions.")
    distances = torch.cdist(x.detach().cpu().double(), centers, compute_mode="donot_use_mm_for_euclid_dist")
    distance, nearest = (distances / modes.std.detach().cpu().double()).min(dim=1)
    known = distance.isfinite()
    owned = [distance[known & (nearest == k)] for k in range(len(centers))]
    halfway = [float(own.quantile(0.5)) for own in owned if len(own) >= FEWEST]
    counts = nearest[distance <= RADIUS].bincount(minlength=len(centers)).tolist()
    return Coverage(
        modes_total=len(counts),
        modes_covered=sum(count > 0 for count in counts),
        modes_covered_strict=sum(count > 0 and 100 * count >= len(x) for count in counts),
        high_quality=sum(counts) / max(len(x), 1),
        shares=tuple(count / max(len(x), 1) for count in counts),
        spread=fmean(halfway) / HALFWAY[x.shape[1] - 1] if halfway else None,
    )
