"""What flow matching has learnt: a velocity field, and with it a density and, where there is one, a score."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import torch
from torch import Tensor

from playground.distributions import Gaussian
from playground.distributions.base import Distribution
from playground.dynamics.guiding import UNGUIDED, Guiding, Meter, led
from playground.dynamics.likelihood import FINE, log_prob, log_prob_along, log_prob_through, solved_log_prob
from playground.dynamics.parameterization import (
    Affine,
    Moments,
    Prediction,
    ScalingKind,
    affine,
    convert,
    interval,
    score_affine,
)
from playground.dynamics.path import Path
from playground.dynamics.process import DiffusionSampler, no_bridge, no_score
from playground.dynamics.samplers import offered
from playground.dynamics.solvers import Process, Sampler, Solver
from playground.models.condition import ConditionEncoder
from playground.models.learning import output_and_jacobian
from playground.networks import Mlp
from playground.trajectory import Trajectory

NO_GUIDE = (
    "autoguidance needs an earlier snapshot of the same training, and there is none; train for longer, or leave "
    "sampler.autoguidance at 1."
)


@dataclass(frozen=True)
class Flow:
    """A velocity field read from a network's weights.

    source: the distribution at t = 0, where it is known. encoder: how the network is told a condition, None where it is
    told none; conditions: the columns (n, width) of each particle, (1, width) for all, None for the null condition.

    guiding: how it is guided. By the condition (Ho and Salimans 2022, eq. 6, with their w + 1 for w) the field is
    v∅ + w (v_c − v∅), so that 1 is the field of the condition and 0 that of the null condition; by its `guide`, which
    is this field earlier in training, v_early + w (v − v_early).
    """

    mlp: Mlp
    weights: Tensor
    path: Path
    scaling: ScalingKind
    moments: Moments
    prediction: Prediction = "velocity"
    source: Distribution | None = None
    encoder: ConditionEncoder | None = None
    conditions: Tensor | None = None
    guiding: Guiding = field(default=UNGUIDED, kw_only=True)
    guide: Flow | None = field(default=None, kw_only=True)

    def given(self, values: Tensor) -> Self:
        """This field under a condition: a value (n,) for each particle, or (1,) for all."""
        if self.encoder is None:
            raise ValueError("this network is told no condition.")
        guide = None if self.guide is None else self.guide.given(values)
        return replace(self, conditions=self.encoder.columns(values), guide=guide)

    def guided(self, guiding: Guiding) -> Self:
        """This field under another guidance. Raises ValueError where its guide is asked for and there is none."""
        if guiding.early != 1 and self.guide is None:
            raise ValueError(NO_GUIDE)
        return replace(self, guiding=guiding if self.conditions is not None else replace(guiding, condition=1.0))

    def guided_by(self, earlier: Flow) -> Self:
        """This field with the field of an earlier snapshot as its guide."""
        return replace(self, guide=earlier)

    def _mixed(self, under: Callable[[Tensor | None], Tensor], w: float) -> Tensor:
        """What guidance by the condition makes of a value that the network gives under one."""
        if self.encoder is None:
            return under(None)
        null = self.encoder.null()
        if self.conditions is None or w == 0:
            return under(null)
        return led(w, under(self.conditions), lambda: under(null))

    @cached_property
    def interval(self) -> tuple[float, float]:
        """(t_min, t_max), between which there is a velocity."""
        return interval(self.scaling, self.prediction, self.path)

    @torch.no_grad()
    def velocity(self, x: Tensor, t: float) -> Tensor:
        """dx/dt at x (n, d) and the shared time t."""
        time = torch.tensor([[t]], dtype=x.dtype)
        place = affine(self.scaling, self.moments, self.path, time, self.prediction)
        own = self._output(self.weights, place, x, time, self.guiding.condition_at(t))
        guide = self.guide
        return own if guide is None else led(self.guiding.early_at(t), own, lambda: guide.velocity(x, t))

    @torch.no_grad()
    def loss(self, x0: Tensor, x1: Tensor, seed: int = 0) -> float:
        """E |v(x_t, t) − dx_t/dt|² / d over the pairs x0, x1 (n, d), whatever the loss in training weighs.

        The times are evenly spread over the interval on which the field is finite, in an order that the seed fixes.
        """
        n, generator = len(x1), torch.Generator().manual_seed(seed)
        low, high = self.interval
        shares = (torch.randperm(n, generator=generator) + torch.rand(n, generator=generator)) / n
        t = (low + (high - low) * shares.clamp(2**-20, 1 - 2**-20)).view(-1, 1)
        z = torch.randn(x1.shape, generator=generator) if self.path.bridge else None
        xt, slope = self.path.point(x0, x1, t, z)
        place = affine(self.scaling, self.moments, self.path, t, self.prediction)
        return float((self._output(self.weights, place, xt, t, 1.0) - slope).square().mean())

    def _output(self, weights: Tensor, place: Affine, x: Tensor, time: Tensor, w: float) -> Tensor:
        centred = x - place.center
        inside = place.inside * centred
        output = self._mixed(lambda c: self.mlp(weights, inside, time, c, place.blur), w)
        return place.skip * centred + place.drift + place.out * output

    @torch.no_grad()
    def diverging(self, x: Tensor, t: Tensor | float) -> tuple[Tensor, Tensor]:
        """dx/dt at x (n, d) and times t, (n, 1) or one for all, and its divergence there (n,)."""
        velocity, jacobian = self.jacobian_by(self.weights, x, t)
        return velocity, jacobian.diagonal(dim1=1, dim2=2).sum(1)

    def jacobian_by(self, weights: Tensor, x: Tensor, t: Tensor | float) -> tuple[Tensor, Tensor]:
        """The velocity v (n, d) under any weights at times t, (n, 1) or one for all, and ∂v_i/∂x_k as (n, k, i).

        Both can be differentiated with respect to the weights and to x.
        """
        time = t if isinstance(t, Tensor) else torch.tensor([[t]], dtype=x.dtype, device=x.device)
        place = affine(self.scaling, self.moments, self.path, time, self.prediction)
        centred = x - place.center
        inside, (n, d) = place.inside * centred, x.shape

        def both(c: Tensor | None) -> Tensor:
            output, jacobian = output_and_jacobian(self.mlp, weights, inside, time, c, place.blur)
            return torch.cat([output, jacobian.reshape(n, d * d)], dim=1)

        mixed = self._mixed(both, self.guiding.condition if isinstance(t, Tensor) else self.guiding.condition_at(t))
        velocity = place.skip * centred + place.drift + place.out * mixed[:, :d]
        straight = place.skip[..., None] * torch.eye(d, dtype=x.dtype, device=x.device)
        return velocity, straight + (place.out * place.inside)[..., None] * mixed[:, d:].view(n, d, d)

    def log_prob(self, x: Tensor) -> Tensor | None:
        """The log-density in nats of the samples at x (n, d): (n,); None where the source has none.

        It is solved for in float64 with a step size for each point; NaN where that fails.
        """
        if not self.has_density:
            return None
        if (
            self.conditions is not None and len(self.conditions) > 1
        ):  # steps of their own lose track of whose condition is whose
            return self.log_prob_at(x, self.interval[1])
        finer = replace(self, weights=self.weights.double())
        return solved_log_prob(finer.diverging, finer._known_start, x.double(), self.interval).to(x)

    @property
    def has_density(self) -> bool:
        """Whether the source has a density, and with it the particles at every time."""
        return self._log_start(torch.zeros(1, self.mlp.outputs)) is not None

    def log_prob_at(self, x: Tensor, t: float, sampler: Sampler = FINE) -> Tensor | None:
        """The log-density in nats of the particles at x (n, d) and time t; None as for `log_prob`."""
        first, _ = self.interval
        if t <= first or not self.has_density:
            return self._log_start(x)
        return log_prob(self.diverging, self._known_start, x, (first, t), sampler)

    def log_prob_through(self, x: Tensor, t: float, sampler: Sampler = FINE) -> tuple[Tensor, Tensor]:
        """Times (T,), and log p there (T,) along the way of a particle that is at x (1, d) at time t."""
        t = min(self.interval[1], max(self.interval[0], t))
        now = self.log_prob_at(x, t, sampler)
        if now is None:
            raise ValueError("the source has no density, and so neither has the flow.")
        times, found = log_prob_through(self.diverging, now, x, t, self.interval, sampler)
        return times, found[:, 0]

    def log_prob_along(self, x0: Tensor, sampler: Sampler) -> tuple[Trajectory, Tensor] | None:
        """The trajectory from the source points x0 (n, d) and log p_t (T, n) along it; None as for `log_prob`."""
        if self._log_start(x0[:1]) is None:
            return None
        return log_prob_along(self.diverging, self._known_start, self.start(x0), self.interval, sampler)

    def _log_start(self, x: Tensor) -> Tensor | None:
        """The log-density (n,) with which particles begin at x (n, d): that of start(x0)."""
        factor = float(self.path.at(self.interval[0]).sigma)
        inside = None if self.source is None else self.source.log_prob(x / factor)
        return None if inside is None else inside - x.shape[1] * math.log(factor)

    def _known_start(self, x: Tensor) -> Tensor:
        known = self._log_start(x)
        assert known is not None, "asked for after it was seen to be known"
        return known

    def start(self, x0: Tensor) -> Tensor:
        """Where source points x0 (n, d) begin."""
        return self.path.start(x0, self.interval[0])

    @property
    def process(self) -> Process:
        """What a sampler is told of the field."""
        return Process(self.velocity, self.path)

    def trajectory(self, x0: Tensor, sampler: Sampler, seed: int = 0) -> Trajectory:
        """Carries the source points x0 (n, d) along the field, under the sampler's guidance.

        The seed fixes the noise of a stochastic sampler.
        """
        guided, meter = self.guided(sampler.guiding), Meter()
        process = meter.of(guided.process, guided.guiding.evaluations)
        moved = sampler.integrate(process, self.start(x0), *self.interval, seed=seed)
        return replace(moved, nfe=meter.spent)

    def describe(self) -> dict[str, Any]:
        """The network, its prediction and scaling, and the path as the browser reads them."""
        first, last = self.interval
        times = {"t_min": first, "t_max": last, "start": float(self.path.at(first).sigma)}
        return {
            "networks": {"velocity": self.mlp.describe()},
            "dim": self.mlp.outputs,
            "frequencies": self.mlp.frequencies,
            "prediction": self.prediction,
            "samplers": offered(self.process),
            "scaling": {"kind": self.scaling, **self.moments.describe()},
            "path": self.path.describe() | times,
            **({"condition": self.encoder.describe()} if self.encoder else {}),
        }


@dataclass(frozen=True)
class ScoredFlow(Flow):
    """A flow from N(0, I) in independent pairs, whose velocity also tells the score."""

    @property
    def process(self) -> Process:
        return Process(self.velocity, self.path, scored=True)

    def score(self, x: Tensor, t: float) -> Tensor:
        """∇ log p_t at x (n, d) and the shared time t; not finite where sigma is 0."""
        c = self.path.coefficients(torch.tensor([[t]], dtype=x.dtype))
        return convert(self.velocity(x, t), x, "velocity", "score", c)


@dataclass(frozen=True)
class BridgeFlow(Flow):
    """A flow along bridges, with a second network that has learnt the score."""

    score_weights: Tensor = field(kw_only=True)

    @property
    def process(self) -> Process:
        return Process(self.velocity, self.path, score=self.score)

    @torch.no_grad()
    def score(self, x: Tensor, t: float) -> Tensor:
        """∇ log p_t at x (n, d) and the shared time t."""
        time = torch.tensor([[t]], dtype=x.dtype)
        place = score_affine(self.scaling, self.moments, self.path, time)
        own = self._output(self.score_weights, place, x, time, self.guiding.condition_at(t))
        guide = self.guide
        if not isinstance(guide, BridgeFlow):
            return own
        return led(self.guiding.early_at(t), own, lambda: guide.score(x, t))

    def describe(self) -> dict[str, Any]:
        told = super().describe()
        return told | {"networks": told["networks"] | {"score": self.mlp.describe()}}


def is_standard(source: Distribution) -> bool:
    """Whether a settled source is N(0, I)."""
    if not isinstance(source, Gaussian) or source.dim is None:
        return False
    return not (any(source.mean) or any(std != 1 for std in source.std) or source.correlation)


def check_sampler(solver: Solver, path: Path, scored: bool) -> None:
    """Raises ValueError with a sentence where a solver asks for more of a field along the path than it tells."""
    if solver.stochastic and not scored:
        raise ValueError(no_score(solver.label()))
    if path.bridge and isinstance(solver, DiffusionSampler) and not solver.on_bridges:
        raise ValueError(no_bridge(solver.label()))
