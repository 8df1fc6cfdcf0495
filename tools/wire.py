"""Writes the messages of playground/ui/wire.py as types for the browser's modules: python -m tools.wire."""

from __future__ import annotations

import inspect
import types
from pathlib import Path
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints

from typing_extensions import is_typeddict

from playground.ui import wire

FILE = Path(wire.__file__).parent / "web" / "common" / "wire.d.ts"
HEAD = """// The messages between the server and the page, for the type checker alone.
// Written by `python -m tools.wire` from playground/ui/wire.py; change that instead."""
PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null", Any: "any"}


def script(annotation: Any) -> str:
    """An annotation in TypeScript. Raises TypeError for one that is not known here."""
    if annotation in PLAIN:
        return PLAIN[annotation]
    if is_typeddict(annotation):
        return str(annotation.__name__)
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " | ".join(str(part).lower() if isinstance(part, bool) else f'"{part}"' for part in parts)
    if origin in (Union, types.UnionType):
        return " | ".join(script(part) for part in parts)
    if origin is list:
        item = script(parts[0])
        return f"({item})[]" if " | " in item else f"{item}[]"
    if origin is tuple:
        return f"[{', '.join(script(part) for part in parts)}]"
    if origin is dict:
        return f"Record<string, {script(parts[1])}>"
    raise TypeError(f"{annotation} has no counterpart in TypeScript here.")


def interface(message: type) -> str:
    """A message as an interface, with its docstring."""
    lines = inspect.cleandoc(message.__doc__ or "").splitlines()
    several = "\n".join(["/**", *(f" * {one}".rstrip() for one in lines), " */"])
    head = f"/** {lines[0]} */" if len(lines) == 1 else several
    keys = []
    for name, annotation in get_type_hints(message, include_extras=True).items():
        optional = get_origin(annotation) is NotRequired
        keys.append(f"  {name}{'?' * optional}: {script(get_args(annotation)[0] if optional else annotation)};")
    return "\n".join([head, f"export interface {message.__name__} {{", *keys, "}"])


def written() -> str:
    """The whole file."""
    messages = [one for one in vars(wire).values() if is_typeddict(one) and one.__module__ == wire.__name__]
    named = {name: one for name, one in vars(wire).items() if isinstance(one, types.UnionType)}
    unions = [f"export type {name} = {script(one)};" for name, one in named.items()]
    return "\n\n".join([HEAD, *map(interface, messages), *unions]) + "\n"


if __name__ == "__main__":
    FILE.write_text(written())
