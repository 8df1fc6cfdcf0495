"""A run as a record: an experiment, what its training has learnt so far, and samples of that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from torch import Tensor

from playground.choice import InvalidExperiment, Problem, problems_of
from playground.dynamics.solvers import Sampler
from playground.engine.history import History, LossCurve, Snapshot
from playground.experiment import Experiment
from playground.models.base import ConditionalModel, Weights, seeded, training_points
from playground.models.contracts import HasCondition, HasGuide, Trained
from playground.models.flow import NO_GUIDE
from playground.trajectory import Trajectory

MAX_PARTICLES = 100_000
MAX_STATES = 20_000_000
"""Points that a trajectory may keep, over all its states."""


@dataclass
class Round:
    """One round of training: a flow, a reflow, a distillation, ...; steps and seconds as they really were.

    preparing: how many of the seconds went into what the round makes before its first step.
    """

    name: str
    steps: int
    seconds: float = 0.0
    preparing: float = 0.0
    history: History = field(default_factory=History)
    losses: LossCurve = field(default_factory=LossCurve)
    taken: int = 0

    def next_id(self) -> int:
        """The id of the next snapshot."""
        self.taken += 1
        return self.taken - 1

    @property
    def last(self) -> Snapshot:
        """The newest snapshot."""
        return self.history[-1]


@dataclass
class RunRecord:
    """An experiment and what its training has learnt so far; valid at any moment, the middle of training included.

    What measures, draws and keeps a run asks for no more than this; `Run` has these as methods besides.

    failure: a sentence where training had to end early, else None.
    """

    experiment: Experiment
    device: str = "cpu"
    rounds: list[Round] = field(default_factory=list)
    failure: str | None = None

    @property
    def dim(self) -> int:
        """The number of dimensions."""
        return self.experiment.dim

    def trained(self, round: int = -1, snapshot: int | None = None) -> Trained:
        """The model with the weights of a round, by default the last, and of a snapshot's id, by default the newest.

        Raises ValueError before the first snapshot and for a round that is not there, KeyError for a snapshot that
        is no longer kept.
        """
        record = self.round(round)
        chosen = record.last if snapshot is None else record.history.by_id(snapshot)
        return self.with_weights(chosen.weights)

    def with_weights(self, weights: Weights) -> Trained:
        """The model with the weights of any snapshot of this run."""
        model, network = self.experiment.model, self.experiment.network
        source = self.experiment.source.at(self.dim)
        if isinstance(model, ConditionalModel):
            return model.trained(weights, network, self.dim, source, self.experiment.encoder)
        return model.trained(weights, network, self.dim, source)

    def conditions(self, n: int, seed: int = 0) -> Tensor | None:
        """The condition of each of n particles (n,), as often as in the target; None where nothing is told."""
        encoder = self.experiment.encoder
        return None if encoder is None else encoder.draw(n, seeded(seed, 14))

    def conditioned(self, model: Trained, n: int, seed: int = 0) -> Trained:
        """The same model under `conditions`, where it is told any."""
        values = self.conditions(n, seed)
        return model if values is None or not isinstance(model, HasCondition) else model.given(values)

    def round(self, index: int = -1) -> Round:
        """A round that has at least one snapshot. Raises ValueError where there is none of this index."""
        begun = [record for record in self.rounds if len(record.history)]
        if not -len(begun) <= index < len(begun):
            raise ValueError(f"this run has {len(begun)} trained rounds; there is no round {index}.")
        return begun[index]

    def starts(self, n: int, seed: int = 0) -> Tensor:
        """Where n particles start: points of the source (n, d), or of the model's own latent (n, k).

        They are the same for a seed whatever was trained.
        """
        chosen = self.experiment
        return chosen.model.starts(chosen.source.at(self.dim), self.dim, n, seeded(seed, 11))

    def labelled(self, n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
        """The points of `real` (n, d) with their labels (n,)."""
        return self.experiment.aim.draw(n, seeded(seed, 12))

    def real(self, n: int, seed: int = 0) -> Tensor:
        """Points of the target (n, d), the same for a seed whatever was trained."""
        return self.experiment.aim.sample(n, seeded(seed, 12))

    def training_points(self) -> Tensor | None:
        """The points of the target (n, d) that this run was limited to in training; None where there was no limit."""
        training = self.experiment.training
        return training_points(self.experiment.aim, training, training.seed)

    def sample(
        self,
        n: int = 2000,
        steps: int | None = None,
        solver: str | None = None,
        seed: int = 0,
        round: int = -1,
        snapshot: int | None = None,
        label: int | None = None,
        angle: float | None = None,
        guidance: float | None = None,
        **sampling: Any,
    ) -> Trajectory:
        """Draws n samples: the Trajectory from source points to samples.

        steps, solver and guidance, and by name any other field of `Sampler` (grid, autoguidance, guide, guidance_from,
        guidance_to, churn), replace the experiment's own; seed chooses the source points. A conditional run gives every
        class (or angle) as often as the target has it, or only the class `label`, or only the direction `angle`
        in degrees from the target's middle, counted counter-clockwise from the first axis. Raises ValueError with a
        sentence for a value out of bounds.
        """
        if not 1 <= n <= MAX_PARTICLES:
            sentence = f"{n} samples are out of bounds; choose from 1 to {MAX_PARTICLES:,}."
            raise InvalidExperiment([Problem(("n",), sentence)])
        if not 0 <= seed < 2**31:
            raise InvalidExperiment([Problem(("seed",), f"{seed} is out of bounds; choose from 0 to {2**31 - 1}.")])
        replaced = {"steps": steps, "solver": solver, "guidance": guidance, **sampling}
        given = self.experiment.sampler.model_dump() | {k: v for k, v in replaced.items() if v is not None}
        try:
            sampler = Sampler.model_validate(given)
        except ValidationError as error:
            raise InvalidExperiment(problems_of(error, given)) from None
        if n * sampler.steps > MAX_STATES:
            sentence = f"{n:,} samples of {sampler.steps:,} steps are too many to keep; choose fewer of either."
            raise InvalidExperiment([Problem(("n",), sentence)])
        self._check_sampling(sampler)
        model = self._guided(self.trained(round, snapshot), sampler, round, snapshot)
        chosen = self._chosen(label, angle)
        if chosen is not None and isinstance(model, HasCondition):
            model = model.given(chosen)
        else:
            model = self.conditioned(model, n, seed)
        return model.trajectory(self.starts(n, seed), sampler, seed)

    def _check_sampling(self, sampler: Sampler) -> None:
        try:
            self.experiment.check_sampling(sampler)
        except ValueError as error:
            raise InvalidExperiment([Problem(("sampler",), str(error))]) from None

    def _guided(self, model: Trained, sampler: Sampler, round: int, snapshot: int | None) -> Trained:
        """The model with the snapshot that the sampler chooses as its guide, where it asks for one."""
        if sampler.autoguidance == 1 or not isinstance(model, HasGuide):
            return model
        record = self.round(round)
        step = (record.last if snapshot is None else record.history.by_id(snapshot)).step
        earlier = [one for one in record.history if one.step < step]
        if not earlier:
            raise InvalidExperiment([Problem(("autoguidance",), NO_GUIDE)])
        nearest = min(earlier, key=lambda one: abs(one.step - sampler.guide * step))
        return model.guided_by(self.with_weights(nearest.weights))

    def _chosen(self, label: int | None, angle: float | None) -> Tensor | None:
        """The one value (1,) of the condition that is asked for, if any. Raises InvalidExperiment."""
        encoder = self.experiment.encoder
        for name, kind, value in (("label", "labels", label), ("angle", "angle", angle)):
            if value is None:
                continue
            if encoder is None or encoder.kind != kind:
                sentence = f"this run was not told the {name} of its targets; train with condition.{kind} set to true."
                raise InvalidExperiment([Problem((name,), sentence)])
            try:
                return encoder.chosen(value)
            except ValueError as error:
                raise InvalidExperiment([Problem((name,), str(error))]) from None
        return None
