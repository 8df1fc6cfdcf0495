"""The stage's layers, views, hands and keys, on the real page: each changes the pixels that it should."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from tests.browser.driver import Visitor
from tests.browser.studio import reach

PATIENCE = 60_000
PLANES = """() => Object.fromEntries([...document.querySelectorAll(".pg-stage [data-part=canvas] canvas")]
  .map((one) => [one.dataset.plane, one.hidden ? "" : one.toDataURL()]))"""
SETTINGS = """() => {
  window.told = [];
  for (const name of ["scene", "snapshot", "sampled", "settings"]) {
    document.querySelector(".pg-stage").addEventListener(`pg:${name}`, ({ detail }) => {
      window.told.push([name, name === "settings" ? detail : Object.keys(detail)]);
    });
  }
}"""


class Stage:
    """The stage of the page, at rest at a time, with its pictures as arrays."""

    def __init__(self, visitor: Visitor, t: float = 0.6) -> None:
        self.visitor, self.page = visitor, visitor.page
        self.root = self.page.locator(".pg-stage")
        self.until("stage?.samples > 0 && document.querySelector('.pg-stage').dataset.state === 'ready'")
        self.page.evaluate(SETTINGS)
        self.at(t)
        self.settled()
        self.press("0")  # which redraws all: what is travelled has been added to bit by bit while it played

    def part(self, name: str) -> Locator:
        return self.page.locator(f'.pg-stage [data-part="{name}"]')

    def tool(self, name: str) -> Locator:
        return reach(self.page.locator(f'.pg-stage [data-tool="{name}"]'))

    def until(self, condition: str, given: Any = None) -> None:
        script = f"(given) => {{ const stage = window.__playground?.stages?.[0]; return {condition}; }}"
        self.page.wait_for_function(script, arg=given, timeout=PATIENCE, polling=30)

    def slide(self, part: str, value: float) -> None:
        script = "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input')); }"
        self.part(part).evaluate(script, value)

    def at(self, t: float) -> None:
        self.slide("time", t)

    def time(self) -> float:
        return float(self.part("time").evaluate("(slider) => slider.valueAsNumber"))

    def steps(self, steps: int) -> None:
        self.slide("steps", steps)
        self.until("stage.lastSteps === given", steps)
        self.settled()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
        self.settled()

    def settled(self) -> None:
        """Waits until nothing is asked or drawn any more."""
        self.page.evaluate("window.drawn = null")
        self.until(
            """(() => { const now = `${stage.draws} ${stage.answers} ${stage.samples}`;
            if (window.drawn !== now || stage.busy) { window.drawn = now; window.since = performance.now(); }
            return performance.now() - window.since > 100; })()"""
        )

    def planes(self) -> dict[str, str]:
        return dict(self.page.evaluate(PLANES))

    def seen(self) -> np.ndarray:
        """What a screenshot of the picture shows, as (height, width, 3) in 0–255."""
        image = Image.open(io.BytesIO(self.part("canvas").screenshot())).convert("RGB")
        return np.asarray(image, dtype=float)

    def place(self, across: float, down: float) -> tuple[float, float]:
        """A point of the picture by its shares, in pixels of the page."""
        box = self.part("canvas").bounding_box()
        assert box
        return box["x"] + across * box["width"], box["y"] + down * box["height"]

    def marks(self, plane: str) -> np.ndarray:
        """Where a plane has anything on it: (height, width) of booleans."""
        wide, opaque = self.page.evaluate(
            """(plane) => { const canvas = document.querySelector(`.pg-stage [data-plane=${plane}]`);
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            const opaque = Array.from({ length: data.length / 4 }, (_, k) => (data[4 * k + 3] ? 1 : 0));
            return [canvas.width, opaque.join("")];
            }""",
            plane,
        )
        return np.frombuffer(opaque.encode(), dtype=np.uint8).reshape(-1, wide) == ord("1")

    def click(self, across: float, down: float) -> None:
        self.page.mouse.click(*self.place(across, down))
        self.settled()


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """The planes that differ."""
    return {plane for plane in after if before[plane] != after[plane]}


def share_of(picture: np.ndarray, red: float, green: float, blue: float, within: float = 60) -> float:
    """The share of pixels near a colour."""
    return float((np.abs(picture - np.array([red, green, blue])).sum(-1) < within).mean())


@pytest.fixture
def stage(visit: Callable[..., Visitor]) -> Callable[..., Stage]:
    """Opens the app for another visitor and holds its picture still."""

    def opened(path: str = "", t: float = 0.6, **options: Any) -> Stage:
        return Stage(visit(path, **options), t)

    return opened


Open = Callable[..., Stage]

LAYERS = {
    "v": ("field", {"live"}),
    "h": ("density", {"live"}),
    "c": ("contours", {"paths"}),
    "g": ("warp", {"over"}),
    "b": ("batch", {"over"}),
    "r": ("ghost", {"live"}),
    "p": ("particles", {"dots"}),
    "t": ("paths", {"paths", "travelled"}),
}
"""The key of each layer, its name, and the planes whose pixels it changes."""


def test_each_layer_draws_on_its_plane_and_goes_again(stage: Open) -> None:
    page = stage()
    calm = page.planes()
    for key, (name, planes) in LAYERS.items():
        pressed = page.tool(name).get_attribute("aria-pressed") == "true"
        page.press(key)
        expect(page.tool(name)).to_have_attribute("aria-pressed", str(not pressed).lower())
        assert changed(calm, page.planes()) == planes, name
        page.press(key)
        assert changed(calm, page.planes()) == set(), name
    page.tool("contours").click()
    page.settled()
    assert changed(calm, page.planes()) == {"paths"}, "a button does what its key does"
    expect(page.part("keys")).to_contain_text("of the target")


def test_a_ghost_stays_as_it_was_while_the_particles_go_another_way(stage: Open) -> None:
    page = stage()
    page.press("r")
    kept = page.planes()
    expect(page.part("keys")).to_contain_text("ghost: kept at 50 NFE")
    page.slide("steps", 1)
    page.until("stage.lastSteps === 1")
    page.settled()
    assert changed(kept, page.planes()) >= {"dots", "paths"}
    assert "live" not in changed(kept, page.planes())
    page.press("r")
    page.press("r")
    expect(page.part("keys")).to_contain_text("ghost: kept at 1 NFE")


@pytest.mark.parametrize(("preset", "limited"), [("memorised", True), ("two_moons", False)])
def test_training_points_are_rings_where_they_are_limited(stage: Open, preset: str, limited: bool) -> None:
    page = stage(f"?preset={preset}")
    before = page.planes()
    page.press("o")
    assert changed(before, page.planes()) == ({"over"} if limited else set())
    page.press("o")
    said = page.part("keys").inner_text()
    assert ("the 16 training points" in said) == limited


def test_layers_of_a_time_follow_it(stage: Open) -> None:
    page = stage()
    for key in "vhgb":
        page.press(key)
        plane = next(iter(LAYERS[key][1]))
        early = page.planes()[plane]
        page.at(0.9)
        page.settled()
        assert page.planes()[plane] != early, LAYERS[key][0]
        page.at(0.6)
        page.settled()
        assert page.planes()[plane] == early, f"{LAYERS[key][0]} comes back with it"
        page.press(key)


def test_few_steps_show_their_error(stage: Open) -> None:
    page = stage(t=1)
    page.press("e")
    page.until("document.querySelector('.pg-stage [data-part=keys]').innerText.includes('mean')")
    none = share_of(page.seen(), 220, 38, 38)
    page.steps(2)
    assert share_of(page.seen(), 220, 38, 38) > none + 4e-4, "red dashes"
    label = page.part("keys").inner_text()
    assert "error at t = 1" in label
    coarse = float(label.split("mean ")[1].split(";")[0].replace("−", "-"))
    page.steps(16)
    fine = float(page.part("keys").inner_text().split("mean ")[1].split(";")[0].replace("−", "-"))
    assert 0 < fine < coarse


def test_colours_say_start_or_speed(stage: Open) -> None:
    page = stage()
    pictures = [page.planes()["dots"]]
    for said in ("place", "speed"):
        page.press("k")
        expect(page.part("colour")).to_have_text(said)
        pictures.append(page.planes()["dots"])
    assert len(set(pictures)) == 3
    page.press("k")
    assert page.planes()["dots"] == pictures[0]


def test_a_probe_is_drawn_in_full_and_follows_the_steps(stage: Open) -> None:
    page = stage()
    calm = page.planes()
    assert not page.marks("over").any()
    page.click(0.3, 0.35)
    page.click(0.7, 0.6)
    assert changed(calm, page.planes()) == {"over"}
    tall, wide = page.marks("over").shape
    marked = page.marks("over")[int(0.3 * tall) : int(0.4 * tall), int(0.25 * wide) : int(0.35 * wide)]
    assert marked.sum() > 100, "the way passes through where it was dropped"
    expect(page.part("keys")).to_contain_text("2 probes")
    fine = page.planes()["over"]
    page.steps(2)
    assert page.planes()["over"] != fine
    page.press("Escape")
    expect(page.part("keys")).to_be_empty()
    page.part("canvas").focus()
    page.press("Enter")
    expect(page.part("keys")).to_contain_text("a probe")
    page.tool("clear").click()
    expect(page.tool("clear")).to_be_disabled()


def test_hovering_shows_the_way_of_a_particle(stage: Open) -> None:
    page = stage()
    calm = page.planes()
    page.page.mouse.move(*page.place(0.5, 0.5))
    page.settled()
    assert changed(calm, page.planes()) == {"over"}
    page.page.mouse.move(0, 0)
    page.settled()
    assert changed(calm, page.planes()) == set()


def test_unrolled_the_cloud_slides_from_left_to_right(stage: Open) -> None:
    page = stage()
    page.press("u", "t", "k", "k")  # by speed, which has no green
    centres = []
    for t in (0, 0.5, 1):
        page.at(t)
        page.settled()
        _, columns = page.marks("dots").nonzero()
        centres.append(columns.mean() / page.marks("dots").shape[1])
    assert centres[0] < 0.4 < centres[1] < 0.6 < centres[2]
    page.at(0)
    page.settled()
    green = np.abs(page.seen() - np.array([34, 197, 94])).sum(-1) < 150
    width = green.shape[1]
    assert green[:, width // 2 :].sum() > 10 * max(1, green[:, : width // 2].sum()), "the target stands at the right"


def test_one_dimension_has_its_layers_over_space_and_time(stage: Open) -> None:
    page = stage("?preset=one_dimension", t=0.5)
    calm = page.planes()
    expect(page.tool("contours")).to_be_disabled()
    expect(page.tool("unrolled")).to_be_disabled()
    for key, planes in {"v": {"live"}, "h": {"paths"}, "g": {"live"}, "b": {"over"}}.items():
        page.press(key)
        assert changed(calm, page.planes()) == planes, key
        page.press(key)
    page.click(0.4, 0.4)
    assert changed(calm, page.planes()) == {"over"}
    page.press("x")
    assert changed(calm, page.planes()) == set()


def test_keys_do_what_the_help_lists(stage: Open) -> None:
    page = stage(t=0.5)
    page.steps(4)
    for key, t in ((".", 0.75), (".", 1), (",", 0.75), ("Home", 0), ("End", 1), ("ArrowLeft", 0.98)):
        page.press(key)
        assert page.time() == pytest.approx(t, abs=2e-3), key
    page.press("]")
    expect(page.part("steps-value")).to_have_text("5")
    page.press("s")
    expect(page.part("solver")).to_have_value("midpoint")
    page.press("{")
    expect(page.part("training").locator("xpath=..")).to_have_class("pg-slider pg-past")
    page.press(">")
    expect(page.part("speed")).to_have_value("2")
    page.press("l")
    expect(page.part("loop")).to_have_attribute("aria-pressed", "false")
    page.press("Home", "<", "<", "<")
    page.page.keyboard.press(" ")
    expect(page.root).to_have_attribute("data-playing", "true")
    page.page.keyboard.press(" ")
    page.page.keyboard.press("?")
    dialog = page.page.get_by_role("dialog", name="Keys and hands")
    expect(dialog).to_contain_text("Velocity field")
    page.page.keyboard.press("v")
    expect(page.tool("field")).to_have_attribute("aria-pressed", "false")
    page.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.page.locator('[data-path="training.steps"] .pg-entry').focus()
    page.page.keyboard.press("v")
    expect(page.tool("field")).to_have_attribute("aria-pressed", "false")


def test_adaptive_solvers_show_their_steps_on_the_time_slider(stage: Open) -> None:
    page = stage()
    page.part("solver").select_option("dopri5")
    expect(page.part("tolerance")).to_be_visible()
    expect(page.part("steps")).to_be_hidden()
    page.until("stage.lastSteps !== 50")
    page.settled()
    wide = page.part("ticks").locator(".pg-accepted path").count()
    samples = page.page.evaluate("window.__playground.stages[0].samples")
    page.slide("tolerance", -3)
    page.until("stage.samples > given", samples)
    assert 2 <= page.part("ticks").locator(".pg-accepted path").count() < wide
    expect(page.part("tolerance-value")).to_contain_text("steps")


def test_zoom_survives_updates_until_it_is_fitted(stage: Open) -> None:
    page = stage()
    calm = page.planes()
    page.page.mouse.move(*page.place(0.4, 0.4))
    page.page.keyboard.down("Control")
    page.page.mouse.wheel(0, -300)
    page.page.keyboard.up("Control")
    page.page.mouse.down()
    page.page.mouse.move(*page.place(0.5, 0.45), steps=3)
    page.page.mouse.up()
    page.page.mouse.move(0, 0)
    page.settled()
    zoomed = page.planes()
    assert changed(calm, zoomed) >= {"paths", "travelled", "dots"}
    expect(page.part("keys")).to_be_empty()
    page.steps(8)
    page.steps(50)
    assert changed(zoomed, page.planes()) == set(), "another picture and back"
    page.page.locator('[data-path="training.steps"] .pg-entry').fill("300")
    snapshots = page.page.evaluate("window.__playground.stages[0].snapshots")
    page.page.locator("#train").click()
    page.until("stage.snapshots > given", snapshots)
    page.until("document.querySelector('.pg-stage').dataset.state === 'ready'")
    expect(page.part("canvas")).to_have_attribute("data-zoomed", "")
    page.page.mouse.dblclick(*page.place(0.5, 0.5))
    expect(page.part("canvas")).not_to_have_attribute("data-zoomed", "")
    expect(page.part("keys")).to_be_empty()


def test_fingers_pinch(stage: Open) -> None:
    page = stage(is_mobile=True, has_touch=True, viewport={"width": 390, "height": 844})
    calm = page.planes()
    session = page.visitor.context.new_cdp_session(page.page)
    page.part("canvas").scroll_into_view_if_needed()
    (x, y), far = page.place(0.5, 0.5), 20
    for kind in ("touchStart", "touchMove", "touchMove", "touchEnd"):
        points = [{"x": x - far, "y": y, "id": 0}, {"x": x + far, "y": y, "id": 1}] if kind != "touchEnd" else []
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        far += 30
    expect(page.part("canvas")).to_have_attribute("data-zoomed", "")
    page.settled()
    assert "dots" in changed(calm, page.planes())


def test_it_tells_what_happens_and_how_it_is_looked_at(stage: Open) -> None:
    page = stage(t=0.25)
    page.press("v", "u", "k")
    page.steps(8)
    page.until("window.told.findLast(([name]) => name === 'settings')?.[1].steps === 8")
    told = page.page.evaluate("window.told")
    settings = [detail for name, detail in told if name == "settings"][-1]
    shown = ["particles", "paths", "learnt", "field", "boltzmann"]
    expected = {"layers": shown, "colour": "position", "view": "unrolled", "t": 0.25}
    assert settings.items() >= (expected | {"playing": False, "solver": "euler", "steps": 8, "grid": "uniform"}).items()
    sampled = next(detail for name, detail in told if name == "sampled")
    assert {"run", "snapshot", "solver", "steps", "nfe", "ms", "trajectory"} <= set(sampled)
    given = page.page.evaluate(
        """async (settings) => {
          const { Stage } = await import("/playground/stage/stage.js");
          const root = document.createElement("div");
          document.body.append(root);
          const other = new Stage(root, { sampler: {} });
          other.apply({ ...settings, colour: "nonsense", speed: 1e9, layers: [...settings.layers, "nonsense"] });
          const taken = other.settings;
          other.destroy();
          root.remove();
          return taken;
        }""",
        settings,
    )
    assert given == settings | {"colour": "angle"}


def test_little_motion_is_respected(stage: Open) -> None:
    page = stage(t=1, reduced_motion="reduce")
    page.press("v", "g")
    picture = page.planes()
    page.page.wait_for_timeout(300)
    assert changed(picture, page.planes()) == set()
    expect(page.root).to_have_attribute("data-playing", "false")
