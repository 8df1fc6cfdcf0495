"""A system that a person types."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from playground.dynamics.systems.base import AXES, Calculus, System, Written, duration
from playground.dynamics.systems.geometric_brownian import CALCULUS
from playground.dynamics.systems.grammar import MOST_CHARACTERS, parse

FORMULA: dict[str, Any] = {"control": "formula"}


class Custom(System):
    """A system of your own: x' = …; y' = …, with noise if you like."""

    about: ClassVar[str] = (
        "Type the right-hand sides, separated by a semicolon; one makes a system on a line. x, y and t may stand in "
        "them, + - * / ^, brackets, numbers, pi, e, and sin, cos, tan, exp, log, sqrt, abs, sign, sinh, cosh, tanh."
    )
    formula: ClassVar[str] = r"\dot{x} = f_1(x, y, t), \quad \dot{y} = f_2(x, y, t)"
    look_for: ClassVar[str] = "Fixed points, where arrows vanish, and what happens around them."
    try_this: ClassVar[str] = "x*(1 - x^2 - y^2) - y; y*(1 - x^2 - y^2) + x has the unit circle as its limit cycle."
    group: ClassVar[str] = "Your own"

    title: ClassVar[str] = "Your own"
    kind: Literal["custom"] = "custom"
    field: str = Field(
        "y; -sin(x) - 0.2*y",
        min_length=1,
        max_length=MOST_CHARACTERS,
        title="x' ; y' =",
        description="The right-hand sides of x' and y', separated by a semicolon; one alone is a system on a line.",
        json_schema_extra=FORMULA,
    )
    noise: str = Field(
        "0",
        min_length=1,
        max_length=MOST_CHARACTERS,
        title="Noise",
        description="The factors of dW on each axis, separated by a semicolon; one stands for all, 0 is none.",
        json_schema_extra=FORMULA,
    )
    calculus: Calculus = Field(
        "ito",
        title="Calculus",
        description="How noise that depends on x is to be read.",
        json_schema_extra=CALCULUS | {"advanced": True},
    )
    T: float = duration(5.0)

    @field_validator("field", "noise")
    @classmethod
    def _readable(cls, text: str) -> str:
        found = parse(text, (*AXES, "t"))
        if len(found) > len(AXES):
            raise ValueError(f"there are {len(found)} formulas; a system has one or two, separated by a semicolon.")
        return text

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        drift, noise = (parse(text, (*AXES, "t")) for text in (self.field, self.noise))
        if len(noise) > len(drift):
            raise ValueError("there are two noise terms for one equation; write one of each, or two of each.")
        if len(drift) == 1:
            for name, text in (("equation", self.field), ("noise", self.noise)):
                parse_on_line(name, text)
        return self

    def written(self) -> Written:
        count = len(parse(self.field, (*AXES, "t")))
        noises = self.noise if ";" in self.noise.rstrip("; ") or count == 1 else f"{self.noise}; {self.noise}"
        return Written(self.field, noises, calculus=self.calculus)


def parse_on_line(name: str, text: str) -> None:
    """Raises ValueError where a formula of a single axis uses y."""
    try:
        parse(text, ("x", "t"))
    except ValueError as error:
        raise ValueError(
            f"the {name} of a system on a line may not use y; give y' as well, after a semicolon."
        ) from error
