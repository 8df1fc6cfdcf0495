"""Runs kept on disk: an experiment as YAML, its weights and records as one safetensors file (never pickle)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from playground.choice import InvalidExperiment, Problem, Settings
from playground.engine.history import LossCurve, Snapshot, binned
from playground.engine.record import Round, RunRecord
from playground.experiment import Experiment

EXPERIMENT_FILE = "experiment.yaml"
RUN_FILE = "run.safetensors"
MAX_RUN_BYTES = 200_000_000
LOSSES = 512
"""Points of the loss curve that are kept, unless fewer are asked for."""
SMALL = 64
"""Tensors shorter than this, such as moments, are always kept exactly."""

AnyRun = TypeVar("AnyRun", bound=RunRecord)


class RoundNotes(Settings):
    """What a run's file says of a round: losses as (step, loss), snapshots as (id, phase, step, seconds)."""

    name: str
    steps: int
    seconds: float
    preparing: float = 0.0
    losses: tuple[tuple[float, float], ...]
    snapshots: tuple[tuple[int, int, int, float], ...]


class RunNotes(Settings):
    """What a run's file says beside its tensors, which are named round/snapshot/network."""

    device: str
    failure: str | None
    rounds: tuple[RoundNotes, ...]


def save(run: RunRecord, folder: Path, snapshots: int = 48) -> None:
    """Writes a run into a folder, made where it is missing; each file appears whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    write_weights(run, folder / RUN_FILE, snapshots)
    _replace(folder / EXPERIMENT_FILE, lambda path: path.write_text(run.experiment.to_yaml(), encoding="utf-8"))


def load(kind: type[AnyRun], folder: Path) -> AnyRun:
    """Reads a folder that `save` wrote. Raises InvalidExperiment with a sentence where it cannot."""
    experiment = Experiment.load(folder / EXPERIMENT_FILE)
    return read_weights(kind, experiment, folder / RUN_FILE)


def write_weights(run: RunRecord, path: Path, snapshots: int = 48, losses: int = LOSSES) -> None:
    """Writes the weights of every round: the newest snapshot exactly, evenly chosen earlier ones in half precision."""
    tensors: dict[str, Tensor] = {}
    rounds = []
    for index, record in enumerate(run.rounds):
        kept = _evenly(list(record.history), snapshots)
        for snapshot in kept:
            for name, values in snapshot.weights.items():
                exact = snapshot is record.last or len(values) < SMALL
                tensors[f"{index}/{snapshot.id}/{name}"] = values.float() if exact else values.half()
        rounds.append(
            RoundNotes(
                name=record.name,
                steps=record.steps,
                seconds=round(record.seconds, 4),
                preparing=round(record.preparing, 4),
                losses=tuple(
                    (round(step, 1), float(f"{loss:.5g}")) for step, loss in binned(record.losses.points, losses)
                ),
                snapshots=tuple((s.id, s.phase, s.step, round(s.seconds, 4)) for s in kept),
            )
        )
    notes = RunNotes(device=run.device, failure=run.failure, rounds=tuple(rounds))
    _replace(path, lambda partial: save_file(tensors, partial, {"run": notes.model_dump_json()}))


def read_weights(kind: type[AnyRun], experiment: Experiment, path: Path) -> AnyRun:
    """Reads what `write_weights` wrote for this experiment. Raises InvalidExperiment where it cannot."""
    try:
        if path.stat().st_size > MAX_RUN_BYTES:
            raise InvalidExperiment([Problem((), f"{path.name} is larger than {MAX_RUN_BYTES // 10**6} MB.")])
        with safe_open(path, framework="pt") as file:
            notes = RunNotes.model_validate_json(file.metadata()["run"])
            tensors = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118  (not a mapping)
        run = kind(experiment, device=notes.device, failure=notes.failure)
        run.rounds = [_round(index, entry, tensors) for index, entry in enumerate(notes.rounds)]
        for index in range(len(run.rounds)):
            run.sample(n=2, steps=1, round=index, autoguidance=1)
    except FileNotFoundError:
        raise InvalidExperiment([Problem((), f"there is no file {path.name} beside the experiment.")]) from None
    except InvalidExperiment:
        raise
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError):
        raise InvalidExperiment([Problem((), f"{path.name} does not hold weights for this experiment.")]) from None
    return run


def _round(index: int, notes: RoundNotes, tensors: dict[str, Tensor]) -> Round:
    record = Round(notes.name, steps=notes.steps, seconds=notes.seconds, preparing=notes.preparing)
    record.losses = LossCurve(points=list(notes.losses))
    record.taken = notes.snapshots[-1][0] + 1 if notes.snapshots else 0
    for id_, phase, step, seconds in notes.snapshots:
        prefix = f"{index}/{id_}/"
        weights = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
        record.history.add(Snapshot(id_, index, phase, step, seconds, (), weights))
    return record


def _evenly(items: list[Snapshot], most: int) -> list[Snapshot]:
    """At most `most` items, evenly chosen, the first and the last among them."""
    if len(items) <= most:
        return items
    if most == 1:
        return items[-1:]
    return [items[round(k * (len(items) - 1) / (most - 1))] for k in range(most)]


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Writes beside `path` and then moves into place, so that no half-written file is ever seen."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        write(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
