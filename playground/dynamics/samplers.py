"""Samplers of diffusions that rebuild each state from what is known of data and noise: DDPM, DDIM, DPM-Solver++.

Nothing is divided by alpha or sigma here that may be 0, so that every step is finite from the pure noise of t = 0 to
the data of t = 1. Each step costs one evaluation of the field. Those with a churn dial are in churned.py. The twin is
ui/web/compute/sampling/samplers.js.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import ClassVar, Literal

from pydantic import Field
from torch import Tensor

from playground.dynamics.churned import DIAL, EulerMaruyama, StochasticHeun, StochasticMidpoint
from playground.dynamics.noise import Noise
from playground.dynamics.process import DiffusionSampler, Level, Process, noise_ratio
from playground.dynamics.runge_kutta import State


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
        share = noise_ratio(now, then)
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
    D = x̂1 + (x̂1 − x̂1 before) h / (2 h before) (Lu et al. 2022, algorithm 2). The first step is of first order. A step
    that is longer in λ than the one before, as the last ones are, and endless where they lead to σ = 0, is taken for as
    long as it: x̂1 hardly moves in λ where little noise is left, and would be led too far. That is of second order too,
    at the end included, and needs no other rule for few steps.
    """

    title: ClassVar[str] = "DPM-Solver++(2M)"
    kind: Literal["dpm_solver"] = "dpm_solver"

    def sampled(self, process: Process, x: Tensor, times: Sequence[float], noise: Noise) -> Iterator[State]:
        yield State(times[0], x, nfe=0)
        before: tuple[Tensor, float] | None = None
        for step, (t, after) in enumerate(pairwise(times), start=1):
            now, then = Level.of(process.path, t), Level.of(process.path, after)
            data, _ = now.split(process.velocity(x, t), x)
            way = -math.log(noise_ratio(now, then)) if noise_ratio(now, then) > 0 else math.inf
            leading = data
            if before is not None and math.isfinite(before[1]):
                leading = data + 0.5 * min(1.0, way / before[1]) * (data - before[0])
            x = then.sigma / now.sigma * x + (then.alpha - now.alpha * then.sigma / now.sigma) * leading
            before = data, way
            yield State(after, x, nfe=step)


def offered(process: Process) -> list[str]:
    """The kinds of those samplers that may follow a process, whatever their dials say."""
    churned: tuple[type[DiffusionSampler], ...] = (EulerMaruyama, StochasticMidpoint)
    if process.path.bridge:
        return [sampler.kind_name() for sampler in churned] if process.score else []
    noisy: tuple[type[DiffusionSampler], ...] = (*churned, StochasticHeun, Ancestral, DDIM)
    chosen: tuple[type[DiffusionSampler], ...] = (*noisy, DPMSolver) if process.scored else (DPMSolver,)
    return [sampler.kind_name() for sampler in chosen]
