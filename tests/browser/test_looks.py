"""How the page looks: whatever is written can be read (WCAG 2.2, AA), in light and dark, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.studio import Studio

Open = Callable[..., Studio]

FAINT = """() => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const ctx = canvas.getContext("2d", { willReadFrequently: true });
  const rgba = (css) => {
    ctx.clearRect(0, 0, 1, 1);
    ctx.fillStyle = css;
    ctx.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = ctx.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };
  const over = (top, below) => [0, 1, 2].map((k) => top[3] * top[k] + (1 - top[3]) * below[k]).concat(1);
  const lineage = (element) => (element ? [...lineage(element.parentElement), element] : []);
  const paper = (below, element) => over(rgba(getComputedStyle(element).backgroundColor), below);
  const ground = (element) => lineage(element).reduce(paper, [255, 255, 255, 1]);
  const linear = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([red, green, blue]) => 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  const contrast = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
  const found = {};
  let looked = 0;
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const element = text.parentElement;
    const seen = element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    const exempt = "script, style, option, svg, :disabled, .pg-refused, .pg-late, .pg-stale";
    if (!text.textContent.trim() || !seen || element.closest(exempt)) continue;
    looked += 1;
    const [style, back] = [getComputedStyle(element), ground(element)];
    const ink = rgba(style.color);
    ink[3] *= lineage(element).reduce((share, each) => share * getComputedStyle(each).opacity, 1);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (style.fontWeight >= 700 && size >= 18.66);
    const ratio = contrast(over(ink, back), back);
    if (ratio < (large ? 3 : 4.5)) found[`${text.textContent.trim().slice(0, 40)} (${style.color} on ${back})`] = ratio;
  }
  return [looked, found];
}"""


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("size", [(1280, 900), (390, 844)])
def test_every_text_has_enough_contrast(studio: Open, size: tuple[int, int], dark: bool) -> None:
    viewport = {"width": size[0], "height": size[1]}
    page = studio("?preset=memorised", viewport=viewport, color_scheme="dark" if dark else "light")
    page.page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    page.until("!document.querySelector('.pg-card .pg-stale')")
    looked, faint = page.page.evaluate(FAINT)
    assert looked > 100 and faint == {}


def test_the_rail_ends_with_the_transport_and_its_buttons_can_be_hit(studio: Open) -> None:
    for height in (640, 720, 900):
        page = studio(viewport={"width": 1280, "height": height})
        boxes = [page.part("rail"), page.part("play"), page.page.locator(".pg-rail button").last]
        rail, play, last = (one.bounding_box() for one in boxes)
        assert rail is not None and play is not None and last is not None
        assert last["y"] + last["height"] <= rail["y"] + rail["height"] + 1 <= play["y"] + play["height"] + 3
        assert last["height"] >= (24 if height >= 720 else 20)


def test_a_phone_shows_every_tab_of_the_page(studio: Open) -> None:
    page = studio(viewport={"width": 375, "height": 812}).page
    for tab in page.locator(".pg-tabnav button").all():
        box = tab.bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 375
