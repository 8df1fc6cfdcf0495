"""The conditionals of an autoregressive model: one coordinate's distribution, given those before it.

Each way works in the unit box: y = (x − low) / (high − low), coordinates in the order in which they are drawn. It has
a network, gives log p(y), and turns uniform numbers into y by the inverse of each conditional's distribution function:
the Knothe–Rosenblatt rearrangement, of which the drawing is made coordinate by coordinate.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from playground.choice import FROM_NAME, Choice
from playground.models.autoregressive.masked import MaskedMlp
from playground.models.base import StepCost
from playground.networks import Mlp, Network

WIDEST = 6.0
"""Logistics may put mass outside the box: so many box lengths to each side inverses are looked for."""
HALVINGS = 40


class Conditionals(Choice):
    """How one coordinate is distributed, given those before it."""

    bounded: ClassVar[bool] = True
    """Whether there is no mass outside of the box of the training points."""

    step_cost: ClassVar[StepCost]
    """What a training step takes."""

    @abstractmethod
    def network(self, network: Network, dim: int) -> Mlp:
        """The perceptron that tells all conditionals."""

    @abstractmethod
    def log_prob(self, mlp: Mlp, weights: Tensor, y: Tensor) -> Tensor:
        """Log p(y) for y (n, d), over the box's own volume: (n,)."""

    @abstractmethod
    def states(self, mlp: Mlp, weights: Tensor, u: Tensor, y: Tensor) -> Iterator[Tensor]:
        """From uniform numbers u (n, d) the box's points after each part is drawn, the last being samples.

        y: (n, d) where coordinates stand that are still to be drawn.
        """


def one_hot(index: Tensor, count: int) -> Tensor:
    """(n, d) indices → (n, d · count), a block for each coordinate."""
    marks: Tensor = F.one_hot(index, count).flatten(1)
    return marks.float()


def digits(y: Tensor, levels: int) -> Tensor:
    """The bin (n, d) of y among 2^levels to an axis."""
    count = 1 << levels
    return (y * count).long().clamp(0, count - 1)


class Grid(Conditionals):
    """A probability for each bin of a grid: any shape, as coarse as its bins."""

    title: ClassVar[str] = "Bins of a grid"
    step_cost: ClassVar[StepCost] = StepCost(405, 1.15)
    kind: Literal["grid"] = "grid"
    levels: int = Field(
        6,
        ge=2,
        le=8,
        title="Fineness",
        description="Each axis is halved so many times: 6 gives 64 bins. The density is uniform in each.",
    )

    def network(self, network: Network, dim: int) -> Mlp:
        return network.build(dim * 2**self.levels, dim * 2**self.levels, timed=False)

    def log_prob(self, mlp: Mlp, weights: Tensor, y: Tensor) -> Tensor:
        bins, count = digits(y, self.levels), 2**self.levels
        logits = MaskedMlp(mlp, y.shape[1])(weights, one_hot(bins, count))
        logs = logits.log_softmax(2).gather(2, bins[:, :, None])[:, :, 0]
        inside = ((y >= 0) & (y <= 1)).all(1)
        return torch.where(inside, (logs + math.log(count)).sum(1), -math.inf)

    def states(self, mlp: Mlp, weights: Tensor, u: Tensor, y: Tensor) -> Iterator[Tensor]:
        count, y = 2**self.levels, y.clone()
        masked = MaskedMlp(mlp, u.shape[1])
        bins = torch.zeros_like(y, dtype=torch.long)
        for i in range(u.shape[1]):
            shares = masked(weights, one_hot(bins, count))[:, i].softmax(1).double()
            upper = shares.cumsum(1)
            upper = upper / upper[:, -1:]
            wanted = u[:, i : i + 1].double().contiguous()
            chosen = torch.searchsorted(upper, wanted, right=True).clamp(max=count - 1)
            below = upper.gather(1, chosen) - shares.gather(1, chosen)
            within = ((wanted - below) / shares.gather(1, chosen).clamp(min=1e-12)).clamp(0, 1 - 1e-6)
            bins[:, i] = chosen[:, 0]
            y[:, i] = ((chosen + within) / count)[:, 0].to(y)
            yield y.clone()


class Logistics(Conditionals):
    """A mixture of logistic distributions: smooth, with no grid, as in PixelCNN++ (Salimans et al. 2017)."""

    title: ClassVar[str] = "Mixture of logistics"
    step_cost: ClassVar[StepCost] = StepCost(557, 1.25)
    kind: Literal["logistics"] = "logistics"
    bounded: ClassVar[bool] = False
    components: int = Field(10, ge=1, le=32, title="Logistics", description="How many bumps each conditional may have.")
    frequencies: int = Field(
        3,
        ge=0,
        le=8,
        title="Frequencies",
        description="Waves of each coordinate that the network sees beside it, so that its answer may change fast.",
        json_schema_extra={"advanced": True},
    )

    def network(self, network: Network, dim: int) -> Mlp:
        return network.build(dim * (1 + 2 * self.frequencies), dim * 3 * self.components, timed=False)

    def _parts(self, mlp: Mlp, weights: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Log weights, centres and log scales, each (n, d, components)."""
        waves = math.pi * y[:, :, None] * 2 ** torch.arange(self.frequencies, device=y.device)
        seen = torch.cat([(4 * y - 2)[:, :, None], waves.sin(), waves.cos()], 2).flatten(1)
        told = MaskedMlp(mlp, y.shape[1])(weights, seen)
        logits, centers, scales = told.chunk(3, 2)
        # Untrained, the bumps stand evenly over the box.
        even = (torch.arange(self.components, device=y.device) + 0.5) / self.components
        return logits.log_softmax(2), even + 0.5 * centers, (scales - math.log(2 * self.components)).clamp(min=-7)

    def log_prob(self, mlp: Mlp, weights: Tensor, y: Tensor) -> Tensor:
        logits, centers, scales = self._parts(mlp, weights, y)
        z = (y[:, :, None] - centers) * (-scales).exp()
        return torch.logsumexp(logits - scales - z - 2 * F.softplus(-z), 2).sum(1)

    def states(self, mlp: Mlp, weights: Tensor, u: Tensor, y: Tensor) -> Iterator[Tensor]:
        y = y.clone()
        for i in range(u.shape[1]):
            logits, centers, scales = (part[:, i].double() for part in self._parts(mlp, weights, y))
            low, high = torch.full_like(logits[:, :1], -WIDEST), torch.full_like(logits[:, :1], 1 + WIDEST)
            for _ in range(HALVINGS):
                middle = (low + high) / 2
                below = (logits.exp() * torch.sigmoid((middle - centers) * (-scales).exp())).sum(1, keepdim=True)
                low, high = (
                    torch.where(below < u[:, i : i + 1], middle, low),
                    torch.where(below < u[:, i : i + 1], high, middle),
                )
            y[:, i] = ((low + high) / 2)[:, 0].to(y)
            yield y.clone()


class CoarseToFine(Conditionals):
    """The next scale instead of the next coordinate: in which quarter of the cell, again and again.

    p(cell of level l | cell of level l − 1), as in visual autoregressive modelling (Tian et al. 2024) and in Haar
    trees; the network sees the halvings so far, one digit of ±1 to an axis and a level, 0 where none is known yet.
    """

    title: ClassVar[str] = "Coarse to fine"
    step_cost: ClassVar[StepCost] = StepCost(515, 5.6)
    kind: Literal["coarse_to_fine"] = "coarse_to_fine"
    levels: int = Field(
        6,
        ge=2,
        le=8,
        title="Fineness",
        description="How often a cell is divided: 6 gives 64 cells to an axis, in which the density is uniform.",
    )

    def network(self, network: Network, dim: int) -> Mlp:
        return network.build(dim * self.levels, 2**dim, timed=False)

    def _seen(self, bins: Tensor, level: int) -> Tensor:
        """Digits (n, d · levels) of bins (n, d) of the finest level, known down to `level` halvings."""
        shifts = torch.arange(self.levels - 1, -1, -1, device=bins.device)
        bits = (bins[:, :, None] >> shifts) & 1
        known = torch.arange(self.levels, device=bins.device) < level
        return torch.where(known, 2.0 * bits - 1, 0.0).flatten(1)

    def log_prob(self, mlp: Mlp, weights: Tensor, y: Tensor) -> Tensor:
        n, d = y.shape
        bins = digits(y, self.levels)
        seen = torch.cat([self._seen(bins, level) for level in range(self.levels)])
        shifts = torch.arange(self.levels - 1, -1, -1, device=y.device)
        bits = (bins[:, :, None] >> shifts) & 1
        quarter = (bits * 2 ** torch.arange(d, device=y.device)[:, None]).sum(1).t().reshape(-1)
        logs = mlp(weights, seen).log_softmax(1).gather(1, quarter[:, None])
        inside = ((y >= 0) & (y <= 1)).all(1)
        whole = logs.view(self.levels, n).sum(0) + d * self.levels * math.log(2)
        return torch.where(inside, whole, -math.inf)

    def states(self, mlp: Mlp, weights: Tensor, u: Tensor, y: Tensor) -> Iterator[Tensor]:
        n, d = u.shape
        rest, bins = u.double().clone(), torch.zeros(n, d, dtype=torch.long, device=u.device)
        for level in range(self.levels):
            shares = mlp(weights, self._seen(bins, level)).softmax(1).double().view(n, *([2] * d))
            size = 2.0 ** -(level + 1)
            for i in range(d):
                # The last axis of `shares` is that of the lowest bit: coordinate 0.
                along = shares.flatten(1, -2).sum(1) if shares.ndim > 2 else shares
                chance = along / along.sum(1, keepdim=True)
                bit = (rest[:, i] >= chance[:, 0]).long()
                taken = chance.gather(1, bit[:, None])[:, 0].clamp(min=1e-12)
                rest[:, i] = ((rest[:, i] - bit * chance[:, 0]) / taken).clamp(0, 1 - 1e-9)
                bins[:, i] += bit << (self.levels - 1 - level)
                shares = shares[torch.arange(n), ..., bit]
            yield ((bins >> (self.levels - 1 - level)) * size + size * rest).to(y)


AnyConditionals = Annotated[Grid | Logistics | CoarseToFine, Field(discriminator="kind"), FROM_NAME]
