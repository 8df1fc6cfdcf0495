"""What a visitor waits for, in real Chromium on the real server.

    python -m benchmarks.browser [--runs 3] [--save]

Drag to painted frame: the step slider gets one event a frame, as from a hand, while the particles move as they do when
the page opens; 2,000 particles, the default network, Euler. A move counts as answered with the first painted frame
that shows its steps or newer ones, so what waits for the picture before it counts too. A stall is a task of the main
thread of 50 ms or more, as the browser reports them.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.report import Load, conditions, publish, table
from tests.browser.driver import Server, Visitor, serve, start_browser

STEPS = (1, 8, 32, 100)
SINGLE_MOVES, DRAG_FRAMES = 20, 60
OPENINGS = 3
LONG_TRAINING = 10_000
"""Gradient steps of the training whose updates are counted: some seconds."""
MINUTE = 60_000

WATCH_OPENING = """(() => {
  const small = Object.assign(document.createElement("canvas"), { width: 128, height: 128 });
  const ctx = small.getContext("2d", { willReadFrequently: true });
  let before = null;
  const look = () => {
    const time = document.querySelector(".pg-stage [data-part=time]")?.valueAsNumber;
    if (window.__playground?.stages?.[0]?.samples && time > 0 && time < 1) {
      ctx.clearRect(0, 0, 128, 128);
      for (const plane of document.querySelectorAll("[data-part=canvas] canvas")) ctx.drawImage(plane, 0, 0, 128, 128);
      const now = new Uint32Array(ctx.getImageData(0, 0, 128, 128).data.buffer);
      if (before?.some((pixel, place) => pixel !== now[place])) {
        window.firstMoved = performance.now();
        return;
      }
      before = now;
    }
    requestAnimationFrame(look);
  };
  look();
})()"""
"""Notes when the picture has changed between two frames while time runs, in ms since the page was asked for."""

DRAG = """async ([steps, frames, alone]) => {
  const stage = window.__playground.stages[0];
  const slider = document.querySelector(".pg-stage [data-part=steps]");
  const frame = () => new Promise(requestAnimationFrame);
  const [moves, paints, stalls] = [[], [], []];
  let [painted, longest, last] = [stage.lastPaintMs, 0, null];
  Object.defineProperty(stage, "lastPaintMs", { configurable: true, get: () => painted, set: (ms) => {
    painted = ms;
    paints.push([performance.now() - ms, performance.now()]); // the move that it answers, and when
  } });
  const watch = new PerformanceObserver((list) => stalls.push(...list.getEntries().map(({ duration }) => duration)));
  watch.observe({ type: "longtask" });
  const begun = performance.now();
  for (let k = 0; k < frames; k++) {
    const event = new Event("input", { bubbles: true });
    slider.value = steps;
    moves.push(event.timeStamp);
    slider.dispatchEvent(event);
    const seen = paints.length;
    do {
      const now = await frame();
      longest = Math.max(longest, last === null ? 0 : now - last);
      last = now;
    } while (alone && paints.length === seen);
  }
  const answer = (move) => paints.find(([since]) => since >= move - 1)?.[1];
  while (answer(moves.at(-1)) === undefined) await frame();
  const seconds = (performance.now() - begun) / 1000;
  await new Promise((resolve) => setTimeout(resolve, 100));
  watch.disconnect();
  Object.defineProperty(stage, "lastPaintMs", { configurable: true, writable: true, value: painted });
  return { waits: moves.map((move) => answer(move) - move), stalls, longest, pictures: paints.length / seconds };
}"""


@dataclass
class Drag:
    """What was measured of drags at one number of steps, all in ms but for pictures a second and requests."""

    alone: list[float]
    waits: list[float]
    stalls: list[float]
    longest_frames: list[float]
    pictures: list[float]
    requests: int = 0


def median(values: Sequence[float], digits: int = 0) -> str:
    """The median with the least and the most."""
    low, middle, high = (f"{value:,.{digits}f}" for value in (min(values), statistics.median(values), max(values)))
    return f"{middle} ({low} to {high})" if len(values) > 1 else middle


def opened(browser: Browser, server: Server, **options: Any) -> Visitor:
    """A visitor whose page has its first picture and its form."""
    visitor = Visitor(browser, server.address, **options)
    visitor.page.wait_for_selector(".pg-stage[data-state=ready]", timeout=MINUTE)
    visitor.page.wait_for_selector('section[data-path="training"]', timeout=MINUTE)
    visitor.page.wait_for_function("window.__playground.stages[0].samples > 0", timeout=MINUTE)
    return visitor


@contextmanager
def visiting(browser: Browser, server: Server, **options: Any) -> Iterator[Visitor]:
    """A visitor for the block. Raises RuntimeError afterwards where anything went wrong on the page."""
    visitor = opened(browser, server, **options)
    try:
        yield visitor
    finally:
        visitor.close()
    if visitor.faults:
        raise RuntimeError(f"the page is not in order: {visitor.faults}")


def drags(browser: Browser, server: Server, runs: int) -> dict[int, Drag]:
    """The step slider, on a new page each run."""
    found = {steps: Drag([], [], [], [], []) for steps in STEPS}
    for _ in range(runs):
        with visiting(browser, server) as visitor:
            page = visitor.page
            page.select_option(".pg-stage [data-part=solver]", "euler")
            page.evaluate(DRAG, [50, 5, True])  # the first moves pay for the workers' warming up
            for steps, drag in found.items():
                asked = len(visitor.requests)
                alone = page.evaluate(DRAG, [steps, SINGLE_MOVES, True])
                moved = page.evaluate(DRAG, [steps, DRAG_FRAMES, False])
                drag.requests += len(visitor.requests) - asked
                drag.alone += alone["waits"]
                drag.waits += moved["waits"]
                drag.stalls += alone["stalls"] + moved["stalls"]
                drag.longest_frames.append(moved["longest"])
                drag.pictures.append(moved["pictures"])
            note(f"drags: { {steps: round(statistics.median(drag.alone)) for steps, drag in found.items()} } ms")
    return found


def drag_table(found: dict[int, Drag]) -> str:
    rows = [
        [
            str(steps),
            f"{statistics.median(drag.alone):.0f} / {_p95(drag.alone):.0f}",
            f"{statistics.median(drag.waits):.0f} / {_p95(drag.waits):.0f}",
            f"{statistics.median(drag.pictures):.0f}",
            f"{max(drag.stalls):.0f} ({len(drag.stalls)})" if drag.stalls else "none",
            f"{max(drag.longest_frames):.0f}",
            str(drag.requests),
        ]
        for steps, drag in found.items()
    ]
    header = ["Euler steps", "one move, median / p95 ms", "in a drag, median / p95 ms", "pictures a second"]
    return table([*header, "longest stall, ms (how many)", "longest frame, ms", "requests to the server"], rows)


def openings(browser: Browser, server: Server, runs: int) -> list[list[str]]:
    """Milliseconds from asking for the page to the first frame with moved particles; then again, as one who returns."""
    first, again = [], []
    for _ in range(runs * OPENINGS):
        with visiting(browser, server, script=WATCH_OPENING) as visitor:
            first.append(_first_moved(visitor.page))
            visitor.page.goto(server.address)
            again.append(_first_moved(visitor.page))
    note(f"first moving picture: {median(first)} ms")
    return [
        ["first moving picture, first visit", f"{median(first)} ms"],
        ["first moving picture, on returning", f"{median(again)} ms"],
    ]


def _first_moved(page: Page) -> float:
    page.wait_for_function("window.firstMoved !== undefined", timeout=MINUTE)
    return float(page.evaluate("window.firstMoved"))


def starts(runs: int) -> list[list[str]]:
    """Seconds until `app.py` answers, and to import gradio and torch, in turns; by the wall and by the processor."""
    serving, importing = [], []
    for _ in range(runs):
        since, used = time.perf_counter(), _children()
        subprocess.run([sys.executable, "-c", "import gradio, torch"], check=True)
        importing.append((time.perf_counter() - since, _children() - used))
        since = time.perf_counter()
        with serve() as server:
            serving.append((time.perf_counter() - since, server.cpu_seconds()))
    note(f"starts: {serving} against {importing}")
    rows = []
    for index, clock in enumerate(("wall", "processor")):
        app, bare = ([pair[index] for pair in pairs] for pairs in (serving, importing))
        ratio = [one / other for one, other in zip(app, bare, strict=True)]
        rows.append([f"app.py to serving, {clock}", f"{median(app, 1)} s"])
        rows.append([f"importing gradio and torch, {clock}", f"{median(bare, 1)} s"])
        rows.append([f"ratio, {clock}", f"{median(ratio, 2)}×"])
    return rows


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def trainings(browser: Browser, server: Server, runs: int) -> list[list[str]]:
    """Bytes of one default training, streamed and opened again; updates a second that reach the eye in a longer one."""
    streamed, counts, reopened, sent, seen = [], [], [], [], []
    for _ in range(runs):
        with visiting(browser, server) as visitor:
            size, count = _streamed(visitor.page)
            streamed.append(size / 1e6)
            counts.append(count)
            with visitor.page.expect_event(
                "requestfinished", lambda request: "/playground/runs/" in request.url
            ) as run:
                visitor.page.reload()
            reopened.append(run.value.sizes()["responseBodySize"] / 1e6)
        with visiting(browser, server) as visitor:
            arrived, pictures = _seen(visitor.page)
            sent.append(arrived)
            seen.append(pictures)
    note(f"updates a second: {seen} of {sent}")
    each = [1e3 * size / count for size, count in zip(streamed, counts, strict=True)]
    return [
        ["one streamed update, its share of the scene included", f"{median(each, 1)} kB"],
        ["one default training, streamed", f"{median(streamed, 2)} MB in {median(counts)} updates"],
        ["the same, finished, opened with its whole history", f"{median(reopened, 2)} MB"],
        ["updates a second that arrive in training", median(sent, 1)],
        ["updates a second that reach the eye", median(seen, 1)],
    ]


def _train(page: Page) -> int:
    """Trains to the end what the form says; returns how many updates came."""
    count = "window.__playground.stages[0].snapshots"
    before = page.evaluate(count)
    page.click("#train")
    page.wait_for_function(f"(before) => {count} > before", arg=before, timeout=MINUTE)
    page.wait_for_selector(".pg-stage[data-state=ready]", timeout=MINUTE)
    return int(page.evaluate(count)) - int(before)


def _streamed(page: Page) -> tuple[int, int]:
    """The bytes of the event stream of a training, which is not compressed, and its updates."""
    sizes: dict[str, int] = {}
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")

    def begin(event: dict[str, Any]) -> None:
        if "/queue/data" in event["response"]["url"]:
            sizes[event["requestId"]] = 0

    def receive(event: dict[str, Any]) -> None:
        if event["requestId"] in sizes:
            sizes[event["requestId"]] += event["dataLength"]

    network.on("Network.responseReceived", begin)
    network.on("Network.dataReceived", receive)
    updates = _train(page)
    network.detach()
    return sum(sizes.values()), updates


def _seen(page: Page) -> tuple[float, float]:
    """Snapshots and painted new pictures a second, from the first weights of a long training to its end."""
    page.fill('[data-path="training.steps"] .pg-entry', str(LONG_TRAINING))
    page.evaluate("""() => {
      const [root, stage] = [document.querySelector(".pg-stage"), window.__playground.stages[0]];
      const seen = (window.seen = { samples: stage.samples, pictures: 0 });
      const look = (now) => {
        if (root.dataset.state === "training") {
          seen.begin ??= { now, snapshots: stage.snapshots };
          seen.seconds = (now - seen.begin.now) / 1000;
          seen.snapshots = stage.snapshots - seen.begin.snapshots;
          seen.pictures += stage.samples > seen.samples;  // several within one frame are one to the eye
        }
        seen.samples = stage.samples;
        requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    }""")
    _train(page)
    seen = page.evaluate("window.seen")
    return seen["snapshots"] / seen["seconds"], seen["pictures"] / seen["seconds"]


def _p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def note(line: str) -> None:
    """Tells on standard error how far the benchmark is."""
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="What a visitor of the page waits for.")
    parser.add_argument("--runs", type=int, default=3, help="repetitions, on a new page each")
    parser.add_argument("--save", action="store_true", help="keep the report in benchmarks/results")
    given = parser.parse_args()
    torch.set_num_threads(1)
    load = Load()
    rows = starts(given.runs)
    with serve() as server, sync_playwright() as playwright:
        browser = start_browser(playwright)
        found = drags(browser, server, given.runs)
        rows += openings(browser, server, given.runs)
        rows += trainings(browser, server, given.runs)
        version = browser.version
    text = REPORT.format(
        conditions=conditions("benchmarks.browser", load),
        version=version,
        drags=drag_table(found),
        rest=table(["what", "median (least to most)"], rows),
    )
    publish("browser", text, given.save)


REPORT = """# The page in the browser

{conditions} Chromium {version}, headless, without a graphics card, on the same machine as the server.

## The step slider, 2,000 particles

{drags}

## Opening, starting, training

{rest}"""


if __name__ == "__main__":
    main()
