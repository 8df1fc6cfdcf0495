"""Two rates that lie far apart: what is called stiff."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from playground.dynamics.systems.base import System, Written, duration


class Stiff(System):
    """Two decays at very different rates: the fast one dictates the step long after it has died out."""

    about: ClassVar[str] = (
        "The fast direction is over after a moment, yet every explicit method must keep its step below about "
        "2 / fast rate or explode, while what is left to follow changes slowly. Implicit methods solve an equation in "
        "each step and have no such limit."
    )
    formula: ClassVar[str] = r"\dot{x} = -\lambda_1 x, \quad \dot{y} = -\lambda_2 y"
    look_for: ClassVar[str] = "Explicit solvers blow up in y alone; implicit Euler stays calm with ten steps."
    try_this: ClassVar[str] = "Choose Euler, go from 60 steps down to 40, then choose implicit Euler."
    autonomous_linear: ClassVar[bool] = True

    title: ClassVar[str] = "Stiff linear system"
    kind: Literal["stiff"] = "stiff"
    slow: float = Field(1.0, ge=0.1, le=10, title="Slow rate λ₁", description="Along the first axis.")
    fast: float = Field(50.0, ge=1, le=500, title="Fast rate λ₂", description="Along the second axis.")
    T: float = duration(2.0)

    def written(self) -> Written:
        return Written("-slow*x; -fast*y", solution="x*exp(-slow*t); y*exp(-fast*t)")
