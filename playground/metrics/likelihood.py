"""Likelihood of held-out points under a model, and what it lacks to the target's own."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Likelihood:
    """Negative log-likelihood in nats, lower is better; its least possible mean is the target's entropy.

    nll: the mean over the points inside the model's support; None where there is none.
    outside: the share of the points to which the model gives no density at all. Where it is not 0 the mean over
        all points is infinite, so nll is never to be shown without it.
    unsolved: the share whose density could not be computed; neither figure counts them.
    """

    nll: float | None
    outside: float
    unsolved: float = 0.0


def nll(log_prob: Tensor) -> Likelihood:
    """Mean negative log-likelihood from log-densities in nats (n,).

    −inf stands for outside the support, NaN for not solved. Raises ValueError where log_prob is not (n,) with n ≥ 1,
    or holds +inf.
    """
    if log_prob.ndim != 1 or not len(log_prob):
        raise ValueError(f"log-densities of shape {tuple(log_prob.shape)} are not one for each of n points.")
    if bool(log_prob.isposinf().any()):
        raise ValueError("a log-density is +inf; no model of points has that.")
    known = log_prob.detach().cpu().double()
    known = known[~known.isnan()]
    inside = known[known.isfinite()]
    return Likelihood(
        nll=-float(inside.mean()) if len(inside) else None,
        outside=1 - len(inside) / len(known) if len(known) else 0.0,
        unsolved=1 - len(known) / len(log_prob),
    )


@dataclass(frozen=True)
class Excess:
    """KL(target ‖ model) in nats: what the model's negative log-likelihood lacks to the least possible one.

    value: the mean of log p_true − log p_model over real points, 0 for a perfect model; None where it is infinite,
        since the model gives some of them no density, or where none is known.
    error: the standard error of that mean. A value below 0 by more than a few of these is a fault of a density.
    """

    value: float | None
    error: float | None


def excess(log_true: Tensor, log_model: Tensor) -> Excess:
    """KL(target ‖ model), estimated on real points from both log-densities in nats there, (n,) each.

    Both on the same points: their chance, which is as large as the spread of log p, is then in both and cancels, where
    a mean of −log p_model less the entropy may well fall below 0. Points whose density under the model is NaN, not
    solved, are left out. Raises ValueError where the shapes differ or log_true is not finite, as of points that are not
    the target's.
    """
    if log_true.shape != log_model.shape or log_true.ndim != 1:
        raise ValueError(f"log-densities of shapes {tuple(log_true.shape)} and {tuple(log_model.shape)} are no pairs.")
    log_true, log_model = log_true.detach().cpu().double(), log_model.detach().cpu().double()
    if not log_true.isfinite().all():
        raise ValueError("real points have a density under their target.")
    lacks = (log_true - log_model)[~log_model.isnan()]
    if len(lacks) < 2 or bool(lacks.isinf().any()):
        return Excess(None, None)
    return Excess(float(lacks.mean()), float(lacks.std()) / math.sqrt(len(lacks)))
