"""Grids of times: where a solver of fixed steps stands between the start and the end."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from playground.dynamics.path import Path

GridName = Literal["uniform", "late", "quadratic", "cosine", "karras"]

WARPS: dict[GridName, Callable[[float], float]] = {
    "uniform": lambda u: u,
    "late": lambda u: 1 - (1 - u) ** 1.5,
    "quadratic": lambda u: u * (2 - u),
    "cosine": lambda u: 1 - math.cos(math.pi / 2 * u),
}
"""Where of [0, 1] the share u of the steps has been taken.

- uniform: steps of one length.
- late: a little denser towards the target; the time left is (1 − u)^1.5. Along the linear path few steps so keep the
  width of narrow modes best (benchmarks/grids.py).
- quadratic: dense towards the target; the time left is (1 − u)², the quadratic selection of DDIM (Song, Meng and
  Ermon 2021, appendix D.2).
- cosine: dense towards the source; the schedule of CosyVoice (Du et al. 2024), for fields that bend early.
"""
RHO = 7.0
"""How much denser the grid of EDM is at little noise."""
NOISE = 0.002, 80.0
"""The least and the greatest noise-to-signal ratio between which its times are spread, whatever the path."""
HALVINGS, NEAR_ENOUGH = 60, 1e-12
"""How often a time is halved at most, and when it need not be."""


def grid(name: GridName, start: float, stop: float, steps: int, path: Path | None = None) -> list[float]:
    """The steps + 1 times from start to stop, both of them exact.

    path: whose noise the grid karras follows.
    """
    if name == "karras":
        if path is None:
            raise ValueError("the grid karras follows the noise of a path, and there is none; choose uniform.")
        return karras(path, start, stop, steps)
    warp = WARPS[name]
    return [start + (stop - start) * warp(k / steps) for k in range(steps)] + [stop]


def karras(path: Path, start: float, stop: float, steps: int) -> list[float]:
    """Times between which the ρ-th root of the noise-to-signal ratio sigma / alpha falls evenly (EDM, eq. 5), ρ = 7.

    A path that begins in pure noise, or ends without any, does so at their σ_max = 80 and σ_min = 0.002, which are
    meant for data of unit size and N(0, I). Back in time the grid is the same, seen from its end.
    """
    first, last = (min(NOISE[1], max(NOISE[0], noise_to_signal(path, t))) ** (1 / RHO) for t in (start, stop))
    ratios = [(first + k / steps * (last - first)) ** RHO for k in range(1, steps)]
    low, high = min(start, stop), max(start, stop)
    return [start, *(time_at(path, ratio, low, high) for ratio in ratios), stop]


def noise_to_signal(path: Path, t: float) -> float:
    """Sigma / alpha at t, infinite in pure noise; a bridge's own noise does not count."""
    c = path.at(t)
    return float(c.sigma) / float(c.alpha) if float(c.alpha) > 0 else math.inf


def time_at(path: Path, ratio: float, low: float, high: float) -> float:
    """The time between two others at which sigma / alpha, which falls, has a value; the nearer one where it never has.

    By Newton's method for the logarithm, held between times on either side.
    """
    if noise_to_signal(path, low) <= ratio:
        return low
    if noise_to_signal(path, high) >= ratio:
        return high
    time = 0.5 * (low + high)
    for _ in range(HALVINGS):
        c = path.at(time)
        alpha, sigma = float(c.alpha), float(c.sigma)
        excess = math.log(sigma / (ratio * alpha))
        if abs(excess) < NEAR_ENOUGH:
            break
        low, high = (time, high) if excess > 0 else (low, time)
        time -= excess / (float(c.d_sigma) / sigma - float(c.d_alpha) / alpha)
        if not low < time < high:
            time = 0.5 * (low + high)
    return time
