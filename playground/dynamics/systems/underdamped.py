"""Underdamped Langevin dynamics in its phase plane."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from playground.dynamics.systems.base import System, Written, duration


class UnderdampedLangevin(System):
    """Position and velocity in a double well, with friction and noise on the velocity alone."""

    about: ClassVar[str] = (
        "Noise acts on the velocity y, and reaches the position x only through it, so that x has a derivative. "
        "The stationary law is exp(−β (U(x) + y²/2))/Z for every friction γ; large γ is the overdamped limit, small "
        "γ nearly conserves energy."
    )
    formula: ClassVar[str] = (
        r"dX = Y \, dt, \quad dY = -U'(X) \, dt - \gamma Y \, dt + \sqrt{2 \gamma / \beta} \, dW, \quad "
        r"U = \frac{a}{4} (x^2 - 1)^2"
    )
    look_for: ClassVar[str] = "Orbits around either well that widen and narrow by chance, and now and then cross over."
    try_this: ClassVar[str] = "Set γ to 0.05: particles circle for long before they change their well."
    group: ClassVar[str] = "SDE"

    title: ClassVar[str] = "Underdamped Langevin"
    kind: Literal["underdamped_langevin"] = "underdamped_langevin"
    a: float = Field(4.0, ge=0.1, le=20, title="a", description="The barrier is a/4 high.")
    gamma: float = Field(
        0.5, ge=0, le=20, title="Friction γ", description="How strongly velocity is damped and shaken."
    )
    beta: float = Field(2.0, ge=0.1, le=20, title="β", description="One over the temperature.")
    T: float = duration(10.0)

    def written(self) -> Written:
        return Written("y; -a*x*(x^2 - 1) - gamma*y", "0; sqrt(2*gamma/beta)")
