"""Where few steps should stand: grids of times along the linear path, with exact fields.

    python -m benchmarks.grids [--save]

Nothing is trained and nothing is timed. Of every grid: sliced W2 over its floor, the share within 3σ of a mode, and the
width of modes over the true one. The two pull apart: steps at the end sharpen modes, steps at the start decide how many
particles each mode gets.
"""

from __future__ import annotations

import argparse
from typing import get_args

import torch

from benchmarks.report import Load, conditions, publish, table
from playground import Experiment, Run, run
from playground.dynamics.grids import GridName
from playground.dynamics.solvers import Sampler
from playground.metrics import coverage, floor, sliced_w2
from playground.models.base import seeded

PARTICLES = 4000
TARGETS = {"ring, std 0.1": {"kind": "ring"}, "grid of 25, spacing 2": {"kind": "grid", "spacing": 2.0}}
STEPS = (4, 8, 16, 50)


def cell(known: Run, solver: str, grid: str, steps: int, least: float) -> str:
    """The three figures of one grid."""
    modes = known.experiment.target.at(known.dim).separate_modes()
    assert modes is not None, "targets whose modes stand apart"
    end = (
        known.trained()
        .trajectory(known.starts(PARTICLES), Sampler.model_validate({"solver": solver, "grid": grid, "steps": steps}))
        .end
    )
    apart = torch.cdist(end.double(), modes.centers.double()).amin(1)
    width = float((apart.square().mean() / known.dim).sqrt() / modes.std.double().mean())
    ratio = sliced_w2(end, known.real(PARTICLES)) / least
    return f"{ratio:.1f} / {coverage(end, modes).high_quality:.2f} / {width:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Grids of times for few steps.")
    parser.add_argument("--save", action="store_true", help="keep the report in benchmarks/results")
    given = parser.parse_args()
    torch.set_num_threads(1)
    load, parts, grids = Load(), [], get_args(GridName)
    for label, target in TARGETS.items():
        known = run(Experiment.parse({"target": target, "model": "exact"}))
        least = floor(known.experiment.target.at(2), PARTICLES, ("sliced_w2",), seeded(0, 13), pairs=8)["sliced_w2"]
        rows = [
            [f"{solver}, {steps}", *(cell(known, solver, grid, steps, least) for grid in grids)]
            for solver in ("euler", "heun")
            for steps in STEPS
        ]
        parts.append(f"## {label[0].upper()}{label[1:]}\n\n{table(['solver, steps', *grids], rows)}")
    words = (
        "Exact fields along the linear path from N(0, I): sliced W2 over its floor / share within 3σ of a mode (.99 is "
        "right) / width of modes over the true one (1 is right)."
    )
    body = "\n\n".join([words, *parts])
    publish(
        "grids", f"# Grids of times for few steps\n\n{body}\n\n{conditions('benchmarks.grids', load)}\n", given.save
    )


if __name__ == "__main__":
    main()
