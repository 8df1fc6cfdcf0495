"""The tabs on which several models train on one clock, mode collapse and compare, on the real page."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import expect

from playground import Experiment, run
from tests.browser.driver import Visitor
from tests.browser.studio import reach

PATIENCE = 120_000


class Tab:
    """One of the tabs, opened by its address."""

    def __init__(self, visitor: Visitor, name: str) -> None:
        self.page, self.name = visitor.page, name
        self.until("tab && tab.state === 'ready'")

    def until(self, condition: str, given: Any = None) -> Any:
        script = f"(given) => {{ const tab = window.__playground?.{self.name}; return {condition}; }}"
        return self.page.wait_for_function(script, arg=given, timeout=PATIENCE, polling=50)

    def get(self, what: str) -> Any:
        return self.page.evaluate(f"() => {{ const tab = window.__playground.{self.name}; return {what}; }}")

    def click(self, selector: str) -> None:
        self.page.locator(f".pg-{self.name} {selector}").first.click()

    def slide(self, selector: str, value: float) -> None:
        script = "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input')); }"
        self.page.locator(f".pg-{self.name} {selector}").first.evaluate(script, value)

    def pictures(self) -> list[str]:
        """What each panel's particles look like."""
        return self.page.evaluate(
            f"""() => [...document.querySelectorAll(".pg-{self.name} .pg-panel canvas[data-plane=dots]")]
                .map((one) => one.toDataURL())"""
        )


def test_three_models_train_at_once_and_their_history_moves_together(visit):
    tab = Tab(visit("?tab=collapse"), "collapse")
    figures = tab.get("tab.figures()")
    assert set(figures) == {"collapsing", "tuned", "flow"}
    tab.until("Object.values(tab.figures()).every((one) => one && one.looks >= 7)")  # the presets' whole history
    assert tab.get("tab.figures().flow.strict") == 8
    assert tab.get("tab.figures().collapsing.strict") < 8
    tab.click("[name=pg-budget][value=steps] + span")
    tab.slide("[data-part=amount]", 500)
    before = tab.pictures()
    tab.click("[data-do=train]")
    tab.until("tab.state === 'training'")
    tab.until("tab.shots >= 9 && Object.values(tab.figures()).every((one) => one && one.looks >= 3)")
    moving = tab.pictures()
    assert all(old != new for old, new in zip(before, moving, strict=True))
    expect(tab.page.locator(".pg-collapse .pg-underway")).to_contain_text("left")
    tab.until("tab.state === 'ready'")
    expect(tab.page.locator(".pg-collapse .pg-underway")).to_be_hidden()
    tab.until(
        "Object.values(tab.figures()).every((one) => one.step === 500 && one.looks >= 20)"
    )  # the timeline is full
    charged = tab.page.locator(".pg-collapse [data-charged]").all_text_contents()
    assert all("500" in text and "s of computing" in text for text in charged)
    tab.slide(".pg-deck [data-part=training]", 0)
    tab.until("Object.values(tab.figures()).every((one) => one.step === 0)")
    tab.slide(".pg-deck [data-part=training]", 100)
    tab.until("Object.values(tab.figures()).every((one) => one.step === 500)")


def test_a_critic_and_a_generator_take_steps_of_their_own_from_what_is_shown(visit):
    tab = Tab(visit("?tab=collapse"), "collapse")
    tab.until("Object.values(tab.figures()).every((one) => one && one.looks >= 7)")
    before = tab.get("tab.figures()")
    tab.click("[data-entrant=tuned] [data-turn=critic]")
    tab.until(f"tab.figures().tuned?.step === {before['tuned']['step'] + 1}")
    tab.click("[data-entrant=tuned] [data-turn=generator]")
    tab.until(f"tab.figures().tuned?.step === {before['tuned']['step'] + 2}")
    charged = tab.page.locator("[data-entrant=tuned] [data-charged]")
    expect(charged).to_contain_text("on from the trained weights, with Adam begun anew")
    assert tab.get("tab.figures().tuned.strict") == 8, "a step does not lose what was learnt"
    tab.click("[data-entrant=tuned] [data-slow]")
    expect(tab.page.locator(".pg-collapse [data-beat]").nth(1)).to_contain_text("The critic learns", timeout=PATIENCE)
    expect(tab.page.locator(".pg-collapse [data-beat]").nth(1)).to_contain_text("The generator", timeout=PATIENCE)
    tab.click("[data-entrant=tuned] [data-slow]")
    tab.until(f"tab.figures().tuned.step >= {before['tuned']['step'] + 10}")
    after = tab.get("tab.figures()")
    assert [after[key]["step"] for key in ("collapsing", "flow")] == [
        before[key]["step"] for key in ("collapsing", "flow")
    ]


def test_the_grid_opens_trained_and_keeps_what_the_text_promises(visit):
    tab = Tab(visit("?tab=collapse"), "collapse")
    tab.until("tab.state === 'ready'")
    tab.click("[name=pg-target][value=grid] + span")
    tab.until(
        "tab.state === 'ready' && Object.values(tab.figures()).every((one) => one?.total === 25 && one.looks >= 7)"
    )
    figures = tab.get("tab.figures()")
    assert figures["collapsing"]["strict"] <= 12
    assert figures["tuned"]["strict"] == 25
    assert figures["flow"]["strict"] == 25
    for text in tab.page.locator(".pg-collapse [data-charged]").all_text_contents():
        assert "s of computing, trained before" in text
    tab.click("[name=pg-target][value=ring] + span")
    tab.until("tab.state === 'ready' && tab.figures().flow?.total === 8")


def test_seeds_show_a_spread(visit):
    tab = Tab(visit("?tab=collapse"), "collapse")
    tab.click("[name=pg-budget][value=steps] + span")
    tab.slide("[data-part=amount]", 500)
    tab.click("[data-do=seeds]")
    status = tab.page.locator(".pg-seeds [role=status]")
    expect(status).to_contain_text("s left", timeout=PATIENCE)
    expect(status).to_contain_text("of 15 trainings done")
    expect(tab.page.locator(".pg-seeds-head")).to_contain_text("Ring of 8, 500 steps each")
    tab.until("tab.state === 'ready'")
    rows = tab.page.locator(".pg-seeds tbody tr")
    for k in range(3):
        expect(rows.nth(k).locator("circle")).to_have_count(5)
    expect(rows.nth(2)).to_contain_text("all 8 modes in every seed")  # the flow
    expect(rows.nth(2).locator("td").nth(5)).to_contain_text(re.compile(r"^\d\.\d\d× *\d"))  # how wide its modes are
    assert status.is_hidden()


def test_a_stop_among_the_seeds_keeps_those_that_are_finished(visit):
    tab = Tab(visit("?tab=collapse"), "collapse")
    tab.click("[name=pg-budget][value=steps] + span")
    tab.slide("[data-part=amount]", 500)
    tab.click("[data-do=seeds]")
    rows = tab.page.locator(".pg-seeds tbody tr")
    expect(rows.nth(1).locator("circle").first).to_be_visible(timeout=PATIENCE)
    tab.click("[data-do=stop]")
    tab.until("tab.state === 'ready'")
    expect(tab.page.locator(".pg-seeds [role=status]")).to_contain_text("Stopped:")
    assert rows.nth(0).locator("circle").count() >= 1


@pytest.mark.parametrize(("tab", "panels"), [("collapse", 3), ("compare", 2)])
def test_a_phone_has_the_panels_side_by_side_to_be_swiped(visit, tab, panels):
    page = visit(f"?tab={tab}", viewport={"width": 400, "height": 850}).page
    boxes = page.locator(f".pg-{tab} .pg-panel")
    expect(boxes).to_have_count(panels, timeout=PATIENCE)
    found = [boxes.nth(k).bounding_box() for k in range(panels)]
    assert all(box["width"] <= 400 for box in found)
    assert all(left["x"] + left["width"] <= right["x"] + 1 for left, right in pairwise(found))
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_a_gan_works_in_the_studio_with_layers_of_its_own(visit):
    page = visit("?preset=gan_tuned").page
    page.wait_for_function("window.__playground?.stages?.[0]?.samples > 0", timeout=PATIENCE)
    for name in ("surface", "pull", "manifold"):
        reach(page.locator(f'.pg-stage [data-tool="{name}"]').first).click()
    page.wait_for_function("window.__playground.stages[0].answers >= 3", timeout=PATIENCE)
    expect(page.locator(".pg-stage .pg-keys").first).to_contain_text("D(x)")
    page.goto(page.url.replace("gan_tuned", "two_moons"))
    page.wait_for_function("window.__playground?.stages?.[0]?.samples > 0", timeout=PATIENCE)
    assert page.locator('.pg-stage [data-tool="manifold"]').first.is_hidden()


def test_experiments_are_compared_on_one_clock_and_by_one_probe(visit):
    visitor = visit("?tab=compare")
    tab = Tab(visitor, "compare")
    tab.until("tab.entries().length === 2 && tab.table.A?.sliced_w2 > 0 && tab.table.B?.sliced_w2 > 0")
    assert tab.get("[tab.table.A.nfe, tab.table.B.nfe]") == [32, 1]
    tab.slide(".pg-deck [data-part=steps]", 4)
    tab.until("tab.table.A.nfe === 8")
    tab.page.locator(".pg-compare [data-part=add]").select_option("checkerboard")
    tab.until("tab.entries().length === 3 && tab.table.C?.sliced_w2 > 0")
    expect(tab.page.locator(".pg-compare-table")).to_contain_text("checkerboard")
    views = "[...document.querySelectorAll('.pg-compare .pg-panel')].length"
    assert tab.get(views) == 3
    tab.page.locator(".pg-compare .pg-panel [data-part=canvas]").first.click(position={"x": 120, "y": 140})
    probed = ".pg-compare .pg-panel [data-part=canvas][data-probed]"
    expect(tab.page.locator(probed).first).to_be_visible(timeout=PATIENCE)
    tab.page.wait_for_function(f"document.querySelectorAll('{probed}').length >= 2", timeout=PATIENCE)
    tab.click("[data-remove]")
    tab.until("tab.entries().length === 2")


def test_an_equal_budget_trains_all_again(visit):
    tab = Tab(visit("?tab=compare"), "compare")
    tab.until("tab.entries().length === 2")
    tab.click("[name=pg-equal][value=steps] + span")
    tab.slide("[data-part=amount]", 500)
    tab.click("[data-do=train]")
    tab.until("tab.state === 'training'")
    tab.until("tab.state === 'ready' && tab.table.A?.step === 500 && tab.table.B?.step === 500")
    tab.click("[data-measure]")
    tab.until("tab.table.A.straightness > 0 && tab.table.B.w2 > 0")
    assert tab.get("tab.table.B.straightness") is None


def test_a_saved_run_stands_beside_the_others(visit, tmp_path):
    experiment = Experiment.parse({"name": "Mine", "target": "ring", "training": {"steps": 40}})
    run(experiment).save(tmp_path)
    tab = Tab(visit("?tab=compare"), "compare")
    tab.until("tab.entries().length === 2")
    files = tab.page.locator(".pg-compare [data-part=files]")
    files.set_input_files([tmp_path / "experiment.yaml"])
    expect(tab.page.locator(".pg-compare [data-part=problem]")).to_contain_text("Choose both files")
    files.set_input_files([tmp_path / "experiment.yaml", tmp_path / "run.safetensors"])
    tab.until("tab.entries().length === 3 && tab.table.C?.step === 40")
    assert tab.get("tab.entries()[2][1]") == "Mine (saved)"
    tab.click(".pg-compare-table [data-measure]")
    tab.until("tab.table.C.measured && tab.table.C.straightness > 0 && tab.table.C.nll !== undefined")
    expect(tab.page.locator(".pg-compare-table")).to_contain_text("no path")  # of the GAN beside it


def test_the_studio_leads_here(visit):
    page = visit("").page
    page.wait_for_function("window.__playground?.stages?.[0]?.samples > 0", timeout=PATIENCE)
    page.get_by_role("button", name="Compare this run").click()
    page.wait_for_function("window.__playground.compare?.entries().length === 3", timeout=PATIENCE)
    assert page.evaluate("window.__playground.compare.entries()[2][1]") == "Noise to checkerboard"
    page.locator(".pg-compare [data-open]").first.click()
    page.wait_for_function("document.body.dataset.tab === 'studio'", timeout=PATIENCE)
