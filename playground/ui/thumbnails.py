"""Thumbnails of distributions, made from their own samples."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Generator, Tensor

from playground.choice import Choice
from playground.distributions import Distribution

POINTS = 250
"""How many points a thumbnail is drawn with, fewer where some lie far out."""

_MANY = 4000
"""Points from which the frame, and on a line the density, is judged."""


@lru_cache(maxsize=256)
def thumbnail(choice: Choice) -> list[list[float]] | None:
    """At most POINTS points (x, y) in [−1, 1]², y upwards, of a distribution; None for any other choice.

    They are its own samples, the same every time, in a square frame around nearly all of them. One that is open in
    its dimension is drawn in 2-D, and of three axes the first two are. On a line the points fill the area under its
    density.
    """
    if not isinstance(choice, Distribution):
        return None
    settled = choice if choice.dim else choice.at(2)
    generator = Generator().manual_seed(0)
    many = settled.sample(_MANY, generator)[:, :2]
    if settled.dim == 1:
        line = _framed(many)
        points = torch.cat([line, 1.6 * _height(line[:, 0]) * torch.rand(len(line), 1, generator=generator) - 0.8], 1)
    else:
        points = _framed(many)
    return [[round(x, 2) for x in point] for point in points[:POINTS].tolist()]


def _framed(x: Tensor) -> Tensor:
    """The points x (n, d) moved and scaled alike on all axes into [−1, 1]^d, without those that lie far out."""
    low, high = x.quantile(torch.tensor([0.01, 0.99]), dim=0)
    margin = 0.06 * (high - low)
    low, high = torch.maximum(low - margin, x.amin(0)), torch.minimum(high + margin, x.amax(0))
    framed = (2 * x - low - high) / (1.03 * (high - low).max())
    return framed[(framed.abs() <= 1).all(1)]


def _height(x: Tensor) -> Tensor:
    """The density at each of the points x (n,) on a line, as a share of its peak: (n, 1)."""
    bins = torch.bucketize(x, torch.linspace(-1, 1, 65)[1:-1])
    count = bins.bincount(minlength=64)
    return (count / count.max())[bins, None]
