"""How straight and how costly the paths of a flow are, from one fine solution of it.

The solution is made by the caller and always the same way (Heun, 100 steps), whatever sampler is shown: seen
through one Euler step every field looks straight.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class PathFigures:
    """Figures of a flow's paths Z_t with velocity v; all in squared units of the data.

    straightness: S = E∫|(Z1 − Z0) − v(Z_t, t)|² dt (Liu et al. 2023, straightness of a flow); 0 where paths are
        straight and run at constant speed.
    energy: E∫|v(Z_t, t)|² dt, the kinetic energy of Benamou & Brenier (2000).
    transport_cost: E|Z1 − Z0|², so that energy = transport_cost + straightness but for the discretisation.
    """

    straightness: float
    energy: float
    transport_cost: float


def path_figures(t: Tensor, x: Tensor, v: Tensor) -> PathFigures | None:
    """Measures a solution from its times t (T,), ascending, states x (T, n, d) and velocities v (T, n, d) there.

    Time integrals are by the trapezoid rule, whose error on a smooth field falls with the squared step. Where
    the times do not span exactly 1 (a path whose coefficients are not finite at an end) Z1 − Z0 is divided by
    the span within S, so that a straight path still has S = 0. None where a value is not finite, as in a
    solution that diverged.

    Raises ValueError where the shapes do not fit, there are fewer than two times or no point, or the times do
    not ascend.
    """
    if x.ndim != 3 or x.shape != v.shape or t.shape != x.shape[:1] or len(t) < 2 or not x.shape[1]:
        raise ValueError(f"t {tuple(t.shape)}, x {tuple(x.shape)} and v {tuple(v.shape)} are not T ≥ 2 states.")
    t, x, v = (value.detach().cpu().double() for value in (t, x, v))
    if not all(bool(value.isfinite().all()) for value in (t, x, v)):
        return None
    if not (t.diff() > 0).all():
        raise ValueError("the times of a solution must ascend.")
    return PathFigures(
        straightness=float(torch.trapezoid(bending(t, x, v).mean(1), t)),
        energy=float(torch.trapezoid(v.square().sum(-1).mean(-1), t)),
        transport_cost=float((x[-1] - x[0]).square().sum(-1).mean()),
    )


def bending(t: Tensor, x: Tensor, v: Tensor) -> Tensor:
    """|(Z1 − Z0) − v(Z_t, t)|² of each particle at each time, (T, n), of a solution as in `path_figures`.

    Its mean over particles is where in time straightness is lost, its integral over time from which starting points;
    both together are S.
    """
    t, x, v = (value.detach().cpu().double() for value in (t, x, v))
    return ((x[-1] - x[0]) / (t[-1] - t[0]) - v).square().sum(-1)


def npe(energy: float, w2_squared: float | None) -> float | None:
    """Normalised path energy |E∫|v|² dt − W2²| / W2² (Tong et al. 2024), 0 for the optimal transport.

    W2² is between source and target, in squared units of the data, as the energy is. None where it is zero,
    source and target being the same, or not known.
    """
    return abs(energy - w2_squared) / w2_squared if w2_squared else None
