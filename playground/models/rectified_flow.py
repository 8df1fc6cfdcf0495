"""Rectified flow: train a flow, train another on the pairs that it makes, and so on; then distil to one step.

Liu, Gong and Liu 2023, algorithm 1. The coupling (Z0, Z1) of a flow costs no more than the pairs that it was trained
on, and the next flow, trained on it, is straighter: V(X0, X1) of its pairs is what was left to bend for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import ConfigDict, Field
from torch import Tensor

from playground.choice import FROM_NAME
from playground.distributions.base import Distribution
from playground.dynamics.couplings import IndependentCoupling
from playground.dynamics.parameterization import Moments
from playground.dynamics.paths import LinearPath
from playground.dynamics.solvers import Heun, Sampler
from playground.dynamics.times import AnyTimes, UShapedTimes
from playground.models.base import SOURCE, TARGET, Learner, Optimisation, Pool, Task, Weights, seeded
from playground.models.condition import Condition, ConditionEncoder
from playground.models.contracts import Trained
from playground.models.flow import Flow
from playground.models.flow_matching import FlowLearner, FlowMatching, Head
from playground.models.jump import Jump, one_step
from playground.models.learning import Adam, Regression
from playground.networks import Network

TOGETHER = 2048
"""Pairs that are made at a time: 25 ms."""
SOLUTION = Sampler(solver=Heun(), steps=16)
"""How pairs are made."""
HUBER = 0.2
"""The error, in deviations of the target, from which Huber's loss goes on as a line."""
STREAM = 20
"""The first of the random streams that later rounds draw from, two a round."""


class RectifiedFlow(FlowMatching):
    """Trains a flow, then others on the pairs that the one before makes, each straighter; then one step may do."""

    model_config = ConfigDict(serialize_by_alias=True)

    about: ClassVar[str] = (
        "Flow matching, then flow matching again on the pairs of start and end that the first flow makes, and so on. "
        "These pairs hardly cross, so that the next flow hardly bends and a few steps are enough. At the end a "
        "network without a time learns to do all of it in one call."
    )
    formula: ClassVar[str] = r"""
        \mathcal{L}_k = \mathbb{E}_{t, (z_0, z_1)} ‖ v_k(z_t, t) - (z_1 - z_0) ‖^2
        (z_0, z_1) \text{ from } v_{k-1}
    """
    look_for: ClassVar[str] = (
        "Each round's straightness S falls and the quality at one step rises, while the end points hardly move; after "
        "several rounds they drift."
    )
    try_this: ClassVar[str] = (
        "Open the tab Reflow and drag the steps to 1: the first flow lands on the mean, the second on the target."
    )

    kind: Literal["rectified_flow"] = "rectified_flow"  # type: ignore[assignment]  # a kind of its own
    flows: int = Field(
        2,
        alias="rounds",
        ge=1,
        le=4,
        title="Rounds",
        description="How many flows are trained, one after another, each on the pairs that the one before makes.",
    )
    distill: bool = Field(
        True,
        title="Distil",
        description="At the end, distil the last flow into a one-step network.",
    )
    pairs: Literal["fresh", "mixed"] = Field(
        "fresh",
        title="Pairs",
        description="What later rounds learn from: fresh pairs, where the flow before carries new source points to the "
        "target; or as many again of real target points, carried back to the source, against the drift of many rounds.",
        json_schema_extra={"labels": {"mixed": "mixed with real data"}},
    )
    pair_count: int = Field(
        2**14,
        ge=2**12,
        le=2**17,
        title="Pairs a round",
        description="How many pairs a flow makes for the next. More take longer to make; few are memorised.",
        json_schema_extra={"advanced": True},
    )
    distill_loss: Literal["squared", "huber"] = Field(
        "squared",
        title="Distillation loss",
        description="What an error of the map counts: its square, or Huber's loss, which the few points between modes "
        "do not rule.",
        json_schema_extra={"advanced": True},
    )
    reflow_times: AnyTimes = Field(
        UShapedTimes(),
        title="Reflow times",
        description="Which times are trained most from the second round on.",
        json_schema_extra={"advanced": True},
    )
    path: Annotated[LinearPath, FROM_NAME] = Field(  # a flow is rectified along straight paths
        LinearPath(), title="Path", description="The straight line on which a flow is rectified."
    )

    def tells_score(self, source: Distribution) -> bool:
        return False  # the pairs of later rounds are not independent

    @property
    def round_count(self) -> int:
        return self.flows + self.distill

    @property
    def later(self) -> FlowMatching:
        """How every flow but the first is trained: on pairs that are made already."""
        told = {"coupling": IndependentCoupling(), "times": self.reflow_times, "average_targets": False}
        return self.model_copy(update=told)

    def check(self, source: Distribution, target: Distribution, optimisation: Optimisation) -> None:
        super().check(source, target, optimisation)
        if self.prediction == "score":
            raise ValueError("a score says nothing of a flow between pairs; choose the prediction velocity.")

    def check_condition(self, condition: Condition, target: Distribution, optimisation: Optimisation) -> None:
        if self.distill:
            raise ValueError(
                "the distilled map is told no condition; set model.distill to false, or choose no condition."
            )
        super().check_condition(condition, target, optimisation)

    def rounds(self, task: Task) -> Iterator[Learner]:
        source, target = task.pool(task.source, SOURCE), task.pool(task.target, TARGET)
        flow = FlowLearner("flow 1", self, task, source, target)
        yield flow
        for number in range(2, self.flows + 1):
            flow = ReflowLearner(number, self, task, source, target, flow)
            yield flow
        if self.distill:
            yield DistilLearner(self, task, flow)

    def flow_of(self, weights: Weights, task: Task) -> Flow:
        """The flow that the weights of a round hold."""
        return super().trained(weights, task.network, task.dim, task.source, task.encoder)

    def trained(  # type: ignore[override]  # its last round is a map
        self,
        weights: Weights,
        network: Network,
        dim: int,
        source: Distribution | None = None,
        encoder: ConditionEncoder | None = None,
    ) -> Trained:
        if "map" in weights:
            return Jump.of(network, dim, weights)
        return super().trained(weights, network, dim, source, encoder)


class MadePairs:
    """Pairs (Z0, Z1) that a trained flow makes, dealt out in batches.

    From fresh source points by its solution forward; where real points are to be mixed in, as many again from target
    points, by its solution backward. A conditional flow makes each pair under a condition that the target draws.
    """

    def __init__(self, task: Task, stream: int, model: RectifiedFlow) -> None:
        self._task, self._stream = task, stream
        self._count, self._mixed = model.pair_count, model.pairs == "mixed"
        self._pool: Pool | None = None

    def made(self, flow: Flow) -> Iterator[float]:
        """Makes them a few at a time; yields the share that is done."""
        chance, pieces = seeded(self._task.seed, self._stream), math.ceil(self._count / TOGETHER)
        real = self._task.pool(self._task.target, TARGET) if self._mixed or self._task.encoder else None
        rows, labels = [], []
        for piece in range(pieces):
            size = min(TOGETHER, self._count - piece * TOGETHER)
            backward = self._mixed and piece % 2 == 1
            x1, told = real.labelled(size) if real else (None, None)
            if self._task.encoder and x1 is not None:
                flow = flow.given(self._task.encoder.values(x1, told).cpu())
            x = x1.cpu() if backward and x1 is not None else self._task.source.sample(size, chance)
            times = flow.interval[::-1] if backward else flow.interval
            ends = x, SOLUTION.integrate(flow.velocity, x, *times).end
            rows.append(torch.cat(ends[::-1] if backward else ends, dim=1))
            labels += [] if told is None else [told]
            yield (piece + 1) / pieces
        order = torch.randperm(self._count, generator=chance)  # else batches would be of one direction alone
        joined = torch.cat(rows)[order].to(self._task.device)
        classes = torch.cat(labels)[order.to(self._task.device)] if labels else None
        self._pool = Pool(joined, self._task.generator(self._stream + 1), classes)

    def labelled(self, n: int) -> tuple[Tensor, Tensor, Tensor | None]:
        """The next n pairs, z0 (n, d) and z1 (n, d), with their labels (n,)."""
        assert self._pool is not None, "pairs are made before the first step"
        both, labels = self._pool.labelled(n)
        return *both.chunk(2, dim=1), labels  # type: ignore[return-value]  # of two parts


class ReflowLearner(FlowLearner):
    """Flow matching on the pairs (Z0, Z1) of the flow before, whose weights it starts from."""

    def __init__(
        self, number: int, model: RectifiedFlow, task: Task, source: Pool, target: Pool, before: FlowLearner
    ) -> None:
        super().__init__(f"flow {number}", model.later, task, source, target)
        self._task, self._family, self._before = task, model, before.weights()
        self._heads = {"velocity": Head(self._mlp, task, 0, self._before["velocity"])}
        self._made = MadePairs(task, STREAM + 2 * number, model)
        self._pairs = self._made  # type: ignore[assignment]  # which deals out pairs as well

    def prepare(self) -> Iterator[float]:
        yield from self._made.made(self._family.flow_of(self._before, self._task))


class DistilLearner(Learner):
    """Regression of a map on the pairs (Z0, Z1) of the last flow: E ℓ(Z1 − map(Z0)).

    With the residual scaling of a predicted velocity the map starts as what the flow does in one Euler step, by the
    same weights; with others from fresh weights.
    """

    name = "distilled"

    def __init__(self, model: RectifiedFlow, task: Task, before: FlowLearner) -> None:
        self._task, self._model, self._before = task, model, before.weights()
        self._batch, self._moments = task.optimisation.batch, Moments.unpacked(self._before["moments"])
        self._mlp = mlp = task.network.build(task.dim, task.dim, timed=False, features=True)
        if task.network.input_scaling == "residual" and model.prediction == "velocity":
            initial = one_step(task.network.build(task.dim, task.dim), self._before["velocity"], mlp)
        else:
            initial = mlp.initial(seeded(task.seed, 5))
        weights = initial.to(task.device)
        self._adam = Adam(weights, task.optimisation)
        self._regression = Regression(mlp, weights, HUBER if model.distill_loss == "huber" else None)
        self._pairs = MadePairs(task, STREAM, model)

    def prepare(self) -> Iterator[float]:
        yield from self._pairs.made(self._model.flow_of(self._before, self._task))

    def step(self, decay: float) -> Tensor:
        z0, z1, _ = self._pairs.labelled(self._batch)
        m = self._moments
        inside = self._mlp.inputs_at((z0 - m.mean0.to(z0)) / m.std0)
        loss = self._regression(inside, (z1 - m.mean1.to(z1)) / m.std1)
        self._adam.step(self._regression.gradient, decay)
        return loss

    def weights(self) -> Weights:
        return {"map": self._adam.average().cpu(), "moments": self._moments.packed()}
