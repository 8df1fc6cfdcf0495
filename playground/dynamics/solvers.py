"""Solvers: a field and starting points in, the successive states out, with the evaluations they cost."""

from __future__ import annotations

from typing import Annotated, Any, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from playground.choice import FROM_NAME, Settings
from playground.dynamics.adaptive import Adaptive, BogackiShampine, Dopri5, Unsolved
from playground.dynamics.churned import EulerMaruyama, StochasticHeun, StochasticMidpoint
from playground.dynamics.grids import GridName, grid
from playground.dynamics.guiding import Guiding
from playground.dynamics.implicit import ImplicitEuler, Trapezoidal
from playground.dynamics.noise import Brownian
from playground.dynamics.path import Path
from playground.dynamics.process import DiffusionSampler, Process
from playground.dynamics.runge_kutta import (
    Euler,
    Heun,
    Midpoint,
    RungeKutta,
    RungeKutta4,
    Solver,
    State,
    Tableau,
    Velocity,
    runge_kutta,
)
from playground.dynamics.samplers import DDIM, Ancestral, DPMSolver
from playground.dynamics.systems.solving import Milstein
from playground.trajectory import Trajectory

__all__ = [
    "DDIM",
    "Adaptive",
    "Ancestral",
    "AnySolver",
    "BogackiShampine",
    "DPMSolver",
    "DiffusionSampler",
    "Dopri5",
    "Euler",
    "EulerMaruyama",
    "Heun",
    "ImplicitEuler",
    "Midpoint",
    "Milstein",
    "Process",
    "RungeKutta",
    "RungeKutta4",
    "Sampler",
    "Solver",
    "State",
    "StochasticHeun",
    "StochasticMidpoint",
    "Tableau",
    "Trapezoidal",
    "Unsolved",
    "Velocity",
    "runge_kutta",
]

AnySolver = Annotated[
    Euler
    | Midpoint
    | Heun
    | RungeKutta4
    | Dopri5
    | BogackiShampine
    | EulerMaruyama
    | StochasticMidpoint
    | StochasticHeun
    | Ancestral
    | DDIM
    | DPMSolver
    | ImplicitEuler
    | Trapezoidal
    | Milstein,
    Field(discriminator="kind"),
    FROM_NAME,
]


class Sampler(Settings):
    """How a trained field is turned into samples."""

    solver: AnySolver = Field(Heun(), title="Solver", description="The method that follows the velocity field.")
    steps: int = Field(
        50,
        ge=1,
        le=1000,
        title="Steps",
        description="How many steps the solver takes from source to target; adaptive solvers choose their own.",
    )
    grid: GridName = Field(
        "uniform",
        title="Time grid",
        description="Where the steps are: uniform; late: a little denser towards the target, for few steps; quadratic: "
        "dense there; cosine: dense towards the source; karras: dense where little noise is left, as EDM has it. "
        "Adaptive solvers place their own.",
        json_schema_extra={"advanced": True},
    )
    guidance: float = Field(
        1.0,
        ge=0,
        le=20,
        title="Guidance",
        description="w in v = v∅ + w (v_c − v∅), for a conditional model: 1 is the field of the condition, 0 that of "
        "all together, more exaggerates what tells the condition apart and costs two evaluations for one.",
    )
    autoguidance: float = Field(
        1.0,
        ge=0,
        le=20,
        title="Autoguidance",
        description="w in v = v_early + w (v − v_early), guidance by the same network as it was earlier in training: 1 "
        "is the field alone, more goes on where training went. Costs two evaluations for one, and diversity.",
    )
    guide: float = Field(
        0.25,
        ge=0,
        lt=1,
        title="Guide",
        description="How far trained the network was that guides, as a share of the steps; the nearest snapshot that "
        "is kept. The less, the more diversity it costs.",
        json_schema_extra={"advanced": True, "step": 0.01},
    )
    guidance_from: float = Field(
        0.0,
        ge=0,
        lt=1,
        title="Guided from",
        description="The time t from which guidance, of either kind, is in force; 0 is the source.",
        json_schema_extra={"advanced": True, "step": 0.01},
    )
    guidance_to: float = Field(
        1.0,
        gt=0,
        le=1,
        title="Guided until",
        description="The time t until which guidance is in force; outside it costs nothing and spends no diversity.",
        json_schema_extra={"advanced": True, "step": 0.01},
    )

    @model_validator(mode="after")
    def _one_guidance(self) -> Self:
        if self.guidance_from >= self.guidance_to:
            raise ValueError(
                f"guidance is in force from guidance_from to guidance_to, and {self.guidance_from:g} is not before "
                f"{self.guidance_to:g}; choose a smaller guidance_from."
            )
        if self.guidance != 1 and self.autoguidance != 1:
            raise ValueError(
                "guidance by a condition and by an earlier snapshot do not go together; leave sampler.guidance or "
                "sampler.autoguidance at 1."
            )
        return self

    def guided(self) -> dict[str, float]:
        """The fields that say how the field is guided, by their names."""
        return self.model_dump(include={"guidance", "guidance_from", "guidance_to", "autoguidance", "guide"})

    @property
    def guiding(self) -> Guiding:
        """How the field is guided, if it is."""
        return Guiding(self.guidance, self.autoguidance, (self.guidance_from, self.guidance_to))

    @model_validator(mode="before")
    @classmethod
    def _churned(cls, given: Any) -> Any:
        """`churn: 0.5` beside no solver, or one without churn of its own, stands for stochastic_midpoint with it.

        A churn of 0 leaves the solver.
        """
        if not isinstance(given, dict) or "churn" not in given:
            return given
        rest = {key: value for key, value in given.items() if key != "churn"}
        solver = rest.get("solver", "stochastic_midpoint")
        kind = solver.get("kind") if isinstance(solver, dict) else solver
        if kind in ("euler_maruyama", "stochastic_midpoint"):
            return rest | {"solver": {"kind": kind, "churn": given["churn"]}}
        if given["churn"] == 0:
            return rest
        if kind not in ("euler", "midpoint", "heun"):
            raise ValueError(
                "churn is a setting of the solvers stochastic_midpoint and euler_maruyama; choose one of them, or "
                "leave churn out."
            )
        return rest | {"solver": {"kind": "stochastic_midpoint", "churn": given["churn"]}}

    def times(self, start: float = 0.0, stop: float = 1.0, path: Path | None = None) -> list[float]:
        """The times that are given to the solver: those of the grid, for an adaptive one only the ends."""
        return [start, stop] if self.solver.adaptive else grid(self.grid, start, stop, self.steps, path)

    def integrate(
        self, field: Velocity, x0: Tensor, start: float = 0.0, stop: float = 1.0, seed: int = 0
    ) -> Trajectory:
        """Carries x0 (n, d) along the field from time start to stop; all states are kept.

        seed: fixes the Brownian paths of a stochastic solver, which are the same for any number of steps. Samplers of
        diffusions ask for a field that is a Process. Raises Unsolved, a ValueError, where an adaptive solver cannot
        keep to its tolerance, and ValueError where the field does not tell what the solver has to know.
        """
        noise = Brownian(seed, x0, start, stop) if self.solver.stochastic else None
        path = field.path if isinstance(field, Process) else None
        times = self.times(start, stop, path)
        if path is not None and not self.solver.adaptive:
            times = path.snapped(times)
        states = list(self.solver.states(field, x0, times, noise))
        return Trajectory(
            t=torch.tensor([state.t for state in states], dtype=torch.float64),
            x=torch.stack([state.x for state in states]),
            nfe=states[-1].nfe,
            rejected=tuple(interval for state in states for interval in state.rejected),
        )

    def describe(self) -> dict[str, Any]:
        """As the browser's sampler takes it: {"solver", "steps", "grid"}, for adaptive solvers also "rtol", "atol"."""
        solver = self.solver.model_dump()
        return {"solver": solver.pop("kind"), "steps": self.steps, "grid": self.grid, **solver}
