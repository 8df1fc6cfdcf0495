"""What a conditional sample is worth, class by class: does it lie in its class, and does it fill it.

Guidance trades the one for the other, so neither means much alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from playground.distributions.base import Modes
from playground.metrics.coverage import RADIUS

NEIGHBOURS = 5
"""k of the balls that coverage is counted with. Of a perfect sample, as large as the real one, 1 − 2^−k are covered."""


@dataclass(frozen=True)
class ClassFigures:
    """Figures of a sample whose points were asked for by class, of one class or as the mean over all points.

    in_class: share of the points whose nearest real point is of their class.
    high_quality: share within 3 standard deviations of the mode that their class is; None where classes are no modes.
    coverage: share of the class's real points that have a sample of the class within the distance of their 5th nearest
        real neighbour in it (Naeem et al. 2020, eq. 8), among as many of each; .97 for a perfect sample.
    spread: root mean square distance of the points from their own mean, over that of the exact class: of its mode, or
        of its real points where it is none. 1 for a perfect sample, and less where diversity is lost.
    """

    in_class: float
    high_quality: float | None
    coverage: float | None
    spread: float


def class_figures(
    x: Tensor, labels: Tensor, real: Tensor, real_labels: Tensor, modes: Modes | None = None
) -> dict[int, ClassFigures]:
    """The figures of each class of a sample x (n, d) with its labels (n,), against real points (m, d) with theirs.

    modes: where class k of the target is a round Gaussian, mode k. Classes that the sample or the real points have less
    than two points of are left out; coverage is None where there are not more than NEIGHBOURS real ones.
    """
    x, real = x.detach().cpu().double(), real.detach().cpu().double()
    labels, real_labels = labels.cpu(), real_labels.cpu()
    finite = x.isfinite().all(1)
    nearest = real_labels[_distances(x.nan_to_num(), real).argmin(1)]
    found = {}
    for label in torch.unique(labels).tolist():
        chosen = labels == label
        points, own = x[chosen & finite], real[real_labels == label]
        if len(points) < 2 or len(own) < 2:
            continue
        exact = _radius(own) if modes is None else float(modes.std[label]) * math.sqrt(x.shape[1])
        found[label] = ClassFigures(
            in_class=float((nearest[chosen] == label).double().mean()),
            high_quality=None if modes is None else _on_mode(x[chosen], modes, label),
            coverage=_covered(points, own),
            spread=_radius(points) / exact,
        )
    return found


def overall(figures: dict[int, ClassFigures], labels: Tensor) -> ClassFigures:
    """The mean of the figures of the classes, each as often as it was asked for."""
    counts = {label: int((labels == label).sum()) for label in figures}

    def mean(name: str) -> float | None:
        known = {label: value for label, one in figures.items() if (value := getattr(one, name)) is not None}
        total = sum(counts[label] for label in known)
        return sum(counts[label] * value for label, value in known.items()) / total if total else None

    in_class, spread = mean("in_class"), mean("spread")
    if in_class is None or spread is None:
        return ClassFigures(math.nan, None, None, math.nan)
    return ClassFigures(in_class, mean("high_quality"), mean("coverage"), spread)


def _covered(points: Tensor, own: Tensor) -> float | None:
    """The share of real points in whose ball there is a sample, among as many of both."""
    count = min(len(points), len(own))
    points, own = points[:count], own[:count]
    if count <= NEIGHBOURS:
        return None
    radius = _distances(own, own).kthvalue(NEIGHBOURS + 1, dim=1).values  # the nearest is the point itself
    return float((_distances(own, points).amin(1) <= radius).double().mean())


def _on_mode(x: Tensor, modes: Modes, label: int) -> float:
    away = (x - modes.centers[label].double()).norm(dim=1)
    return float((away <= RADIUS * float(modes.std[label])).double().mean())


def _radius(x: Tensor) -> float:
    return float((x - x.mean(0)).square().sum(1).mean().sqrt())


def _distances(x: Tensor, y: Tensor) -> Tensor:
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
