"""Autoguidance, the interval of guidance and Karras' grid on the real page, with what they cost beside the picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.driver import Visitor
from tests.browser.test_condition import Conditional


@pytest.fixture
def classes(visit: Callable[..., Visitor]) -> Conditional:
    return Conditional(visit("?preset=classes"))


def row(page: Conditional, name: str) -> Any:
    return page.page.locator(f"#stage [data-row={name}]").first


def test_an_earlier_snapshot_guides_and_its_cost_in_evaluations_and_coverage_shows(classes: Conditional) -> None:
    page = classes
    expect(row(page, "autoguidance")).to_be_visible()
    for name in ("guide", "guidance_from", "guidance_to"):
        expect(row(page, name)).to_be_hidden()
    plain = page.cards("cards.class_coverage > 0 && cards.nfe === 50")
    asked = len(page.visitor.requests)
    page.sampled("autoguidance", 3)
    page.sampled("guide", 0.1)
    assert page.text("autoguidance-value") == "w = 3, NFE × 2"
    assert page.text("guide-value").startswith("10 %: step ")
    guided = page.cards(f"cards.nfe === 100 && cards.class_coverage < {plain['class_coverage'] - 0.02}")
    assert guided["in_class"] > 0.9
    page.sampled("guidance_to", 0.5)
    assert page.text("guidance_to-value") == "t = 0.5"
    halved = page.cards("cards.nfe < 100 && cards.nfe > 50")
    assert 74 <= halved["nfe"] <= 76, "half of the evaluations are guided"
    assert [one for one in page.visitor.requests[asked:] if "gradio_api" in one] == [], "the weights are here already"
    page.sampled("guidance", 2)
    assert page.text("autoguidance-value") == "1, off", "the two kinds do not go together"
    expect(row(page, "guide")).to_be_hidden()
    page.sampled("autoguidance", 2)
    assert page.text("guidance-value") == "1, unguided"
    assert not page.visitor.faults


def test_the_ends_of_the_interval_keep_their_order(classes: Conditional) -> None:
    page = classes
    page.sampled("guidance", 2)
    page.sampled("guidance_to", 0.4)
    page.sampled("guidance_from", 0.6)
    assert (page.text("guidance_from-value"), page.text("guidance_to-value")) == ("t = 0.6", "t = 0.65")
    page.sampled("guidance_to", 0.3)
    assert (page.text("guidance_from-value"), page.text("guidance_to-value")) == ("t = 0.25", "t = 0.3")
    assert not page.visitor.faults


def test_the_grid_of_edm_moves_the_times(classes: Conditional) -> None:
    page = classes
    page.sampled("steps", 8)
    before = page.page.locator("#stage [data-part=ticks]").first.inner_html()
    page.sampled("grid", "karras")
    page.page.wait_for_function(
        "(before) => document.querySelector('#stage [data-part=ticks]').innerHTML !== before", arg=before
    )
    assert not page.visitor.faults
