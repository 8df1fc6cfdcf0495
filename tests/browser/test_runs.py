"""The picture says what it shows, and nothing that was trained is lost by one click, on the real page."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.studio import Studio

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
        page.page.locator('[data-tool="surprise"]' if by == "surprise" else '[data-preset="ring"]').click()
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
    page.page.locator('[data-preset="ring"]').click()
    expect(page.part("target")).to_have_text("Ring")
    page.page.route("**/playground/shown", lambda route: route.fulfill(json={"kept": False}))
    kept(page).nth(1).click()
    expect(page.part("shows")).to_have_attribute("title", re.compile("step 40 of 40"))
    expect(page.message).to_contain_text("The server no longer trains this run")
    expect(page.page.locator("#resume")).to_be_hidden()
    page.page.locator('[data-tab="report"]').click()
    page.page.locator(".pg-ask").last.click()
    expect(page.page.locator(".pg-report caption")).to_contain_text("Newest weights")
