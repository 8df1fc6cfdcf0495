r"""Formulas as MathML, which Chromium, Firefox and Safari draw by themselves: no script, no font, no network.

A formula is written in a small part of LaTeX's mathematics, each line of the text a line of its own:

    letters, digits, operators    as they are; what Unicode has may be written as such: σ ∇ ‖ ∼ ∈ → −
    x_t, x^2, x_{t+1}^{(k)}       scripts; below and above of \sum, \prod, \int, \min, \max
    \frac{a}{b}, \sqrt{a}         fractions and roots
    \alpha ... \Omega             Greek letters; \log, \exp, \min, ... upright
    \mathbb{E}, \mathcal{N}       double-struck and script capitals
    \hat{x}, \tilde{x}, \bar{x}   accents
    \text{words}                  upright words
    \left( ... \right)            brackets that grow with what they hold; ( [ | alone do not
    \underbrace{a}_{\text{name}}  a part with its name below
    \, and \quad                  spaces
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from html import escape

TOKEN = re.compile(r"\\(?:text|mathbb|mathcal)\{[^{}]*\}|\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|\S")
"""A command with its plain argument, a command, a number, or one character; spaces say nothing."""
OPERATORS = {
    "sum": "∑", "prod": "∏", "int": "∫", "nabla": "∇", "partial": "∂", "cdot": "·", "sim": "∼", "in": "∈",
    "to": "→", "mapsto": "↦", "mid": "|", "le": "≤", "ge": "≥", "approx": "≈", "propto": "∝", "circ": "∘",
    "odot": "⊙", "times": "×", "pm": "±", "ldots": "…", "ne": "≠",
}  # fmt: skip
LARGE = {"∑", "∏", "min", "max", "argmin", "argmax", "inf", "sup"}
"""What has its limits below and above it."""
NAMED = {"log", "exp", "det", "tr", "min", "max", "argmin", "argmax", "inf", "sup", "cos", "sin", "sign", "KL"}
GREEK = {unicodedata.name(chr(code)): chr(code) for code in (*range(0x391, 0x3A2), *range(0x3A3, 0x3CA))}
LETTERS = {"infty": "∞", "ell": "ℓ", "varepsilon": "ε", "lambda": "λ", "Lambda": "Λ"}
STYLED = {"mathbb": "DOUBLE-STRUCK CAPITAL", "mathcal": "SCRIPT CAPITAL"}
ACCENTS = {"hat": "^", "tilde": "~", "bar": "¯", "dot": "˙"}
SPACES = {",": "0.17em", ";": "0.28em", "quad": "1em", "!": "-0.17em"}


class Unreadable(ValueError):
    """A formula that is not of the part of LaTeX which is known here; the sentence says what."""


def mathml(formula: str) -> str:
    """The lines of a formula, each a <math> element of its own. Raises Unreadable."""
    lines = [line.strip() for line in formula.strip().splitlines() if line.strip()]
    return "".join(f'<math display="block">{_Reader(line).whole()}</math>' for line in lines)


class _Reader:
    """Reads one line from left to right."""

    def __init__(self, line: str) -> None:
        self._line = line
        self._tokens = TOKEN.findall(line)
        self._at = 0

    def whole(self) -> str:
        """The line as MathML."""
        inside = "".join(self._row(end=None))
        return f"<mrow>{inside}</mrow>"

    def _peek(self) -> str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _take(self) -> str:
        token = self._peek()
        if token is None:
            raise self._wrong("it ends too early")
        self._at += 1
        return token

    def _wrong(self, what: str) -> Unreadable:
        return Unreadable(f"the formula {self._line!r} cannot be read: {what}.")

    def _row(self, end: str | None) -> Iterator[str]:
        """Everything up to the token `end`, which is taken as well; None stands for the end of the line."""
        while self._peek() != end:
            if self._peek() in ("}", "\\right"):
                raise self._wrong(f"there is a {self._peek()} too many")
            yield self._scripted()
        if end is not None:
            self._take()

    def _scripted(self) -> str:
        """An atom with whatever stands below and above it."""
        base, limits = self._atom()
        scripts = {}
        while self._peek() in ("_", "^"):
            script = self._take()
            if script in scripts:
                raise self._wrong(f"there are two {script} on one symbol")
            scripts[script] = self._atom()[0]
        tags = ("munder", "mover", "munderover") if limits else ("msub", "msup", "msubsup")
        match scripts:
            case {"_": below, "^": above}:
                return f"<{tags[2]}>{base}{below}{above}</{tags[2]}>"
            case {"_": below}:
                return f"<{tags[0]}>{base}{below}</{tags[0]}>"
            case {"^": above}:
                return f"<{tags[1]}>{base}{above}</{tags[1]}>"
        return base

    def _group(self) -> str:
        """What stands in braces, or the next atom."""
        if self._peek() != "{":
            return self._atom()[0]
        self._take()
        return f"<mrow>{''.join(self._row(end='}'))}</mrow>"

    def _atom(self) -> tuple[str, bool]:
        """One symbol or group, and whether its scripts stand below and above it."""
        if self._peek() == "{":
            return self._group(), False
        token = self._take()
        if token in ("_", "^", "}"):
            raise self._wrong(f"there is nothing before {token}")
        if token.endswith("}") and token.startswith("\\") and len(token) > 2:
            command, _, words = token[1:-1].partition("{")
            return self._styled(command, words), False
        if token.startswith("\\"):
            return self._command(token[1:])
        if token[0].isdigit():
            return f"<mn>{token}</mn>", False
        if token.isalpha() or token in ("∞",):
            return f"<mi>{token}</mi>", False
        return _operator(token), token in LARGE

    def _command(self, name: str) -> tuple[str, bool]:
        if name in ("|", "{", "}"):
            return _operator("‖" if name == "|" else name), False
        if name in SPACES:
            return f'<mspace width="{SPACES[name]}"/>', False
        if name in OPERATORS:
            return _operator(OPERATORS[name]), OPERATORS[name] in LARGE
        if name in NAMED:
            applied = "" if name in LARGE else '<mspace width="0.17em"/>'
            return f"<mi>{name}</mi>{applied}", name in LARGE
        size = "CAPITAL" if name[0].isupper() else "SMALL"
        letter = LETTERS.get(name) or GREEK.get(f"GREEK {size} LETTER {name.upper()}")
        if letter:
            return f"<mi>{letter}</mi>", False
        match name:
            case "frac":
                return f"<mfrac>{self._group()}{self._group()}</mfrac>", False
            case "sqrt":
                return f"<msqrt>{self._group()}</msqrt>", False
            case "underbrace":
                braced = f'<munder>{self._group()}<mo stretchy="true">⏟</mo></munder>'
                return f"<munder>{braced}{self._name()}</munder>", False
            case "left":
                return self._bracketed(), False
            case _ if name in ACCENTS:
                return f'<mover accent="true">{self._group()}<mo>{ACCENTS[name]}</mo></mover>', False
        raise self._wrong(f"\\{name} is not known")

    def _styled(self, command: str, words: str) -> str:
        if command == "text":
            return f"<mtext>{escape(words)}</mtext>"
        return f'<mi mathvariant="normal">{self._capital(STYLED[command], words)}</mi>'

    def _name(self) -> str:
        if self._take() != "_":
            raise self._wrong("an underbrace needs its name after _")
        return self._group()

    def _bracketed(self) -> str:
        opening = self._take().replace("\\|", "‖").replace("\\{", "{")
        inside = "".join(self._row(end="\\right"))
        closing = self._take().replace("\\|", "‖").replace("\\}", "}")
        ends = ["" if mark == "." else f'<mo stretchy="true" fence="true">{mark}</mo>' for mark in (opening, closing)]
        return f"<mrow>{ends[0]}{inside}{ends[1]}</mrow>"

    def _capital(self, style: str, letter: str) -> str:
        """A capital in another style; the few that Unicode had before the others have names of their own."""
        for name in (f"MATHEMATICAL {style} {letter}", f"{style} {letter}"):
            try:
                return unicodedata.lookup(name)
            except KeyError:
                continue
        raise self._wrong(f"there is no {style.lower()} {letter}")


def _operator(mark: str) -> str:
    large = ' largeop="true"' if mark in "∑∏∫" else ""
    if mark in "()[]{}|‖":
        return f'<mo stretchy="false">{mark}</mo>'
    return f"<mo{large}>{escape('−' if mark == '-' else mark)}</mo>"
