"""How an energy is learnt without its normaliser: contrastive divergence, score matching, noise contrast."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from playground.choice import FROM_NAME
from playground.models.base import StepCost
from playground.models.energy.base import Energy, Memory, Objective
from playground.models.energy.contrast import ContrastiveDivergence, PersistentContrastiveDivergence


class DenoisingScoreMatching(Objective):
    """The slope of the energy points from a noisy point back to the clean one (Vincent 2011).

    E ‖σ ∇E(u + σz) − z‖²: its minimum is the energy of the data blurred by σ, and no normaliser enters. Slopes are seen
    where the data is: how modes that lie apart share the probability is not learnt, the less the smaller the blur.
    """

    title: ClassVar[str] = "Denoising score matching"
    kind: Literal["denoising"] = "denoising"
    noise: float = Field(
        0.08,
        ge=0.01,
        le=1,
        title="Noise",
        description="Standard deviation of the blur, in those of the data: small is sharp and slow to learn.",
        json_schema_extra={"scale": "log"},
    )

    @property
    def step_cost(self) -> StepCost:
        return StepCost(468, 2.2)

    def loss(self, energy: Energy, weights: Tensor, u: Tensor, memory: Memory) -> Tensor:
        z = memory.normal(u)
        _, slope = _slope(energy, weights, u + self.noise * z)
        return (self.noise * slope - z).square().sum(1).mean()


class SlicedScoreMatching(Objective):
    """Score matching along random directions v (Song et al. 2019, eq. 8): E[½‖∇E‖² − vᵀ∇²E v].

    It wants a smooth density: a little noise on the points sees to that. Like the other it is blind to the shares of
    modes that lie apart.
    """

    title: ClassVar[str] = "Sliced score matching"
    kind: Literal["sliced"] = "sliced"
    noise: float = Field(
        0.1,
        ge=0,
        le=1,
        title="Noise",
        description="Noise that is added to the points, in standard deviations of the data.",
        json_schema_extra={"step": 0.01},
    )

    @property
    def step_cost(self) -> StepCost:
        return StepCost(925, 4.5)

    def loss(self, energy: Energy, weights: Tensor, u: Tensor, memory: Memory) -> Tensor:
        v = memory.normal(u)
        u, slope = _slope(energy, weights, u + self.noise * memory.normal(u))
        (bent,) = torch.autograd.grad((slope * v).sum(), u, create_graph=True)
        return (0.5 * slope.square().sum(1) - (bent * v).sum(1)).mean()


class NoiseContrast(Objective):
    """Tells data from noise of known density, with the log-normaliser as one more weight (Gutmann and Hyvärinen 2010).

    With G(u) = −E(u) − c − log q(u), q = N(0, s² I) and ν noise points to one of the data, the loss is that of a
    classifier whose logit is G − log ν; its minimum has exp(−E − c) normalised by itself.
    """

    title: ClassVar[str] = "Noise contrast (NCE)"
    kind: Literal["noise_contrast"] = "noise_contrast"
    ratio: int = Field(
        8,
        ge=1,
        le=32,
        title="Noise points",
        description="Noise points to each point of the data.",
        json_schema_extra={"scale": "log2"},
    )
    spread: float = Field(
        1.2,
        ge=0.5,
        le=5,
        title="Spread of the noise",
        description="Its standard deviation, in those of the data; it has to reach wherever the data is.",
        json_schema_extra={"step": 0.1},
    )

    @property
    def step_cost(self) -> StepCost:
        return StepCost(467, 0.9 * (1 + self.ratio))

    def loss(self, energy: Energy, weights: Tensor, u: Tensor, memory: Memory) -> Tensor:
        noise = self.spread * memory.normal(u.repeat(self.ratio, 1))
        both = torch.cat([u, noise])
        log_q = -0.5 * (both / self.spread).square().sum(1) - u.shape[1] * math.log(
            self.spread * math.sqrt(2 * math.pi)
        )
        logits = -energy(weights, both) - weights[-1] - log_q - math.log(self.ratio)
        return F.softplus(-logits[: len(u)]).mean() + self.ratio * F.softplus(logits[len(u) :]).mean()


def _slope(energy: Energy, weights: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """A point u (n, d) to differentiate by, and ∇E there with its graph."""
    u = u.detach().requires_grad_()
    (slope,) = torch.autograd.grad(energy(weights, u).sum(), u, create_graph=True)
    return u, slope


AnyObjective = Annotated[
    NoiseContrast
    | PersistentContrastiveDivergence
    | ContrastiveDivergence
    | DenoisingScoreMatching
    | SlicedScoreMatching,
    Field(discriminator="kind"),
    FROM_NAME,
]
