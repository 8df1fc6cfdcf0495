"""The grammar of formulas: what it reads, what it says of mistakes, and that hostile text does nothing."""

from __future__ import annotations

import math
import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.choice import InvalidExperiment
from playground.dynamics.systems.expression import evaluate
from playground.dynamics.systems.grammar import DEEPEST, LONGEST, Mistake, parse
from playground.experiment import Experiment

NAMES = ("x", "y", "t")


def value(text: str, **values: float) -> float:
    (tree,) = parse(text, NAMES)
    return float(evaluate(tree, {name: torch.tensor(number, dtype=torch.float64) for name, number in values.items()}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2*3", 7),
        ("(1 + 2)*3", 9),
        ("2 - 3 - 4", -5),
        ("16/4/2", 2),
        ("-2^2", -4),
        ("2^3^2", 512),
        ("2^-1", 0.5),
        ("2**3", 8),
        ("--3", 3),
        ("+4", 4),
        ("1.5e2 + .5", 150.5),
        ("sin(pi/2) + log(e)", 2),
        ("−2·3 ÷ 6", -1),
        ("sqrt(abs(-16))*sign(-2)", -4),
        ("cosq(4) - cosh(2)", 0),
        ("sinq(-4) - sin(2)/2", 0),
    ],
)
def test_a_formula_has_the_value_of_mathematics(text, expected):
    assert value(text) == pytest.approx(expected, abs=1e-12)


def test_names_stand_for_what_is_given():
    assert value("y*x - t", x=2.0, y=3.0, t=1.0) == 5


@pytest.mark.parametrize(
    ("text", "begin", "end", "what"),
    [
        ("y; -sin(q)", 8, 9, "there is no q here"),
        ("sine(x)", 0, 4, "there is no function sine"),
        ("2x", 1, 2, "to multiply write *"),
        ("x y", 2, 3, "to multiply write *"),
        ("(x + 1", 0, 1, "never closed"),
        ("x + ", 3, 4, "ends here"),
        ("x)", 1, 2, "closes none"),
        ("x + ()", 5, 6, "missing before this bracket"),
        ("x $ 1", 2, 3, "$ has no meaning"),
        ("sin x", 0, 3, "argument in brackets"),
        (";x", 0, 1, "nothing before this semicolon"),
        ("x;;y", 2, 3, "nothing before this semicolon"),
        ("", 0, 1, "ends here"),
    ],
)
def test_a_mistake_says_where_it_is_and_what_it_is(text, begin, end, what):
    with pytest.raises(Mistake, match="character") as caught:
        parse(text, NAMES)
    assert what in str(caught.value)
    assert (caught.value.begin, caught.value.end) == (begin, end)


def test_nesting_and_length_are_bounded():
    for text in ("(" * 10_000, "-" * 1000 + "x", "2^" * 400 + "x", "sin(" * 200 + "x" + ")" * 200):
        with pytest.raises(Mistake):
            parse(text, NAMES)
    inner = DEEPEST // 2 - 1
    assert parse("(" * inner + "x" + ")" * inner, NAMES) == ("x",)
    with pytest.raises(Mistake, match=f"{DEEPEST} deep"):
        parse("(" * DEEPEST + "x" + ")" * DEEPEST, NAMES)
    with pytest.raises(Mistake, match="at most"):
        parse("x" + "+x" * LONGEST, NAMES)


HOSTILE = [
    "__import__('os').system('true')",
    "x.__class__.__mro__",
    "eval(x)",
    "lambda: x",
    "x if y else t",
    "[x for x in y]",
    "x; import os",
    "9**9**9**9",
    "constructor",
    "toString(x)",
    "__proto__",
    "x\x00y",
    "e" * 300,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_refused_or_is_a_number(text):
    try:
        trees = parse(text, NAMES)
    except Mistake as mistake:
        assert len(str(mistake)) < 700
        return
    assert math.isinf(value(text)) and len(trees) == 1


PIECES = st.sampled_from(
    [*"xyt()+-*/^;,.=[]{}'\"\\_$ \n", "sin", "exp", "log", "2", "1e9", "__class__", "import", "**"]
)


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=80).map("".join)))
def test_any_text_is_read_or_refused_with_a_sentence_at_once(text):
    begun = time.process_time()
    try:
        trees = parse(text, NAMES)
    except Mistake as mistake:
        assert 0 <= mistake.begin < mistake.end
        assert str(mistake).endswith(".")
    else:
        x = torch.zeros(3, dtype=torch.float64)
        for tree in trees:
            assert evaluate(tree, {"x": x, "y": x, "t": 0.0}).dtype == torch.float64
    assert time.process_time() - begun < 2


@settings(max_examples=60, deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join))
def test_an_experiment_with_any_formula_is_valid_or_says_why_not(text):
    given_ = {"model": {"kind": "equation", "system": {"kind": "custom", "field": text, "T": 0.1}}}
    try:
        Experiment.parse(given_)
    except InvalidExperiment as error:
        assert error.problems and all(problem.sentence for problem in error.problems)


def test_a_system_on_a_line_may_not_use_y_and_noise_has_to_fit():
    def sentence(**system):
        with pytest.raises(InvalidExperiment) as caught:
            Experiment.parse({"model": {"kind": "equation", "system": {"kind": "custom", **system}}})
        return str(caught.value)

    assert "may not use y" in sentence(field="x*y")
    assert "two noise terms for one equation" in sentence(field="x", noise="1; 1")
    assert "3 formulas" in sentence(field="x; y; t")
    assert "characters 1 to 4: there is no function sine" in sentence(field="sine(x)")
