"""Expressions as trees: what a system's formulas are parsed to, evaluated and differentiated as.

A tree is a number, a name, or (operation, argument, ...) with one of the operations + - * / ^ neg or the name of a
function. Written as JSON it is the same in lists, from which the browser makes its own loops
(ui/web/compute/systems/program.js).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

Tree = float | str | tuple[Any, ...]
"""A number, a name, or an operation with its arguments."""

CONSTANTS: dict[str, float] = {"pi": math.pi, "e": math.e}


def _cosq(q: Tensor) -> Tensor:
    root = q.abs().sqrt()
    return torch.where(q >= 0, torch.cosh(root), torch.cos(root))


def _sinq(q: Tensor) -> Tensor:
    root = q.abs().sqrt()
    small, safe = root < 1e-4, root.clamp_min(1e-4)
    return torch.where(small, 1 + q / 6, torch.where(q >= 0, torch.sinh(safe), torch.sin(safe)) / safe)


FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sin": torch.sin,
    "cos": torch.cos,
    "tan": torch.tan,
    "exp": torch.exp,
    "log": torch.log,
    "sqrt": torch.sqrt,
    "abs": torch.abs,
    "sign": torch.sign,
    "sinh": torch.sinh,
    "cosh": torch.cosh,
    "tanh": torch.tanh,
    "cosq": _cosq,
    "sinq": _sinq,
}
"""The functions of one argument. cosq q = cosh √q and sinq q = sinh √q / √q, which are cos √−q and sin √−q / √−q for
q < 0: what the exponential of a 2 × 2 matrix is made of, whether its eigenvalues are real or not."""

OPERATIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "+": torch.add,
    "-": torch.sub,
    "*": torch.mul,
    "/": torch.div,
    "^": torch.pow,
}


def evaluate(tree: Tree, values: Mapping[str, Tensor | float]) -> Tensor:
    """The value of a tree, in float64, where its names stand for these values. Raises KeyError for any other name.

    It is nan or infinite where the mathematics is not defined; nothing is raised for that.
    """
    if isinstance(tree, tuple):
        operation, *arguments = tree
        parts = [evaluate(argument, values) for argument in arguments]
        if operation == "neg":
            return -parts[0]
        return OPERATIONS[operation](*parts) if operation in OPERATIONS else FUNCTIONS[operation](*parts)
    value = values[tree] if isinstance(tree, str) else tree
    return torch.as_tensor(value, dtype=torch.float64)


def names_in(tree: Tree) -> frozenset[str]:
    """The names that a tree depends on."""
    if isinstance(tree, tuple):
        return frozenset().union(*map(names_in, tree[1:]))
    return frozenset({tree}) if isinstance(tree, str) else frozenset()


def plus(a: Tree, b: Tree) -> Tree:
    """The sum a + b, without what adds nothing."""
    if a == 0:
        return b
    return a if b == 0 else ("+", a, b)


def minus(a: Tree, b: Tree) -> Tree:
    """The difference a − b."""
    if b == 0:
        return a
    return ("neg", b) if a == 0 else ("-", a, b)


def times(a: Tree, b: Tree) -> Tree:
    """The product a b."""
    if a == 0 or b == 0:
        return 0.0
    if a == 1:
        return b
    return a if b == 1 else ("*", a, b)


def over(a: Tree, b: Tree) -> Tree:
    """The quotient a / b."""
    return 0.0 if a == 0 else a if b == 1 else ("/", a, b)


def derivative(tree: Tree, name: str) -> Tree:
    """∂tree/∂name as a tree; 0.0 where it does not depend on it.

    |a| has the derivative sign a, which is 0 at its kink, and sign a has none but 0.
    """
    if name not in names_in(tree):
        return 0.0
    if isinstance(tree, str):
        return 1.0
    assert isinstance(tree, tuple), "a number depends on no name"
    operation, a, *rest = tree
    da = derivative(a, name)
    if not rest:
        return ("neg", da) if operation == "neg" else times(_outer(operation, a), da)
    b = rest[0]
    db = derivative(b, name)
    match operation:
        case "+":
            return plus(da, db)
        case "-":
            return minus(da, db)
        case "*":
            return plus(times(da, b), times(a, db))
        case "/":
            return over(minus(da, times(tree, db)), b)
        case _ if db == 0:
            below = b - 1 if isinstance(b, float) else minus(b, 1.0)
            return times(times(b, a if below == 1 else ("^", a, below)), da)
        case _:
            return times(tree, plus(times(db, ("log", a)), over(times(b, da), a)))


def _outer(function: str, a: Tree) -> Tree:
    """The derivative of a function of one argument, at a."""
    match function:
        case "sin":
            return ("cos", a)
        case "cos":
            return ("neg", ("sin", a))
        case "tan":
            return over(1.0, ("^", ("cos", a), 2.0))
        case "exp":
            return ("exp", a)
        case "log":
            return over(1.0, a)
        case "sqrt":
            return over(0.5, ("sqrt", a))
        case "abs":
            return ("sign", a)
        case "sign":
            return 0.0
        case "sinh":
            return ("cosh", a)
        case "cosh":
            return ("sinh", a)
        case "tanh":
            return minus(1.0, ("^", ("tanh", a), 2.0))
        case "cosq":
            return times(0.5, ("sinq", a))
        case "sinq":
            return over(minus(("cosq", a), ("sinq", a)), times(2.0, a))
    raise ValueError(f"the derivative of {function} is not known.")


def plain(tree: Tree) -> Any:
    """A tree in lists, as JSON has it."""
    return [tree[0], *map(plain, tree[1:])] if isinstance(tree, tuple) else tree
