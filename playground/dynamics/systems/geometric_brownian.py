"""Geometric Brownian motion, read in Itô's or in Stratonovich's sense."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from playground.dynamics.systems.base import Calculus, System, Written, duration

CALCULUS: dict[str, Any] = {"labels": {"ito": "Itô", "stratonovich": "Stratonovich"}}


class GeometricBrownian(System):
    """dX = μ X dt + σ X dW: growth whose rate is noisy, as of prices; what dW means decides how fast it grows."""

    about: ClassVar[str] = (
        "The noise depends on X, so that the same equation says two things. Itô evaluates σ X at the beginning of each "
        "instant, and log X drifts by μ − σ²/2; Stratonovich in its middle, and log X drifts by μ. The mean grows as "
        "e^{μt} in Itô's sense and as e^{(μ + σ²/2) t} in Stratonovich's."
    )
    formula: ClassVar[str] = (
        r"dX = \mu X \, dt + \sigma X \, dW"
        "\n"
        r"\text{Itô:} \quad X_t = x_0 \exp((\mu - \frac{1}{2} \sigma^2) t + \sigma W_t)"
        "\n"
        r"\text{Stratonovich:} \quad X_t = x_0 \exp(\mu t + \sigma W_t)"
    )
    look_for: ClassVar[str] = "The median moves when the calculus is changed, while every W stays the same."
    try_this: ClassVar[str] = "Set μ to 0 and go from Itô to Stratonovich: the whole cloud drifts upwards."
    group: ClassVar[str] = "SDE"

    title: ClassVar[str] = "Geometric Brownian motion"
    kind: Literal["geometric_brownian"] = "geometric_brownian"
    mu: float = Field(0.1, ge=-3, le=3, title="μ", description="The rate of growth.")
    sigma: float = Field(0.8, ge=0.01, le=3, title="σ", description="How noisy the rate is.")
    calculus: Calculus = Field(
        "ito",
        title="Calculus",
        description="How dW is to be read: Itô's integral takes the noise at the beginning of each instant, "
        "Stratonovich's in its middle.",
        json_schema_extra=CALCULUS,
    )
    T: float = duration(1.0)

    def written(self) -> Written:
        rate = "(mu - sigma^2/2)" if self.calculus == "ito" else "mu"
        solution = f"x*exp({rate}*t + sigma*w)"
        return Written("mu*x", "sigma*x", solution=solution, calculus=self.calculus)
