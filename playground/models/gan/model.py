"""Generative adversarial networks: a generator maps noise to points in one step, a critic tells them from real ones.

Goodfellow et al. 2014, with interchangeable losses (models/gan/losses.py), regularisers and remedies against mode
collapse (models/gan/learner.py). Coordinates are those of the data divided by its spread where `standardise` is on;
penalties and instance noise are in those units.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from playground.distributions.base import Distribution
from playground.dynamics.solvers import Sampler
from playground.models.base import TARGET, Learner, Model, Optimisation, StepCost, Task, Weights
from playground.models.gan.learner import GanLearner, Settings
from playground.models.gan.losses import AnyGanLoss, NonSaturating
from playground.models.gan.parts import latent
from playground.networks import Mlp, Network
from playground.trajectory import Trajectory


class Gan(Model):
    """A generator maps noise to points in one step, taught by a critic that tells them from real ones.

    It starts from a latent of its own, so that it makes no use of the source.
    """

    kind: Literal["gan"] = "gan"
    title: ClassVar[str] = "GAN"
    networks: ClassVar[int] = 2
    own_latent: ClassVar[bool] = True
    about: ClassVar[str] = (
        "A generator maps noise to points in a single step. A critic learns to tell its points from real ones, and the "
        "generator learns from the critic's gradient alone; it never sees a real point."
    )
    formula: ClassVar[str] = r"""
        \mathcal{L}_D = -\mathbb{E}_{x} \log D(x) - \mathbb{E}_{z} \log(1 - D(G(z)))
        \mathcal{L}_G = -\mathbb{E}_{z} \log D(G(z))
    """
    look_for: ClassVar[str] = (
        "Nothing in its loss asks for all modes. A mode that no point reaches sends no gradient, so modes empty, fill "
        "again, or stay lost. What holds them here are R1 and R2, which keep the critic flat; without them the ring "
        "ends at 2 to 4 times the floor, depending on the seed."
    )
    loss_is: ClassVar[str] = "generator's loss"
    try_this: ClassVar[str] = (
        "On the ring, set R1 and R2 to 0, switch off Standardise the data and set β₁ to 0.9: samples get worse, and "
        "with some seeds most modes go. Then bring back one after the other, and see which of them it was."
    )

    loss: AnyGanLoss = Field(NonSaturating(), title="Loss", description="What generator and critic play for.")
    latent_dim: int = Field(2, ge=1, le=8, title="Latent dimensions", description="How many numbers of noise it maps.")
    latent: Literal["gaussian", "uniform"] = Field(
        "gaussian", title="Latent", description="The noise: standard Gaussian, or uniform on [−1, 1] along each axis."
    )
    truncation: float | None = Field(
        None,
        gt=0,
        le=4,
        title="Truncation",
        description="Samples use only latents this near to 0 along each axis, in standard deviations (for a uniform "
        "one as a share of its range): better points, fewer modes. Training uses all.",
        json_schema_extra={"step": 0.1, "none": "none", "sampling": True},
    )
    generator_rate: float = Field(
        1e-3,
        gt=0,
        le=1,
        title="Generator's rate",
        description="Adam's step size for the generator, at its peak; the training's own learning rate is not used.",
        json_schema_extra={"scale": "log"},
    )
    critic_rate: float = Field(
        1e-3,
        gt=0,
        le=1,
        title="Critic's rate",
        description="Adam's step size for the critic, at its peak.",
        json_schema_extra={"scale": "log"},
    )
    critic_steps: int = Field(
        1, ge=1, le=20, title="Critic's steps", description="How many steps the critic takes for one of the generator."
    )
    beta1: float = Field(
        0.5,
        ge=0,
        lt=1,
        title="β₁",
        description="Adam's memory of the gradient; 0.9, good elsewhere, makes GANs oscillate.",
        json_schema_extra={"advanced": True, "step": 0.05},
    )
    beta2: float = Field(
        0.9,
        ge=0,
        lt=1,
        title="β₂",
        description="Adam's memory of the gradient's square.",
        json_schema_extra={"advanced": True, "step": 0.001},
    )
    standardise: bool = Field(
        True,
        title="Standardise the data",
        description="Let both networks see coordinates of mean 0 and variance 1; raw ones make collapse likely.",
    )
    r1: float = Field(
        0.1,
        ge=0,
        le=100,
        title="R1",
        description="γ in γ/2 E‖∇D‖² on real points: keeps the critic flat there (Mescheder et al. 2018).",
        json_schema_extra={"range": [0, 2], "step": 0.01},
    )
    r2: float = Field(
        0.1,
        ge=0,
        le=100,
        title="R2",
        description="The same on generated points.",
        json_schema_extra={"range": [0, 2], "step": 0.01},
    )
    gradient_penalty: float = Field(
        0.0,
        ge=0,
        le=100,
        title="Gradient penalty",
        description="λ in λ E(‖∇D‖ − 1)² between real and generated points, added to any loss.",
        json_schema_extra={"range": [0, 10], "step": 0.1, "advanced": True},
    )
    spectral_norm: bool = Field(
        False,
        title="Spectral norm",
        description="Divide each matrix of the critic by its largest singular value: with ReLU or tanh its slope "
        "is then at most 1.",
        json_schema_extra={"advanced": True},
    )
    instance_noise: float = Field(
        0.0,
        ge=0,
        le=5,
        title="Instance noise",
        description="Standard deviation of noise added to all that the critic sees; falls to 0 in a line.",
        json_schema_extra={"range": [0, 1], "step": 0.05, "advanced": True},
    )
    noise_steps: int = Field(
        2000,
        ge=1,
        le=200_000,
        title="Noise lasts",
        description="The steps over which instance noise falls to 0.",
        json_schema_extra={"advanced": True, "scale": "log", "unit": "steps"},
    )
    unrolled: int = Field(
        0,
        ge=0,
        le=20,
        title="Unrolled steps",
        description="The generator looks this many of the critic's steps ahead (Metz et al. 2017); slow.",
        json_schema_extra={"range": [0, 10]},
    )
    pack: int = Field(
        1,
        ge=1,
        le=8,
        title="Packed points",
        description="The critic judges this many points together and so sees a lack of variety (PacGAN, Lin et al. "
        "2018).",
    )

    def weight_count(self, network: Network, dim: int, condition_dim: int = 0) -> int:
        """Those of the generator and of the critic."""
        generator = network.build(self.latent_dim, dim, timed=False)
        return generator.size + network.build(dim * self.pack, 1, timed=False).size

    @property
    def step_cost(self) -> StepCost:
        return StepCost(475, 2.3)

    def starts(self, source: Distribution, dim: int, n: int, generator: Generator) -> Tensor:
        """Latents (n, latent_dim), truncated where that is asked for."""
        return latent(self.latent, n, self.latent_dim, generator, self.truncation)

    def check(self, source: Distribution, target: Distribution, optimisation: Optimisation) -> None:
        if optimisation.batch < 2:
            raise ValueError("a GAN compares a batch with a batch; choose a training batch of at least 2.")

    def rounds(self, task: Task) -> Iterator[Learner]:
        settings = Settings(**{name: getattr(self, name) for name in Settings.__dataclass_fields__})
        yield GanLearner(settings, task, task.pool(task.target, TARGET))

    def trained(self, weights: Weights, network: Network, dim: int, source: Distribution | None = None) -> OneShot:
        generator, critic = network.build(self.latent_dim, dim, timed=False), network.build(dim, 1, timed=False)
        if len(weights["generator"]) != generator.size or len(weights["critic"]) != critic.size:
            raise ValueError("these are the weights of another network.")
        mean, std = weights["moments"].view(2, dim)
        return OneShot(generator, critic, weights["generator"], weights["critic"], mean, std, self)


@dataclass(frozen=True)
class OneShot:
    """A generator with its critic: x = mean + std · G(z), judged by D((x − mean) / std); mean and std are (d,)."""

    generator: Mlp
    surface: Mlp
    weights: Tensor
    critic_weights: Tensor
    mean: Tensor
    std: Tensor
    model: Gan

    @torch.no_grad()
    def trajectory(self, x0: Tensor, sampler: Sampler, seed: int = 0) -> Trajectory:
        """From the latents x0 (n, k), drawn by their first d coordinates, in one step to the samples."""
        d = self.generator.outputs
        shown = torch.zeros(len(x0), d)
        shown[:, : x0.shape[1]] = x0[:, :d]
        made = self.mean + self.std * self.generator(self.weights, x0)
        t = torch.tensor([0.0, 1.0], dtype=torch.float64)
        return Trajectory(t=t, x=torch.stack([shown, made]), nfe=1, latent=x0)

    @torch.no_grad()
    def critic(self, x: Tensor) -> Tensor:
        """The critic's raw output at x (n, d): (n,); of packed points at (x, …, x)."""
        return self.surface(self.critic_weights, (x - self.mean) / self.std)[:, 0]

    @torch.no_grad()
    def real(self, x: Tensor) -> Tensor | None:
        """The probability that x (n, d) is real, in the critic's eyes: (n,); None where its output is a mere value."""
        return torch.sigmoid(self.critic(x)) if self.model.loss.scale == "probability" else None

    def describe(self) -> dict[str, Any]:
        """The map and the critic's surface as the browser reads them."""
        k, d, m = self.generator.inputs, self.generator.outputs, self.model.pack
        inside, outside = {"mean": [0.0] * k, "std": [1.0] * k}, {"mean": self.mean.tolist(), "std": self.std.tolist()}
        name = "D" if self.model.loss.scale == "probability" else "critic"
        surface = {
            "network": "critic",
            "label": f"{name}(x)" if m == 1 else f"{name}({', '.join(['x'] * m) if m < 4 else 'x, …, x'})",
            "inside": outside,
            "of": self.model.loss.scale,
            "middle": self.model.loss.middle,
        }
        return {
            "map": {
                "network": "generator",
                "latent": k,
                "kind": self.model.latent,
                "truncation": self.model.truncation,
                "dim": d,
                "inside": inside,
                "outside": outside,
            },
            "networks": {"generator": self.generator.describe(), "critic": self.surface.describe()},
            "surfaces": {"critic": surface},
            "dim": d,
        }
