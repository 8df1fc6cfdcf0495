"""What every distribution offers; the one idea is that the declaration is the object that samples."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Self

from torch import Generator, Tensor

from playground.choice import Choice


@dataclass(frozen=True)
class Modes:
    """The modes of a distribution that has them, for counting which ones a model reaches.

    centers: (k, d); std: (k,) the standard deviation of each mode, the same along each axis; weights: (k,), summing
    to 1.
    """

    centers: Tensor
    std: Tensor
    weights: Tensor


class Distribution(Choice):
    """A source or a target: points in d dimensions, drawn by a generator that the caller passes."""

    @property
    @abstractmethod
    def dim(self) -> int | None:
        """The number of dimensions, or None where it adapts to its partner until `at` fixes it."""

    def at(self, dim: int) -> Self:
        """This distribution in `dim` dimensions. Raises ValueError where it lives in another number."""
        if self.dim != dim:
            raise ValueError(f"{self.label()} is {self.dim}-dimensional here; choose one of dimension {dim}.")
        return self

    @property
    def classes(self) -> int:
        """How many labels `draw` gives; 1 where the distribution has no parts to tell apart."""
        return 1

    @abstractmethod
    def draw(self, n: int, generator: Generator) -> tuple[Tensor, Tensor]:
        """Draws points with the label (mode, arm, ring, ...) that each came from.

        Returns x (n, d) float32 and labels (n,) int64, both on the generator's device, in random order.
        """

    def sample(self, n: int, generator: Generator) -> Tensor:
        """Draws n points: (n, d) float32 on the generator's device."""
        return self.draw(n, generator)[0]

    def log_prob(self, x: Tensor) -> Tensor | None:
        """Log-density in nats at x (n, d) → (n,), −inf outside the support; None where it is not known."""
        return None

    def entropy(self) -> float | None:
        """Differential entropy in nats, exact or by quadrature; None where the density is not known."""
        return None

    def separate_modes(self) -> Modes | None:
        """The modes, where the distribution is made of separate round ones."""
        return None
