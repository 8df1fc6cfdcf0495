"""Three ways to train a flow from N(0, I) to a target: this playground's default and two recipes to compare with.

Each is a generator of checkpoints, whose clock stands still while the caller looks at one. From one to the next it has
trained `growth` > 1 times longer, counted in steps for ours and in seconds for the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from benchmarks.report import Clock
from playground.distributions import Distribution
from playground.dynamics.solvers import Velocity
from playground.engine.training import train
from playground.experiment import Experiment, TrainingSettings
from playground.models.base import Pool, seeded
from playground.models.contracts import HasField

BLOCK = 25
"""Steps of a reference between two looks at the clock."""


@dataclass(frozen=True)
class Checkpoint:
    """A model after some steps and seconds of training; velocity is its field, valid until the next is asked for."""

    steps: int
    cpu: float
    wall: float
    velocity: Velocity
    last: bool


def ours(target: Distribution, seed: int, growth: float) -> Iterator[Checkpoint]:
    """The default experiment, through the product's own training, from the making of its pools to its last step."""
    experiment = Experiment(target=target, training=TrainingSettings(seed=seed, device="cpu"))
    clock, due = Clock(), 1.0
    with clock:
        training = train(experiment, every=None)
    while True:
        with clock:
            snapshot = next(training, None)
        if snapshot is None:
            return
        last = snapshot.step == experiment.training.steps
        if snapshot.step >= due or last:
            due = growth * snapshot.step
            trained = training.run.trained()
            assert isinstance(trained, HasField)
            yield Checkpoint(snapshot.step, clock.cpu, clock.wall, trained.velocity, last)


@dataclass(frozen=True)
class Recipe:
    """A plain training loop: three hidden layers, raw coordinates and time in, Adam at a constant rate, no average.

    Its batches come from a pool, as ours do, so that drawing data costs it next to nothing.
    """

    name: str
    width: int
    activation: Callable[[], nn.Module]
    batch: int = 256
    rate: float = 1e-3

    def network(self) -> nn.Sequential:
        """A multilayer perceptron of [x, t] (n, 3) → velocity (n, 2)."""
        sizes = [3, self.width, self.width, self.width]
        layers: list[nn.Module] = []
        for inner, outer in pairwise(sizes):
            layers += [nn.Linear(inner, outer), self.activation()]
        return nn.Sequential(*layers, nn.Linear(self.width, 2))

    def train(self, target: Distribution, seed: int, limit: float, growth: float) -> Iterator[Checkpoint]:
        """Trains for `limit` processor seconds, looked at after about a second and ever less often."""
        clock, steps = Clock(), 0
        with clock:
            torch.manual_seed(seed)
            network = self.network()
            optimizer = torch.optim.Adam(network.parameters(), self.rate, fused=True)
            pool = Pool(target.sample(2**17, seeded(seed, 2)), seeded(seed, 2))

        def velocity(x: Tensor, t: float) -> Tensor:
            return network(torch.cat([x, torch.full_like(x[:, :1], t)], dim=1))  # type: ignore[no-any-return]

        for mark in reversed(_marks(limit, growth)):
            while clock.cpu < mark:
                with clock:
                    for _ in range(BLOCK):
                        self.step(network, optimizer, pool)
                steps += BLOCK
            yield Checkpoint(steps, clock.cpu, clock.wall, velocity, last=mark == limit)

    def step(self, network: nn.Module, optimizer: torch.optim.Optimizer, pool: Pool) -> None:
        """One step on the flow matching loss, written as tutorials write it."""
        x1 = pool.batch(self.batch)
        x0 = torch.randn_like(x1)
        t = torch.rand(self.batch, 1)
        xt = (1 - t) * x0 + t * x1
        loss = (network(torch.cat([xt, t], dim=1)) - (x1 - x0)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


REFERENCES = (Recipe("3×64 SELU", 64, nn.SELU), Recipe("3×256 SiLU", 256, nn.SiLU))
"""The first is TorchCFM's two-dimensional tutorial (Tong et al. 2024; σ = 0, which is kinder than its 0.1)."""


def _marks(limit: float, growth: float) -> list[float]:
    """limit, limit / growth, ... down to the last that is not under a second."""
    return [limit / growth**power for power in range(1 + int(math.log(max(limit, 1), growth)))]
