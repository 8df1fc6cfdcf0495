"""Denoising diffusion in discrete steps: DDPM (Ho et al. 2020), on the same machinery as flows.

Its steps i = 0, …, T from data to noise stand at the times t = 1 − i / T; see dynamics/discrete.py. A network that
predicts the noise at these times tells the velocity, the data and the score as well, so that the ancestral sampler,
DDIM and the flow all sample from the same weights.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from playground.distributions.base import Distribution
from playground.dynamics.couplings import IndependentCoupling
from playground.dynamics.discrete import DiscretePath, Schedule, alpha_bars
from playground.dynamics.parameterization import Weighting
from playground.dynamics.process import Level
from playground.dynamics.samplers import posterior_variances
from playground.dynamics.solvers import Solver
from playground.dynamics.times import FixedTimes
from playground.models.base import SOURCE, TARGET, ConditionalModel, Learner, Optimisation, Task, Weights
from playground.models.condition import ConditionEncoder
from playground.models.flow import ScoredFlow, check_sampler, is_standard
from playground.models.flow_matching import FlowLearner, FlowMatching
from playground.networks import Network

Head = Literal["noise", "data", "velocity"]


class StepTimes(FixedTimes):
    """The times of the steps T, …, 1, equally often."""

    kind: Literal["steps"] = "steps"
    timesteps: int

    def quantile(self, u: Tensor) -> Tensor:
        return (u * self.timesteps).floor().clamp(max=self.timesteps - 1) / self.timesteps


class Diffusion(ConditionalModel):
    """Learns to undo, step by step, a noising in discrete steps that ends in pure noise (DDPM)."""

    about: ClassVar[str] = (
        "Noise is added to the data in T small steps until nothing else is left, and a network learns to tell the "
        "noise in what it sees. A sample starts as pure noise and is denoised step by step, with a little new noise in "
        "each."
    )
    formula: ClassVar[str] = r"""
        \mathcal{L} = \mathbb{E}_{i, x, ε} w_i ‖ ε_θ(x_i, i) - ε ‖^2
        x_i = \sqrt{ᾱ_i} \, x + \sqrt{1 - ᾱ_i} \, ε
    """
    look_for: ClassVar[str] = (
        "With DDPM ancestral sampling particles jitter all the way and forget where they started; with DDIM and η = 0 "
        "the same network carries them smoothly. Both end in the same distribution."
    )
    has_features: ClassVar[bool] = True
    loss_is: ClassVar[str] = "weighted mean squared error"
    try_this: ClassVar[str] = (
        "Choose the solver DDIM and drag η between 0 and 1; then drag the steps down and see which of them misses "
        "first."
    )

    learns_field: ClassVar[bool] = True

    kind: Literal["diffusion"] = "diffusion"
    title: ClassVar[str] = "Diffusion (DDPM)"
    schedule: Schedule = Field(
        "linear_beta",
        title="Schedule",
        description="How fast noise comes in. linear_beta: DDPM's, β from 0.0001 to 0.02 for T = 1000, rescaled for "
        "any T so that the end is as noisy; cosine_alpha_bar: of improved DDPM, with more steps at little noise.",
        json_schema_extra={"labels": {"linear_beta": "linear β", "cosine_alpha_bar": "cosine ᾱ"}},
    )
    timesteps: int = Field(
        100,
        ge=2,
        le=1000,
        title="Steps T",
        description="Into how many steps the noising is divided; a sampler takes all of them, or fewer.",
        json_schema_extra={"scale": "log"},
    )
    prediction: Head = Field(
        "noise",
        title="Prediction",
        description="What the network outputs: the noise ε, the data, or the velocity of the flow. With the residual "
        "input scaling all are the same network, but for its sign.",
        json_schema_extra={"advanced": True, "labels": {"noise": "noise (ε)", "data": "data (x1)"}},
    )
    weighting: Weighting = Field(
        "unit",
        title="Loss weighting",
        description="What an error counts at each step: equally in the network's units, or by the noise it comes to "
        "(DDPM's simple loss), the velocity, the data, or the data by a bounded signal-to-noise ratio.",
        json_schema_extra={"advanced": True, "labels": {"unit": "network's units", "min_snr": "min-SNR"}},
    )
    average_targets: bool = Field(
        True,
        title="Average targets",
        description="Regress on the mean of all targets in the batch that could have led to the same point: the same "
        "network with far less noise in training.",
        json_schema_extra={"advanced": True},
    )

    @property
    def path(self) -> DiscretePath:
        """The noising, as a path."""
        return DiscretePath(schedule=self.schedule, timesteps=self.timesteps)

    @property
    def matching(self) -> FlowMatching:
        """The same as flow matching along this path, at its steps."""
        fields: dict[str, Any] = {
            "path": self.path,
            "coupling": IndependentCoupling(),
            "prediction": self.prediction,
            "weighting": self.weighting,
            "times": StepTimes(timesteps=self.timesteps),
            "average_targets": self.average_targets,
        }
        return FlowMatching.model_construct(**fields)  # its union of paths does not offer this one

    def check(self, source: Distribution, target: Distribution, optimisation: Optimisation) -> None:
        if not is_standard(source):
            raise ValueError(
                "a diffusion ends in a standard gaussian (mean 0, std 1, no correlation), where its samples start; "
                "choose that source, or the model flow_matching."
            )

    def check_sampler(self, source: Distribution, solver: Solver) -> None:
        check_sampler(solver, self.path, scored=True)

    def remarks(self, source: Distribution, target: Distribution) -> list[str]:
        left = float(alpha_bars(self.schedule, self.timesteps)[-1])
        return [
            f"After all {self.timesteps} steps ᾱ = {left:.2g} of the data's variance is left, a terminal "
            f"signal-to-noise ratio of {left / (1 - left):.2g}; sampling starts from N(0, I), as if it were none."
        ]

    def rounds(self, task: Task) -> Iterator[Learner]:
        pools = task.pool(task.source, SOURCE), task.pool(task.target, TARGET)
        yield FlowLearner("diffusion", self.matching, task, *pools)

    def trained(
        self,
        weights: Weights,
        network: Network,
        dim: int,
        source: Distribution | None = None,
        encoder: ConditionEncoder | None = None,
    ) -> DiscreteFlow:
        flow = self.matching.trained(weights, network, dim, source, encoder)
        return DiscreteFlow(
            flow.mlp, flow.weights, flow.path, flow.scaling, flow.moments, self.prediction, flow.source, flow.encoder
        )


@dataclass(frozen=True)
class DiscreteFlow(ScoredFlow):
    """What a discrete diffusion has learnt."""

    @cached_property
    def levels(self) -> list[Level]:
        """The schedule at the steps T, …, 0."""
        return [Level.of(self.path, float(t)) for t in self.path.nodes()]

    @torch.no_grad()
    def bound(self, x1: Tensor, generator: Generator, variance: float = 0.0) -> Tensor:
        """The terms L_0, …, L_T of the variational bound at data x (n, d), in nats: (T + 1,), means over the data.

        Their sum bounds the mean negative log-likelihood (Ho et al. 2020, eq. 5). variance: of the reverse steps, as
        the ancestral sampler has it; that of the last one, L_0, is β, a density over the data.

        - L_T = KL(q(x_T | x1) ‖ N(0, I));
        - L_{i−1} = KL(q(x_{i−1} | x_i, x1) ‖ p(x_{i−1} | x_i)), between Gaussians whose means differ by that of x̂1;
        - L_0 = −log p(x | x_1) of a Gaussian around the prediction of x.

        Each is an expectation over x_i, of which one is drawn for every point.
        """
        last, dim = self.levels[0], x1.shape[1]
        square = x1.square().sum(1).mean()
        prior = 0.5 * (last.alpha**2 * square + dim * (last.sigma**2 - 1 - 2 * math.log(last.sigma)))
        terms = [prior]
        times = self.path.nodes().tolist()
        for k, (now, then) in enumerate(zip(self.levels[:-1], self.levels[1:], strict=True)):
            x0 = torch.randn(x1.shape, generator=generator, dtype=x1.dtype)
            x = now.alpha * x1 + now.sigma * x0
            data, _ = now.split(self.velocity(x, times[k]), x)
            least, most = posterior_variances(now, then)
            error = (data - x1).square().sum(1).mean()
            if k == len(self.levels) - 2:
                terms.append(0.5 * (error / most + dim * math.log(2 * math.pi * most)))
                continue
            spread = most**variance * least ** (1 - variance)
            mean = then.alpha - now.alpha / then.alpha * then.sigma**2 / now.sigma**2 * now.alpha
            ratio = least / spread
            terms.append(0.5 * (mean**2 * error / spread + dim * (ratio - 1 - math.log(ratio))))
        return torch.stack([term.double() for term in terms]).flip(0)
