"""A solution that does not last."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from playground.dynamics.systems.base import System, Written, duration


class BlowUp(System):
    """dx/dt = r x²: from x0 > 0 the solution reaches infinity at the time 1 / (r x0)."""

    about: ClassVar[str] = (
        "Picard and Lindelöf promise a solution for a while, not for ever: x² is Lipschitz near every point, but not "
        "everywhere at once, and the solution x0 / (1 − r x0 t) ends in finite time."
    )
    formula: ClassVar[str] = r"\dot{x} = r x^2, \quad \psi_t(x_0) = \frac{x_0}{1 - r x_0 t}"
    look_for: ClassVar[str] = (
        "Explicit solvers step over the end of the solution without noticing; adaptive ones stop there."
    )
    try_this: ClassVar[str] = "Raise T beyond 1 / (r x0) and choose Dormand–Prince: it says where it cannot go on."

    title: ClassVar[str] = "Finite-time blow-up"
    kind: Literal["blow_up"] = "blow_up"
    r: float = Field(1.0, ge=0.1, le=5, title="r", description="How strongly it grows.")
    T: float = duration(0.8)

    def written(self) -> Written:
        ended = "0*log(1 - r*x*t)"  # not a number from when the solution has reached infinity
        return Written("r*x^2", solution=f"x/(1 - r*x*t) + {ended}")
