"""Autoregressive models: a density as a product of conditionals, drawn part by part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from playground.distributions.base import Distribution
from playground.dynamics.solvers import Sampler
from playground.models.autoregressive.conditionals import AnyConditionals, CoarseToFine, Conditionals, Grid
from playground.models.base import TARGET, Learner, Model, StepCost, Task, Weights, seeded
from playground.models.learning import Adam
from playground.networks import Mlp, Network
from playground.trajectory import Trajectory

MARGIN = 0.02
"""By so much of its width the box is wider than the training points on each side."""


class Autoregressive(Model):
    """Draws one coordinate after another, each given those before; the likelihood is exact.

    p(x, y) = p(x) p(y | x), by one network (masked, where it goes by coordinates), fitted by maximum likelihood.
    """

    about: ClassVar[str] = (
        "The density is a product of conditionals: one coordinate, then the next given the first, all told by one "
        "network. A sample is drawn coordinate by coordinate, and its likelihood is exact."
    )
    formula: ClassVar[str] = r"""
        \log p_θ(x) = \sum_i \log p_θ(x_i | x_1, \ldots, x_{i-1})
        \mathcal{L} = -\mathbb{E}_x \log p_θ(x)
    """
    look_for: ClassVar[str] = (
        "Every particle moves along x to its column first, and then inside it along y. Coarse to fine, it chooses a "
        "quarter of the box, then a quarter of that."
    )
    loss_is: ClassVar[str] = "negative log-likelihood (nats)"
    try_this: ClassVar[str] = (
        "Draw y before x with Order: the samples are as good and every particle takes another way. Then choose "
        "Mixture of logistics and look at the edges of the checkerboard."
    )
    versus: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("", "Autoregressive", "Diffusion"),
        ("Likelihood", "exact, in one call", "by its ODE: about 100 calls, each with a divergence"),
        ("Sampling", "a call for each coordinate: grows with the dimension", "a call for each step, in any dimension"),
        ("NFE here", "2, coarse to fine 6", "8 to 100 (1 for a distilled rectified flow)"),
        ("Control", "first coordinates can be given; none is revised later", "every step can be guided, any part held"),
    )
    kind: Literal["autoregressive"] = "autoregressive"
    conditionals: AnyConditionals = Field(
        Grid(), title="Conditionals", description="How one coordinate is distributed, given those before it."
    )
    own_latent: ClassVar[bool] = True
    order: Literal["first_to_last", "last_to_first"] = Field(
        "first_to_last",
        title="Order",
        description="Which coordinate is drawn first; coarse to fine draws all together.",
        json_schema_extra={"labels": {"first_to_last": "x, then y", "last_to_first": "y, then x"}},
    )

    def weight_count(self, network: Network, dim: int, condition_dim: int = 0) -> int:
        return self.conditionals.network(network, dim).size

    @property
    def step_cost(self) -> StepCost:
        return self.conditionals.step_cost

    def starts(self, source: Distribution, dim: int, n: int, generator: Generator) -> Tensor:
        """Standard normal numbers (n, d), one to a coordinate: each will say where in its conditional a point lies."""
        return torch.randn(n, dim, generator=generator, device=generator.device)

    def rounds(self, task: Task) -> Iterator[Learner]:
        yield AutoregressiveLearner(self, task)

    def turned(self, x: Tensor) -> Tensor:
        """Coordinates in the order of drawing, and back."""
        return x.flip(-1) if self.order == "last_to_first" else x

    def trained(
        self, weights: Weights, network: Network, dim: int, source: Distribution | None = None
    ) -> TrainedAutoregressive:
        mlp, flat, box = self.conditionals.network(network, dim), weights["conditionals"], weights["box"]
        if flat.shape != (mlp.size,) or box.shape != (2 * dim,):
            raise ValueError("these are the weights of another network.")
        return TrainedAutoregressive(self, mlp, flat, box[:dim], box[dim:])


class AutoregressiveLearner(Learner):
    """Maximum likelihood: the mean of −log p over batches of the target, in nats."""

    name = "autoregressive"

    def __init__(self, model: Autoregressive, task: Task) -> None:
        self._model, self._pool = model, task.pool(task.target, TARGET)
        self._batch = task.optimisation.batch
        points = self._pool.points
        low, high = points.amin(0), points.amax(0)
        margin = MARGIN * (high - low).clamp(min=1e-6)
        self._low, self._width = low - margin, high - low + 2 * margin
        self._mlp = model.conditionals.network(task.network, task.dim)
        weights = self._mlp.initial(seeded(task.seed, 0)).to(task.device)
        self._adam = Adam(weights, task.optimisation)

    def step(self, decay: float) -> Tensor:
        y = self._model.turned((self._pool.batch(self._batch) - self._low) / self._width)
        flat = self._adam.weights.detach().requires_grad_()
        loss = -self._model.conditionals.log_prob(self._mlp, flat, y).mean()
        (gradient,) = torch.autograd.grad(loss, flat)
        self._adam.step(gradient, decay)
        return loss.detach() + self._width.log().sum()

    def weights(self) -> Weights:
        return {
            "conditionals": self._adam.average().cpu(),
            "box": torch.cat([self._low, self._width]).cpu(),
        }


@dataclass(frozen=True)
class TrainedAutoregressive:
    """The conditionals with their weights, over the box from `low` of size `width`, each (d,)."""

    model: Autoregressive
    mlp: Mlp
    weights: Tensor
    low: Tensor
    width: Tensor

    @property
    def _conditionals(self) -> Conditionals:
        return self.model.conditionals

    @torch.no_grad()
    def log_prob(self, x: Tensor) -> Tensor:
        """The exact log-density in nats at x (n, d): (n,); −inf outside the box where the conditionals keep to it."""
        y = self.model.turned((x - self.low) / self.width)
        parts = [self._conditionals.log_prob(self.mlp, self.weights, part) for part in torch.split(y, 4096)]
        return torch.cat(parts) - self.width.log().sum()

    @torch.no_grad()
    def trajectory(self, x0: Tensor, sampler: Sampler, seed: int = 0) -> Trajectory:
        """Normal numbers x0 (n, d) to samples, part by part; what is not drawn yet stays as it is in x0."""
        u = torch.special.ndtr(self.model.turned(x0).double()).clamp(1e-9, 1 - 1e-9)
        waiting = (self.model.turned(x0) - self.model.turned(self.low)) / self.model.turned(self.width)
        parts = [waiting, *self._conditionals.states(self.mlp, self.weights, u, waiting)]
        whole = isinstance(self._conditionals, CoarseToFine)
        return Trajectory(
            t=torch.arange(len(parts), dtype=torch.float64),
            x=self.low + self.width * torch.stack([self.model.turned(part) for part in parts]).to(x0),
            nfe=len(parts) - 1,
            axis="halvings" if whole else "coordinates drawn",
            latent=x0,
        )

    def describe(self) -> dict[str, Any] | None:
        """Samples are computed here."""
        return None
