"""The pairs of an experiment's coupling on the points that are shown, and what every coupling would make of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from playground.choice import kinds
from playground.dynamics.coupling_figures import coupling_figures
from playground.dynamics.couplings import (
    AnyCoupling,
    BatchCoupling,
    ClassOptimalTransportCoupling,
    Coupling,
    IndependentCoupling,
)
from playground.engine.record import RunRecord
from playground.experiment import Experiment
from playground.models.base import HasCoupling, HasPath, Model, seeded


def pairing(experiment: Experiment, n: int, *, every: bool = False) -> dict[str, Any]:
    """Pairs the n start points of a run with its n real points as the experiment's coupling does.

    partners: for each start point the row of the real point that it goes to; couplings: the chosen one and the
    independent one, or with `every` one of each kind that makes sense here, as {kind, label, chosen, together, cost,
    variance, class_shift}, in squared units of the data (see dynamics.coupling_figures). The others pair as many
    points at a time as the chosen one. Without classes class_shift is None, and no coupling keeps to them. Raises
    ValueError for a model that pairs no points.
    """
    chosen = coupling_of(experiment.model)
    if chosen is None or not isinstance(experiment.model, HasPath):
        raise ValueError(f"{experiment.model.label()} pairs no points of the source with points of the target.")
    path, run = experiment.model.path, RunRecord(experiment)
    target = experiment.target.at(run.dim)
    x0, (x1, labels) = run.starts(n), target.draw(n, seeded(0, 12))
    classes = labels if target.classes > 1 else None
    rows, partners = [], torch.arange(n)
    for kind in kinds(AnyCoupling):
        needless = kind is not IndependentCoupling and not every
        if kind is not type(chosen) and (needless or (kind is ClassOptimalTransportCoupling and classes is None)):
            continue
        coupling = (chosen if kind is type(chosen) else _like(kind, chosen)).settled(path)
        found = partners_of(coupling, x0, x1, labels)
        if kind is type(chosen):
            partners = found
        figures = coupling_figures(x0, x1[found], None if classes is None else classes[found])
        about = {"kind": coupling.kind_name(), "label": coupling.label(), "together": coupling.together}
        rows.append(about | {"chosen": kind is type(chosen)} | asdict(figures))
    return {"points": n, "classes": target.classes, "partners": partners.tolist(), "couplings": rows}


def coupling_of(model: Model) -> Coupling | None:
    """How a model pairs points of the source with points of the target; None where it does not.

    Along a path without a choice of couplings, such as diffusion's or the exact field's, pairs are independent.
    """
    if isinstance(model, HasCoupling):
        return model.coupling
    return IndependentCoupling() if isinstance(model, HasPath) else None


def partners_of(coupling: Coupling, x0: Tensor, x1: Tensor, labels: Tensor) -> Tensor:
    """For each source point of x0 (n, d) the row of x1 (n, d) that it goes to: (n,), a batch after the other."""
    n, generator = len(x0), seeded(0, 15)
    if coupling.together is None:
        return coupling.partners(x0, x1, generator, labels)
    found, at = [], 0
    for rows in torch.arange(n).chunk(-(-n // coupling.together)):
        found.append(at + coupling.partners(x0[rows], x1[rows], generator, labels[rows]))
        at += len(rows)
    return torch.cat(found)


def _like(kind: type[Any], chosen: Coupling) -> Coupling:
    """A coupling of another kind that pairs as many points at a time, where both do that."""
    together = issubclass(kind, BatchCoupling) and isinstance(chosen, BatchCoupling)
    made: Coupling = kind(batch=chosen.batch) if together and isinstance(chosen, BatchCoupling) else kind()
    return made
