"""A choice is an object: the base of everything that a person can pick.

A distribution, a path, a solver, a model, a network and how to train are frozen pydantic models with a
`kind`, bounded fields and a one-line description on each field. The object that was validated is the object
that does the work, and from the one declaration come the YAML, the command line, the share link, the form on
the page and the sentence that a bad value gets.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator


class Settings(BaseModel):
    """A frozen, strict group of fields: unknown names, NaN, infinities, and truth for a number are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _reject_bool_for_number(cls, given: Any) -> Any:
        """Pydantic takes true for 1; as text it is refused, with the sentence of its field."""
        if not isinstance(given, dict):
            return given
        odd = [name for name, value in given.items() if _holds_truth(value) and name in _numbers(cls)]
        return given | {name: _spelled(given[name]) for name in odd}


def _holds_truth(value: Any) -> bool:
    return isinstance(value, bool) or (isinstance(value, (list, tuple)) and any(map(_holds_truth, value)))


def _spelled(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_spelled(part) for part in value]
    return str(value) if isinstance(value, bool) else value


@cache
def _numbers(settings: type[BaseModel]) -> set[str]:
    """The fields that hold numbers, and no truth."""

    def parts(annotation: Any) -> set[Any]:
        return {annotation}.union(*(parts(part) for part in get_args(annotation)))

    held = {name: parts(field.annotation) for name, field in settings.model_fields.items() if field.annotation}
    return {name for name, kinds in held.items() if kinds & {int, float} and bool not in kinds}


class Choice(Settings):
    """One of several alternatives, told apart by `kind`.

    A subclass declares `kind: Literal["its_name"] = "its_name"`, its fields with bounds, title and description,
    and a docstring whose first line says in a sentence what it is. Then it is added to its union.
    """

    title: ClassVar[str] = ""
    """What the page calls it, e.g. "Two moons"; by default made from the kind."""

    presets: ClassVar[dict[str, dict[str, Any]]] = {}
    """Fields that a paper or a public code is known by, under the name that people are shown."""

    @classmethod
    def kind_name(cls) -> str:
        """The value of `kind` that selects this class."""
        return str(cls.model_fields["kind"].default)

    @classmethod
    def label(cls) -> str:
        """The name shown to people."""
        return cls.title or cls.kind_name().replace("_", " ").capitalize()

    @classmethod
    def summary(cls) -> str:
        """The first line of the class's docstring."""
        return (cls.__doc__ or "").strip().splitlines()[0]

    @classmethod
    def preset(cls, name: str) -> Self:
        """The choice that a preset's name stands for. Raises KeyError where there is none."""
        return cls.model_validate(cls.presets[name])


def _from_name(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


FROM_NAME = BeforeValidator(_from_name)
"""Lets a bare name stand for a choice with its defaults: `target: two_moons`."""


def kinds(union: Any) -> tuple[type[Choice], ...]:
    """The classes that an annotated union, such as AnyDistribution, chooses from, in the order of their offer."""
    members = get_args(union)[0]
    return get_args(members) or (members,)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with an input: where it stands and a sentence that says what to do."""

    path: tuple[str, ...]
    sentence: str

    def __str__(self) -> str:
        return f"{'.'.join(self.path)}: {self.sentence}" if self.path else self.sentence


class InvalidExperiment(ValueError):
    """An input that is not a valid experiment; `problems` says, one by one, what to change."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__(" ".join(str(problem) for problem in problems))


def problems_of(error: ValidationError, given: Any) -> list[Problem]:
    """Turns pydantic's errors on the input `given` into sentences, one for each place in it."""
    found = (Problem(_path(item["loc"], given), _sentence(item)) for item in error.errors(include_url=False))
    first = list({problem.path: problem for problem in reversed(list(found))}.values())[::-1]
    # A collection whose items are refused is reported as too short as well; the items say it better.
    inner = {problem.path[:-1] for problem in first if problem.path}
    return [problem for problem in first if problem.path not in inner]


def _path(loc: tuple[int | str, ...], given: Any) -> tuple[str, ...]:
    """Where an error stands in the input, without the tags that pydantic inserts below a union's field."""
    path: list[str] = []
    for at, part in enumerate(loc):
        kind = given.get("kind") if isinstance(given, dict) else given
        if part == kind and isinstance(part, str):
            continue
        if isinstance(given, dict) and part not in given and at < len(loc) - 1:
            continue  # the tag of a kind that goes without saying
        path.append(str(part))
        if isinstance(given, dict):
            given = given.get(part)
        elif isinstance(given, (list, tuple)) and isinstance(part, int) and part < len(given):
            given = given[part]
    return tuple(path)


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python does not write whole numbers of more than 4,300 digits
        return "this number"
    return text if len(text) <= 40 else text[:37] + "..."


def _sentence(item: Any) -> str:
    """One sentence for one pydantic error: what was given, what is asked."""
    kind, context, given = item["type"], item.get("ctx", {}), _shown(item.get("input"))
    match kind:
        case "greater_than_equal":
            return f"{given} is too small; choose at least {context['ge']:.10g}."
        case "greater_than":
            return f"{given} is too small; choose more than {context['gt']:.10g}."
        case "less_than_equal":
            return f"{given} is too large; choose at most {context['le']:.10g}."
        case "less_than":
            return f"{given} is too large; choose less than {context['lt']:.10g}."
        case "finite_number":
            return f"{given} is not a finite number."
        case "int_parsing" | "int_type" | "int_from_float":
            return f"{given} is not a whole number."
        case "float_parsing" | "float_type":
            return f"{given} is not a number."
        case "bool_parsing" | "bool_type":
            return f"{given} is neither true nor false."
        case "literal_error":
            return f"{given} is not one of {context['expected']}."
        case "union_tag_invalid":
            return f"there is no kind {_shown(context['tag'])}; choose one of {context['expected_tags']}."
        case "union_tag_not_found" | "model_type" | "model_attributes_type":
            return f"{given} does not say which kind it is; write a kind or {{kind: ..., ...}}."
        case "extra_forbidden":
            return "there is no such field here; check its spelling."
        case "missing":
            return "this is missing."
        case "too_short":
            return f"give at least {context['min_length']} values."
        case "too_long":
            return f"give at most {context['max_length']} values."
        case "value_error":
            return str(context["error"])
        case _:
            return str(item["msg"]) + "."
