"""How sharp the default training is: KL(target ‖ model), strays and modes on ten targets, beside the plain network's.

    python -m benchmarks.sharpness [--seeds 3] [--steps 4000] [--points 1000] [--target NAME] [--save]

The KL is the mean of log p_true − log p_model over real points, by an adaptive solution of the flow's divergence for
each point. "Plain" is the same training without what makes the default sharp: ReLU, no Fourier features, training times
spread evenly and a learning rate that falls as the inverse square root.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from benchmarks.report import Load, conditions, keep, table
from playground.distributions import Distribution, Grid
from playground.engine.training import Training
from playground.experiment import Experiment
from playground.metrics import coverage, floor, sliced_w2
from playground.metrics.likelihood import excess
from playground.models.base import seeded
from playground.models.contracts import HasDensity

TARGETS: dict[str, Any] = {
    "checkerboard": "checkerboard",
    "grid, spacing 2": Grid(spacing=2, std=0.05).model_dump(),
    "grid, spacing 1": "grid",
    "spirals": "spirals",
    "rings of rings": "rings_of_rings",
    "pinwheel": "pinwheel",
    "two scales": "two_scale",
    "two moons": "two_moons",
    "ring": "ring",
    "Swiss roll": "swiss_roll",
}
PLAIN: dict[str, Any] = {
    "network": {"activation": "relu", "features": 0},
    "model": {"kind": "flow_matching", "times": "uniform"},
    "training": {"decay": "inverse_sqrt"},
}
RECIPES: dict[str, dict[str, Any]] = {"default": {}, "plain": PLAIN}
SAMPLES = 4000


@dataclass(frozen=True)
class Found:
    """One training: nats of KL and their standard error, shares of samples, sliced W2 over its floor, its cost."""

    target: str
    recipe: str
    kl: float
    error: float
    within: float | None
    off: float | None
    ratio: float
    seconds: float
    steps: int


def judged(name: str, recipe: str, seed: int, steps: int, points: int) -> Found:
    """Trains by a recipe, on the thread's own clock, and measures the end."""
    given = RECIPES[recipe]
    training = {**given.get("training", {}), "steps": steps, "seed": seed, "device": "cpu"}
    experiment = Experiment.parse({"target": TARGETS[name], **given, "training": training})
    stream = Training(experiment, every=None, clock=time.thread_time)
    for _ in stream:
        pass
    run, target = stream.run, experiment.target.at(2)
    model = run.trained()
    assert isinstance(model, HasDensity)
    real = target.sample(points, seeded(seed, 77))
    known, learnt = target.log_prob(real), model.log_prob(real)
    assert known is not None and learnt is not None
    lack = excess(known, learnt)
    ends = run.sample(SAMPLES, steps=60, solver="heun", seed=seed).end
    modes, density = target.separate_modes(), target.log_prob(ends)
    assert density is not None
    bounded = bool((density == -math.inf).any())
    least = _floor(target)
    return Found(
        name,
        recipe,
        math.inf if lack.value is None else lack.value,
        lack.error or 0.0,
        None if modes is None else coverage(ends, modes).high_quality,
        float((density == -math.inf).double().mean()) if bounded else None,
        sliced_w2(ends, target.sample(SAMPLES, seeded(seed, 78))) / least,
        run.round().seconds,
        run.round().steps,
    )


def _floor(target: Distribution) -> float:
    return floor(target, SAMPLES, ("sliced_w2",), seeded(0, 13), pairs=8)["sliced_w2"] or math.nan


def summary(found: Sequence[Found]) -> str:
    """For each target and recipe the mean over seeds, with the least and the most KL."""
    rows = []
    for target in dict.fromkeys(one.target for one in found):
        for recipe in RECIPES:
            group = [one for one in found if (one.target, one.recipe) == (target, recipe)]
            if not group:
                continue
            nats = [one.kl for one in group]
            spread = "" if len(group) == 1 else f" ({min(nats):.3f} to {max(nats):.3f})"
            rows.append(
                [
                    target,
                    recipe,
                    str(len(group)),
                    f"{statistics.mean(nats):.3f}{spread}",
                    f"{statistics.mean(one.error for one in group):.3f}",
                    _share([one.within for one in group]),
                    _share([one.off for one in group]),
                    f"{statistics.mean(one.ratio for one in group):.2f}",
                    f"{statistics.mean(1e6 * one.seconds / one.steps for one in group):.0f}",
                ]
            )
    header = ["target", "recipe", "seeds", "KL, nats", "± of each", "within 3σ", "off the support"]
    return table([*header, "sliced W2 ÷ floor", "µs a step"], rows)


def _share(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{100 * statistics.mean(known):.1f} %" if known else "–"


def main() -> None:
    parser = argparse.ArgumentParser(description="How sharp the default training is, on ten targets.")
    parser.add_argument("--seeds", type=int, default=3, help="seeds of the default")
    parser.add_argument("--plain-seeds", type=int, default=1, help="seeds of the plain network")
    parser.add_argument("--steps", type=int, default=4000, help="gradient steps of every training")
    parser.add_argument("--points", type=int, default=1000, help="real points that the KL is taken on")
    parser.add_argument("--target", choices=TARGETS, action="append", help="only this target; may be repeated")
    parser.add_argument("--save", action="store_true", help="keep the report in benchmarks/results")
    given = parser.parse_args()
    if min(given.seeds, given.steps, given.points - 1) < 1 or given.plain_seeds < 0:
        parser.error("it takes at least one seed, one step and two points.")
    torch.set_num_threads(1)
    load, found = Load(), list[Found]()
    for seed in range(max(given.seeds, given.plain_seeds)):
        for name in given.target or TARGETS:
            for recipe, seeds in (("default", given.seeds), ("plain", given.plain_seeds)):
                if seed >= seeds:
                    continue
                found.append(judged(name, recipe, seed, given.steps, given.points))
                print(f"seed {seed}: {found[-1]}", file=sys.stderr, flush=True)
                report = REPORT.format(
                    steps=given.steps,
                    points=given.points,
                    samples=SAMPLES,
                    machine=conditions("benchmarks.sharpness", load),
                    summary=summary(found),
                )
                if given.save:  # each time: what an hour has measured should outlast an interruption
                    keep("sharpness", report)
    print(report)


REPORT = """# Sharpness

Flow matching from N(0, I) by {steps:,} steps of training, measured at its end: KL(target ‖ model) in nats on {points:,}
real points, the mean of log p_true − log p_model with its standard error, solved for with a step size for each point;
and by {samples:,} samples of 60 Heun steps the share within 3σ of a mode (98.9 % of real points are), the share off the
target's support, and sliced W2 over its real-against-real floor, once, so that it is noise to a quarter. The plain
network has ReLU, no Fourier features, training times spread evenly and a rate that falls as the inverse square root.
Microseconds are the training thread's processor time; other work on the machine slows a step for both alike.

{machine}

{summary}"""


if __name__ == "__main__":
    main()
