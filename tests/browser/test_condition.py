"""A conditional run on the real page: classes, guidance and what they do to the figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.driver import Visitor

SET = """([part, value]) => {
    const input = document.querySelector(`.pg-stage [data-part="${part}"]`);
    input.value = value;
    input.dispatchEvent(new Event(input.tagName === "SELECT" ? "change" : "input"));
}"""


class Conditional:
    """The preset of eight classes, held still at its end."""

    def __init__(self, visitor: Visitor) -> None:
        self.page = visitor.page
        self.visitor = visitor
        self.page.wait_for_function("document.querySelector('.pg-stage')?.dataset.state === 'ready'")
        self.page.wait_for_function("window.__playground.stages[0].samples > 0")
        self.set("time", 1)

    def set(self, part: str, value: Any) -> None:
        self.page.evaluate(SET, [part, str(value)])

    def text(self, part: str) -> str:
        return str(self.page.locator(f".pg-stage [data-part={part}]").first.inner_text())

    def sampled(self, part: str, value: Any) -> None:
        """Chooses, and waits for the picture of it."""
        before = self.page.evaluate("window.__playground.stages[0].samples")
        self.set(part, value)
        self.page.wait_for_function("(before) => window.__playground.stages[0].samples > before", arg=before)

    def cards(self, condition: str) -> dict[str, float]:
        """The cards, once they are measured and fulfil a condition."""
        self.page.locator(".pg-figures").scroll_into_view_if_needed()
        script = f"(() => {{ const cards = window.__playground.figures.cards; return {condition}; }})()"
        self.page.wait_for_function(script, timeout=60_000)
        found: dict[str, float] = self.page.evaluate("({ ...window.__playground.figures.cards })")
        return found


@pytest.fixture
def page(visit: Callable[..., Visitor]) -> Conditional:
    return Conditional(visit("?preset=classes"))


def test_guidance_moves_the_picture_at_once_and_its_cost_and_loss_of_diversity_show(page: Conditional) -> None:
    assert page.text("colour") == "class"
    assert page.text("guidance-value") == "1, unguided"
    plain = page.cards("cards.class_coverage > 0 && cards.nfe === 50")
    assert plain["in_class"] > 0.97
    assert plain["class_coverage"] > 0.85
    assert abs(plain["class_spread"] - 1) < 0.15
    page.sampled("guidance", 3)
    assert page.text("guidance-value") == "w = 3, NFE × 2"
    guided = page.cards("cards.nfe === 100 && cards.class_spread < 0.8")
    assert guided["class_coverage"] < 0.5
    page.sampled("guidance", 0)
    free = page.cards("cards.nfe === 50 && cards.in_class < 0.5")
    assert free["class_spread"] > 3
    assert not page.visitor.faults


def test_one_class_is_asked_for_and_told_in_links(page: Conditional) -> None:
    page.sampled("label", 3)
    one = page.cards("cards.modes === 1")
    assert one["in_class"] > 0.97
    settings = page.page.evaluate("window.__playground.stages[0].samples")
    page.sampled("label", "")
    assert page.page.evaluate("window.__playground.stages[0].samples") > settings
    page.cards("cards.modes === 8")
    assert not page.visitor.faults


def test_a_run_that_is_told_nothing_has_none_of_these_controls(visit: Callable[..., Visitor]) -> None:
    visitor = visit("")
    visitor.page.wait_for_function("document.querySelector('.pg-stage')?.dataset.state === 'ready'")
    for row in ("label", "angle", "guidance"):
        assert visitor.page.locator(f".pg-stage [data-row={row}]").first.is_hidden()
    assert visitor.page.locator(".pg-figure[data-figure=in_class]").is_hidden()
    assert not visitor.faults
