"""What a choice offers by itself, and the sentences that wrong input gets."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from playground.choice import FROM_NAME, Choice, InvalidExperiment, Problem, Settings, kinds, problems_of
from playground.distributions import DISTRIBUTIONS, AnyDistribution
from playground.dynamics.couplings import AnyCoupling
from playground.dynamics.paths import AnyPath
from playground.dynamics.solvers import AnySolver
from playground.models import AnyModel
from playground.networks import Network

UNIONS = {
    "distributions": AnyDistribution,
    "paths": AnyPath,
    "couplings": AnyCoupling,
    "solvers": AnySolver,
    "models": AnyModel,
}
EVERY_KIND = pytest.mark.parametrize(
    "cls", [*(cls for union in UNIONS.values() for cls in kinds(union)), Network], ids=lambda cls: cls.__name__
)


class Apple(Choice):
    """A round fruit.

    More about apples.
    """

    kind: Literal["apple"] = "apple"
    seeds: int = Field(5, ge=1, lt=10)
    weight: float = Field(0.2, gt=0, le=1)
    ripe: bool = True
    colour: Literal["red", "green"] = "red"
    spots: tuple[Annotated[float, Field(ge=0)], ...] = Field((0.5,), min_length=1, max_length=3)


class BlackPear(Choice):
    """A fruit with a neck."""

    title = "Pear (black)"
    kind: Literal["black_pear"] = "black_pear"


AnyFruit = Annotated[Apple | BlackPear, Field(discriminator="kind"), FROM_NAME]


class Basket(Settings):
    """Fruit, carried."""

    fruit: AnyFruit = Apple()
    more: tuple[AnyFruit, ...] = ()
    handle: float


def problems(given: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        Basket.model_validate(given)
    return [str(problem) for problem in problems_of(caught.value, given)]


def apple(**fields: Any) -> list[str]:
    return problems({"handle": 1, "fruit": {"kind": "apple", **fields}})


def test_a_choice_knows_its_names():
    assert (Apple.kind_name(), Apple.label(), Apple.summary()) == ("apple", "Apple", "A round fruit.")
    assert (BlackPear.kind_name(), BlackPear.label()) == ("black_pear", "Pear (black)")
    assert kinds(AnyFruit) == (Apple, BlackPear)
    assert kinds(Annotated[Apple, FROM_NAME]) == (Apple,)
    assert kinds(AnyDistribution) == DISTRIBUTIONS


@EVERY_KIND
def test_every_choice_tells_people_what_it_is(cls):
    assert cls.summary().endswith(".")
    assert cls.label()
    assert cls.kind_name() == cls().kind
    for name, field in cls.model_fields.items():
        if name != "kind":
            assert field.title, name
            assert field.description and field.description.endswith("."), name
            assert not field.is_required(), name


@pytest.mark.parametrize("union", UNIONS.values(), ids=UNIONS)
def test_kinds_differ_and_go_by_their_bare_names(union):
    names = [cls.kind_name() for cls in kinds(union)]
    assert len(set(names)) == len(names)
    for cls in kinds(union):
        assert TypeAdapter(union).validate_python(cls.kind_name()) == cls()


@EVERY_KIND
def test_choices_are_values(cls):
    assert cls() == cls()
    assert hash(cls()) == hash(cls())
    with pytest.raises(ValidationError, match="frozen"):
        cls().kind = "other"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"seeds": 0}, "fruit.seeds: 0 is too small; choose at least 1."),
        ({"seeds": 10}, "fruit.seeds: 10 is too large; choose less than 10."),
        ({"weight": 0}, "fruit.weight: 0 is too small; choose more than 0."),
        ({"weight": 2.5}, "fruit.weight: 2.5 is too large; choose at most 1."),
        ({"weight": math.nan}, "fruit.weight: nan is not a finite number."),
        ({"weight": -math.inf}, "fruit.weight: -inf is not a finite number."),
        ({"weight": "heavy"}, "fruit.weight: 'heavy' is not a number."),
        ({"weight": None}, "fruit.weight: None is not a number."),
        ({"seeds": 1.5}, "fruit.seeds: 1.5 is not a whole number."),
        ({"seeds": "few"}, "fruit.seeds: 'few' is not a whole number."),
        ({"seeds": {}}, "fruit.seeds: {} is not a whole number."),
        ({"ripe": "almost"}, "fruit.ripe: 'almost' is neither true nor false."),
        ({"ripe": []}, "fruit.ripe: [] is neither true nor false."),
        ({"colour": "blue"}, "fruit.colour: 'blue' is not one of 'red' or 'green'."),
        ({"spots": [1, -1]}, "fruit.spots.1: -1 is too small; choose at least 0."),
        ({"spots": [1] * 4}, "fruit.spots: give at most 3 values."),
        ({"stem": 1}, "fruit.stem: there is no such field here; check its spelling."),
        ({"seeds": "x" * 100}, "fruit.seeds: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx... is not a whole number."),
    ],
)
def test_each_mistake_gets_its_sentence(fields, sentence):
    assert apple(**fields) == [sentence]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"handle": 1, "fruit": "plum"}, "fruit: there is no kind 'plum'; choose one of 'apple', 'black_pear'."),
        ({"handle": 1, "fruit": {"kind": 3}}, "fruit: there is no kind '3'; choose one of 'apple', 'black_pear'."),
        (
            {"handle": 1, "fruit": {"seeds": 3}},
            "fruit: {'seeds': 3} does not say which kind it is; write a kind or {kind: ..., ...}.",
        ),
        ({"handle": 1, "fruit": 7}, "fruit: 7 does not say which kind it is; write a kind or {kind: ..., ...}."),
        ({}, "handle: this is missing."),
        (
            {"handle": 1, "more": ["apple", "plum"]},
            "more.1: there is no kind 'plum'; choose one of 'apple', 'black_pear'.",
        ),
        (
            {"handle": 1, "more": ["black_pear", {"kind": "apple", "seeds": 0}]},
            "more.1.seeds: 0 is too small; choose at least 1.",
        ),
    ],
)
def test_the_place_of_a_mistake_is_named(given, sentence):
    assert problems(given) == [sentence]


def test_each_place_gets_one_sentence_and_all_places_get_theirs():
    assert apple(seeds=0, weight=0, spots=[-1, 1, -2]) == [
        "fruit.seeds: 0 is too small; choose at least 1.",
        "fruit.weight: 0 is too small; choose more than 0.",
        "fruit.spots.0: -1 is too small; choose at least 0.",
        "fruit.spots.2: -2 is too small; choose at least 0.",
    ]


def test_bounds_are_written_in_full():
    class Large(Settings):
        """Bounds of many digits."""

        seed: int = Field(0, le=2**31 - 1)
        count: int = Field(0, le=10**9)

    given = {"seed": 2**31, "count": 10**9 + 1}
    with pytest.raises(ValidationError) as caught:
        Large.model_validate(given)
    assert [problem.sentence for problem in problems_of(caught.value, given)] == [
        "2147483648 is too large; choose at most 2147483647.",
        "1000000001 is too large; choose at most 1000000000.",
    ]


def test_a_number_too_long_to_write_is_refused_like_any_other():
    assert apple(seeds=10**5000) == ["fruit.seeds: this number is too large; choose less than 10."]
    assert apple(weight=10**5000) == ["fruit.weight: this number is not a number."]


def test_an_invalid_experiment_says_everything():
    error = InvalidExperiment([Problem(("a", "b"), "this is wrong."), Problem((), "so is that.")])
    assert str(error) == "a.b: this is wrong. so is that."
    assert isinstance(error, ValueError)
    assert [problem.path for problem in error.problems] == [("a", "b"), ()]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"training": {"steps": True}}, "training.steps: 'True' is not a whole number."),
        ({"training": {"rate": False}}, "training.rate: 'False' is not a number."),
        ({"source": {"kind": "gaussian", "mean": [True, 0]}}, "source.mean.0: 'True' is not a number."),
    ],
)
def test_a_truth_is_not_a_number(given, words):
    from playground import Experiment

    with pytest.raises(InvalidExperiment) as found:
        Experiment.parse(given)
    assert str(found.value) == words
    assert (
        Experiment.parse({"model": {"kind": "flow_matching", "average_targets": False}}).model.average_targets is False
    )
