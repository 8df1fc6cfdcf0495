"""A field that is not Lipschitz."""

from __future__ import annotations

from typing import ClassVar, Literal

from playground.dynamics.systems.base import System, Written, duration


class SquareRoot(System):
    """dx/dt = √|x|: not Lipschitz at 0, from where more than one solution leaves."""

    about: ClassVar[str] = (
        "The theorem of Picard and Lindelöf: where f is Lipschitz, |f(x) − f(y)| ≤ L |x − y|, exactly one solution "
        "passes through every point. √|x| is continuous, so that solutions exist (Peano), but near 0 no L is large "
        "enough: from 0 one may stay for ever, or leave at any time as (t − s)²/4."
    )
    formula: ClassVar[str] = (
        r"\dot{x} = \sqrt{|x|}, \quad x(0) = 0: \quad x = 0 \quad \text{or} \quad x = \frac{t^2}{4}"
    )
    look_for: ClassVar[str] = (
        "The green solution leaves 0 as early as it can; a particle that is at 0 exactly stays there for ever, and "
        "paths from below arrive at 0 in finite time."
    )
    try_this: ClassVar[str] = "Drop a probe at 0 and one a little above it."

    title: ClassVar[str] = "Square root, not Lipschitz"
    kind: Literal["square_root"] = "square_root"
    T: float = duration(3.0)

    def written(self) -> Written:
        rising = "(sign(x)*sqrt(abs(x)) + t/2)"
        return Written("sqrt(abs(x))", solution=f"{rising}*abs({rising})")
