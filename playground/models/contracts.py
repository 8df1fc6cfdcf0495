"""What a trained model offers: a trajectory, and whatever it can do beyond that as small protocols.

Callers ask for these with isinstance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from torch import Tensor

from playground.dynamics.solvers import Sampler
from playground.trajectory import Trajectory


class Trained(Protocol):
    """A model with its weights: it can be asked for samples."""

    def trajectory(self, x0: Tensor, sampler: Sampler, seed: int = 0) -> Trajectory:
        """Carries starting points x0 (n, k) of `Model.starts` to samples (n, d), keeping the states on the way.

        seed: fixes whatever is left to chance after the start; a deterministic model makes no use of it.
        """

    def describe(self) -> dict[str, Any] | None:
        """How another runtime evaluates it from its flat weights; None where it cannot.

        It is then shown by trajectories that are computed here.
        """


@runtime_checkable
class HasField(Trained, Protocol):
    """A trained model that moves particles along a velocity field."""

    def velocity(self, x: Tensor, t: float) -> Tensor:
        """dx/dt at x (n, d) and the shared time t."""


@runtime_checkable
class CarriesPoints(Protocol):
    """A trained model without a field that still carries each point by itself, whatever the others are."""

    carries: ClassVar[Literal[True]]


@runtime_checkable
class HasScore(Protocol):
    """A trained model that knows the score of its marginals."""

    def score(self, x: Tensor, t: float) -> Tensor:
        """∇ log p_t at x (n, d) and the shared time t: (n, d)."""


@runtime_checkable
class HasDensity(Protocol):
    """A trained model whose samples may have a density."""

    def log_prob(self, x: Tensor) -> Tensor | None:
        """The log-density in nats of its samples at x (n, d) → (n,); None where its source has none."""


@dataclass(frozen=True)
class Fact:
    """A figure that only one family has: what it is, its value, its unit and what to read it against."""

    name: str
    value: float
    unit: str = ""
    note: str = ""


@runtime_checkable
class HasFacts(Protocol):
    """A trained model with figures of its own, which are shown and printed beside those that all have."""

    def facts(self, real: Tensor) -> list[Fact]:
        """Its figures, from points of the target (n, d)."""


@runtime_checkable
class HasCritic(Protocol):
    """A trained model with a critic that judges points of the data's space."""

    def critic(self, x: Tensor) -> Tensor:
        """The critic's raw output at x (n, d): (n,); the greater, the more real."""


@runtime_checkable
class HasCondition(Protocol):
    """A trained model that can be told a condition."""

    def given(self, values: Tensor) -> Trained:
        """The same model under one value of the condition (n,) for each particle, or one (1,) for all."""


@runtime_checkable
class HasGuide(Trained, Protocol):
    """A trained model that can be guided by what it was earlier in training."""

    def guided_by(self, earlier: Any) -> Trained:
        """The same model with an earlier one as its guide, which a sampler with autoguidance makes use of."""


@runtime_checkable
class HasLoss(Protocol):
    """A trained model whose loss can be taken on any points, those that it has never seen among them."""

    def loss(self, x0: Tensor, x1: Tensor, seed: int = 0) -> float:
        """The mean loss on target points x1 (n, d), paired with the source points x0 (n, d).

        seed: fixes the times and the noise, so that losses on different points differ by the points alone.
        """


@runtime_checkable
class HasShapes(Protocol):
    """A trained model that is made of parts which can be drawn over its samples, or has told itself a number."""

    def shapes(self) -> Shapes:
        """Its parts in data space; nothing is drawn in other than two dimensions."""


@dataclass(frozen=True)
class Shapes:
    """What is drawn: Gaussians as ellipses, hidden units as lines; and what is told beside it.

    normaliser: the logarithm of the normaliser that was learnt beside an energy, to be compared with the true one.
    ellipses: (centre (2,), root (2, 2) of the covariance, share of the probability) each.
    lines: (normal (2,), offset, pull (2,)) each: a unit is on where normal · x + offset > 0, and pulls points by pull.
    """

    normaliser: float | None = None
    ellipses: tuple[tuple[Tensor, Tensor, float], ...] = ()
    lines: tuple[tuple[Tensor, float, Tensor], ...] = ()


@runtime_checkable
class HasMarginals(Protocol):
    """A trained model whose particles may have a density at every time of its interval."""

    @property
    def interval(self) -> tuple[float, float]:
        """The first and the last time."""

    @property
    def has_density(self) -> bool:
        """Whether they have one: not where the source has none."""

    def log_prob_at(self, x: Tensor, t: float, sampler: Sampler) -> Tensor | None:
        """The log-density in nats of the particles at time t, at x (n, d) → (n,); None without one.

        sampler: the solution along which it is carried from the source.
        """

    def log_prob_through(self, x: Tensor, t: float, sampler: Sampler) -> tuple[Tensor, Tensor]:
        """Times (T,), and log p there (T,) along the way of one particle that is at x (1, d) at time t.

        Raises ValueError without a density.
        """


def density_of(trained: Trained) -> Literal["time", "end"] | None:
    """Whether a trained model has a density at every time, at the end alone, or none."""
    if isinstance(trained, HasMarginals):
        return "time" if trained.has_density else None
    return "end" if isinstance(trained, HasDensity) else None
