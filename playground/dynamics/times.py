"""How training times are spread over a path: each choice is the quantile function of a distribution on [0, 1]."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from playground.choice import FROM_NAME, Choice


class Times(Choice):
    """A distribution of training times on [0, 1], where 0 is the source's end of the path and 1 the target's.

    Being a quantile function it keeps what is stratified stratified.
    """

    @abstractmethod
    def quantile(self, u: Tensor) -> Tensor:
        """The times below which the shares u, in [0, 1] and of any shape, lie."""


class UniformTimes(Times):
    """Every time equally often."""

    kind: Literal["uniform"] = "uniform"

    def quantile(self, u: Tensor) -> Tensor:
        return u


class LogitNormalTimes(Times):
    """More often in the middle of the path, where the field is hardest to learn.

    logit(t) ~ N(mean, std²) (Stable Diffusion 3, Esser et al. 2024, eq. 19, whose time runs the other way).
    """

    kind: Literal["logit_normal"] = "logit_normal"
    title: ClassVar[str] = "Logit-normal"
    mean: float = Field(
        0.0,
        ge=-3,
        le=3,
        title="Mean",
        description="Above 0 the times lie nearer to the target, below nearer to the source.",
        json_schema_extra={"step": 0.1},
    )
    std: float = Field(
        1.0,
        ge=0.1,
        le=3,
        title="Spread",
        description="How far they spread from the middle.",
        json_schema_extra={"step": 0.1},
    )

    def quantile(self, u: Tensor) -> Tensor:
        return torch.sigmoid(self.mean + self.std * torch.special.ndtri(u))


class UShapedTimes(Times):
    """More often at both ends of the path, where a rectified flow's loss is largest.

    Of density proportional to cosh(a (t − ½)) (Lee, Lin and Fanti 2024, with a = 4 for reflowed pairs).
    """

    kind: Literal["u_shaped"] = "u_shaped"
    title: ClassVar[str] = "U-shaped"
    steepness: float = Field(
        4.0,
        ge=0.5,
        le=20,
        title="Steepness",
        description="How strongly the ends are preferred.",
        json_schema_extra={"step": 0.5},
    )

    def quantile(self, u: Tensor) -> Tensor:
        return 0.5 + torch.asinh((2 * u - 1) * math.sinh(self.steepness / 2)) / self.steepness


AnyTimes = Annotated[UniformTimes | LogitNormalTimes | UShapedTimes, Field(discriminator="kind"), FROM_NAME]
