"""The Reflow tab in a real browser: one press fills the panels in order, sliders drive all, Stop keeps the rounds."""

from __future__ import annotations

import gzip
import json
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from playground.engine import presets

FIGURES = "window.__playground.reflow.figures()"
TAB = "?tab=reflow"
PATIENCE = 120_000
"""Milliseconds that a busy machine may take for whatever is waited for."""
CHARTS = {
    "straightness": "Straightness against round",
    "quality": "Quality against evaluations",
    "cost": "Transport cost beside optimal transport",
    "bending": "Where in time straightness is lost",
}


def opened(visit) -> Page:
    """The tab with its first example on it."""
    page = visit(TAB).page
    page.set_default_timeout(PATIENCE)
    page.wait_for_function(
        f"window.__playground?.reflow && {FIGURES}.length === 3 && {FIGURES}.every((one) => one.step)"
    )
    return page


def measured(page: Page) -> list[dict]:
    page.wait_for_function(
        f"{FIGURES}.every(({{ name, quality }}) => quality?.length === (name === 'distilled' ? 1 : 7))"
    )
    return page.evaluate(FIGURES)


def quick(page: Page, rounds: int, steps: int) -> None:
    """A short training of so many flows."""
    page.locator(".pg-reflow .pg-more summary").click()
    page.locator(".pg-reflow .pg-more input[data-part=steps]").fill(str(steps))
    page.locator(f".pg-reflow [name=pg-reflow-rounds][value='{rounds}']").check(force=True)


def press(page: Page, what: str) -> None:
    page.locator(f".pg-reflow [data-do={what}]").click()


def become(page: Page, *states: str) -> str:
    page.wait_for_function(f"{list(states)}.includes(window.__playground.reflow.state)")
    return page.evaluate("window.__playground.reflow.state")


def slide(page: Page, part: str, value: float) -> None:
    slider = page.locator(f".pg-reflow .pg-deck input[data-part={part}]")
    slider.evaluate("(node, value) => { node.value = value; node.dispatchEvent(new Event('input')); }", value)


def test_the_first_example_is_measured_drawn_and_opened_in_the_studio(visit):
    """Its figures are the server's; the sliders of the deck drive all panels; each round opens in the Studio."""
    page = opened(visit)
    figures = measured(page)
    run = presets.run("rectified-flow-checkerboard")
    for index, found in enumerate(figures[:2]):
        theirs = run.metrics(2000, index)
        assert found["straightness"] == pytest.approx(theirs["straightness"], rel=1e-2)
        assert found["cost"] == pytest.approx(theirs["transport_cost"], rel=1e-3)
        for one in found["quality"]:
            assert one["sliced_w2"] == pytest.approx(theirs["by_nfe"][str(one["nfe"])]["sliced_w2"], rel=1e-2, abs=1e-4)
    distilled = run.metrics(2000, 2)["by_nfe"]["1"]["sliced_w2"]
    assert figures[2]["quality"][0]["sliced_w2"] == pytest.approx(distilled, rel=1e-2)
    assert figures[2]["straightness"] is None
    assert figures[0]["straightness"] > 100 * figures[1]["straightness"]

    for name, title in CHARTS.items():
        page.wait_for_function(
            f"document.querySelector('.pg-reflow [data-chart={name}] .gtitle')?.textContent === '{title}'"
        )
    cells = page.locator(".pg-round-table tbody tr").first.locator("td").all_inner_texts()
    before, after = (float(value) for value in cells[0].split(" → "))
    assert before > 100 * after, "V of independent pairs, and of the pairs of the first flow"
    at_one, at_most = (float(cells[k].split(" nats, ")[0].replace("−", "-")) for k in (4, 5))
    assert at_one > 0.3 > at_most, "one step of a curved flow is blurred"
    assert not cells[4].endswith("nats, sharp")
    painted = page.evaluate(
        """[...document.querySelectorAll(".pg-heats canvas")].map((one) => {
            const { data } = one.getContext("2d").getImageData(0, 0, one.width, one.height);
            return data.some((value) => value > 0);
        })"""
    )
    assert painted == [True] * 6

    slide(page, "steps", 0)
    one_step = [one["quality"][0]["sliced_w2"] for one in figures]
    page.wait_for_function(
        f"(wanted) => {FIGURES}.every(({{ distance }}, k) => Math.abs(distance - wanted[k]) < 1e-3)", arg=one_step
    )
    slide(page, "time", 0.5)
    page.wait_for_function(
        "[...document.querySelectorAll('.pg-heat-row [data-now]')].every((one) => one.textContent === '0.50')"
    )

    page.locator(".pg-reflow [data-open]").nth(1).click()
    page.wait_for_function("document.querySelectorAll('#stage [data-part=rounds] button').length === 3")
    page.wait_for_function(
        "document.querySelector('#stage [data-part=rounds] [aria-pressed=true]')?.textContent === 'flow 2'"
    )
    assert page.evaluate("document.body.dataset.tab") == "studio"


def test_one_press_fills_the_panels_in_order(visit):
    page = opened(visit)
    quick(page, rounds=3, steps=120)
    page.evaluate(
        """() => {
            window.__order = [];
            const look = () => {
                const letter = ({ step }) => (step === null ? "-" : step > 0 ? "x" : "0");
                const text = window.__playground.reflow.figures().map(letter).join("");
                if (text.length === 4 && window.__order.at(-1) !== text) window.__order.push(text);
                requestAnimationFrame(look);
            };
            look();
        }"""
    )
    press(page, "train")
    become(page, "training")
    become(page, "done")
    figures = page.evaluate(FIGURES)
    assert [one["name"] for one in figures] == ["flow 1", "flow 2", "flow 3", "distilled"]
    assert all(one["done"] and one["step"] == 120 for one in figures)
    seen = page.evaluate("window.__order")
    assert seen[-1] == "xxxx"
    assert all(text.lstrip("x").lstrip("0").strip("-") == "" for text in seen), seen
    assert page.evaluate("window.__playground.stages.length") >= 5, "four panels and the Studio's"
    page.locator(".pg-reflow [data-open]").nth(1).click()
    said = page.locator("#stage [data-part=message]")
    expect(said).to_contain_text("where its rounds are trained; Train begins anew here")  # nothing is left to continue
    page.locator(".pg-charts [data-tab=report]").click()
    page.locator("[data-panel=report] button").first.click()
    expect(page.locator("[data-panel=report]")).to_contain_text("1,000 points", timeout=60_000)
    expect(page.locator("[data-panel=report]")).to_contain_text("Straightness S")


def test_stop_in_the_middle_keeps_the_finished_rounds_and_continue_goes_on(visit):
    page = opened(visit)
    quick(page, rounds=3, steps=1500)
    page.evaluate(
        """() => {
            const look = () => {
                const [first, second] = window.__playground.reflow.figures();
                if (first.step !== 1500 || second.step === null) return setTimeout(look, 10);
                document.querySelector(".pg-reflow [data-do=stop]").click();
            };
            document.querySelector(".pg-reflow [data-do=train]").click();
            const begin = () => (window.__playground.reflow.figures().length === 4 ? look() : setTimeout(begin, 10));
            begin();
        }"""
    )
    assert become(page, "ready", "done") == "ready"
    first, *_, distilled = page.evaluate(FIGURES)
    assert first["done"] and first["step"] == 1500 and not distilled["done"]
    page.wait_for_function(f"{FIGURES}[0].quality?.length === 7")  # a finished round is measured
    page.locator(".pg-reflow [data-open]").first.click()
    expect(page.locator("#stage [data-part=message]")).to_contain_text("where Continue trains its rounds on")
    page.get_by_role("tab", name="Reflow").or_(page.get_by_role("button", name="Reflow")).first.click()
    press(page, "resume")
    become(page, "done")
    assert [one["step"] for one in page.evaluate(FIGURES)] == [1500] * 4


def test_five_panels_show_their_figures_in_full(visit):
    """Four flows and the map, at three widths: no caption or progress is cut, and nothing is wider than the page."""
    page = opened(visit)
    quick(page, rounds=4, steps=1000)
    pairs = page.locator(".pg-reflow input[data-part=count]")
    pairs.fill("")
    press(page, "train")
    expect(pairs).to_have_value("16384")  # left empty it is the default again
    become(page, "training")
    become(page, "done")
    page.wait_for_function(
        "[...document.querySelectorAll('[data-variance]')].filter((one) => +one.textContent).length === 5"
    )
    for width in (400, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        cut = page.evaluate(
            """[...document.querySelectorAll(".pg-heats figcaption, .pg-progress li, .pg-round-figures dd")]
                .filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent)"""
        )
        assert cut == [], width
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_what_cannot_be_trained_is_said_in_a_sentence(visit):
    page = opened(visit)
    page.locator(".pg-reflow select[data-part=source]").select_option("cantor")
    press(page, "train")
    page.wait_for_function("document.querySelector('.pg-reflow > .pg-problem').textContent.includes('dimension')")
    assert become(page, "ready") == "ready"


def test_the_preset_is_served_with_its_rounds(server):
    with urllib.request.urlopen(server.address + "playground/presets/rectified-flow-checkerboard.json") as answer:
        run = json.loads(gzip.decompress(answer.read()))
    assert {one["round"] for one in run["snapshots"]} == {0, 1, 2}
    assert sum("network" in one for one in run["snapshots"]) == 2, "each further round says how it is read"
