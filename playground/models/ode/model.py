"""Neural ODEs as continuous normalizing flows: a velocity field trained by maximum likelihood.

Chen et al. 2018; FFJORD (Grathwohl et al. 2019), here with exact derivatives; the penalties on kinetic energy and on
the Jacobian are those of RNODE (Finlay et al. 2020). Every training point is carried back along the field from t = 1 to
0, and log p(x_1) = log p0(x_0) − ∫ ∇·v dt. The integral is −log|det ∂x_0/∂x_1|, which is taken from the solver's own
steps: summed up as an integral, its error is a profit to the field, whose loss falls below the entropy in a thousand.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from playground.distributions.base import Distribution
from playground.dynamics.adjoint import Differentiated, Dynamics, adjoint, backpropagated, counting
from playground.dynamics.parameterization import Moments
from playground.dynamics.paths import LinearPath
from playground.dynamics.solvers import RungeKutta4, runge_kutta
from playground.models.base import SOURCE, TARGET, Learner, Model, Optimisation, StepCost, Task, Weights, seeded
from playground.models.contracts import Fact
from playground.models.flow import Flow, ScoredFlow, is_standard
from playground.models.learning import Adam
from playground.models.likelihood import CLIP, refuse_without_density
from playground.models.ode.stretching import PENALTIES, DivergingDynamics, departing
from playground.networks import ActivationName, FilmMlp, Network

LOOK_EVERY, LOOKED_AT = 100, 256
"""Steps between two looks at the solver's error, and points that it is taken on."""
TOO_MUCH = 0.25
"""Nats by which the solver may be wrong."""
FACTS_ON = 128
"""Points of the training step whose cost is told."""

Gradient = Literal["backpropagation", "adjoint"]
A_SOLVERS_STEP: dict[Gradient, StepCost] = {"backpropagation": StepCost(1730, 13), "adjoint": StepCost(2380, 16.5)}
"""What each of the solver's steps adds to a training step."""
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
        \mathcal{L} = \mathbb{E}_{x_1} \left[ -\log p(x_1) + \int_0^1 λ ‖ v_θ ‖^2 + λ' ‖ ∇ v_θ ‖^2 \, dt \right]
        \log p(x_1) = \log p_0(x_0) - \int_0^1 ∇ · v_θ(x_t, t) \, dt
        x_0 = x_1 - \int_0^1 v_θ(x_t, t) \, dt
    """
    look_for: ClassVar[str] = (
        "Likelihood says where particles end, not how they get there. The energy penalty makes their way shorter, and "
        "raised to 0.2 nearly straight. Compare the steps a second with flow matching's."
    )
    loss_is: ClassVar[str] = "negative log-likelihood (nats) and penalties"
    try_this: ClassVar[str] = (
        "Choose the adjoint as Gradient: the same field in a small and constant part of the memory, at the price of "
        "solving twice. Raise the solver's steps and only backpropagation's memory grows."
    )

    stand_ins: ClassVar[dict[ActivationName, ActivationName]] = {"relu": "tanh"}
    default_steps: ClassVar[int] = 2000

    gradient: Gradient = Field(
        "backpropagation",
        title="Gradient",
        description="Backpropagation keeps every stage of the solver in memory; the adjoint method keeps only the last "
        "state and solves a second equation backwards.",
    )
    solver_steps: int = Field(
        2,
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
        description="λ on the mean of ∫‖v‖² dt: shortens paths, and straightens them where it is large.",
        json_schema_extra={"range": [0, 0.2], "step": 0.01},
    )

    bending: float = Field(
        0.01,
        ge=0,
        le=1,
        title="Jacobian penalty",
        description="λ' on the mean of ∫‖∇v‖² dt: keeps the field smooth, so that the solver's steps suffice.",
        json_schema_extra={"range": [0, 0.1], "step": 0.005, "advanced": True},
    )

    @property
    def step_cost(self) -> StepCost:
        each = A_SOLVERS_STEP[self.gradient]
        return StepCost(self.solver_steps * each.overhead, self.solver_steps * each.passes)

    def check(self, source: Distribution, target: Distribution, optimisation: Optimisation) -> None:
        refuse_without_density("a neural ODE", source, target)

    def rounds(self, task: Task) -> Iterator[Learner]:
        yield OdeLearner(self, task)

    def trained(self, weights: Weights, network: Network, dim: int, source: Distribution | None = None) -> Flow:
        mlp, packed = self.suited(network).build(dim, dim), weights["moments"]
        if len(weights["velocity"]) != mlp.size or len(packed) != 2 * dim + 2:
            raise ValueError("these are the weights of another network.")
        kind = ScoredOdeFlow if source is not None and is_standard(source) else OdeFlow
        moments, scaling = Moments.unpacked(packed), network.input_scaling
        return kind(mlp, weights["velocity"], LinearPath(), scaling, moments, "velocity", source, model=self)


@dataclass(frozen=True)
class OdeFlow(Flow):
    """A flow that was trained by likelihood: it also tells what that costs."""

    model: NeuralOde = field(kw_only=True)

    def facts(self, real: Tensor) -> list[Fact]:
        """Memory and time of a training step on these points by either gradient, and of one of flow matching."""
        if self.source is None:
            return []
        points, found = real[:FACTS_ON], []
        for method in METHODS:
            loss = Likelihood(self.model, self, self.source)
            dynamics = loss.dynamics(self.weights)
            with counting() as kept:
                loss.gradient(dynamics, points, method, loss.times())
            begun = time.thread_time()  # after the first time, which prepares a good deal
            loss.gradient(dynamics, points, method, loss.times())
            took = time.thread_time() - begun
            evaluations = 4 * self.model.solver_steps * (1 if method == "backpropagation" else 2)
            note = (
                f"{1000 * took:.0f} ms and {evaluations} evaluations a step of {len(points)} points; flow matching: 1"
            )
            found.append(Fact(f"Memory, {method}", kept.most / 1e6, "MB", note))
        return found


@dataclass(frozen=True)
class ScoredOdeFlow(OdeFlow, ScoredFlow):
    """The same from N(0, I), with a score."""


@dataclass(frozen=True)
class Likelihood:
    """E[−log p(x_1)] + λ E∫‖v‖² dt + λ' E∫‖∇v‖² dt of a flow whose source has a density, in nats."""

    model: NeuralOde
    flow: Flow
    source: Distribution

    def times(self, generator: Generator | None = None) -> list[float]:
        """The solver's times from t = 1 to 0, evenly spaced, or each moved at random by up to two fifths of a step.

        On a fixed grid the field learns to profit from the solver's error between its times.
        """
        (low, high), steps = self.flow.interval, self.model.solver_steps
        inner = torch.arange(1.0, steps)
        if generator is not None:
            inner = inner + 0.8 * torch.rand(steps - 1, generator=generator, device=generator.device).cpu() - 0.4
        return [high, *(high + (low - high) * k / steps for k in inner.tolist()), low]

    def value(self, dynamics: Dynamics, points: Tensor, times: Sequence[float]) -> float:
        """The loss on points (n, d) alone."""
        (*_, last) = runge_kutta(RungeKutta4.tableau, dynamics.slope, departing(points), times)
        return float(self._loss(last.x))

    def gradient(
        self, dynamics: Dynamics, points: Tensor, method: Gradient, times: Sequence[float]
    ) -> tuple[Tensor, Tensor]:
        """The loss on points (n, d) and its gradient, by either method."""
        solved = METHODS[method](RungeKutta4.tableau, dynamics, departing(points), times, self._loss)
        found: tuple[Tensor, Tensor] = solved
        return found

    def dynamics(self, weights: Tensor) -> Dynamics:
        """Of a point, of its derivative and of its penalties, under weights that may change in place."""
        if not isinstance(self.flow.mlp, FilmMlp) and not self.flow.mlp.waves:
            return DivergingDynamics(self.flow, weights)

        def slope(weights: Tensor, state: Tensor, t: float) -> Tensor:
            n, d = len(state), self.flow.mlp.outputs
            velocity, jacobian = self.flow.jacobian_by(weights, state[:, :d], t)
            turning = state[:, d:-PENALTIES].view(n, d, d) @ jacobian
            squares = torch.stack([velocity.square().sum(1), jacobian.square().sum((1, 2))], dim=1)
            return torch.cat([velocity, turning.view(n, d * d), squares], dim=1)

        return Differentiated(slope, weights)

    def _loss(self, end: Tensor) -> Tensor:
        """The penalties' integrals run from 1 to 0, so that they have the opposite sign."""
        d = self.flow.mlp.outputs
        density = self.source.log_prob(end[:, :d])
        assert density is not None, "a source without a density was refused"
        _, stretched = torch.linalg.slogdet(end[:, d:-PENALTIES].view(-1, d, d))
        energy, bending = end[:, -PENALTIES:].mean(0)
        loss: Tensor = -(density + stretched).mean() - self.model.energy * energy - self.model.bending * bending
        return loss


class OdeLearner(Learner):
    """Makes the target's points likely under a flow."""

    name = "flow"

    def __init__(self, model: NeuralOde, task: Task) -> None:
        self._model, self._batch = model, task.optimisation.batch
        self._pool = task.pool(task.target, TARGET)
        self._moments = Moments.of(task.pool(task.source, SOURCE).points, self._pool.points)
        mlp = model.suited(task.network).build(task.dim, task.dim)
        weights = mlp.initial(seeded(task.seed, 0)).to(task.device)
        self._flow = Flow(mlp, weights, LinearPath(), task.network.input_scaling, self._moments)
        self._adam = Adam(weights, task.optimisation)
        self._likelihood = Likelihood(model, self._flow, task.source)
        self._dynamics = self._likelihood.dynamics(weights)
        self._generator = task.generator(3)
        self._missed, self._steps = 0.0, 0

    def gradient(self, points: Tensor, method: Gradient, jitter: bool = False) -> tuple[Tensor, Tensor]:
        """The loss on points (n, d) and its gradient by either method, at the solver's times or at moved ones."""
        times = self._likelihood.times(self._generator if jitter else None)
        return self._likelihood.gradient(self._dynamics, points, method, times)

    def look(self) -> None:
        """Finds by how many nats a solution with half the step is worse than the one that is trained on."""
        points = self._pool.points[:LOOKED_AT]
        finer = self._model.model_copy(update={"solver_steps": 2 * self._model.solver_steps})
        found = [Likelihood(model, self._flow, self._likelihood.source) for model in (self._model, finer)]
        coarse, fine = (one.value(self._dynamics, points, one.times()) for one in found)
        self._missed = fine - coarse

    @property
    def remark(self) -> str | None:
        """That the solver's steps are too coarse, where the loss profits from its errors."""
        if abs(self._missed) < TOO_MUCH:
            return None
        return (
            f"The solver's steps are too coarse: with half the step the loss is {self._missed:+.2g} nats off, so that "
            "what is learnt is the solver's error. Raise the solver's steps or the energy penalty."
        )

    def step(self, decay: float) -> Tensor:
        self._steps += 1
        if self._steps % LOOK_EVERY == 0:
            self.look()
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
