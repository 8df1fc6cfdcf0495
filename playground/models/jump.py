"""A one-shot map from source to target: a network without a time, called once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from torch import Tensor

from playground.dynamics.parameterization import Moments
from playground.dynamics.solvers import Sampler
from playground.models.base import Weights
from playground.networks import FilmMlp, Mlp, Network, wave_vectors
from playground.trajectory import Trajectory


@dataclass(frozen=True)
class Jump:
    """x1 = mean1 + std1 F((x0 − mean0) / std0), with the moments of source and target."""

    mlp: Mlp
    weights: Tensor
    moments: Moments

    @classmethod
    def of(cls, network: Network, dim: int, weights: Weights) -> Self:
        """The map that a snapshot's weights hold. Raises ValueError where they are those of another network."""
        mlp = network.build(dim, dim, timed=False, features=True)
        if len(weights["map"]) != mlp.size or len(weights["moments"]) != 2 * dim + 2:
            raise ValueError("these are the weights of another network.")
        return cls(mlp, weights["map"], Moments.unpacked(weights["moments"]))

    @torch.no_grad()
    def end(self, x0: Tensor) -> Tensor:
        """Where source points x0 (n, d) land: (n, d)."""
        inside = (x0 - self.moments.mean0) / self.moments.std0
        return self.moments.mean1 + self.moments.std1 * self.mlp(self.weights, inside)

    def trajectory(self, x0: Tensor, sampler: Sampler, seed: int = 0) -> Trajectory:
        """The two states of one jump from the source points x0 (n, d); there is nothing for a sampler to do."""
        return Trajectory(t=torch.tensor([0.0, 1.0], dtype=torch.float64), x=torch.stack([x0, self.end(x0)]), nfe=1)

    def describe(self) -> dict[str, Any]:
        """The network and its scaling, as the browser reads a map."""
        dim, m = self.mlp.outputs, self.moments
        inside, outside = (
            {"mean": mean.tolist(), "std": [std] * dim} for mean, std in ((m.mean0, m.std0), (m.mean1, m.std1))
        )
        return {
            "map": {"network": "map", "latent": dim, "dim": dim, "inside": inside, "outside": outside},
            "networks": {"map": self.mlp.describe()},
            "dim": dim,
        }


def one_step(timed: Mlp, weights: Tensor, untimed: Mlp) -> Tensor:
    """The weights (untimed.size,) with which a network without a time says what a timed one says at t = 0.

    The columns of its first layer that read the time are added to the biases; those that read Fourier features, which
    the map sees undamped, take over the damping of pure noise.
    """
    if isinstance(timed, FilmMlp):
        nothing = weights.new_zeros(1, timed.inputs), weights.new_zeros(1, 1), weights.new_zeros(1, timed.condition_dim)
        plain = replace(untimed, widths=timed.widths)
        weights = timed.at(weights, timed.inputs_at(*nothing)[:, timed.own :])
        (matrix, bias), *rest = plain.layers(weights)
    else:
        (matrix, bias), *rest = timed.layers(weights)
        at_start = timed.time_features(torch.zeros(1, 1, dtype=weights.dtype, device=weights.device))[0]
        bias = bias + matrix[:, timed.own : timed.own + len(at_start)] @ at_start
    omega = wave_vectors(timed.inputs, timed.waves, timed.finest).to(matrix)
    damping = torch.exp(-0.5 * omega.square().sum(0))
    own = matrix[:, : timed.own] * torch.cat([damping.new_ones(timed.inputs), damping, damping])
    found = torch.cat([own.flatten(), bias, *(part.flatten() for layer in rest for part in layer)])
    assert len(found) == untimed.size, "the two differ in the time alone"
    return found
