"""How training times are spread over a path: each choice is the quantile function of a distribution on [0, 1]."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from playground.choice import FROM_NAME, Choice

Noise = Callable[[Tensor], Tensor]
"""The logarithm of a path's noise-to-signal ratio at shares of its time in (0, 1), in float64."""
Quantile = Callable[[Tensor], Tensor]


class Times(Choice):
    """A distribution of training times on [0, 1], where 0 is the source's end of the path and 1 the target's.

    Being a quantile function it keeps what is stratified stratified.
    """

    @abstractmethod
    def on(self, noise: Noise) -> Quantile:
        """The quantile function on the path whose noise at a share of its time is given.

        It takes shares u, in (0, 1) and of any shape, to the times below which they lie.
        """


class FixedTimes(Times):
    """Times that do not depend on the path."""

    def on(self, noise: Noise) -> Quantile:
        return self.quantile

    @abstractmethod
    def quantile(self, u: Tensor) -> Tensor:
        """The times below which the shares u, in [0, 1] and of any shape, lie."""


class UniformTimes(FixedTimes):
    """Every time equally often."""

    kind: Literal["uniform"] = "uniform"

    def quantile(self, u: Tensor) -> Tensor:
        return u


class LogitNormalTimes(FixedTimes):
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


class UShapedTimes(FixedTimes):
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


FARTHEST = 17.0
"""Times are known to 1 / (1 + e^17) from either end: nearer ones are no different in float32."""
NODES = 4097
"""Times between these at which the noise is looked up."""


class NoiseTimes(Times):
    """As often at each level of noise as a logistic distribution has it: most where detail of the target is decided.

    r = log(noise / signal) ~ Logistic(mean, scale), cut to the levels of the path: the log-normal distribution of EDM
    (Karras et al. 2022, table 1) with heavier tails, so that no level goes untrained. Noise and signal are in units of
    the source's and the target's deviation, r = log(√(sigma² s0² + gamma²) / (alpha s1)).
    """

    kind: Literal["noise"] = "noise"
    title: ClassVar[str] = "By noise"
    mean: float = Field(
        -1.5,
        ge=-6,
        le=3,
        title="Mean",
        description="The logarithm of the noise-to-signal ratio that is trained most: below 0 the target outweighs "
        "the noise.",
        json_schema_extra={"step": 0.1},
    )
    scale: float = Field(
        0.8,
        ge=0.1,
        le=5,
        title="Spread",
        description="How far the levels of noise spread from it.",
        json_schema_extra={"step": 0.1},
    )

    def on(self, noise: Noise) -> Quantile:
        logits = torch.linspace(FARTHEST, -FARTHEST, NODES, dtype=torch.float64)
        levels = noise(torch.sigmoid(logits)).cummax(0).values  # from the target's end to the source's
        least, most = (torch.sigmoid((end - self.mean) / self.scale) for end in (levels[0], levels[-1]))
        gaps = levels.diff().clamp(min=1e-12)

        def quantile(u: Tensor) -> Tensor:
            r = self.mean + self.scale * torch.logit(most + (least - most) * u.double().cpu())
            cell = torch.searchsorted(levels, r).clamp(1, NODES - 1) - 1
            place = cell + ((r - levels[cell]) / gaps[cell]).clamp(0, 1)  # on a linear path logit t = −r, up to s0 / s1
            return torch.sigmoid(FARTHEST * (1 - 2 * place / (NODES - 1))).to(u)

        return quantile


AnyTimes = Annotated[
    NoiseTimes | UniformTimes | LogitNormalTimes | UShapedTimes, Field(discriminator="kind"), FROM_NAME
]
