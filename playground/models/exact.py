"""The exact model: nothing is learnt, the field is known in closed form."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from playground.distributions import Gaussian, Mixture, NoisyCurve
from playground.distributions.base import Distribution
from playground.dynamics.adaptive import Dopri5
from playground.dynamics.exact import ExactField, Normal, Normals
from playground.dynamics.guiding import UNGUIDED, Guiding, Meter, led
from playground.dynamics.paths import AnyPath, LinearPath, Path
from playground.dynamics.samplers import offered
from playground.dynamics.solvers import Process, Sampler, Solver
from playground.dynamics.stiffness import last_time
from playground.models.base import TARGET, ConditionalModel, Learner, Optimisation, Task, Weights
from playground.models.condition import Condition, ConditionEncoder
from playground.models.flow import check_sampler
from playground.networks import Network
from playground.trajectory import Trajectory

MOST_IN_BROWSER = 512
"""Components of a mixture that are sent to another runtime."""
CAREFUL = Sampler(solver=Dopri5())
"""The solution along which a density is followed to where it begins."""
POINTS = 512
"""Points that stand for a target of which no mixture is known."""


class Exact(ConditionalModel):
    """Nothing to learn: the exact field, in closed form, for a Gaussian source.

    With the target's density it is what flow matching tends to; with finitely many points, what a network would do
    that memorised them: every particle ends on one of them.
    """

    about: ClassVar[str] = (
        "For a Gaussian source the velocity that flow matching tends to is known: an average over the target's "
        "components, or over finitely many points, each by how likely it led here. No network, no training."
    )
    formula: ClassVar[str] = r"v(x, t) = \sum_k p(k | x_t = x) \, \mathbb{E}[\dot{x}_t | x_t = x, k]"
    look_for: ClassVar[str] = (
        "With few points every particle ends on one of them: a network that fitted its training points perfectly would "
        "only repeat them."
    )
    try_this: ClassVar[str] = (
        "Set Points to 16 and watch the density fall apart; then train flow matching on 16 training points until it "
        "does the same."
    )

    has_network: ClassVar[bool] = False

    kind: Literal["exact"] = "exact"
    path: AnyPath = Field(LinearPath(), title="Path", description="How a point moves from its source to its target.")
    points: int | None = Field(
        None,
        ge=1,
        le=20_000,
        title="Points",
        description="How many points stand for the target; left out it is the target's own density where that is a "
        f"mixture of Gaussians, else {POINTS} points. Up to {MOST_IN_BROWSER} the browser computes the field itself.",
        json_schema_extra={"scale": "log2", "none": "its density"},
    )

    def check(self, source: Distribution, target: Distribution, optimisation: Optimisation) -> None:
        if not isinstance(source, Gaussian):
            raise ValueError(
                f"the exact field is known for a gaussian source, not for {source.kind_name()}; "
                "choose the source gaussian, or the model flow_matching."
            )

    def check_sampler(self, source: Distribution, solver: Solver) -> None:
        check_sampler(solver, self.path, self.path.bridge or moments_of(source).is_standard)

    def check_condition(self, condition: Condition, target: Distribution, optimisation: Optimisation) -> None:
        if condition.angle:
            raise ValueError(
                "the exact field is known for classes, not for angles; choose class labels, or flow_matching."
            )
        if not isinstance(target, Mixture) or self.points is not None or optimisation.points is not None:
            raise ValueError(
                "the exact field of a class is known where classes are the Gaussians of a mixture, and no points stand "
                "for it; choose a target such as ring, grid or gaussian_mixture, or the model flow_matching."
            )

    def weight_count(self, network: Network, dim: int, condition_dim: int = 0) -> int:
        return 0

    @property
    def step_cost(self) -> None:
        return None

    def remarks(self, source: Distribution, target: Distribution) -> list[str]:
        sampled = self.points is None and mixture_of(target) is None
        points = (
            f"{target.label()} is no mixture of Gaussians: {POINTS} points of it stand for its density, so that all "
            "other real points are very unlikely."
        )
        return [remark for remark in (self.path.mismatch, points if sampled else None) if remark]

    def rounds(self, task: Task) -> Iterator[Learner]:
        target = mixture_of(task.target) if self.points is None and task.optimisation.points is None else None
        if target is None:
            target = Normals.points(task.pool(task.target, TARGET).points[: self.points or POINTS])
        yield ExactLearner(moments_of(task.source), target)

    def trained(
        self,
        weights: Weights,
        network: Network,
        dim: int,
        source: Distribution | None = None,
        encoder: ConditionEncoder | None = None,
    ) -> ExactFlow:
        packed, centers = weights["source"].double(), weights["centers"].double()
        if packed.shape != (dim + dim**2,) or centers.shape[1:] != (dim,):
            raise ValueError("these are the weights of another model.")
        normal = Normal(packed[:dim], packed[dim:].view(dim, dim))
        target = Normals(centers, weights["covariances"].double(), weights["shares"].double())
        return ExactFlow(ExactField(self.path, normal, target), encoder)


class ExactLearner(Learner):
    """Has nothing to learn, and shows the mixture and the moments of the source as its weights."""

    name = "exact"
    steps = 0

    def __init__(self, source: Normal, target: Normals) -> None:
        self._source, self._target = source, target

    def step(self, decay: float) -> Tensor:
        raise NotImplementedError("the exact field has nothing to learn.")

    def weights(self) -> Weights:
        return {
            "centers": self._target.centers.float(),
            "covariances": self._target.covariances.float(),
            "shares": self._target.weights.float(),
            "source": torch.cat([self._source.mean, self._source.covariance.flatten()]).float(),
        }


@dataclass(frozen=True)
class ExactFlow:
    """The exact field as a trained model.

    encoder: how a class is told, where it can be; conditions: each particle's class (n,), (1,) for all, None for all
    classes together; guiding: how it is guided, by v∅ + w (v_c − v∅).
    """

    field: ExactField
    encoder: ConditionEncoder | None = None
    conditions: Tensor | None = None
    guiding: Guiding = UNGUIDED

    def given(self, values: Tensor) -> Self:
        """This field under a class (n,) for each particle, or one (1,) for all: that of its Gaussian alone."""
        if self.encoder is None:
            raise ValueError("this field is told no condition.")
        return replace(self, conditions=values)

    def _mixed(self, of: Callable[[ExactField, Tensor], Tensor], x: Tensor, t: float) -> Tensor:
        """What guidance makes of a value that a field has at x (n, d) and time t."""
        w = self.guiding.condition_at(t)
        if self.conditions is None or w == 0:
            return of(self.field, x)
        labels = self.conditions.expand(len(x))
        inside = torch.empty_like(x)
        for label in torch.unique(labels).tolist():
            rows = labels == label
            inside[rows] = of(self._alone(label), x[rows])
        return led(w, inside, lambda: of(self.field, x))

    def _alone(self, label: int) -> ExactField:
        whole = self.field.target
        covariances = whole.covariances if len(whole.covariances) == 1 else whole.covariances[label : label + 1]
        alone = Normals(whole.centers[label : label + 1], covariances, torch.ones(1, dtype=torch.float64))
        return ExactField(self.field.path, self.field.source, alone)

    @property
    def path(self) -> Path:
        """The path that it follows."""
        return self.field.path

    @cached_property
    def interval(self) -> tuple[float, float]:
        """(t_min, t_max); towards points it ends a little before the path does, where the field becomes too stiff."""
        last = self.path.t_max if self.field.target.covariances.any() else last_time(self.path)
        return self.path.t_min, last

    def velocity(self, x: Tensor, t: float) -> Tensor:
        """dx/dt at x (n, d) and the shared time t."""
        return self._mixed(lambda field, at: field.velocity(at, t), x, t)

    def score(self, x: Tensor, t: float) -> Tensor:
        """∇ log p_t at x (n, d) and the shared time t."""
        return self._mixed(lambda field, at: field.score(at, t), x, t)

    def log_prob(self, x: Tensor) -> Tensor:
        """The log-density in nats of the samples at x (n, d): (n,)."""
        return self.log_prob_at(x.double(), self.interval[1]).to(x)

    has_density = True

    def log_prob_at(self, x: Tensor, t: float, sampler: Sampler = CAREFUL) -> Tensor:
        """The log-density in nats of the particles at time t, at x (n, d): (n,).

        That of x_t in closed form, where the path begins with the source alone. Elsewhere particles begin as the source
        does and x_t does not, and the density of the particles is found from where those at x began: both densities
        obey the same equation of continuity, so that the ratio of the two stays as it is along a way.
        """
        found = self.field.log_prob(x, t)
        if self.path.mismatch is None:
            return found
        first = self.interval[0]
        began = sampler.integrate(self.velocity, x, t, first).end if t > first else x
        return found + self._over(began)

    def _over(self, x: Tensor) -> Tensor:
        """By how much the log-density of the particles is above that of x_t where both begin, at x (n, d): (n,)."""
        first, source = self.interval[0], self.field.source
        factor = float(self.path.at(first).sigma)
        begins = Normal(factor * source.mean, factor**2 * source.covariance)
        return begins.log_prob(x) - self.field.log_prob(x, first)

    def log_prob_through(self, x: Tensor, t: float, sampler: Sampler) -> tuple[Tensor, Tensor]:
        """Times (T,), and log p there (T,) along the way of a particle that is at x (1, d) at time t."""
        first, last = self.interval
        t = min(last, max(first, t))
        back = sampler.integrate(self.velocity, x, t, first) if t > first else None
        onward = sampler.integrate(self.velocity, x, t, last) if t < last or back is None else None
        states = [] if back is None else list(zip(back.t, back.x, strict=True))[::-1]
        states += [] if onward is None else list(zip(onward.t, onward.x, strict=True))[bool(states) :]
        logs = torch.cat([self.field.log_prob(at, float(time)) for time, at in states])
        over = 0.0 if self.path.mismatch is None else self._over(states[0][1])
        return torch.stack([time for time, _ in states]), logs + over

    def trajectory(self, x0: Tensor, sampler: Sampler, seed: int = 0) -> Trajectory:
        """Carries the source points x0 (n, d) along the field; the seed fixes the noise of a stochastic sampler."""
        by_condition = sampler.guidance if self.conditions is not None else 1.0
        guided, meter = replace(self, guiding=replace(sampler.guiding, condition=by_condition, early=1.0)), Meter()
        process = meter.of(guided.process, guided.guiding.evaluations)
        moved = sampler.integrate(process, self.path.start(x0), *self.interval, seed=seed)
        return replace(moved, nfe=meter.spent)

    @property
    def process(self) -> Process:
        """What a sampler is told of the field."""
        score = self.score if self.path.bridge else None
        return Process(self.velocity, self.path, scored=self.field.source.is_standard, score=score)

    def describe(self) -> dict[str, Any] | None:
        """The mixture, the moments of the source and the path, for another runtime; None where it is too large."""
        source, target = self.field.source, self.field.target
        if len(target.centers) > MOST_IN_BROWSER:
            return None
        first, last = self.interval
        k, d = target.centers.shape
        return {
            "mixture": {
                "centers": _wire(target.centers),
                "covariances": _wire(target.covariances.expand(k, d, d)),
                "weights": target.weights.tolist(),
            },
            "source": {"mean": source.mean.tolist(), "covariance": source.covariance.tolist()},
            "dim": d,
            "samplers": [] if self.path.bridge else offered(self.process),  # a mixture tells no score there
            "path": self.path.describe() | {"t_min": first, "t_max": last},
            **({"condition": self.encoder.describe()} if self.encoder else {}),
        }


def _wire(values: Tensor) -> dict[str, Any]:
    """An array for another runtime: little-endian float32 as base64."""
    numbers = np.ascontiguousarray(values.numpy(), dtype="<f4")
    return {"shape": list(values.shape), "f32": base64.b64encode(numbers.tobytes()).decode()}


def moments_of(gaussian: Distribution) -> Normal:
    """A settled Gaussian's mean and covariance. Raises TypeError for any other distribution."""
    if not isinstance(gaussian, Gaussian) or gaussian.dim is None:
        raise TypeError(f"{gaussian.label()} is not a settled gaussian.")
    dim = gaussian.dim
    mean, std = (torch.tensor(part, dtype=torch.float64).expand(dim) for part in (gaussian.mean, gaussian.std))
    covariance = torch.diag(std**2)
    if gaussian.correlation:
        covariance[0, 1] = covariance[1, 0] = gaussian.correlation * std[0] * std[1]
    return Normal(mean.clone(), covariance)


def mixture_of(target: Distribution) -> Normals | None:
    """A settled target as a mixture of Gaussians; None where it is none."""
    if isinstance(target, Gaussian):
        whole = moments_of(target)
        return Normals(whole.mean[None], whole.covariance[None], torch.ones(1, dtype=torch.float64))
    parts = target.components() if isinstance(target, (Mixture, NoisyCurve)) else None
    if parts is None:
        return None
    stds = parts.stds[:1] if bool((parts.stds == parts.stds[0]).all()) else parts.stds
    covariances = stds[:, None, None] ** 2 * torch.eye(parts.centers.shape[1], dtype=torch.float64)
    return Normals(parts.centers, covariances, parts.weights)
