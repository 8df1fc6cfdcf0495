"""Pairs of a coupling, dealt out in batches at a cost that training does not feel."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from playground.dynamics.couplings import Coupling
from playground.models.base import Pool

FIRST = 1024
"""Pairs that are made before the first batch."""
KEPT = 2**15
"""Pairs that are kept, the newest ones."""


class Pairs:
    """Batches of pairs from a pool of source points and one of target points.

    A coupling that pairs many points with one another is costly, while a pair costs nothing to use again at another
    time. So pairs are kept and drawn from at random, and for every `coupling.uses` that are drawn a new one is made:
    all are made on the way, at a steady cost, and the same for the same seed.
    """

    def __init__(self, coupling: Coupling, source: Pool, target: Pool, generator: Generator) -> None:
        self._coupling, self._source, self._target, self._generator = coupling, source, target, generator
        self._x0, self._x1 = source.points[:0], target.points[:0]
        self._owed = float(FIRST)

    def batch(self, n: int) -> tuple[Tensor, Tensor]:
        """The next n pairs: x0 (n, d) and x1 (n, d)."""
        together = self._coupling.together
        if together is None:
            return self._fresh(n)
        while self._owed >= 0:
            x0, x1 = self._fresh(together)
            self._x0, self._x1 = torch.cat([self._x0, x0])[-KEPT:], torch.cat([self._x1, x1])[-KEPT:]
            self._owed -= together
        self._owed += n / self._coupling.uses
        chosen = torch.randint(len(self._x0), (n,), generator=self._generator, device=self._generator.device)
        return self._x0[chosen], self._x1[chosen]

    def _fresh(self, n: int) -> tuple[Tensor, Tensor]:
        x1, labels = self._target.labelled(n)
        return self._coupling.pair(self._source.batch(n), x1, self._generator, labels)
