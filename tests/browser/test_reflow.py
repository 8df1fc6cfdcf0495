"""The Reflow tab in a real browser: one press fills the panels in order, sliders drive all, Stop keeps the rounds."""

from __future__ import annotations

import json
import urllib.request

import pytest
from playwright.sync_api import Page

from playground.engine import presets
from playground.engine.evaluation import bending_of

FIGURES = "window.__playground.reflow.figures()"
TAB = "?tab=reflow"


def opened(visit) -> Page:
    """The tab with its first example on it."""
    page = visit(TAB).page
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
    """A short training of so many rounds."""
    page.locator(".pg-reflow .pg-more summary").click()
    page.locator(".pg-reflow input[data-part=steps]").first.fill(str(steps))
    page.locator(f".pg-reflow [name=pg-reflow-rounds][value='{rounds}'] + span").click()


def press(page: Page, what: str) -> None:
    page.locator(f".pg-reflow [data-do={what}]").click()


def slide(page: Page, part: str, value: float) -> None:
    slider = page.locator(f".pg-reflow .pg-deck input[data-part={part}]")
    slider.evaluate(
        "(node, value) => { node.value = value; node.dispatchEvent(new Event('input', { bubbles: true })); }", value
    )


def test_the_first_example_is_measured_as_the_server_measures_it(visit):
    figures = measured(opened(visit))
    run = presets.run("rectified-flow-checkerboard")
    for index, found in enumerate(figures[:2]):
        theirs = run.metrics(2000, index)
        assert found["straightness"] == pytest.approx(theirs["straightness"], rel=1e-2)
        assert found["cost"] == pytest.approx(theirs["transport_cost"], rel=1e-3)
        for one in found["quality"]:
            assert one["sliced_w2"] == pytest.approx(theirs["by_nfe"][str(one["nfe"])]["sliced_w2"], rel=1e-2, abs=1e-4)
    distilled = run.metrics(2000, 2)["by_nfe"]["1"]["sliced_w2"]
    assert figures[2]["quality"][0]["sliced_w2"] == pytest.approx(distilled, rel=1e-2)
    assert bending_of(run, 2) is None and figures[2]["straightness"] is None
    assert figures[0]["straightness"] > 100 * figures[1]["straightness"]


def test_the_numbers_and_charts_stand_below(visit):
    page = opened(visit)
    measured(page)
    for name, title in {
        "straightness": "Straightness against round",
        "quality": "Quality against evaluations",
        "cost": "Transport cost against the least possible",
        "bending": "Where in time straightness is lost",
    }.items():
        chart = page.locator(f".pg-reflow [data-chart={name}]")
        chart.scroll_into_view_if_needed()
        page.wait_for_function("(node) => node.querySelector('.gtitle')", arg=chart.element_handle())
        assert title in chart.locator(".gtitle").first.text_content()
    cells = page.locator(".pg-round-table tbody tr").first.locator("td").all_inner_texts()
    before, after = (float(value) for value in cells[0].split(" → "))
    assert before > 100 * after, "V of independent pairs, and of the pairs of the first flow"
    heats = page.evaluate(
        """[...document.querySelectorAll(".pg-heats canvas")].map((one) => {
            const { data } = one.getContext("2d").getImageData(0, 0, one.width, one.height);
            return data.some((value) => value > 0);
        })"""
    )
    assert heats == [True] * 6


def test_one_press_fills_the_panels_in_order(visit):
    page = opened(visit)
    quick(page, rounds=3, steps=120)
    press(page, "train")
    page.evaluate(
        """() => {
            window.__order = [];
            const look = () => {
                const letter = ({ step }) => (step === null ? "-" : step > 0 ? "x" : "0");
                const text = window.__playground.reflow.figures().map(letter).join("");
                if (window.__order.at(-1) !== text) window.__order.push(text);
                requestAnimationFrame(look);
            };
            look();
        }"""
    )
    page.wait_for_function("window.__playground.reflow.state === 'done'")
    names = [one["name"] for one in page.evaluate(FIGURES)]
    assert names == ["flow 1", "flow 2", "flow 3", "distilled"]
    seen = [text for text in page.evaluate("window.__order") if len(text) == 4]
    assert all(text.rstrip("-").rstrip("0").strip("x") == "" for text in seen), seen
    figures = measured(page)
    assert all(one["done"] for one in figures)
    assert figures[1]["straightness"] < 0.5 * figures[0]["straightness"]
    starts = page.evaluate("window.__playground.stages.length")
    assert starts == 5, "four panels and the Studio"


def test_all_sliders_drive_all_panels(visit):
    page = opened(visit)
    measured(page)
    for steps, nfe in ((1, 1), (3, 3)):
        slide(page, "steps", _place(page, steps))
        page.wait_for_function(
            """(nfe) => [...document.querySelectorAll(".pg-reflow [data-figure=distance]")]
                .slice(0, 2).every((one) => Number(one.dataset.nfe) === nfe)""",
            arg=nfe,
        )
    one_step = [one["quality"][0]["sliced_w2"] for one in page.evaluate(FIGURES)]
    slide(page, "steps", _place(page, 1))
    page.wait_for_function(
        f"(wanted) => {FIGURES}.every(({{ distance }}, k) => Math.abs(distance - wanted[k]) < 1e-3)", arg=one_step
    )
    slide(page, "time", 0.5)
    page.wait_for_function(
        "[...document.querySelectorAll('.pg-heat-row [data-now]')].every((one) => one.textContent === '0.50')"
    )


def _place(page: Page, steps: int) -> float:
    """Where on the slider so many steps are."""
    return page.evaluate(
        """(steps) => {
            const slider = document.querySelector(".pg-reflow .pg-deck input[data-part=steps]");
            const shown = document.querySelector(".pg-reflow .pg-deck [data-part=steps-value]");
            const before = slider.value;
            for (let value = Number(slider.min); value <= Number(slider.max); value += Number(slider.step) || 1) {
                slider.value = value;
                slider.dispatchEvent(new Event("input", { bubbles: true }));
                if (Number(shown.textContent) === steps) return value;
            }
            return before;
        }""",
        steps,
    )


def test_stop_in_the_middle_keeps_the_finished_rounds_and_continue_goes_on(visit):
    page = opened(visit)
    quick(page, rounds=2, steps=20_000)
    page.locator(".pg-reflow input[data-part=steps]").first.fill("400")
    press(page, "train")
    page.wait_for_function(f"{FIGURES}.length === 3 && {FIGURES}[1]?.step !== null && {FIGURES}[0].step === 400")
    press(page, "stop")
    page.wait_for_function("['ready', 'done'].includes(window.__playground.reflow.state)")
    first = page.evaluate(FIGURES)[0]
    assert first["done"] and first["step"] == 400
    if page.evaluate("window.__playground.reflow.state") == "ready":
        press(page, "resume")
    page.wait_for_function("window.__playground.reflow.state === 'done'")
    figures = measured(page)
    assert [one["step"] for one in figures] == [400] * 3
    assert figures[0]["straightness"] > figures[1]["straightness"]


def test_every_round_opens_in_the_studio(visit):
    page = opened(visit)
    measured(page)
    page.locator(".pg-reflow [data-open]").nth(1).click()
    page.wait_for_function("document.body.dataset.tab === 'studio'")
    rounds = page.locator("#stage [data-part=rounds] button")
    page.wait_for_function("document.querySelectorAll('#stage [data-part=rounds] button').length === 3")
    assert rounds.all_inner_texts() == ["flow 1", "flow 2", "distilled"]
    assert rounds.nth(1).get_attribute("aria-pressed") == "true"


def test_what_cannot_be_trained_is_said_in_a_sentence(visit):
    page = opened(visit)
    page.locator(".pg-reflow select[data-part=source]").select_option("cantor")
    press(page, "train")
    page.wait_for_function("document.querySelector('.pg-reflow > .pg-problem').textContent.includes('dimension')")
    assert page.evaluate("window.__playground.reflow.state") == "ready"


def test_the_preset_is_served_with_its_rounds(server):
    with urllib.request.urlopen(server.address + "playground/presets/rectified-flow-checkerboard.json") as answer:
        run = json.load(answer)
    assert {one["round"] for one in run["snapshots"]} == {0, 1, 2}
    assert sum("network" in one for one in run["snapshots"]) == 2, "each further round says how it is read"
