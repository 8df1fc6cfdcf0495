"""Memorisation against generalisation: a run that was limited to few training points, on those and on others."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from playground.engine.history import Snapshot
from playground.engine.record import RunRecord
from playground.experiment import Experiment
from playground.metrics import memorisation
from playground.models.base import HasCoupling, seeded
from playground.models.contracts import HasDensity, HasLoss, Trained

PAIRS = 1024
"""Points on which a loss is taken; fewer training points are used several times."""


class Apart(NamedTuple):
    """The same loss, of the same weights with the same chance, on points it was trained on and on others."""

    training: float
    held_out: float


def losses_apart(run: RunRecord, taken: Snapshot | None = None) -> Apart | None:
    """The loss of a snapshot, by default the newest, on training points and on as many that were held out.

    That of a model that offers one (`HasLoss`), else the negative log-likelihood in nats of one that has a density.
    None where training is not limited to some points, the model has neither, is told a condition as well, or a further
    round of training has pairs of its own.
    """
    if run.experiment.training.points is None or not run.rounds or run.experiment.encoder:
        return None
    taken = run.round().last if taken is None else taken
    return _apart(run.with_weights(taken.weights), run.experiment) if taken.round == 0 else None


def _apart(model: Trained, experiment: Experiment) -> Apart | None:
    if isinstance(model, HasLoss):
        values = [model.loss(x0, x1, seed=0) for x0, x1 in _pairs(experiment)]
    elif isinstance(model, HasDensity):
        found = [model.log_prob(x1) for _, x1 in _pairs(experiment)]
        values = [math.nan if each is None else -float(each.mean()) for each in found]
    else:
        return None
    return Apart(*values) if all(map(math.isfinite, values)) else None


@lru_cache(maxsize=16)
def _pairs(experiment: Experiment) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Pairs (x0, x1) of the experiment's coupling whose x1 are training points, and held-out ones, with the same x0."""
    run = RunRecord(experiment)
    points = run.training_points()
    assert points is not None, "asked for where training is limited"
    seen = points.repeat(math.ceil(PAIRS / len(points)), 1)[:PAIRS]
    x0, new = run.starts(PAIRS, seed=1), run.real(PAIRS, seed=1)
    return _paired(experiment, x0, seen), _paired(experiment, x0, new)


def _paired(experiment: Experiment, x0: Tensor, x1: Tensor) -> tuple[Tensor, Tensor]:
    model = experiment.model
    if not isinstance(model, HasCoupling):
        return x0, x1
    settled, generator = model.coupling.settled(model.path), seeded(0, 16)
    size = model.coupling.together or len(x0)
    batches = zip(torch.split(x0, size), torch.split(x1, size), strict=True)
    parts = [settled.pair(a, b, generator) for a, b in batches]
    return torch.cat([a for a, _ in parts]), torch.cat([b for _, b in parts])


def figures(run: RunRecord, samples: Tensor, held_out: Tensor, round: int = -1) -> dict[str, float | None]:
    """What `Run.metrics` says of memorisation: None for each figure that the run does not have.

    training_loss, held_out_loss: see `losses_apart`. nearest, copied and their floors: see metrics.Memorisation.
    """
    points, apart, near = run.training_points(), None, None
    if points is not None:
        apart, near = losses_apart(run, run.round(round).last), memorisation(samples, points, held_out)
    known = {} if near is None else vars(near)
    names = ("nearest", "nearest_floor", "copied", "copied_floor")
    losses = {"training_loss": apart and apart.training, "held_out_loss": apart and apart.held_out}
    return losses | {name: finite(known.get(name)) for name in names}


def finite(value: float | None) -> float | None:
    """The value, or None where it is not a number."""
    return value if value is not None and math.isfinite(value) else None
