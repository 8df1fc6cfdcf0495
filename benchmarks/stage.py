"""What the stage's layers and larger crowds cost, in real Chromium on the real server.

    python -m benchmarks.stage [--save]

A stage of its own, 720 pixels wide, shows the opening preset. "All layers" are those that its buttons offer for a flow.
A move of the step slider counts from the event to the painted frame. The field layer costs what painting a frame takes
with it beyond what it takes without. Frames a second are counted on a way from source to target that outlasts the
counting, so that the particles never rest.
"""

from __future__ import annotations

import argparse
import statistics
from typing import Any

import torch
from playwright.sync_api import Page, sync_playwright

from benchmarks.report import Load, conditions, publish, table
from tests.browser.driver import Visitor, serve, start_browser

MOVES, PAINTS, SECONDS = 24, 60, 5

OPEN = """async (count) => {
  window.panels?.clear();
  document.getElementById("bench")?.remove();
  const { Panels } = await import("/playground/stage/panels.js");
  const { Sampler } = await import("/playground/workers/pool.js");
  const { encodeArray, decodeArray } = await import("/playground/common/codec.js");
  document.body.dataset.tab = "none";
  const root = Object.assign(document.createElement("div"), { id: "bench" });
  root.style.width = "720px";
  document.body.prepend(root);
  window.panels = new Panels(root, { sampler: new Sampler() });
  const { scene, snapshots } = await (await fetch("/playground/presets/checkerboard.json")).json();
  const { data } = decodeArray(scene.x0);
  const again = (i) => data[i % data.length] * (1 + 0.02 * Math.floor(i / data.length));
  const x0 = Float32Array.from({ length: 2 * count }, (_, i) => again(i));
  window.stage = window.panels.add("one", "One").stage;
  stage.setScene({ ...scene, x0: encodeArray({ shape: [count, 2], data: x0 }) });
  for (const one of snapshots) stage.addSnapshot(one);
  window.panels.setSampling({ solver: "euler", steps: 32 });
}"""

READY = (
    "() => window.stage?.state.trajectory && window.stage.counters.lastSteps === 32 && window.stage.counters.busy === 0"
)

LAYERS = """async () => {
  const index = await import("/playground/stage/layers/index.js");
  const needs = await import("/playground/scene/capabilities.js");
  window.layers = { ...index, ...needs };
}"""

EVERYTHING = """() => {
  const { SWITCHES, present } = window.layers;
  const offered = stage.layers.filter((one) => SWITCHES.includes(one.name) && present(one, stage.state));
  for (const { name } of offered) stage.toggle(name, true);
  return offered.map(({ name }) => name);
}"""

MOVE = """async (steps) => {
  const slider = stage.root.querySelector("[data-part=steps]");
  stage.counters.lastPaintMs = null;
  slider.value = steps;
  slider.dispatchEvent(new Event("input"));
  while (stage.counters.lastPaintMs === null) await new Promise(requestAnimationFrame);
  return stage.counters.lastPaintMs;
}"""

PAINT = """(on) => {
  stage.toggle("field", on);
  const began = performance.now();
  stage.drawing.invalidate("live");
  stage.drawing.paint(stage.state);
  stage.drawing.planes.live.getImageData(0, 0, 1, 1);
  return performance.now() - began;
}"""

FRAMES = """async (seconds) => {
  panels.clock.travel = 1000 * (seconds + 10);  // without a rest: they move all the while
  panels.play();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const [before, began] = [stage.counters.draws, performance.now()];
  await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
  const frames = (1000 * (stage.counters.draws - before)) / (performance.now() - began);
  panels.clock.pause();
  return frames;
}"""


def opened(page: Page, count: int) -> None:
    """A stage with so many particles, at rest."""
    page.evaluate(OPEN, count)
    page.wait_for_function(READY, timeout=60_000)


def measured(page: Page) -> list[list[str]]:
    """The rows of the report."""
    opened(page, 2000)
    page.evaluate(LAYERS)
    page.evaluate("() => panels.seek(0.5)")
    plain = moves(page)
    names = page.evaluate(EVERYTHING)
    page.wait_for_timeout(4000)
    full = moves(page)
    page.evaluate("() => { for (const name of [...stage.state.on]) stage.toggle(name, name === 'particles'); }")
    page.evaluate("() => stage.toggle('field', true)")
    page.wait_for_function("() => stage.state.found.field?.values && stage.counters.busy === 0", timeout=60_000)
    pairs = [(page.evaluate(PAINT, True), page.evaluate(PAINT, False)) for _ in range(PAINTS)]
    rows = [
        ["a move at 32 steps, particles and paths", plain, ""],
        [f"a move at 32 steps, all {len(names)} layers", full, "≤ 120 ms"],
        ["the field layer, a frame", f"{statistics.median(a - b for a, b in pairs):.2f} ms", "≤ 4 ms"],
    ]
    for count in (2000, 4000):
        opened(page, count)
        frames = page.evaluate(FRAMES, SECONDS)
        rows.append([f"{count:,} particles in motion", f"{frames:.0f} frames/s", "≥ 50" if count == 4000 else ""])
    return rows


def moves(page: Page) -> str:
    """Median and 95th percentile of moves of the step slider around 32."""
    times = sorted(float(page.evaluate(MOVE, 31 + move % 3)) for move in range(MOVES))
    return f"{statistics.median(times):.0f} ms (p95 {times[int(0.95 * (len(times) - 1))]:.0f})"


def main() -> None:
    parser = argparse.ArgumentParser(description="What layers and crowds cost on the stage.")
    parser.add_argument("--save", action="store_true", help="keep the report in benchmarks/results")
    given: Any = parser.parse_args()
    torch.set_num_threads(1)
    load = Load()
    with serve() as server, sync_playwright() as playwright:
        browser = start_browser(playwright)
        visitor = Visitor(browser, server.address, viewport={"width": 1280, "height": 1000})
        visitor.page.wait_for_selector("#stage .pg-stage[data-state=ready]", timeout=120_000)
        rows = measured(visitor.page)
        version = browser.version
        visitor.close()
    machine = f"{conditions('benchmarks.stage', load)} Chromium {version}, headless, without a graphics card."
    publish("stage", f"# The stage\n\n{machine}\n\n{table(['what', 'took', 'aim'], rows)}", given.save)


if __name__ == "__main__":
    main()
