"""Brownian motion."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from playground.dynamics.systems.base import System, Written, duration

Axes = Literal[1, 2]


def axes(default: Axes = 1) -> Axes:
    """How many axes a system has that would do with any number."""
    field: Axes = Field(default, title="Axes", description="Drawn over time in one dimension, in the plane in two.")
    return field


class BrownianMotion(System):
    """dX = σ dW: independent normal increments, X_t ∼ N(x0, σ² t)."""

    about: ClassVar[str] = (
        "W has independent increments W_t − W_s ∼ N(0, t − s) and continuous paths that are nowhere differentiable. "
        "Its quadratic variation over [0, T] is σ² T on every path."
    )
    formula: ClassVar[str] = r"dX = \sigma \, dW, \quad X_t \sim \mathcal{N}(x_0, \sigma^2 t)"
    look_for: ClassVar[str] = "The cloud grows as √t, not as t; more steps show more detail of the same path."
    try_this: ClassVar[str] = "Drag Steps: the path stays the same and only gains corners."
    group: ClassVar[str] = "SDE"

    title: ClassVar[str] = "Brownian motion"
    kind: Literal["brownian"] = "brownian"
    sigma: float = Field(1.0, ge=0.01, le=10, title="σ", description="How far it spreads in a unit of time.")
    axes: Axes = axes()
    T: float = duration(1.0)

    def written(self) -> Written:
        if self.axes == 1:
            return Written("0", "sigma", solution="x + sigma*w")
        return Written("0; 0", "sigma; sigma", solution="x + sigma*w; y + sigma*v")
