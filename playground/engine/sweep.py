"""Sweeps: several experiments, each over several seeds, as one table."""

from __future__ import annotations

import csv
import io
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground.choice import InvalidExperiment, Problem
from playground.engine.training import Training
from playground.experiment import Experiment

FEW = ("1", "8", "100")
"""The evaluations whose distances a Markdown table shows."""


@dataclass(frozen=True)
class Row:
    """One round of one training: figures by name, None where there is none."""

    experiment: str
    seed: int
    round: str
    figures: dict[str, float | None]
    failure: str | None = None


def sweep(experiments: dict[str, Experiment], seeds: int, n: int) -> Iterator[list[Row]]:
    """Trains each named experiment with `seeds` seeds, counted up from its own; yields the rows of a training.

    The same seeds give the same rows: nothing in them is a time. A training that diverged gives the rounds before it
    and one row that says so.
    """
    for name, experiment in experiments.items():
        for seed in range(experiment.training.seed, experiment.training.seed + seeds):
            training = experiment.training.model_copy(update={"seed": seed})
            with Training(experiment.model_copy(update={"training": training}), every=None) as stream:
                for _ in stream:
                    pass
            run = stream.run
            rounds = run.rounds[:-1] if run.failure else run.rounds
            rows = [Row(name, seed, record.name, _flat(run.metrics(n, index))) for index, record in enumerate(rounds)]
            yield [*rows, Row(name, seed, run.rounds[-1].name, {}, run.failure)] if run.failure else rows


def _flat(metrics: dict[str, Any]) -> dict[str, float | None]:
    """The figures of a round by one name each, such as w2_1 for W2 at one evaluation, w2_floor for its floor."""
    flat: dict[str, float | None] = {}
    for nfe, distances in metrics["by_nfe"].items():
        flat |= {f"{name}_{nfe}": value for name, value in distances.items()}
    flat |= {f"{name}_floor": value for name, value in metrics["floor"].items()}
    for w, row in metrics.get("guidance", {}).items():
        flat |= {f"{name}_guidance_{w}": value for name, value in row.items() if name != "classes"}
    return flat | {name: value for name, value in metrics.items() if not isinstance(value, (dict, list))}


def as_csv(rows: Sequence[Row]) -> str:
    """Every training, one row a round; an empty field where a figure is not had."""
    columns = list(dict.fromkeys(name for row in rows for name in row.figures))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["experiment", "round", "seed", *columns, "failure"])
    for row in rows:
        values = [row.figures.get(name) for name in columns]
        writer.writerow([row.experiment, row.round, row.seed, *map(_written, values), row.failure or ""])
    return text.getvalue()


def as_markdown(rows: Sequence[Row]) -> str:
    """Mean ± standard deviation over the seeds, one line a round; a dash where a figure is not had."""
    lines: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        lines.setdefault((row.experiment, row.round), []).append(row)
    shown = {"KL": "kl", "spread": "spread"}
    for name, label in (("sample_kl", "KL, estimated"), ("stray", "stray"), ("sliced_w2", "sliced W2")):
        shown |= {f"{label}, {nfe} NFE": f"{name}_{nfe}" for nfe in FEW} | {f"{label}, floor": f"{name}_floor"}
    shown |= {
        "straightness": "straightness",
        "NPE": "npe",
        "transport cost": "transport_cost",
        "NLL": "nll",
    }
    header = ["experiment", "round", "seeds", *shown]
    table = [header, [":--", ":--", *["--:"] * (len(header) - 2)]]
    for (experiment, round_), group in lines.items():
        whole = [row for row in group if row.failure is None]
        spreads = [spread([row.figures.get(name) for row in whole]) for name in shown.values()]
        count = str(len(whole)) if len(whole) == len(group) else f"{len(whole)} of {len(group)}"
        table.append([experiment, round_, count, *spreads])
    return "\n".join("| " + " | ".join(line) + " |" for line in table) + "\n"


def spread(values: Sequence[float | None]) -> str:
    """Mean ± standard deviation of the values; of one its value alone, and a dash where one is missing."""
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return "–"
    mean = f"{statistics.mean(known):.4g}"
    return mean if len(known) == 1 else f"{mean} ± {statistics.stdev(known):.2g}"


def write(rows: Sequence[Row], path: Path) -> None:
    """Writes a table by the ending of its name, one that `check_name` allows."""
    path.write_text(as_csv(rows) if path.suffix.lower() == ".csv" else as_markdown(rows), encoding="utf-8")


def check_name(path: Path) -> None:
    """Raises InvalidExperiment, before anything is trained, where a table could not be written there."""
    if path.suffix.lower() not in (".csv", ".md"):
        raise InvalidExperiment([Problem(("out",), f"cannot write {path.name!r}: end its name in .csv or .md.")])
    if not path.absolute().parent.is_dir():
        raise InvalidExperiment([Problem(("out",), f"there is no folder {path.parent}.")])


def _written(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
