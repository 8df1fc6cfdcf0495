"""Log-densities of a trained model for the stage: over the picture, of real points, and along the way of a probe."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from playground.distributions.base import Distribution
from playground.dynamics.likelihood import COARSE
from playground.engine import evaluation
from playground.models.contracts import HasDensity, HasMarginals, Trained
from playground.ui import messages
from playground.ui.probing import Patch

SIDE = 48
"""Cells a side of the map in the plane."""
TIMES, HEIGHTS = 24, 72
"""Cells along time and up of the map over space and time."""
REAL = 500
"""Real points whose likelihood is measured."""
MOST_PROBES = 6
UNREADABLE = "this question could not be read; reload the page."
UNKNOWN = "this model has no density that is known."

Figures = dict[str, Any]


def surface(model: Trained, dim: int, given: Figures) -> Figures:
    """Log-densities in nats over {low, high, t}: in 2-D at time t (rows, columns), upwards; in 1-D over all times.

    Raises ValueError with a sentence where there are none.
    """
    patch = Patch.read(given)
    if len(patch.low) != dim:
        raise ValueError(UNREADABLE)
    if dim == 1:
        shares = (torch.arange(TIMES) + 0.5) / TIMES
        columns = [_at(model, patch.centres(HEIGHTS), float(share)) for share in shares]
        return {"values": messages.exact(torch.stack(columns, 1))}
    t = min(1.0, max(0.0, _number(given.get("t"))))
    return {"values": messages.exact(_at(model, patch.centres(SIDE), t).view(SIDE, SIDE)), "t": t}


def likelihood(model: Trained, target: Distribution, real: Tensor) -> Figures:
    """What the model's density makes of real points, see engine.evaluation.likelihood, and the target's entropy."""
    if not isinstance(model, HasDensity) or model.log_prob(real[:1]) is None:
        raise ValueError(UNKNOWN)
    chosen = real[:REAL]
    return {**evaluation.likelihood(model, target, chosen), "entropy": target.entropy(), "points": len(chosen)}


def along(model: Trained, dim: int, given: Figures) -> Figures:
    """The log-densities in nats along the ways of the last few {probes: [{point, t}, ...]}: {ways: [{t, log}, ...]}."""
    if not isinstance(model, HasMarginals) or not model.has_density:
        raise ValueError(UNKNOWN)
    probes = given.get("probes")
    if not isinstance(probes, list) or not all(isinstance(probe, dict) for probe in probes):
        raise ValueError(UNREADABLE)
    ways = []
    for probe in probes[-MOST_PROBES:]:
        x = torch.tensor([_numbers(probe.get("point"), dim)])
        times, found = model.log_prob_through(x, _number(probe.get("t")), COARSE)
        ways.append({"t": times.tolist(), "log": [value if math.isfinite(value) else None for value in found.tolist()]})
    return {"ways": ways}


def _at(model: Trained, x: Tensor, t: float) -> Tensor:
    if isinstance(model, HasMarginals):
        first, last = model.interval
        found = model.log_prob_at(x, min(last, max(first, t)), COARSE)
    else:
        found = model.log_prob(x) if isinstance(model, HasDensity) else None
    if found is None:
        raise ValueError(UNKNOWN)
    return found.detach().float()


def _numbers(given: Any, dim: int) -> list[float]:
    if not isinstance(given, list) or len(given) != dim:
        raise ValueError(UNREADABLE)
    return [_number(one) for one in given]


def _number(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not abs(given) < 1e6:
        raise ValueError(UNREADABLE)
    return float(given)
