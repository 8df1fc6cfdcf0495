"""Couplings: which source point goes with which target point."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from playground.choice import FROM_NAME, Choice
from playground.dynamics.path import Path
from playground.dynamics.paths import BridgePath
from playground.dynamics.transport_plan import LEAST_EPSILON, assignment, sinkhorn, squared_distances

DEFAULT_EPSILON = 0.5


class Coupling(Choice):
    """A joint distribution of (x0, x1) whose marginals are the source and the target."""

    @property
    def together(self) -> int | None:
        """How many points are paired with one another at a time; None where each pair is drawn alone."""
        return None

    @property
    def uses(self) -> int:
        """How often a pair may serve in training, so that the pairing costs less than half of the steps."""
        return 1

    @abstractmethod
    def pair(
        self, x0: Tensor, x1: Tensor, generator: Generator, labels: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Pairs a batch of source points x0 (n, d) with one of target points x1 (n, d), row by row.

        labels (n,) are the classes of x1 where it has any; they come back in the order of the x1 that comes back.
        """

    def settled(self, path: Path) -> Coupling:
        """This coupling with whatever it left for the path to decide."""
        return self


class IndependentCoupling(Coupling):
    """Every source point may go to every target point: pairs are drawn at random."""

    kind: Literal["independent"] = "independent"

    def pair(
        self, x0: Tensor, x1: Tensor, generator: Generator, labels: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        return x0, x1, labels


def _together(default: int) -> int:
    """The declaration of how many points are paired with one another."""
    number: int = Field(
        default,
        ge=2,
        le=2048,
        title="Paired together",
        description="How many points of each side are paired with one another at a time: the more, the nearer to the "
        "transport between the distributions, and the more often each pair is used.",
        json_schema_extra={"scale": "log2"},
    )
    return number


class OptimalTransportCoupling(Coupling):
    """Minibatch optimal transport: pairs as near to each other as the batch allows.

    Exact, by assignment (OT-CFM: Tong et al. 2024, §3.2; Pooladian et al. 2023). Paths hardly cross, so that the flow
    is straighter and cheaper. It does not look at classes.
    """

    kind: Literal["optimal_transport"] = "optimal_transport"
    title: ClassVar[str] = "Optimal transport"
    points: int = _together(512)

    @property
    def together(self) -> int:
        return self.points

    @property
    def uses(self) -> int:
        return max(1, self.points // 8)

    def pair(
        self, x0: Tensor, x1: Tensor, generator: Generator, labels: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        partner = assignment(x0, x1).to(x1.device)
        return x0, x1[partner], None if labels is None else labels[partner]


class ClassOptimalTransportCoupling(OptimalTransportCoupling):
    """Optimal transport within each class of the target, so that every class starts from the whole source.

    Plain optimal transport gives each class its own part of the source, and a model that is told the class then starts
    it from the wrong points (C²OT, Cheng and Schwing 2025; this is its limit of an infinite price for changing class).
    """

    kind: Literal["class_optimal_transport"] = "class_optimal_transport"  # type: ignore[assignment]  # its own name
    title: ClassVar[str] = "Optimal transport within classes"

    def pair(
        self, x0: Tensor, x1: Tensor, generator: Generator, labels: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        if labels is None:
            return super().pair(x0, x1, generator)
        x1 = x1.clone()
        for label in labels.unique():
            rows = (labels == label).nonzero()[:, 0]
            x1[rows] = x1[rows[assignment(x0[rows], x1[rows]).to(rows.device)]]
        return x0, x1, labels


class SinkhornCoupling(Coupling):
    """Entropic optimal transport: between the independent coupling and the optimal one, as ε says.

    For each source point a partner is drawn from its row of Sinkhorn's plan for the cost |x0 − x1|² (Cuturi 2013). With
    ε = 2σ² under Brownian bridges of deviation σ it gives Schrödinger's bridge ([SF]²M, Tong et al. 2024, prop. 3.3).
    """

    kind: Literal["sinkhorn"] = "sinkhorn"
    title: ClassVar[str] = "Entropic optimal transport"
    epsilon: float | None = Field(
        None,
        ge=1e-4,
        le=1000,
        title="ε",
        description="How much chance there is in the pairing, in squared units of the data; left out it is 2σ² for a "
        f"bridge, and {DEFAULT_EPSILON} for any other path.",
        json_schema_extra={"scale": "log", "none": "from the path"},
    )
    points: int = _together(256)

    @property
    def together(self) -> int:
        return self.points

    @property
    def uses(self) -> int:
        return max(1, self.points // 4)

    def settled(self, path: Path) -> Coupling:
        if self.epsilon is not None:
            return self
        epsilon = 2 * path.sigma**2 if isinstance(path, BridgePath) else DEFAULT_EPSILON
        return self.model_copy(update={"epsilon": epsilon})

    def pair(
        self, x0: Tensor, x1: Tensor, generator: Generator, labels: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        costs = squared_distances(x0, x1)
        asked, least = self.epsilon or DEFAULT_EPSILON, self.least(costs)
        if asked < least:
            warnings.warn(too_small(asked, least), stacklevel=2)
        plan = sinkhorn(costs, max(asked, least))
        upper_ends = plan.cumsum(1)
        u = torch.rand(len(x0), 1, generator=generator, device=generator.device).cpu().double() * upper_ends[:, -1:]
        partner = torch.searchsorted(upper_ends, u)[:, 0].clamp(max=len(x1) - 1).to(x1.device)
        return x0, x1[partner], None if labels is None else labels[partner]

    @staticmethod
    def least(costs: Tensor) -> float:
        """The least ε that is used for a matrix of costs."""
        return LEAST_EPSILON * float(costs.mean())


def too_small(asked: float, least: float) -> str:
    """The warning about an ε below the least one."""
    return (
        f"ε = {asked:.3g} is too small for Sinkhorn's iterations to settle; {least:.3g} is used instead. "
        "Choose at least that, or the coupling optimal_transport, which is the limit of ε = 0."
    )


AnyCoupling = Annotated[
    IndependentCoupling | OptimalTransportCoupling | SinkhornCoupling | ClassOptimalTransportCoupling,
    Field(discriminator="kind"),
    FROM_NAME,
]
