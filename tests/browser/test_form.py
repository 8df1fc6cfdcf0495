"""The form in real Chromium, on a page of its own: what a person does, and what they are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page
from pydantic import TypeAdapter, ValidationError

from playground.choice import problems_of
from playground.distributions import DISTRIBUTIONS, AnyDistribution
from playground.experiment import Experiment
from tests.browser.driver import Visitor
from tests.browser.form_page import Trip, serve_forms

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serve_forms() as at:
        yield at


@pytest.fixture
def open_form(visit_at: Callable[..., Visitor], address: str) -> Open:
    """Opens a form, by the name of its description, in a column of this width."""

    def opened(name: str = "trip", width: int = 340, **options: Any) -> Page:
        page = visit_at(address, name, viewport={"width": width, "height": 900}, **options).page
        page.wait_for_function("window.description")
        return page

    return opened


def value(page: Page) -> Any:
    return page.evaluate("form.value")


def entry(path: str) -> str:
    return f'[data-path="{path}"] .pg-entry'


def test_the_untouched_form_is_the_default_experiment(open_form: Open) -> None:
    page = open_form("experiment")
    assert Experiment.parse(value(page)) == Experiment()
    assert page.evaluate("form.valid && !form.canUndo && told.length === 0")
    page.evaluate("form.set({target: 'two_moons', training: {steps: 7}})")
    assert Experiment.parse(value(page)) == Experiment.parse({"target": "two_moons", "training": {"steps": 7}})


def test_every_kind_starts_as_its_class_declares(open_form: Open) -> None:
    page = open_form("experiment")
    choice: TypeAdapter[Any] = TypeAdapter(AnyDistribution)
    for distribution in DISTRIBUTIONS:
        page.get_by_label("Target", exact=True).select_option(distribution.kind_name())
        assert choice.validate_python(value(page)["target"]) == distribution(), distribution
        assert page.evaluate("form.valid")


def test_a_kind_brings_its_fields_and_comes_back_as_it_was_left(open_form: Open) -> None:
    page = open_form()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    assert value(page)["travel"] == {"kind": "walk", "way": {"kind": "straight"}, "pace": 2}
    page.locator(entry("travel.pace")).fill("1")
    page.get_by_label("Way", exact=True).select_option("wavy")
    page.locator(entry("travel.way.waves")).fill("5")
    page.get_by_label("Travel", exact=True).select_option("fly")
    assert value(page)["travel"] == {"kind": "fly", "height": 100}
    assert page.locator(entry("travel.height")).is_visible() and page.locator(entry("travel.pace")).count() == 0
    assert page.get_by_text("By air.").is_visible()
    page.get_by_label("Travel", exact=True).select_option("walk")
    assert value(page)["travel"] == {"kind": "walk", "way": {"kind": "wavy", "waves": 5}, "pace": 1}
    page.get_by_label("Travel", exact=True).select_option("ride")
    assert value(page)["travel"] == {"kind": "ride", "way": {"kind": "wavy", "waves": 5}}, "what both have is kept"
    assert not asked


def test_an_invalid_value_is_marked_at_once_with_its_sentence(open_form: Open) -> None:
    page = open_form()
    field = page.locator(entry("bag.weight"))
    for text, sentence in {
        "50": "50 is too large; choose at most 20.",
        "x": "'x' is not a number.",
        "nan": "'nan' is not a finite number.",
        "": "This is missing.",
    }.items():
        field.fill(text)
        assert page.locator('[data-path="bag.weight"] .pg-problem').inner_text() == sentence
        assert field.get_attribute("aria-invalid") == "true"
        problem = page.locator('[data-path="bag.weight"] .pg-problem').get_attribute("id")
        assert problem in (field.get_attribute("aria-describedby") or "").split()
        assert page.evaluate("!form.valid && !told.at(-1).valid && form.problems[0].path.join('.') === 'bag.weight'")
    field.fill("3.5")
    assert page.evaluate("form.valid && told.at(-1).valid") and field.get_attribute("aria-invalid") is None
    assert page.locator('[data-path="bag.weight"] .pg-problem').is_hidden()
    stops = page.get_by_label("Stops", exact=True)
    stops.fill("1, two")
    assert (
        page.get_by_text("write numbers separated by commas").is_visible() and value(page)["bag"]["stops"] == "1, two"
    )
    stops.fill("[1 −2]")
    assert page.evaluate("form.valid") and value(page)["bag"]["stops"] == [1, -2]
    stops.fill("1, 2, 3, 4")
    assert page.get_by_text("Give at most 3 values.").is_visible()
    page.get_by_label("Table", exact=True).fill("1, 2\n3")
    assert page.get_by_text("In row 2: give at least 2 values.").is_visible()
    page.get_by_label("Table", exact=True).fill("1, 2; 3, 4.5")
    page.get_by_label("Table", exact=True).blur()
    assert (
        value(page)["bag"]["table"] == [[1, 2], [3, 4.5]]
        and page.get_by_label("Table", exact=True).input_value() == "1, 2\n3, 4.5"
    )


BAD: list[dict[str, Any]] = [
    {"bag": {"weight": 20.5}},
    {"bag": {"weight": -0.00001}},
    {"bag": {"weight": "nan"}},
    {"bag": {"weight": "heavy"}},
    {"bag": {"colour": "it's green"}},
    {"bag": {"seed": 2.5}},
    {"bag": {"seed": "x" * 50}},
    {"bag": {"seed": 10**12}},
    {"bag": {"stops": []}},
    {"bag": {"stops": [1, 2, 3, 4]}},
    {"bag": {"budget": -1}},
    {"travel": {"kind": "walk", "pace": 0}},
    {"travel": {"kind": "fly", "height": 10**7}},
    {"travel": {"kind": "swim"}},
    {"travel": {"kind": "walk", "way": {"kind": "wavy", "waves": 0}}},
]


def test_the_browser_says_what_the_server_would(open_form: Open) -> None:
    page = open_form()
    for bad in BAD:
        with pytest.raises(ValidationError) as refused:
            Trip.model_validate(bad)
        expected = [(list(problem.path), problem.sentence) for problem in problems_of(refused.value, bad)]
        page.evaluate("bad => form.set(bad)", bad)
        assert [(each["path"], each["sentence"]) for each in page.evaluate("form.problems")] == expected


def test_what_the_server_found_is_marked_by_its_path_until_it_is_changed(open_form: Open) -> None:
    page = open_form()
    page.evaluate("""form.markProblems([{path: ["bag", "budget"], sentence: "too long for today."},
        {path: ["travel"], sentence: "this is closed."}, {path: [], sentence: "the two do not fit."},
        {path: ["bag", "stops", "1"], sentence: "-1 is off the map."}, {path: ["spare", "full"], sentence: "no."}])""")
    assert page.locator('[data-path="bag.budget"] .pg-problem').inner_text() == "Too long for today."
    assert page.locator(entry("bag.budget")).is_visible(), "More has been unfolded"
    assert page.locator(entry("bag.budget")).get_attribute("aria-invalid") == "true"
    assert page.get_by_text("This is closed.").is_visible() and page.get_by_text("The two do not fit.").is_visible()
    assert page.get_by_text("-1 is off the map.").is_visible() and page.evaluate("form.valid")
    page.locator(entry("bag.budget")).fill("10")
    assert page.get_by_text("Too long for today.").count() == 0 and page.get_by_text("do not fit").count() == 0
    assert page.get_by_text("This is closed.").is_visible()
    page.locator(entry("travel.pace")).fill("1")
    assert page.get_by_text("This is closed.").count() == 0


def test_undo_and_redo_take_a_drag_or_an_edit_as_one_step(open_form: Open) -> None:
    page = open_form()
    slider = page.locator('[data-path="bag.weight"] .pg-slider')
    slider.evaluate("""slider => { for (const at of [6, 9, 12]) { slider.value = at;
        slider.dispatchEvent(new Event("input")); } slider.dispatchEvent(new Event("change")); }""")
    page.locator(entry("travel.pace")).fill("")
    page.locator(entry("travel.pace")).press_sequentially("0.5")
    page.locator(entry("travel.pace")).blur()
    page.get_by_label("Travel", exact=True).select_option("fly")
    assert [value(page)["bag"]["weight"], value(page)["travel"]["kind"]] == [12, "fly"]
    assert page.evaluate("told.filter((each) => each.final).length") == 3
    page.get_by_label("Travel", exact=True).focus()
    page.keyboard.press("Control+z")
    assert value(page)["travel"] == {"kind": "walk", "way": {"kind": "straight"}, "pace": 0.5}
    page.evaluate("form.undo()")
    assert value(page)["travel"]["pace"] == 2 and page.locator(entry("travel.pace")).input_value() == "2"
    page.evaluate("form.undo()")
    assert value(page)["bag"]["weight"] == 5 and not page.evaluate("form.canUndo")
    page.evaluate("form.redo(), form.redo()")
    page.keyboard.press("Control+Shift+Z")
    assert [value(page)["bag"]["weight"], value(page)["travel"]["kind"]] == [12, "fly"]
    assert not page.evaluate("form.canRedo")


def test_reset_by_dot_by_path_and_altogether(open_form: Open) -> None:
    page = open_form()
    dot = page.get_by_role("button", name="Reset Pace to 2", exact=True)
    assert dot.count() == 0
    page.locator(entry("travel.pace")).fill("1")
    dot.focus()
    page.keyboard.press("Enter")
    assert value(page)["travel"]["pace"] == 2 and dot.count() == 0
    assert page.locator(entry("travel.pace")).evaluate("input => input === document.activeElement")
    page.get_by_label("Colour").get_by_text("blue").click()
    page.locator(entry("bag.weight")).fill("1")
    page.evaluate("form.reset('bag.colour')")
    assert (value(page)["bag"]["colour"], value(page)["bag"]["weight"]) == ("red", 1)
    page.evaluate("form.reset()")
    assert Trip.model_validate(value(page)) == Trip()


def test_the_dice_change_the_seed(open_form: Open) -> None:
    page = open_form()
    seeds = {0}
    for _ in range(5):
        page.get_by_role("button", name="Roll a new seed").click()
        seeds.add(value(page)["bag"]["seed"])
    assert len(seeds) >= 5 and all(isinstance(seed, int) and 0 <= seed < 10_000 for seed in seeds)
    assert page.locator('[data-path="bag.seed"] .pg-slider').count() == 0


def test_switches_segments_and_what_may_be_absent(open_form: Open) -> None:
    page = open_form()
    page.get_by_role("switch", name="Full").click()
    page.get_by_role("radio", name="red").focus()
    page.keyboard.press("ArrowRight")
    assert (value(page)["bag"]["full"], value(page)["bag"]["colour"]) == (True, "blue")
    page.get_by_text("More", exact=True).first.click()
    assert page.locator(entry("bag.budget")).get_attribute("placeholder") == "none"
    page.locator(entry("bag.budget")).fill("30")
    assert value(page)["bag"]["budget"] == 30
    page.locator(entry("bag.budget")).fill("")
    assert value(page)["bag"]["budget"] is None and page.evaluate("form.valid")
    page.get_by_role("button", name="Spare", exact=True).click()
    assert value(page)["spare"] is None and page.locator(entry("spare.weight")).is_hidden()
    page.get_by_role("switch", name="Spare").click()
    page.locator(entry("spare.weight")).fill("7")
    assert value(page)["spare"]["weight"] == 7
    page.get_by_role("switch", name="Spare").click()
    assert value(page)["spare"] is None


def test_the_keyboard_is_enough(open_form: Open) -> None:
    page = open_form("tiles")
    section = page.get_by_role("button", name="Travel", exact=False).first
    section.focus()
    page.keyboard.press("Enter")
    assert section.get_attribute("aria-expanded") == "false" and page.locator(entry("travel.pace")).is_hidden()
    page.keyboard.press("Enter")
    page.get_by_role("radio", name="Walk").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert value(page)["travel"]["kind"] == "fly"
    page.locator(entry("travel.height")).focus()
    page.keyboard.press("ArrowUp")
    assert value(page)["travel"]["height"] == 110
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    assert page.locator(".pg-tip").inner_text() == "How high." and page.locator(".pg-tip").is_visible()
    page.keyboard.press("Escape")
    assert page.locator(".pg-tip").is_hidden()


def test_help_comes_by_hover_and_by_touch(open_form: Open) -> None:
    page = open_form()
    page.get_by_role("button", name="What is Pace?").hover()
    assert page.locator(".pg-tip").inner_text() == "How fast."
    page.mouse.move(0, 0)
    assert page.locator(".pg-tip").is_hidden()
    phone = open_form(width=390, has_touch=True, is_mobile=True)
    phone.get_by_role("button", name="What is Weight?").tap()
    box = phone.locator(".pg-tip").bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390
    phone.get_by_text("Bag", exact=True).first.tap()
    assert phone.locator(".pg-tip").is_hidden()


def test_every_position_of_every_slider_is_a_valid_value(open_form: Open) -> None:
    wrong = """() => {
      const wrong = [];
      const walk = (field, name) => {
        const slider = ["float", "int"].includes(field.type) && sliderOf(field);
        for (let at = slider ? slider.min : 1; slider && at <= slider.max; at += slider.step) {
          const value = slider.value(at);
          const sentence = values.sentenceOf(field, value);
          if (sentence || String(value).length > 8) wrong.push([name, at, value, sentence]);
          if (Math.abs(slider.position(value) - at) > slider.step / 2) wrong.push([name, at, value]);
        }
        const inside = (field.kinds ?? [field]).flatMap((kind) => kind.fields ?? []);
        for (const each of inside) walk(each, `${name}.${each.name}`);
      };
      walk(description, "");
      return wrong;
    }"""
    assert open_form("trip").evaluate(wrong) == []
    page = open_form("experiment")
    assert page.evaluate(wrong) == []
    page.locator('[data-path="training.rate"] .pg-slider').press("ArrowLeft")
    assert value(page)["training"]["rate"] == 0.009


def test_parts_are_hidden_and_ordered_and_their_values_kept(open_form: Open) -> None:
    page = open_form()
    page.evaluate("make({hide: ['bag', 'travel.pace'], value: {bag: {weight: 9}}})")
    assert page.locator(".pg-section").count() == 2 and page.locator(entry("travel.pace")).count() == 0
    assert value(page)["bag"]["weight"] == 9 and value(page)["travel"]["pace"] == 2
    page.evaluate("make({groups: ['bag', {name: 'travel', title: 'Journey', open: false}]})")
    assert page.locator(".pg-toggle").all_inner_texts()[0] == "Bag"
    journey = page.get_by_role("button", name="Journey Walk")
    assert journey.get_attribute("aria-expanded") == "false" and page.locator(entry("travel.pace")).is_hidden()
    page.evaluate("form.reveal('travel.pace')")
    assert page.locator(entry("travel.pace")).evaluate("input => input === document.activeElement")
    page.evaluate("make({value: 'rubbish'})")
    assert Trip.model_validate(value(page)) == Trip()


def test_every_control_has_a_name_and_nothing_overflows(open_form: Open) -> None:
    for name, width in (("tiles", 300), ("experiment", 340), ("experiment", 1200)):
        page = open_form(name, width)
        page.locator(".pg-more").evaluate_all("folds => folds.forEach((fold) => (fold.open = true))")
        nameless = """() => [...document.querySelectorAll("input, select, textarea")].filter((control) =>
          ![...control.labels ?? []].some((label) => label.textContent) && !control.getAttribute("aria-labelledby"))
          .map((control) => control.outerHTML)"""
        assert page.evaluate(nameless) == []
        ids = "[...document.querySelectorAll('[id]')].map((element) => element.id)"
        assert page.evaluate(f"new Set({ids}).size === {ids}.length")
        broken = """() => [...document.querySelectorAll("[aria-describedby], [aria-labelledby], label[for]")].flatMap(
          (element) => ["aria-describedby", "aria-labelledby", "for"].flatMap((name) =>
            (element.getAttribute(name) ?? "").split(" ").filter((id) => id && !document.getElementById(id))))"""
        assert page.evaluate(broken) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_is_refused_is_not_offered_and_says_why(open_form: Open) -> None:
    page = open_form("tiles")
    refused = {
        "travel": [{"value": "fly", "sentence": "no wings."}],
        "bag.colour": [{"value": "blue", "sentence": "it is sold out."}],
        "travel.way": [{"value": "wavy", "sentence": "the road is straight."}],
    }
    page.evaluate("(refused) => form.offer(refused)", refused)
    fly = page.locator('.pg-tile:has(input[value="fly"])')
    assert fly.locator("input").is_disabled() and fly.get_attribute("title") == "Fly: no wings."
    assert page.get_by_label("blue", exact=True).is_disabled() and page.get_by_label("red", exact=True).is_enabled()
    assert page.locator(".pg-not-offered").all_inner_texts() == [
        "Not offered now: Fly\n?",
        "Not offered now: Wavy\n?",
        "Not offered now: blue\n?",
    ]
    page.get_by_label("Why not Fly?").hover()
    assert page.locator(".pg-tip.pg-open").inner_text() == "Fly: no wings."
    page.locator('.pg-tile:has(input[value="ride"])').click()
    wavy = page.locator('[data-path="travel.way"] input[value="wavy"]')
    assert wavy.is_disabled(), "a control that is drawn later knows it too"
    page.evaluate("form.offer({})")
    assert fly.locator("input").is_enabled() and wavy.is_enabled()
    assert page.locator(".pg-not-offered").count() == 0


def pad_at(page: Page) -> tuple[float, float, float]:
    """The middle of the drawing pad and half its width, in pixels."""
    page.locator(".pg-pad").scroll_into_view_if_needed()
    box = page.locator(".pg-pad").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["width"] / 2


def test_a_drawing_of_ones_own(open_form: Open) -> None:
    page = open_form("experiment")
    page.get_by_label("Target", exact=True).select_option("drawing")
    page.get_by_role("button", name="Clear", exact=True).click()
    assert value(page)["target"]["strokes"] == [] and not page.evaluate("form.valid")
    assert page.get_by_text("The drawing is empty; draw a stroke, or at least a dot.").is_visible()
    x, y, half = pad_at(page)
    page.mouse.move(x - half / 2, y)
    page.mouse.down()
    for across in range(-9, 11):
        page.mouse.move(x + across * half / 20, y)
    assert page.locator(".pg-ink-live").get_attribute("d"), "seen while it is drawn"
    page.mouse.move(x + half / 2, y - half / 3)
    page.mouse.up()
    page.mouse.click(x, y + half / 2)
    bent, dot = value(page)["target"]["strokes"]
    assert bent == pytest.approx([-1.5, 0, 1.5, 0, 1.5, 1], abs=0.05), "three corners, however many were passed"
    assert dot == pytest.approx([0, -1.5], abs=0.05)
    assert page.evaluate("form.valid") and Experiment.parse(value(page)).target.kind == "drawing"
    page.get_by_role("button", name="Undo stroke").click()
    assert value(page)["target"]["strokes"] == [bent]
    page.evaluate("form.undo()")
    assert value(page)["target"]["strokes"] == [bent, dot], "a stroke is one step of undo"


def test_a_finger_draws_and_does_not_scroll(open_form: Open) -> None:
    page = open_form("experiment", 390, has_touch=True)
    page.get_by_label("Source", exact=True).select_option("drawing")
    page.get_by_role("button", name="Clear", exact=True).tap()
    x, y, half = pad_at(page)
    before = page.evaluate("scrollY")
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        given = {"type": kind, "touchPoints": [{"x": a, "y": b} for a, b in points]}
        session.send("Input.dispatchTouchEvent", given)

    touch("touchStart", (x, y - half / 2))
    for k in range(1, 9):
        touch("touchMove", (x, y - half / 2 + k * half / 8))
    touch("touchEnd")
    assert value(page)["source"]["strokes"][0] == pytest.approx([0, 1.5, 0, -1.5], abs=0.05)
    assert page.evaluate("scrollY") == before


def test_a_decimal_comma_is_read_where_one_number_is_meant_and_said_where_two_are(open_form: Open) -> None:
    page = open_form("experiment")
    read = """([type, text]) => values.parse({ type }, text)"""
    for kind, text, meant in [
        ("float", "0,5", 0.5),
        ("float", "-12,25", -12.25),
        ("float", "0,500", 0.5),
        ("float", "1,000", "1,000"),  # which may be a thousand
        ("float", "1,2,3", "1,2,3"),
        ("int", "4,000", 4000),
        ("int", "2,5", 2.5),
        ("vector", "0,5", [0, 5]),
    ]:
        assert page.evaluate(read, [kind, text]) == meant, (kind, text)
    mean = page.locator('[data-path="source.mean"] input').first
    mean.fill("0,5")
    note = page.locator('[data-path="source.mean"] [role=status]')
    assert note.inner_text() == "Read as two numbers, 0 and 5. For one number write 0.5."
    mean.press("Tab")
    assert mean.input_value() == "0, 5" and note.is_visible()
    mean.fill("0.5")
    assert note.is_hidden()
