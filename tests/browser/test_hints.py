"""What something is, said in a bubble: to a mouse that rests, to the keyboard's focus, to a finger."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

BUBBLE = ".pg-tip.pg-open"


def center(part: Locator) -> tuple[float, float]:
    box = part.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_resting_mouse_is_told_once_and_the_title_comes_back(studio) -> None:
    page: Page = studio().page
    layer = page.locator(".pg-stage [data-tool=field]")
    said = layer.get_attribute("title")
    assert said and "\n" in said
    layer.hover()
    expect(page.locator(BUBBLE)).to_have_text(said.replace("\n", " "))
    assert layer.get_attribute("title") == ""  # the browser does not say it a second time
    page.mouse.move(700, 300)
    expect(page.locator(BUBBLE)).to_have_count(0)
    assert layer.get_attribute("title") == said


def test_focus_by_keyboard_tells_and_a_key_ends_it(studio) -> None:
    page: Page = studio().page
    page.locator(".pg-stage [data-tool=particles]").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(BUBBLE)).to_contain_text("Paths (T)")
    page.keyboard.press("Escape")
    expect(page.locator(BUBBLE)).to_have_count(0)


def test_a_finger_that_stays_reads_what_a_button_is_without_pressing_it(studio) -> None:
    page: Page = studio(viewport={"width": 400, "height": 860}, is_mobile=True, has_touch=True).page
    layer = page.locator(".pg-stage [data-tool=field]")
    layer.evaluate("button => button.scrollIntoView({ block: 'center' })")  # above the bar with Train
    x, y = center(layer)
    session = page.context.new_cdp_session(page)
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    expect(page.locator(BUBBLE)).to_contain_text("Velocity field")
    box = page.locator(BUBBLE).bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= 400
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(layer).to_have_attribute("aria-pressed", "false")
    layer.tap()
    expect(layer).to_have_attribute("aria-pressed", "true")


def test_a_tap_on_a_figure_reads_what_it_is(studio) -> None:
    page: Page = studio(viewport={"width": 400, "height": 860}, is_mobile=True, has_touch=True).page
    page.locator(".pg-stage [data-row=solver] .pg-name").tap()
    expect(page.locator(BUBBLE)).to_contain_text("How a step is taken")
    page.locator(".pg-stage .pg-legend").tap()
    expect(page.locator(BUBBLE)).to_have_count(0)
