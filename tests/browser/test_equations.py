"""Equations on the real page: followed at once, told when they are unstable, typed by hand."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from playground import Experiment

PATIENCE = 60_000


def opened(visit: Any, system: dict[str, Any], **more: Any) -> Page:
    experiment = Experiment.parse({"model": {"kind": "equation", "system": system}, **more})
    page = visit(f"?x={experiment.to_link()}").page
    page.wait_for_selector("#stage .pg-stage[data-state=ready]", timeout=PATIENCE)
    return page


def until(page: Page, condition: str, given: Any = None) -> None:
    page.wait_for_function(f"(given) => {condition}", arg=given, timeout=PATIENCE, polling=50)


def message(page: Page) -> str:
    return page.locator('#stage [data-part="message"]').inner_text()


def slide(page: Page, part: str, value: float) -> None:
    script = "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input')); }"
    page.locator(f'#stage [data-part="{part}"]').evaluate(script, value)


def test_an_equation_needs_no_training_and_names_the_step_at_which_it_explodes(visit) -> None:
    page = opened(visit, {"kind": "decay", "theta": 8, "T": 2.5}, sampler={"solver": "euler", "steps": 14})
    assert not page.locator("#train").is_visible()
    assert "2/θ" not in message(page)
    slide(page, "steps", 9)
    until(page, "document.querySelector('#stage [data-part=message]').textContent.includes('2/θ = 0.25')")
    page.locator('#stage [data-part="solver"]').select_option("implicit_euler")
    until(page, "!document.querySelector('#stage [data-part=message]').textContent.includes('2/θ')")
    assert page.locator('#stage [data-part="solver"] option[value=ddim]').is_disabled()
    page.locator('#stage [data-part="canvas"]').focus()
    page.keyboard.press("1")
    until(page, "document.querySelector('#stage [data-part=keys]').textContent.includes('exact solution; error')")


def test_a_number_of_the_form_is_followed_before_the_server_answers(visit) -> None:
    page = opened(visit, {"kind": "rotation", "omega": 1, "T": 3}, sampler={"solver": "rk4", "steps": 10})
    page.route("**/gradio_api/**", lambda route: route.abort())
    before = page.evaluate("window.__playground.stages[0].samples")
    box = page.locator('[data-path="model.system.omega"] input[type=range]').first
    box.evaluate("(slider) => { slider.value = slider.max; slider.dispatchEvent(new Event('input')); }")
    until(page, "window.__playground.stages[0].samples > given", before)


def test_a_formula_that_is_typed_is_followed_and_its_mistake_is_underlined(visit) -> None:
    page = opened(visit, {"kind": "custom", "field": "-x; -y"})
    box = page.locator('input[id$="-model-system-field"]')
    box.fill("y; -sin(q)")
    until(page, "document.querySelector('.pg-mistake:not([hidden]) u')?.textContent === 'q'")
    assert "there is no q here" in page.locator(".pg-form").inner_text()
    box.fill("y; -sin(x)")
    until(page, "!document.querySelector('.pg-mistake:not([hidden])')")
    page.wait_for_selector("#stage .pg-stage[data-state=ready]", timeout=PATIENCE)


def test_stability_and_order_are_drawn(visit) -> None:
    page = opened(visit, {"kind": "stiff"}, sampler={"solver": "euler", "steps": 45})
    page.locator("[data-tab=stability]").click()
    page.locator(".pg-charts").scroll_into_view_if_needed()
    until(page, "document.querySelector('[data-panel=stability] .pg-caption').textContent.includes('2/|λ| = 0.04')")
    until(page, "document.querySelector('[data-panel=stability] .js-plotly-plot')")
    page.locator("[data-tab=order]").click()
    caption = "document.querySelector('[data-panel=order] .pg-caption').textContent"
    until(page, f"/RK4 (3\\.9|4\\.0)\\d \\(theory 4\\)/.test({caption})")


def test_the_density_on_a_grid_is_drawn_beside_the_particles(visit) -> None:
    page = opened(visit, {"kind": "ornstein_uhlenbeck", "T": 2}, source="checkerboard")
    page.locator("[data-tab=fokker]").click()
    page.locator(".pg-charts").scroll_into_view_if_needed()
    until(page, "document.querySelector('[data-panel=fokker] .pg-caption').textContent.includes('mass is conserved')")
    until(page, "document.querySelector('[data-panel=fokker] .js-plotly-plot')")
    assert page.locator("[data-tab=bound]").is_hidden()
