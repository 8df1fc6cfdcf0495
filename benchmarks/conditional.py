"""What a coupling does to conditional samples, and what guidance does to their diversity.

    python -m benchmarks.conditional [--seeds 3] [--steps 4000] [--save]

Eight Gaussians to two moons whose moon is told, as in figure 1 of C²OT (Cheng and Schwing 2025): squared W2 of each
class's samples to its real points, mean over the classes.
"""

from __future__ import annotations

import argparse
import statistics

import torch

from benchmarks.report import Load, conditions, publish, table
from playground import Experiment, Run, run
from playground.dynamics.solvers import Dopri5, Euler, Sampler
from playground.engine.guidance import guidance_figures
from playground.metrics import w2
from playground.models.base import seeded
from playground.models.contracts import HasCondition

SOURCE = {"kind": "ring", "modes": 8, "radius": 5.0, "std": 0.316}
MOONS = {"kind": "two_moons", "noise": 0.05, "scale": 2.0}
COUPLINGS = ("independent", "optimal_transport", "class_optimal_transport")
SAMPLERS = {"Euler, 1 step": Sampler(solver=Euler(), steps=1), "dopri5": Sampler(solver=Dopri5())}
CONTENDERS = (
    ("ring", "exact", "mlp"),
    ("ring", "flow_matching", "mlp"),
    ("ring", "flow_matching", "film"),
    ("checkerboard", "flow_matching", "mlp"),
    ("checkerboard", "flow_matching", "film"),
)
"""Targets, models and networks whose guidance is measured."""
POINTS = 2000
"""Of all classes together."""


def trained(coupling: str, told: bool, steps: int, seed: int) -> Run:
    """A run from eight Gaussians to two moons, told which moon or not."""
    model = {"kind": "flow_matching", "coupling": coupling}
    training = {"steps": steps, "seed": seed}
    given = {"source": SOURCE, "target": MOONS, "model": model, "training": training, "condition": {"labels": told}}
    return run(Experiment.parse(given))


def real(finished: Run, label: int, n: int, stream: int) -> torch.Tensor:
    """Draw n real points of a class."""
    x, labels = finished.experiment.target.at(2).draw(8 * n, seeded(1, stream))
    return x[labels == label][:n]


def conditional_error(finished: Run, sampler: Sampler) -> float:
    """Squared W2 to the real points of each class, mean over the classes."""
    model, n = finished.trained(), POINTS // 2
    assert isinstance(model, HasCondition)
    errors = []
    for label in (0, 1):
        x0 = finished.starts(n, seed=label)
        end = model.given(torch.tensor([label])).trajectory(x0, sampler).end
        errors.append(squared(end, real(finished, label, n, 20)))
    return statistics.fmean(errors)


def whole_error(finished: Run, sampler: Sampler) -> float:
    """Squared W2 to the real points of both classes together, of a model that is told nothing."""
    return squared(finished.trained().trajectory(finished.starts(POINTS), sampler).end, finished.real(POINTS))


def squared(x: torch.Tensor, y: torch.Tensor) -> float:
    distance = w2(x, y)
    assert distance is not None
    return distance**2


def couplings(seeds: int, steps: int) -> str:
    rows = []
    for told, error in ((False, whole_error), (True, conditional_error)):
        for coupling in COUPLINGS:
            found: dict[str, list[float]] = {name: [] for name in SAMPLERS}
            for seed in range(seeds):
                finished = trained(coupling, told, steps, seed)
                for name, sampler in SAMPLERS.items():
                    found[name].append(error(finished, sampler))
            columns = [f"{statistics.fmean(values):.3f} ± {spread(values):.3f}" for values in found.values()]
            rows.append([coupling, "its moon" if told else "nothing", *columns])
    floors = [squared(real(finished, k, POINTS // 2, 20), real(finished, k, POINTS // 2, 21)) for k in (0, 1)]
    rows.append(["real points", "its moon", *[f"{statistics.fmean(floors):.3f}"] * len(SAMPLERS)])
    return table(["coupling", "told", *SAMPLERS], rows)


def spread(values: list[float]) -> float:
    return statistics.stdev(values) if len(values) > 1 else 0.0


def guidance(steps: int) -> str:
    rows = []
    for target, model, network in CONTENDERS:
        training = {"steps": steps}
        told = {"target": target, "condition": {"labels": True}}
        given = told | {"model": model, "network": network, "training": training}
        for w, row in (guidance_figures(run(Experiment.parse(given))) or {}).items():
            names = ("in_class", "high_quality", "coverage", "spread")
            figures = ["–" if row[name] is None else f"{row[name]:.3f}" for name in names]
            rows.append([f"{target}, {'exact field' if model == 'exact' else network}", w, str(row["nfe"]), *figures])
    return table(["target and field", "w", "NFE", "in class", "high quality", "coverage", "spread"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description="Couplings and guidance of conditional flows.")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each coupling")
    parser.add_argument("--steps", type=int, default=4000, help="steps of each training")
    parser.add_argument("--save", action="store_true", help="keep the report in benchmarks/results")
    given = parser.parse_args()
    torch.set_num_threads(1)
    load = Load()
    pairs, strengths = couplings(given.seeds, given.steps), guidance(given.steps)
    machine = conditions("benchmarks.conditional", load)
    publish("conditional", REPORT.format(machine=machine, pairs=pairs, strengths=strengths), given.save)


REPORT = """# Conditional flows

Eight Gaussians (radius 5, std .316) to two moons (scale 2): squared W2 to real points, 1,000 a class; mean ± standard
deviation over the seeds. Plain optimal transport helps a model that is told nothing, and spoils one that is told the
class, because each class then has sources of its own; within classes it helps both.

{machine}

{pairs}

What guidance does to classes, from N(0, I), Heun 25 steps, 2,000 points: in class is the share whose nearest real point
is of the class asked for; high quality the share within 3σ of their own mode; coverage the share of real points that
have a sample near (Naeem et al. 2020; .97 of a perfect sample); spread is relative to the exact class. The exact field
is that of the ring's Gaussians in closed form: what guidance costs with a perfect network.

{strengths}"""


if __name__ == "__main__":
    main()
