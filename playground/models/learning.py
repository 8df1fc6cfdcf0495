"""Gradient descent on one flat vector of weights, with the running average that is shown."""

from __future__ import annotations

import torch
from torch import Tensor

from playground.models.base import Optimisation


class Descent:
    """Adam on a flat weight vector and an exponential average of it that warms up."""

    def __init__(self, initial: Tensor, settings: Optimisation) -> None:
        self.weights = initial.clone().requires_grad_()
        self._average = initial.clone()
        self._settings = settings
        self._steps = 0
        self._adam = torch.optim.Adam([self.weights], lr=settings.rate, fused=True)

    def step(self, loss: Tensor, decay: float) -> None:
        """Descends the gradient of the loss at `decay` times the peak rate."""
        (self.weights.grad,) = torch.autograd.grad(loss, [self.weights])
        self._adam.param_groups[0]["lr"] = self._settings.rate * decay
        self._adam.step()
        self._steps += 1
        keep = min(self._settings.ema, (1 + self._steps) / (10 + self._steps))
        self._average.lerp_(self.weights.detach(), 1 - keep)

    def average(self) -> Tensor:
        """A copy of the averaged weights (the raw ones where the decay is 0)."""
        return (self._average if self._settings.ema else self.weights.detach()).clone()
