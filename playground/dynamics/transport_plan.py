"""Discrete optimal transport between two batches of points: the best assignment, and Sinkhorn's entropic plan."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

INNER = 20
"""Sinkhorn's iterations in plain numbers before their factors are absorbed into the logarithms."""
MOST = 50
"""Times that this is done at most."""
TOLERANCE = 0.01
"""The relative error of the marginals at which a plan is good enough."""


def squared_distances(x0: Tensor, x1: Tensor) -> Tensor:
    """The costs |x0_i − x1_j|² of x0 (n, d) and x1 (m, d): (n, m) float64 on the CPU."""
    x0, x1 = x0.detach().cpu().double(), x1.detach().cpu().double()
    return torch.cdist(x0, x1, compute_mode="donot_use_mm_for_euclid_dist").square()


def assignment(x0: Tensor, x1: Tensor) -> Tensor:
    """The permutation j (n,) that makes Σ_i |x0_i − x1_j(i)|² least, for x0, x1 (n, d); exact.

    In one dimension both are sorted, else it is SciPy's assignment (6, 36 and 230 ms for 256, 512 and 1,024 points in
    the plane).
    """
    if x0.shape[1] == 1:
        order0, order1 = x0[:, 0].cpu().argsort(stable=True), x1[:, 0].cpu().argsort(stable=True)
        return torch.empty_like(order1).scatter_(0, order0, order1)
    from scipy.optimize import linear_sum_assignment

    columns = linear_sum_assignment(squared_distances(x0, x1).numpy())[1]
    return torch.from_numpy(columns.astype(np.int64))


def sinkhorn(costs: Tensor, epsilon: float) -> Tensor:
    """The plan P (n, m) between equal weights that makes Σ P (cost + ε ln P) least, ε in the units of the costs.

    Sinkhorn's iterations with their factors absorbed into logarithms every INNER rounds (Schmitzer 2019, algorithm 2),
    which bears any ε at the speed of a matrix product. The first marginal, 1/n, is exact; the second is within
    TOLERANCE on average where MOST rounds reach it, which they do for ε of at least LEAST_EPSILON mean costs.
    """
    n, m = costs.shape
    log_kernel = costs / -epsilon
    log_v = costs.new_zeros(m)
    for _ in range(MOST):
        plan = torch.softmax(log_kernel + log_v, 1)
        u = costs.new_ones(n)
        for _ in range(INNER):
            v = (n / m) / (u @ plan)
            u = 1 / (plan @ v)
        plan = u[:, None] * plan * v
        log_v = log_v + v.log()
        if float((plan.sum(0) * (m / n) - 1).abs().mean()) < TOLERANCE:
            break
    return plan / n


LEAST_EPSILON = 0.01
"""The least ε, in mean costs, for which Sinkhorn's iterations settle in the time that there is."""
