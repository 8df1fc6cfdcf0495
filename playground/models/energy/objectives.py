"""How an energy is learnt without its normaliser: contrastive divergence, score matching, noise contrast.

All work on u, the data scaled to mean 0 and standard deviation 1.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Generator, Tensor

from playground.choice import FROM_NAME, Choice
from playground.models.backprop import Backprop
from playground.models.base import StepCost
from playground.models.energy.chains import Langevin, Potential
from playground.networks import Mlp

BOWL = 0.5
"""What ‖u‖² is multiplied by in the energy."""


class Objective(Choice):
    """What training minimises. Weights end with one number more than the network's: a learnt log-normaliser."""

    @property
    @abstractmethod
    def step_cost(self) -> StepCost:
        """What a training step takes."""

    @abstractmethod
    def loss(self, energy: Energy, weights: Tensor, u: Tensor, memory: Memory) -> Tensor:
        """The loss, a scalar to be differentiated, on a batch of scaled data u (n, d)."""


class Memory:
    """What an objective keeps from step to step: chance, and the chains that persist."""

    def __init__(self, generator: Generator) -> None:
        self.generator = generator
        self.buffer: Tensor | None = None

    def normal(self, like: Tensor) -> Tensor:
        """Standard normal numbers of a tensor's shape."""
        return torch.randn(like.shape, generator=self.generator, device=like.device)


@dataclass(frozen=True)
class Energy:
    """E(u) = f(u) + ½‖u‖² for a network f of one output; the second term keeps exp(−E) integrable."""

    mlp: Mlp

    def __call__(self, weights: Tensor, u: Tensor) -> Tensor:
        """E at scaled points u (n, d): (n,)."""
        return self.mlp(weights[: self.mlp.size], u)[:, 0] + BOWL * u.square().sum(1)

    def potential(self, weights: Tensor) -> Potential:
        """E under these weights, with its slope written out, as chains take it."""
        network = Backprop(self.mlp, weights.detach()[: self.mlp.size])

        def potential(u: Tensor) -> tuple[Tensor, Tensor]:
            values, tape = network.forward(u)
            return values[:, 0] + BOWL * u.square().sum(1), network.slopes(tape)[1] + 2 * BOWL * u

        return potential


class _Contrast(Objective):
    moves: int = Field(
        10,
        ge=1,
        le=100,
        title="Chain moves",
        description="Moves that the chains take in each training step: the k of CD-k.",
        json_schema_extra={"scale": "log"},
    )
    step: float = Field(
        0.05,
        ge=0.005,
        le=1,
        title="Chain step",
        description="Length of a move in training, in standard deviations of the data.",
        json_schema_extra={"scale": "log", "advanced": True},
    )
    penalty: float = Field(
        0.01,
        ge=0,
        le=1,
        title="Energy penalty",
        description="On the squared energies, as in Du and Mordatch (2019): without it they grow until chains stand "
        "still and training runs away.",
        json_schema_extra={"step": 0.005, "advanced": True},
    )

    @property
    def step_cost(self) -> StepCost:
        return StepCost(300 + 82 * self.moves, 2 + 0.7 * self.moves)

    def _moved(self, energy: Energy, weights: Tensor, u: Tensor, memory: Memory) -> Tensor:
        states = Langevin(step=self.step).states(energy.potential(weights), u, memory.generator)
        return [next(states) for _ in range(self.moves)][-1].u

    def _contrast(self, energy: Energy, weights: Tensor, u: Tensor, moved: Tensor) -> Tensor:
        low, high = torch.split(energy(weights, torch.cat([u, moved])), len(u))
        return low.mean() - high.mean() + self.penalty * (low.square().mean() + high.square().mean())


class ContrastiveDivergence(_Contrast):
    """Lowers the energy of the data, raises it where short chains from the data go (Hinton 2002).

    The gradient of E(x) − E(x⁻) is that of −log p(x) if x⁻ ~ p; after k moves from x it is not quite. Regions that no
    chain from the data visits keep whatever energy they have: spurious modes.
    """

    title: ClassVar[str] = "Contrastive divergence"
    kind: Literal["contrastive_divergence"] = "contrastive_divergence"

    def loss(self, energy: Energy, weights: Tensor, u: Tensor, memory: Memory) -> Tensor:
        return self._contrast(energy, weights, u, self._moved(energy, weights, u, memory))


class PersistentContrastiveDivergence(_Contrast):
    """The same with chains that go on from one training step to the next (Tieleman 2008), kept in a replay buffer.

    A share of the buffer starts anew from noise at each visit, as in Du and Mordatch (2019).
    """

    title: ClassVar[str] = "Persistent contrastive divergence"
    kind: Literal["persistent"] = "persistent"
    buffer: int = Field(
        4096,
        ge=64,
        le=65536,
        title="Replay buffer",
        description="Chains that are kept from step to step; a batch of them moves in each.",
        json_schema_extra={"scale": "log2", "advanced": True},
    )
    renewed: float = Field(
        0.02,
        ge=0,
        le=1,
        title="Renewed",
        description="Share of the visited chains that start anew from noise.",
        json_schema_extra={"advanced": True, "step": 0.01},
    )

    def loss(self, energy: Energy, weights: Tensor, u: Tensor, memory: Memory) -> Tensor:
        chance: dict[str, Any] = {"generator": memory.generator, "device": u.device}
        if memory.buffer is None:
            memory.buffer = torch.randn(self.buffer, u.shape[1], **chance)
        at = torch.randint(len(memory.buffer), (len(u),), **chance)
        fresh = torch.rand(len(u), 1, **chance) < self.renewed
        first = torch.where(fresh, memory.normal(u), memory.buffer[at])
        moved = memory.buffer[at] = self._moved(energy, weights, first, memory)
        return self._contrast(energy, weights, u, moved)


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
