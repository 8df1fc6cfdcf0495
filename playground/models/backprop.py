"""A multilayer perceptron's gradients written out, for losses of any form on its outputs.

Automatic differentiation spends half of a step on bookkeeping in networks this small; `benchmarks/gan_step.py` prints
what this gains. The loss itself is differentiated automatically: its arguments are a few numbers a point.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from playground.models.learning import BACKWARD
from playground.networks import ACTIVATIONS, Mlp


@dataclass(frozen=True)
class Tape:
    """What a pass upwards leaves for the way back: the inputs of each layer, and each activation's own."""

    after: list[Tensor]
    before: list[Tensor]


class Backprop:
    """F(x) of an untimed network whose flat weights may change in place, and its derivatives.

    With h_0 = x, z_l = h_{l−1} W_lᵀ + b_l, h_l = act(z_l) and the last z the output: given δ = ∂loss/∂z at the end,
    ∂W_l = δᵀ h_{l−1}, ∂b_l = Σ δ, and δ ← (δ W_l) ⊙ act'(z_{l−1}) going down; the last δ W_1 is ∂loss/∂x.
    """

    def __init__(self, mlp: Mlp, weights: Tensor) -> None:
        self.gradient = torch.zeros_like(weights)
        self._layers = list(mlp.layers(weights))
        self._gradients = list(mlp.layers(self.gradient))
        self._act, self._back = ACTIVATIONS[mlp.activation], BACKWARD[mlp.activation]

    @torch.no_grad()
    def forward(self, x: Tensor) -> tuple[Tensor, Tape]:
        """F(x) for x (n, in) → (n, out), and the tape for `backward`."""
        after, before = [x], []
        *hidden, (last, last_bias) = self._layers
        for matrix, bias in hidden:
            before.append(torch.addmm(bias, after[-1], matrix.t()))
            after.append(self._act(before[-1]))
        return torch.addmm(last_bias, after[-1], last.t()), Tape(after, before)

    @torch.no_grad()
    def backward(self, tape: Tape, delta: Tensor, *, weights: bool = True, inputs: bool = False) -> Tensor | None:
        """From ∂loss/∂F (n, out): leaves ∂loss/∂weights in `gradient` and returns ∂loss/∂x (n, in), as asked for."""
        for level in reversed(range(len(self._layers))):
            if weights:
                to_matrix, to_bias = self._gradients[level]
                if level:
                    torch.mm(delta.t(), tape.after[level], out=to_matrix)
                else:  # with as few columns as there are inputs this order is several times faster
                    to_matrix.copy_(torch.mm(tape.after[0].t(), delta).t())
                torch.sum(delta, 0, out=to_bias)
            if level:
                down = torch.mm(delta, self._layers[level][0])
                delta = self._back(down, tape.before[level - 1], tape.after[level])
        return torch.mm(delta, self._layers[0][0]) if inputs else None
