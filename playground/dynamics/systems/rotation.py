"""A rotation at constant speed, out of which Euler's method spirals."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from playground.dynamics.systems.base import System, Written, duration


class Rotation(System):
    """A turn at constant speed ω: every orbit is a circle, and |x| never changes."""

    about: ClassVar[str] = (
        "The eigenvalues ±iω are purely imaginary. Euler's factor a step is 1 ± i h ω, whose size is above 1 for "
        "every h: its paths spiral outwards however small the step. RK4 is stable up to h ω = 2√2, the trapezoidal "
        "rule keeps the radius exactly."
    )
    formula: ClassVar[str] = r"\dot{x} = -\omega y, \quad \dot{y} = \omega x"
    look_for: ClassVar[str] = "Whether circles close: Euler spirals out, implicit Euler spirals in."
    try_this: ClassVar[str] = "Go through the solvers at 20 steps and watch the radius."
    autonomous_linear: ClassVar[bool] = True

    kind: Literal["rotation"] = "rotation"
    omega: float = Field(1.0, ge=-20, le=20, title="ω", description="Radians in a unit of time.")
    T: float = duration(6.283)

    def written(self) -> Written:
        turned = "x*cos(omega*t) - y*sin(omega*t); x*sin(omega*t) + y*cos(omega*t)"
        return Written("-omega*y; omega*x", solution=turned)
