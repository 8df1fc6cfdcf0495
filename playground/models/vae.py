"""Variational autoencoders: an encoder and a decoder that meet in a Gaussian latent.

Kingma and Welling 2014; β from Higgins et al. 2017; importance-weighted bounds from Burda et al. 2016; a decoder's
variance that is learnt from Rybkin et al. 2021. Networks see coordinates of mean 0 and variance 1 on each axis; all
figures are in nats of the data's own units.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from playground.distributions.base import Distribution
from playground.dynamics.solvers import Sampler
from playground.models.backprop import Backprop
from playground.models.base import TARGET, Learner, Model, StepCost, Task, Weights, seeded
from playground.models.contracts import Fact
from playground.models.learning import Adam
from playground.networks import Mlp, Network
from playground.trajectory import Trajectory

LOG_2PI = math.log(2 * math.pi)
IDLE = 0.01
"""Nats below which a latent dimension says nothing of the data."""
REMEMBERED = 0.98
"""Decay of the running mean by which a collapse is told."""


class Vae(Model):
    """An encoder maps data to a Gaussian in a latent space, a decoder maps it back.

    It starts from a latent of its own, so that it makes no use of the source: k numbers that the decoder maps to the
    mean of a point, and d numbers of the decoder's own noise.
    """

    kind: Literal["vae"] = "vae"
    title: ClassVar[str] = "VAE, β-VAE"
    own_latent: ClassVar[bool] = True
    about: ClassVar[str] = (
        "An encoder says of each point which latents it may have come from: a Gaussian. A decoder maps a latent back "
        "to a point, give or take some noise. A sample is a latent drawn from N(0, I), decoded in one step."
    )
    formula: ClassVar[str] = r"""
        \mathcal{L} = -\mathbb{E}_{z} \log p(x|z) + β \, \text{KL}(q ‖ \mathcal{N}(0, I))
        q(z|x) = \mathcal{N}(μ(x), σ^2(x))
        z = μ(x) + σ(x) \, ε
    """
    look_for: ClassVar[str] = (
        "In the latent pane each point is an ellipse, and all of them together should fill the prior. Where they leave "
        "holes, or overlap, the decoder makes points between the modes."
    )
    loss_is: ClassVar[str] = "negative ELBO (nats)"
    try_this: ClassVar[str] = (
        "Raise β: the rate falls and points blur, until a latent dimension says nothing any more (posterior "
        "collapse). Then fix the decoder's deviation at 1 and see it collapse at once."
    )

    latent_dim: int = Field(2, ge=1, le=8, title="Latent dimensions", description="How many numbers describe a point.")
    beta: float = Field(
        1.0,
        ge=0,
        le=100,
        title="β",
        description="What a nat of the rate costs against one of the reconstruction; 1 is the bound on log p(x).",
        json_schema_extra={"range": [0, 8], "step": 0.1},
    )
    std: float | None = Field(
        None,
        gt=0.001,
        le=10,
        title="Decoder's deviation",
        description="How far a decoded point may lie from its mean, in standard deviations of the data; left out it is "
        "learnt.",
        json_schema_extra={"none": "learnt", "step": 0.01, "scale": "log"},
    )

    def starts(self, source: Distribution, dim: int, n: int, generator: Generator) -> Tensor:
        """Latents and the decoder's noise (n, latent_dim + dim), all from N(0, I)."""
        return torch.randn(n, self.latent_dim + dim, generator=generator, device=generator.device)

    def weight_count(self, network: Network, dim: int, condition_dim: int = 0) -> int:
        """Those of the encoder and of the decoder, and the decoder's deviation where it is learnt."""
        return sum(part.size for part in networks(network, dim, self.latent_dim)) + (self.std is None)

    @property
    def step_cost(self) -> StepCost:
        return StepCost(215, 1.1)

    def rounds(self, task: Task) -> Iterator[Learner]:
        yield VaeLearner(self, task)

    def trained(self, weights: Weights, network: Network, dim: int, source: Distribution | None = None) -> Coder:
        encoder, decoder = networks(network, dim, self.latent_dim)
        mean, std = weights["moments"].view(2, dim)
        if len(weights["encoder"]) != encoder.size or len(weights["decoder"]) != decoder.size:
            raise ValueError("these are the weights of another network.")
        return Coder(encoder, decoder, weights["encoder"], weights["decoder"], weights["spread"], mean, std)


def networks(network: Network, dim: int, latent: int) -> tuple[Mlp, Mlp]:
    """The encoder, d → mean and log-variance of k latents, and the decoder, k → d."""
    return network.build(dim, 2 * latent, timed=False), network.build(latent, dim, timed=False)


class VaeLearner(Learner):
    """−E log p(x|z) + β KL, in nats; its gradient is written out.

    With r = (x − decoded) / σ the reconstruction is −½ |r|² − d log σ − ½ d log 2π, and the rate of each latent is
    ½ (μ² + e^v − v − 1) for an encoder that says mean μ and log-variance v (Kingma and Welling 2014, appendix B).
    """

    name = "VAE"

    def __init__(self, model: Vae, task: Task) -> None:
        self._model, self._pool = model, task.pool(task.target, TARGET)
        self._batch, self._generator = task.optimisation.batch, task.generator(3)
        points = self._pool.points
        self._mean, self._std = points.mean(0), points.std(0).clamp_min(1e-3)
        encoder, decoder = networks(task.network, task.dim, model.latent_dim)
        self._sizes = [encoder.size, decoder.size, 1]
        # A decoder that begins with a deviation of 1 explains everything by noise, and the latent collapses first.
        spread = torch.tensor([math.log(model.std if model.std is not None else 0.3)])
        first = [encoder.initial(seeded(task.seed, 0)), decoder.initial(seeded(task.seed, 4)), spread]
        self._adam = Adam(torch.cat(first).to(task.device), task.optimisation)
        parts = torch.split(self._adam.weights, self._sizes)
        self._encoder, self._decoder = Backprop(encoder, parts[0]), Backprop(decoder, parts[1])
        self._spread = parts[2]
        self._rates = torch.full((model.latent_dim,), torch.inf)

    @torch.no_grad()
    def step(self, decay: float) -> Tensor:
        x = (self._pool.batch(self._batch) - self._mean) / self._std
        noise = torch.randn(len(x), self._model.latent_dim, generator=self._generator, device=x.device)
        loss, rates, gradient = self.gradient(x, noise)
        self._adam.step(gradient, decay)
        rates = rates.cpu()
        self._rates = torch.where(self._rates.isinf(), rates, REMEMBERED * self._rates + (1 - REMEMBERED) * rates)
        return loss

    @torch.no_grad()
    def gradient(self, x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of standardised points x (n, d) and noise (n, k): the loss, each latent's mean rate (k,), the gradient."""
        n, d = x.shape
        said, tape = self._encoder.forward(x)
        mean, log_variance = said.chunk(2, dim=1)
        deviation = (0.5 * log_variance).exp()
        decoded, back = self._decoder.forward(mean + deviation * noise)
        spread = self._spread.exp()
        missed = (x - decoded) / spread
        rates = 0.5 * (mean.square() + deviation.square() - log_variance - 1)
        constant = d * (self._spread + 0.5 * LOG_2PI) + self._std.log().sum()
        loss = 0.5 * missed.square().sum() / n + constant + self._model.beta * rates.sum() / n
        pull = self._decoder.backward(back, -missed / (spread * n), inputs=True)
        assert pull is not None, "it was asked for"
        share = self._model.beta / n
        by_mean = pull + share * mean
        by_log_variance = 0.5 * (pull * noise * deviation + share * (deviation.square() - 1))
        self._encoder.backward(tape, torch.cat([by_mean, by_log_variance], dim=1))
        by_spread = d - missed.square().sum().view(1) / n if self._model.std is None else torch.zeros_like(self._spread)
        gradient = torch.cat([self._encoder.gradient, self._decoder.gradient, by_spread])
        return loss[0], rates.mean(0), gradient

    @property
    def remark(self) -> str | None:
        """Posterior collapse, by the running mean of each latent's rate."""
        idle, all_ = int((self._rates < IDLE).sum()), self._model.latent_dim
        if not idle:
            return None
        which = f"{idle} of {all_} latent dimensions say" if all_ > 1 else "the latent says"
        return (
            f"Posterior collapse: {which} less than {IDLE} nats of the data, so that the decoder ignores "
            f"{'them' if idle > 1 else 'it'}. Try a smaller β, or a learnt or smaller deviation of the decoder."
        )

    def weights(self) -> Weights:
        encoder, decoder, spread = torch.split(self._adam.average().cpu(), self._sizes)
        moments = torch.cat([self._mean, self._std]).cpu()
        return {
            "encoder": encoder.clone(),
            "decoder": decoder.clone(),
            "spread": spread.exp() * self._std.cpu(),
            "moments": moments,
        }


@dataclass(frozen=True)
class Coder:
    """A trained encoder and decoder; spread (d,) is the decoder's deviation along each axis, in the data's units."""

    encoder: Mlp
    decoder: Mlp
    encoder_weights: Tensor
    decoder_weights: Tensor
    spread: Tensor
    mean: Tensor
    std: Tensor

    @property
    def latent_dim(self) -> int:
        """How many numbers describe a point."""
        return self.decoder.inputs

    @torch.no_grad()
    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and deviation, both (n, k), of the latents that x (n, d) may have come from."""
        mean, log_variance = self.encoder(self.encoder_weights, (x - self.mean) / self.std).chunk(2, dim=1)
        return mean, (0.5 * log_variance).exp()

    @torch.no_grad()
    def decode(self, z: Tensor) -> Tensor:
        """The mean (n, d) of the points that latents z (n, k) stand for."""
        return self.mean + self.std * self.decoder(self.decoder_weights, z)

    @torch.no_grad()
    def trajectory(self, x0: Tensor, sampler: Sampler, seed: int = 0) -> Trajectory:
        """From latents and noise x0 (n, k + d), drawn by their first d coordinates, in one step to the samples."""
        k, d = self.latent_dim, self.decoder.outputs
        z, noise = x0[:, :k], x0[:, k:]
        made = self.decode(z) + self.spread * noise
        t = torch.tensor([0.0, 1.0], dtype=torch.float64)
        return Trajectory(t=t, x=torch.stack([x0[:, :d], made]), nfe=1, latent=z)

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """Log p(x|z) in nats for x (n, d) and z (n, k): (n,)."""
        missed = (x - self.decode(z)) / self.spread
        return -0.5 * missed.square().sum(1) - (self.spread.log() + 0.5 * LOG_2PI).sum()

    @torch.no_grad()
    def bound(self, x: Tensor, seed: int = 0, draws: int = 16) -> tuple[Tensor, Tensor]:
        """The parts of the evidence lower bound at x (n, d): E log p(x|z), (n,), and each latent's rate, (n, k).

        The first is a mean over `draws` latents for each point; the second is exact.
        """
        mean, deviation = self.encode(x)
        generator = seeded(seed, 21)
        total = torch.zeros(len(x))
        for _ in range(draws):
            total += self.log_likelihood(x, mean + deviation * torch.randn(mean.shape, generator=generator))
        return total / draws, 0.5 * (mean.square() + deviation.square() - 2 * deviation.log() - 1)

    @torch.no_grad()
    def importance_weighted(self, x: Tensor, seed: int = 0, draws: int = 256) -> Tensor:
        """A lower bound on log p(x), (n,), that is tighter the more latents are drawn (Burda et al. 2016, eq. 8).

        log (1/K) Σ_k p(x|z_k) p(z_k) / q(z_k|x) with z_k from the encoder.
        """
        mean, deviation = self.encode(x)
        generator = seeded(seed, 22)
        weights = []
        for _ in range(draws):
            noise = torch.randn(mean.shape, generator=generator)
            z = mean + deviation * noise
            prior = -0.5 * (z.square() - noise.square()).sum(1) + deviation.log().sum(1)
            weights.append(self.log_likelihood(x, z) + prior)
        return torch.stack(weights).logsumexp(0) - math.log(draws)

    def facts(self, real: Tensor) -> list[Fact]:
        """The bound and its parts, the importance-weighted one, and how many latents say something."""
        reconstruction, rates = (part.mean(0) for part in self.bound(real, draws=32))
        bound = float(reconstruction - rates.sum())
        tighter = float(self.importance_weighted(real).mean())
        active = int((rates >= IDLE).sum())
        return [
            Fact("Reconstruction", -float(reconstruction), "nats"),
            Fact("Rate, KL", float(rates.sum()), "nats", ", ".join(f"{float(rate):.2f}" for rate in rates)),
            Fact("−ELBO", -bound, "nats"),
            Fact(
                "−log p by importance weighting",
                -tighter,
                "nats",
                f"256 latents; the ELBO misses {tighter - bound:.2f}",
            ),
            Fact("Active latents", active, "", f"of {self.latent_dim}; the others say less than {IDLE} nats"),
        ]

    def describe(self) -> dict[str, Any]:
        """The decoder as a map with noise, and the encoder, as the browser reads them.

        The map's latents are k numbers for the decoder and d of its noise; "noise" names the weights that are its
        deviation along each axis.
        """
        k, d = self.latent_dim, self.decoder.outputs
        unit, data = {"mean": [0.0] * k, "std": [1.0] * k}, {"mean": self.mean.tolist(), "std": self.std.tolist()}
        return {
            "map": {
                "network": "decoder",
                "latent": k + d,
                "dim": d,
                "inside": unit,
                "outside": data,
                "noise": "spread",
            },
            "encoder": {"network": "encoder", "latent": k, "inside": data},
            "networks": {"decoder": self.decoder.describe(), "encoder": self.encoder.describe()},
            "dim": d,
        }
