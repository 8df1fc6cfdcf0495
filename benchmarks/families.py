"""All families on five targets with three seeds: quality, coverage, likelihood, and what training and sampling cost.

    python -m benchmarks.families [--limit 6] [--seeds 3] [--model KIND ...] [--target NAME ...] [--save]

Every model of the union is trained as it is by default from N(0, I), to the end of its steps or until it has used
`--limit` processor seconds, whichever comes first, in one thread. Sliced W2 is the root mean square over two sets of
2,000 samples, over that of pairs of real sets. A mode is covered by at least 1 % of 2,500 samples. KL(target ‖ model)
is of 1,000 fresh points under both densities, with the mean of its standard errors, where a model knows its own
exactly; after ≈ it is estimated from nearest neighbours of its samples. Astray is the share of samples that are near to
no real point, beside that of real points. Times are the thread's own, whoever else uses the machine.

Each finished run is a line of results/families.jsonl, and is not run again: the program can be stopped and started.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Iterator
from statistics import fmean
from typing import Annotated, Any

import torch

from benchmarks.report import RESULTS, Clock, Load, conditions, publish, table
from playground.choice import InvalidExperiment, kinds
from playground.engine.evaluation import likelihood
from playground.engine.run import Run
from playground.engine.training import train
from playground.experiment import Experiment
from playground.metrics import coverage, floor, sharpness_figures, sharpness_floor, sliced_w2
from playground.models import AnyModel
from playground.models.base import seeded

KEPT = RESULTS / "families.jsonl"
TARGETS: dict[str, dict[str, Any]] = {
    "ring of 8": {"kind": "ring"},
    "grid of 25": {"kind": "grid"},
    "two moons": {"kind": "two_moons", "noise": 0.1},
    "checkerboard": {"kind": "checkerboard"},
    "spirals": {"kind": "spirals"},
}
VARIED = {"normalizing_flow": "architecture"}
"""Fields of a family whose every kind is a row of its own."""
N, SETS, HELD_OUT = 2000, 2, 1000
Row = dict[str, Any]


def models() -> Iterator[tuple[str, dict[str, Any]]]:
    """(label, declaration) of every row: each family by its defaults, some with each kind of a field."""
    for family in kinds(AnyModel):
        field = VARIED.get(family.kind_name())
        if field is None:
            yield family.label(), {"kind": family.kind_name()}
            continue
        annotation = family.model_fields[field]
        for choice in kinds(_union(annotation)):
            yield f"{family.label()}: {choice.label()}", {"kind": family.kind_name(), field: choice.kind_name()}


def _union(field: Any) -> Any:
    """The annotated union of a field: pydantic takes the annotation apart, `kinds` reads it whole."""
    return Annotated[field.annotation, None]


def measured(label: str, model: dict[str, Any], target: str, seed: int, limit: float) -> Row:
    """One run and its figures; {"refused": sentence} where the family does not go with the target."""
    row: Row = {"model": label, "target": target, "seed": seed, "limit": limit}
    try:
        experiment = Experiment.parse(
            {"target": TARGETS[target], "model": model, "training": {"seed": seed, "device": "cpu"}}
        )
    except InvalidExperiment as error:
        return row | {"refused": str(error)}
    clock = Clock()
    with train(experiment, every=0.5) as training:
        while clock.cpu < limit:
            with clock:
                snapshot = next(training, None)
            if snapshot is None:
                break
        result = training.run
    if result.failure:
        return row | {"refused": result.failure}
    return row | {"train_seconds": clock.cpu, "steps": sum(r.steps for r in result.rounds)} | _figures(result)


def _figures(result: Run) -> Row:
    target, model = result.experiment.target.at(2), result.trained()
    squares, sharp, times, nfe = [], [], [], 0
    for which in range(SETS):
        starts = result.starts(N, which)
        since = time.thread_time()
        found = model.trajectory(starts, result.experiment.sampler, which)
        times.append(1000 * (time.thread_time() - since))
        nfe = found.nfe
        real = result.real(N, 100 + which)
        squares.append(sliced_w2(found.end, real) ** 2)
        sharp.append(sharpness_figures(found.end, real))
    modes, covered = target.separate_modes(), None
    if modes:
        more = model.trajectory(result.starts(2500, 7), result.experiment.sampler, 7).end
        covered = coverage(more, modes)
    known = likelihood(model, target, result.real(HELD_OUT, 9))
    return {
        "sliced_w2": math.sqrt(fmean(squares)),
        "covered": covered and covered.modes_covered_strict,
        "modes": covered and covered.modes_total,
        "high_quality": covered and covered.high_quality,
        **{name: known[name] for name in ("nll", "kl", "kl_error")},
        **{name: _mean([one[name] for one in sharp]) for name in ("sample_kl", "stray")},
        "sampling_ms": min(times),
        "nfe": nfe,
    }


def _mean(values: list[float | None]) -> float | None:
    """None where one of them is not known, as of samples that are not finite."""
    known = [value for value in values if value is not None]
    return fmean(known) if len(known) == len(values) else None


def kept() -> dict[tuple[str, str, int, float], Row]:
    """The rows that there are, by what they are about."""
    lines = KEPT.read_text(encoding="utf-8").splitlines() if KEPT.exists() else []
    rows = [json.loads(line) for line in lines]
    return {(row["model"], row["target"], row["seed"], row["limit"]): row for row in rows}


def report(rows: list[Row]) -> str:
    """One table for each target, the mean over seeds with the range of the distance."""
    parts = []
    figures = ["sliced W2 / floor", "KL, nats", "astray", "modes", "good", "train, s", "2,000 samples, ms", "NFE"]
    header = ["model", *figures]
    for target, declaration in TARGETS.items():
        chosen = [row for row in rows if row["target"] == target]
        if not chosen:
            continue
        settled = Experiment.parse({"target": declaration}).target.at(2)
        unit = floor(settled, N, ("sliced_w2",), seeded(0, 13), pairs=16)["sliced_w2"]
        stray = sharpness_floor(settled, N, seeded(0, 18))["stray"] or 0
        lines = [_line(label, [r for r in chosen if r["model"] == label], unit) for label in _labels(chosen)]
        parts.append(f"## {target}\n\nFloor {unit:.4f}; {stray:.1%} of real points astray.\n\n{table(header, lines)}")
    return "\n\n".join(parts)


def _labels(rows: list[Row]) -> list[str]:
    return list(dict.fromkeys(row["model"] for row in rows))


def _line(label: str, rows: list[Row], unit: float | None) -> list[str]:
    good = [row for row in rows if "refused" not in row]
    if not good or not unit:
        return [label, "refused", *["–"] * 7]
    ratios = [row["sliced_w2"] / unit for row in good]
    spread = f" ({min(ratios):.1f}–{max(ratios):.1f})" if len(ratios) > 1 else ""

    def mean(name: str, form: str) -> str:
        values = [row[name] for row in good if row.get(name) is not None]
        return form.format(fmean(values)) if values else "–"

    total = good[0]["modes"]
    exact = all(row.get("kl") is not None for row in good)
    lack = f"{mean('kl', '{:.3f}')} ± {mean('kl_error', '{:.3f}')}" if exact else mean("sample_kl", "≈ {:.2f}")
    return [
        label,
        f"{fmean(ratios):.2f}{spread}",
        lack,
        mean("stray", "{:.1%}"),
        "–" if total is None else f"{mean('covered', '{:.1f}')} of {total}",
        mean("high_quality", "{:.0%}"),
        mean("train_seconds", "{:.1f}"),
        mean("sampling_ms", "{:.0f}"),
        mean("nfe", "{:.0f}"),
    ]


def main() -> None:
    """Runs what is still missing, then prints the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.families", description=__doc__.splitlines()[0])
    parser.add_argument("--limit", type=float, default=6.0, help="processor seconds of each training")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--model", action="append", help="a kind; all by default")
    parser.add_argument("--target", action="append", choices=list(TARGETS))
    parser.add_argument("--save", action="store_true", help="keep the report in benchmarks/results")
    given = parser.parse_args()
    torch.set_num_threads(1)
    os.nice(10)
    load, rows = Load(), kept()
    RESULTS.mkdir(exist_ok=True)
    wanted = [
        (label, model, target, seed)
        for seed in range(given.seeds)  # so that a run that is stopped has something of everything
        for target in given.target or TARGETS
        for label, model in models()
        if not given.model or model["kind"] in given.model
    ]
    for at, (label, model, target, seed) in enumerate(wanted, start=1):
        key = (label, target, seed, given.limit)
        if key in rows:
            continue
        rows[key] = measured(label, model, target, seed, given.limit)
        with KEPT.open("a", encoding="utf-8") as file:
            file.write(json.dumps(rows[key]) + "\n")
        print(f"{at} of {len(wanted)}: {label}, {target}, seed {seed}", flush=True)
    chosen = {(label, target, seed, given.limit) for label, _, target, seed in wanted}
    found = report([row for key, row in rows.items() if key in chosen])
    about = f"# All families\n\n{conditions('benchmarks.families', load)}\n\n{_how()}\n\n{found}"
    publish("families", about, given.save)


def _how() -> str:
    """What the docstring says of how it is measured."""
    return (__doc__ or "").split("\n\n")[2].replace("\n", " ")


if __name__ == "__main__":
    main()
