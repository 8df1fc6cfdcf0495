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
    """f(x) of an untimed network whose flat weights may change in place, and its derivatives.

    With h_0 = x, z_l = h_{l−1} W_lᵀ + b_l, h_l = act(z_l) and the last z the output: given δ = ∂loss/∂z at the end,
    ∂W_l = δᵀ h_{l−1}, ∂b_l = Σ δ, and δ ← (δ W_l) ⊙ act'(z_{l−1}) going down; the last δ W_1 is ∂loss/∂x.
    """

    def __init__(self, mlp: Mlp, weights: Tensor) -> None:
        self.gradient = torch.zeros_like(weights)
        self._layers = list(mlp.layers(weights))
        self._gradients = list(mlp.layers(self.gradient))
        self.piecewise_linear = mlp.activation == "relu"
        self._act, self._back = ACTIVATIONS[mlp.activation], BACKWARD[mlp.activation]

    @torch.no_grad()
    def forward(self, x: Tensor) -> tuple[Tensor, Tape]:
        """f(x) for x (n, in) → (n, out), and the tape for `backward`."""
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

    @torch.no_grad()
    def slopes(self, tape: Tape) -> tuple[list[Tensor], Tensor]:
        """Of a scalar F: ∂F/∂z_l for each layer, (n, out_l), and the slope ∂F/∂x (n, in)."""
        down = tape.after[0].new_ones(len(tape.after[0]), 1)
        levels = [down]
        for level in reversed(range(1, len(self._layers))):
            down = self._back(torch.mm(down, self._layers[level][0]), tape.before[level - 1], tape.after[level])
            levels.append(down)
        return levels[::-1], torch.mm(down, self._layers[0][0])

    @torch.no_grad()
    def backward_along(self, tape: Tape, levels: list[Tensor], delta: Tensor, along: Tensor) -> None:
        """The gradient of loss + penalty of a scalar, piecewise linear F, from both derivatives at its points.

        delta: ∂loss/∂F (n, 1); along: ∂penalty/∂slope (n, in); levels: from `slopes`. With s_l = ∂F/∂z_l the slope is
        s_1 W_1, and since act'' = 0 its derivative by W_l towards `along` is s_lᵀ a_{l−1}, where a_0 = along goes up as
        a_l = (a_{l−1} W_lᵀ) ⊙ act'(z_l). The loss's own is s_lᵀ (δ h_{l−1}), so that one product gives both.
        """
        for level, (to_matrix, to_bias) in enumerate(self._gradients):
            both = torch.addcmul(along, delta, tape.after[level])
            if level:
                torch.mm(levels[level].t(), both, out=to_matrix)
            else:
                to_matrix.copy_(torch.mm(both.t(), levels[0]).t())
            torch.sum(levels[level] * delta, 0, out=to_bias)  # exactly 0 where real and generated points cancel
            if level + 1 < len(self._layers):
                up = torch.mm(along, self._layers[level][0].t())
                along = self._back(up, tape.before[level], tape.after[level + 1])
