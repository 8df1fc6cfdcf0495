"""What pairing costs and what it buys: microseconds a training step, and how straight the flow becomes.

    python -m benchmarks.coupling [--steps 4096] [--save]

Pairs are made in bursts, so that a cost is the mean over all steps, first pairs included, and not a median. Each
coupling and the independent one, with plain targets on both sides, take turns in blocks of steps.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import torch

from benchmarks.report import Clock, Load, conditions, publish, table
from playground import Experiment, run
from playground.dynamics.coupling_figures import coupling_figures
from playground.dynamics.couplings import (
    ClassOptimalTransportCoupling,
    Coupling,
    IndependentCoupling,
    OptimalTransportCoupling,
    SinkhornCoupling,
)
from playground.models import FlowMatching
from playground.models.base import Optimisation, Task, seeded
from playground.networks import Network

BATCH = 256
BLOCK = 128
COUPLINGS: dict[str, Coupling] = {
    "optimal transport, 64": OptimalTransportCoupling(batch=64),
    "optimal transport, 256": OptimalTransportCoupling(),
    "optimal transport, 1024": OptimalTransportCoupling(batch=1024),
    "within classes, 256": ClassOptimalTransportCoupling(),
    "entropic, ε = 0.5, 256": SinkhornCoupling(epsilon=0.5),
    "entropic, ε = 0.1, 256": SinkhornCoupling(epsilon=0.1),
}
QUALITY: dict[str, dict[str, object]] = {
    "independent": {},
    "optimal transport": {"coupling": "optimal_transport"},
    "within classes": {"coupling": "class_optimal_transport"},
    "entropic, ε = 0.5": {"coupling": {"kind": "sinkhorn", "epsilon": 0.5}},
    "entropic under bridges, σ = 0.5": {"coupling": "sinkhorn", "path": "bridge"},
}
TARGET = {"kind": "ring", "radius": 4, "std": 0.2}


def costs(coupling: Coupling, steps: int) -> tuple[float, float]:
    """Mean processor microseconds a step with this coupling, and with the independent one in the same minutes."""
    experiment = Experiment.parse({"target": "checkerboard"})
    contenders = []
    for pairing in (coupling, IndependentCoupling()):
        task = Task(
            source=experiment.source.at(2),
            target=experiment.target,
            dim=2,
            network=Network(),
            optimisation=Optimisation(batch=BATCH),
            seed=0,
            device=torch.device("cpu"),
        )
        (learner,) = FlowMatching(coupling=pairing, average_targets=False).rounds(task)
        contenders.append((learner, Clock()))
    for _ in range(steps // BLOCK):
        for learner, clock in contenders:
            with clock:
                for _ in range(BLOCK):
                    learner.step(1.0)
    paired, independent = (1e6 * clock.cpu / steps for _, clock in contenders)
    return paired, independent


def of_steps(steps: int) -> str:
    rows = []
    for name, coupling in COUPLINGS.items():
        paired, independent = costs(coupling, steps)
        row = [name, f"{coupling.uses}", f"{paired:.0f}", f"{independent:.0f}", f"{paired / independent - 1:+.0%}"]
        rows.append(row)
    return table(["coupling, paired together", "uses of a pair", "µs a step", "independent, µs", "added"], rows)


def of_flows() -> str:
    rows = []
    for name, model in QUALITY.items():
        trained = run(Experiment.parse({"target": TARGET, "model": {"kind": "flow_matching", **model}}))
        found = trained.metrics(n=2000)
        one, eight, fine = (found["by_nfe"][nfe]["sliced_w2"] for nfe in ("1", "8", "100"))
        rows.append([name, *_shown([one, eight, fine, found["straightness"], found["npe"], found["transport_cost"]])])
    floor = f"{found['floor']['sliced_w2']:.3f}"
    header = ["flow", "sliced W2, 1 step", "8", "100", "straightness", "NPE", "transport cost"]
    return f"{table(header, rows)}\n\nThe floor of sliced W2 is {floor}."


def of_pairs() -> str:
    experiment = Experiment.parse({"target": TARGET})
    rows = []
    for name, coupling in {"independent": IndependentCoupling(), **COUPLINGS}.items():
        generator, parts = seeded(0, 1), []
        together = coupling.together or 2048
        for _ in range(2048 // together):
            x0 = experiment.source.at(2).sample(together, generator)
            x1, labels = experiment.target.draw(together, generator)
            partner = coupling.partners(x0, x1, generator, labels)
            parts.append((x0, x1[partner], labels[partner]))
        figures = coupling_figures(*(torch.cat(part) for part in zip(*parts, strict=True)))
        rows.append([name, *_shown([figures.cost, figures.variance, figures.class_shift or 0.0])])
    return table(["coupling, paired together", "cost", "V(X0, X1)", "what a class moves its sources by"], rows)


def _shown(values: Sequence[float]) -> list[str]:
    return [f"{value:.3f}" for value in values]


def main() -> None:
    parser = argparse.ArgumentParser(description="What pairing costs a training step, and what it does to the flow.")
    parser.add_argument("--steps", type=int, default=4096, help="training steps over which costs are averaged")
    parser.add_argument("--save", action="store_true", help="keep the report in benchmarks/results")
    given = parser.parse_args()
    torch.set_num_threads(1)
    load = Load()
    steps, pairs, flows = of_steps(given.steps), of_pairs(), of_flows()
    machine = conditions("benchmarks.coupling", load)
    publish("coupling", REPORT.format(machine=machine, batch=BATCH, steps=steps, pairs=pairs, flows=flows), given.save)


REPORT = """# Couplings

Mean processor microseconds a training step of 3×64 at batch {batch}, from N(0, I) to the checkerboard, all pairing
included.

{machine}

{steps}

2,048 pairs from N(0, I) to a ring of radius 4, whose classes are its clouds:

{pairs}

Flows from N(0, I) to that ring after the default training, by Euler steps:

{flows}"""


if __name__ == "__main__":
    main()
