"""Masked networks: one perceptron whose i-th output block sees only the coordinates before the i-th.

MADE (Germain et al. 2015): every hidden unit has a degree m, sees inputs of degree at most m, and is seen by outputs
of a greater degree. All conditionals of a chain p(x_1) p(x_2 | x_1) … come from one call.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import torch
from torch import Tensor

from playground.networks import Mlp


@dataclass(frozen=True)
class MaskedMlp:
    """A perceptron from `dim` blocks of `inside` values to `dim` blocks of `outside` values, in autoregressive order.

    mlp: its flat weights and layers; what the masks cut is kept as weights of no effect.
    """

    mlp: Mlp
    dim: int

    @cached_property
    def masks(self) -> list[Tensor]:
        """The mask (out, in) of each layer."""
        inside, outside = self.mlp.inputs // self.dim, self.mlp.outputs // self.dim
        degrees = [torch.arange(1, self.dim + 1).repeat_interleave(inside)]
        # Hidden degrees are 1 … dim − 1 in turn; with one coordinate nothing is to be seen and all stay 1.
        degrees += [1 + torch.arange(width) % max(1, self.dim - 1) for width in self.mlp.widths]
        masks = [(after[:, None] >= before).float() for before, after in pairwise(degrees)]
        last = torch.arange(1, self.dim + 1).repeat_interleave(outside)
        return [*masks, (last[:, None] > degrees[-1]).float()]

    @cached_property
    def flat_mask(self) -> Tensor:
        """The masks as one vector over the flat weights, 1 for biases."""
        parts = [torch.cat([mask.flatten(), torch.ones(len(mask))]) for mask in self.masks]
        return torch.cat(parts)

    def __call__(self, weights: Tensor, x: Tensor) -> Tensor:
        """Blocks of outputs (n, dim, outside) for inputs (n, dim · inside)."""
        return self.mlp(weights * self.flat_mask.to(weights), x).view(len(x), self.dim, -1)
