"""Flow matching: regress a network on the velocity of a probability path.

Lipman et al. 2023, Liu et al. 2023, Albergo and Vanden-Eijnden 2023; the loss is eq. 9 of Lipman et al. for any
coupling and path.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from playground.distributions import Gaussian
from playground.distributions.base import Distribution
from playground.dynamics.couplings import AnyCoupling, IndependentCoupling, SinkhornCoupling
from playground.dynamics.parameterization import (
    Moments,
    Prediction,
    Weighting,
    affine,
    interval,
    log_noise,
    score_affine,
    weight,
)
from playground.dynamics.paths import AnyPath, LinearPath, Path
from playground.dynamics.solvers import Solver
from playground.dynamics.times import AnyTimes, NoiseTimes
from playground.models.base import SOURCE, TARGET, ConditionalModel, Learner, Optimisation, Pool, Task, Weights, seeded
from playground.models.condition import ConditionEncoder
from playground.models.flow import BridgeFlow, Flow, ScoredFlow, check_sampler, is_standard
from playground.models.learning import Adam, regression
from playground.models.pairing import Pairs
from playground.networks import Mlp, Network

PREPARED = 8192
"""Examples that are prepared at a time."""


class FlowMatching(ConditionalModel):
    """Learns the velocity that carries the source to the target along a probability path."""

    about: ClassVar[str] = (
        "A network learns a velocity at every place and time. Pairs of a source and a target point are joined by a "
        "path; what is learnt is the mean velocity of all paths through a place. A sample is a source point that "
        "follows it from t = 0 to 1."
    )
    formula: ClassVar[str] = r"""
        \mathcal{L} = \mathbb{E}_{t, x_0, x_1} w_t ‖ v_θ(x_t, t) - \dot{x}_t ‖^2
        x_t = α_t x_1 + σ_t x_0
    """
    look_for: ClassVar[str] = (
        "Paths of single pairs meet at one place and time; those of the flow never do, though their traces may cross: "
        "they bend where pairs would meet. Bent paths are why few steps miss."
    )
    has_features: ClassVar[bool] = True
    loss_is: ClassVar[str] = "weighted mean squared error"
    try_this: ClassVar[str] = (
        "Choose the solver Euler and drag Steps down to 1: every particle jumps to the mean of what it could become. "
        "Then choose the coupling optimal transport, train again and compare."
    )

    learns_field: ClassVar[bool] = True

    kind: Literal["flow_matching"] = "flow_matching"
    path: AnyPath = Field(LinearPath(), title="Path", description="How a point moves from its source to its target.")
    coupling: AnyCoupling = Field(
        IndependentCoupling(), title="Coupling", description="Which source point goes with which target point."
    )
    prediction: Prediction = Field(
        "velocity",
        title="Prediction",
        description="What the network outputs: dx/dt, the source point, the target point, or the score. The flow is "
        "the same; with the residual input scaling so is the network, but for its sign.",
        json_schema_extra={"advanced": True, "labels": {"noise": "noise (x0)", "data": "data (x1)"}},
    )
    weighting: Weighting = Field(
        "unit",
        title="Loss weighting",
        description="What an error counts at each time: equally in the network's units, by the velocity, the noise "
        "(DDPM's simple loss) or the data that it comes to, or the data by a bounded signal-to-noise ratio.",
        json_schema_extra={"advanced": True, "labels": {"unit": "network's units", "min_snr": "min-SNR"}},
    )
    times: AnyTimes = Field(
        NoiseTimes(),
        title="Training times",
        description="Which times are trained most.",
        json_schema_extra={"advanced": True},
    )
    average_targets: bool = Field(
        True,
        title="Average targets",
        description="Regress on the mean velocity of all targets in the batch that could have led to the same point: "
        "the same field with far less noise. Takes effect for a Gaussian source, independent pairs and no bridge.",
        json_schema_extra={"advanced": True},
    )

    @model_validator(mode="after")
    def _a_bridge_predicts_its_velocity(self) -> Self:
        if self.path.bridge and self.prediction != "velocity":
            raise ValueError(
                f"along bridges the network predicts a velocity, and a second one the score; choose prediction "
                f"velocity, or a path without noise of its own, instead of {self.prediction} with {self.path.kind}."
            )
        if self.path.bridge and self.weighting not in ("unit", "velocity"):
            raise ValueError(
                f"the loss weighting {self.weighting} has no meaning along bridges; choose unit or velocity."
            )
        return self

    def check(self, source: Distribution, target: Distribution, optimisation: Optimisation) -> None:
        if self.prediction == "score" and not is_standard(source):
            raise ValueError(
                "the score can be predicted only where the source is a standard gaussian, of mean 0, std 1 and no "
                "correlation; choose that source, or the prediction velocity."
            )
        if self.prediction == "score" and self.coupling.together is not None:
            raise ValueError(
                f"the score can be predicted only of independent pairs, not with the coupling {self.coupling.kind}; "
                "choose the coupling independent, or the prediction velocity."
            )
        if self.coupling.together is not None and optimisation.batch < 2:
            raise ValueError(
                f"the coupling {self.coupling.kind} has nothing to choose from in a batch of 1; "
                "choose a training batch of at least 2, or the coupling independent."
            )

    def tells_score(self, source: Distribution) -> bool:
        """Whether the velocity that is learnt from this settled source tells the score of its marginals too.

        By Tweedie's formula, for which x0 ~ N(0, I) must be independent of x1.
        """
        return is_standard(source) and self.coupling.together is None and not self.path.bridge

    def check_sampler(self, source: Distribution, solver: Solver) -> None:
        check_sampler(solver, self.path, self.path.bridge or self.tells_score(source))

    def remarks(self, source: Distribution, target: Distribution) -> list[str]:
        return [remark for remark in (self.path.mismatch, self._clamped(source, target)) if remark]

    def _clamped(self, source: Distribution, target: Distribution) -> str | None:
        """What is to be said where the coupling's ε is too small."""
        coupling = self.coupling.settled(self.path)
        return coupling.remark(source, target) if isinstance(coupling, SinkhornCoupling) else None

    def weight_count(self, network: Network, dim: int, condition_dim: int = 0) -> int:
        """Those of the velocity, and along a bridge those of the score."""
        return super().weight_count(network, dim, condition_dim) * (2 if self.path.bridge else 1)

    def rounds(self, task: Task) -> Iterator[Learner]:
        clamped = self._clamped(task.source, task.target)
        if clamped:
            warnings.warn(clamped, stacklevel=2)
        yield FlowLearner("flow", self, task, task.pool(task.source, SOURCE), task.pool(task.target, TARGET))

    def trained(
        self,
        weights: Weights,
        network: Network,
        dim: int,
        source: Distribution | None = None,
        encoder: ConditionEncoder | None = None,
    ) -> Flow:
        mlp, packed = network.build(dim, dim, condition_dim=encoder.width if encoder else 0), weights["moments"]
        heads = [weights["velocity"]] + ([weights["score"]] if self.path.bridge else [])
        if any(len(head) != mlp.size for head in heads) or len(packed) != 2 * dim + 2:
            raise ValueError("these are the weights of another network.")
        scaling, moments = network.input_scaling, Moments.unpacked(packed)
        if self.path.bridge:
            score = heads[1]
            return BridgeFlow(
                mlp, heads[0], self.path, scaling, moments, source=source, encoder=encoder, score_weights=score
            )
        kind = ScoredFlow if source is not None and self.tells_score(source) else Flow
        return kind(mlp, heads[0], self.path, scaling, moments, self.prediction, source, encoder)


@dataclass(frozen=True)
class Examples:
    """What a network sees (n, in), what each head should say (n, d), what its errors count (n, 1) or None for 1."""

    inputs: Tensor
    wanted: list[Tensor]
    weights: Sequence[Tensor | None]

    def batches(self, size: int) -> Iterator[Examples]:
        """One batch after another."""
        for at in range(0, len(self.inputs), size):
            rows = slice(at, at + size)
            weights = [None if part is None else part[rows] for part in self.weights]
            yield Examples(self.inputs[rows], [wanted[rows] for wanted in self.wanted], weights)


class Classes(NamedTuple):
    """The label of every example (n,), and the one that the network is told, −1 where it is told none."""

    all: Tensor
    told: Tensor


class FlowLearner(Learner):
    """E w(t) ‖v(x_t, t) − dx_t/dt‖² over pairs of the coupling and times in [t_min, t_max].

    Along bridges a second network of the same shape learns the score, by E gamma² ‖s(x_t, t) + z / gamma‖²
    ([SF]²M, Tong et al. 2024).
    """

    def __init__(self, name: str, model: FlowMatching, task: Task, source: Pool, target: Pool) -> None:
        self.name = name
        self._model, self._path = model, model.path
        self._batch = task.optimisation.batch
        self._scaling = task.network.input_scaling
        self._moments = Moments.of(source.points, target.points)
        self._encoder = task.encoder
        self._mlp = task.network.build(task.dim, task.dim, condition_dim=task.encoder.width if task.encoder else 0)
        self._heads = {"velocity": Head(self._mlp, task, 0)}
        if model.path.bridge:
            self._heads["score"] = Head(self._mlp, task, 4)
        self._generator = task.generator(3)
        self._within = (0.0, 1.0) if self._path.steps else interval(self._scaling, model.prediction, self._path)
        self._quantile = model.times.on(lambda share: log_noise(self._moments, self._path, self._time(share)))
        self._pairs = Pairs(model.coupling.settled(model.path), source, target, self._generator)
        averages = model.average_targets and model.coupling.together is None and not model.path.bridge
        averages = averages and (task.encoder is None or task.encoder.kind == "labels")  # no two points share an angle
        self._noise = task.source if averages and isinstance(task.source, Gaussian) else None
        self._batches = self._prepared()

    def step(self, decay: float) -> Tensor:
        batch = next(self._batches)
        losses = [
            head.step(batch.inputs, wanted, weights, decay)
            for head, wanted, weights in zip(self._heads.values(), batch.wanted, batch.weights, strict=True)
        ]
        return losses[0] if len(losses) == 1 else torch.stack(losses).sum()

    def _prepared(self) -> Iterator[Examples]:
        """Batches of examples, made many at a time: that costs far less."""
        many = max(1, PREPARED // self._batch)
        while True:
            yield from self._examples(many).batches(self._batch)

    def _examples(self, batches: int) -> Examples:
        """The examples of `batches` batches, one batch after another."""
        x0, x1, labels = self._pairs.labelled(batches * self._batch)
        t = self._times(batches)
        device = self._generator.device
        z = torch.randn(x0.shape, generator=self._generator, device=device) if self._path.bridge else None
        xt, velocity = self._path.point(x0, x1, t, z)
        told, classes = self._told(x1, labels)
        if self._noise is not None:
            velocity = averaged(velocity, self._noise, self._path, xt, x1, t, self._batch, classes)
        place = affine(self._scaling, self._moments, self._path, t, self._model.prediction)
        centred = xt - place.center
        wanted = [(velocity - place.skip * centred - place.drift) / place.out]
        plain = self._model.weighting == "unit" and not self._path.bridge
        weights = [None if plain else weight(self._model.weighting, self._path.coefficients(t), place)]
        if z is not None:
            second = score_affine(self._scaling, self._moments, self._path, t)
            wanted.append((-z / self._path.coefficients(t).gamma - second.skip * centred) / second.out)
            weights.append(1 / second.noise.square())
        return Examples(self._mlp.inputs_at(place.inside * centred, t, told, place.blur), wanted, weights)

    def _told(self, x1: Tensor, labels: Tensor | None) -> tuple[Tensor | None, Classes | None]:
        """What the network is told of the condition of x1 (n, d), as columns, and as labels where it has any."""
        if self._encoder is None:
            return None, None
        values = self._encoder.values(x1, labels)
        dropped = self._encoder.dropped(len(x1), self._generator)
        classes = Classes(values, values.where(~dropped, -1)) if self._encoder.kind == "labels" else None
        return self._encoder.encode(values, dropped), classes

    def _times(self, batches: int) -> Tensor:
        """Times (batches · batch, 1), in each batch one in every equal share of their distribution.

        They have less variance than independent draws.
        """
        device = self._generator.device
        offsets = torch.rand(batches, self._batch, generator=self._generator, device=device)
        shares = (torch.arange(self._batch, device=device) + offsets) / self._batch
        # At 1, to which the last one may round, no source is left to average over; at 0 a bridge has no noise.
        t = self._quantile(shares.clamp_(2**-24, 1 - 2**-24)).clamp(2**-24, 1 - 2**-24)
        return self._time(t).view(-1, 1)

    def _time(self, share: Tensor) -> Tensor:
        """The time of a share, in [0, 1], of the interval that is trained."""
        low, high = self._within
        return low + (high - low) * share

    def weights(self) -> Weights:
        return {name: head.average() for name, head in self._heads.items()} | {"moments": self._moments.packed()}


class Head:
    """A network in training: its regression and its optimiser."""

    def __init__(self, mlp: Mlp, task: Task, stream: int, initial: Tensor | None = None) -> None:
        weights = (mlp.initial(seeded(task.seed, stream)) if initial is None else initial.clone()).to(task.device)
        self._adam = Adam(weights, task.optimisation)
        self._regression = regression(mlp, weights)

    def step(self, inputs: Tensor, wanted: Tensor, weights: Tensor | None, decay: float) -> Tensor:
        """One update at `decay` times the peak rate; returns the loss."""
        loss = self._regression(inputs, wanted, weights)
        self._adam.step(self._regression.gradient, decay)
        return loss

    def average(self) -> Tensor:
        """The weights that are shown, as a copy on the CPU."""
        return self._adam.average().cpu()


def averaged(
    velocity: Tensor,
    source: Gaussian,
    path: Path,
    xt: Tensor,
    x1: Tensor,
    t: Tensor,
    batch: int,
    classes: Classes | None = None,
) -> Tensor:
    """The velocity at x_t (n, d), averaged over the targets of its batch by how likely each led to x_t.

    For independent pairs the posterior over which x1 of the batch gave x_t = alpha x1 + sigma x0 is proportional to
    p0((x_t − alpha x1) / sigma), so this is the conditional expectation of dx_t/dt given the batch and x_t: by
    Rao–Blackwell it has the same mean as dx_t/dt, given x_t, and less variance. It is the stable target field of Xu,
    Tong and Jaakkola (2023, eq. 8), drawing the reference batch and x_t together. Where classes are told, only targets
    of the told one could have led there.
    """
    c = path.coefficients(t)
    ratio = c.alpha / c.sigma
    candidates = source.whiten(x1) - source.whiten(torch.zeros_like(x1[:1]))
    point = source.whiten(xt / c.sigma)
    # log p0 of every candidate, up to a constant, as one matrix product: ratio ⟨p, c⟩ − ½ ratio² |c|².
    left = torch.cat([ratio * point, -0.5 * ratio**2], dim=1)
    right = torch.cat([candidates, candidates.square().sum(1, keepdim=True)], dim=1)
    means = torch.empty_like(x1)
    score = x1.new_empty(batch, batch)
    for at in range(0, len(x1), batch):
        rows = slice(at, at + batch)
        row, column, targets, mean = left[rows], right[rows], x1[rows], means[rows]
        torch.mm(row, column.t(), out=score)
        if classes is not None:
            told = classes.told[rows, None]
            score.masked_fill_((told >= 0) & (told != classes.all[rows]), -math.inf)
        torch.softmax(score, 1, out=score)
        torch.mm(score, targets, out=mean)
    return velocity + (c.d_alpha - c.d_sigma * ratio) * (means - x1)
