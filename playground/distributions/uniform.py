"""The uniform distribution on an interval, a rectangle or a box."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import torch
from pydantic import Field, ValidationInfo, field_validator
from torch import Generator, Tensor

from playground.distributions.axes import ONE_OR_MORE, Coordinate, DimensionFree


class Uniform(DimensionFree):
    """Every point of an interval, a rectangle or a box is equally likely."""

    kind: Literal["uniform"] = "uniform"
    low: Annotated[tuple[Coordinate, ...], ONE_OR_MORE] = Field(
        (-2.0,),
        min_length=1,
        max_length=3,
        title="Lower end",
        description="Where it begins: one value for every axis, or one for each.",
        json_schema_extra={"step": 0.1},
    )
    high: Annotated[tuple[Coordinate, ...], ONE_OR_MORE] = Field(
        (2.0,),
        min_length=1,
        max_length=3,
        title="Upper end",
        description="Where it ends: one value for every axis, or one for each.",
        json_schema_extra={"step": 0.1},
    )

    @field_validator("high")
    @classmethod
    def _above_low(cls, high: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        low = info.data.get("low", ())
        for bottom, top in _pairs(low, high):
            if top < bottom + 0.001:
                raise ValueError(f"{top:g} is too small; choose at least 0.001 above the lower end, {bottom:g}.")
        return high

    def draw(self, n: int, generator: Generator) -> tuple[Tensor, Tensor]:
        u = torch.rand(n, self._settled(), generator=generator, device=generator.device)
        low, high = self._vector(self.low, u), self._vector(self.high, u)
        return low + (high - low) * u, torch.zeros(n, dtype=torch.int64, device=generator.device)

    def log_prob(self, x: Tensor) -> Tensor:
        inside = ((x >= self._vector(self.low, x)) & (x <= self._vector(self.high, x))).all(1)
        return torch.where(inside, -self.entropy(), -math.inf).to(x.dtype)

    def entropy(self) -> float:
        """The logarithm of the volume."""
        sides = [math.log(high - low) for low, high in _pairs(self.low, self.high)]
        return sum(sides) if len(sides) > 1 else sides[0] * self._settled()


def _pairs(low: tuple[float, ...], high: tuple[float, ...]) -> list[tuple[float, float]]:
    """Both ends on each axis, where either may be one value for all; empty where one is missing."""
    axes = max(len(low), len(high)) if low and high else 0
    return [(low[i % len(low)], high[i % len(high)]) for i in range(axes)]
