"""What guidance makes of a conditional run: figures of its classes at several strengths."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from playground.dynamics.solvers import Heun, Sampler
from playground.engine.record import RunRecord
from playground.metrics.classes import class_figures, overall
from playground.models.contracts import HasCondition, HasField

STRENGTHS = (0.0, 1.0, 2.0, 4.0)
STEPS = 25
"""Steps of Heun's method, whatever the run's sampler: with few, guided fields are solved badly."""


def guidance_figures(run: RunRecord, n: int = 2000, round: int = -1) -> dict[str, Any] | None:
    """For each strength w the mean figures of n points under their classes, and under "classes" those of each.

    {"0": …, "1": {"nfe", "in_class", "high_quality", "coverage", "spread", "classes": [{"label", …}, …]}, …}, of a
    network that was never without its condition only at 1. None where there are no classes, or no field.
    """
    encoder, model, labels = run.experiment.encoder, run.trained(round), run.conditions(n)
    if encoder is None or encoder.kind != "labels" or labels is None:
        return None
    if not isinstance(model, HasCondition) or not isinstance(model, HasField):
        return None
    real, real_labels = run.labelled(n)
    modes = encoder.target.separate_modes()
    found = {}
    for w in STRENGTHS if encoder.guidable else (1.0,):
        sampler = Sampler(solver=Heun(), steps=STEPS, guidance=w)
        moved = model.given(labels).trajectory(run.starts(n), sampler)
        each = class_figures(moved.end, labels, real, real_labels, modes)
        classes = [{"label": label, **asdict(one)} for label, one in each.items()]
        found[f"{w:g}"] = {"nfe": moved.nfe, **asdict(overall(each, labels)), "classes": classes}
    return found
