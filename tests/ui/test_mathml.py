"""Formulas: each construct by its MathML, well formed, and a sentence for whatever is not known."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from playground.choice import kinds
from playground.models import AnyModel
from playground.ui.mathml import Unreadable, mathml


def shape(formula: str) -> str:
    """The MathML of one line without attributes, spaces and the outer element."""

    def written(element: ElementTree.Element) -> str:
        inside = "".join(written(child) for child in element) or (element.text or "")
        return f"{element.tag}({inside})"

    (row,) = ElementTree.fromstring(mathml(formula))
    return "".join(written(child) for child in row).replace("mspace()", "")


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("x_t^2", "msubsup(mi(x)mi(t)mn(2))"),
        ("x^2_t", "msubsup(mi(x)mi(t)mn(2))"),
        (r"\frac{1}{2} a", "mfrac(mrow(mn(1))mrow(mn(2)))mi(a)"),
        (r"\sum_{k=1}^K", "munderover(mo(∑)mrow(mi(k)mo(=)mn(1))mi(K))"),
        (r"\min_θ", "munder(mi(min)mi(θ))"),
        (r"\log p", "mi(log)mi(p)"),
        (r"\mathbb{E}_q", "msub(mi(𝔼)mi(q))"),
        (r"\mathcal{N}\mathcal{L}\mathbb{R}", "mi(𝒩)mi(ℒ)mi(ℝ)"),
        (r"\alpha\Lambda\lambda\varepsilon", "mi(α)mi(Λ)mi(λ)mi(ε)"),
        (r"\hat{x}", "mover(mrow(mi(x))mo(^))"),
        (r"\text{a word}", "mtext(a word)"),
        (r"\left\| a \right\|^2", "msup(mrow(mo(‖)mi(a)mo(‖))mn(2))"),
        ("a - 1.5", "mi(a)mo(−)mn(1.5)"),
        ("a < b", "mi(a)mo(<)mi(b)"),
        (r"\underbrace{a}_{\text{n}}", "munder(munder(mrow(mi(a))mo(⏟))mrow(mtext(n)))"),
        (r"\sqrt{1-\bar{α}_t}", "msqrt(mrow(mn(1)mo(−)msub(mover(mrow(mi(α))mo(¯))mi(t))))"),
    ],
)
def test_each_construct(formula: str, expected: str) -> None:
    assert shape(formula) == expected


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        (r"\unknown", r"\unknown is not known"),
        ("{a", "ends too early"),
        ("a}", "too many"),
        ("_2", "nothing before _"),
        ("a_1_2", "two _"),
        (r"\left( a", "ends too early"),
        (r"\mathbb{ab}", "no double-struck capital ab"),
    ],
)
def test_what_is_not_known_is_refused_with_a_sentence(formula: str, says: str) -> None:
    with pytest.raises(Unreadable) as refused:
        mathml(formula)
    assert says in str(refused.value)


def test_each_line_is_a_formula_of_its_own() -> None:
    assert mathml("a\n  b\n").count('<math display="block">') == 2


@pytest.mark.parametrize("family", kinds(AnyModel), ids=lambda family: family.kind_name())
def test_every_family_explains_itself(family: type) -> None:
    assert family.about and family.look_for and family.try_this
    ElementTree.fromstring(f"<all>{mathml(family.formula)}</all>")
    assert mathml(family.formula)
