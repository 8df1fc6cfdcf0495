"""An equation instead of a model: nothing is learnt, particles follow what is written."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Generator, Tensor

from playground.distributions import AnyDistribution
from playground.distributions.base import Distribution
from playground.dynamics.fokker_planck import Lattice
from playground.dynamics.implicit import ImplicitEuler, Trapezoidal
from playground.dynamics.noise import Brownian
from playground.dynamics.solvers import Adaptive, Euler, EulerMaruyama, RungeKutta, RungeKutta4, Sampler, Solver
from playground.dynamics.systems import AnySystem, Equations, System
from playground.dynamics.systems.linear import Linear
from playground.dynamics.systems.solving import Milstein, UnitField, no_noise, states
from playground.models.base import Learner, Model, Task, Weights, seeded
from playground.networks import Network
from playground.trajectory import Trajectory

LATTICE_CELLS, LINE_CELLS = (96, 96), 320
"""Cells of the lattice on which the Fokker–Planck equation is solved in the browser."""
LATTICE_POINTS = 2**18
"""Points of the source that its density on the lattice is counted from."""
POOL = 2**13
"""Points of a law that are kept; samples of it are drawn from them."""
FINE_STEPS = 400
"""Steps of RK4, or of Euler–Maruyama, that stand in for a closed form where there is none."""
LEAST_LEFT = 0.02
"""The least share of the particles that a law needs to be finite."""


class Equation(Model):
    """An ordinary or stochastic differential equation, with nothing to train."""

    about: ClassVar[str] = (
        "Particles start at the source and follow an equation over [0, T]. There is no target: where they should be at "
        "T follows from the equation, in closed form where one is known."
    )
    formula: ClassVar[str] = r"dX = f(X, t) \, dt + g(X, t) \, dW, \quad X_0 \sim \text{source}"
    look_for: ClassVar[str] = "How far a solver's paths are from the true ones, and for which steps they explode."
    try_this: ClassVar[str] = "Choose a system, then a solver, and drag Steps."
    loss_is: ClassVar[str] = "nothing: an equation is not trained"

    has_network: ClassVar[bool] = False
    has_target: ClassVar[bool] = False
    learns: ClassVar[bool] = False

    kind: Literal["equation"] = "equation"
    system: AnySystem = Field(
        Linear(), title="System", description="What particles follow.", json_schema_extra={"sampling": True}
    )

    @property
    def dim(self) -> int:
        return self.system.dim

    def check_sampler(self, source: Distribution, solver: Solver) -> None:
        if isinstance(solver, Adaptive) and self.system.equations.noisy:
            raise ValueError(no_noise(solver.label()))
        if not isinstance(solver, RungeKutta | Adaptive | ImplicitEuler | Trapezoidal | Milstein | EulerMaruyama):
            raise ValueError(
                f"{solver.label()} samples along the path of a diffusion model, which an equation does not have; "
                "choose euler, heun, rk4 or, with noise, milstein."
            )

    def reached(self, source: Distribution) -> Law:
        """The law of the particles at T, for a settled source."""
        return Law(system=self.system, source=source)

    def weight_count(self, network: Network, dim: int, condition_dim: int = 0) -> int:
        return 0

    @property
    def step_cost(self) -> None:
        return None

    def remarks(self, source: Distribution, target: Distribution) -> list[str]:
        law = self.reached(source)
        lost = 1 - _pool_of(law).share
        leaving = f"{max(lost, 0.001):.1%} of the particles leave to infinity before T, and are left out of the law."
        if lost == 1:
            leaving = "Hardly a particle stays finite until T; choose a smaller T or another source."
        named = f"Phase portrait: {self.system.classification()}." if isinstance(self.system, Linear) else None
        found = [self.system.remark(source.sample(1000, seeded(0, 1))), law.known, leaving if lost else None, named]
        return [remark for remark in found if remark]

    def rounds(self, task: Task) -> Iterator[Learner]:
        yield EquationLearner(self.system)

    def trained(self, weights: Weights, network: Network, dim: int, source: Distribution | None = None) -> EquationFlow:
        return EquationFlow(self.system, source)


class EquationLearner(Learner):
    """Has nothing to learn, and shows the numbers of its equation."""

    name = "equation"
    steps = 0

    def __init__(self, system: System) -> None:
        self._system = system

    def step(self, decay: float) -> Tensor:
        raise NotImplementedError("an equation has nothing to learn.")

    def weights(self) -> Weights:
        return {"parameters": torch.tensor(list(self._system.parameters().values()))}


@dataclass(frozen=True)
class EquationFlow:
    """A system as a trained model. Times run over [0, T]. source: the settled source, where it is known."""

    system: System
    source: Distribution | None = None

    @property
    def equations(self) -> Equations:
        """The system, ready to compute with."""
        return self.system.equations

    def velocity(self, x: Tensor, t: float) -> Tensor:
        """The drift f in Itô's sense at x (n, d) and time t."""
        return self.equations.at(self.equations.ito, x, t)

    def trajectory(self, x0: Tensor, sampler: Sampler, seed: int = 0) -> Trajectory:
        """Follows the equation from x0 (n, d); the seed fixes the Brownian paths, the same for any number of steps.

        It is followed in float64, since noise and unstable points make much of a rounding error.
        """
        equations, start = self.equations, x0.double()
        noise = Brownian(seed, start) if equations.noisy else None
        found = list(states(sampler.solver, UnitField(equations), start, sampler.times(), noise))
        return Trajectory(
            t=equations.T * torch.tensor([state.t for state in found], dtype=torch.float64),
            x=torch.stack([state.x for state in found]).to(x0.dtype),
            nfe=found[-1].nfe,
            rejected=tuple(
                (equations.T * begin, equations.T * end) for state in found for begin, end in state.rejected
            ),
        )

    def describe(self) -> dict[str, Any]:
        """The equation for another runtime: its trees, its numbers, and the solvers that are for equations alone."""
        equations = self.equations
        law = None if self.source is None else Law(system=self.system, source=self.source)
        return {
            "equation": equations.describe()
            | {
                "kind": self.system.kind_name(),
                "label": self.system.label(),
                "linear": self.system.autonomous_linear,
                "fields": self.system.model_dump(mode="json"),
                **({"lattice": lattice_of(law)} if equations.noisy and law else {}),
            },
            "dim": equations.dim,
            "samplers": ["implicit_euler", "trapezoidal", *(["milstein"] if equations.noisy else [])],
        }


@lru_cache(maxsize=64)
def lattice_of(law: Law) -> dict[str, Any]:
    """Where the Fokker–Planck equation of a law is solved, and the source's density there, for another runtime."""
    pool, dim = _pool_of(law), law.system.dim
    clouds = torch.cat([law.source.sample(POOL, seeded(0, 21)), pool.points, pool.way.flatten(0, 1)]).double()
    low, high = torch.quantile(clouds, torch.tensor([0.0005, 0.9995], dtype=torch.float64), dim=0)
    margin = 0.2 * (high - low) + 1e-3
    cells = (LINE_CELLS,) if dim == 1 else LATTICE_CELLS
    lattice = Lattice(tuple((low - margin).tolist()), tuple((high + margin).tolist()), cells)
    density = torch.from_numpy(density_on(lattice, law.source))
    return {
        "low": list(lattice.low),
        "high": list(lattice.high),
        "cells": list(cells),
        "density": wired(density),
    }


def density_on(lattice: Lattice, source: Distribution) -> npt.NDArray[np.float64]:
    """The density of a settled source on a lattice, (*cells), of mass 1.

    It is taken at the middles of cells where it is known and wide enough for that, else counted from its points.
    """
    middles = torch.from_numpy(lattice.middles.reshape(-1, len(lattice.cells)))
    logs = source.log_prob(middles)
    if logs is not None:
        p = logs.double().exp().numpy().reshape(lattice.cells)
        mass = float(p.sum()) * lattice.volume
        if abs(mass - 1) < 0.05:
            return np.asarray(p / mass)
    edges = [
        np.linspace(low, high, count + 1)
        for low, high, count in zip(lattice.low, lattice.high, lattice.cells, strict=True)
    ]
    counts, _ = np.histogramdd(source.sample(LATTICE_POINTS, seeded(0, 23)).double().numpy(), bins=edges)
    return np.asarray(counts / max(1.0, counts.sum()) / lattice.volume)


def wired(values: Tensor) -> dict[str, Any]:
    """An array for another runtime: little-endian float32 as base64."""
    numbers = np.ascontiguousarray(values.numpy(), dtype="<f4")
    return {"shape": list(values.shape), "f32": base64.b64encode(numbers.tobytes()).decode()}


class Law(Distribution):
    """The law of an equation's particles at T."""

    title: ClassVar[str] = "Law at T"
    kind: Literal["law"] = "law"
    system: AnySystem
    source: AnyDistribution

    @property
    def dim(self) -> int:
        return self.system.dim

    @property
    def known(self) -> str:
        """What the law is taken from, in a sentence."""
        equations = self.system.equations
        if equations.solved:
            what = "solution is known in closed form" if equations.parsed.solution else "law is known in closed form"
            return f"The {what}; distances are to it."
        method = "Euler–Maruyama" if equations.noisy else "RK4"
        return f"No closed form is known: {FINE_STEPS} steps of {method} stand in for it, and distances are to these."

    def draw(self, n: int, generator: Generator) -> tuple[Tensor, Tensor]:
        points = _pool_of(self).points
        rows = torch.randperm(len(points), generator=generator, device=generator.device)
        if n > len(points):
            rows = torch.randint(len(points), (n,), generator=generator, device=generator.device)
        device = generator.device
        return points.to(device)[rows[:n]], torch.zeros(n, dtype=torch.int64, device=device)

    def way(self, count: int = 8) -> Tensor:
        """Particles on their way (m, d), at `count` times."""
        return _pool_of(self).way[:count].flatten(0, 1)


@dataclass(frozen=True)
class _Pool:
    """Points of a law (m, d), the share of all particles that they are, and some on their way (times, k, d).

    Where hardly a particle stays finite the share is 0, and the points are those of the source.
    """

    points: Tensor
    share: float
    way: Tensor


WAY_POINTS, WAY_TIMES = 256, 8


@lru_cache(maxsize=64)
def _pool_of(law: Law) -> _Pool:
    equations = law.system.equations
    x0 = law.source.sample(POOL, seeded(0, 21)).double()
    shares = [(k + 1) / WAY_TIMES for k in range(WAY_TIMES)]
    if equations.solved:
        z = torch.randn(x0.shape, generator=seeded(0, 22), dtype=torch.float64)
        found = [equations.drawn(x0, share * equations.T, z) for share in shares]
    else:
        solver = Euler() if equations.noisy else RungeKutta4()
        noise = Brownian(2**31 - 5, x0) if equations.noisy else None
        times = [k / FINE_STEPS for k in range(FINE_STEPS + 1)]
        every = FINE_STEPS // WAY_TIMES
        steps = states(solver, UnitField(equations), x0, times, noise)
        found = [state.x for k, state in enumerate(steps) if k and k % every == 0]
    fine = found[-1].isfinite().all(1) & (found[-1].abs() < 1e6).all(1)
    share = float(fine.double().mean())
    way = torch.stack([at[fine][:WAY_POINTS] for at in found]).float()
    way = way.nan_to_num(0, 0, 0)
    if share < LEAST_LEFT:
        return _Pool(x0.float(), 0.0, x0[None, :WAY_POINTS].float())
    return _Pool(found[-1][fine].float(), share, way)
