"""What a model family promises: learners that the one training loop drives, and trained things that sample.

A family is a `Model`: a choice that, given a `Task`, yields one `Learner` a round; a learner takes steps and shows its
weights. `trained` turns the weights of any snapshot into something that can be asked for a trajectory, and for what
else `contracts` names.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import torch
from pydantic import Field
from torch import Generator, Tensor

from playground.choice import Choice, Settings
from playground.distributions.base import Distribution
from playground.dynamics.couplings import Coupling
from playground.dynamics.path import Path
from playground.dynamics.solvers import Solver
from playground.models.condition import Condition, ConditionEncoder
from playground.models.contracts import Trained
from playground.networks import ActivationName, Network

Weights = dict[str, Tensor]
"""The flat weight vector of each network, by its name."""

SOURCE, TARGET = 1, 2
"""The random streams that the points of the source and of the target are drawn from."""

POOL = 2**17
"""Points in a pool: so many that a network cannot tell them from fresh ones."""


class Optimisation(Settings):
    """What a learner needs to know of how to train."""

    batch: int = Field(128, ge=1, le=4096, title="Batch", description="Pairs of points in each gradient step.")
    rate: float = Field(
        1e-2,
        gt=0,
        le=1,
        title="Learning rate",
        description="Adam's step size at its peak.",
        json_schema_extra={"scale": "log"},
    )
    ema: float = Field(
        0.999,
        ge=0,
        lt=1,
        title="Weight average",
        description="Decay of the running average of the weights that is shown and sampled; 0 shows the raw weights.",
        json_schema_extra={"advanced": True, "step": 0.001},
    )
    points: int | None = Field(
        None,
        ge=16,
        le=2**16,
        title="Training points",
        description="How many points of the target it may learn from. With few, the model memorises them.",
        json_schema_extra={"advanced": True, "scale": "log2", "none": "unlimited"},
    )


class Pool:
    """Points drawn once, kept on the training device and dealt out in batches, shuffled anew after each pass.

    points: (m, d); labels: (m,) the class of each, or None where there is but one.
    """

    def __init__(self, points: Tensor, generator: Generator, labels: Tensor | None = None) -> None:
        self.points, self.labels = points, labels
        self._generator = generator
        self._at = 0

    def batch(self, n: int) -> Tensor:
        """The next n points (n, d)."""
        return self.labelled(n)[0]

    def labelled(self, n: int) -> tuple[Tensor, Tensor | None]:
        """The next n points (n, d) and their labels (n,)."""
        if n > len(self.points):
            return self._rows(torch.randint(len(self.points), (n,), **self._rng_options))
        if self._at + n > len(self.points):
            self.points, self.labels = self._rows(torch.randperm(len(self.points), **self._rng_options))
            self._at = 0
        self._at += n
        chosen = slice(self._at - n, self._at)
        return self.points[chosen], None if self.labels is None else self.labels[chosen]

    @property
    def _rng_options(self) -> dict[str, Any]:
        return {"generator": self._generator, "device": self._generator.device}

    def _rows(self, order: Tensor) -> tuple[Tensor, Tensor | None]:
        return self.points[order], None if self.labels is None else self.labels[order]


@dataclass(frozen=True)
class Task:
    """One training: the distributions of dimension dim, the network's shape, how to train, where, and the chance.

    `seed` fixes the initial weights, the pools and the batches; each draws from its own stream. `encoder` is how the
    network is told a condition, None where it is told none.
    """

    source: Distribution
    target: Distribution
    dim: int
    network: Network
    optimisation: Optimisation
    seed: int
    device: torch.device
    encoder: ConditionEncoder | None = None

    def generator(self, stream: int) -> Generator:
        """The generator of one of this training's random streams, on the training device."""
        return seeded(self.seed, stream, self.device)

    def pool(self, distribution: Distribution, stream: int, size: int = POOL) -> Pool:
        """A pool of samples on the training device, the same points on every device.

        Of the target it holds the training points and no others, where their number is limited: only the stream
        SOURCE draws from an object that is the target as well without limit.
        """
        limit = self.optimisation.points if distribution is self.target and stream != SOURCE else None
        if limit is None:
            points, labels = distribution.draw(size, seeded(self.seed, stream))
        else:
            points, labels = (part[:limit].clone() for part in distribution.draw(POOL, seeded(self.seed, TARGET)))
        classes = labels.to(self.device) if distribution.classes > 1 else None
        return Pool(points.to(self.device), self.generator(stream), classes)


def training_points(target: Distribution, optimisation: Optimisation, seed: int) -> Tensor | None:
    """The points (n, d) of a target that training is limited to, on the CPU; None where it is not.

    A smaller number gives the first of a larger number's points, and all are among those of an unlimited pool.
    """
    if optimisation.points is None:
        return None
    return target.sample(POOL, seeded(seed, TARGET))[: optimisation.points].clone()


def seeded(seed: int, stream: int, device: torch.device | str = "cpu") -> Generator:
    """A generator for one of the independent streams of a seed."""
    return Generator(device).manual_seed(seed * 1_000_003 + stream)


@dataclass(frozen=True)
class StepCost:
    """What a training step takes on one thread of a processor of 2024, measured at the default batch.

    overhead: microseconds that do not depend on the network; passes: how often all weights are gone through for each
    point, up and down, against once in a regression.
    """

    overhead: float
    passes: float


class Learner(ABC):
    """One round of training, driven a step at a time."""

    name: str
    steps: int | None = None
    """How many steps it takes, 0 where there is nothing to learn; None where the experiment says."""
    each: bool = False
    """Whether every step gives a snapshot, of a learner whose few steps are each worth a look."""

    @property
    def remark(self) -> str | None:
        """A sentence where it goes wrong without failing."""
        return None

    @abstractmethod
    def step(self, decay: float) -> Tensor:
        """One update at `decay` times the peak rate; returns the loss as a scalar tensor, detached."""

    @abstractmethod
    def weights(self) -> Weights:
        """The weights that are shown and sampled, as copies on the CPU, with whatever constants they need."""


@runtime_checkable
class Prepares(Protocol):
    """A learner that has something to make before its first step, such as pairs for a reflow."""

    def prepare(self) -> Iterator[float]:
        """Makes it in pieces of at most a few hundredths of a second, and after each yields the share that is done.

        What `weights` gives does not depend on it.
        """


@runtime_checkable
class Resumes(Protocol):
    """A learner that can go on from the weights of a snapshot."""

    def resume(self, weights: Weights) -> None:
        """Takes these as its own; its optimiser begins anew. Raises ValueError where they do not tell all it needs."""


@runtime_checkable
class HasTurn(Protocol):
    """A learner of two players: `turn` says who of them takes the next step, "both", "critic" or "generator"."""

    turn: str


@runtime_checkable
class HasPath(Protocol):
    """A family whose points travel along a probability path."""

    @property
    def path(self) -> Path:
        """The path from source to target."""


@runtime_checkable
class HasCoupling(HasPath, Protocol):
    """A family that pairs points of the source with points of the target."""

    @property
    def coupling(self) -> Coupling:
        """Which source point goes with which target point."""


class Model(Choice):
    r"""A family of generative models.

    It explains itself by four texts, which the form shows under the family's name (plain English, each one to three
    sentences, no markup): `about`, what it is and how it makes a sample; `formula`, its loss, one formula a line in
    the part of LaTeX that ui/mathml.py reads, as in r"-\log p(x) = ..."; `look_for`, what to watch on the stage;
    `try_this`, one experiment to make, naming the control as the form does.
    """

    about: ClassVar[str] = ""
    formula: ClassVar[str] = ""
    look_for: ClassVar[str] = ""
    try_this: ClassVar[str] = ""
    loss_is: ClassVar[str] = "its objective"
    """What the curve of its loss shows, with its unit."""
    versus: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """A table of this family against others, where it explains itself so: rows of equal length, the first its head."""

    networks: ClassVar[int] = 1
    """About how many networks of the experiment's shape a snapshot carries."""
    default_steps: ClassVar[int] = 4000
    """Training steps where an experiment does not say how many: as many as make it good in a time worth waiting for."""
    own_latent: ClassVar[bool] = False
    """Whether it starts from a latent of its own, so that it makes no use of the source."""

    has_network: ClassVar[bool] = True
    """Whether it makes use of the network that is declared beside it."""

    learns_field: ClassVar[bool] = False
    """Whether it learns the velocity field that its samples follow, which an earlier snapshot can then guide."""

    learns: ClassVar[bool] = True
    """Whether there is anything to train; what learns nothing is shown as soon as it is chosen."""
    has_target: ClassVar[bool] = True
    """Whether it is to reach the target that is declared beside it; else it says itself what it reaches."""

    @property
    def dim(self) -> int | None:
        """The number of dimensions, where the family fixes it."""
        return None

    def reached(self, source: Distribution) -> Distribution:
        """What a family without a target reaches from a settled source, and is measured against."""
        raise NotImplementedError("this family has a target.")

    stand_ins: ClassVar[dict[ActivationName, ActivationName]] = {}
    """Activations whose derivatives are of no use to it, and which takes the place of each."""

    has_features: ClassVar[bool] = False
    """Whether its network gets Fourier features."""

    def suited(self, network: Network) -> Network:
        """The network as the family takes it: with the activation that stands in for its own, where one does."""
        instead = {"activation": self.stand_ins.get(network.activation, network.activation)}
        return network.model_copy(update=instead if self.has_features else instead | {"features": 0})

    def starts(self, source: Distribution, dim: int, n: int, generator: Generator) -> Tensor:
        """Draw n points from which `Trained.trajectory` starts: of the source (n, d), or of an own latent (n, k)."""
        return source.sample(n, generator)

    def weight_count(self, network: Network, dim: int, condition_dim: int = 0) -> int:
        """How many numbers are trained in the first round, with `condition_dim` columns of a condition.

        network: the one that is declared beside it.
        """
        return self.suited(network).build(dim, dim, condition_dim=condition_dim).size

    @property
    def step_cost(self) -> StepCost | None:
        """What a training step takes; None where there are none, or not as many as the training says."""
        return StepCost(77, 1)

    @classmethod
    def sampling_fields(cls) -> frozenset[str]:
        """The fields that matter for sampling alone, so that a change of one needs no new training.

        They are declared with `json_schema_extra={"sampling": True}`.
        """
        extras = {name: info.json_schema_extra for name, info in cls.model_fields.items()}
        return frozenset(name for name, extra in extras.items() if isinstance(extra, dict) and extra.get("sampling"))

    def check(self, source: Distribution, target: Distribution, optimisation: Optimisation) -> None:
        """Raises ValueError with a sentence where it cannot carry this source to this target, trained like this."""

    @property
    def round_count(self) -> int:
        """How many learners `rounds` gives."""
        return 1

    def check_sampler(self, source: Distribution, solver: Solver) -> None:
        """Raises ValueError with a sentence where what it learns from this settled source cannot be sampled so."""

    def remarks(self, source: Distribution, target: Distribution) -> list[str]:
        """Sentences on what is not quite as it was asked for, such as a path that misses its source."""
        return []

    @abstractmethod
    def rounds(self, task: Task) -> Iterator[Learner]:
        """The learners to train one after another; each is asked for when the one before has finished."""

    @abstractmethod
    def trained(self, weights: Weights, network: Network, dim: int, source: Distribution | None = None) -> Trained:
        """What the weights of any snapshot of any round have learnt, given the declaration they came from.

        source: the settled source, without which there is no density, nor a score that rests on it.
        """


class ConditionalModel(Model):
    """A family whose networks can be told a condition, and which then gives what `HasCondition` promises."""

    def check_condition(self, condition: Condition, target: Distribution, optimisation: Optimisation) -> None:
        """Raises ValueError with a sentence where it cannot be told this condition on a settled target."""

    @abstractmethod
    def trained(
        self,
        weights: Weights,
        network: Network,
        dim: int,
        source: Distribution | None = None,
        encoder: ConditionEncoder | None = None,
    ) -> Trained:
        """As of any model; encoder: how the network was told the condition, None where it was told none."""
