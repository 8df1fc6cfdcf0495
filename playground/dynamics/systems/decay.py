"""dx/dt = −θ x: the simplest system, and the one that stability is told by."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from playground.dynamics.systems.base import System, Written, duration


class Decay(System):
    """dx/dt = −θ x: everything falls to 0 at the rate θ; the test equation of every solver."""

    about: ClassVar[str] = (
        "Dahlquist's test equation. Its solution falls to 0 for θ > 0; whether a solver's does depends on h θ alone, "
        "with h = T / steps: Euler's factor a step is 1 − h θ, which stays below 1 in size for h < 2/θ."
    )
    formula: ClassVar[str] = r"\dot{x} = -\theta x, \quad \psi_t(x_0) = x_0 e^{-\theta t}"
    look_for: ClassVar[str] = (
        "Beyond h = 2/θ Euler's paths overshoot 0 by more than they were away from it, and explode."
    )
    try_this: ClassVar[str] = "Choose Euler and drag Steps down until the paths begin to oscillate, then to grow."
    autonomous_linear: ClassVar[bool] = True

    title: ClassVar[str] = "Linear decay"
    kind: Literal["decay"] = "decay"
    theta: float = Field(2.0, ge=-5, le=100, title="θ", description="The rate; below 0 everything grows.")
    T: float = duration(5.0)

    def written(self) -> Written:
        return Written("-theta*x", solution="x*exp(-theta*t)")
