"""An oscillator with a limit cycle."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from playground.dynamics.systems.base import System, Written, duration


class VanDerPol(System):
    """An oscillator that damps large swings and drives small ones: all paths end on one limit cycle."""

    about: ClassVar[str] = (
        "The friction μ (1 − x²) y drives while |x| < 1 and damps beyond. By Liénard's theorem there is exactly one "
        "closed orbit, and it attracts everything but the origin. For large μ it is stiff: slow along the branches, "
        "fast between them."
    )
    formula: ClassVar[str] = r"\dot{x} = y, \quad \dot{y} = \mu (1 - x^2) y - x"
    look_for: ClassVar[str] = "A cloud that becomes a curve: the limit cycle, from inside and outside."
    try_this: ClassVar[str] = "Raise μ to 8 and compare the steps that Dormand–Prince takes."

    title: ClassVar[str] = "Van der Pol oscillator"
    kind: Literal["van_der_pol"] = "van_der_pol"
    mu: float = Field(1.0, ge=0, le=10, title="μ", description="How strongly it is driven and damped.")
    T: float = duration(10.0)

    def written(self) -> Written:
        return Written("y; mu*(1 - x^2)*y - x")
