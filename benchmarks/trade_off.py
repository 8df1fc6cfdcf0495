"""Autoregression against diffusion on the same targets, with the same hidden layers: likelihood, sampling, evaluations.

    python -m benchmarks.trade_off [--steps 4000] [--seed 0] [--save]

One torch thread; milliseconds are processor time, the best of three. Diffusion is flow matching along the variance
preserving path, sampled by Heun along its probability flow; its likelihood is the integral of the divergence. Then what
guidance by a condition or by an earlier snapshot costs in evaluations and in coverage, and what the grid of times does.
"""

from __future__ import annotations

import argparse
from typing import Any

import torch

from benchmarks.report import Clock, Load, conditions, publish, table
from playground import Experiment, Run, run
from playground.metrics import coverage, floor, sliced_w2
from playground.metrics.classes import class_figures, overall
from playground.models.base import seeded

TARGETS = ("checkerboard", "two_moons", "ring")
SAMPLES, REAL = 2000, 1000
AUTOREGRESSIVE: dict[str, dict[str, Any]] = {
    "bins of a grid": {"kind": "autoregressive", "conditionals": "grid"},
    "mixture of logistics": {"kind": "autoregressive", "conditionals": "logistics"},
    "coarse to fine": {"kind": "autoregressive", "conditionals": "coarse_to_fine"},
}
DIFFUSION = {"kind": "flow_matching", "path": "vp"}
GUIDED: dict[str, dict[str, Any]] = {
    "grid of 25, spacing 2": {"target": {"kind": "grid", "spacing": 2.0}},
    "ring of classes, std 0.25": {"target": {"kind": "ring", "std": 0.25}, "condition": {"labels": True}},
}
"""What is guided."""
PLAIN: dict[str, dict[str, Any]] = {"unguided": {}, "unguided, grid karras": {"grid": "karras"}}
BY_CONDITION: dict[str, dict[str, Any]] = {
    "guidance 2": {"guidance": 2.0},
    "guidance 2, t from 0.5 to 1": {"guidance": 2.0, "guidance_from": 0.5},
    "guidance 2, t from 0.6 to 0.9": {"guidance": 2.0, "guidance_from": 0.6, "guidance_to": 0.9},
}
BY_ITSELF: dict[str, dict[str, Any]] = {
    f"autoguidance {w:g}, guide at {share:g} of the steps": {"autoguidance": w, "guide": share}
    for w in (1.5, 2.0, 3.0)
    for share in (0.1, 0.25, 0.5)
}
GUIDED_STEPS = 25
"""Steps of Heun's method, of which each costs two evaluations, and four where it is guided."""


def milliseconds(work: Any) -> float:
    """Processor time of the fastest of three."""
    found = []
    for _ in range(3):
        with Clock() as clock:
            work()
        found.append(clock.cpu)
    return 1000 * min(found)


def row(label: str, trained: Run, steps: int | None) -> list[str]:
    """The figures of one model, sampled in so many steps where it has a choice."""
    model, real = trained.trained(), trained.real(REAL)
    known = model.log_prob(real)
    inside = known[known.isfinite()]
    drawn = trained.sample(SAMPLES, steps=steps, solver="heun" if steps else None)
    target = trained.experiment.target.at(trained.dim)
    least = floor(target, SAMPLES, ("sliced_w2",), seeded(0, 13), pairs=8)["sliced_w2"]
    ratio = sliced_w2(drawn.end, trained.real(SAMPLES)) / least
    sampling = milliseconds(lambda: trained.sample(SAMPLES, steps=steps, solver="heun" if steps else None))
    return [
        label,
        f"{-float(inside.mean()) - target.entropy():.3f}",
        f"{milliseconds(lambda: model.log_prob(real)):.0f}",
        str(drawn.nfe),
        f"{sampling:.1f}",
        f"{ratio:.1f}",
    ]


def guided_rows(trained: Run) -> list[list[str]]:
    """What each kind of guidance makes of one run: NFE, in class, within 3σ of a mode, coverage, spread."""
    real, real_labels = trained.labelled(SAMPLES)
    modes, labels = trained.experiment.target.at(trained.dim).separate_modes(), trained.conditions(SAMPLES)
    assert modes is not None, "targets whose modes stand apart"
    own = modes if labels is not None else None
    if labels is None:
        labels = real_labels = torch.zeros(SAMPLES, dtype=torch.long)
    found = []
    for label, sampling in (PLAIN | (BY_CONDITION if own else {}) | BY_ITSELF).items():
        drawn = trained.sample(SAMPLES, steps=GUIDED_STEPS, solver="heun", **sampling)
        figures = overall(class_figures(drawn.end, labels, real, real_labels, own), labels)
        shares = (figures.in_class if own else None, coverage(drawn.end, modes).high_quality, figures.coverage)
        numbers = ["–" if value is None else f"{value:.2f}" for value in (*shares, figures.spread)]
        found.append([label, str(drawn.nfe), *numbers])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Autoregression against diffusion.")
    parser.add_argument("--steps", type=int, default=4000, help="training steps of each")
    parser.add_argument("--seed", type=int, default=0, help="seed of all trainings")
    parser.add_argument("--save", action="store_true", help="keep the report in benchmarks/results")
    given = parser.parse_args()
    torch.set_num_threads(1)
    load, parts = Load(), []
    training = {"steps": given.steps, "seed": given.seed}
    for target in TARGETS:
        rows = []
        for label, model in AUTOREGRESSIVE.items():
            trained = run(Experiment.parse({"target": target, "model": model, "training": training}))
            rows.append(row(f"autoregressive, {label}", trained, None))
        trained = run(Experiment.parse({"target": target, "model": DIFFUSION, "training": training}))
        rows += [row(f"diffusion, {2 * steps} evaluations", trained, steps) for steps in (1, 4, 16, 50)]
        head = [
            "",
            "NLL − entropy",
            f"ms for {REAL:,} log p",
            "NFE",
            f"ms for {SAMPLES:,} samples",
            "sliced W2 / floor",
        ]
        parts.append(f"## {target.replace('_', ' ')}\n\n{table(head, rows)}")
    words = (
        "An autoregressive likelihood is exact and costs one call; a sample costs one call for each coordinate (or "
        "scale), so that the cost grows with the dimension, and what is drawn first is never revised: the first "
        "coordinates can be given, the others not. A diffusion's likelihood is an integral; a sample costs as many "
        "calls as one likes, in any dimension, and every one of them can be guided or held to known parts. On "
        f"{REAL:,} points the first column is uncertain by about 0.03 nats."
    )
    parts.append(
        "## What guidance costs\n\nThe default flow, its weights those at the end, and "
        f"{SAMPLES:,} points by Heun in {GUIDED_STEPS} steps. Coverage is the share of real points near which there is "
        "a sample, within the distance of their 5th nearest neighbour, among as many of both: .97 for a perfect "
        "sample; spread is that of the points against the target's, of classes against each one's."
    )
    head = ["", "NFE", "in class", "within 3σ", "coverage", "spread"]
    for label, about in GUIDED.items():
        rows = guided_rows(run(Experiment.parse({**about, "training": training})))
        parts.append(f"### {label[0].upper()}{label[1:]}\n\n{table(head, rows)}")
    body = "\n\n".join([words, *parts])
    publish(
        "trade_off",
        f"# Autoregression against diffusion\n\n{body}\n\n{conditions('benchmarks.trade_off', load)}\n",
        given.save,
    )


if __name__ == "__main__":
    main()
