"""What a training on the page would take: weights, and what a step costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from playground.choice import InvalidExperiment
from playground.experiment import Experiment

BYTES_A_SECOND = 1_000_000
"""The most that one visitor's training streams; larger networks are shown less often."""
BYTES_A_WEIGHT = 4 * 4 / 3
"""A float32 in base64."""


def weights_of(experiment: Experiment) -> int:
    """How many weights the experiment trains."""
    encoder = experiment.encoder
    return experiment.model.weight_count(experiment.network, experiment.dim, encoder.width if encoder else 0)


def streamed_of(experiment: Experiment) -> int:
    """About how many weights a snapshot of the experiment carries to the page."""
    encoder = experiment.encoder
    network = experiment.model.suited(experiment.network)
    one = network.build(experiment.dim, experiment.dim, condition_dim=encoder.width if encoder else 0).size
    return one * experiment.model.networks


def seconds_between(experiments: Sequence[Experiment], least: float) -> float:
    """Seconds between two snapshots of one of these trainings: as many as their weights need, and `least` of all."""
    sent = sum(streamed_of(one) for one in experiments) * BYTES_A_WEIGHT
    return max(least, sent / BYTES_A_SECOND / len(experiments))


def cost(given: Any) -> dict[str, Any] | None:
    """What the form says before Train: {"weights", "rounds", "step": {"overhead", "passes"} or None}.

    None for an experiment that is not valid.
    """
    try:
        experiment = Experiment.parse(given)
    except InvalidExperiment:
        return None
    step = experiment.model.step_cost
    return {
        "weights": weights_of(experiment),
        "rounds": experiment.model.round_count,
        "step": step and {"overhead": step.overhead, "passes": step.passes},
    }
