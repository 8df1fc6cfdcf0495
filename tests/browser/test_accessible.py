"""The page without eyes or mouse: every control has a name, Train is near, training is told, the focus stays."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.driver import Visitor
from tests.browser.studio import PATIENCE

Visit = Callable[..., Visitor]
CONTROLS = {
    "slider",
    "button",
    "combobox",
    "checkbox",
    "radio",
    "textbox",
    "spinbutton",
    "switch",
    "tab",
    "link",
    "listbox",
}
STOPS = 6
"""At most so many presses of Tab lead from the top of the page to Train."""


def controls(page: Page) -> list[tuple[str, str]]:
    """(role, name) of every control in the accessibility tree, in order."""
    session = page.context.new_cdp_session(page)
    nodes: list[dict[str, Any]] = session.send("Accessibility.getFullAXTree")["nodes"]
    told = [node for node in nodes if not node.get("ignored")]
    pairs = [(node.get("role", {}).get("value", ""), node.get("name", {}).get("value", "")) for node in told]
    return [(role, name.strip()) for role, name in pairs if role in CONTROLS]


def ready(visit: Visit, path: str, panels: int = 1) -> Page:
    page = visit(path).page
    page.wait_for_function(f"document.querySelectorAll('.pg-canvas').length >= {panels}", timeout=PATIENCE)
    if "tab=" not in path:
        page.wait_for_selector("#stage .pg-stage[data-state=ready]", timeout=PATIENCE)
    return page


@pytest.mark.parametrize("path", ["?preset=classes", "?tab=reflow", "?tab=collapse", "?tab=compare"])
def test_every_control_has_a_name(visit: Visit, path: str) -> None:
    page = ready(visit, path)
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    page.evaluate("for (const fold of document.querySelectorAll('.pg-toggle[aria-expanded=false]')) fold.click()")
    menus = page.locator(".pg-menu-button:visible")
    for index in range(menus.count()):
        menus.nth(index).click()
        found = controls(page)
        assert [role for role, name in found if not name] == []
    assert ("slider", "Steps") in found and ("slider", "Time") in found
    if path == "?preset=classes":
        assert ("slider", "Snapshot") in found and ("slider", "Guidance") in found


def test_train_is_a_few_stops_from_the_top_and_a_link_skips_to_it(visit: Visit) -> None:
    page = ready(visit, "")
    stops = 0
    while page.evaluate("document.activeElement.id") != "train":
        page.keyboard.press("Tab")
        stops += 1
        assert stops <= STOPS
    page.reload()
    page.wait_for_selector("#stage .pg-stage[data-state=ready]", timeout=PATIENCE)
    page.keyboard.press("Tab")
    expect(page.locator(".pg-skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#train")).to_be_focused()


def test_keys_train_and_stop_and_what_happens_is_told(visit: Visit) -> None:
    page = ready(visit, "")
    told = page.locator(".pg-announcer")
    page.locator('[data-path="training.steps"] .pg-entry').fill("200000")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#stage .pg-stage[data-state=training]", timeout=PATIENCE)
    expect(told).to_have_text("Training has begun.")
    page.keyboard.press("Control+.")
    page.wait_for_selector("#stage .pg-stage[data-state=ready]", timeout=PATIENCE)
    expect(told).to_have_text(re.compile(r"^Training has ended after [\d,]+ steps, [\d.]+ s\.$"))


def test_the_focus_stays_where_the_keyboard_is(visit: Visit) -> None:
    page = ready(visit, "")
    page.locator('[data-path="training.steps"] .pg-entry').fill("200000")
    page.locator("#train").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#stop")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#train")).to_be_focused()
    model = page.locator('section[data-path="model"] select').first
    model.focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
        expect(model).to_be_focused()


def test_the_studios_buttons_say_what_they_do(visit: Visit) -> None:
    page = ready(visit, "")
    for name in ("train", "stop", "resume", "step", "reset"):
        assert page.locator(f"#{name}").get_attribute("title")
