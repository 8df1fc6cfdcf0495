"""What may import what in the package: floors, each of which knows those below it, and no circles."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import playground

ROOT = Path(playground.__file__).parent
FLOORS = (
    {"choice", "trajectory"},
    {"distributions", "networks"},
    {"metrics", "dynamics"},
    {"models"},
    {"experiment"},
    {"engine"},
    {"figures"},
    {"ui"},
    {"__main__"},
)
"""From the lowest; those on one floor do not know each other. The package itself stands beside the floor of figures."""
LATER = {("engine.run", "figures"), ("__main__", "figures"), ("__main__", "ui"), ("__main__", "engine")}
"""Who imports what inside a function, so that it is only loaded where it is wanted."""
ONLY = {"gradio": {"ui"}, "plotly": {"figures", "ui"}, "starlette": {"ui"}}
"""Libraries that the rest does without."""


def modules() -> dict[str, ast.Module]:
    """Every module by its name inside the package."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): ast.parse(path.read_text())
        for path in sorted(ROOT.rglob("*.py"))
    }


MODULES = modules()
KNOWN = set(MODULES)


def imports(tree: ast.Module) -> Iterator[tuple[str, bool]]:
    """Every module that is imported, and whether inside a function."""
    inner = {id(node) for one in ast.walk(tree) if isinstance(one, ast.FunctionDef) for node in ast.walk(one)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in inner) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                known = whole.removeprefix("playground.") in KNOWN
                yield (whole if known else node.module), id(node) in inner


def own(name: str) -> Iterator[tuple[str, bool]]:
    """The modules of this package that one of them imports."""
    for path, inner in imports(MODULES[name]):
        if path.startswith("playground."):
            yield path.removeprefix("playground."), inner


def floor_of(name: str) -> int:
    room = name.partition(".")[0]
    return next(level for level, rooms in enumerate(FLOORS) if room in rooms)


@pytest.mark.parametrize("name", sorted(KNOWN - {"__init__"}))
def test_a_module_imports_downwards(name):
    room = name.partition(".")[0]
    for path, inner in own(name):
        other = path.partition(".")[0]
        if inner:
            assert (name, other) in LATER, f"{name} imports {path} inside a function"
        elif other != room:
            assert floor_of(path) < floor_of(name), f"{name} may not import {path}"
    for path, inner in imports(MODULES[name]):
        allowed = ONLY.get(path.partition(".")[0])
        typing = name == "engine.run" and path.startswith("plotly")  # for the type of a figure alone
        assert allowed is None or room in allowed or (typing and not inner), f"{name} may not import {path}"


def test_there_are_no_circles():
    order = TopologicalSorter({name: [path for path, inner in own(name) if not inner] for name in KNOWN})
    assert set(order.static_order()) >= KNOWN - {"__init__"}
