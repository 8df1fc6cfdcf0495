"""The pools that training draws from, finite training sets among them."""

from __future__ import annotations

import pytest
import torch

from playground import Experiment, Run
from playground.distributions import Checkerboard, Gaussian, Ring
from playground.experiment import TrainingSettings
from playground.models.base import POOL, SOURCE, TARGET, Task, training_points
from playground.networks import Network


def task(points: int | None, seed: int = 0, device: str = "cpu") -> Task:
    return Task(
        source=Gaussian(dimension=2),
        target=Checkerboard(),
        dim=2,
        network=Network(),
        optimisation=TrainingSettings(points=points),
        seed=seed,
        device=torch.device(device),
    )


def distinct(points: torch.Tensor) -> set[tuple[float, ...]]:
    return set(map(tuple, points.tolist()))


@pytest.mark.parametrize("n", [16, 100, 4096])
def test_the_pool_of_the_target_has_exactly_the_training_points(n: int) -> None:
    """However long it deals, and whatever the batch."""
    limited = task(n)
    pool = limited.pool(limited.target, TARGET)
    expected = training_points(limited.target, limited.optimisation, limited.seed)
    assert expected is not None and expected.shape == (n, 2)
    assert torch.equal(pool.points, expected)
    assert len(distinct(expected)) == n
    dealt = torch.cat([pool.batch(batch) for batch in (10, 64, 256, 8192) for _ in range(8)])
    assert distinct(dealt) == distinct(expected)
    assert torch.equal(limited.pool(limited.target, 7).points, expected), "on any stream"


def test_the_source_is_never_limited() -> None:
    limited = task(16)
    assert len(limited.pool(limited.source, SOURCE).points) == POOL
    same = Ring()
    both = Task(same, same, 2, limited.network, limited.optimisation, 0, limited.device)
    assert len(both.pool(both.source, SOURCE).points) == POOL
    assert len(both.pool(both.target, TARGET).points) == 16


def test_without_a_limit_nothing_changes_and_fewer_points_are_among_more() -> None:
    free = task(None)
    everything = free.pool(free.target, TARGET).points
    assert training_points(free.target, free.optimisation, 0) is None
    assert len(everything) == POOL
    for n in (16, 1000, 2**16):
        points = training_points(free.target, TrainingSettings(points=n), 0)
        assert torch.equal(points, everything[:n])


def test_points_follow_the_seed_and_not_the_device() -> None:
    points = [task(64, seed).pool(Checkerboard(), TARGET).points for seed in (0, 1)]
    first, second = (training_points(Checkerboard(), TrainingSettings(points=64), seed) for seed in (0, 1))
    assert not torch.equal(first, second)
    assert len(points[0]) == POOL, "an equal object that is not the target is not limited"
    # Points are drawn on the CPU whatever the device: the pool of another is a copy of them.
    elsewhere = task(64, 0, "meta")
    generator = torch.Generator().manual_seed(0)
    object.__setattr__(elsewhere, "generator", lambda stream: generator)
    assert elsewhere.pool(elsewhere.target, TARGET).points.shape == (64, 2)
    assert first.device.type == "cpu"


def test_a_run_tells_its_training_points() -> None:
    experiment = Experiment.parse({"target": "ring", "training": {"points": 32, "seed": 5}})
    points = Run(experiment).training_points()
    assert torch.equal(points, training_points(experiment.target, experiment.training, 5))
    assert points.shape == (32, 2)
    assert Run(Experiment()).training_points() is None
    limited = Task(
        experiment.source.at(2),
        experiment.target.at(2),
        2,
        experiment.network,
        experiment.training,
        experiment.training.seed,
        torch.device("cpu"),
    )
    assert torch.equal(limited.pool(limited.target, TARGET).points, points)
    assert not distinct(Run(experiment).real(500)) & distinct(points), "what is held out is other points"
