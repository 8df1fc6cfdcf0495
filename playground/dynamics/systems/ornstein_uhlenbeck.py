"""The Ornstein–Uhlenbeck process."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from playground.dynamics.systems.base import System, Written, duration
from playground.dynamics.systems.brownian import Axes, axes


class OrnsteinUhlenbeck(System):
    """dX = θ (μ − X) dt + σ dW: noise against a pull to the mean, which ends in N(μ, σ²/2θ) from anywhere."""

    about: ClassVar[str] = (
        "The forward process of every variance-preserving diffusion model: whatever the source is, its law tends to "
        "one Gaussian, exponentially fast."
    )
    formula: ClassVar[str] = (
        r"dX = \theta (\mu - X) \, dt + \sigma \, dW, \quad "
        r"X_t \sim \mathcal{N}(\mu + (x_0 - \mu) e^{-\theta t}, \frac{\sigma^2}{2 \theta} (1 - e^{-2 \theta t}))"
    )
    look_for: ClassVar[str] = "Any shape, blurred and drawn together until only the Gaussian is left."
    try_this: ClassVar[str] = "Start from a checkerboard and look for when the last trace of its cells is gone."
    group: ClassVar[str] = "SDE"

    title: ClassVar[str] = "Ornstein–Uhlenbeck"
    kind: Literal["ornstein_uhlenbeck"] = "ornstein_uhlenbeck"
    theta: float = Field(1.0, ge=0.01, le=20, title="θ", description="How strongly it is pulled to the mean.")
    mu: float = Field(0.0, ge=-10, le=10, title="μ", description="The mean, the same on each axis.")
    sigma: float = Field(1.0, ge=0.01, le=10, title="σ", description="The strength of the noise.")
    axes: Axes = axes(2)
    T: float = duration(3.0)

    def written(self) -> Written:
        law = "mu + ({x} - mu)*exp(-theta*t) + {z}*sigma*sqrt((1 - exp(-2*theta*t))/(2*theta))"
        drift, laws = "theta*(mu - {x})", [law.format(x="x", z="z"), law.format(x="y", z="u")]
        if self.axes == 1:
            return Written(drift.format(x="x"), "sigma", law=laws[0])
        both = f"{drift.format(x='x')}; {drift.format(x='y')}"
        return Written(both, "sigma; sigma", law="; ".join(laws))
