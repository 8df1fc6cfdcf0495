"""The Gaussian mixture: the oldest family here, fitted by expectation–maximisation or by gradient."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from playground.distributions.base import Distribution
from playground.dynamics.exact import Normals
from playground.dynamics.solvers import Sampler
from playground.models.base import TARGET, Learner, Model, Optimisation, StepCost, Task, Weights, seeded
from playground.models.contracts import Shapes
from playground.models.mixture.fit import EM, POINTS, Splats, first_centers
from playground.networks import Network
from playground.trajectory import Trajectory

SHAPES = {"full": "full", "diagonal": "diag", "round": "spherical", "tied": "tied"}


class GaussianMixtureModel(Model):
    """A weighted sum of Gaussians: no network, an exact density, and samples in one move."""

    title: ClassVar[str] = "Gaussian mixture"
    about: ClassVar[str] = (
        "A weighted sum of Gaussians, with no network. A sample picks one by its weight and then a point of it; the "
        "likelihood is exact. It is what every other family has to beat on simple data."
    )
    formula: ClassVar[str] = r"""
        p(x) = \sum_k w_k \, \mathcal{N}(x; c_k, S_k)
        r_{ik} \propto w_k \, \mathcal{N}(x_i; c_k, S_k) \quad \mathcal{L} = -\mathbb{E}_x \log p(x)
    """
    look_for: ClassVar[str] = (
        "Ellipses that share the points among them: some grow, some shrink, each iteration surely better than the one "
        "before. Scrub the training: every iteration is a frame."
    )
    loss_is: ClassVar[str] = "negative log-likelihood (nats)"
    try_this: ClassVar[str] = (
        "Set Components to 8 and First centres to random on the ring, and re-roll the seed until two ellipses share a "
        "cloud and one covers two: a local optimum. Then fit the same by gradient."
    )
    kind: Literal["mixture"] = "mixture"
    own_latent: ClassVar[bool] = True
    has_network: ClassVar[bool] = False
    components: int = Field(
        16,
        ge=1,
        le=64,
        title="Components",
        description="How many Gaussians there are.",
        json_schema_extra={"scale": "log2"},
    )
    fit: Literal["em", "gradient"] = Field(
        "em",
        title="Fitted by",
        description="em: expectation–maximisation, sure iterations over many points; gradient: descent on the same "
        "likelihood a batch at a time, each Gaussian a splat with a centre, a rotation and its scales.",
        json_schema_extra={"labels": {"em": "expectation–maximisation", "gradient": "gradient (splats)"}},
    )
    shape: Literal["full", "diagonal", "round", "tied"] = Field(
        "full",
        title="Covariance",
        description="full: any ellipses; diagonal: along the axes; round: circles; tied: one ellipse for all.",
    )
    start: Literal["spread", "random"] = Field(
        "spread",
        title="First centres",
        description="spread: data points far from one another (k-means++); random: any data points, from which a fit "
        "may end in a poorer optimum.",
    )
    iterations: int = Field(
        40,
        ge=1,
        le=500,
        title="Iterations",
        description="How often expectation–maximisation goes through all points; a gradient fit has Steps.",
        json_schema_extra={"scale": "log"},
    )

    narrowest: float = Field(
        0.01,
        ge=1e-4,
        le=0.5,
        title="Floor of width",
        description="No Gaussian gets narrower than this, in standard deviations of the data: without a floor one that "
        "falls onto a single point has an infinite likelihood there.",
        json_schema_extra={"scale": "log", "advanced": True},
    )

    def check(self, source: Distribution, target: Distribution, optimisation: Optimisation) -> None:
        if optimisation.points is not None and optimisation.points < self.components:
            raise ValueError(
                f"{self.components} components need at least as many training points, not {optimisation.points}; "
                "choose fewer components or more points."
            )

    def weight_count(self, network: Network, dim: int, condition_dim: int = 0) -> int:
        """The free numbers of the mixture: its shares, which add up to 1, its centres and its covariances."""
        count, whole = self.components, dim * (dim + 1) // 2
        covariances = {"full": count * whole, "diagonal": count * dim, "round": count, "tied": whole}[self.shape]
        return count - 1 + count * dim + covariances

    @property
    def step_cost(self) -> StepCost | None:
        return None if self.fit == "em" else StepCost(590, 0)

    def starts(self, source: Distribution, dim: int, n: int, generator: Generator) -> Tensor:
        """Latent points (n, d + 1): d standard normal numbers, and a uniform one, which chooses the component."""
        chance: dict[str, Any] = {"generator": generator, "device": generator.device}
        return torch.cat([torch.randn(n, dim, **chance), torch.rand(n, 1, **chance)], dim=1)

    def rounds(self, task: Task) -> Iterator[Learner]:
        shape, generator = SHAPES[self.shape], seeded(task.seed, 3)
        pool = task.pool(task.target, TARGET)
        points = pool.points[:POINTS].cpu()
        centers = first_centers(points, self.components, self.start, generator)
        if self.fit == "em":
            yield EM(points, centers, shape, self.iterations, self.narrowest)
        else:
            yield Splats(pool, centers, shape, task.optimisation, self.narrowest)

    def trained(
        self, weights: Weights, network: Network, dim: int, source: Distribution | None = None
    ) -> FittedMixture:
        centers, covariances = weights["centers"].double(), weights["covariances"].double()
        if centers.shape[1:] != (dim,) or covariances.shape != (len(centers), dim, dim):
            raise ValueError("these are the weights of another model.")
        shares = weights["shares"].double()
        return FittedMixture(Normals(centers, covariances, shares / shares.sum()))


@dataclass(frozen=True)
class FittedMixture:
    """Σ_k w_k N(x; c_k, S_k)."""

    normals: Normals

    def log_prob(self, x: Tensor) -> Tensor:
        """The log-density in nats at x (n, d): (n,)."""
        root = torch.linalg.cholesky(self.normals.covariances)
        constant = root.diagonal(dim1=1, dim2=2).log().sum(1) + 0.5 * x.shape[1] * math.log(2 * math.pi)
        apart = (x.double()[:, None] - self.normals.centers).movedim(0, 2)
        white = torch.linalg.solve_triangular(root, apart, upper=False)
        return torch.logsumexp(self.normals.weights.log() - constant - 0.5 * white.square().sum(1).t(), 1).to(x)

    def trajectory(self, x0: Tensor, sampler: Sampler, seed: int = 0) -> Trajectory:
        """Latent points (z, u) (n, d + 1) to x = c_k + L_k z, S_k = L_k L_kᵀ, where u chooses k by its weight."""
        chosen = torch.searchsorted(self.normals.weights.cumsum(0)[:-1], x0[:, -1].double(), right=True)
        root = torch.linalg.cholesky(self.normals.covariances)[chosen]
        z = x0[:, :-1]
        end = self.normals.centers[chosen] + torch.einsum("nij,nj->ni", root, z.double())
        return Trajectory(torch.tensor([0.0, 1.0], dtype=torch.float64), torch.stack([z, end.to(z)]), nfe=1, latent=x0)

    def shapes(self) -> Shapes:
        """The Gaussians as ellipses."""
        if self.normals.centers.shape[1] != 2:
            return Shapes()
        roots = torch.linalg.cholesky(self.normals.covariances)
        return Shapes(ellipses=tuple(zip(self.normals.centers, roots, self.normals.weights.tolist(), strict=True)))

    def describe(self) -> dict[str, Any] | None:
        """Samples are computed here."""
        return None
