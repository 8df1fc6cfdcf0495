"""Each visitor alone: what the server keeps of a page that is open, and for how long."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from playground.engine.contest import Contest
from playground.engine.run import Run
from playground.engine.training import Training

KEPT_SECONDS = 1800.0
"""How long a page that nobody has asked for anything is remembered, so that a reload finds its run."""
MOST_SHELVED = 6
"""Runs that are kept for a page beside the one that it trains; the oldest goes."""
MOST_EARLIER, MOST_NUMBERS = 7, 4_000_000
"""Earlier trainings that a page can go back to, and the most numbers in all their snapshots; the oldest go."""


@dataclass
class Session:
    """One page: the training it has begun, or the several that compete, under way or not, and what may interrupt it.

    turn is held by whoever takes steps of the training; stop asks them to come to an end. said counts what the page
    has said when the training began: a preview asked for no later than that comes too late. shelf: runs by their name
    that came from files or were pinned, so that they can be measured whatever is trained meanwhile. earlier: trainings
    that others took the place of, so that the page can go back to them.
    """

    training: Training | None = None
    contest: Contest | None = None
    name: str = ""
    said: int = 0
    stop: threading.Event = field(default_factory=threading.Event)
    turn: threading.Lock = field(default_factory=threading.Lock)
    used: float = field(default_factory=time.monotonic)
    shelf: OrderedDict[str, Run] = field(default_factory=OrderedDict)
    earlier: OrderedDict[str, Training] = field(default_factory=OrderedDict)
    _names: int = 0

    def set_aside(self) -> None:
        """Stops the page's training and keeps it among the earlier ones, as far as it has come."""
        self.stop.set()
        training, self.training = self.training, None
        if training is None or not training.run.rounds:
            return
        self.earlier[self.name] = training
        while len(self.earlier) > MOST_EARLIER or (len(self.earlier) > 1 and self._numbers() > MOST_NUMBERS):
            self.earlier.popitem(last=False)

    def bring_back(self, name: str) -> bool:
        """Makes an earlier training the page's own again; False where it is not, or no longer, kept."""
        if self.training is not None and self.name == name:
            return True
        self.set_aside()
        self.training = self.earlier.pop(name, None)
        if self.training is not None:
            self.name = name
        return self.training is not None

    def _numbers(self) -> int:
        kept = [shot for one in self.earlier.values() for record in one.run.rounds for shot in record.history]
        return sum(values.numel() for shot in kept for values in shot.weights.values())

    def shelve(self, run: Run, how: str) -> str:
        """Keeps a run beside the page's own; its name says `how` it came."""
        name = f"{how} {self.next_name()}"
        self.shelf[name] = run
        while len(self.shelf) > MOST_SHELVED:
            self.shelf.popitem(last=False)
        return name

    def next_name(self) -> str:
        """A name for a run or a preview that this page has not seen yet."""
        self._names += 1
        return f"run {self._names}"


class Sessions:
    """The sessions of a server by the key of their page; the oldest, and those not used for long, are forgotten."""

    def __init__(self, capacity: int = 100) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, key: str) -> Session:
        """The session of this page, made where there is none."""
        with self._lock:
            session = self._kept.setdefault(key, Session())
            session.used = time.monotonic()
            self._kept.move_to_end(key)
            while len(self._kept) > self._capacity or self._oldest_is_stale():
                self._kept.popitem(last=False)[1].stop.set()
            return session

    def find(self, key: str) -> Session | None:
        """The session of this page, if there is one."""
        return self._kept.get(key)

    def _oldest_is_stale(self) -> bool:
        return time.monotonic() - next(iter(self._kept.values())).used > KEPT_SECONDS

    def __len__(self) -> int:
        return len(self._kept)
