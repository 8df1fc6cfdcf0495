"""Overdamped Langevin dynamics in a double well."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from playground.dynamics.systems.base import System, Written, duration


class LangevinDoubleWell(System):
    """dX = −∇U dt + √(2/β) dW in a double well: noise that crosses the barrier now and then."""

    about: ClassVar[str] = (
        "Gradient descent with noise. Its stationary law is the Boltzmann density exp(−β U)/Z, whatever it started "
        "from; how long it takes to cross the barrier grows as exp(β a/4) (Kramers)."
    )
    formula: ClassVar[str] = (
        r"dX = -\nabla U \, dt + \sqrt{2/\beta} \, dW, \quad U = \frac{a}{4} (x^2 - 1)^2 + \frac{b}{2} y^2"
    )
    look_for: ClassVar[str] = "First both wells fill from where the particles are, then the wells exchange particles."
    try_this: ClassVar[str] = "Start on the left alone and raise β: the right well stays empty."
    group: ClassVar[str] = "SDE"

    title: ClassVar[str] = "Langevin in a double well"
    kind: Literal["langevin_double_well"] = "langevin_double_well"
    a: float = Field(4.0, ge=0.1, le=20, title="a", description="The barrier is a/4 high.")
    b: float = Field(1.0, ge=0.1, le=10, title="b", description="How strongly the second axis is drawn to 0.")
    beta: float = Field(2.0, ge=0.1, le=20, title="β", description="One over the temperature.")
    T: float = duration(5.0)

    def written(self) -> Written:
        return Written("-a*x*(x^2 - 1); -b*y", "sqrt(2/beta); sqrt(2/beta)")
