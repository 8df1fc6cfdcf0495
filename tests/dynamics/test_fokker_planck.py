"""The Fokker–Planck equation against the closed forms, and what the scheme promises: mass, positivity, equilibrium."""

from __future__ import annotations

import math

import numpy as np
import pytest

from playground.dynamics.fokker_planck import Lattice, bernoulli, l1, solve_fokker_planck, tridiagonal
from playground.dynamics.systems.brownian import BrownianMotion
from playground.dynamics.systems.custom import Custom
from playground.dynamics.systems.geometric_brownian import GeometricBrownian
from playground.dynamics.systems.langevin import LangevinDoubleWell
from playground.dynamics.systems.ornstein_uhlenbeck import OrnsteinUhlenbeck
from playground.dynamics.systems.underdamped import UnderdampedLangevin


def normal(lattice: Lattice, mean: float, std: float) -> np.ndarray:
    """The means of N(mean, std² I) over the cells, normalised."""
    p = np.ones(lattice.cells)
    for axis, (low, width, count) in enumerate(zip(lattice.low, lattice.widths, lattice.cells, strict=True)):
        edges = (low + width * np.arange(count + 1) - mean) / (std * math.sqrt(2))
        share = 0.5 * np.diff([math.erf(edge) for edge in edges]) / width
        p = p * share.reshape([-1 if k == axis else 1 for k in range(len(lattice.cells))])
    return p


def last(equations, lattice, start, steps):
    return list(solve_fokker_planck(equations, lattice, start, steps, each=steps))[-1][1]


def test_the_bernoulli_function_is_smooth_and_does_not_overflow():
    x = np.array([-1e4, -600, -1.0, -1e-9, 0.0, 1e-9, 1e-3, 1.0, 600, 1e4])
    found = bernoulli(x)
    assert np.isfinite(found).all() and (found >= 0).all()
    assert found[4] == 1
    np.testing.assert_allclose(found[2] - found[7], 1.0)  # B(−x) − B(x) = x
    np.testing.assert_allclose(found[:2], [1e4, 600])


def test_tridiagonal_systems_are_solved():
    rng = np.random.default_rng(0)
    below, above, right = rng.random((4, 3)), rng.random((4, 3)), rng.random((5, 3))
    diagonal = 3 + rng.random((5, 3))
    found = tridiagonal(below, diagonal, above, right)
    for k in range(3):
        matrix = np.diag(diagonal[:, k]) + np.diag(below[:, k], -1) + np.diag(above[:, k], 1)
        np.testing.assert_allclose(matrix @ found[:, k], right[:, k])


@pytest.mark.parametrize("axes", [1, 2])
def test_an_ornstein_uhlenbeck_process_has_its_closed_form(axes):
    system = OrnsteinUhlenbeck(theta=1.0, mu=0.3, sigma=1.0, axes=axes, T=1.0)
    cells, steps = ((400,), 2000) if axes == 1 else ((160, 160), 1000)
    lattice = Lattice((-3.0,) * axes, (4.0,) * axes, cells)
    start = normal(lattice, 1.0, 0.5)
    found = last(system.equations, lattice, start, steps)
    mean = 0.3 + 0.7 * math.exp(-1)
    std = math.sqrt(0.25 * math.exp(-2) + 0.5 * (1 - math.exp(-2)))
    assert l1(found, normal(lattice, mean, std), lattice) <= 1e-3
    assert abs(found.sum() - start.sum()) * lattice.volume < 1e-10
    assert (found >= 0).all()


def test_brownian_motion_has_its_closed_form():
    system = BrownianMotion(sigma=0.8, T=1.0)
    lattice = Lattice((-6.0,), (6.0,), (600,))
    found = last(system.equations, lattice, normal(lattice, 0.0, 0.5), 3000)
    assert l1(found, normal(lattice, 0.0, math.sqrt(0.25 + 0.64)), lattice) <= 1e-3
    assert abs(found.sum() * lattice.volume - 1) < 1e-10


@pytest.mark.parametrize("calculus", ["ito", "stratonovich"])
def test_noise_that_depends_on_the_place_has_the_law_of_its_calculus(calculus):
    system = GeometricBrownian(mu=0.1, sigma=0.5, calculus=calculus, T=0.5)
    lattice = Lattice((0.02,), (5.02,), (1000,))
    x = lattice.middles[:, 0]
    start = normal(lattice, 1.0, 0.1)
    found = last(system.equations, lattice, start, 2000)
    rate = 0.1 if calculus == "ito" else 0.1 + 0.5 * 0.25
    volume = lattice.volume
    assert (found * x).sum() * volume == pytest.approx(math.exp(0.5 * rate), rel=1e-3)
    assert abs(found.sum() * volume - start.sum() * volume) < 1e-10


def test_the_scheme_keeps_the_boltzmann_density_and_tends_to_it():
    system = LangevinDoubleWell(a=2.0, b=1.0, beta=2.0, T=30.0)
    lattice = Lattice((-2.5, -3.5), (2.5, 3.5), (60, 60))
    x, y = lattice.middles[..., 0], lattice.middles[..., 1]
    boltzmann = np.exp(-2.0 * (0.5 * (x**2 - 1) ** 2 + 0.5 * y**2))
    boltzmann /= boltzmann.sum() * lattice.volume
    found = last(system.equations, lattice, normal(lattice, -1.0, 0.3), 300)
    assert l1(found, boltzmann, lattice) < 0.02
    # It holds still to the accuracy of the grid, whatever the step.
    assert l1(last(system.equations, lattice, boltzmann, 3), boltzmann, lattice) < 0.01


@pytest.mark.parametrize("steps", [1, 2, 7])
@pytest.mark.parametrize("system", [UnderdampedLangevin(T=3.0), Custom(field="y; -x", noise="0; 0.01*x", T=3.0)])
def test_mass_is_conserved_and_nothing_is_negative_however_long_the_step(system, steps):
    lattice = Lattice((-3.0, -4.0), (3.0, 4.0), (40, 50))
    start = normal(lattice, 0.5, 0.4)
    found = last(system.equations, lattice, start, steps)
    assert abs(found.sum() - start.sum()) * lattice.volume < 1e-10
    assert (found >= 0).all()


def test_without_noise_or_with_another_shape_it_is_refused():
    lattice = Lattice((-1.0,), (1.0,), (10,))
    with pytest.raises(ValueError, match="choose a system with noise"):
        last(Custom(field="x").equations, lattice, np.ones(10), 1)
    with pytest.raises(ValueError, match="does not fit"):
        last(BrownianMotion().equations, lattice, np.ones(9), 1)
