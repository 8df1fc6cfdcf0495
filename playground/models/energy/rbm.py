"""The restricted Boltzmann machine: an energy with hidden binary units, sampled by Gibbs' alternation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Generator, Tensor

from playground.distributions.base import Distribution
from playground.dynamics.solvers import Sampler
from playground.models.base import TARGET, Learner, Model, Optimisation, StepCost, Task, Weights, seeded
from playground.models.contracts import Fact, Shapes
from playground.models.energy.quadrature import log_normaliser
from playground.models.learning import Adam
from playground.networks import Network
from playground.trajectory import Trajectory

MOST_ENUMERATED = 16
"""Hidden units whose states are all summed for the partition function; above it is found by quadrature."""
MOST_EXACT = 12
"""Hidden units for which that sum is made in every training step."""
CHAINS = 2048
"""Chains that persist."""
BY_CHAINS = 0.1
"""The share of the learning rate where the gradient comes from chains, whose noise else sharpens all modes."""
LINK, PLACE = 20.0, 2.0
"""What a stored weight of 1 stands for, of links and hidden units, and of places and widths."""


class RestrictedBoltzmannMachine(Model):
    """Gaussian points and binary hidden units that pull at one another, with no links inside either side.

    E(u, h) = ‖(u − b) / (√2 σ)‖² − cᵀh − (u / σ²)ᵀ W h, in scaled data u (Cho, Ilin and Raiko 2011). Every state h
    is a Gaussian around b + W h, so that it is a mixture of 2^m Gaussians of one width with tied means. Gibbs' chain
    moves by about σ at a time: it finds the modes near its start, and seldom another.
    """

    title: ClassVar[str] = "Restricted Boltzmann machine"
    about: ClassVar[str] = (
        "Hidden units that are on or off each see one side of a line; together they pull a Gaussian about. A sample is "
        "where Gibbs' chain ends: from a point to the units it turns on, from those to a new point, again and again."
    )
    formula: ClassVar[str] = r"""
        E(x, h) = \sum_i \frac{(x_i - b_i)^2}{2 σ_i^2} - \sum_j c_j h_j - \sum_{i j} \frac{x_i}{σ_i^2} W_{i j} h_j
        p(h_j = 1 | x) = \text{sigmoid}(c_j + \sum_i W_{i j} \frac{x_i}{σ_i^2})
        x | h \sim \mathcal{N}(b + W h, σ^2)
    """
    look_for: ClassVar[str] = (
        "The lines of the hidden units: each is on at one side of it and pulls along its arrow. Between them they "
        "cut the plane into the cells of a mixture. Its cells are Gaussians of one width, whose places and weights all "
        "follow from the same few links: a ring it can do; on two moons it stays a third of a nat above the entropy, "
        "with more units too."
    )
    try_this: ClassVar[str] = (
        "Set Hidden units to 3 and watch what few lines can do. Then compare contrastive divergence of one move with "
        "the exact likelihood, which is at hand for up to 12 units."
    )
    has_network: ClassVar[bool] = False
    kind: Literal["rbm"] = "rbm"
    hidden: int = Field(
        12,
        ge=1,
        le=256,
        title="Hidden units",
        description=f"Up to {MOST_ENUMERATED} the partition function is the sum over all of their states.",
        json_schema_extra={"scale": "log2"},
    )
    learning: Literal["exact", "persistent", "contrastive_divergence"] = Field(
        "exact",
        title="Learning",
        description="exact: the likelihood itself, by summing over all hidden states, for up to "
        f"{MOST_EXACT} units; persistent: chains that go on from step to step; contrastive divergence: short chains "
        "from the data.",
        json_schema_extra={"labels": {"exact": "exact likelihood", "persistent": "persistent chains (PCD)"}},
    )
    moves: int = Field(
        5,
        ge=1,
        le=100,
        title="Gibbs moves",
        description="Moves of the chains in each training step: the k of CD-k. The exact likelihood needs none.",
        json_schema_extra={"scale": "log"},
    )
    length: int = Field(
        100,
        ge=1,
        le=2000,
        title="Chain length",
        description="Gibbs moves from the start to a sample; it can be changed after training.",
        json_schema_extra={"scale": "log", "sampling": True},
    )

    def check(self, source: Distribution, target: Distribution, optimisation: Optimisation) -> None:
        if self.learning == "exact" and self.hidden > MOST_EXACT:
            raise ValueError(
                f"{self.hidden} hidden units have too many states to sum over in every step; choose at most "
                f"{MOST_EXACT}, or the learning persistent."
            )

    def weight_count(self, network: Network, dim: int, condition_dim: int = 0) -> int:
        return Machine(dim, self.hidden).size

    @property
    def step_cost(self) -> StepCost:
        return StepCost(490, 0)

    def rounds(self, task: Task) -> Iterator[Learner]:
        yield BoltzmannLearner(self, task)

    def trained(
        self, weights: Weights, network: Network, dim: int, source: Distribution | None = None
    ) -> TrainedBoltzmann:
        machine, flat, place = Machine(dim, self.hidden), weights["machine"], weights["place"]
        if flat.shape != (machine.size,) or place.shape != (2 * dim,):
            raise ValueError("these are the weights of another machine.")
        return TrainedBoltzmann(machine, flat, place[:dim], place[dim:], self.length)


@dataclass(frozen=True)
class Machine:
    """The formulas, for flat weights [W / σ (d · m), c (m), b (d), log σ (d)], each in its unit, and scaled points u.

    As σ shrinks, links that are counted in σ keep what they do to the hidden units. Links and offsets have far to go
    from small values, σ and b have not: in the units LINK and PLACE Adam's equal steps suit them all.
    """

    dim: int
    hidden: int

    @property
    def size(self) -> int:
        """The number of weights."""
        return self.dim * self.hidden + self.hidden + 2 * self.dim

    def parts(self, weights: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """W (d, m), c (m,), b (d,), σ (d,)."""
        d, m = self.dim, self.hidden
        links, hidden, visible, logs = torch.split(weights, [d * m, m, d, d])
        std = (PLACE * logs).exp()
        return LINK * std[:, None] * links.view(d, m), LINK * hidden, PLACE * visible, std

    def initial(self, generator: Generator) -> Tensor:
        """Units that see lines through the data at random, in a Gaussian half as wide as it.

        Many units pull the less each, so that together they do not pull it apart.
        """
        share = min(1.0, MOST_EXACT / self.hidden) / LINK
        links = share * torch.randn(self.dim * self.hidden, generator=generator)
        hidden = torch.randn(self.hidden, generator=generator) / LINK
        widths = torch.full((self.dim,), math.log(0.5) / PLACE)
        return torch.cat([links, hidden, torch.zeros(self.dim), widths])

    def inputs(self, weights: Tensor, u: Tensor) -> Tensor:
        """The total input of each hidden unit, c + Wᵀ u / σ²: (n, m)."""
        links, hidden, _, std = self.parts(weights)
        return torch.addmm(hidden, u / std**2, links)

    def free_energy(self, weights: Tensor, u: Tensor) -> Tensor:
        """F(u) = −log Σ_h exp(−E(u, h)): (n,)."""
        _, _, visible, std = self.parts(weights)
        return 0.5 * ((u - visible) / std).square().sum(1) - F.softplus(self.inputs(weights, u)).sum(1)

    def move(self, weights: Tensor, u: Tensor, generator: Generator) -> Tensor:
        """One of Gibbs' moves: h ~ p(h | u), then u ~ p(u | h)."""
        links, _, visible, std = self.parts(weights)
        chance: dict[str, Any] = {"generator": generator, "device": u.device}
        on = torch.sigmoid(self.inputs(weights, u))
        h = (torch.rand(on.shape, **chance) < on).to(u)
        return visible + h @ links.t() + std * torch.randn(u.shape, **chance)

    def log_partition(self, weights: Tensor) -> Tensor:
        """Log ∫ Σ_h exp(−E(u, h)) du by summing over all 2^m states, each a Gaussian integral.

        log Z = Σ_i log(σ_i √2π) + log Σ_h exp(cᵀh + Σ_i (b_i a_i + ½ a_i²) / σ_i²), with a = W h.
        """
        links, hidden, visible, std = self.parts(weights)
        states = every_state(self.hidden).to(weights)
        pulled = states @ links.t()
        heights = states @ hidden + ((visible * pulled + 0.5 * pulled.square()) / std**2).sum(1)
        return torch.logsumexp(heights, 0) + std.log().sum() + 0.5 * self.dim * math.log(2 * math.pi)


def every_state(count: int) -> Tensor:
    """All states (2^count, count) of so many binary units."""
    return (torch.arange(2**count)[:, None] >> torch.arange(count) & 1).float()


class BoltzmannLearner(Learner):
    """Follows the gradient of −log p, exact or with chains in the place of the model's samples.

    Its loss is −log p in nats where it is exact, else F(data) − F(chains), which says little.
    """

    name = "machine"

    def __init__(self, model: RestrictedBoltzmannMachine, task: Task) -> None:
        self._model, self._pool = model, task.pool(task.target, TARGET)
        self._batch = task.optimisation.batch
        self._machine = Machine(task.dim, model.hidden)
        self._mean, self._std = self._pool.points.mean(0), self._pool.points.std(0)
        self._generator = task.generator(3)
        self._chains = torch.randn(CHAINS, task.dim, generator=self._generator, device=task.device)
        pace = 1.0 if model.learning == "exact" else BY_CHAINS
        settings = task.optimisation.model_copy(update={"rate": pace * task.optimisation.rate})
        self._adam = Adam(self._machine.initial(seeded(task.seed, 0)).to(task.device), settings)

    def step(self, decay: float) -> Tensor:
        u = (self._pool.batch(self._batch) - self._mean) / self._std
        flat = self._adam.weights.detach().requires_grad_()
        loss = self._machine.free_energy(flat, u).mean()
        if self._model.learning == "exact":
            loss = loss + self._machine.log_partition(flat) + self._std.log().sum()
        else:
            loss = loss - self._machine.free_energy(flat, self._negative(flat.detach(), u)).mean()
        (gradient,) = torch.autograd.grad(loss, flat)
        self._adam.step(gradient, decay)
        return loss.detach()

    @torch.no_grad()
    def _negative(self, weights: Tensor, u: Tensor) -> Tensor:
        """Where chains are after some moves, from the data or from where they were."""
        if self._model.learning == "contrastive_divergence":
            return self._moved(weights, u)
        chosen = torch.randint(CHAINS, (len(u),), generator=self._generator, device=u.device)
        self._chains[chosen] = moved = self._moved(weights, self._chains[chosen])
        return moved

    def _moved(self, weights: Tensor, u: Tensor) -> Tensor:
        for _ in range(self._model.moves):
            u = self._machine.move(weights, u, self._generator)
        return u

    def weights(self) -> Weights:
        return {"machine": self._adam.average().cpu(), "place": torch.cat([self._mean, self._std]).cpu()}


@dataclass(frozen=True)
class TrainedBoltzmann:
    """A machine with its weights, on u = (x − mean) / std."""

    machine: Machine
    weights: Tensor
    mean: Tensor
    std: Tensor
    length: int

    @cached_property
    def log_partition(self) -> float | None:
        """Log Z over u: the sum over all hidden states where they are few, else by quadrature in 1 and 2 dimensions."""
        if self.machine.hidden <= MOST_ENUMERATED:
            return float(self.machine.log_partition(self.weights.double()))
        density: Callable[[Tensor], Tensor] = lambda u: -self.machine.free_energy(self.weights, u)  # noqa: E731
        return log_normaliser(density, self.machine.dim)

    def facts(self, real: Tensor) -> list[Fact]:
        """The partition function."""
        if self.log_partition is None:
            return []
        summed = self.machine.hidden <= MOST_ENUMERATED
        how = f"summed over {2**self.machine.hidden:,} hidden states" if summed else "by quadrature"
        return [Fact("log Z", self.log_partition + float(self.std.log().sum()), "nats", how)]

    @torch.no_grad()
    def log_prob(self, x: Tensor) -> Tensor | None:
        """The log-density in nats at x (n, d): (n,); None where the partition function is not known."""
        if self.log_partition is None:
            return None
        u = (x - self.mean) / self.std
        return -self.machine.free_energy(self.weights, u) - self.log_partition - self.std.log().sum()

    @torch.no_grad()
    def trajectory(self, x0: Tensor, sampler: Sampler, seed: int = 0) -> Trajectory:
        """Gibbs' chains from the points x0 (n, d); solver and steps play no part."""
        generator = seeded(seed, 21)
        states = [(x0 - self.mean) / self.std]
        for _ in range(self.length):
            states.append(self.machine.move(self.weights, states[-1], generator))
        return Trajectory(
            t=torch.arange(len(states), dtype=torch.float64),
            x=self.mean + self.std * torch.stack(states),
            nfe=self.length,
            axis="Gibbs move",
        )

    def shapes(self) -> Shapes:
        """The line at which each hidden unit is as likely on as off, c + Wᵀ u / σ² = 0, and where it pulls, W."""
        if self.machine.dim != 2:
            return Shapes()
        links, hidden, _, width = self.machine.parts(self.weights)
        normals = links.t() / (self.std * width**2)
        offsets = hidden - normals @ self.mean
        return Shapes(lines=tuple(zip(normals, offsets.tolist(), self.std * links.t(), strict=True)))

    def describe(self) -> dict[str, Any] | None:
        """Chains are computed here."""
        return None
