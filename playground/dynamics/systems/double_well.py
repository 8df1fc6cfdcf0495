"""Downhill into one of two wells."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from playground.dynamics.systems.base import System, Written, duration


class DoubleWell(System):
    """The gradient flow of U = a (x² − 1)²/4 + b y²/2: everything runs down into the nearer of two wells."""

    about: ClassVar[str] = (
        "A gradient flow dx/dt = −∇U goes down the energy as steeply as it can, and stops at a critical point. The "
        "line x = 0 divides the plane into two basins; on it everything ends in the saddle at the origin."
    )
    formula: ClassVar[str] = r"\dot{x} = -\nabla U(x), \quad U = \frac{a}{4} (x^2 - 1)^2 + \frac{b}{2} y^2"
    look_for: ClassVar[str] = "Points that start close to each other, on either side of x = 0, end far apart."
    try_this: ClassVar[str] = "Compare it with Langevin dynamics in the same wells, where noise crosses the line."

    title: ClassVar[str] = "Gradient flow in a double well"
    kind: Literal["double_well"] = "double_well"
    a: float = Field(1.0, ge=0.1, le=10, title="a", description="How steep the wells are.")
    b: float = Field(1.0, ge=0, le=10, title="b", description="How strongly the second axis is drawn to 0.")
    T: float = duration(5.0)

    def written(self) -> Written:
        across = "x*exp(a*t)/sqrt(1 + x^2*(exp(2*a*t) - 1))"
        return Written("-a*x*(x^2 - 1); -b*y", solution=f"{across}; y*exp(-b*t)")
