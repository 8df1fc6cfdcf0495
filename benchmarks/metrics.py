"""Which figure tells a sample that is slightly wrong from a real one.

    python -m benchmarks.metrics [--seeds 4] [--pairs 12] [--target NAME ...] [--save]

A sample of 2,000 points is compared with 2,000 real ones by every figure that could be the headline: real points that
were damaged a little, and the samples of a flow that has trained for too short, and for as long as it does by default.
What is printed is by how many deviations the figure stands above its mean for real points against real points, whose
deviation is taken over `--pairs` pairs; the mean over seeds. From 3 on the figure sees the damage in nearly every
sample. The spread of modes may be wrong on either side, and so its distance counts. Nothing is timed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from statistics import fmean, median, stdev
from typing import Any, TypeVar

import torch
from torch import Generator, Tensor

from benchmarks.report import Load, conditions, publish, table
from playground import run
from playground.distributions.base import Distribution
from playground.experiment import Experiment
from playground.metrics import SHARPNESS, coverage, energy_distance, mmd, sharpness_figures, sliced_w2
from playground.models.base import seeded

N = 2000
SEEN = 3.0
"""Deviations from which on a damage counts as seen."""


@dataclass(frozen=True)
class Case:
    """A target, and the width of its finest part in units of the data: of a mode, of a curve, a tenth of a square."""

    target: dict[str, Any]
    finest: float


CASES = {
    "checkerboard": Case({"kind": "checkerboard"}, 0.1),
    "two moons": Case({"kind": "two_moons"}, 0.05),
    "ring": Case({"kind": "ring"}, 0.1),
    "grid of 25": Case({"kind": "grid"}, 0.05),
    "grid of 25, spacing 2": Case({"kind": "grid", "spacing": 2.0}, 0.05),
    "spirals": Case({"kind": "spirals"}, 0.09),
    "pinwheel": Case({"kind": "pinwheel"}, 0.2),
    "Swiss roll": Case({"kind": "swiss_roll"}, 0.09),
    "two scales": Case({"kind": "two_scale"}, 0.05),
    "rings of rings": Case({"kind": "rings_of_rings"}, 0.04),
}
BANDWIDTHS = (0.02, 0.1, 0.5)
"""Of the MMD's kernel, as shares of the target's deviation."""
CUT, SHIFT = 0.04, 0.5
"""The share of the points that is cut out, and the shift in units of the finest width."""
SHORT = 400
"""Steps of a training that is too short: a tenth of the default's."""
DAMAGES = {
    "noise": "noise as wide as the finest part of the target",
    "cut out": f"{CUT:.0%} of the points cut out, those around one of them, and others in their place",
    "shift": f"all points moved by {SHIFT:g} of that width",
    "short training": f"samples of a flow after {SHORT} steps",
    "default training": "samples of a flow trained as it is by default",
}
FIGURES = ("sliced W2", "energy distance", *(f"MMD, {width:g}" for width in BANDWIDTHS), *SHARPNESS, "spread")
Figures = dict[str, float]
T = TypeVar("T")


def figures(x: Tensor, real: Tensor, target: Distribution) -> Figures:
    """Every figure of a sample (n, d) against real points (n, d); without those that there are not here."""
    deviation, modes = float(real.double().var(0).mean().sqrt()), target.separate_modes()
    found: dict[str, float | None] = {
        "sliced W2": sliced_w2(x, real),
        "energy distance": energy_distance(x, real),
        **{f"MMD, {width:g}": mmd(x, real, width * deviation) for width in BANDWIDTHS},
        **sharpness_figures(x, real),
        "spread": coverage(x, modes).spread if modes else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def cut_out(x: Tensor, more: Tensor, generator: Generator) -> Tensor:
    """Points x (n, d) without the points around one of its own, with others of `more` in their place."""
    center = x[torch.randint(len(x), (1,), generator=generator)]
    radius = (x - center).norm(dim=1).quantile(CUT)
    kept = [points[(points - center).norm(dim=1) > radius] for points in (x, more)]
    return torch.cat(kept)[: len(x)]


def damaged(case: Case, target: Distribution, seed: int) -> Iterator[tuple[str, Tensor]]:
    """(name, sample (N, d)) of every damage."""
    g = seeded(seed, 1)
    x = target.sample(N, g)
    yield "noise", x + case.finest * torch.randn(x.shape, generator=g)
    yield "cut out", cut_out(target.sample(N, g), target.sample(N, g), g)
    angle = 2 * torch.pi * torch.rand(1, generator=g)
    yield "shift", target.sample(N, g) + SHIFT * case.finest * torch.cat([angle.cos(), angle.sin()])
    for name, steps in (("short training", {"steps": SHORT}), ("default training", {})):
        trained = run(Experiment.parse({"target": case.target, "training": {"seed": seed, **steps, "device": "cpu"}}))
        yield name, trained.sample(N, seed=seed).end


def measured(case: Case, seeds: int, pairs: int) -> dict[str, Figures]:
    """By damage and figure, how many deviations of real points against real points above their mean; over seeds."""
    target, g = Experiment.parse({"target": case.target}).target.at(2), seeded(0, 21)
    against = partial(figures, target=target)
    real = [against(target.sample(N, g), target.sample(N, g)) for _ in range(pairs)]
    units = {name: (fmean(one[name] for one in real), stdev(one[name] for one in real)) for name in real[0]}
    found: dict[str, list[Figures]] = {name: [] for name in DAMAGES}
    for seed in range(seeds):
        for name, x in damaged(case, target, seed):
            of = against(x, target.sample(N, seeded(seed, 2)))
            above = {key: (of[key] - mean) / unit for key, (mean, unit) in units.items() if key in of}
            found[name].append({key: abs(value) if key == "spread" else value for key, value in above.items()})
    return {name: over(rows, fmean) for name, rows in found.items()}


def _seen(deviations: list[float]) -> str:
    return f"{sum(one >= SEEN for one in deviations)} of {len(deviations)}"


def over(rows: list[Figures], of: Callable[[list[float]], T]) -> dict[str, T]:
    """What `of` makes of the values of each figure that some row has."""
    values = {name: [row[name] for row in rows if name in row] for name in FIGURES}
    return {name: of(known) for name, known in values.items() if known}


def report(found: dict[str, dict[str, Figures]]) -> str:
    """A table over all targets, then one for each damage, from {target: {damage: {figure: deviations}}}."""
    whole, parts = [], []
    for damage, about in DAMAGES.items():
        rows = {target: of[damage] for target, of in found.items()}
        middle = over(list(rows.values()), median)
        counts = over(list(rows.values()), _seen)
        whole.append([damage, *(f"{middle[name]:.1f} ({counts[name]})" if name in middle else "–" for name in FIGURES)])
        lines = [
            [target, *(f"{of[name]:.1f}" if name in of else "–" for name in FIGURES)] for target, of in rows.items()
        ]
        parts.append(
            f"## {damage.capitalize()}\n\n{about[0].upper()}{about[1:]}.\n\n{table(['target', *FIGURES], lines)}"
        )
    words = f"The median over targets, and of how many targets the mean over seeds is {SEEN:g} or more:"
    return "\n\n".join([words, table(["damage", *FIGURES], whole), *parts])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.metrics", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--pairs", type=int, default=12, help="of real samples, for the deviations")
    parser.add_argument("--target", action="append", choices=list(CASES))
    parser.add_argument("--save", action="store_true", help="keep the report in benchmarks/results")
    given = parser.parse_args()
    torch.set_num_threads(1)
    load = Load()
    found = {name: measured(CASES[name], given.seeds, given.pairs) for name in given.target or CASES}
    how = (__doc__ or "").split("\n\n")[2].strip().replace("\n", " ")
    body = f"{conditions('benchmarks.metrics', load)}\n\n{how}\n\n{report(found)}"
    publish("metrics", f"# Which figure sees what\n\n{body}", given.save)


if __name__ == "__main__":
    main()
