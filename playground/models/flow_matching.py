"""Flow matching: regress a network on the velocity of a probability path.

Lipman et al. 2023, Liu et al. 2023, Albergo and Vanden-Eijnden 2023; the loss is eq. 9 of Lipman et al. for any
coupling and path.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from playground.distributions import Gaussian
from playground.dynamics.couplings import AnyCoupling, IndependentCoupling
from playground.dynamics.parameterization import Moments, ScalingKind, affine
from playground.dynamics.paths import AnyPath, LinearPath, Path
from playground.dynamics.solvers import Sampler
from playground.models.base import SOURCE, TARGET, Learner, Model, Pool, Task, Weights, seeded
from playground.models.learning import Adam, Regression
from playground.networks import Mlp, Network
from playground.trajectory import Trajectory

PREPARED = 8192
"""Examples that are prepared at a time."""


class FlowMatching(Model):
    """Learns the velocity that carries the source to the target along a probability path."""

    kind: Literal["flow_matching"] = "flow_matching"
    path: AnyPath = Field(LinearPath(), title="Path", description="How a point moves from its source to its target.")
    coupling: AnyCoupling = Field(
        IndependentCoupling(), title="Coupling", description="Which source point goes with which target point."
    )

    average_targets: bool = Field(
        True,
        title="Average targets",
        description="Regress on the mean velocity of all targets in the batch that could have led to the same point: "
        "the same field with far less noise. Takes effect for a Gaussian source and independent pairs.",
        json_schema_extra={"advanced": True},
    )

    def rounds(self, task: Task) -> Iterator[Learner]:
        yield FlowLearner("flow", self, task, task.pool(task.source, SOURCE), task.pool(task.target, TARGET))

    def trained(self, weights: Weights, network: Network, dim: int) -> Flow:
        mlp, velocity, moments = network.build(dim, dim), weights["velocity"], weights["moments"]
        if len(velocity) != mlp.size or len(moments) != 2 * dim + 2:
            raise ValueError("these are the weights of another network.")
        return Flow(mlp, velocity, self.path, network.input_scaling, Moments.unpacked(moments))


class FlowLearner:
    """E ‖v(x_t, t) − dx_t/dt‖² over pairs of the coupling and t in [t_min, t_max], in the units of the scaling."""

    def __init__(self, name: str, model: FlowMatching, task: Task, source: Pool, target: Pool) -> None:
        self.name = name
        self._path, self._coupling = model.path, model.coupling
        self._source, self._target = source, target
        self._batch = task.optimisation.batch
        self._scaling = task.network.input_scaling
        self._moments = Moments.of(source.points, target.points)
        self._mlp = task.network.build(task.dim, task.dim)
        weights = self._mlp.initial(seeded(task.seed, 0)).to(task.device)
        self._adam = Adam(weights, task.optimisation)
        self._regression = Regression(self._mlp, weights)
        self._generator = task.generator(3)
        averages = model.average_targets and isinstance(model.coupling, IndependentCoupling)
        self._noise = task.source if averages and isinstance(task.source, Gaussian) else None
        self._batches = self._prepared()

    def step(self, decay: float) -> Tensor:
        loss = self._regression(*next(self._batches))
        self._adam.step(self._regression.gradient, decay)
        return loss

    def _prepared(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches of what the network sees and what it should say, made many at a time: that costs far less."""
        many = max(1, PREPARED // self._batch)
        while True:
            inputs, outputs = self._examples(many)
            yield from zip(inputs.split(self._batch), outputs.split(self._batch), strict=True)

    def _examples(self, batches: int) -> tuple[Tensor, Tensor]:
        """Inputs and wanted outputs of `batches` batches, one after another."""
        n = batches * self._batch
        x0, x1 = self._coupling.pair(self._source.batch(n), self._target.batch(n), self._generator)
        t = self._times(batches)
        xt, velocity = self._path.point(x0, x1, t)
        if self._noise is not None:
            velocity = averaged(velocity, self._noise, self._path, xt, x1, t, self._batch)
        place = affine(self._scaling, self._moments, self._path, t)
        centred = xt - place.center
        wanted = (velocity - place.skip * centred - place.drift) / place.out
        return self._mlp.inputs_at(place.inside * centred, t), wanted

    def _times(self, batches: int) -> Tensor:
        """Times (batches · batch, 1), in each batch one in every equal slice of the interval.

        They are uniform, with less variance than independent draws.
        """
        device = self._generator.device
        offsets = torch.rand(batches, self._batch, generator=self._generator, device=device)
        slices = (torch.arange(self._batch, device=device) + offsets) / self._batch
        slices.clamp_(max=1 - 2**-24)  # the last slice may round up to 1, where no source is left to average over
        return (self._path.t_min + (self._path.t_max - self._path.t_min) * slices).view(-1, 1)

    def weights(self) -> Weights:
        return {"velocity": self._adam.average().cpu(), "moments": self._moments.packed()}


def averaged(velocity: Tensor, source: Gaussian, path: Path, xt: Tensor, x1: Tensor, t: Tensor, batch: int) -> Tensor:
    """The velocity at x_t (n, d), averaged over the targets of its batch by how likely each led to x_t.

    For independent pairs the posterior over which x1 of the batch gave x_t = alpha x1 + sigma x0 is proportional to
    p0((x_t − alpha x1) / sigma), so this is the conditional expectation of dx_t/dt given the batch and x_t: by
    Rao–Blackwell it has the same mean as dx_t/dt, given x_t, and less variance. It is the stable target field of Xu,
    Tong and Jaakkola (2023, eq. 8), drawing the reference batch and x_t together.
    """
    c = path.coefficients(t)
    ratio = c.alpha / c.sigma
    candidates = source.whiten(x1) - source.whiten(torch.zeros_like(x1[:1]))
    point = source.whiten(xt / c.sigma)
    # log p0 of every candidate, up to a constant, as one matrix product: ratio ⟨p, c⟩ − ½ ratio² |c|².
    left = torch.cat([ratio * point, -0.5 * ratio**2], dim=1)
    right = torch.cat([candidates, candidates.square().sum(1, keepdim=True)], dim=1)
    means = torch.empty_like(x1)
    score = x1.new_empty(batch, batch)
    columns = zip(left.split(batch), right.split(batch), x1.split(batch), means.split(batch), strict=True)
    for row, column, targets, mean in columns:
        torch.mm(row, column.t(), out=score)
        torch.softmax(score, 1, out=score)
        torch.mm(score, targets, out=mean)
    return velocity + (c.d_alpha - c.d_sigma * ratio) * (means - x1)


@dataclass(frozen=True)
class Flow:
    """A velocity field read from a network's weights."""

    mlp: Mlp
    weights: Tensor
    path: Path
    scaling: ScalingKind
    moments: Moments

    @torch.no_grad()
    def velocity(self, x: Tensor, t: float) -> Tensor:
        """dx/dt at x (n, d) and the shared time t."""
        time = torch.tensor([[t]], dtype=x.dtype)
        place = affine(self.scaling, self.moments, self.path, time)
        centred = x - place.center
        output = self.mlp(self.weights, place.inside * centred, time)
        return place.skip * centred + place.drift + place.out * output

    def trajectory(self, x0: Tensor, sampler: Sampler) -> Trajectory:
        """Integrates the field from the source points x0 (n, d)."""
        return sampler.integrate(self.velocity, self.path.start(x0), self.path.t_min, self.path.t_max)

    def describe(self) -> dict[str, Any]:
        """The network, its scaling and the path as the browser reads them."""
        return {
            "networks": {"velocity": self.mlp.describe()},
            "dim": self.mlp.outputs,
            "frequencies": self.mlp.frequencies,
            "prediction": "velocity",
            "scaling": {"kind": self.scaling, **self.moments.describe()},
            "path": self.path.describe(),
        }
