"""The counter-based noise: the published numbers, the right law, one Brownian path whatever the grid."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from scipy import stats

from playground.dynamics.grids import grid
from playground.dynamics.noise import CELLS, Brownian, normals, threefry


def words(*values: int):
    return tuple(np.array([value], dtype=np.uint32) for value in values)


@pytest.mark.parametrize(
    ("key", "counter", "expected"),
    [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_threefry_gives_the_known_answers_of_its_authors(key, counter, expected):
    """Random123's kat_vectors for threefry2x32 with 20 rounds."""
    assert tuple(int(word[0]) for word in threefry(words(*key), words(*counter))) == expected


def test_the_numbers_are_normal_and_independent_of_each_other():
    particles = np.arange(4000, dtype=np.uint32)
    one = normals(7, particles, 3, 3)
    assert one.shape == (4000, 3)
    for axis in range(3):
        assert stats.kstest(one[:, axis], "norm").pvalue > 1e-3
    others = [normals(8, particles, 3, 3), normals(7, particles, 4, 3), normals(7, particles + 1, 3, 3)]
    columns = np.concatenate([one, *others], axis=1)
    correlation = np.corrcoef(columns.T) - np.eye(12)
    assert np.abs(correlation).max() < 5 / math.sqrt(4000)


def read(times, seed=3, n=6, dim=2, **about):
    noise = Brownian(seed, torch.zeros(n, dim, dtype=torch.float64), times[0], times[-1], **about)
    return torch.stack([noise(t, after) * math.sqrt(after - t) for t, after in itertools.pairwise(times)])


@pytest.mark.parametrize("name", ["uniform", "quadratic", "cosine"])
@pytest.mark.parametrize("steps", [1, 2, 7, 50, CELLS, 333])
def test_every_grid_ends_on_the_same_path(name, steps):
    whole = read([0.0, 1.0])
    torch.testing.assert_close(read(grid(name, 0.0, 1.0, steps)).sum(0), whole.sum(0))


def test_coarse_steps_are_sums_of_fine_ones():
    fine, coarse = read(grid("uniform", 0.1, 0.9, 64)), read(grid("uniform", 0.1, 0.9, 8))
    torch.testing.assert_close(fine.view(8, 8, 6, 2).sum(1), coarse)


@pytest.mark.parametrize("steps", [3, 100, 300])
def test_increments_have_the_variance_of_their_time_and_do_not_know_each_other(steps):
    """Also where many steps share a cell."""
    times = grid("quadratic", 0.0, 1.0, steps)
    noise = Brownian(1, torch.zeros(3000, 2, dtype=torch.float64))
    z = torch.stack([noise(t, after) for t, after in itertools.pairwise(times)])
    assert (z.mean(dim=(1, 2)).abs() < 5 / math.sqrt(6000)).all()
    assert ((z.square().mean(dim=(1, 2)) - 1).abs() < 5 * math.sqrt(2 / 6000)).all()
    lagged = (z[1:] * z[:-1]).mean(dim=(1, 2))
    assert (lagged.abs() < 5 / math.sqrt(6000)).all()


def test_particles_may_be_divided_and_begin_later():
    times = grid("uniform", 0.0, 1.0, 10)
    torch.testing.assert_close(read(times, first=4, n=2), read(times)[:, 4:])
    noise = Brownian(3, torch.zeros(6, 2, dtype=torch.float64))
    torch.testing.assert_close(noise(0.5, 1.0) * math.sqrt(0.5), read([0.0, 0.5, 1.0])[1])


def test_the_numbers_have_the_type_of_the_particles():
    assert Brownian(0, torch.zeros(2, 2))(0.0, 1.0).dtype == torch.float32
