"""Predators and prey."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field
from torch import Tensor

from playground.dynamics.systems.base import System, Written, duration


class LotkaVolterra(System):
    """Predators and prey: closed orbits around a point of balance, at which neither grows."""

    about: ClassVar[str] = (
        "Prey x grows by itself and is eaten by predators y, who starve without it. "
        "V = δ x − γ log x + β y − α log y is conserved, so that all orbits in the positive quadrant are closed."
    )
    formula: ClassVar[str] = r"\dot{x} = \alpha x - \beta x y, \quad \dot{y} = \delta x y - \gamma y"
    look_for: ClassVar[str] = "Particles on outer orbits need longer for a turn, so that a cloud is wound up."
    try_this: ClassVar[str] = "Euler with 60 steps does not close its orbits; RK4 does."

    title: ClassVar[str] = "Lotka–Volterra"
    kind: Literal["lotka_volterra"] = "lotka_volterra"
    alpha: float = Field(1.0, ge=0.1, le=5, title="α", description="How fast prey grows.")
    beta: float = Field(1.0, ge=0.1, le=5, title="β", description="How much a predator eats.")
    delta: float = Field(1.0, ge=0.1, le=5, title="δ", description="How well predators live on it.")
    gamma: float = Field(1.0, ge=0.1, le=5, title="γ", description="How fast predators starve.")
    T: float = duration(7.0)

    def written(self) -> Written:
        return Written("alpha*x - beta*x*y; delta*x*y - gamma*y")

    def remark(self, x: Tensor) -> str | None:
        if float((x < 0).any(1).float().mean()) < 0.001:
            return None
        return (
            "Lotka–Volterra is about positive numbers; choose a source such as gaussian with mean 1.5, 1 and std 0.2."
        )
