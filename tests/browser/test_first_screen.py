"""The first screen of each tab: the picture, the verdict on it, and the sliders that the text asks for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.driver import Visitor
from tests.browser.studio import reach

Visit = Callable[..., Visitor]
SIZES = [(1280, 800), (1920, 1080), (400, 800)]
ASKED = {
    "studio": [
        "#stage .pg-canvas",
        "#stage [data-part=distance]",
        "#stage [data-row=steps] input",
        "#stage [data-part=time]",
        "#train",
    ],
    "reflow": [
        ".pg-reflow .pg-canvas",
        ".pg-reflow [data-figure=distance]",
        ".pg-reflow .pg-deck [data-part=steps]",
        ".pg-reflow .pg-deck [data-part=time]",
        ".pg-reflow [data-do=train]",
    ],
    "collapse": [
        ".pg-collapse .pg-canvas",
        ".pg-collapse [data-part=strict]",
        ".pg-collapse [data-part=quality]",
        ".pg-collapse .pg-deck [data-part=training]",
        ".pg-collapse .pg-deck [data-part=steps]",
        ".pg-collapse [data-do=train]",
    ],
    "compare": [
        ".pg-compare .pg-canvas",
        ".pg-compare [data-verdict]",
        ".pg-compare .pg-deck [data-part=training]",
        ".pg-compare .pg-deck [data-part=steps]",
        ".pg-compare [data-part=add]",
    ],
}
"""What must be seen, whole, before anything is scrolled; of several panels the first."""

COVERED = """(element) => {
  const { left, right, top, bottom } = element.getBoundingClientRect();
  if (top < 0 || left < 0 || bottom > innerHeight || right > innerWidth) return `outside: ${top} to ${bottom}`;
  if (right - left < 1 || bottom - top < 1) return "of no size";
  const points = [[left + 1, top + 1], [right - 1, top + 1], [left + 1, bottom - 1], [right - 1, bottom - 1]];
  const corners = element.matches(".pg-canvas") ? points.map(([x, y]) => [(9 * x + (left + right) / 2) / 10, y]) : [];
  for (const [x, y] of [...corners, [(left + right) / 2, (top + bottom) / 2]]) {
    const there = document.elementFromPoint(x, y);
    if (!element.contains(there) && !there?.contains(element)) return `covered at ${x}, ${y} by ${there?.className}`;
  }
  return "";
}"""


def opened(visit: Visit, tab: str, size: tuple[int, int]) -> Page:
    page = visit(f"?tab={tab}", viewport={"width": size[0], "height": size[1]}).page
    expect(page.locator(ASKED[tab][0]).first).to_be_visible()
    verdict = page.locator(ASKED[tab][1]).first
    expect(verdict).not_to_have_text("–")
    return page


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("tab", ASKED)
def test_picture_verdict_and_sliders_are_on_the_first_screen(visit: Visit, tab: str, size: tuple[int, int]) -> None:
    page = opened(visit, tab, size)
    for part in ASKED[tab]:
        assert page.locator(part).first.evaluate(COVERED) == "", part
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_model_and_target_are_above_the_fold_and_the_first_visit_says_what_the_page_is(visit: Visit) -> None:
    page = opened(visit, "studio", (1280, 800))
    for part in ('section[data-path="model"] select', 'section[data-path="target"] .pg-picker'):
        assert page.locator(part).first.evaluate(COVERED) == "", part
    line = page.locator(".pg-welcome")
    expect(line).to_contain_text("network learns to carry one cloud of points into another")
    line.get_by_role("button").click()
    expect(line).to_be_hidden()
    page.reload()
    expect(page.locator("#stage .pg-canvas")).to_be_visible()
    expect(line).to_be_hidden()


def test_layers_have_words_and_those_that_would_drown_make_the_particles_stand_back(visit: Visit) -> None:
    page = opened(visit, "studio", (1280, 800))
    bar = page.locator("#stage .pg-rail")
    words = [text.strip() for text in bar.locator(":scope > span > button").all_inner_texts() if text.strip()]
    assert words == ["Particles", "Paths", "Field", "Density", "Pairs", "Errors", "View"]
    assert bar.bounding_box()["height"] < 40  # on one line
    dots = page.locator("#stage canvas[data-plane=dots]")
    for layer in ("coupling", "error", "likelihood", "field"):
        button = reach(page.locator(f"#stage [data-tool={layer}]"))
        assert button.inner_text().strip()
        assert dots.evaluate("(plane) => Number(getComputedStyle(plane).opacity)") == 1
        button.click()
        assert dots.evaluate("(plane) => Number(getComputedStyle(plane).opacity)") < 0.5, layer
        button.click()
    reach(page.locator("#stage [data-tool=ghost]")).click()
    assert page.locator("#stage .pg-rail [data-count='1']").count() == 1


def test_a_menu_is_worked_by_keys(visit: Visit) -> None:
    page = opened(visit, "studio", (1280, 800))
    page.locator("#stage [data-tool=particles]").focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#stage .pg-rail :focus")).to_have_attribute("aria-label", "More of density")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#stage [data-tool=likelihood]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#stage [data-tool=likelihood]")).to_be_hidden()
    expect(page.locator("#stage .pg-rail :focus")).to_have_attribute("aria-label", "More of density")
