"""The energy that a network gives, and what every objective is asked for.

All work on u, the data scaled to mean 0 and standard deviation 1.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor

from playground.choice import Choice
from playground.models.backprop import Backprop
from playground.models.base import StepCost
from playground.models.energy.chains import Potential
from playground.networks import Mlp

BOWL = 0.5
"""What ‖u‖² is multiplied by in the energy."""


class Objective(Choice):
    """What training minimises. Weights end with one number more than the network's: a learnt log-normaliser."""

    pace: ClassVar[float] = 1.0
    """The share of the learning rate that it takes."""

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
