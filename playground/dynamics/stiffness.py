"""The times between which a field that is singular at an end of its path can be followed by a solver."""

from __future__ import annotations

from collections.abc import Callable

from playground.dynamics.path import Path

STIFFNESS = 100.0
"""The rate of growth or contraction up to which 50 steps of any solver land where they should; they overshoot beyond.

At it the linear path stays 0.01 away from its ends."""


def first_time(path: Path, stiffness: float = STIFFNESS) -> float:
    """The first time at which alpha grows by no more than this rate, relative to itself: t_min unless it is 0 there."""

    def too_stiff(t: float) -> bool:
        c = path.at(t)
        return float(c.d_alpha) >= stiffness * float(c.alpha)

    return _edge(too_stiff, path.t_min)


def last_time(path: Path, stiffness: float = STIFFNESS) -> float:
    """The last time at which √(sigma² + gamma²) shrinks at no more than this rate.

    It is t_max but where sigma and gamma all but vanish together there: what is left of the source and the noise is
    then drawn to its end ever faster.
    """

    def too_stiff(t: float) -> bool:
        c = path.at(t)
        return -float(c.d_sigma * c.sigma + c.d_gamma * c.gamma) >= stiffness * float(c.sigma**2 + c.gamma**2)

    return _edge(too_stiff, path.t_max)


def _edge(too_stiff: Callable[[float], bool], end: float) -> float:
    """The time nearest to an end of the path, on its half of it, that is not too stiff."""
    if not too_stiff(end):
        return end
    stiff, calm = end, 0.5
    while abs(stiff - calm) > 1e-9:
        middle = (stiff + calm) / 2
        stiff, calm = (middle, calm) if too_stiff(middle) else (stiff, middle)
    return calm
