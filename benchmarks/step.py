"""What a training step costs, ours beside the plain loop of autograd and torch's Adam, as ratios taken in one run.

    python -m benchmarks.step [--rounds 30] [--save]

Contenders take turns, a block of steps each, and a ratio is the median over rounds of the ratio within a round, so that
whatever else the machine does meets all of them.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Sequence
from typing import get_args

import torch
from torch import nn

from benchmarks.recipes import Recipe
from benchmarks.report import Clock, Load, conditions, publish, table
from playground.distributions import Checkerboard, Gaussian
from playground.models import FlowMatching
from playground.models.base import Learner, Optimisation, Pool, Task, seeded
from playground.models.learning import Regression
from playground.networks import ActivationName, Network

MODULES: dict[ActivationName, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "selu": nn.SELU,
}
BATCHES = (128, 256)
BLOCK = 64
"""Steps in a block: as many as ours prepares at a time at the smaller batch."""
POINTS = 2**14
"""Points in a pool, enough not to matter here."""

Step = Callable[[], object]


def ours(activation: ActivationName, batch: int, average_targets: bool) -> Step:
    """A step of the default experiment's learner: data, targets, gradient, Adam and the average of the weights."""
    task = Task(
        source=Gaussian().at(2),
        target=Checkerboard(),
        dim=2,
        network=Network(activation=activation),
        optimisation=Optimisation(batch=batch),
        seed=0,
        device=torch.device("cpu"),
    )
    learner: Learner = next(iter(FlowMatching(average_targets=average_targets).rounds(task)))
    return lambda: learner.step(1.0)


def plain(activation: ActivationName, batch: int) -> Step:
    """A step of the tutorial's loop with a network of the same shape; it keeps no average and scales nothing."""
    recipe = Recipe(activation, Network().width, MODULES[activation], batch)
    network = recipe.network()
    optimizer = torch.optim.Adam(network.parameters(), recipe.rate, fused=True)
    pool = Pool(Checkerboard().sample(POINTS, seeded(0, 1)), seeded(0, 2))
    return lambda: recipe.step(network, optimizer, pool)


def gradients(activation: ActivationName, batch: int) -> tuple[Step, Step]:
    """The gradient alone of one regression: written out, and by autograd."""
    mlp = Network(activation=activation).build(2, 2)
    regression = Regression(mlp, mlp.initial(seeded(0, 0)))
    network = Recipe(activation, Network().width, MODULES[activation], batch).network()
    inputs, targets = (torch.randn(batch, width, generator=seeded(0, width)) for width in (3, 2))

    def automatic() -> None:
        loss = (network(inputs) - targets).square().mean()
        network.zero_grad()
        loss.backward()

    return lambda: regression(inputs, targets), automatic


def compare(contenders: Sequence[Step], rounds: int) -> list[list[float]]:
    """Processor microseconds a step of each contender in each round."""
    costs: list[list[float]] = [[] for _ in contenders]
    for turn in range(rounds + 1):
        for step, kept in zip(contenders, costs, strict=True):
            with Clock() as clock:
                for _ in range(BLOCK):
                    step()
            if turn:  # the first round warms up
                kept.append(1e6 * clock.cpu / BLOCK)
    return costs


def ratio(slower: Sequence[float], faster: Sequence[float]) -> str:
    """The median over rounds with its quartiles."""
    low, middle, high = statistics.quantiles([a / b for a, b in zip(slower, faster, strict=True)], n=4)
    return f"{middle:.2f}× ({low:.2f} to {high:.2f})"


def whole_steps(rounds: int) -> str:
    rows = []
    for activation in get_args(ActivationName):
        for batch in BATCHES:
            contenders = [ours(activation, batch, True), ours(activation, batch, False), plain(activation, batch)]
            costs = compare(contenders, rounds)
            row = [activation, str(batch), *(f"{statistics.median(cost):.0f}" for cost in costs)]
            rows.append([*row, ratio(costs[2], costs[0]), ratio(costs[2], costs[1])])
    columns = ["ours, µs", "ours, plain targets, µs", "plain loop, µs", "plain / ours", "plain / ours, plain targets"]
    return table(["activation", "batch", *columns], rows)


def gradients_alone(rounds: int) -> str:
    rows = []
    for activation in get_args(ActivationName):
        for batch in BATCHES:
            written, automatic = compare(gradients(activation, batch), rounds)
            figures = [f"{statistics.median(cost):.0f}" for cost in (written, automatic)]
            rows.append([activation, str(batch), *figures, ratio(automatic, written)])
    return table(["activation", "batch", "written out, µs", "autograd, µs", "autograd / written out"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description="Microseconds of a training step, ours and a plain loop's.")
    parser.add_argument("--rounds", type=int, default=30, help="blocks of steps that each contender takes")
    parser.add_argument("--save", action="store_true", help="keep the report in benchmarks/results")
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    load = Load()
    steps, alone = whole_steps(given.rounds), gradients_alone(given.rounds)
    machine = conditions("benchmarks.step", load)
    publish("step", REPORT.format(machine=machine, steps=steps, alone=alone), given.save)


REPORT = """# A training step

3×64, from N(0, I) to the checkerboard. Medians of processor microseconds a step; ratios are medians, with quartiles, of
the ratios within a round. Ours draws its data, averages its targets over the batch, takes the gradient that is written
out, updates with Adam and averages the weights; with plain targets it leaves out the second. The plain loop draws from
the same kind of pool, takes the gradient by autograd and updates with torch's fused Adam: no scaling, no average.

{machine}

{steps}

The gradient alone:

{alone}"""


if __name__ == "__main__":
    main()
