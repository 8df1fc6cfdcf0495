"""A mixture of Gaussians that stands for a distribution of which there are only samples."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from playground.dynamics.exact import Normals

ROUNDS = 8
"""Rounds of Lloyd's iteration: its cells hardly move after that."""
FEWEST = 4
"""Points that a cell needs to have a covariance of its own."""


def fitted(points: Tensor, components: int, generator: Generator) -> Normals:
    """At most so many Gaussians, one for each cell of k-means: with the weight, mean and covariance of its points.

    points: (n, d), many times as many as components. Cells of even density turn into overlapping bells, so that the
    mixture has the points' own moments, and follows their density down to the size of a cell. Cells that hold next to
    nothing are left out.
    """
    x = points.double()
    centers = x[torch.randperm(len(x), generator=generator)[:components]]
    for _ in range(ROUNDS):
        cell = _nearest(x, centers)
        count = cell.bincount(minlength=len(centers))
        sums = torch.zeros_like(centers).index_add_(0, cell, x)
        centers = torch.where(count[:, None] > 0, sums / count.clamp(min=1)[:, None], centers)
    cell = _nearest(x, centers)
    count = cell.bincount(minlength=len(centers)).double()
    means = torch.zeros_like(centers).index_add_(0, cell, x) / count.clamp(min=1)[:, None]
    off = x - means[cell]
    squares = torch.zeros(len(centers), x.shape[1] ** 2, dtype=x.dtype)
    squares.index_add_(0, cell, (off[:, :, None] * off[:, None, :]).flatten(1))
    kept = count >= FEWEST
    least = 1e-6 * x.var(0).mean() * torch.eye(x.shape[1], dtype=x.dtype)
    covariances = squares.view(-1, *least.shape)[kept] / count[kept, None, None] + least
    return Normals(means[kept], covariances, count[kept] / count[kept].sum())


def _nearest(x: Tensor, centers: Tensor) -> Tensor:
    """The row of the nearest centre for each of x (n, d): (n,)."""
    sites = centers.float()
    heights = sites.square().sum(1)
    blocks = torch.split(x.float(), 4096)
    return torch.cat([torch.addmm(heights, block, sites.T, alpha=-2).argmin(1) for block in blocks])
