"""Samplers of diffusions: what can be done with a velocity field when its path and its score are known as well.

With the score (process.py) noise may be added and taken away again without a change of the marginals. Nothing is
divided by alpha or sigma here that may be 0, so that every step is finite from the pure noise of t = 0 to the data of
t = 1.

Each step costs one evaluation of the field, unless its class says otherwise. The twin is
ui/web/compute/sampling/samplers.js.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, ClassVar, Literal

from pydantic import Field
from torch import Tensor

from playground.dynamics.noise import Noise
from playground.dynamics.path import Path
from playground.dynamics.process import DiffusionSampler, Level, Process, kept, no_score
from playground.dynamics.runge_kutta import Heun, State, Velocity, combined

MOST_CHURN = math.sqrt(2) - 1
"""The largest share by which a stochastic Heun step raises the noise (Karras et al. 2022, algorithm 2)."""
FEW_STEPS = 15
"""Below so many steps the last one of a multistep method is of first order (Lu et al. 2022, lower_order_final)."""
BISECTIONS = 40
DIAL: dict[str, Any] = {"hidden": True}
"""The stage has a slider for it, which answers at once."""


def euler_maruyama(
    drift: Velocity, spread: Callable[[Tensor, float], Tensor | float], x: Tensor, times: Sequence[float], noise: Noise
) -> Iterator[Tensor]:
    """Dx = drift(x, t) dt + spread(x, t) dW by the method of Euler and Maruyama: x at every one of the times.

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


class EulerMaruyama(DiffusionSampler):
    """One evaluation a step, with a dial from the flow (churn 0) to the reverse diffusion (churn 1).

    dx = [v + ½ λ g² ∇ log p] dt + √λ g dW with λ the churn and g² = 2 (α'σ − σ'α) σ / α: the probability-flow ODE and
    the reverse SDE of Song et al. (2021, eq. 13 and 6) and all between, which have the same marginals. The velocity is
    followed by an Euler step. What the churn adds is an Ornstein–Uhlenbeck process of x̂0, whose step is taken exactly,
    x̂0 → ρ x̂0 + √(1 − ρ²) z with ρ = (α₁σ₂ / α₂σ₁)^λ; to first order in h it is the usual step, and stays finite where
    g² is not, at α = 0. Along a bridge g² = gamma² / (t (1 − t)), the score is a second network's, and the step the
    usual one, of two evaluations.
    """

    title: ClassVar[str] = "Euler–Maruyama"
    kind: Literal["euler_maruyama"] = "euler_maruyama"
    churn: float = Field(
        1.0,
        ge=0,
        le=1,
        title="Churn",
        description="How much noise is added and taken away on the way: 0 follows the flow, 1 the reverse diffusion. "
        "The marginals are the same.",
        json_schema_extra=DIAL,
    )

    @property
    def stochastic(self) -> bool:
        return self.churn > 0

    @property
    def on_bridges(self) -> bool:
        return True

    def sampled(self, process: Process, x: Tensor, times: Sequence[float], noise: Noise) -> Iterator[State]:
        if process.path.bridge and self.stochastic:
            yield from self._bridged(process, x, times, noise)
            return
        yield State(times[0], x, nfe=0)
        for step, (t, after) in enumerate(pairwise(times), start=1):
            now, then = Level.of(process.path, t), Level.of(process.path, after)
            velocity = process.velocity(x, t)
            x_next = x + (after - t) * velocity
            if self.churn:
                left = kept(now, then) ** self.churn
                _, x0 = now.split(velocity, x)
                x_next = x_next + then.sigma * ((left - 1) * x0 + math.sqrt(max(0.0, 1 - left**2)) * noise(t, after))
            x = x_next
            yield State(after, x, nfe=step)

    def _bridged(self, process: Process, x: Tensor, times: Sequence[float], noise: Noise) -> Iterator[State]:
        score = process.score
        if score is None:
            raise ValueError(no_score(self.label()))

        def drift(x: Tensor, t: float) -> Tensor:
            return process.velocity(x, t) + 0.5 * self.churn * bridge_rate(process.path, t) * score(x, t)

        def spread(x: Tensor, t: float) -> float:
            return math.sqrt(self.churn * bridge_rate(process.path, t))

        for step, (t, state) in enumerate(zip(times, euler_maruyama(drift, spread, x, times, noise), strict=True)):
            yield State(t, state, nfe=2 * step)


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
            now = Level.of(process.path, t)
            begin = t
            if share and now.alpha > 0:
                begin = noisier(process.path, times[0], t, 1 + share)
                raised = Level.of(process.path, begin)
                shrunk = raised.alpha / now.alpha
                added = math.sqrt(max(0.0, raised.sigma**2 - (shrunk * now.sigma) ** 2))
                x = shrunk * x + added * noise(t, after)
            h = after - begin
            x = combined(x, h, Heun.tableau.b, Heun.tableau.slopes(process.velocity, x, begin, h))
            yield State(after, x, nfe=2 * step)


def noisier(path: Path, first: float, t: float, factor: float) -> float:
    """The time before t at which sigma / alpha is `factor` times as large; `first` where that is never so."""

    def noise_at(time: float) -> tuple[float, float]:
        level = Level.of(path, time)
        return level.sigma, level.alpha

    sigma, alpha = noise_at(t)
    low, high = first, t
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        more, less = noise_at(middle)
        low, high = (middle, high) if more * alpha > factor * sigma * less else (low, middle)
    return low


class Posterior(DiffusionSampler):
    """What DDPM and DDIM share: x̂1 and x̂0 put together again at the noise of the next time, with new noise in it."""

    @abstractmethod
    def portions(self, now: Level, then: Level, last: bool) -> tuple[float, float]:
        """How much of x̂0 and how much new noise there is at the next level."""

    def sampled(self, process: Process, x: Tensor, times: Sequence[float], noise: Noise) -> Iterator[State]:
        yield State(times[0], x, nfe=0)
        for step, (t, after) in enumerate(pairwise(times), start=1):
            now, then = Level.of(process.path, t), Level.of(process.path, after)
            x1, x0 = now.split(process.velocity(x, t), x)
            old, new = self.portions(now, then, step == len(times) - 1)
            x = then.alpha * x1 + old * x0
            if new:
                x = x + new * noise(t, after)
            yield State(after, x, nfe=step)


class Ancestral(Posterior):
    """One evaluation a step: draws the next state from the posterior given the one before, as DDPM does.

    x̂1 stands for x1 in q(x₂ | x₁, x1), whose mean is α₂ x̂1 + (a σ₂² / σ₁) x̂0 with a = α₁ / α₂ (Ho et al. 2020, eq. 7).
    Its variance is β̃ = (σ₂ / σ₁)² β, β = σ₁² − a² σ₂², or β, or between them in the logarithm (Nichol and Dhariwal
    2021, eq. 15). No noise is added in the last step.
    """

    title: ClassVar[str] = "DDPM ancestral"
    kind: Literal["ancestral"] = "ancestral"
    variance: float = Field(
        0.0,
        ge=0,
        le=1,
        title="Variance",
        description="Of the noise in each step: 0 is the posterior's β̃, which is right for a single point, 1 is β, "
        "right for a target N(0, I); between them the logarithms are mixed.",
        json_schema_extra=DIAL,
    )

    @property
    def stochastic(self) -> bool:
        return True

    def portions(self, now: Level, then: Level, last: bool) -> tuple[float, float]:
        share = kept(now, then)
        least, most = posterior_variances(now, then)
        spread = 0.0 if last else most ** (self.variance / 2) * least ** ((1 - self.variance) / 2)
        return share * then.sigma, spread


def posterior_variances(now: Level, then: Level) -> tuple[float, float]:
    """(β̃, β) of the step from one level to a later one: the least and the greatest variance of its noise."""
    beta = now.sigma**2 - (now.alpha / then.alpha * then.sigma) ** 2
    return (then.sigma / now.sigma) ** 2 * beta, beta


class DDIM(Posterior):
    """One evaluation a step, with a dial from a deterministic sampler (η 0) to that of DDPM (η 1).

    x₂ = α₂ x̂1 + √(σ₂² − s²) x̂0 + s z with s² = η² β̃ (Song, Meng and Ermon 2021, eq. 12 and 16). With η 0 it solves the
    flow with x̂1 held fixed in each step, which is exact for a single point.
    """

    title: ClassVar[str] = "DDIM"
    kind: Literal["ddim"] = "ddim"
    eta: float = Field(
        0.0,
        ge=0,
        le=1,
        title="η",
        description="How much of the noise is new in each step: 0 is deterministic, 1 is DDPM's ancestral sampling.",
        json_schema_extra=DIAL,
    )

    @property
    def stochastic(self) -> bool:
        return self.eta > 0

    def portions(self, now: Level, then: Level, last: bool) -> tuple[float, float]:
        spread = self.eta * math.sqrt(posterior_variances(now, then)[0])
        return math.sqrt(max(0.0, then.sigma**2 - spread**2)), spread


class DPMSolver(DiffusionSampler):
    """One evaluation a step, second order: DPM-Solver++(2M), which remembers the step before.

    With λ = log(α / σ) as its clock, x₂ = (σ₂ / σ₁) x + (α₂ − σ₂ α₁ / σ₁) D, where D is x̂1 and how it has changed,
    D = x̂1 + (x̂1 − x̂1 before) h / (2 h before) (Lu et al. 2022, algorithm 2). The first step is of first order, and
    so is the last where there are few, or where it leads to σ = 0.
    """

    title: ClassVar[str] = "DPM-Solver++(2M)"
    kind: Literal["dpm_solver"] = "dpm_solver"

    def sampled(self, process: Process, x: Tensor, times: Sequence[float], noise: Noise) -> Iterator[State]:
        yield State(times[0], x, nfe=0)
        before: tuple[Tensor, float] | None = None
        for step, (t, after) in enumerate(pairwise(times), start=1):
            now, then = Level.of(process.path, t), Level.of(process.path, after)
            data, _ = now.split(process.velocity(x, t), x)
            way = -math.log(kept(now, then)) if kept(now, then) > 0 else math.inf
            simple = step == len(times) - 1 and len(times) - 1 < FEW_STEPS
            leading = data
            if before is not None and math.isfinite(way) and not simple:
                leading = data + way / (2 * before[1]) * (data - before[0])
            x = then.sigma / now.sigma * x + (then.alpha - now.alpha * then.sigma / now.sigma) * leading
            before = data, way
            yield State(after, x, nfe=step)


def offered(process: Process) -> list[str]:
    """The kinds of those samplers that may follow a process, whatever their dials say."""
    if process.path.bridge:
        return [EulerMaruyama.kind_name()] if process.score else []
    noisy: tuple[type[DiffusionSampler], ...] = (EulerMaruyama, StochasticHeun, Ancestral, DDIM)
    chosen: tuple[type[DiffusionSampler], ...] = (*noisy, DPMSolver) if process.scored else (DPMSolver,)
    return [sampler.kind_name() for sampler in chosen]
