"""Neural ODEs as continuous normalizing flows: a velocity field trained by maximum likelihood.

Chen et al. 2018; FFJORD (Grathwohl et al. 2019), here with the exact divergence; the penalty on kinetic energy is that
of RNODE (Finlay et al. 2020). Every training point is carried back along the field from t = 1 to 0, and log p(x_1) =
log p0(x_0) − ∫ ∇·v dt.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from playground.distributions.base import Distribution
from playground.dynamics.adjoint import adjoint, backpropagated, counting
from playground.dynamics.parameterization import Moments
from playground.dynamics.paths import LinearPath
from playground.dynamics.solvers import RungeKutta4
from playground.models.base import SOURCE, TARGET, Learner, Model, Optimisation, Task, Weights, seeded
from playground.models.flow import Flow, ScoredFlow, is_standard
from playground.models.learning import Adam
from playground.models.likelihood import CLIP, refuse_without_density
from playground.networks import Network

Gradient = Literal["backpropagation", "adjoint"]
METHODS: dict[Gradient, Any] = {"backpropagation": backpropagated, "adjoint": adjoint}


class NeuralOde(Model):
    """A velocity field trained to make the data likely, by solving it backwards at every step."""

    kind: Literal["neural_ode"] = "neural_ode"
    title: ClassVar[str] = "Neural ODE (CNF)"
    about: ClassVar[str] = (
        "The same kind of velocity field as flow matching learns, trained another way: each training step carries "
        "data points back to the source with a solver, and makes their exact likelihood larger. No path and no pairs "
        "are prescribed."
    )
    formula: ClassVar[str] = r"""
        \mathcal{L} = \mathbb{E}_{x_1} \left[ -\log p(x_1) + λ \int_0^1 ‖ v_θ ‖^2 dt \right]
        \log p(x_1) = \log p_0(x_0) - \int_0^1 ∇ · v_θ(x_t, t) \, dt
        x_0 = x_1 - \int_0^1 v_θ(x_t, t) \, dt
    """
    look_for: ClassVar[str] = (
        "Likelihood says where particles end, not how they get there: without the energy penalty paths curl, with it "
        "they are nearly straight. Compare the steps a second with flow matching's."
    )
    try_this: ClassVar[str] = (
        "Choose the adjoint as Gradient: the same field in a small and constant part of the memory, at the price of "
        "solving twice. Raise the solver's steps and only backpropagation's memory grows."
    )

    gradient: Gradient = Field(
        "backpropagation",
        title="Gradient",
        description="Backpropagation keeps every stage of the solver in memory; the adjoint method keeps only the last "
        "state and solves a second equation backwards.",
    )
    solver_steps: int = Field(
        4,
        ge=1,
        le=32,
        title="Solver's steps",
        description="Steps of RK4, four evaluations each, that carry a point through the field in training.",
    )
    energy: float = Field(
        0.01,
        ge=0,
        le=1,
        title="Energy penalty",
        description="λ on the mean of ∫‖v‖² dt: keeps paths straight, so that few steps suffice.",
        json_schema_extra={"range": [0, 0.2], "step": 0.01},
    )

    def check(self, source: Distribution, target: Distribution, optimisation: Optimisation) -> None:
        refuse_without_density("a neural ODE", source, target)

    def rounds(self, task: Task) -> Iterator[Learner]:
        yield OdeLearner(self, task)

    def trained(self, weights: Weights, network: Network, dim: int, source: Distribution | None = None) -> Flow:
        mlp, packed = smooth(network).build(dim, dim), weights["moments"]
        if len(weights["velocity"]) != mlp.size or len(packed) != 2 * dim + 2:
            raise ValueError("these are the weights of another network.")
        kind = ScoredFlow if source is not None and is_standard(source) else Flow
        moments = Moments.unpacked(packed)
        return kind(mlp, weights["velocity"], LinearPath(), network.input_scaling, moments, "velocity", source)


def smooth(network: Network) -> Network:
    """The network with tanh in place of ReLU, whose divergence is piecewise constant and so has no useful gradient."""
    return network.model_copy(update={"activation": "tanh"}) if network.activation == "relu" else network


class OdeLearner:
    """E[−log p(x_1)] + λ E∫‖v‖² dt over target points, in nats."""

    name = "flow"

    def __init__(self, model: NeuralOde, task: Task) -> None:
        self._model, self._source, self._batch = model, task.source, task.optimisation.batch
        self._pool = task.pool(task.target, TARGET)
        self._moments = Moments.of(task.pool(task.source, SOURCE).points, self._pool.points)
        mlp = smooth(task.network).build(task.dim, task.dim)
        weights = mlp.initial(seeded(task.seed, 0)).to(task.device)
        self._flow = Flow(mlp, weights, LinearPath(), task.network.input_scaling, self._moments)
        self._adam = Adam(weights, task.optimisation)
        self._generator = task.generator(3)

    def _dynamics(self, weights: Tensor, state: Tensor, t: float) -> Tensor:
        """Of a point with its ∫∇·v and ∫‖v‖², (n, d + 2)."""
        velocity, divergence = self._flow.diverging_by(weights, state[:, :-2], t)
        return torch.cat([velocity, divergence[:, None], velocity.square().sum(1, keepdim=True)], dim=1)

    def _loss(self, end: Tensor) -> Tensor:
        """Both integrals run from 1 to 0, so that they have the opposite sign."""
        density = self._source.log_prob(end[:, :-2])
        assert density is not None, "a source without a density was refused"
        return -(density + end[:, -2]).mean() - self._model.energy * end[:, -1].mean()

    def times(self, jitter: bool = False) -> list[float]:
        """The solver's times from t = 1 to 0, evenly spaced, or each moved by up to two fifths of a step.

        On a fixed grid the field learns to profit from the solver's error between its times, and the loss falls below
        what is possible.
        """
        (low, high), steps = self._flow.interval, self._model.solver_steps
        moved = torch.rand(steps - 1, generator=self._generator, device=self._generator.device).tolist()
        inner = [k + (0.8 * u - 0.4 if jitter else 0.0) for k, u in enumerate(moved, start=1)]
        return [high, *(high + (low - high) * k / steps for k in inner), low]

    def gradient(self, points: Tensor, method: Gradient, jitter: bool = False) -> tuple[Tensor, Tensor]:
        """The loss on points (n, d) and its gradient, by either method."""
        times = self.times(jitter)
        start = torch.cat([points, points.new_zeros(len(points), 2)], dim=1)
        solved = METHODS[method](RungeKutta4.tableau, self._dynamics, self._adam.weights, start, times, self._loss)
        found: tuple[Tensor, Tensor] = solved
        return found

    def step(self, decay: float) -> Tensor:
        loss, gradient = self.gradient(self._pool.batch(self._batch), self._model.gradient, jitter=True)
        self._adam.step(gradient * (CLIP / gradient.norm().clamp_min(CLIP)), decay)
        return loss

    def memory(self, method: Gradient) -> int:
        """Bytes that one step keeps for its way back, at most at any time, by either method."""
        with counting() as kept:
            self.gradient(self._pool.points[: self._batch], method)
        return kept.most

    def weights(self) -> Weights:
        return {"velocity": self._adam.average().cpu(), "moments": self._moments.packed()}
