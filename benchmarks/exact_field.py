"""How long the exact field takes to carry 2,000 particles, and how much memory.

    python -m benchmarks.exact_field [--repeats 3] [--save]

One torch thread; processor seconds of the best of a few repeats, and the growth of the process's peak memory.
"""

from __future__ import annotations

import argparse
import resource

import torch

from benchmarks.report import Clock, Load, conditions, publish, table
from playground.distributions import Checkerboard, Gaussian
from playground.dynamics.exact import ExactField, Normals
from playground.dynamics.paths import LinearPath
from playground.dynamics.solvers import Euler, Heun, Sampler, Solver
from playground.models.base import seeded
from playground.models.exact import ExactFlow, moments_of

PARTICLES = 2000
STEPS = 50
COUNTS = (8, 512, 2_000, 10_000, 20_000)


def flow(count: int, widths: bool) -> ExactFlow:
    """The flow to `count` points of the checkerboard, or to as many round Gaussians of different widths."""
    target = Normals.points(Checkerboard().sample(count, seeded(0, 1)))
    if widths:
        spread = 0.05 + 0.1 * torch.rand(count, 1, 1, generator=seeded(0, 2), dtype=torch.float64)
        target = Normals(target.centers, spread**2 * torch.eye(2, dtype=torch.float64), target.weights)
    return ExactFlow(ExactField(LinearPath(), moments_of(Gaussian(dimension=2)), target))


def seconds(model: ExactFlow, solver: Solver, repeats: int) -> float:
    """Processor seconds of one trajectory, the best of a few."""
    x0 = torch.randn(PARTICLES, 2, generator=seeded(0, 3))
    found = []
    for _ in range(repeats):
        with Clock() as clock:
            model.trajectory(x0, Sampler(solver=solver, steps=STEPS))
        found.append(clock.cpu)
    return min(found)


def peak() -> float:
    """The process's peak memory in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description="Seconds that the exact field takes.")
    parser.add_argument("--repeats", type=int, default=3, help="trajectories of which the fastest counts")
    parser.add_argument("--save", action="store_true", help="keep the report in benchmarks/results")
    given = parser.parse_args()
    torch.set_num_threads(1)
    load, rows = Load(), []
    seconds(flow(8, False), Euler(), 1)
    for count in COUNTS:
        before = peak()
        row = [
            f"{count:,}",
            *(f"{seconds(flow(count, False), solver, given.repeats):.2f}" for solver in (Euler(), Heun())),
        ]
        row.append(f"{peak() - before:.0f}")
        row.append(f"{seconds(flow(count, True), Euler(), 1):.2f}" if count <= 2_000 else "–")
        rows.append(row)
    header = ["components", "Euler, s", "Heun, s", "memory, MB", "of different widths, Euler, s"]
    report = REPORT.format(machine=conditions("benchmarks.exact_field", load), rows=table(header, rows))
    publish("exact_field", report, given.save)


REPORT = """# The exact field

2,000 particles and 50 steps from N(0, I) along straight paths, towards points of the checkerboard. A matrix of all
particles and 10,000 points would take 80 MB.

{machine}

{rows}"""


if __name__ == "__main__":
    main()
