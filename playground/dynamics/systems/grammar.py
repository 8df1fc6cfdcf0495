"""A small grammar for formulas, read by hand and never evaluated as Python.

    formulas  formula {";" formula}
    formula   term {("+" | "-") term}
    term      factor {("*" | "/") factor}
    factor    ("-" | "+") factor | atom ["^" factor]
    atom      number | name | function "(" formula ")" | "(" formula ")"

^ binds tighter than a sign before it and to the right: -x^2 is -(x^2), and 2^-1 is allowed. ** may be written for ^,
and −, × and · as Unicode has them. A text is at most LONGEST long and nested at most DEEPEST deep.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from playground.dynamics.systems.expression import CONSTANTS, FUNCTIONS, Tree

LONGEST = 1200
"""Characters of the longest text that is read at all: of closed forms, which nobody types."""
MOST_CHARACTERS = 400
"""Characters of what a person types."""
DEEPEST = 24
"""So deep may brackets, signs and powers be nested."""
MOST_NODES = 300

TOKEN = re.compile(r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<mark>\*\*|\S))")
SPELLINGS = str.maketrans({"−": "-", "–": "-", "×": "*", "·": "*", "÷": "/"})


class Mistake(ValueError):
    """A formula that cannot be read: a sentence, and the characters from begin to end that it is about."""

    def __init__(self, begin: int, end: int, what: str) -> None:
        self.begin, self.end = begin, end
        place = f"character {begin + 1}" if end <= begin + 1 else f"characters {begin + 1} to {end}"
        super().__init__(f"{place}: {what}")


@dataclass(frozen=True)
class Token:
    """A number, a name or a mark, and where it stands."""

    kind: str
    text: str
    begin: int
    end: int


def parse(text: str, names: Collection[str]) -> tuple[Tree, ...]:
    """The trees of formulas that are separated by semicolons. Raises Mistake.

    names: what may stand in them besides numbers, constants and functions.
    """
    if len(text) > LONGEST:
        raise Mistake(LONGEST, len(text), f"a formula has at most {LONGEST} characters.")
    reader = _Reader(text.translate(SPELLINGS), frozenset(names))
    return reader.whole()


class _Reader:
    """Reads one text from left to right."""

    def __init__(self, text: str, names: frozenset[str]) -> None:
        self._names = names
        self._tokens = _tokens(text)
        self._at = 0
        self._nodes = 0

    def whole(self) -> tuple[Tree, ...]:
        found = [self._sum(0)]
        while self._token.text == ";":
            self._next()
            if self._token.kind == "end" and len(found) > 0:
                break  # a semicolon at the end says nothing
            found.append(self._sum(0))
        if self._token.kind != "end":
            raise self._wrong(self._unexpected())
        return tuple(found)

    @property
    def _token(self) -> Token:
        return self._tokens[self._at]

    def _next(self) -> Token:
        token = self._token
        if token.kind != "end":
            self._at += 1
        return token

    def _wrong(self, what: str, token: Token | None = None) -> Mistake:
        token = token or self._token
        return Mistake(token.begin, token.end, what)

    def _unexpected(self) -> str:
        token = self._token
        match token.kind, token.text:
            case "end", _:
                return "the formula ends here, where a number, a name or a bracket is missing."
            case (("number" | "name"), text):
                return f"there is no operation before {text}; to multiply write *."
            case _, "(":
                return "there is no operation before this bracket; to multiply write *."
            case _, ")":
                return "this bracket closes none."
            case _, ";":
                return "there is nothing before this semicolon."
            case _, text:
                return f"{text} has no meaning here."

    def _made(self, tree: Tree) -> Tree:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise self._wrong(f"a system has at most {MOST_NODES} operations.")
        return tree

    def _deeper(self, depth: int) -> int:
        if depth >= DEEPEST:
            raise self._wrong(f"brackets, signs and powers may be nested {DEEPEST} deep, not deeper.")
        return depth + 1

    def _sum(self, depth: int) -> Tree:
        left = self._product(depth)
        while self._token.text in ("+", "-"):
            mark = self._next().text
            left = self._made((mark, left, self._product(depth)))
        return left

    def _product(self, depth: int) -> Tree:
        left = self._factor(depth)
        while self._token.text in ("*", "/"):
            mark = self._next().text
            left = self._made((mark, left, self._factor(depth)))
        return left

    def _factor(self, depth: int) -> Tree:
        depth = self._deeper(depth)
        if self._token.text == "+":
            self._next()
            return self._factor(depth)
        if self._token.text == "-":
            self._next()
            inside = self._factor(depth)
            return -inside if isinstance(inside, float) else self._made(("neg", inside))
        base = self._atom(depth)
        if self._token.text not in ("^", "**"):
            return base
        self._next()
        return self._made(("^", base, self._factor(depth)))

    def _atom(self, depth: int) -> Tree:
        token = self._token
        if token.kind == "number":
            return self._made(float(self._next().text))
        if token.kind == "name":
            return self._named(depth)
        if token.text != "(":
            raise self._wrong(self._unexpected() if token.text != ")" else "something is missing before this bracket.")
        return self._bracketed(depth)

    def _bracketed(self, depth: int) -> Tree:
        opening = self._next()
        inside = self._sum(self._deeper(depth))
        if self._token.text != ")":
            what = "this bracket is never closed." if self._token.kind in ("end",) else self._unexpected()
            raise self._wrong(what, opening if self._token.kind == "end" else None)
        self._next()
        return inside

    def _named(self, depth: int) -> Tree:
        token = self._next()
        if token.text in FUNCTIONS:
            if self._token.text != "(":
                raise self._wrong(f"{token.text} needs its argument in brackets, as in {token.text}(x).", token)
            return self._made((token.text, self._bracketed(depth)))
        if token.text in self._names:
            return self._made(token.text)
        if token.text in CONSTANTS:
            return self._made(CONSTANTS[token.text])
        if self._token.text == "(":
            known = ", ".join(name for name in FUNCTIONS if name not in ("cosq", "sinq"))
            raise self._wrong(f"there is no function {token.text}; choose one of {known}.", token)
        known = ", ".join(sorted(self._names))
        raise self._wrong(f"there is no {token.text} here; a formula may use {known}, numbers, pi and e.", token)


def _tokens(text: str) -> list[Token]:
    found, at = [], 0
    while match := TOKEN.match(text, at):
        kind = str(match.lastgroup)
        begin, at = match.span(kind)
        if kind == "mark" and match[kind] not in ("+", "-", "*", "/", "^", "**", "(", ")", ";"):
            raise Mistake(begin, at, f"{match[kind]} has no meaning here.")
        found.append(Token(kind, match[kind], begin, at))
    return [*found, Token("end", "", max(0, len(text.rstrip())), max(1, len(text.rstrip()) + 1))]
