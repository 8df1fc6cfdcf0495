"""What a system of equations declares, and what follows from it: fields, Jacobians, closed forms, for both runtimes.

    dX = f(X, t) dt + g(X, t) dW,   X in one or two dimensions, one Brownian motion for each axis,

with f, g and, where they are known, the solution ψ_t(x0) and the law of X_t given x0, all written in the grammar of
grammar.py with the fields of the class as names. From the trees that these are parsed to, Python computes here and the
browser in ui/web/compute/systems/.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from playground.choice import Choice
from playground.dynamics.systems.expression import Tree, derivative, evaluate, minus, plain, plus, times
from playground.dynamics.systems.grammar import parse

AXES = ("x", "y")
NOISES = ("w", "v")
"""W_t along each axis, in a solution that is known path by path."""
DEVIATES = ("z", "u")
"""A standard normal number for each axis, in a law that is known in distribution alone."""

Calculus = Literal["ito", "stratonovich"]


def duration(default: float) -> Any:
    """How long the equation is followed."""
    return Field(
        default,
        gt=0,
        le=200,
        title="T",
        description="How long the equation is followed: time runs from 0 to T. A step is T / steps long.",
        json_schema_extra={"scale": "log", "range": [0.1, 50]},
    )


@dataclass(frozen=True)
class Written:
    """A system as it is written: one formula an axis, separated by semicolons.

    drift: f; noise: g, empty where there is none; solution: ψ_t(x0) of the start x, y, the time t and, with noise, the
    Brownian motion w, v at t; law: the same of standard normal z, u, equal in distribution alone.
    """

    drift: str
    noise: str = ""
    solution: str = ""
    law: str = ""
    calculus: Calculus = "ito"


class System(Choice):
    """A system of ordinary or stochastic differential equations on [0, T].

    A class declares its fields, which are the names in its formulas (of a matrix name_11, name_12, ...), `formula` in
    the LaTeX of ui/mathml.py, `look_for`, and `written`.
    """

    about: ClassVar[str] = ""
    formula: ClassVar[str] = ""
    look_for: ClassVar[str] = ""
    try_this: ClassVar[str] = ""
    group: ClassVar[str] = "ODE"
    autonomous_linear: ClassVar[bool] = False
    """Whether f(x) = A x + b with A the same everywhere, so that the theory of absolute stability says all."""
    reference: ClassVar[str] = ""
    """What stands in for a closed form where there is none, or what the closed form is, in words."""

    if TYPE_CHECKING:
        T: float = 5.0
        """Every class declares it, as its last field, by `duration`."""

    @property
    def dim(self) -> int:
        """The number of axes."""
        return len(self.equations.drift)

    def written(self) -> Written:
        """The formulas."""
        raise NotImplementedError

    def parameters(self) -> dict[str, float]:
        """The numbers that the names in the formulas stand for."""
        return parameters_of(self.model_dump())

    def remark(self, x: Tensor) -> str | None:
        """A sentence where the starting points x (n, d) are not what the equation is about; None where they are."""
        return None

    @property
    def equations(self) -> Equations:
        """The system, ready to compute with."""
        names = tuple(self.parameters())
        return Equations(_parsed(self.written(), names), self.parameters(), float(self.T))


def parameters_of(given: dict[str, Any]) -> dict[str, float]:
    """The numbers among fields, those of a matrix by name_row-column, counted from 1."""
    found: dict[str, float] = {}
    for name, value in given.items():
        if isinstance(value, (list, tuple)):
            for i, row in enumerate(value, start=1):
                found |= {f"{name}_{i}{j}": float(entry) for j, entry in enumerate(row, start=1)}
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            found[name] = float(value)
    return found


@dataclass(frozen=True)
class Parsed:
    """The trees of a system, one an axis; `noise` is empty where there is none, `solution` and `law` where unknown."""

    drift: tuple[Tree, ...]
    noise: tuple[Tree, ...]
    solution: tuple[Tree, ...]
    law: tuple[Tree, ...]
    calculus: Calculus


@lru_cache(maxsize=256)
def _parsed(written: Written, names: tuple[str, ...]) -> Parsed:
    known = (*AXES, "t", *names)
    drift = parse(written.drift, known)
    noise = parse(written.noise, known) if written.noise else ()
    if all(tree == 0 for tree in noise):
        noise = ()
    solution = parse(written.solution, (*known, *NOISES)) if written.solution else ()
    law = parse(written.law, (*known, *DEVIATES)) if written.law else ()
    return Parsed(drift, noise, solution, law, written.calculus)


@dataclass(frozen=True)
class Equations:
    """A system that can be computed with: x is (n, d) of any float type, t a time in [0, T]."""

    parsed: Parsed
    parameters: dict[str, float]
    T: float

    @property
    def dim(self) -> int:
        return len(self.parsed.drift)

    @property
    def drift(self) -> tuple[Tree, ...]:
        """The trees of f as it is written."""
        return self.parsed.drift

    @property
    def noisy(self) -> bool:
        """Whether there is any noise."""
        return bool(self.parsed.noise)

    @property
    def solved(self) -> bool:
        """Whether ψ_t(x0) or the law of X_t is known in closed form."""
        return bool(self.parsed.solution or self.parsed.law)

    @cached_property
    def slopes(self) -> tuple[Tree, ...]:
        """∂g_i/∂x_i along each axis i."""
        return tuple(derivative(tree, AXES[i]) for i, tree in enumerate(self.parsed.noise))

    def _corrected(self, share: float) -> tuple[Tree, ...]:
        """The drift f_i + share · g_i ∂g_i/∂x_i, what one calculus adds to be read as the other."""
        if not self.noisy or share == 0:
            return self.parsed.drift
        terms = (times(share, times(g, slope)) for g, slope in zip(self.parsed.noise, self.slopes, strict=True))
        return tuple(plus(f, term) for f, term in zip(self.parsed.drift, terms, strict=True))

    @cached_property
    def ito(self) -> tuple[Tree, ...]:
        """The drift where the noise is read in Itô's sense."""
        return self._corrected(0.5 if self.parsed.calculus == "stratonovich" else 0.0)

    @cached_property
    def stratonovich(self) -> tuple[Tree, ...]:
        """The drift where the noise is read in Stratonovich's sense."""
        return self._corrected(-0.5 if self.parsed.calculus == "ito" else 0.0)

    @cached_property
    def jacobian(self) -> tuple[tuple[Tree, ...], ...]:
        """The trees of ∂f_i/∂x_j, of Itô's drift."""
        return tuple(tuple(derivative(f, axis) for axis in AXES[: self.dim]) for f in self.ito)

    @cached_property
    def flux(self) -> tuple[Tree, ...]:
        """The velocity f_i − ½ ∂(g_i²)/∂x_i of ∂p/∂t = −∇·(flux p − ½ g² ∇p), the Fokker–Planck equation."""
        if not self.noisy:
            return self.ito
        pairs = zip(self.ito, self.parsed.noise, self.slopes, strict=True)
        return tuple(minus(f, times(g, slope)) for f, g, slope in pairs)

    def at(self, trees: tuple[Tree, ...], x: Tensor, t: float | Tensor, **more: Tensor) -> Tensor:
        """Trees at x (n, d) and time t: (n, number of trees), of x's type."""
        axes = dict(zip(AXES, x.double().unbind(1), strict=False))
        values = self.parameters | axes | {"t": t} | more
        columns = [evaluate(tree, values).expand(len(x)) for tree in trees]
        return torch.stack(columns, 1).to(x.dtype)

    def solution(self, x: Tensor, t: float, w: Tensor | None = None) -> Tensor:
        """ψ_t(x) for x (n, d), with noise along the Brownian paths that stand at w (n, d) at time t.

        Raises ValueError where it is not known path by path.
        """
        if not self.parsed.solution:
            raise ValueError("this system has no closed form.")
        noises = {} if w is None else dict(zip(NOISES, w.double().unbind(1), strict=False))
        return self.at(self.parsed.solution, x, t, **noises)

    def drawn(self, x: Tensor, t: float, z: Tensor) -> Tensor:
        """Points of the law of X_t given X_0 = x (n, d), made of standard normal z (n, d), which ODEs do not use.

        Raises ValueError where it is not known.
        """
        if self.parsed.law:
            return self.at(self.parsed.law, x, t, **dict(zip(DEVIATES, z.double().unbind(1), strict=False)))
        return self.solution(x, t, z.double() * t**0.5)

    def describe(self) -> dict[str, Any]:
        """The trees, the numbers and T, as the browser computes with them."""

        def listed(trees: tuple[Tree, ...]) -> list[Any]:
            return [plain(tree) for tree in trees]

        return {
            "drift": listed(self.ito),
            "stratonovich": listed(self.stratonovich),
            "noise": listed(self.parsed.noise),
            "slopes": listed(self.slopes),
            "flux": listed(self.flux),
            "jacobian": [tree for row in self.jacobian for tree in listed(row)],
            "solution": listed(self.parsed.solution),
            "law": listed(self.parsed.law),
            "parameters": self.parameters,
            "T": self.T,
        }
