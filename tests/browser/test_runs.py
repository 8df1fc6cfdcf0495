"""The picture says what it shows, and nothing that was trained is lost by one click, on the real page."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.driver import Visitor
from tests.browser.studio import PATIENCE, Studio

Open = Callable[..., Studio]
ENDLESS = 150_000


def note(page: Studio) -> Locator:
    return page.page.locator(".pg-stage .pg-differs")


def kept(page: Studio) -> Locator:
    """The runs in the strip; the one on the stage among them."""
    return page.page.locator(".pg-runs li button")


def caption(page: Studio) -> str:
    return page.part("shows").get_attribute("title") or ""


def choose_model(page: Studio, kind: str) -> None:
    page.page.locator('section[data-path="model"] select').first.select_option(kind)


def press(page: Studio, button: str) -> None:
    """Presses a button that may be in a menu."""
    page.page.locator(button).first.evaluate("(button) => button.click()")


def trained_up_to(page: Studio, snapshots: int = 5) -> None:
    page.train(ENDLESS)
    page.until("stage.history >= given", snapshots)


def stands_at_a_step(page: Studio) -> int:
    """The step of the picture of a run that is not trained at the moment."""
    page.ready()
    expect(page.part("shows")).to_have_attribute("title", re.compile(r"step [\d,]+ of 150,000 · .+ steps? · "))
    return page.step()


def test_the_caption_tells_the_model_the_distributions_the_step_the_solver_and_the_seed(studio: Open) -> None:
    page = studio()
    expect(page.part("shows")).to_have_attribute(
        "title",
        "Flow matching, Linear path, 3×64 · Gaussian → Checkerboard · step 4,000 of 4,000 · Euler, 50 steps · seed 0",
    )
    page.slide("steps", 1)
    expect(page.part("shows")).to_have_attribute("title", re.compile("Euler, 1 step ·"))
    page.part("solver").select_option("dopri5")
    expect(page.part("shows")).to_have_attribute("title", re.compile(r"Dormand–Prince 5\(4\), \d+ steps ·"))
    page.slide("training", 0)
    expect(page.part("shows")).to_have_attribute("title", re.compile(r"step 0 of 4,000"))
    expect(page.page.locator(".pg-figures [data-part=of]")).to_have_text(caption(page))


def test_what_is_chosen_and_not_trained_is_told_and_there_is_a_way_out_both_ways(studio: Open) -> None:
    page = studio()
    expect(note(page)).to_be_hidden()
    choose_model(page, "gan")
    expect(note(page)).to_contain_text("Settings changed, not trained yet: Model GAN, not Flow matching")
    assert "Flow matching" in caption(page), "the picture is still the flow's, and says so"
    expect(page.page.locator(".pg-figures")).to_have_attribute("data-differs", "")
    note(page).locator('[data-differs="back"]').click()
    expect(note(page)).to_be_hidden()
    expect(page.page.locator('section[data-path="model"] .pg-current')).to_have_text("Flow matching")

    page.field("training.steps").fill("30")
    page.field("training.seed").fill("3")
    expect(note(page)).to_contain_text("Steps 30, not 4,000; Seed 3, not 0")
    page.page.locator('[data-tool="undo"]').click()
    expect(note(page)).to_have_text(re.compile(r"not trained yet: Steps 30, not 4,000T"))
    page.page.locator('[data-tool="redo"]').click()
    snapshots = page.count("snapshots")
    note(page).locator('[data-differs="train"]').click()
    page.until("stage.snapshots > given", snapshots)
    page.ready()
    expect(note(page)).to_be_hidden()
    expect(page.part("shows")).to_have_attribute("title", re.compile(r"step 30 of 30 · .* · seed 3"))


def test_sampling_settings_are_not_another_training(studio: Open) -> None:
    page = studio("?preset=energy_moons")
    page.field("model.chain.steps").fill("7")
    page.until("stage.lastSteps === 7")
    expect(note(page)).to_be_hidden()


@pytest.mark.parametrize("by", ["target", "surprise", "preset"])
def test_a_training_that_something_takes_the_place_of_is_kept_and_comes_back_with_its_settings(
    studio: Open, by: str
) -> None:
    page = studio()
    page.field("model.path")  # the form stands
    trained_up_to(page)
    if by == "target":
        page.choose("target", "spirals")
    else:
        press(page, '.pg-tools [data-tool="surprise"]' if by == "surprise" else '[data-preset="ring"]')
    line = page.page.locator(".pg-runs [role=status]")
    expect(line).to_contain_text(re.compile(r"^(Stopped and kept|Kept): Gaussian → Checkerboard, step [\d,]+\.Undo$"))
    if by != "preset":
        expect(page.part("shows")).to_have_attribute("title", re.compile("^Not trained yet"))
    expect(kept(page)).to_have_count(3 if by == "preset" else 2)
    target = page.page.locator('section[data-path="target"] .pg-current')
    expect(target).not_to_have_text("Checkerboard")

    line.get_by_role("button").click()
    expect(target).to_have_text("Checkerboard")
    step = stands_at_a_step(page)
    assert step > 0 and page.count("history") >= 5, "its history has come back too"
    expect(note(page)).to_be_hidden()
    page.page.wait_for_timeout(600)
    assert page.step() == step, "and nothing trains it meanwhile"

    snapshots = page.count("snapshots")
    page.page.locator("#resume").click()
    page.until("stage.snapshots > given", snapshots + 1)
    page.page.locator("#stop").click()
    assert stands_at_a_step(page) > step, "Continue goes on from where it was stopped"


def test_undo_brings_back_settings_and_run_and_redo_those_that_followed(studio: Open) -> None:
    page = studio()
    page.train(40)
    page.ready()
    expect(page.part("shows")).to_have_attribute("title", re.compile("step 40 of 40"))
    page.page.locator('[data-tool="undo"]').click()
    expect(page.part("shows")).to_have_attribute("title", re.compile("step 4,000 of 4,000"))
    expect(page.field("training.steps")).to_have_value("4000")
    page.page.locator('[data-tool="redo"]').click()
    expect(page.part("shows")).to_have_attribute("title", re.compile("step 40 of 40"))
    expect(page.field("training.steps")).to_have_value("40")
    page.page.reload()
    page.until("stage?.samples > 0")
    expect(page.part("shows")).to_have_attribute("title", re.compile("step 40 of 40"))


def test_the_strip_keeps_the_last_eight_and_a_click_shows_one_again(studio: Open) -> None:
    page = studio()
    for steps in range(21, 30):
        page.train(steps)
        page.ready()
        expect(page.part("shows")).to_have_attribute("title", re.compile(f"step {steps} of {steps}"))
    expect(kept(page)).to_have_count(8)
    expect(kept(page).last).to_have_attribute("aria-current", "true")
    expect(kept(page).first).to_have_attribute("title", re.compile("step 22 "))
    kept(page).first.click()
    expect(page.part("shows")).to_have_attribute("title", re.compile("step 22 of 22"))
    expect(page.field("training.steps")).to_have_value("22")
    expect(kept(page).first).to_have_attribute("aria-current", "true")
    expect(kept(page)).to_have_count(8)


def test_a_run_that_the_server_has_forgotten_is_shown_and_measured_all_the_same(studio: Open) -> None:
    page = studio()
    page.train(40)
    page.ready()
    press(page, '[data-preset="ring"]')
    expect(page.part("target")).to_have_text("Ring")
    page.page.route("**/playground/shown", lambda route: route.fulfill(json={"kept": False}))
    kept(page).nth(1).click()
    expect(page.part("shows")).to_have_attribute("title", re.compile("step 40 of 40"))
    expect(page.message).to_contain_text("The server no longer trains this run")
    expect(page.page.locator("#resume")).to_be_hidden()
    page.page.locator('[data-tab="report"]').click()
    page.page.locator(".pg-ask").last.click()
    expect(page.page.locator(".pg-report caption")).to_contain_text("Newest weights")


def test_reflow_says_what_it_shows_and_what_is_chosen_and_not_trained(visit: Callable[..., Visitor]) -> None:
    page = visit("?tab=reflow").page
    page.wait_for_function("window.__playground?.reflow?.state === 'done'", timeout=PATIENCE)
    shown, told = page.locator(".pg-run-of"), page.locator(".pg-reflow > [data-part=differs] .pg-differs")
    expect(shown).to_contain_text("Gaussian → Checkerboard · flow 1, then flow 2, then distilled · seed 0")
    expect(told).to_be_hidden()
    source = page.locator(".pg-reflow .pg-bar select[data-part=source]")
    source.select_option("two_moons")
    expect(told).to_contain_text("Source Two moons, not Gaussian")
    told.locator("[data-differs=back]").click()
    expect(told).to_be_hidden()
    expect(source).to_have_value("gaussian")
    for tool in ("coupling", "batch", "curved"):
        expect(page.locator(f".pg-reflow .pg-deck [data-tool={tool}]")).to_be_enabled()


def test_compare_tells_a_budget_that_was_not_trained_and_goes_back_to_what_came(visit: Callable[..., Visitor]) -> None:
    page = visit("?tab=compare&compare=ring,two_moons").page
    page.wait_for_function("window.__playground?.compare?.entries().length === 2", timeout=PATIENCE)
    captions, told = page.locator(".pg-compare [data-about]"), page.locator(".pg-compare > [data-part=differs] p")
    expect(captions.first).to_contain_text("Gaussian → Ring · step 4,000 of 4,000 · Heun, 16 steps · seed 0")
    expect(told).to_be_hidden()
    page.locator("[name=pg-equal][value=steps]").check(force=True)
    expect(told).to_contain_text("2,000 steps each; A, B are shown as captioned")
    page.locator(".pg-compare [data-part=amount]").evaluate(
        "(slider) => { slider.value = 500; slider.dispatchEvent(new Event('input')); }"
    )
    page.locator(".pg-compare > [data-part=differs] [data-differs=train]").click()
    expect(captions.first).to_contain_text("step 500 of 500", timeout=PATIENCE)
    expect(captions.last).to_contain_text("step 500 of 500", timeout=PATIENCE)
    expect(told).to_be_hidden()
    page.locator("[name=pg-equal][value=none]").check(force=True)
    expect(captions.first).to_contain_text("step 4,000 of 4,000")
    tops = page.locator(".pg-compare .pg-canvas").evaluate_all(
        "(all) => all.map((one) => one.getBoundingClientRect().top)"
    )
    assert tops[0] == tops[1], "pictures stand at equal heights"
    assert "sampler" not in page.locator(".pg-compare-table").inner_text()
