"""What a GAN's step costs beside the plainest PyTorch loop: processor microseconds, in one run.

    python -m benchmarks.gan_step [--rounds 12] [--save]

The plain loop is what tutorials write: two nn.Sequential, torch.optim.Adam, two backward passes, the same data from
the same pool. Ours is the product's own training with a snapshot ten times a second made into the message that the
page gets. Both take turns in blocks; ratios are medians over the blocks' pairs.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.report import Clock, Load, conditions, publish, table
from playground import Experiment
from playground.engine.training import Training
from playground.models.base import Pool, seeded
from playground.ui import messages

BATCH = 256
BLOCK = 40
VARIANTS: dict[str, dict[str, Any]] = {"non-saturating": {"r1": 0, "r2": 0}, "with R1 and R2": {"r1": 0.02, "r2": 0.02}}
WIDTHS = (64, 128)


def network(inputs: int, width: int, outputs: int) -> nn.Sequential:
    sizes = [inputs, width, width, width]
    layers: list[nn.Module] = []
    for inner, outer in pairwise(sizes):
        layers += [nn.Linear(inner, outer), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(width, outputs))


def plain(pool: Pool, width: int, r1: float = 0.0, r2: float = 0.0) -> Callable[[], None]:
    """One step of both players, written as tutorials write it."""
    torch.manual_seed(0)
    generator, critic = network(2, width, 2), network(2, width, 1)
    to_generator = torch.optim.Adam(generator.parameters(), 1e-3, betas=(0.5, 0.9))
    to_critic = torch.optim.Adam(critic.parameters(), 1e-3, betas=(0.5, 0.9))

    def penalty(x: Tensor) -> Tensor:
        x = x.detach().requires_grad_()
        (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
        return slope.square().sum(1).mean() / 2

    def step() -> None:
        real, fake = pool.batch(BATCH), generator(torch.randn(BATCH, 2)).detach()
        loss = F.softplus(-critic(real)).mean() + F.softplus(critic(fake)).mean()
        if r1:
            loss = loss + r1 * penalty(real) + r2 * penalty(fake)
        to_critic.zero_grad()
        loss.backward()
        to_critic.step()
        loss = F.softplus(-critic(generator(torch.randn(BATCH, 2)))).mean()
        to_generator.zero_grad()
        loss.backward()
        to_generator.step()

    return step


def streamed(width: int, model: dict[str, Any]) -> Iterator[int]:
    """Our training, streaming as on the page: yields after each block of steps how many it had."""
    experiment = Experiment.parse(
        {
            "target": {"kind": "grid", "spacing": 2},
            "model": {"kind": "gan", **model},
            "network": {"kind": "mlp", "width": width, "depth": 3},
            "training": {"steps": 100_000, "batch": BATCH, "device": "cpu"},
        }
    )
    training = Training(experiment, every=0.1)
    before = 0
    for taken in training:
        messages.snapshot("benchmark", training.run, taken)
        if taken.step - before >= BLOCK:
            yield taken.step - before
            before = taken.step


def compared(width: int, model: dict[str, Any], rounds: int) -> tuple[float, float, float]:
    """Median microseconds a step of the plain loop and of ours, and the median ratio of ours to it."""
    target = Experiment.parse({"target": {"kind": "grid", "spacing": 2}}).target
    step = plain(Pool(target.sample(2**17, seeded(0, 2)), seeded(0, 2)), width, **model)
    ours = streamed(width, model)
    next(ours)
    for _ in range(BLOCK):
        step()
    costs: list[tuple[float, float]] = []
    for _ in range(rounds):
        mine, theirs = Clock(), Clock()
        with mine:
            count = next(ours)
        with theirs:
            for _ in range(count):
                step()
        costs.append((1e6 * theirs.cpu / count, 1e6 * mine.cpu / count))
    ratios = [b / a for a, b in costs]
    return statistics.median(a for a, _ in costs), statistics.median(b for _, b in costs), statistics.median(ratios)


def main() -> None:
    parser = argparse.ArgumentParser(description="What a GAN's step costs beside the plainest loop.")
    parser.add_argument("--rounds", type=int, default=12, help="pairs of blocks of each comparison")
    parser.add_argument("--save", action="store_true", help="keep the report in benchmarks/results")
    given = parser.parse_args()
    torch.set_num_threads(1)
    load, rows = Load(), []
    for width in WIDTHS:
        for name, model in VARIANTS.items():
            theirs, ours, ratio = compared(width, model, given.rounds)
            row = [f"3×{width}, {name}", f"{theirs:.0f}", f"{ours:.0f}", f"{1e6 / ours:.0f}", f"{ratio:.2f}"]
            rows.append(row)
    header = [f"batch {BATCH}", "plain loop, µs", "ours, streaming, µs", "ours, steps a second", "ratio"]
    report = REPORT.format(machine=conditions("benchmarks.gan_step", load), rows=table(header, rows))
    publish("gan_step", report, given.save)


REPORT = """# A GAN's step

One step of the critic and one of the generator. Medians of processor microseconds; ratios are medians over pairs of
blocks taken in turn. Ours includes a snapshot ten times a second, packed as the page gets it.

{machine}

{rows}"""


if __name__ == "__main__":
    main()
