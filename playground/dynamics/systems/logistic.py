"""Growth that is limited."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field
from torch import Tensor

from playground.dynamics.systems.base import System, Written, duration


class Logistic(System):
    """dx/dt = r x (1 − x/K): growth that is fast at first and stops at the capacity K."""

    about: ClassVar[str] = (
        "Two fixed points: 0, which repels, and K, which attracts. Below 0 the solution falls to −∞ in finite time."
    )
    formula: ClassVar[str] = r"\dot{x} = r x (1 - x/K), \quad \psi_t(x_0) = \frac{K x_0 e^{r t}}{K + x_0 (e^{r t} - 1)}"
    look_for: ClassVar[str] = "The S of every path, and how all end together at K."
    try_this: ClassVar[str] = (
        "With Euler and 3 steps paths overshoot K; the discrete map even turns chaotic for h r > 2.57."
    )

    title: ClassVar[str] = "Logistic growth"
    kind: Literal["logistic"] = "logistic"
    r: float = Field(1.0, ge=0.1, le=10, title="r", description="The rate of growth while x is small.")
    K: float = Field(2.0, ge=0.1, le=20, title="K", description="The capacity, at which growth stops.")
    T: float = duration(6.0)

    def written(self) -> Written:
        below = "(x + (K - x)*exp(-r*t))"
        ended = f"0*log({below})"  # not a number from when the solution has reached −∞
        return Written("r*x*(1 - x/K)", solution=f"K*x/{below} + {ended}")

    def remark(self, x: Tensor) -> str | None:
        if float((x < 0).float().mean()) < 0.001:
            return None
        return "Logistic growth is about x ≥ 0; below it solutions fall to −∞. Choose a source such as uniform above 0."
