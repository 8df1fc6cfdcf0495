"""Exact log-densities of a flow, by the instantaneous change of variables.

Along a solution of dx/dt = v(x, t) the density of the particles obeys d log p_t(x_t)/dt = −∇·v(x_t, t) (Chen et al.
2018, theorem 1; FFJORD, Grathwohl et al. 2019, eq. 3). In one to three dimensions the divergence is the exact trace of
the Jacobian, so that the only error is the solver's.

Densities that are to be right are solved for with a step size for each point (`solved_log_prob`); those that are to be
looked at, on steps that all points share.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from playground.dynamics.separate import solve_separately
from playground.dynamics.solvers import RungeKutta4, Sampler, Velocity
from playground.trajectory import Trajectory

FINE = Sampler(solver=RungeKutta4(), steps=40)
"""A solution on fixed steps that is fine enough for most fields."""

COARSE = Sampler(solver=RungeKutta4(), steps=20)
"""One that is fine enough to look at."""

TOLERANCE = 1e-4
"""Of each step in the points, as a share of 1 + their size, where the steps are chosen."""

ROUGHER = 5
"""The log-density, whose error averages out over points, may miss by so many times as much: along a network with kinks
it is a sum of jumps."""

LogDensity = Callable[[Tensor], Tensor]
"""Points (n, d) → log-densities in nats (n,)."""

Diverging = Callable[[Tensor, Tensor | float], tuple[Tensor, Tensor]]
"""Points (n, d) and their times, (n, 1) or one for all → their velocities (n, d) and the divergence there (n,)."""


def differentiated(field: Callable[[Tensor, Any], Tensor]) -> Diverging:
    """Any velocity field with its divergence, by one directional derivative along each axis."""

    def diverging(x: Tensor, t: Tensor | float) -> tuple[Tensor, Tensor]:
        velocity, divergence = x, x.new_zeros(len(x))
        for axis, direction in enumerate(torch.eye(x.shape[1]).to(x)):
            along = direction.expand_as(x).contiguous()
            velocity, slope, *_ = torch.func.jvp(lambda y: field(y, t), (x,), (along,))
            divergence = divergence + slope[:, axis]
        return velocity, divergence

    return diverging


def solved_log_prob(field: Diverging, start: LogDensity, x: Tensor, interval: tuple[float, float]) -> Tensor:
    """The log-density in nats at x (n, d) of what the field makes of particles that begin with density `start`: (n,).

    The points are carried back from the end of the interval to its beginning, each in steps of its own that keep the
    error of the mean within a hundredth of a nat. NaN where one cannot be solved for. x should be in float64.
    """
    first, last = interval

    def slope(state: Tensor, t: Tensor) -> Tensor:
        velocity, divergence = field(state[:, :-1], t)
        return torch.cat([velocity, divergence[:, None]], dim=1)

    state = torch.cat([x, x.new_zeros(len(x), 1)], dim=1)
    back = solve_separately(slope, state, last, first, TOLERANCE, [1.0] * x.shape[1] + [ROUGHER]).state
    return start(back[:, :-1]) + back[:, -1]


def log_prob(
    field: Diverging, start: LogDensity, x: Tensor, interval: tuple[float, float], sampler: Sampler = FINE
) -> Tensor:
    """The same on the steps of a sampler, which all points share.

    Raises Unsolved where an adaptive sampler cannot keep to its tolerance.
    """
    first, last = interval
    state = torch.cat([x, x.new_zeros(len(x), 1)], dim=1)
    back = sampler.integrate(_carrying(field), state, last, first).end
    return start(back[:, :-1]) - back[:, -1]


def log_prob_along(
    field: Diverging, start: LogDensity, x: Tensor, interval: tuple[float, float], sampler: Sampler = FINE
) -> tuple[Trajectory, Tensor]:
    """Carries particles from x (n, d), where their log-density is `start`: their path, and log p_t (T, n) along it."""
    state = torch.cat([x, start(x)[:, None]], dim=1)
    moved = sampler.integrate(_carrying(field), state, *interval)
    return replace(moved, x=moved.x[..., :-1]), moved.x[..., -1]


def log_prob_through(
    field: Diverging, log_density: Tensor, x: Tensor, t: float, interval: tuple[float, float], sampler: Sampler = FINE
) -> tuple[Tensor, Tensor]:
    """Times (T,) and log p there (T, n) along the ways of particles that are at x (n, d) at time t, to both ends.

    log_density: log p_t at x (n,).
    """
    state = torch.cat([x, log_density[:, None]], dim=1)
    first, last = interval
    ways = []
    if t > first:
        back = sampler.integrate(_carrying(field), state, t, first)
        ways.append((back.t.flip(0), back.x[..., -1].flip(0)))
    if t < last or not ways:
        onward = sampler.integrate(_carrying(field), state, t, last)
        ways.append((onward.t[bool(ways) :], onward.x[bool(ways) :, :, -1]))
    times, found = zip(*ways, strict=True)
    return torch.cat(times), torch.cat(found)


def _carrying(field: Diverging) -> Velocity:
    """The field of particles (n, d + 1) that carry log p_t in their last column."""

    def velocity(state: Tensor, t: float) -> Tensor:
        slope, divergence = field(state[:, :-1], t)
        return torch.cat([slope, -divergence[:, None]], dim=1)

    return velocity
