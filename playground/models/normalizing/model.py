"""Normalizing flows: invertible layers trained by maximum likelihood, which is exact.

Rezende and Mohamed 2015; the kinds of layer are in models/normalizing/layers.py. With z = f(x) and the source's density
p0, log p(x) = log p0(f(x)) + log |det ∂f/∂x|. Layers see coordinates of mean 0 and variance 1 on each axis: those of
the data on one side, those of the source on the other.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from playground.distributions.base import Distribution
from playground.dynamics.solvers import Sampler
from playground.models.base import SOURCE, TARGET, Learner, Model, Optimisation, StepCost, Task, Weights, seeded
from playground.models.contracts import Fact
from playground.models.learning import Adam
from playground.models.likelihood import CLIP, refuse_without_density
from playground.models.normalizing.layers import AnyArchitecture, NeuralSpline, Stack, stack_size
from playground.networks import Network
from playground.trajectory import Trajectory


class NormalizingFlow(Model):
    """Invertible layers carry the source to the target, with an exact density."""

    kind: Literal["normalizing_flow"] = "normalizing_flow"
    about: ClassVar[str] = (
        "A chain of invertible layers bends the source into the target. Each layer knows by how much it stretches "
        "space, so that the density of every sample is known exactly, and training simply makes the data likely."
    )
    formula: ClassVar[str] = r"""
        \mathcal{L} = -\mathbb{E}_x \left[ \log p_0(f(x)) + \log \left| \det \frac{∂f}{∂x} \right| \right]
        f = f_1 \circ f_2 \circ \ldots \circ f_K
    """
    look_for: ClassVar[str] = (
        "Step through the layers: RealNVP's move points along one axis, the others bend both in turn, each by what the "
        "other says. A continuous map cannot tear the source apart, so thin threads remain between separate modes."
    )
    loss_is: ClassVar[str] = "negative log-likelihood (nats)"
    try_this: ClassVar[str] = (
        "Train MAF and IAF and compare on the server how long 2,000 samples and 2,000 densities take: what is one pass "
        "for one is a pass for each coordinate for the other."
    )

    architecture: AnyArchitecture = Field(
        NeuralSpline(), title="Layers", description="The kind of invertible layer that is stacked."
    )

    def check(self, source: Distribution, target: Distribution, optimisation: Optimisation) -> None:
        refuse_without_density("a normalizing flow", source, target)
        if (target.dim or source.dim) == 1 and not self.architecture.bends_one_axis:
            raise ValueError(
                f"in one dimension {self.architecture.label()} can only shift and stretch its source; choose the "
                "layers neural_spline."
            )

    def weight_count(self, network: Network, dim: int, condition_dim: int = 0) -> int:
        return stack_size(self.architecture, dim, network)

    @property
    def step_cost(self) -> StepCost:
        each = self.architecture.a_layer
        return StepCost(self.architecture.layers * each.overhead, each.passes)

    def rounds(self, task: Task) -> Iterator[Learner]:
        yield LikelihoodLearner(self, task)

    def trained(self, weights: Weights, network: Network, dim: int, source: Distribution | None = None) -> Layered:
        stack = Stack(self.architecture, dim, network)
        if len(weights["layers"]) != stack.size or len(weights["moments"]) != 4 * dim:
            raise ValueError("these are the weights of another network.")
        stack.read(weights["layers"].clone())
        return Layered(self, stack, Frame(*weights["moments"].view(4, dim)), source)


@dataclass(frozen=True)
class Frame:
    """Mean and standard deviation (d,) of source and target, on each axis."""

    mean0: Tensor
    std0: Tensor
    mean1: Tensor
    std1: Tensor

    @classmethod
    def of(cls, x0: Tensor, x1: Tensor) -> Frame:
        """The moments of source points x0 (n, d) and target points x1 (m, d)."""
        return cls(x0.mean(0), x0.std(0).clamp_min(1e-3), x1.mean(0), x1.std(0).clamp_min(1e-3))

    def packed(self) -> Tensor:
        """One vector (4d,)."""
        return torch.cat([self.mean0, self.std0, self.mean1, self.std1]).cpu()

    def between(self, u: Tensor, share: float) -> Tensor:
        """Points u (n, d) of unit scale as they are shown a share of the way from source to target."""
        mean = self.mean0 + share * (self.mean1 - self.mean0)
        return mean + self.std0 ** (1 - share) * self.std1**share * u


class LikelihoodLearner(Learner):
    """Makes the target's points likely: the loss is their mean negative log-likelihood, in nats."""

    name = "flow"

    def __init__(self, model: NormalizingFlow, task: Task) -> None:
        pool = task.pool(task.target, TARGET)
        self._frame = Frame.of(task.pool(task.source, SOURCE).points, pool.points)
        self._pool, self._batch, self._source = pool, task.optimisation.batch, task.source
        self._stack = Stack(model.architecture, task.dim, task.network).to(task.device)
        weights = self._stack.initial(seeded(task.seed, 0)).to(task.device)
        self._stack.read(weights)
        self._stack.begin((pool.points[:4096] - self._frame.mean1) / self._frame.std1)
        self._adam = Adam(torch.nn.utils.parameters_to_vector(self._stack.parameters()).detach(), task.optimisation)
        self._stack.read(self._adam.weights)
        self._parameters = list(self._stack.parameters())

    def step(self, decay: float) -> Tensor:
        loss = -_log_prob(self._stack, self._frame, self._source, self._pool.batch(self._batch)).mean()
        gradient = torch.cat([part.flatten() for part in torch.autograd.grad(loss, self._parameters)])
        self._adam.step(gradient * (CLIP / gradient.norm().clamp_min(CLIP)), decay)
        return loss.detach()

    def weights(self) -> Weights:
        return {"layers": self._adam.average().cpu(), "moments": self._frame.packed()}


def _log_prob(stack: Stack, frame: Frame, source: Distribution, x: Tensor) -> Tensor:
    """Log p(x) (n,) at x (n, d), in nats, for a source with a density."""
    noise, change = stack.to_noise((x - frame.mean1) / frame.std1)
    density = source.log_prob(frame.mean0 + frame.std0 * noise)
    assert density is not None, "a source without a density was refused"
    return density + change + (frame.std0.log() - frame.std1.log()).sum()


@dataclass(frozen=True)
class Layered:
    """A trained stack of layers between a source and a target."""

    carries: ClassVar[Literal[True]] = True
    model: NormalizingFlow
    stack: Stack
    frame: Frame
    source: Distribution | None

    @torch.no_grad()
    def trajectory(self, x0: Tensor, sampler: Sampler, seed: int = 0) -> Trajectory:
        """Source points x0 (n, d) and where each layer puts them; NFE counts the evaluations of conditioners."""
        frame, dim = self.frame, x0.shape[1]
        states = list(self.stack.from_noise((x0 - frame.mean0) / frame.std0))
        shown = [frame.between(u, k / len(states)) for k, u in enumerate(states, start=1)]
        return Trajectory(
            t=torch.arange(len(states) + 1, dtype=torch.float64),
            x=torch.stack([x0, *shown]),
            nfe=self.model.architecture.evaluations(dim, "sampling"),
            axis="layer",
        )

    @torch.no_grad()
    def log_prob(self, x: Tensor) -> Tensor | None:
        """The exact log-density in nats at x (n, d): (n,); None where the source is not known."""
        return None if self.source is None else _log_prob(self.stack, self.frame, self.source, x)

    @cached_property
    def _dim(self) -> int:
        return len(self.frame.mean0)

    @torch.no_grad()
    def seconds(self, n: int = 2000, repeats: int = 3) -> dict[str, float]:
        """Processor seconds for n samples and n densities, the least of several times each: {direction: seconds}."""
        points = torch.randn(n, self._dim, generator=seeded(0, 11))

        def sampling() -> None:
            list(self.stack.from_noise(points))

        return {
            "sampling": min(_timed(sampling) for _ in range(repeats)),
            "density": min(_timed(lambda: self.stack.to_noise(points)) for _ in range(repeats)),
        }

    def facts(self, real: Tensor) -> list[Fact]:
        """What 2,000 points cost in each direction."""
        architecture, seconds = self.model.architecture, self.seconds()
        names: dict[str, Literal["sampling", "density"]] = {"2,000 samples": "sampling", "2,000 densities": "density"}
        return [
            Fact(name, 1000 * seconds[way], "ms", f"{architecture.evaluations(self._dim, way)} networks in a row")
            for name, way in names.items()
        ]

    def describe(self) -> dict[str, Any] | None:
        """None: its layers are not among what another runtime evaluates."""
        return None


def _timed(work: Any) -> float:
    begun = time.thread_time()
    work()
    return time.thread_time() - begun
