"""Couplings: which source point goes with which target point."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from playground.choice import FROM_NAME, Choice
from playground.distributions.base import Distribution
from playground.dynamics.path import Path
from playground.dynamics.transport_plan import LEAST_EPSILON, assignment, sinkhorn, squared_distances

DEFAULT_EPSILON = 0.5


class Coupling(Choice):
    """A joint distribution of (x0, x1) whose marginals are the source and the target."""

    keeps: ClassVar[tuple[str, ...]] = ()
    """The conditions on x1 ("labels", "angle") that it keeps independent of x0, so that each starts from the source."""

    @property
    def together(self) -> int | None:
        """How many points are paired with one another at a time; None where each pair is drawn alone."""
        return None

    @property
    def uses(self) -> int:
        """How often a pair serves in training on average, so that pairing costs less than half of the steps."""
        return 1

    @abstractmethod
    def partners(self, x0: Tensor, x1: Tensor, generator: Generator, labels: Tensor | None = None) -> Tensor:
        """For each source point of x0 (n, d) the row of the target points x1 (n, d) that it goes to: (n,).

        labels (n,) are the classes of x1, where it has any.
        """

    def pair(self, x0: Tensor, x1: Tensor, generator: Generator, labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Pairs a batch of source points x0 (n, d) with one of target points x1 (n, d), row by row."""
        return x0, x1[self.partners(x0, x1, generator, labels)]

    def settled(self, path: Path) -> Coupling:
        """This coupling with whatever it leaves to the path."""
        return self


class IndependentCoupling(Coupling):
    """Every source point may go to every target point: pairs are drawn at random."""

    keeps: ClassVar[tuple[str, ...]] = ("labels", "angle")
    kind: Literal["independent"] = "independent"

    def partners(self, x0: Tensor, x1: Tensor, generator: Generator, labels: Tensor | None = None) -> Tensor:
        return torch.arange(len(x0), device=x1.device)

    def pair(self, x0: Tensor, x1: Tensor, generator: Generator, labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return x0, x1


class BatchCoupling(Coupling):
    """A coupling that pairs a batch of points of each side with one another."""

    batch: int = Field(
        256,
        ge=2,
        le=1024,
        title="Paired together",
        description="How many points of each side are paired with one another at a time. The more, the nearer to the "
        "transport between the distributions themselves, and the more often each pair has to serve.",
        json_schema_extra={"scale": "log2", "advanced": True},
    )

    @property
    def together(self) -> int:
        return self.batch

    @property
    def uses(self) -> int:
        # An assignment of 256 points takes 6 ms, which is 23 µs a pair and 0.4 µs for each of 56 uses; a step at batch
        # 256 takes 1.2 µs a pair. The time grows as n^2.6, and with few points it is all overhead.
        return max(14, 56 * self.batch**2 // 256**2)


class OptimalTransportCoupling(BatchCoupling):
    """Minibatch optimal transport: pairs as near to each other as the batch allows.

    Exact, by assignment (OT-CFM, Tong et al. 2024; Pooladian et al. 2023). Paths hardly cross, so that the flow
    is straighter and cheaper. It does not look at classes.
    """

    kind: Literal["optimal_transport"] = "optimal_transport"
    title: ClassVar[str] = "Optimal transport"

    def partners(self, x0: Tensor, x1: Tensor, generator: Generator, labels: Tensor | None = None) -> Tensor:
        return assignment(x0, x1).to(x1.device)


class SinkhornCoupling(BatchCoupling):
    """Entropic optimal transport: anything between the independent coupling and the optimal one, as ε says.

    For each source point a partner is drawn from its row of Sinkhorn's plan for the cost |x0 − x1|² (Cuturi 2013). With
    ε = 2σ² under Brownian bridges of deviation σ it gives Schrödinger's bridge ([SF]²M, Tong et al. 2024).
    """

    kind: Literal["sinkhorn"] = "sinkhorn"
    title: ClassVar[str] = "Entropic optimal transport"
    epsilon: float | None = Field(
        None,
        ge=1e-4,
        le=1000,
        title="ε",
        description="How much chance there is in the pairing, in squared units of the data; left out it is 2σ² for a "
        f"Brownian bridge, and {DEFAULT_EPSILON} for any other path.",
        json_schema_extra={"scale": "log", "none": "from the path"},
    )

    def settled(self, path: Path) -> Coupling:
        if self.epsilon is not None:
            return self
        epsilon = DEFAULT_EPSILON if path.brownian is None else 2 * path.brownian**2
        return self.model_copy(update={"epsilon": epsilon})

    def remark(self, source: Distribution, target: Distribution) -> str | None:
        """What is to be said where ε is too small for these distributions; None where it is not."""
        generator = Generator().manual_seed(0)
        costs = squared_distances(source.sample(self.batch, generator), target.sample(self.batch, generator))
        asked, used = self._epsilons(costs)
        if asked == used:
            return None
        return (
            f"ε = {asked:.3g} is too small for Sinkhorn's iterations to settle; {used:.2g} is used instead. "
            "Choose at least that, or the coupling optimal_transport, which is the limit of ε = 0."
        )

    def partners(self, x0: Tensor, x1: Tensor, generator: Generator, labels: Tensor | None = None) -> Tensor:
        costs = squared_distances(x0, x1)
        upper_ends = sinkhorn(costs, self._epsilons(costs)[1]).cumsum(1)
        u = torch.rand(len(x0), 1, generator=generator, device=generator.device).cpu().double() * upper_ends[:, -1:]
        return torch.searchsorted(upper_ends, u)[:, 0].clamp(max=len(x1) - 1).to(x1.device)

    def _epsilons(self, costs: Tensor) -> tuple[float, float]:
        """The ε that is asked for, and the one that is used with these costs, which may be larger."""
        asked = DEFAULT_EPSILON if self.epsilon is None else self.epsilon
        return asked, max(asked, LEAST_EPSILON * float(costs.mean()))


class ClassOptimalTransportCoupling(BatchCoupling):
    """Optimal transport within each class of the target, so that every class starts from the whole source.

    Plain optimal transport gives each class its own part of the source, and a model that is told the class then starts
    it from the wrong points (C²OT for discrete conditions, Cheng and Schwing 2025).
    """

    keeps: ClassVar[tuple[str, ...]] = ("labels",)
    kind: Literal["class_optimal_transport"] = "class_optimal_transport"
    title: ClassVar[str] = "Optimal transport within classes"

    def partners(self, x0: Tensor, x1: Tensor, generator: Generator, labels: Tensor | None = None) -> Tensor:
        if labels is None:
            labels = torch.zeros(len(x1), dtype=torch.int64, device=x1.device)
        partner = torch.empty(len(x1), dtype=torch.int64, device=x1.device)
        for label in torch.unique(labels):
            rows = (labels == label).nonzero()[:, 0]
            partner[rows] = rows[assignment(x0[rows], x1[rows]).to(rows.device)]
        return partner


AnyCoupling = Annotated[
    IndependentCoupling | OptimalTransportCoupling | SinkhornCoupling | ClassOptimalTransportCoupling,
    Field(discriminator="kind"),
    FROM_NAME,
]
