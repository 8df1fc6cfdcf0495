"""The form's description follows the declarations, and says so when it cannot."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, Optional

import pytest
from pydantic import Field

from playground.choice import FROM_NAME, Choice, Settings
from playground.distributions import DISTRIBUTIONS
from playground.experiment import Experiment
from playground.ui.form import describe


class Straight(Choice):
    """Goes straight."""

    kind: Literal["straight"] = "straight"
    title = "As the crow flies"


class Wavy(Choice):
    """Goes in waves.

    More about waves.
    """

    kind: Literal["wavy"] = "wavy"
    waves: int = Field(3, ge=1, le=9, title="Waves", description="How many.")
    route: Annotated[Straight | None, FROM_NAME] = Field(None, title="Route")


class Nested(Settings):
    """A group."""

    path: Annotated[Straight | Wavy, Field(discriminator="kind"), FROM_NAME] = Field(Wavy(), title="Path")


Positive = Annotated[float, Field(gt=0)]
Row = tuple[float, float]


class Toy(Settings):
    """Everything that a form can show."""

    rate: Positive = Field(0.01, le=1, title="Rate", description="How fast.", json_schema_extra={"scale": "log"})
    cells: int = Field(4, ge=1, lt=10, multiple_of=1, json_schema_extra={"unit": "px", "advanced": True})
    either: int | float = 2
    limit: float | None = Field(None, ge=0, json_schema_extra={"none": "no limit", "range": [0, 5]})
    loud: bool = False
    unsure: bool | None = None
    shape: Literal["round", "half_open"] | None = "round"
    label: str = Field("a", max_length=8)
    mean: tuple[Annotated[float, Field(ge=-1, le=1)], ...] = Field((0, 0.5), min_length=1)
    pair: tuple[int, int] = (1, 2)
    centres: tuple[Row, ...] = Field(((0, 0), (1, 1)), max_length=4)
    seed: int = Field(0, ge=0)
    nested: Nested = Nested()
    maybe: Optional[Nested] = None  # noqa: UP045
    drawing: dict[str, int] = Field({}, json_schema_extra={"hidden": True})


def fields_of(model: Any) -> dict[str, dict[str, Any]]:
    return {field["name"]: field for field in describe(model)["fields"]}


def test_every_type_is_described_with_what_was_declared() -> None:
    toy = fields_of(Toy)
    assert list(toy) == list(Toy.model_fields)
    assert toy["rate"] == {
        "name": "rate",
        "title": "Rate",
        "description": "How fast.",
        "default": 0.01,
        "type": "float",
        "minimum": 0,
        "exclusive_minimum": True,
        "maximum": 1,
        "scale": "log",
    }
    assert toy["cells"] == {
        "name": "cells",
        "title": "Cells",
        "description": "",
        "default": 4,
        "type": "int",
        "minimum": 1,
        "maximum": 10,
        "exclusive_maximum": True,
        "step": 1,
        "unit": "px",
        "advanced": True,
    }
    assert toy["either"]["type"] == "float"
    assert toy["limit"]["optional"] and toy["limit"]["none"] == "no limit" and toy["limit"]["range"] == [0, 5]
    assert toy["loud"]["type"] == "bool" and toy["unsure"]["type"] == "choice" and toy["unsure"]["optional"]
    assert toy["shape"]["options"][1] == {"value": "half_open", "label": "half open"} and toy["shape"]["optional"]
    assert toy["label"]["max_length"] == 8
    assert toy["mean"]["item"] == {"type": "float", "minimum": -1, "maximum": 1} and toy["mean"]["min_length"] == 1
    assert toy["pair"]["item"] == {"type": "int"} and toy["pair"]["min_length"] == toy["pair"]["max_length"] == 2
    assert toy["centres"]["type"] == "matrix" and toy["centres"]["columns"] == {"min_length": 2, "max_length": 2}
    assert toy["centres"]["max_length"] == 4 and toy["centres"]["default"] == [[0, 0], [1, 1]]
    assert toy["seed"]["dice"]
    assert toy["drawing"]["type"] == "hidden" and toy["drawing"]["default"] == {}


def test_groups_and_unions_are_described_inside_each_other() -> None:
    toy = fields_of(Toy)
    assert toy["nested"]["type"] == toy["maybe"]["type"] == "group" and toy["nested"]["summary"] == "A group."
    assert toy["maybe"]["optional"] and toy["maybe"]["default"] is None
    path = toy["nested"]["fields"][0]
    straight, wavy = path["kinds"]
    assert path["default"] == {"kind": "wavy", "waves": 3, "route": None}
    assert straight == {"kind": "straight", "label": "As the crow flies", "summary": "Goes straight.", "fields": []}
    assert wavy["label"] == "Wavy" and wavy["summary"] == "Goes in waves."
    assert [field["name"] for field in wavy["fields"]] == ["waves", "route"]
    assert wavy["fields"][1]["type"] == "union" and wavy["fields"][1]["optional"]
    assert [field["name"] for field in describe(Wavy)["fields"]] == ["waves", "route"]


def test_thumbnails_are_made_of_the_default_objects() -> None:
    described = describe(Nested, lambda choice: [[0, choice.waves]] if isinstance(choice, Wavy) else None)
    straight, wavy = described["fields"][0]["kinds"]
    assert wavy["thumbnail"] == [[0, 3]] and "thumbnail" not in straight


def test_a_field_without_a_default_is_required() -> None:
    class Needs(Settings):
        a: int
        path: Annotated[Straight | Wavy, Field(discriminator="kind"), FROM_NAME] = "straight"  # type: ignore[assignment]  # a bare name, as in YAML

    needs = fields_of(Needs)
    assert needs["a"]["required"] and "default" not in needs["a"]
    assert needs["path"]["default"] == "straight"


class Endless(Settings):
    inside: Optional[Endless] = None  # noqa: UP045


class Kindless(Choice):
    a: int = 1


@pytest.mark.parametrize(
    ("annotation", "default", "says"),
    [
        (dict[str, int], {}, r"Odd\.field: the form has no control for dict"),
        (int | str, 1, "no control"),
        (tuple[float, int], (1, 2), "one kind of number"),
        (tuple[str, ...], (), "no control"),
        (tuple[tuple[tuple[float, ...], ...], ...], (), "no control"),
        (Endless, Endless(), "contains itself"),
        (Kindless, Kindless(), "declare its kind"),
        (Annotated[float, Field(ge=-1, le=1, json_schema_extra={"scale": "log"})], 0.5, "lower bound of at least 0"),
        (Annotated[float, Field(ge=0, le=1, json_schema_extra={"scale": "root"})], 0.5, "no scale 'root'"),
        (Annotated[float, Field(ge=0, le=1, json_schema_extra={"range": [0, 2]})], 0.5, "within the bounds"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_the_name_of_the_field(annotation: Any, default: Any, says: str) -> None:
    odd = type("Odd", (Settings,), {"__annotations__": {"field": annotation}, "field": default})
    with pytest.raises(TypeError, match=says):
        describe(odd)


def test_the_experiment_is_described_as_plain_json() -> None:
    described = describe(Experiment)
    assert json.loads(json.dumps(described)) == described
    assert [field["name"] for field in described["fields"]] == list(Experiment.model_fields)
    target = next(field for field in described["fields"] if field["name"] == "target")
    assert [kind["kind"] for kind in target["kinds"]] == [kind.kind_name() for kind in DISTRIBUTIONS]


BOUNDS = {
    "minimum": ("minimum", None),
    "maximum": ("maximum", None),
    "exclusiveMinimum": ("minimum", "exclusive_minimum"),
    "exclusiveMaximum": ("maximum", "exclusive_maximum"),
}


@pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=lambda each: each.kind_name())
def test_every_distribution_tells_its_fields_and_bounds(distribution: type[Choice]) -> None:
    """Held against pydantic's own JSON schema, which finds the bounds in another way."""
    schema = distribution.model_json_schema()["properties"]
    assert distribution.summary().endswith(".")
    for field in describe(distribution)["fields"]:
        declared = distribution.model_fields[field["name"]]
        assert declared.title and declared.description, f"{distribution.__name__}.{field['name']} lacks words"
        if field["type"] not in ("float", "int"):
            continue
        said = next((each for each in schema[field["name"]].get("anyOf", []) if "type" in each), schema[field["name"]])
        expected: dict[str, Any] = {}
        for key, (bound, exclusive) in BOUNDS.items():
            if key in said:
                expected |= {bound: said[key]} | ({exclusive: True} if exclusive else {})
        assert {key: field[key] for key in field if key.endswith("imum")} == expected
        assert field["default"] is None or field.get("minimum", -1e9) <= field["default"] <= field.get("maximum", 1e9)


def test_a_family_says_what_it_is_and_what_it_makes_no_use_of():
    from playground.experiment import Experiment
    from playground.ui.form import describe

    (model,) = [field for field in describe(Experiment)["fields"] if field["name"] == "model"]
    kinds = {kind["kind"]: kind for kind in model["kinds"]}
    idle = {name: set(kind["idle"]) for name, kind in kinds.items() if "idle" in kind}
    assert idle == {
        **{name: {"source"} for name in ("gan", "vae", "autoregressive")},
        **{name: {"network"} for name in ("exact", "rbm")},
        "mixture": {"network", "source"},
        "equation": {"network", "target", "training", "condition"},
    }
    assert kinds["mixture"]["idle"]["source"] == "Not used: Gaussian mixture starts from a latent of its own."
    rows = kinds["autoregressive"]["explained"]["versus"]
    assert rows[0][1:] == ["Autoregressive", "Diffusion"]
    assert {len(row) for row in rows} == {3}
    for name in ("energy", "rbm", "autoregressive", "mixture"):
        assert {"about", "formula", "look_for", "try_this"} <= set(kinds[name]["explained"])


def test_a_family_notes_what_of_the_network_it_does_not_take():
    from playground.experiment import Experiment
    from playground.ui.form import describe

    (model,) = [field for field in describe(Experiment)["fields"] if field["name"] == "model"]
    notes = {kind["kind"]: kind["notes"]["network"] for kind in model["kinds"] if "notes" in kind}
    assert notes["neural_ode"].startswith("Neural ODE (CNF): tanh stands in for ReLU, whose derivatives do not bend.")
    assert notes["neural_ode"].endswith("It has no Fourier features.")
    assert notes["gan"] == "GAN: it has no Fourier features."
    assert "stands in" in notes["energy"] and not {"flow_matching", "diffusion", "rbm", "exact"} & set(notes)
