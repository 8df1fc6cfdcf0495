"""f-divergences D_f(P ‖ Q) = E_Q[f(p/q)] and their variational form, as an f-GAN plays it.

    D_f(P ‖ Q) ≥ E_P[T(x)] − E_Q[f*(T(x))],    f*(t) = sup_u (u t − f(u)),

with equality at T = f'(p/q) (Nguyen et al. 2010; Nowozin et al. 2016, eq. 4). The critic's raw output v is led into the
domain of f* by an increasing g with T = g(v) (their eq. 6). For most of the divergences g is chosen here so that v is
log p/q where the critic is at its best, and so σ(v) the probability that x is real; `log_ratio` says where.
Compositions f*(g(v)) are written out, since taken one after the other they overflow or cancel.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

DivergenceName = Literal[
    "kl", "reverse_kl", "jensen_shannon", "pearson", "squared_hellinger", "total_variation", "alpha"
]
Elementwise = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Divergence:
    """One f-divergence, each part elementwise on tensors.

    f: of the ratio u ≥ 0, with f(1) = 0. conjugate: f*(t) on its domain. activation: T = g(v) for any v.
    composed: f*(g(v)). log_ratio: whether v = log p/q at the optimum, where T = f'(p/q).
    """

    f: Elementwise
    conjugate: Elementwise
    activation: Elementwise
    composed: Elementwise
    log_ratio: bool = True


def divergence(name: DivergenceName, alpha: float = 0.5) -> Divergence:
    """The divergence of this name; alpha, neither 0 nor 1, is the order of "alpha" alone."""
    return _alpha(alpha) if name == "alpha" else _NAMED[name]


def _alpha(alpha: float) -> Divergence:
    """f(u) = (u^α − 1 − α (u − 1)) / (α (α − 1)), with f* by s = 1 + (α − 1) t > 0, which is u^{α−1} at the optimum.

    s = softplus(v) for α > 1 and softplus(−v) for α < 1, so that T increases with v.
    """
    order, power = alpha * (alpha - 1), alpha / (alpha - 1)
    sign = 1.0 if alpha > 1 else -1.0

    def s(v: Tensor) -> Tensor:
        return F.softplus(sign * v) + 1e-12

    return Divergence(
        f=lambda u: (u**alpha - 1 - alpha * (u - 1)) / order,
        conjugate=lambda t: ((1 + (alpha - 1) * t) ** power - 1) / alpha,
        activation=lambda v: (s(v) - 1) / (alpha - 1),
        composed=lambda v: (s(v) ** power - 1) / alpha,
        log_ratio=False,
    )


_NAMED: dict[DivergenceName, Divergence] = {
    "kl": Divergence(
        f=lambda u: torch.xlogy(u, u),
        conjugate=lambda t: (t - 1).exp(),
        activation=lambda v: 1 + v,
        composed=torch.exp,
    ),
    "reverse_kl": Divergence(
        f=lambda u: -u.log(),
        conjugate=lambda t: -1 - (-t).log(),
        activation=lambda v: -(-v).exp(),
        composed=lambda v: v - 1,
    ),
    "jensen_shannon": Divergence(
        f=lambda u: torch.xlogy(u, u) - (u + 1) * ((u + 1) / 2).log(),
        conjugate=lambda t: -(2 - t.exp()).log(),
        activation=lambda v: math.log(2) - F.softplus(-v),
        composed=lambda v: F.softplus(v) - math.log(2),
    ),
    "squared_hellinger": Divergence(
        f=lambda u: (u.sqrt() - 1).square(),
        conjugate=lambda t: t / (1 - t),
        activation=lambda v: -torch.expm1(-v / 2),
        composed=lambda v: torch.expm1(v / 2),
    ),
    # On all of the line, as in the paper: for T < −2 no ratio is so small, and the quadratic still pulls it back.
    "pearson": Divergence(
        f=lambda u: (u - 1).square(),
        conjugate=lambda t: t + t.square() / 4,
        activation=lambda v: v,
        composed=lambda v: v + v.square() / 4,
        log_ratio=False,
    ),
    "total_variation": Divergence(
        f=lambda u: (u - 1).abs() / 2,
        conjugate=lambda t: t,
        activation=lambda v: torch.tanh(v) / 2,
        composed=lambda v: torch.tanh(v) / 2,
        log_ratio=False,
    ),
}
