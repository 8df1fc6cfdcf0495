"""What is kept of a training: snapshots that stay evenly spread, and a loss curve of bounded length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import overload

from playground.models.base import Weights


@dataclass(frozen=True)
class Snapshot:
    """A training at one moment.

    id: counts the snapshots of a round from 0; round and phase: which of the run's; step: gradient steps done in the
    round; seconds: training time so far; losses: (step, loss) since the last snapshot; weights: flat, on the CPU;
    prepared: the share that is done of what a round makes before its first step, such as pairs;
    remark: what the learner itself finds wrong with its state, in a sentence.
    """

    id: int
    round: int
    phase: int
    step: int
    seconds: float
    losses: tuple[tuple[float, float], ...]
    weights: Weights
    prepared: float = 1.0
    remark: str | None = None


class History(Sequence[Snapshot]):
    """At most `capacity` snapshots, evenly spread: when it is full every second one goes, never the first or last.

    After a clearing only every second, fourth, ... id is kept, and the newest always, whatever its id.
    """

    def __init__(self, capacity: int = 48) -> None:
        self._capacity = capacity
        self._stride = 1
        self._kept: list[Snapshot] = []

    def add(self, snapshot: Snapshot) -> None:
        """Appends the newest snapshot and makes room where there is none."""
        if len(self._kept) > 1 and self._kept[-1].id % self._stride:
            self._kept.pop()
        self._kept.append(snapshot)
        if len(self._kept) >= self._capacity:
            self._stride *= 2
            newest = self._kept[-1]
            self._kept = [old for old in self._kept if old.id % self._stride == 0 or old is newest]

    def by_id(self, id: int) -> Snapshot:
        """The snapshot with this id. Raises KeyError where it was never taken or is no longer kept."""
        for snapshot in self._kept:
            if snapshot.id == id:
                return snapshot
        raise KeyError(f"snapshot {id} is no longer kept")

    @overload
    def __getitem__(self, index: int) -> Snapshot: ...
    @overload
    def __getitem__(self, index: slice) -> list[Snapshot]: ...
    def __getitem__(self, index: int | slice) -> Snapshot | list[Snapshot]:
        return self._kept[index]

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[Snapshot]:
        return iter(self._kept)


@dataclass
class LossCurve:
    """(step, loss) points in order; when there are too many, neighbours are averaged two by two."""

    capacity: int = 4096
    points: list[tuple[float, float]] = field(default_factory=list)
    _bin: int = 1
    _open: list[tuple[float, float]] = field(default_factory=list)

    def extend(self, points: Sequence[tuple[float, float]]) -> None:
        """Appends points."""
        for point in points:
            self._open.append(point)
            if len(self._open) == self._bin:
                self.points.append(_mean(self._open))
                self._open.clear()
            if len(self.points) >= self.capacity:
                pairs = zip(self.points[::2], self.points[1::2], strict=False)
                self.points = [_mean(pair) for pair in pairs]
                self._bin *= 2

    def recent(self) -> float | None:
        """The mean loss of the last twentieth of the points; None where there is no point yet."""
        last = self.points[-max(1, len(self.points) // 20) :]
        return _mean(last)[1] if last else None


def binned(points: Sequence[tuple[float, float]], most: int) -> list[tuple[float, float]]:
    """At most `most` points, each the mean of a run of neighbours."""
    size = -(-len(points) // most) if points else 1
    return [_mean(points[at : at + size]) for at in range(0, len(points), size)]


def _mean(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return sum(step for step, _ in points) / len(points), sum(loss for _, loss in points) / len(points)
