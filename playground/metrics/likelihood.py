"""Likelihood of held-out points under a model."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Likelihood:
    """Negative log-likelihood in nats, lower is better; its least possible mean is the target's entropy.

    nll: the mean over the points inside the model's support; None where there is none.
    outside: the share of the points to which the model gives no density at all. Where it is not 0 the mean over
        all points is infinite, so nll is never to be shown without it.
    """

    nll: float | None
    outside: float


def nll(log_prob: Tensor) -> Likelihood:
    """Mean negative log-likelihood from log-densities in nats (n,), −inf standing for outside the support.

    Raises ValueError where log_prob is not (n,) with n ≥ 1, or holds NaN or +inf.
    """
    if log_prob.ndim != 1 or not len(log_prob):
        raise ValueError(f"log-densities of shape {tuple(log_prob.shape)} are not one for each of n points.")
    if bool((log_prob.isnan() | log_prob.isposinf()).any()):
        raise ValueError("a log-density is NaN or +inf; no model of points has that.")
    inside = log_prob.detach().cpu().double()[log_prob.isfinite().cpu()]
    return Likelihood(
        nll=-float(inside.mean()) if len(inside) else None,
        outside=1 - len(inside) / len(log_prob),
    )
