"""dx/dt = A x in the plane, with its phase portrait told from the eigenvalues of A."""

from __future__ import annotations

import cmath
import math
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from playground.dynamics.systems.base import System, Written, duration

Entry = Annotated[float, Field(ge=-100, le=100)]

EXPONENTIAL = "exp({m}*t)*(cosq({q}*t^2)*{x} + t*sinq({q}*t^2)*(({a} - {m})*{x} + {b}*{y}))"
"""A row of e^{At} x = e^{mt} (cosh(√q t) I + sinh(√q t)/√q (A − m I)) x, with m = tr A / 2 and q = m² − det A."""


def exponential(a: str, b: str, c: str, d: str) -> str:
    """The two formulas of e^{At} (x, y) for A = [[a, b], [c, d]], whose entries are formulas themselves."""
    m = f"(({a} + {d})/2)"
    q = f"(({a} - {d})^2/4 + {b}*{c})"
    first = EXPONENTIAL.format(m=m, q=q, a=a, b=b, x="x", y="y")
    second = EXPONENTIAL.format(m=m, q=q, a=d, b=c, x="y", y="x")
    return f"{first}; {second}"


def eigenvalues(a: float, b: float, c: float, d: float) -> tuple[complex, complex]:
    """The eigenvalues of [[a, b], [c, d]], the one with the greater real part first."""
    middle, root = (a + d) / 2, cmath.sqrt((a - d) ** 2 / 4 + b * c)
    return middle + root, middle - root


def portrait(a: float, b: float, c: float, d: float) -> str:
    """What the phase portrait of dx/dt = A x is called."""
    one, other = eigenvalues(a, b, c, d)
    scale = max(abs(one), abs(other), 1e-12)
    if a * d - b * c == 0:
        return "degenerate: a line of fixed points, or all at rest"
    if abs(one.imag) > 1e-9 * scale:
        turning = "centre: closed orbits"
        if abs(one.real) > 1e-9 * scale:
            turning = "stable spiral" if one.real < 0 else "unstable spiral"
        return turning
    if one.real * other.real < 0:
        return "saddle: in along one direction, out along the other"
    node = "stable node" if one.real < 0 else "unstable node"
    return f"{node}, with a single rate" if math.isclose(one.real, other.real, rel_tol=1e-6) else node


class Linear(System):
    """dx/dt = A x for any 2 × 2 matrix: node, saddle, spiral or centre, told from its eigenvalues."""

    about: ClassVar[str] = (
        "The eigenvalues of A decide everything: both real and below 0, a stable node; of both signs, a saddle; "
        "complex, a spiral; purely imaginary, a centre."
    )
    formula: ClassVar[str] = r"\dot{x} = A x, \quad \psi_t(x_0) = e^{A t} x_0"
    look_for: ClassVar[str] = "Straight paths lie along the eigenvectors; all other paths bend towards the slower one."
    try_this: ClassVar[str] = "Set the matrix to 0, 1; -1, 0 for a centre, and see Euler's method spiral out of it."
    autonomous_linear: ClassVar[bool] = True

    kind: Literal["linear"] = "linear"
    matrix: tuple[Annotated[tuple[Entry, ...], Field(min_length=2, max_length=2)], ...] = Field(
        ((1.0, 0.5), (0.5, -1.0)),
        min_length=2,
        max_length=2,
        title="Matrix A",
        description="Two rows of two numbers.",
    )
    T: float = duration(2.0)

    presets: ClassVar[dict[str, dict[str, object]]] = {
        "Saddle": {"kind": "linear", "matrix": [[1, 0.5], [0.5, -1]], "T": 2},
        "Stable node": {"kind": "linear", "matrix": [[-1, 0.5], [0, -2]], "T": 3},
        "Stable spiral": {"kind": "linear", "matrix": [[-0.3, 2], [-2, -0.3]], "T": 6},
        "Centre": {"kind": "linear", "matrix": [[0, 1], [-1, 0]], "T": 6.283},
        "Stiff": {"kind": "linear", "matrix": [[-1, 0], [0, -50]], "T": 2},
    }

    def written(self) -> Written:
        names = ("matrix_11", "matrix_12", "matrix_21", "matrix_22")
        drift = "matrix_11*x + matrix_12*y; matrix_21*x + matrix_22*y"
        return Written(drift, solution=exponential(*names))

    def classification(self) -> str:
        """The name of its phase portrait, with the eigenvalues."""
        (a, b), (c, d) = self.matrix
        return portrait(a, b, c, d)
