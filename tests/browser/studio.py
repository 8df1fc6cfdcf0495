"""The Studio tab, in the words of the tests."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, TimeoutError, expect

from tests.browser.driver import Visitor

PATIENCE = 60_000
"""Milliseconds to wait for what should come at once: the machine may be busy, and no test here is about speed."""
expect.set_options(timeout=PATIENCE)
PICTURE = """() => [...document.querySelectorAll("[data-part=canvas] canvas")].map((one) => one.toDataURL()).join()"""


def reach(button: Locator) -> Locator:
    """The button, after the menu that it is in has been opened; what is in no menu is in sight."""
    menu = button.locator("xpath=ancestor::*[@popover]")
    if menu.count() and not menu.is_visible():
        button.page.locator(f"[popovertarget={menu.get_attribute('id')}]").click()
    return button


class Studio:
    """The page, in the words of the tests."""

    def __init__(self, visitor: Visitor, trained: bool = True) -> None:
        self.visitor, self.page = visitor, visitor.page
        self.stage = self.page.locator(".pg-stage")
        self.message = self.part("message")
        self.until("window.__playground?.stages?.length === 1 && stage !== undefined")
        if trained:
            self.until("stage.samples > 0")
            self.ready()
        else:
            expect(self.stage).to_have_attribute("data-state", "waiting")

    def part(self, name: str) -> Locator:
        return self.page.locator(f'.pg-stage [data-part="{name}"]')

    def until(self, condition: str, given: Any = None) -> None:
        """Waits for a condition in the page, unless something has gone wrong there; `stage` is its counters."""
        script = f"(given) => {{ const stage = window.__playground?.stages?.[0]; return {condition}; }}"
        for last in (False, True):
            try:
                self.page.wait_for_function(script, arg=given, timeout=PATIENCE / 2, polling=30)
                return
            except TimeoutError:
                assert self.visitor.faults == []
                assert not last, f"this has not come true: {condition}"

    def count(self, name: str) -> Any:
        return self.page.evaluate("(name) => window.__playground.stages[0][name]", name)

    def ready(self) -> None:
        expect(self.stage).to_have_attribute("data-state", "ready")

    def picture(self) -> str:
        """All that is drawn, as a text that differs when a pixel does."""
        return str(self.page.evaluate(PICTURE))

    def seen(self, part: str) -> np.ndarray:
        """What a screenshot of a part shows, as (height, width, 3) in 0–255."""
        image = Image.open(io.BytesIO(self.part(part).screenshot())).convert("RGB")
        return np.asarray(image, dtype=float)

    def changed(self, before: str) -> str:
        """Waits until the picture is another than before, and returns it."""
        self.until(f"({PICTURE})() !== given", before)
        return self.picture()

    def slide(self, part: str, value: float) -> None:
        self.part(part).evaluate(
            "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input', { bubbles: true })); }",
            value,
        )

    def still(self, t: float = 1) -> str:
        """Holds time at t; returns the picture there once it stands."""
        self.slide("time", t)
        expect(self.stage).to_have_attribute("data-playing", "false")
        return self.steady()

    def steady(self) -> str:
        """The picture once nothing more has been drawn for a while, also on a machine that is busy."""
        self.until(
            "(window.drawn?.count === stage.draws) ? performance.now() - window.drawn.at > 300"
            " : (window.drawn = { count: stage.draws, at: performance.now() }, false)"
        )
        return self.picture()

    def field(self, path: str) -> Locator:
        return self.page.locator(f'[data-path="{path}"] .pg-entry')

    def choose(self, path: str, kind: str) -> None:
        """Chooses a source or a target in the form by its picture."""
        section = self.page.locator(f'section[data-path="{path}"]')
        fold = section.locator(".pg-toggle").first
        if fold.get_attribute("aria-expanded") == "false":
            fold.click()
        picker = section.locator("details.pg-picker")
        if not picker.evaluate("(picker) => picker.open"):
            picker.locator("summary").click()
        picker.locator(f'.pg-tile:has(input[value="{kind}"])').click()

    def preview(self, path: str, kind: str) -> None:
        """The same, and waits until its cloud is there."""
        self.choose(path, kind)
        label = self.page.locator(f'section[data-path="{path}"] .pg-current').text_content()
        expect(self.part(path)).to_have_text(label or "?")
        expect(self.stage).to_have_attribute("data-state", "waiting")

    def train(self, steps: int) -> None:
        """Presses Train and waits for the first weights; a short training may be over by then."""
        self.field("training.steps").fill(str(steps))
        before = self.count("snapshots")
        self.page.locator("#train").click()
        self.until("stage.snapshots > given", before)

    def step(self) -> int:
        """The training step of the picture."""
        return int(re.sub(r"\D", "", self.part("training-value").inner_text().split(" of ")[0]))

    def learnt(self) -> str:
        """What the newest weights do with 20 steps, as a picture that depends on nothing else."""
        self.slide("steps", 20)
        self.until("stage.lastSteps === 20")
        self.still(0)
        return self.still(1)

    def distance(self) -> str:
        """How far the end points are from the target with 20 steps, as it is shown once it is measured."""
        self.learnt()
        expect(self.part("distance")).not_to_have_class(re.compile("pg-stale"))
        return self.part("distance").inner_text()

    def within(self, floors: float) -> None:
        """Waits until the end points are so many times the floor from the target; it reads as in "0.7× floor"."""
        reading = "document.querySelector('.pg-stage [data-part=distance-note]').innerText"
        self.until(f"parseFloat({reading}) < given", floors)
