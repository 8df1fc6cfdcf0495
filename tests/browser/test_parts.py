"""Models that only the server can sample, several stages on one clock, tabs and the gallery, in real Chromium."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from playground import Experiment
from playground.engine import presets
from tests.browser.driver import Visitor

PATIENCE = 60_000
MANY_POINTS = {
    "target": "checkerboard",
    "model": {"kind": "exact", "points": 3000},
    "sampler": {"solver": "euler", "steps": 12},
}
PANELS = """async (names) => {
  const { Panels } = await import("/playground/stage/panels.js");
  const { Sampler } = await import("/playground/workers/pool.js");
  const root = document.createElement("div");
  document.body.prepend(root);
  window.panels = new Panels(root, { sampler: new Sampler() });
  for (const name of names) {
    const { scene, snapshots } = await (await fetch(`/playground/presets/${name}.json`)).json();
    const { stage } = window.panels.add(name, name);
    stage.setScene(scene);
    for (const snapshot of snapshots) stage.addSnapshot(snapshot);
  }
}"""
STAGES = "panels.all.map(({ stage }) => stage)"


def until(page: Page, condition: str, given: Any = None) -> None:
    page.wait_for_function(f"(given) => {condition}", arg=given, timeout=PATIENCE, polling=50)


def asked(visitor: Visitor) -> int:
    return sum("POST" in request and request.endswith("/playground/sample") for request in visitor.requests)


def test_a_model_that_the_browser_cannot_evaluate_is_shown_and_sampled_anew(visit) -> None:
    visitor = visit(f"?x={Experiment.parse(MANY_POINTS).to_link()}")
    page = visitor.page
    page.wait_for_selector(".pg-stage[data-state=waiting]", timeout=PATIENCE)
    page.click("#train")
    page.wait_for_selector(".pg-stage[data-state=ready]", timeout=PATIENCE)
    until(page, "window.__playground.stages[0].lastSteps === 12")
    assert asked(visitor) == 0  # it came with the training
    slide = "(slider) => { slider.value = 3; slider.dispatchEvent(new Event('input')); }"
    page.locator('#stage [data-part="steps"]').evaluate(slide)
    until(page, "window.__playground.stages[0].lastSteps === 3")
    assert asked(visitor) == 1
    assert page.locator('#stage [data-part="message"]').inner_text() == ""


def test_panels_move_on_one_clock_with_one_sampling_and_the_same_probes(visit) -> None:
    page = visit().page
    page.wait_for_selector(".pg-stage[data-state=ready]", timeout=PATIENCE)
    page.evaluate(PANELS, ["checkerboard", "ring"])
    until(page, f"{STAGES}.every((stage) => stage.state.trajectory)")

    page.evaluate("panels.seek(0.25)")
    until(page, f"{STAGES}.every((stage) => stage.state.t === 0.25)")
    page.evaluate("panels.setSampling({ solver: 'euler', steps: 3 })")
    until(page, f"{STAGES}.every((stage) => stage.counters.lastSteps === 3)")
    page.evaluate("panels.toggle('field', true)")
    assert page.evaluate(f"{STAGES}.every((stage) => stage.state.on.has('field'))")
    page.evaluate("panels.all[0].stage.dropProbe()")
    until(page, f"{STAGES}.every((stage) => stage.state.found.probes?.length === 1)")
    page.evaluate("panels.lookAtShare(0)")
    until(page, f"{STAGES}.every((stage) => stage.state.request.snapshot === 0)")

    page.evaluate("(panels.clock.speed = 4, panels.play())")
    times = f"{STAGES}.map((stage) => stage.state.t)"
    until(page, f"((t) => t[0] > 0.3 && t[0] === t[1])({times})")


def test_a_tab_that_is_not_there_is_the_studio(visit) -> None:
    page = visit("?tab=nothing").page
    page.wait_for_selector(".pg-stage[data-state=ready]", timeout=PATIENCE)
    assert page.evaluate("document.body.dataset.tab") == "studio"


def test_every_preset_is_in_the_gallery_with_what_to_look_for(visit) -> None:
    page = visit().page
    page.wait_for_selector(".pg-stage[data-state=ready]", timeout=PATIENCE)
    page.click(".pg-all")
    cards = page.locator(".pg-gallery [data-gallery]")
    assert cards.count() == len(presets.names())
    assert all(text.strip() for text in page.locator(".pg-gallery small").all_inner_texts())
    page.click("[data-gallery=two_moons]")
    page.wait_for_selector('[data-preset="two_moons"][aria-current]', state="attached", timeout=PATIENCE)
    assert not page.locator(".pg-gallery").is_visible()
