"""Contrastive divergence: the energy falls at the data and rises where the chains of the model go.

The gradient of −log p is E_data ∇E(u) − E_chain ∇E(u⁻). Chains that leave p invariant make the truth a fixed point of
it, however short they are, so every move here is accepted or rejected; how far they go decides how much of an error of
the energy is seen. Moves of many lengths see the widths of modes and the distances between them, and jumps see how
modes share the probability, which no chain of small moves does.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from playground.models.base import StepCost
from playground.models.energy.base import Energy, Memory, Objective

JUMP = 1.2
"""Standard deviation of the Gaussian that jumps land in: of the data's own and a little more."""
ANCHOR = 0.01
"""On the square of the mean energy, which keeps the constant of E, on which the density does not depend, near 0."""


class _Contrast(Objective):
    pace: ClassVar[float] = 0.5  # the noise of the chains is larger than that of the data

    moves: int = Field(
        5,
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
        title="Shortest move",
        description="In standard deviations of the data; each move of each chain draws its own length.",
        json_schema_extra={"scale": "log", "advanced": True},
    )
    longest: float = Field(
        1.0,
        ge=0.005,
        le=4,
        title="Longest move",
        description="In standard deviations of the data. Short moves alone hardly see an energy that is too flat.",
        json_schema_extra={"scale": "log", "advanced": True},
    )
    jumps: float = Field(
        0.2,
        ge=0,
        le=1,
        title="Jumps",
        description="Share of the moves that try a point anywhere, drawn from a Gaussian as wide as the data. They "
        "carry chains from mode to mode; without any the modes' shares of the probability are not learnt.",
        json_schema_extra={"step": 0.05, "advanced": True},
    )

    @property
    def step_cost(self) -> StepCost:
        return StepCost(300 + 82 * self.moves, 2 + 0.7 * self.moves)

    def _moved(self, energy: Energy, weights: Tensor, u: Tensor, memory: Memory) -> Tensor:
        """Chains u (n, d) after `moves` moves, each of which leaves exp(−E) invariant.

        A move is one of MALA's with a step drawn log-uniformly from [step, longest], or a jump to v ~ q = N(0, s² I),
        which is accepted with probability min(1, exp(E(u) − E(v)) q(u) / q(v)).
        """
        potential = energy.potential(weights)
        rng: dict[str, Any] = {"generator": memory.generator, "device": u.device}
        shortest, longest = math.log(self.step), math.log(self.longest)
        level, slope = potential(u)
        for _ in range(self.moves):
            chosen = torch.rand(len(u), 3, **rng)
            step = (shortest + (longest - shortest) * chosen[:, :1]).exp()
            jumps = chosen[:, 1:2] < self.jumps
            z = torch.randn(u.shape, **rng)
            speed = z - step / 2 * slope
            v = torch.where(jumps, JUMP * z, u + step * speed)
            level_there, slope_there = potential(v)
            speed = speed - step / 2 * slope_there
            local = z.square() - speed.square()
            far = (v.square() - u.square()) / JUMP**2
            gained = level - level_there + 0.5 * torch.where(jumps, far, local).sum(1)
            accepted = chosen[:, 2].log() < gained  # never where the energy is not a number
            u = torch.where(accepted[:, None], v, u)
            level = torch.where(accepted, level_there, level)
            slope = torch.where(accepted[:, None], slope_there, slope)
        return u

    def _contrast(self, energy: Energy, weights: Tensor, u: Tensor, moved: Tensor) -> Tensor:
        at_data, at_chains = torch.split(energy(weights, torch.cat([u, moved])), len(u))
        low, high = at_data.mean(), at_chains.mean()
        return low - high + ANCHOR * (0.5 * (low + high)).square()


class ContrastiveDivergence(_Contrast):
    """Lowers the energy of the data, raises it where short chains from the data go (Hinton 2002).

    The chains leave the model's density invariant, so that data which is distributed like it is not moved: that is
    where training comes to rest. The fewer the moves, the weaker the pull there.
    """

    title: ClassVar[str] = "Contrastive divergence"
    kind: Literal["contrastive_divergence"] = "contrastive_divergence"

    def loss(self, energy: Energy, weights: Tensor, u: Tensor, memory: Memory) -> Tensor:
        return self._contrast(energy, weights, u, self._moved(energy, weights, u, memory))


class PersistentContrastiveDivergence(_Contrast):
    """The same with chains that go on from one training step to the next (Tieleman 2008), kept in a replay buffer."""

    title: ClassVar[str] = "Persistent contrastive divergence"
    kind: Literal["persistent"] = "persistent"
    buffer: int = Field(
        512,
        ge=64,
        le=65536,
        title="Replay buffer",
        description="Chains that are kept from step to step; a batch of them moves in each. In a large one chains rest "
        "so long that the energy has changed meanwhile, and training may oscillate.",
        json_schema_extra={"scale": "log2", "advanced": True},
    )
    renewed: float = Field(
        0.0,
        ge=0,
        le=1,
        title="Renewed",
        description="Share of the visited chains that start anew from noise, as in Du and Mordatch (2019): they "
        "explore, and bias the energy, since few moves do not bring them to the model's density.",
        json_schema_extra={"advanced": True, "step": 0.01},
    )

    def loss(self, energy: Energy, weights: Tensor, u: Tensor, memory: Memory) -> Tensor:
        rng: dict[str, Any] = {"generator": memory.generator, "device": u.device}
        if memory.buffer is None:
            memory.buffer = torch.randn(self.buffer, u.shape[1], **rng)
        at = torch.randint(len(memory.buffer), (len(u),), **rng)
        fresh = torch.rand(len(u), 1, **rng) < self.renewed
        first = torch.where(fresh, memory.normal(u), memory.buffer[at])
        moved = memory.buffer[at] = self._moved(energy, weights, first, memory)
        return self._contrast(energy, weights, u, moved)
