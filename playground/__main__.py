"""The command line: the verbs of the Python API.

Exit status: 0; 2 with one sentence on standard error for an input that is not valid; 3 for a training that diverged.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from playground.choice import InvalidExperiment, Problem, kinds
from playground.distributions import AnyDistribution
from playground.dynamics.couplings import AnyCoupling
from playground.dynamics.paths import AnyPath
from playground.dynamics.solvers import AnySolver
from playground.dynamics.systems import AnySystem
from playground.engine import presets
from playground.engine.evaluation import MAX_POINTS, MIN_POINTS
from playground.engine.run import Run
from playground.engine.training import Training
from playground.experiment import Experiment
from playground.metrics import DISTANCES, SHARPNESS
from playground.models import AnyModel

INVALID, DIVERGED = 2, 3

cli = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


class Listed(StrEnum):
    """What `list` can show."""

    DISTRIBUTIONS = "distributions"
    MODELS = "models"
    PATHS = "paths"
    COUPLINGS = "couplings"
    SOLVERS = "solvers"
    SYSTEMS = "systems"
    PRESETS = "presets"


class Drawn(StrEnum):
    """What `figure` can draw."""

    TRAJECTORIES = "trajectories"
    LOSS = "loss"
    QUALITY = "quality"
    STRAIGHTNESS = "straightness"


Override = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Replace a value, as in training.steps=500.")
]


@cli.command()
def run(
    experiment: Annotated[Path, typer.Argument(help="An experiment file (YAML).")],
    set_: Override = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object with all figures.")] = False,
    n: Annotated[int, typer.Option("--n", help="Points that the figures are taken on.")] = 2000,
    save: Annotated[Path | None, typer.Option(help="Keep the run in this folder.")] = None,
    every_w2: Annotated[
        bool, typer.Option("--every-w2", help="The exact W2 at every number of evaluations, which takes seconds.")
    ] = False,
) -> None:
    """Train an experiment to the end and measure it."""
    chosen = Experiment.load(experiment, set_ or ())
    if not MIN_POINTS <= n <= MAX_POINTS:
        raise InvalidExperiment([Problem(("n",), f"{n} is out of bounds; choose from {MIN_POINTS} to {MAX_POINTS:,}.")])
    if save:
        _make_folder(save)
    training = Training(chosen, every=0.5)
    for snapshot in training:
        record = training.run.rounds[snapshot.round]
        loss = f"{snapshot.losses[-1][1]:.4f}" if snapshot.losses else "–"
        print(f"\r{record.name}: step {snapshot.step:,} of {record.steps:,}  loss {loss} ", end="", file=sys.stderr)
    print(file=sys.stderr)
    finished = training.run
    if finished.failure:
        print(finished.failure, file=sys.stderr)
        raise typer.Exit(DIVERGED)
    if save:
        finished.save(save)
    report = summary(finished, n, every_w2)
    print(json.dumps(report) if as_json else readable(report))


def _make_folder(folder: Path) -> None:
    """Makes sure of the folder before a training is spent. Raises InvalidExperiment where it cannot be had."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        raise InvalidExperiment([Problem((), f"{folder} cannot be made into a folder; choose another.")]) from None


@cli.command("list")
def list_(
    what: Annotated[Listed, typer.Argument(help="Which choices to list.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List what can be chosen."""
    rows = _listed(what)
    if as_json:
        print(json.dumps(rows))
        return
    width = max((len(row["kind"]) for row in rows), default=0)
    for row in rows:
        print(f"{row['kind']:<{width}}  {row['summary']}")


@cli.command()
def figure(
    folder: Annotated[Path, typer.Argument(help="A folder that `run --save` wrote.")],
    what: Annotated[Drawn, typer.Option(help="Which figure.")] = Drawn.TRAJECTORIES,
    out: Annotated[Path, typer.Option(help="The file: .svg, .png, .pdf, .html or .json.")] = Path("figure.svg"),
) -> None:
    """Draw a figure of a saved run."""
    from playground.figures import write

    finished = Run.load(folder)
    try:
        write(finished.figure(what.value), out)
    except ValueError as error:
        raise InvalidExperiment([Problem((), str(error))]) from None


@cli.command()
def sweep(
    experiments: Annotated[list[Path], typer.Argument(help="Experiment files (YAML).")],
    seeds: Annotated[int, typer.Option(min=1, max=100, help="Seeds of each, counted up from its own.")] = 5,
    out: Annotated[Path, typer.Option(help="The table: .csv of every training, or .md of means.")] = Path("table.csv"),
    n: Annotated[int, typer.Option("--n", help="Points that the figures are taken on.")] = 2000,
    set_: Override = None,
) -> None:
    """Train experiments over several seeds and tabulate their figures, written anew after each training."""
    from playground.engine import sweep as sweeps

    sweeps.check_name(out)
    if not MIN_POINTS <= n <= MAX_POINTS:
        raise InvalidExperiment([Problem(("n",), f"{n} is out of bounds; choose from {MIN_POINTS} to {MAX_POINTS:,}.")])
    chosen = {path.stem: Experiment.load(path, set_ or ()) for path in experiments}
    if len(chosen) < len(experiments):
        raise InvalidExperiment([Problem((), "two of these files have one name; the table would mix them up.")])
    rows: list[sweeps.Row] = []
    for done, more in enumerate(sweeps.sweep(chosen, seeds, n), start=1):
        rows += more
        sweeps.write(rows, out)
        print(f"{done} of {len(chosen) * seeds}: {more[-1].experiment}, seed {more[-1].seed}", file=sys.stderr)
    print(sweeps.as_markdown(rows))
    if any(row.failure for row in rows):
        raise typer.Exit(DIVERGED)


@cli.command()
def serve(
    port: Annotated[int | None, typer.Option(help="The port to serve on.")] = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
) -> None:
    """Serve the page."""
    from playground.ui.page import launch

    launch(host, port)


def summary(finished: Run, n: int, every_w2: bool = False) -> dict[str, Any]:
    """What `run --json` prints: the experiment as it was run, and the figures of every round.

    Which round is being measured is told on standard error.
    """
    rounds = []
    for index, record in enumerate(finished.rounds):
        print(f"measuring {record.name} on {n:,} points …", file=sys.stderr, flush=True)
        rounds.append(
            {
                "name": record.name,
                "steps": record.steps,
                "train_seconds": record.seconds,
                "loss": record.losses.recent(),
                "metrics": finished.metrics(n, index, every_w2),
            }
        )
    return {"experiment": finished.experiment.to_dict(), "device": finished.device, "rounds": rounds}


def readable(report: dict[str, Any]) -> str:
    """The same figures as a few lines for people."""
    lines = []
    for entry in report["rounds"]:
        measured = entry["metrics"]
        took = f"{entry['steps']:,} steps in {entry['train_seconds']:.1f} s on {report['device']}"
        lines.append(f"{entry['name']}: {took}")
        lines.append(f"{'NFE':>7}  sliced W2        W2  energy distance  KL, est.   stray  missed")
        rows = [*measured["by_nfe"].items(), ("floor", measured["floor"])]
        for name, row in rows:
            columns = zip((*DISTANCES, *SHARPNESS), (10, 9, 16, 9, 7, 7), strict=True)
            lines.append(f"{name:>7} " + " ".join(f"{_figure(row[key]):>{width}}" for key, width in columns))
        lines.append(
            f"straightness {_figure(measured['straightness'])}, transport cost {_figure(measured['transport_cost'])} "
            f"(optimal {_figure(measured['optimal_cost'])}), normalised path energy {_figure(measured['npe'])}"
        )
        if measured.get("kl") is not None:
            lines.append(f"KL(target ‖ model) {_figure(measured['kl'])} ± {_figure(measured['kl_error'])} nats")
        if measured["modes_total"]:
            modes = f"{measured['modes_covered_strict']} of {measured['modes_total']} (≥ 1 % of the samples each)"
            width = f"{_figure(measured['spread'])} times as wide as they should be"
            lines.append(f"modes covered {modes}, high quality {measured['high_quality']:.1%}, {width}")
        if measured.get("nearest") is not None:
            losses = (measured["training_loss"], measured["held_out_loss"])
            lines.append("loss on training points {}, on held-out points {}".format(*map(_figure, losses)))
            near = f"{_figure(measured['nearest'])} (held-out points {_figure(measured['nearest_floor'])})"
            lines.append(f"mean distance to the nearest training point {near}")
        for w, row in measured.get("guidance", {}).items():
            names = ("in_class", "high_quality", "coverage", "spread")
            lines.append(f"guidance {w:>3}: " + ", ".join(f"{name} {_figure(row[name])}" for name in names))
    return "\n".join(lines)


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _listed(what: Listed) -> list[dict[str, str]]:
    if what is Listed.PRESETS:
        return [{"kind": name, "summary": presets.experiment(name).name} for name in presets.names()]
    unions: dict[Listed, Any] = {
        Listed.DISTRIBUTIONS: AnyDistribution,
        Listed.MODELS: AnyModel,
        Listed.PATHS: AnyPath,
        Listed.COUPLINGS: AnyCoupling,
        Listed.SOLVERS: AnySolver,
        Listed.SYSTEMS: AnySystem,
    }
    return [
        {"kind": kind.kind_name(), "label": kind.label(), "summary": kind.summary()} for kind in kinds(unions[what])
    ]


def main(command: Callable[[], object] = cli) -> None:
    """Runs the command line and turns errors in its input into a sentence and a status."""
    torch.set_num_threads(1)  # networks this small gain nothing from a second one
    try:
        command()
    except InvalidExperiment as error:
        print(error, file=sys.stderr)
        sys.exit(INVALID)


if __name__ == "__main__":
    main()
