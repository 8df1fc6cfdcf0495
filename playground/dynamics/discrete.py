"""The discrete diffusion of DDPM as a path: how much signal is left after each of its T steps of noising.

DDPM counts its steps i = 0, …, T from the data to the noise; here step i is at the time t = 1 − i / T, and this file is
where that is converted. The points of step i are x = √ᾱ x1 + √(1 − ᾱ) x0, with ᾱ the product of 1 − β up to i.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from playground.dynamics.path import Coefficients, Path

Schedule = Literal["linear_beta", "cosine_alpha_bar"]

BETA_MIN, BETA_MAX = 0.1, 20.0
"""The rates of noising at both ends that Ho et al. (2020) have at T = 1000: T β from 1e-4 and 0.02."""
OFFSET = 0.008
"""s of the cosine schedule (Nichol and Dhariwal 2021, eq. 17)."""
MOST_BETA = 0.999
"""Its β are cut there."""
NOTHING = 1e-6
"""Less noise than this is rounding: at t = 1 there is none."""
WITHIN = 1e-3
"""A time so near to a step, in steps, is the step's: float32 does not always reach it."""


def betas(schedule: Schedule, timesteps: int) -> Tensor:
    """β of the steps 1, …, T: (T,) in float64.

    - linear_beta: β_i = 1 − exp(−∫β) over the i-th of T equal parts of [0, 1], β rising linearly from 0.1 to 20: the
      linear schedule of DDPM (Ho et al. 2020, section 4) for any T, with the same noise at the end.
    - cosine_alpha_bar: from ᾱ = cos²(π/2 (i/T + s) / (1 + s)) (Nichol and Dhariwal 2021, eq. 17).
    """
    tau = torch.linspace(0, 1, timesteps + 1, dtype=torch.float64)
    if schedule == "linear_beta":
        integral = BETA_MIN * tau + 0.5 * (BETA_MAX - BETA_MIN) * tau**2
        return -torch.expm1(-integral.diff())
    signal = torch.cos(math.pi / 2 * (tau + OFFSET) / (1 + OFFSET)).square()
    return (1 - signal[1:] / signal[:-1]).clamp(max=MOST_BETA)


def alpha_bars(schedule: Schedule, timesteps: int) -> Tensor:
    """ᾱ of the steps 0, …, T: (T + 1,) in float64, from 1 down."""
    return torch.cat([torch.ones(1, dtype=torch.float64), (1 - betas(schedule, timesteps)).cumprod(0)])


class DiscretePath(Path):
    """The noising of DDPM, in discrete steps.

    Between two of its times the angle φ of x = sin φ x1 + cos φ x0 moves evenly: the flow has a velocity there, and
    at t = 1 as well.
    """

    kind: Literal["discrete"] = "discrete"
    title: ClassVar[str] = "Discrete diffusion (DDPM)"
    schedule: Schedule = "linear_beta"
    timesteps: int = Field(100, ge=2, le=1000)

    @cached_property
    def _angles(self) -> Tensor:
        """φ at the times 0, 1/T, …, 1: (T + 1,)."""
        signal = alpha_bars(self.schedule, self.timesteps).flip(0)
        return torch.atan2(signal.sqrt(), (1 - signal).clamp(min=0).sqrt())

    @property
    def steps(self) -> int:
        return self.timesteps

    def coefficients(self, t: Tensor) -> Coefficients:
        angles = self._angles.to(t)
        place = t * self.timesteps
        cell = (place + WITHIN).floor().clamp(0, self.timesteps - 1).long()
        turn = angles[cell + 1] - angles[cell]
        angle = angles[cell] + (place - cell) * turn
        alpha, sigma = torch.sin(angle), torch.cos(angle)
        sigma = torch.where(sigma < NOTHING, 0, sigma)
        rate = turn * self.timesteps
        return Coefficients.of(alpha, sigma, rate * sigma, -rate * alpha)

    def nodes(self) -> Tensor:
        return torch.linspace(0, 1, self.timesteps + 1, dtype=torch.float64)

    def snapped(self, times: Sequence[float]) -> list[float]:
        steps = sorted({min(max(math.floor(t * self.timesteps + 0.5), 0), self.timesteps) for t in times})
        return [step / self.timesteps for step in steps]

    def describe(self) -> dict[str, Any]:
        """As any path; its table says with `timesteps` that the angle moves evenly between the nodes."""
        told = super().describe()
        columns = {name: [float(f"{value:.9g}") for value in column] for name, column in told["table"].items()}
        return told | {"table": columns | {"timesteps": self.timesteps}}
