"""How a GAN learns: the critic's steps, the generator's, and what keeps them in balance."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from playground.models.backprop import Backprop
from playground.models.base import Learner, Pool, Task, Weights, seeded
from playground.models.gan.losses import GanLoss
from playground.models.gan.parts import (
    LOOKS,
    SETTLING,
    Look,
    Penalties,
    SpectralNorm,
    equilibrium,
    flat,
    forward,
    latent,
    leaves,
    unpacked,
)
from playground.models.learning import Adam

EVERY = 10
"""Steps from one look at the equilibrium to the next."""


@dataclass(frozen=True)
class Settings:
    """The fields of `models.gan.Gan` that learning needs."""

    loss: GanLoss
    latent_dim: int
    latent: Literal["gaussian", "uniform"]
    generator_rate: float
    critic_rate: float
    critic_steps: int
    beta1: float
    beta2: float
    standardise: bool
    r1: float
    r2: float
    gradient_penalty: float
    spectral_norm: bool
    instance_noise: float
    noise_steps: int
    unrolled: int
    pack: int


class GanLearner(Learner):
    """One step is `critic_steps` of the critic and one of the generator, or whichever of them has the `turn`.

    The loss that is reported is the generator's, of a critic's turn the critic's.
    """

    name = "GAN"

    def __init__(self, settings: Settings, task: Task, target: Pool) -> None:
        self.turn: str = "both"
        self._settings, self._loss, self._pool = settings, settings.loss, target
        self._batch, self._dim = task.optimisation.batch, task.dim
        mean, std = target.points.mean(0), target.points.std(0).clamp_min(1e-6)
        if not settings.standardise:
            mean, std = torch.zeros_like(mean), torch.ones_like(std)
        self._mean, self._std = mean, std
        self._spread = float(((target.points - mean) / std).std(0).square().sum().sqrt())
        self._generator_net = task.network.build(settings.latent_dim, task.dim, timed=False)
        self._critic_net = task.network.build(task.dim * settings.pack, 1, timed=False)
        betas, optimisation = (settings.beta1, settings.beta2), task.optimisation
        generator = self._generator_net.initial(seeded(task.seed, 0)).to(task.device)
        critic = self._critic_net.initial(seeded(task.seed, 4)).to(task.device)
        rates = settings.generator_rate, settings.critic_rate
        of_generator, of_critic = (optimisation.model_copy(update={"rate": rate}) for rate in rates)
        self._generator_adam = Adam(generator, of_generator, betas)
        self._critic_adam = Adam(critic, of_critic.model_copy(update={"ema": 0.0}), betas)
        self._clip()
        self._rng = task.generator(3)
        self._norm = SpectralNorm(self._critic_net, critic, seeded(task.seed, 5)) if settings.spectral_norm else None
        self._judge = critic if self._norm is None else self._norm.normalised
        self._generator, self._critic = (
            Backprop(self._generator_net, generator),
            Backprop(self._critic_net, self._judge),
        )
        slope = settings.gradient_penalty + settings.loss.slope_penalty
        self._penalties = Penalties(settings.r1, settings.r2, slope)
        # R1 and R2 are taken where the critic judges anyway; what remains is left to automatic differentiation.
        self._by_hand = self._critic.piecewise_linear and bool(settings.r1 or settings.r2)
        self._others = Penalties(0.0, 0.0, slope) if self._by_hand else self._penalties
        self._looks: deque[Look] = deque(maxlen=LOOKS)
        self._judged = target.points.new_zeros(2, 1)
        self._steps = 0

    def step(self, decay: float) -> Tensor:
        self._steps += 1
        if self.turn != "generator":
            for _ in range(self._settings.critic_steps if self.turn == "both" else 1):
                loss = self._critic_step(decay)
        return self._generator_step(decay) if self.turn != "critic" else loss

    @property
    def remark(self) -> str | None:
        """What is wrong with the equilibrium now, in a sentence; None where nothing is."""
        return equilibrium(list(self._looks), self._spread)

    def weights(self) -> Weights:
        critic = unpacked(self._critic_net, self._judge, self._settings.pack)
        return {
            "generator": self._generator_adam.average().cpu(),
            "critic": critic.detach().clone().cpu(),
            "moments": torch.cat([self._mean, self._std]).cpu(),
        }

    def resume(self, weights: Weights) -> None:
        if self._settings.pack > 1:
            raise ValueError("the critic of packed points is not kept whole; train this GAN again.")
        self._generator_adam.restart(weights["generator"])
        self._critic_adam.restart(weights["critic"])
        if self._norm is not None:
            for _ in range(SETTLING):
                self._norm.update()

    def _critic_step(self, decay: float) -> Tensor:
        real, fake = self._real(), self._packed(self._generator.forward(self._latents())[0])
        seen = self._noisy(torch.cat([real, fake]))
        judged, tape = self._critic.forward(seen)
        self._judged = judged
        loss, delta = _differentiated(self._loss.critic, judged, self._batch)
        gradient = self._critic.gradient
        if self._by_hand:
            levels, slope = self._critic.slopes(tape)
            penalty, along = self._penalties.of_slopes(*slope.chunk(2))
            self._critic.backward_along(tape, levels, delta, along)
            loss = loss + penalty
        else:
            self._critic.backward(tape, delta)
        if self._others:
            layers = leaves(self._critic_net, self._judge)
            real, fake = seen.chunk(2)
            penalty = self._others(self._critic_net, layers, real, fake, self._rng)
            parts = [part for layer in layers for part in layer]
            more = torch.autograd.grad(penalty, parts, allow_unused=True, materialize_grads=True)
            gradient, loss = gradient.add_(flat(more)), loss + penalty.detach()
        if self._norm is not None:
            self._norm.pull_back(gradient)
        self._critic_adam.step(gradient, decay)
        self._clip()
        if self._norm is not None:
            self._norm.update()
        return loss

    def _generator_step(self, decay: float) -> Tensor:
        if self._settings.unrolled:
            return self._unrolled_step(decay)
        made, below = self._generator.forward(self._latents())
        fake = self._packed(made)
        seen = torch.cat([self._real(), fake]) if self._loss.paired else fake
        judged, tape = self._critic.forward(self._noisy(seen))
        loss, delta = _differentiated(self._loss.generator, judged, self._batch)
        slope = self._critic.backward(tape, delta, weights=False, inputs=True)
        assert slope is not None, "asked for above"
        pull = slope[-len(fake) :].reshape(made.shape)
        self._generator.backward(below, pull)
        self._generator_adam.step(self._generator.gradient, decay)
        self._look(pull, made)
        return loss

    def _unrolled_step(self, decay: float) -> Tensor:
        """The generator's gradient through the critic as it will be after k of its steps (Metz et al. 2017, eq. 9).

        The critic itself stays where it is. Its steps ahead are Adam's with the state that it has, on one batch.
        """
        real, latents = self._real(), self._latents()
        layers = leaves(self._generator_net, self._generator_adam.weights)
        made = forward(self._generator_net, layers, latents)
        fake = self._packed(made)
        real, fake = self._noisy(real), self._noisy(fake)
        critic, ahead = self._critic_adam.weights.clone().requires_grad_(), self._critic_adam.ahead(decay)
        for _ in range(self._settings.unrolled):
            through = self._through(critic)
            judged = forward(self._critic_net, through, real), forward(self._critic_net, through, fake)
            loss = self._loss.critic(*judged)
            if self._penalties:
                loss = loss + self._penalties(self._critic_net, through, real, fake, self._rng)
            (gradient,) = torch.autograd.grad(loss, critic, create_graph=True)
            critic = ahead(critic, gradient)
            if self._loss.bound is not None:
                critic = critic.clamp(-self._loss.bound, self._loss.bound)
        through = self._through(critic)
        judged = forward(self._critic_net, through, real), forward(self._critic_net, through, fake)
        loss = self._loss.generator(*judged)
        pull, *gradients = torch.autograd.grad(loss, [made, *(part for layer in layers for part in layer)])
        self._generator_adam.step(flat(gradients), decay)
        self._look(pull, made.detach())
        return loss.detach()

    def _through(self, critic: Tensor) -> list[tuple[Tensor, Tensor]]:
        """The layers of the critic with these weights, normalised where that is asked for."""
        return list(self._critic_net.layers(critic if self._norm is None else self._norm.applied(critic)))

    def _real(self) -> Tensor:
        """Real inputs of the critic (batch, pack · d)."""
        points = self._pool.batch(self._batch * self._settings.pack)
        return self._packed((points - self._mean) / self._std)

    def _latents(self) -> Tensor:
        return latent(self._settings.latent, self._batch * self._settings.pack, self._settings.latent_dim, self._rng)

    def _packed(self, x: Tensor) -> Tensor:
        """Points (n · pack, d) as inputs of the critic (n, pack · d)."""
        return x.reshape(-1, self._settings.pack * self._dim)

    def _noisy(self, x: Tensor) -> Tensor:
        """With instance noise (Sønderby et al. 2017), while it lasts."""
        std = self._settings.instance_noise * max(0.0, 1 - self._steps / self._settings.noise_steps)
        if not std:
            return x
        return x + std * torch.randn(x.shape, generator=self._rng, device=x.device)

    @torch.no_grad()
    def _clip(self) -> None:
        if self._loss.bound is not None:
            self._critic_adam.weights.clamp_(-self._loss.bound, self._loss.bound)

    @torch.no_grad()
    def _look(self, pull: Tensor, made: Tensor) -> None:
        """Takes note, now and then, of how the two stand to each other."""
        if self._steps % EVERY:
            return
        real, fake = self._judged.chunk(2)
        apart = (real > fake).float().mean()
        size = pull.square().sum(1).mean().sqrt() * len(pull)
        self._looks.append(Look(self._steps, float(apart), float(size), tuple(made.mean(0).tolist())))


def _differentiated(loss: Callable[[Tensor, Tensor], Tensor], judged: Tensor, batch: int) -> tuple[Tensor, Tensor]:
    """The loss of outputs (n, 1), of which the last `batch` are of generated inputs, and its derivative by them.

    Where there are no others the loss is one that makes no use of those of real inputs.
    """
    judged = judged.detach().requires_grad_()
    with torch.enable_grad():
        value = loss(judged[:-batch], judged[-batch:])
    (delta,) = torch.autograd.grad(value, judged)
    return value.detach(), delta
