"""Samplers with a churn dial, from the probability flow to the reverse diffusion and all between.

With the score (process.py) noise may be added and taken away again without a change of the marginals: all of them
solve dx = [v + ½ λ g² ∇ log p] dt + √λ g dW in the limit of many steps, λ being the churn. They differ in how many
steps that takes. The twin is ui/web/compute/sampling/churned.js.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, ClassVar, Literal

from pydantic import Field
from torch import Tensor

from playground.dynamics.grids import noise_to_signal, time_at
from playground.dynamics.noise import Noise
from playground.dynamics.path import Path
from playground.dynamics.process import DiffusionSampler, Level, Process, no_score, noise_ratio
from playground.dynamics.runge_kutta import Heun, Midpoint, State, Tableau, Velocity, combined

MOST_CHURN = math.sqrt(2) - 1
"""The largest share by which a stochastic Heun step raises the noise (Karras et al. 2022, algorithm 2)."""
DIAL: dict[str, Any] = {"hidden": True}
"""The stage has a slider for it, which answers at once."""


def churn_field() -> Any:
    """How much noise is added and taken away again."""
    return Field(
        1.0,
        ge=0,
        le=1,
        title="Churn",
        description="How much noise is added and taken away on the way: 0 follows the flow, 1 the reverse diffusion. "
        "The marginals are the same.",
        json_schema_extra=DIAL,
    )


def euler_maruyama(
    drift: Velocity, spread: Callable[[Tensor, float], Tensor | float], x: Tensor, times: Sequence[float], noise: Noise
) -> Iterator[Tensor]:
    """Solve dx = drift(x, t) dt + spread(x, t) dW by the Euler–Maruyama method: x at each of the times.

    Its weak order is 1; its strong order ½, and 1 where the spread does not depend on x (Kloeden and Platen 1992,
    section 10.2).
    """
    yield x
    for t, after in pairwise(times):
        h = after - t
        x = x + h * drift(x, t) + math.sqrt(h) * spread(x, t) * noise(t, after)
        yield x


def bridge_rate(path: Path, t: float) -> float:
    """g² of a bridge: gamma² / (t (1 − t)), which is σ² for Brownian bridges, gamma = σ √(t (1 − t)); 0 at its ends."""
    return float(path.at(t).gamma) ** 2 / (t * (1 - t)) if 0 < t < 1 else 0.0


def reverse_drift(process: Process, churn: float, label: str) -> Velocity:
    """v + ½ λ g² ∇ log p along a bridge. Raises ValueError without a score."""
    score = process.score
    if score is None:
        raise ValueError(no_score(label))

    def drift(x: Tensor, t: float) -> Tensor:
        return process.velocity(x, t) + 0.5 * churn * bridge_rate(process.path, t) * score(x, t)

    return drift


class Churned(DiffusionSampler):
    """A sampler with the churn dial: one way along paths, another along bridges, whose score is a second network's."""

    churn: float = churn_field()

    @property
    def stochastic(self) -> bool:
        return self.churn > 0

    @property
    def on_bridges(self) -> bool:
        return True

    def sampled(self, process: Process, x: Tensor, times: Sequence[float], noise: Noise) -> Iterator[State]:
        way = self._bridged if process.path.bridge and self.stochastic else self._along
        return way(process, x, times, noise)

    def _along(self, process: Process, x: Tensor, times: Sequence[float], noise: Noise) -> Iterator[State]:
        raise NotImplementedError

    def _bridged(self, process: Process, x: Tensor, times: Sequence[float], noise: Noise) -> Iterator[State]:
        raise NotImplementedError


class EulerMaruyama(Churned):
    """First order, one evaluation a step: the plainest way to add noise, and it draws narrow modes too narrow.

    The churn leads from the flow (0) to the reverse diffusion (1):
    dx = [v + ½ λ g² ∇ log p] dt + √λ g dW with λ the churn and g² = 2 (α'σ − σ'α) σ / α: the probability-flow ODE and
    the reverse SDE of Song et al. (2021, eq. 13 and 6) and all between, which have the same marginals. The velocity is
    followed by an Euler step. What the churn adds is an Ornstein–Uhlenbeck process of x̂0, whose step is taken exactly,
    x̂0 → ρ x̂0 + √(1 − ρ²) z with ρ = (α₁σ₂ / α₂σ₁)^λ; to first order in h it is the usual step, and stays finite where
    g² is not, at α = 0. Along a bridge g² = gamma² / (t (1 − t)), the score is a second network's, and the step the
    usual one, of two evaluations.

    Its bias, measured: modes of width 0.1 come out 0.094, 0.086 and 0.082 wide at churn 0, ½ and 1 in 100 steps of the
    VP path, and along a Brownian bridge of σ = ½ at churn 1 0.106. StochasticMidpoint keeps them.
    """

    title: ClassVar[str] = "Euler–Maruyama"
    kind: Literal["euler_maruyama"] = "euler_maruyama"

    def _along(self, process: Process, x: Tensor, times: Sequence[float], noise: Noise) -> Iterator[State]:
        yield State(times[0], x, nfe=0)
        for step, (t, after) in enumerate(pairwise(times), start=1):
            now, then = Level.of(process.path, t), Level.of(process.path, after)
            velocity = process.velocity(x, t)
            x_next = x + (after - t) * velocity
            if self.churn:
                left = noise_ratio(now, then) ** self.churn
                _, x0 = now.split(velocity, x)
                x_next = x_next + then.sigma * ((left - 1) * x0 + math.sqrt(max(0.0, 1 - left**2)) * noise(t, after))
            x = x_next
            yield State(after, x, nfe=step)

    def _bridged(self, process: Process, x: Tensor, times: Sequence[float], noise: Noise) -> Iterator[State]:
        drift = reverse_drift(process, self.churn, self.label())

        def spread(x: Tensor, t: float) -> float:
            return math.sqrt(self.churn * bridge_rate(process.path, t))

        for step, (t, state) in enumerate(zip(times, euler_maruyama(drift, spread, x, times, noise), strict=True)):
            yield State(t, state, nfe=2 * step)


class StochasticMidpoint(Churned):
    """Second order, two evaluations a step: raises the noise, then takes a midpoint step from there.

    A step from noise-to-signal ratio ν₁ = σ₁ / α₁ to ν₂ first goes back to the time t̂ of ν̂² = ν₁² + λ (ν₁² − ν₂²), by
    adding what noise is missing: that is exact in law, whatever the target. From there the midpoint method follows the
    flow, over what was added and the step itself. In small steps that is the noise √λ g dW and its pull ½ λ g² ∇ log p;
    where these are not finite, at σ = 0 and α = 0, ν̂ is at most √2 ν₁, or no noise is added at all. The bias is that of
    the midpoint method alone. Without churn it is the solver midpoint.

    Along a bridge there is no such way back, as it would have to know its pair. There the midpoint method is taken on
    the diffusion itself, with the Brownian path at half the step; its noise does not depend on x, so that its weak
    order is 2 as well (Kloeden and Platen 1992, section 14.2). The score is a second network's: four evaluations.
    """

    kind: Literal["stochastic_midpoint"] = "stochastic_midpoint"

    def _along(self, process: Process, x: Tensor, times: Sequence[float], noise: Noise) -> Iterator[State]:
        yield State(times[0], x, nfe=0)
        for step, (t, after) in enumerate(pairwise(times), start=1):
            begin = t
            if self.churn:
                now, then = Level.of(process.path, t), Level.of(process.path, after)
                factor = math.sqrt(1 + self.churn * (1 - noise_ratio(now, then) ** 2))
                begin, x = renoised(process.path, times[0], t, factor, x, noise(t, after))
            x = stepped(Midpoint.tableau, process.velocity, x, begin, after)
            yield State(after, x, nfe=2 * step)

    def _bridged(self, process: Process, x: Tensor, times: Sequence[float], noise: Noise) -> Iterator[State]:
        drift = reverse_drift(process, self.churn, self.label())
        yield State(times[0], x, nfe=0)
        for step, (t, after) in enumerate(pairwise(times), start=1):
            half = 0.5 * (after - t)
            middle = t + half
            first, second = (
                math.sqrt(self.churn * bridge_rate(process.path, begin + 0.5 * half) * half) * noise(begin, end)
                for begin, end in ((t, middle), (middle, after))
            )
            there = x + half * drift(x, t) + first
            x = x + 2 * half * drift(there, middle) + first + second
            yield State(after, x, nfe=4 * step)


class StochasticHeun(DiffusionSampler):
    """Two evaluations a step: raises the noise by a little, then takes a step of Heun's from there.

    Algorithm 2 of EDM (Karras et al. 2022), whose σ is sigma / alpha here: in every step it is raised by the factor
    1 + γ, γ = min(S_churn / steps, √2 − 1), by going back to the time t̂ of that noise, though not before the first.
    Their Heun step is taken in t. Without churn it is the solver heun.
    """

    title: ClassVar[str] = "Stochastic Heun (EDM)"
    kind: Literal["stochastic_heun"] = "stochastic_heun"
    s_churn: float = Field(
        10.0,
        ge=0,
        le=100,
        title="S_churn",
        description="How much noise is added in all: each step raises the noise by the share S_churn / steps, by no "
        "more than 41 %. 0 is Heun's method.",
        json_schema_extra=DIAL,
    )

    @property
    def stochastic(self) -> bool:
        return self.s_churn > 0

    def sampled(self, process: Process, x: Tensor, times: Sequence[float], noise: Noise) -> Iterator[State]:
        share = min(self.s_churn / (len(times) - 1), MOST_CHURN)
        yield State(times[0], x, nfe=0)
        for step, (t, after) in enumerate(pairwise(times), start=1):
            begin = t
            if share:
                begin, x = renoised(process.path, times[0], t, 1 + share, x, noise(t, after))
            x = stepped(Heun.tableau, process.velocity, x, begin, after)
            yield State(after, x, nfe=2 * step)


def renoised(path: Path, first: float, t: float, factor: float, x: Tensor, z: Tensor) -> tuple[float, Tensor]:
    """x (n, d) of time t with more of the noise z: (the earlier time, x there), where sigma / alpha is `factor` times.

    In law that is exact. Where there is nothing but noise already, nothing is added.
    """
    now = Level.of(path, t)
    if now.alpha == 0:
        return t, x
    begin = noisier(path, first, t, factor)
    raised = Level.of(path, begin)
    shrunk = raised.alpha / now.alpha
    added = math.sqrt(max(0.0, raised.sigma**2 - (shrunk * now.sigma) ** 2))
    return begin, shrunk * x + added * z


def stepped(tableau: Tableau, field: Velocity, x: Tensor, t: float, after: float) -> Tensor:
    """One step of a Runge–Kutta method."""
    h = after - t
    return combined(x, h, tableau.b, tableau.slopes(field, x, t, h))


def noisier(path: Path, first: float, t: float, factor: float) -> float:
    """The time before t at which sigma / alpha is `factor` times as large; `first` where that is never so."""
    return time_at(path, factor * noise_to_signal(path, t), first, t)
