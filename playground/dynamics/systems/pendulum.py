"""The pendulum in its phase plane."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from playground.dynamics.systems.base import System, Written, duration


class Pendulum(System):
    """A pendulum: angle across, angular velocity up; with friction it comes to rest."""

    about: ClassVar[str] = (
        "Near the bottom it swings like a harmonic oscillator; with more energy it goes over the top. The curve "
        "between the two kinds of motion, through (±π, 0), is the separatrix. Without friction the energy "
        "y²/2 − k cos x is conserved."
    )
    formula: ClassVar[str] = r"\dot{x} = y, \quad \dot{y} = -k \sin x - c y"
    look_for: ClassVar[str] = "Eyes around the points of rest, wavy lines above and below them."
    try_this: ClassVar[str] = "Set friction to 0, choose Euler with 50 steps, and see energy come from nowhere."

    kind: Literal["pendulum"] = "pendulum"
    k: float = Field(1.0, ge=0.1, le=10, title="k", description="Gravity over length.")
    c: float = Field(0.2, ge=0, le=5, title="Friction c", description="How strongly it is damped.")
    T: float = duration(10.0)

    def written(self) -> Written:
        return Written("y; -k*sin(x) - c*y")
