"""Energy-based models: a network that says how unlikely a place is, and chains that find the likely ones."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from playground.distributions.base import Distribution
from playground.dynamics.solvers import Sampler
from playground.models.base import TARGET, Learner, Model, StepCost, Task, Weights, seeded
from playground.models.contracts import Fact, Shapes
from playground.models.energy.base import BOWL, Energy, Memory
from playground.models.energy.chains import AnyChain, Hmc
from playground.models.energy.objectives import AnyObjective, NoiseContrast
from playground.models.energy.quadrature import log_normaliser
from playground.models.learning import Adam
from playground.networks import ActivationName, Network
from playground.trajectory import Trajectory

BLOWN_UP = 100.0
"""Standard deviations of the data: a chain that is farther out is numerically unstable."""

GAIN = 2.0
"""What the first weights are multiplied by: a network that begins too smooth may see a ring and never its modes."""
PROBED = 10
"""Moves of which the accepted ones are counted."""


class EnergyModel(Model):
    """Learns an energy, low where the data is; chains roll down it and are shaken by noise.

    p(x) = exp(−E(x)) / Z. The network's energy has the one of a Gaussian added to it, so that Z is finite, and SiLU
    stands in for ReLU, whose energies have no curvature. Z, and with it the likelihood, is known by quadrature in one
    and two dimensions.
    """

    title: ClassVar[str] = "Energy-based model"
    about: ClassVar[str] = (
        "A network gives every place an energy; likely places have little: p(x) = exp(−E(x)) / Z. Training never knows "
        "the normaliser Z. A sample is where a chain ends that goes downhill and is shaken by noise."
    )
    formula: ClassVar[str] = r"""
        p_θ(x) = \frac{\exp(-E_θ(x))}{Z_θ}
        -\nabla_θ \log p_θ(x) = \nabla_θ E_θ(x) - \mathbb{E}_{x' \sim p_θ} \nabla_θ E_θ(x')
    """
    look_for: ClassVar[str] = (
        "Valleys of the energy where the data is, and chains that fall into the nearest and seldom cross to another. "
        "Contrastive divergence shapes only where its chains have been: without their jumps it does not learn how "
        "modes share the probability. Score matching sees slopes where the data is, and so cannot know how modes that "
        "lie apart, as on a ring, share the "
        "probability."
    )
    try_this: ClassVar[str] = (
        "Choose Langevin as the chain and raise its Step size: samples spread, and beyond 2 the chain is numerically "
        "unstable and flies off. MALA rejects such moves instead: watch its acceptance rate."
    )
    stand_ins: ClassVar[dict[ActivationName, ActivationName]] = {"relu": "silu"}
    kind: Literal["energy"] = "energy"
    objective: AnyObjective = Field(
        NoiseContrast(), title="Objective", description="What is minimised in place of the likelihood."
    )
    chain: AnyChain = Field(
        Hmc(),
        title="Chain",
        description="How samples are drawn from the energy; it can be changed after training.",
        json_schema_extra={"sampling": True},
    )

    def weight_count(self, network: Network, dim: int, condition_dim: int = 0) -> int:
        """Those of the energy, and the log-normaliser where it is learnt beside it."""
        mlp = self.suited(network).build(dim, 1, timed=False)
        return mlp.size + isinstance(self.objective, NoiseContrast)

    @property
    def step_cost(self) -> StepCost:
        return self.objective.step_cost

    def rounds(self, task: Task) -> Iterator[Learner]:
        yield EnergyLearner(self, task)

    def trained(
        self, weights: Weights, network: Network, dim: int, source: Distribution | None = None
    ) -> TrainedEnergy:
        mlp, flat, moments = self.suited(network).build(dim, 1, timed=False), weights["energy"], weights["place"]
        if flat.shape != (mlp.size,) or moments.shape != (2 * dim,):
            raise ValueError("these are the weights of another network.")
        return TrainedEnergy(Energy(mlp), flat, moments[:dim], moments[dim:], self.chain, weights["normaliser"])


class EnergyLearner(Learner):
    """Minimises the objective by Adam; its loss is the objective's, which may rise while the energy gets better."""

    name = "energy"

    def __init__(self, model: EnergyModel, task: Task) -> None:
        self._objective, self._pool = model.objective, task.pool(task.target, TARGET)
        self._batch = task.optimisation.batch
        mlp = model.suited(task.network).build(task.dim, 1, timed=False)
        self._energy = Energy(mlp)
        self._mean, self._std = self._pool.points.mean(0), self._pool.points.std(0)
        self._memory = Memory(task.generator(3))
        first = GAIN * mlp.initial(seeded(task.seed, 0))
        # exp(−½‖u‖²) integrates to (2π)^(d/2): where a learnt log-normaliser begins.
        normaliser = torch.tensor([task.dim / 2 * math.log(2 * math.pi)])
        rate = model.objective.pace * task.optimisation.rate
        settings = task.optimisation.model_copy(update={"rate": rate})
        self._adam = Adam(torch.cat([first, normaliser]).to(task.device), settings)

    def step(self, decay: float) -> Tensor:
        u = (self._pool.batch(self._batch) - self._mean) / self._std
        flat = self._adam.weights.detach().requires_grad_()
        loss = self._objective.loss(self._energy, flat, u, self._memory)
        (gradient,) = torch.autograd.grad(loss, flat)
        self._adam.step(gradient, decay)
        return loss.detach()

    def weights(self) -> Weights:
        flat = self._adam.average().cpu()
        learnt = isinstance(self._objective, NoiseContrast)
        return {
            "energy": flat[:-1].clone(),
            "place": torch.cat([self._mean, self._std]).cpu(),
            "normaliser": flat[-1:].clone() if learnt else flat.new_zeros(0),
        }


@dataclass(frozen=True)
class TrainedEnergy:
    """E(x) and the chain that samples it; chains move in u = (x − mean) / std.

    learnt: the logarithm of the normaliser over u as the objective learnt it, (1,), or (0,).
    """

    network: Energy
    weights: Tensor
    mean: Tensor
    std: Tensor
    chain: AnyChain
    learnt: Tensor

    @torch.no_grad()
    def energy(self, x: Tensor) -> Tensor:
        """E at x (n, d): (n,)."""
        return self._scaled_energy((x - self.mean) / self.std)

    def _scaled_energy(self, u: Tensor) -> Tensor:
        return self.network(self.weights, u)

    @cached_property
    def log_normaliser(self) -> float | None:
        """Log ∫ exp(−E) over u, by quadrature; None where that is not possible."""
        with torch.no_grad():
            return log_normaliser(lambda u: -self._scaled_energy(u), len(self.mean))

    def facts(self, real: Tensor) -> list[Fact]:
        """The log-normaliser over x, true and learnt, and how many moves are accepted where the data is."""
        scale, found = float(self.std.log().sum()), []
        if self.log_normaliser is not None:
            found.append(Fact("log Z", self.log_normaliser + scale, "nats", "by quadrature"))
        if len(self.learnt):
            found.append(Fact("log Z, learnt", float(self.learnt) + scale, "nats", "a weight of noise contrast"))
        if self.chain.corrected:
            chain = self.chain.states(
                self.network.potential(self.weights), (real - self.mean) / self.std, seeded(0, 22)
            )
            accepted = sum(link.accepted for link in islice(chain, PROBED)) / PROBED
            found.append(Fact("Accepted", 100 * accepted, "%", f"of {self.chain.label()}'s moves at the target"))
        return found

    def log_prob(self, x: Tensor) -> Tensor | None:
        """The log-density in nats at x (n, d), normalised by quadrature: (n,); None in three dimensions."""
        constant = self.log_normaliser
        if constant is None:
            return None
        return -self.energy(x) - constant - self.std.log().sum()

    def score(self, x: Tensor) -> Tensor:
        """−∇E at x (n, d): (n, d)."""
        potential = self.network.potential(self.weights)
        return -potential((x - self.mean) / self.std)[1] / self.std

    def trajectory(self, x0: Tensor, sampler: Sampler, seed: int = 0) -> Trajectory:
        """Chains from the points x0 (n, d), as long as the model's `chain` says; solver and steps play no part."""
        first = (x0 - self.mean) / self.std
        chain = self.chain.states(self.network.potential(self.weights), first, seeded(seed, 21))
        links = list(islice(chain, self.chain.steps))
        return Trajectory(
            t=torch.arange(len(links) + 1, dtype=torch.float64),
            x=self.mean + self.std * until_blown_up(torch.stack([first, *(link.u for link in links)])),
            nfe=1 + self.chain.steps * self.chain.inner,
            axis=self.chain.axis,
            acceptance=sum(link.accepted for link in links) / len(links) if self.chain.corrected else None,
        )

    def shapes(self) -> Shapes:
        """Nothing to draw, but the log-normaliser over x that was learnt beside the energy, where one was."""
        scale = float(self.std.log().sum())
        return Shapes(normaliser=float(self.learnt) + scale if len(self.learnt) else None)

    def describe(self) -> dict[str, Any] | None:
        """The energy as a surface that the browser evaluates; chains are computed here."""
        inside = {"mean": self.mean.tolist(), "std": self.std.tolist()}
        surface = {"network": "energy", "inside": inside, "of": "energy", "label": "Energy", "bowl": BOWL}
        return {
            "remote": True,
            "sampled": False,
            "networks": {"energy": self.network.mlp.describe()},
            "surfaces": {"energy": surface},
            "dim": len(self.mean),
        }


def until_blown_up(u: Tensor) -> Tensor:
    """States (T, n, d) of chains up to the first that is out of all bounds; those after it are no numbers any more.

    In that one particles stand on the bound, in the direction in which they left.
    """
    out = (~(u.abs() < BLOWN_UP)).flatten(1).any(1).cumsum(0)
    far = u.nan_to_num(nan=BLOWN_UP).clamp(-1e18, 1e18)
    bounded = far * (BLOWN_UP / far.norm(dim=2, keepdim=True)).clamp(max=1)
    return torch.where(out[:, None, None] > 1, torch.nan, bounded)
