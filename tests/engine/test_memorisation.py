"""Few training points: the loss on them and on others, and how near samples come to them."""

import math

import pytest
import torch

from playground import Experiment, Run, run
from playground.engine.memorisation import losses_apart
from playground.models.base import seeded
from playground.models.contracts import HasLoss

SMALL = {"network": {"width": 64, "depth": 2}, "source": "gaussian", "target": "two_moons"}
FIGURES = ("training_loss", "held_out_loss", "nearest", "nearest_floor", "copied", "copied_floor")


@pytest.fixture(scope="module")
def by_heart():
    return run(Experiment.parse(SMALL | {"training": {"points": 16, "steps": 1500}}))


def test_few_points_are_learnt_by_heart(by_heart):
    first, last = (losses_apart(by_heart, by_heart.round().history[k]) for k in (0, -1))
    assert last.training < first.training, "it has learnt its points"
    assert last.held_out > 1.3 * last.training and last.held_out > first.held_out, "and not what they stand for"
    measured = by_heart.metrics(500)
    assert (measured["training_loss"], measured["held_out_loss"]) == last
    assert measured["nearest"] < 0.6 * measured["nearest_floor"]
    assert measured["copied"] > measured["copied_floor"]


def test_many_points_are_not(by_heart):
    limited = by_heart.experiment.model_copy(
        update={"training": by_heart.experiment.training.model_copy(update={"points": 2**14})}
    )
    apart = losses_apart(run(limited))
    assert apart.held_out == pytest.approx(apart.training, rel=0.1)


@pytest.mark.parametrize("path", ["linear", "cosine", "bridge"])
def test_the_loss_of_a_flow_is_that_of_its_velocity_point_by_point(path):
    model = {"kind": "flow_matching", "path": path}
    flow = run(Experiment.parse(SMALL | {"model": model, "training": {"steps": 20, "points": 64}})).trained()
    assert isinstance(flow, HasLoss)
    generator = seeded(3, 1)
    x0, x1 = torch.randn(400, 2, generator=generator), torch.randn(400, 2, generator=generator)
    low, high = flow.interval
    errors = []
    for _ in range(4):  # another draw of times and noise: the same expectation, by the plain sum
        for a, b in zip(x0, x1, strict=True):
            t = low + (high - low) * torch.rand(1, 1, generator=generator)
            z = torch.randn(1, 2, generator=generator) if flow.path.bridge else None
            xt, slope = flow.path.point(a[None], b[None], t, z)
            errors.append(float((flow.velocity(xt, float(t)) - slope).square().mean()))
    mean = sum(errors) / len(errors)
    spread = math.sqrt(sum((error - mean) ** 2 for error in errors) / len(errors))
    taken = sum(flow.loss(x0, x1, seed=k) for k in range(4)) / 4
    assert abs(taken - mean) < 5 * spread / math.sqrt(len(errors))
    assert flow.loss(x0, x1, seed=1) == flow.loss(x0, x1, seed=1) != flow.loss(x0, x1, seed=2)


def test_without_a_limit_there_is_nothing_to_say(small_run):
    assert losses_apart(small_run) is None
    measured = small_run.metrics(50)
    assert all(measured[name] is None for name in FIGURES)
    assert losses_apart(Run(Experiment.parse(SMALL | {"training": {"points": 16}}))) is None


def test_a_model_without_loss_or_density_has_distances_alone():
    gan = {"kind": "gan"}
    found = run(Experiment.parse(SMALL | {"model": gan, "training": {"points": 32, "steps": 5}})).metrics(50)
    assert found["training_loss"] is None and found["held_out_loss"] is None
    assert found["nearest"] > 0 and found["nearest_floor"] > 0
