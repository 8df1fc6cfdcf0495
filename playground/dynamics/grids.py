"""Grids of times: where a solver of fixed steps stands between the start and the end."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

GridName = Literal["uniform", "quadratic", "cosine"]

WARPS: dict[GridName, Callable[[float], float]] = {
    "uniform": lambda u: u,
    "quadratic": lambda u: u * (2 - u),
    "cosine": lambda u: 1 - math.cos(math.pi / 2 * u),
}
"""Where of [0, 1] the share u of the steps has been taken.

- uniform: steps of one length.
- quadratic: dense towards the target; the time left is (1 − u)², the quadratic selection of DDIM (Song, Meng and
  Ermon 2021, appendix D.2).
- cosine: dense towards the source; the schedule of CosyVoice (Du et al. 2024), for fields that bend early.
"""


def grid(name: GridName, start: float, stop: float, steps: int) -> list[float]:
    """The steps + 1 ascending times from start to stop, both of them exact."""
    warp = WARPS[name]
    return [start + (stop - start) * warp(k / steps) for k in range(steps)] + [stop]
