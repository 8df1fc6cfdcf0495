"""What a GAN is put together from besides its loss: latent, penalties, spectral norm, packing; and its equilibrium."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Generator, Tensor

from playground.networks import ACTIVATIONS, Mlp

Layers = Sequence[tuple[Tensor, Tensor]]
"""The matrix (out, in) and bias (out,) of each layer."""


def latent(
    kind: Literal["gaussian", "uniform"], n: int, k: int, generator: Generator, truncation: float | None = None
) -> Tensor:
    """Draw n latents (n, k): standard Gaussian, or uniform on [−1, 1]^k.

    truncation τ: the part of the same distribution within ±τ of 0 along each axis, reached by the increasing map
    between the two, so that each particle keeps its place among the others whatever τ is.
    """
    if kind == "uniform":
        z = 2 * torch.rand(n, k, generator=generator, device=generator.device) - 1
        return z if truncation is None else z * min(truncation, 1.0)
    z = torch.randn(n, k, generator=generator, device=generator.device)
    if truncation is None:
        return z
    inner = math.erf(truncation / math.sqrt(2))
    return math.sqrt(2) * torch.erfinv(inner * torch.erf(z.double() / math.sqrt(2))).float()


def forward(mlp: Mlp, layers: Layers, x: Tensor) -> Tensor:
    """f(x) from the layers as separate tensors, through which automatic differentiation can go twice."""
    act = ACTIVATIONS[mlp.activation]
    *hidden, (last, last_bias) = layers
    for matrix, bias in hidden:
        x = act(torch.addmm(bias, x, matrix.t()))
    return torch.addmm(last_bias, x, last.t())


def leaves(mlp: Mlp, weights: Tensor) -> list[tuple[Tensor, Tensor]]:
    """The layers as leaves of automatic differentiation that share the flat vector's memory."""
    return [(m.detach().requires_grad_(), b.detach().requires_grad_()) for m, b in mlp.layers(weights)]


def flat(parts: Sequence[Tensor]) -> Tensor:
    """Tensors one after another as one vector."""
    return torch.cat([part.reshape(-1) for part in parts])


def slopes(mlp: Mlp, layers: Layers, x: Tensor) -> Tensor:
    """∂F/∂x (n, in) of a scalar network at x, differentiable once more."""
    x = x if x.requires_grad else x.detach().requires_grad_()
    (slope,) = torch.autograd.grad(forward(mlp, layers, x).sum(), x, create_graph=True)
    return slope


@dataclass(frozen=True)
class Penalties:
    """What is added to the critic's loss: γ₁/2 E‖∇D(x)‖² + γ₂/2 E‖∇D(G(z))‖² + λ E(‖∇D(x̂)‖ − 1)².

    x̂ lies uniformly between a real point and a generated one (Mescheder et al. 2018, eqs. 9 and 10; Gulrajani et al.
    2017, eq. 3).
    """

    r1: float
    r2: float
    slope: float

    def __bool__(self) -> bool:
        return bool(self.r1 or self.r2 or self.slope)

    def of_slopes(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """R1 and R2 of the slopes at real and generated points (n, in): a scalar, and its derivatives (2n, in)."""
        value = (self.r1 * real.square().sum() + self.r2 * fake.square().sum()) / (2 * len(real))
        return value, torch.cat([self.r1 / len(real) * real, self.r2 / len(fake) * fake])

    def __call__(self, mlp: Mlp, layers: Layers, real: Tensor, fake: Tensor, generator: Generator) -> Tensor:
        """The penalty of a critic with these layers on real and generated inputs (n, in): a scalar."""
        terms, points = [], []
        if self.r1:
            points.append(real)
        if self.r2:
            points.append(fake)
        if self.slope:
            share = torch.rand(len(real), 1, generator=generator, device=real.device)
            points.append(fake + share * (real - fake))
        found = iter(slopes(mlp, layers, torch.cat(points)).square().sum(1).chunk(len(points)))
        if self.r1:
            terms.append(self.r1 / 2 * next(found).mean())
        if self.r2:
            terms.append(self.r2 / 2 * next(found).mean())
        if self.slope:  # the root has no derivative at 0
            terms.append(self.slope * ((next(found) + 1e-12).sqrt() - 1).square().mean())
        return torch.stack(terms).sum()


SETTLING = 20
"""Steps of power iteration after which a singular value of a fresh matrix is known well enough."""


class SpectralNorm:
    """Each matrix divided by its largest singular value σ, estimated by a step of power iteration at each use.

    Miyato et al. 2018, algorithm 1. With Ŵ = W / σ and σ = uᵀ W v, u and v held fixed, the gradient with respect to W
    is (∂Ŵ − ⟨∂Ŵ, Ŵ⟩ u vᵀ) / σ. Biases stay as they are.
    """

    def __init__(self, mlp: Mlp, weights: Tensor, generator: Generator) -> None:
        self.normalised = weights.clone()
        self._mlp, self._weights = mlp, weights
        self._left = [
            torch.randn(rows, generator=generator, device=generator.device).to(weights.device) for rows, _ in mlp.shapes
        ]
        self._right = [torch.zeros(columns, device=weights.device) for _, columns in mlp.shapes]
        self._sigma = [torch.ones((), device=weights.device) for _ in mlp.shapes]
        for _ in range(SETTLING):
            self.update()

    @torch.no_grad()
    def update(self) -> None:
        """A step of power iteration, and `normalised` made anew."""
        pairs = zip(self._mlp.layers(self._weights), self._mlp.layers(self.normalised), strict=True)
        for level, ((matrix, bias), (to_matrix, to_bias)) in enumerate(pairs):
            v = torch.nn.functional.normalize(matrix.t() @ self._left[level], dim=0)
            u = torch.nn.functional.normalize(matrix @ v, dim=0)
            self._left[level], self._right[level], self._sigma[level] = u, v, u @ (matrix @ v)
            torch.div(matrix, self._sigma[level].clamp_min(1e-12), out=to_matrix)
            to_bias.copy_(bias)

    def applied(self, weights: Tensor) -> Tensor:
        """Other weights normalised with the same u and v, differentiable."""
        parts = []
        for (matrix, bias), u, v in zip(self._mlp.layers(weights), self._left, self._right, strict=True):
            parts += [matrix / (u @ matrix @ v), bias]
        return flat(parts)

    @torch.no_grad()
    def pull_back(self, gradient: Tensor) -> None:
        """Turns the gradient with respect to `normalised`, in place, into that with respect to the weights."""
        rows = zip(self._mlp.layers(gradient), self._mlp.layers(self.normalised), strict=True)
        for level, ((matrix, _), (normalised, _)) in enumerate(rows):
            along = (matrix * normalised).sum()
            matrix.sub_(along * torch.outer(self._left[level], self._right[level]))
            matrix.div_(self._sigma[level].clamp_min(1e-12))


def unpacked(mlp: Mlp, weights: Tensor, pack: int) -> Tensor:
    """The weights of x ↦ F(x, …, x) for a network of `pack` points: its first matrix, summed over the points."""
    if pack == 1:
        return weights
    (matrix, bias), *others = mlp.layers(weights)
    folded = matrix.view(len(matrix), pack, -1).sum(1)
    return flat([folded, bias, *(part for layer in others for part in layer)])


@dataclass(frozen=True)
class Look:
    """A GAN at one step, in the units of its networks.

    told_apart: share of pairs of a real and a generated point that the critic puts in this order. pull: root mean
    square of ∂loss/∂x over generated points, what the generator is taught by. center: (d,) of the generated points.
    """

    step: int
    told_apart: float
    pull: float
    center: tuple[float, ...]


PULL_IS_NOTHING = 1e-3
LOOKS = 40
"""How many looks an equilibrium is judged by."""


def equilibrium(looks: Sequence[Look], spread: float) -> str | None:
    """In a sentence what is wrong with the equilibrium of the last LOOKS looks, or None.

    spread: of the real points, in the networks' units.
    """
    if len(looks) < LOOKS:
        return None
    last = looks[-LOOKS:]
    pulls = sorted(look.pull for look in last)
    if all(look.told_apart > 0.99 for look in last) and pulls[LOOKS // 2] < PULL_IS_NOTHING / spread:
        return (
            "The generator's gradient has vanished: the critic tells all of its points from real ones and is flat "
            "where they are. Try the non-saturating or relativistic loss, R1, or a slower critic."
        )
    columns = list(zip(*(look.center for look in last), strict=True))
    swing = math.sqrt(sum(_variance(column) for column in columns))
    if swing > 0.4 * spread and max(_turns(column) for column in columns) >= 4:
        return (
            "Generator and critic chase each other: the generated points' centre oscillates instead of settling. Try a "
            "smaller β₁, R1, or lower rates."
        )
    return None


def _variance(values: Sequence[float]) -> float:
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values) / len(values)


def _turns(values: Sequence[float]) -> int:
    """How often values pass their mean."""
    mean = sum(values) / len(values)
    return sum((a - mean) * (b - mean) < 0 for a, b in pairwise(values))
