"""Couplings: which source point goes with which target point."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Literal

from torch import Generator, Tensor

from playground.choice import FROM_NAME, Choice


class Coupling(Choice):
    """A joint distribution of (x0, x1) whose marginals are the source and the target."""

    @abstractmethod
    def pair(self, x0: Tensor, x1: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """Pairs a batch of source points x0 (n, d) with one of target points x1 (n, d), row by row."""


class IndependentCoupling(Coupling):
    """Every source point may go to every target point: pairs are drawn at random."""

    kind: Literal["independent"] = "independent"

    def pair(self, x0: Tensor, x1: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        return x0, x1


AnyCoupling = Annotated[IndependentCoupling, FROM_NAME]
