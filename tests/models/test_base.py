"""The pools that training draws from, finite training sets among them."""

from __future__ import annotations

import pytest
import torch

from playground import Experiment, Run
from playground.distributions import Checkerboard, Gaussian, Ring
from playground.experiment import TrainingSettings
from playground.models.base import POOL, SOURCE, TARGET, Task, training_points
from playground.networks import Network

CUDA = torch.cuda.is_available()


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


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not CUDA, reason="no GPU"))])
def test_points_follow_the_seed_and_not_the_device(device: str) -> None:
    pools = [limited.pool(limited.target, TARGET) for limited in (task(64, seed, device) for seed in (0, 0, 1))]
    first, again, other = (pool.points.cpu() for pool in pools)
    assert torch.equal(first, again) and not distinct(first) & distinct(other)
    assert torch.equal(first, training_points(Checkerboard(), TrainingSettings(points=64), 0))


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
