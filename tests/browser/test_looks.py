"""How the page looks: whatever is written can be read (WCAG 2.2, AA), in light and dark, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.contrast import faint, faint_hints
from tests.browser.studio import Studio

Open = Callable[..., Studio]

TABS = {"reflow": ".pg-reflow", "collapse": ".pg-collapse", "compare": ".pg-compare"}


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("size", [(1280, 900), (390, 844)])
def test_every_text_has_enough_contrast(studio: Open, size: tuple[int, int], dark: bool) -> None:
    viewport = {"width": size[0], "height": size[1]}
    page = studio("?preset=memorised", viewport=viewport, color_scheme="dark" if dark else "light")
    tab = page.page
    tab.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    page.until("!document.querySelector('.pg-card .pg-stale')")
    assert faint(tab) == {} and faint_hints(tab) == {}
    for chart in tab.locator(".pg-charts [role=tab]:visible").all():
        chart.click()
        assert faint(tab) == {}
    for name in ("gallery", "help"):
        tab.evaluate("name => document.querySelector(`dialog.pg-${name}`).showModal()", name)
        assert faint(tab) == {}
        tab.evaluate("name => document.querySelector(`dialog.pg-${name}`).close()", name)
    for name, own in TABS.items():
        tab.locator(f"[role=tab][data-tab={name}]").click()
        expect(tab.locator(f"{own} .pg-panel")).not_to_have_count(0)
        tab.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
        assert faint(tab) == {}, name


def test_a_phone_shows_every_tab_of_the_page(studio: Open) -> None:
    page = studio(viewport={"width": 375, "height": 812}).page
    for tab in page.locator(".pg-tabnav button").all():
        box = tab.bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 375
