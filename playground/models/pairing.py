"""Pairs of a coupling, dealt out in batches at a cost that training does not feel."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from playground.dynamics.couplings import Coupling
from playground.models.base import Pool

Labelled = tuple[Tensor, Tensor, Tensor | None]

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
        self._kept = (source.points[:0], target.points[:0], None if target.labels is None else target.labels[:0])
        self._owed = float(FIRST)

    def batch(self, n: int) -> tuple[Tensor, Tensor]:
        """The next n pairs: x0 (n, d) and x1 (n, d)."""
        return self.labelled(n)[:2]

    def labelled(self, n: int) -> Labelled:
        """The next n pairs with the labels (n,) of their x1."""
        together = self._coupling.together
        if together is None:
            return self._fresh(n)
        while self._owed >= 0:
            x0, x1, labels = self._kept
            more0, more1, more = self._fresh(together)
            classes = None if labels is None or more is None else torch.cat([labels, more])[-KEPT:]
            self._kept = torch.cat([x0, more0])[-KEPT:], torch.cat([x1, more1])[-KEPT:], classes
            self._owed -= together
        self._owed += n / self._coupling.uses
        x0, x1, labels = self._kept
        chosen = torch.randint(len(x0), (n,), generator=self._generator, device=self._generator.device)
        return x0[chosen], x1[chosen], None if labels is None else labels[chosen]

    def _fresh(self, n: int) -> Labelled:
        x1, labels = self._target.labelled(n)
        x0 = self._source.batch(n)
        if labels is None or self._coupling.together is None:  # then every x1 stays where it is
            return *self._coupling.pair(x0, x1, self._generator, labels), labels
        partner = self._coupling.partners(x0, x1, self._generator, labels)
        return x0, x1[partner], labels[partner]
