"""Gradient descent on one flat vector of weights, and the gradient of a regression written out.

Networks this small spend half of a training step in the bookkeeping of automatic differentiation. A regression of a
multilayer perceptron is the loss of most families here, so its gradient is written out once, into buffers that are
kept; `benchmarks/step.py` prints what that gains.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from playground.models.base import Optimisation
from playground.networks import ACTIVATIONS, ActivationName, FilmMlp, Mlp

aten = torch.ops.aten
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
BACKWARD: dict[ActivationName, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "relu": lambda delta, z, h: aten.threshold_backward(delta, h, 0),
    "silu": lambda delta, z, h: aten.silu_backward(delta, z),
    "tanh": lambda delta, z, h: aten.tanh_backward(delta, h),
    "selu": lambda delta, z, h: aten.elu_backward(delta, SELU_ALPHA, SELU_SCALE, 1, False, z),
}
"""The gradient with respect to an activation's input z from the one with respect to its output h: torch's kernels."""
SLOPES: dict[ActivationName, Callable[[Tensor, Tensor], Tensor]] = {
    "relu": lambda z, h: (z > 0).to(z.dtype),
    "silu": lambda z, h: _silu_slope(z, torch.sigmoid(z)),
    "tanh": lambda z, h: 1 - h * h,
    "selu": lambda z, h: torch.where(z > 0, SELU_SCALE, h + SELU_SCALE * SELU_ALPHA),
}
"""act'(z) from an activation's input z and output h, in operations that can be differentiated again."""


def _silu_slope(z: Tensor, gate: Tensor) -> Tensor:
    return gate * (1 + z * (1 - gate))


FEW = 16
"""Columns of a layer's inputs that are few."""


class Regression:
    """The mean squared error of a network and its gradient, by the chain rule layer by layer.

    With h_0 the inputs, z_l = h_{l−1} W_lᵀ + b_l, h_l = act(z_l) and the last z the output: δ = 2 (z − y) / (n d) at
    the end, ∂W_l = δᵀ h_{l−1}, ∂b_l = Σ δ, and δ ← (δ W_l) ⊙ act'(z_{l−1}) going down. Beyond an error of `huber` the
    square goes on as its tangent, so that such errors pull no harder than that one (Huber 1964).
    """

    def __init__(self, mlp: Mlp, weights: Tensor, huber: float | None = None) -> None:
        self.gradient = torch.zeros_like(weights)
        self._huber = huber
        self._layers = list(mlp.layers(weights))
        self._gradients = list(mlp.layers(self.gradient))
        self._act, self._back = ACTIVATIONS[mlp.activation], BACKWARD[mlp.activation]
        self._before: list[Tensor] = []

    @torch.no_grad()
    def __call__(self, inputs: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """Leaves the gradient for inputs (n, in) and targets (n, out) in `gradient`; returns the loss, a scalar.

        weights (n, 1) multiply the squared error of each row.
        """
        if not self._before or len(self._before[0]) != len(inputs):
            self._before = [inputs.new_empty(len(inputs), len(bias)) for _, bias in self._layers]
        after = [inputs]
        for (matrix, bias), z in zip(self._layers, self._before, strict=True):
            torch.addmm(bias, after[-1], matrix.t(), out=z)
            if z is not self._before[-1]:
                after.append(self._act(z))
        loss, delta = squared_error(self._before[-1] - targets, weights, self._huber)
        for level in reversed(range(len(self._layers))):
            to_matrix, to_bias = self._gradients[level]
            if after[level].shape[1] <= FEW:  # this order is then several times faster
                to_matrix.copy_(torch.mm(after[level].t(), delta).t())
            else:
                torch.mm(delta.t(), after[level], out=to_matrix)
            torch.sum(delta, 0, out=to_bias)
            if level:
                delta = self._back(torch.mm(delta, self._layers[level][0]), self._before[level - 1], after[level])
        return loss


class FilmRegression:
    """The same for a modulated perceptron.

    With u_l = (1 + s_l) ⊙ z_l + β_l, where h_l = act(u_l), and δ = ∂loss/∂u_l: ∂β_l = δ, ∂s_l = δ ⊙ z_l, and
    ∂loss/∂z_l = δ ⊙ (1 + s_l), with which the layer goes on as a plain one. The modulations are outputs of a network
    of their own, whose two layers come last.
    """

    def __init__(self, mlp: FilmMlp, weights: Tensor, huber: float | None = None) -> None:
        self.gradient = torch.zeros_like(weights)
        self._mlp, self._huber = mlp, huber
        self._layers, self._gradients = list(mlp.layers(weights)), list(mlp.layers(self.gradient))
        self._act, self._back = ACTIVATIONS[mlp.activation], BACKWARD[mlp.activation]
        self._columns = [width for width in mlp.widths for _ in "sβ"]

    @torch.no_grad()
    def __call__(self, inputs: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """As of `Regression`."""
        (embed, embed_bias), (modulate, modulate_bias), *layers = self._layers
        x, told = inputs[:, : self._mlp.own], inputs[:, self._mlp.own :]
        inside = torch.addmm(embed_bias, told, embed.t())
        g = self._act(inside)
        parts = torch.split(torch.addmm(modulate_bias, g, modulate.t()), self._columns, dim=1)
        gains = [1 + scale for scale in parts[::2]]
        after, plain, modulated = [x], [], []
        for (matrix, bias), gain, shift in zip(layers[:-1], gains, parts[1::2], strict=True):
            plain.append(torch.addmm(bias, after[-1], matrix.t()))
            modulated.append(torch.addcmul(shift, gain, plain[-1]))
            after.append(self._act(modulated[-1]))
        output = torch.addmm(layers[-1][1], after[-1], layers[-1][0].t())
        loss, delta = squared_error(output - targets, weights, self._huber)
        to_modulation = torch.empty(len(x), sum(self._columns), dtype=x.dtype, device=x.device)
        slots = torch.split(to_modulation, self._columns, dim=1)
        for level in reversed(range(len(layers))):
            if level < len(layers) - 1:
                delta = self._back(torch.mm(delta, layers[level + 1][0]), modulated[level], after[level + 1])
                torch.mul(delta, plain[level], out=slots[2 * level])
                slots[2 * level + 1].copy_(delta)
                delta = delta * gains[level]
            self._into(2 + level, delta, after[level])
        self._into(1, to_modulation, g)
        self._into(0, self._back(torch.mm(to_modulation, modulate), inside, g), told)
        return loss

    def _into(self, layer: int, delta: Tensor, before: Tensor) -> None:
        to_matrix, to_bias = self._gradients[layer]
        if before.shape[1] <= FEW:  # this order is then several times faster
            to_matrix.copy_(torch.mm(before.t(), delta).t())
        else:
            torch.mm(delta.t(), before, out=to_matrix)
        torch.sum(delta, 0, out=to_bias)


def regression(mlp: Mlp, weights: Tensor, huber: float | None = None) -> Regression | FilmRegression:
    """The regression of a network of either kind."""
    return FilmRegression(mlp, weights, huber) if isinstance(mlp, FilmMlp) else Regression(mlp, weights, huber)


def squared_error(error: Tensor, weights: Tensor | None, huber: float | None) -> tuple[Tensor, Tensor]:
    """The mean of the squared errors (n, d), beyond `huber` of their tangents, and its gradient; `error` is reused."""
    if huber is None:
        squares = error.square()
    else:
        inner = error.clamp(-huber, huber)
        squares, error = inner * (2 * error - inner), inner
    loss = (squares if weights is None else squares * weights).mean()
    return loss, error.mul_(2 / error.numel() if weights is None else weights * (2 / error.numel()))


def output_and_jacobian(
    mlp: Mlp, weights: Tensor, x: Tensor, t: Tensor, c: Tensor | None = None, blur: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """f(x, t, c) (n, outputs) for x (n, d), t (n, 1) or (1, 1), and ∂F_i/∂x_k as (n, d, outputs), k before i.

    The derivative along each axis goes up through the layers beside the values: ∂h = act'(z) ⊙ (W ∂h). Both can be
    differentiated once more. blur: as the network is told it.
    """
    act, slope = ACTIVATIONS[mlp.activation], SLOPES[mlp.activation]
    film = isinstance(mlp, FilmMlp)
    (matrix, bias), *hidden = list(mlp.layers(weights))[2 if film else 0 :]
    seen = mlp.inputs_at(x, t, c, blur)
    z = torch.addmm(bias, seen[:, : mlp.own] if film else seen, matrix.t())
    along = matrix[:, : mlp.inputs].t()[:, None].expand(-1, len(x), -1)
    if mlp.waves:
        omega, sine, cosine = mlp.waves_at(x, blur)
        turning = torch.cat([cosine * omega[:, None], -sine * omega[:, None]], dim=2)  # of the features, by each x_k
        along = along + turning @ matrix[:, mlp.inputs : mlp.own].t()
    modulation = mlp.modulation(weights, seen[:, mlp.own :]) if isinstance(mlp, FilmMlp) else []
    for level, (matrix, bias) in enumerate(hidden):
        if film:
            scale, shift = modulation[level]
            z, along = (1 + scale) * z + shift, along * (1 + scale)
        h = act(z)
        along = (along * slope(z, h)) @ matrix.t()
        z = torch.addmm(bias, h, matrix.t())
    return z, along.transpose(0, 1)


class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1) on one flat vector, with a running average of it that warms up."""

    def __init__(self, weights: Tensor, settings: Optimisation, betas: tuple[float, float] = (0.8, 0.99)) -> None:
        self.weights = weights
        self._settings = settings
        self._betas = betas
        self._mean, self._square = torch.zeros_like(weights), torch.zeros_like(weights)
        self._average = weights.clone()
        self._steps = 0

    @torch.no_grad()
    def step(self, gradient: Tensor, decay: float) -> None:
        """One update at `decay` times the peak rate."""
        self._steps += 1
        first, second = self._betas
        self._mean.lerp_(gradient, 1 - first)
        self._square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
        unbiased = (1 - second**self._steps) ** 0.5
        rate = self._settings.rate * decay * unbiased / (1 - first**self._steps)
        self.weights.addcdiv_(self._mean, self._square.sqrt().add_(1e-8 * unbiased), value=-rate)
        keep = min(self._settings.ema, (1 + self._steps) / (10 + self._steps))
        self._average.lerp_(self.weights, 1 - keep)

    @torch.no_grad()
    def restart(self, weights: Tensor) -> None:
        """Begins anew from these weights, which are copied into the same memory."""
        for kept in (self.weights, self._average):
            kept.copy_(weights)
        self._mean.zero_(), self._square.zero_()
        self._steps = 0

    def ahead(self, decay: float) -> Callable[[Tensor, Tensor], Tensor]:
        """A function (weights, gradient) → weights that takes steps on from this state, and leaves it as it is.

        It can be differentiated; the scale that Adam divides by counts as a constant, since a root has no derivative
        at 0.
        """
        (first, second), rate = self._betas, self._settings.rate * decay
        mean, square, steps = self._mean, self._square, self._steps

        def step(weights: Tensor, gradient: Tensor) -> Tensor:
            nonlocal mean, square, steps
            steps += 1
            mean = mean.lerp(gradient, 1 - first)
            square = second * square + (1 - second) * gradient.detach().square()
            scale = (square / (1 - second**steps)).sqrt() + 1e-8
            return weights - rate / (1 - first**steps) * mean / scale

        return step

    def average(self) -> Tensor:
        """A copy of the averaged weights (the raw ones where the decay is 0)."""
        return (self._average if self._settings.ema else self.weights).detach().clone()
