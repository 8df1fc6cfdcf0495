"""Chance for stochastic samplers: one Brownian path a particle, the same whatever grid of times it is read on.

The numbers come from a counter-based generator, so that each is a function of (seed, axis, particle, place in time)
alone: particles may be divided between workers, and another runtime finds the same ones
(ui/web/compute/sampling/noise.js).
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Words = npt.NDArray[np.uint32]

CELLS = 128
"""Equal parts of the sampler's interval, over which the increments of the Brownian path are fixed."""
ON_NODE = 1e-9
"""A time so near to a cell's end, in cells, stands on it: grids reach it with rounding."""
ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = 0x1BD11BDA


class Noise(Protocol):
    """What a stochastic solver is given."""

    def __call__(self, begin: float, end: float) -> Tensor:
        """The increment of the Brownian path from one time to a later one, over √(end − begin): (n, d), N(0, I).

        It is asked for successive intervals, none of which begins before the end of the one before.
        """


def threefry(key: tuple[Words, Words], counter: tuple[Words, Words]) -> tuple[Words, Words]:
    """Threefry-2x32 with 20 rounds (Salmon et al. 2011): two words for each key and counter, all broadcast together.

    It needs only sums, shifts and exclusive ors of 32 bits, which are exact in JavaScript as well.
    """
    keys = (*key, key[0] ^ key[1] ^ np.uint32(PARITY))
    a, b = counter[0] + keys[0], counter[1] + keys[1]
    for group in range(5):
        for turn in ROTATIONS[group % 2]:
            a = a + b
            b = (b << np.uint32(turn)) | (b >> np.uint32(32 - turn))
            b = b ^ a
        a = a + keys[(group + 1) % 3]
        b = b + keys[(group + 2) % 3] + np.uint32(group + 1)
    return a, b


def normals(seed: int, particles: Words, index: int, dim: int) -> npt.NDArray[np.float64]:
    """Independent N(0, 1) numbers (n, dim) for n particles at one place in time.

    By Box and Muller's transform of two words, one pair for every two axes.
    """
    columns: list[npt.NDArray[np.float64]] = []
    place = np.full_like(particles, index)
    for pair in range((dim + 1) // 2):
        key = np.array([seed], dtype=np.uint32), np.array([pair], dtype=np.uint32)
        one, two = threefry(key, (particles, place))
        radius = np.sqrt(-2 * np.log((one + 1.0) / 2**32))
        angle = 2 * np.pi * (two / 2**32)
        columns += [radius * np.cos(angle), radius * np.sin(angle)]
    return np.stack(columns[:dim], axis=1)


class Brownian:
    """The Brownian paths of n particles over the interval from start to stop, read on any ascending grid.

    Its increments over the CELLS equal parts of the interval are fixed by the seed; over whole cells a step sums them,
    so that all grids see one path. Where a time falls into a cell, what is left of its increment is divided there by a
    Brownian bridge, whose number depends on the cell and on how often it has been divided before: in law that is exact
    for every grid.

    x: the particles (n, d), which give the numbers their type. first: the number of the first one.
    """

    def __init__(self, seed: int, x: Tensor, start: float = 0.0, stop: float = 1.0, first: int = 0) -> None:
        n, dim = x.shape
        self._seed, self._dim, self._start, self._stop = seed, dim, start, stop
        self._particles = np.arange(first, first + n, dtype=np.uint32)
        self._like = x
        self._at = 0.0
        """Where it has been read to, in cells."""
        self._cell, self._divided = -1, 0
        self._left = np.zeros((n, dim))
        """The increment from there to the end of that cell, in units of √cell."""

    def __call__(self, begin: float, end: float) -> Tensor:
        start, stop = self._place(begin), self._place(end)
        if start > self._at:
            self._skip(start)
        moved = self._to(stop) / math.sqrt(stop - start)
        return torch.from_numpy(moved).to(self._like)

    def _place(self, t: float) -> float:
        place = (t - self._start) / (self._stop - self._start) * CELLS
        return float(round(place)) if abs(place - round(place)) < ON_NODE else place

    def _skip(self, place: float) -> None:
        if math.floor(place) > math.floor(self._at):
            self._at = float(math.floor(place))
        self._to(place)

    def _to(self, place: float) -> npt.NDArray[np.float64]:
        """The increment from where it stands to a place, both in cells."""
        total = np.zeros_like(self._left)
        while self._at < place:
            cell = math.floor(self._at)
            if cell != self._cell:
                self._cell, self._divided = cell, 0
                self._left = normals(self._seed, self._particles, cell, self._dim)
            whole = cell + 1 - self._at
            reached = min(place, cell + 1.0)
            part = reached - self._at
            if reached == cell + 1:
                total += self._left
            else:
                self._divided += 1
                z = normals(self._seed, self._particles, CELLS * self._divided + cell, self._dim)
                step = part / whole * self._left + math.sqrt(part * (whole - part) / whole) * z
                total += step
                self._left = self._left - step
            self._at = reached
        return total
