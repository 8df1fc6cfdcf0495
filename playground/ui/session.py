"""Each visitor alone: what the server keeps of a page that is open, and for how long."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from playground.engine.run import Run
from playground.engine.training import Training


@dataclass
class Session:
    """One open page: its training under way, if any, and the last run that it finished or stopped."""

    run: Run | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    _runs: itertools.count[int] = field(default_factory=itertools.count)

    def begin(self, training: Training) -> tuple[str, threading.Event]:
        """Stops whatever was under way; returns the new run's name on this page and the event that stops it."""
        self.stop.set()
        self.stop = threading.Event()
        self.run = training.run
        return self.next_name(), self.stop

    def next_name(self) -> str:
        """A name for a run or a preview that this page has not seen yet."""
        return f"run {next(self._runs)}"


class Sessions:
    """The sessions of a server by Gradio's session hash, the least recently used forgotten beyond a capacity."""

    def __init__(self, capacity: int = 200) -> None:
        self._capacity = capacity
        self._open: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, key: str) -> Session:
        """The session of this key, made where there is none."""
        with self._lock:
            session = self._open.setdefault(key, Session())
            self._open.move_to_end(key)
            while len(self._open) > self._capacity:
                self._open.popitem(last=False)[1].stop.set()
            return session

    def close(self, key: str) -> None:
        """Stops and forgets a session whose page was closed."""
        with self._lock:
            session = self._open.pop(key, None)
        if session:
            session.stop.set()

    def __len__(self) -> int:
        return len(self._open)
