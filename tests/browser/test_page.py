"""The page in real Chromium on the real server: pick, train, watch, drag, stop, leave."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from playground.engine import presets
from tests.browser.driver import Server
from tests.browser.studio import PICTURE, Studio, reach

WATCH_TRAINING = f"""() => {{
  window.watched = {{ pictures: new Set(), losses: new Set() }};
  const [root, stage] = [document.querySelector(".pg-stage"), window.__playground.stages[0]];
  let snapshots = 0;
  const look = () => {{
    if (watched.pictures.size < 4 || watched.losses.size < 4) requestAnimationFrame(look);
    if (root.dataset.state !== "training" || stage.snapshots === snapshots) return;
    snapshots = stage.snapshots;
    watched.pictures.add(({PICTURE})());
    watched.losses.add(root.querySelector("[data-part=loss]").toDataURL());
  }};
  look();
}}"""


Open = Callable[..., Studio]


def test_the_page_opens_moving(studio: Open) -> None:
    page = studio()
    frames, seen = page.count("frames"), page.seen("canvas")
    page.until("stage.frames > given", frames + 3)
    assert (page.seen("canvas") != seen).any()
    expect(page.stage).to_have_attribute("data-playing", "true")
    expect(page.part("target")).to_have_text("Checkerboard")


def test_the_form_stands_beside_the_stage_and_says_what_is_shown(studio: Open) -> None:
    page = studio()
    box = {name: page.page.locator(name).bounding_box() for name in ("#setup", "#form", "#stage")}
    assert all(box.values())
    assert box["#form"]["x"] >= box["#setup"]["x"]
    assert box["#form"]["x"] + box["#form"]["width"] <= box["#setup"]["x"] + box["#setup"]["width"] + 1
    assert box["#form"]["x"] + box["#form"]["width"] <= box["#stage"]["x"]
    expect(page.page.locator('section[data-path="target"] .pg-current')).to_have_text("Checkerboard")


def test_training_updates_picture_and_loss_and_ends(studio: Open) -> None:
    page = studio()
    page.page.evaluate(WATCH_TRAINING)
    page.train(200_000)
    page.until("watched.pictures.size >= 4 && watched.losses.size >= 4")
    page.page.locator("#stop").click()
    page.ready()
    page.train(2000)
    page.ready()
    assert page.step() == 2000 and page.count("history") >= 3
    expect(page.part("pace")).to_contain_text("2,000 steps in")
    expect(page.page.locator("#train")).to_be_visible()
    expect(page.stage).to_have_attribute("data-playing", "true")
    page.within(floors=4)


def test_stop_ends_the_training_and_keeps_what_was_learnt(studio: Open) -> None:
    page = studio()
    page.train(200_000)
    page.until("stage.history >= 5")
    page.page.locator("#stop").click()
    page.ready()
    step, snapshots = page.step(), page.count("snapshots")
    assert 0 < step < 200_000
    page.page.wait_for_timeout(800)  # several updates long
    assert (page.step(), page.count("snapshots")) == (step, snapshots)
    before = page.still()
    page.slide("steps", 1)
    before = page.changed(before)
    page.slide("training", 0)
    page.changed(before)
    assert page.step() == 0
    page.train(20)
    page.ready()
    assert page.step() == 20, "and another training may follow"


def test_whatever_concerns_sampling_asks_nothing_of_the_server(studio: Open) -> None:
    page = studio()
    page.page.locator(".pg-figure-cards").scroll_into_view_if_needed()
    picture = page.still()
    page.until("window.__playground.figures.referred")  # what the figures are read against, asked for once
    page.until("'nll' in window.__playground.figures.cards")  # so is the newest weights' likelihood
    asked = len(page.visitor.requests)
    for steps in (1, 2, 8, 31, 100):
        page.slide("steps", steps)
        page.until("stage.lastSteps === given", steps)
        picture = page.changed(picture)
        expect(page.part("steps-value")).to_have_text(str(steps))
    page.slide("steps", 4)
    picture = page.changed(picture)
    for solver, evaluations in {"midpoint": 8, "heun": 8, "rk4": 16, "euler": 4}.items():
        page.part("solver").select_option(solver)
        picture = page.changed(picture)
        expect(page.part("nfe")).to_have_text(str(evaluations))
    last = int(page.part("training").get_attribute("max") or 0)
    assert last >= 10
    shown = page.step()
    for index in (0, last // 2, last):
        page.slide("training", index)
        picture = page.changed(picture)
        assert (page.step() == shown) == (index == last)
    for t in (0, 0.25, 0.5):
        page.slide("time", t)
        picture = page.changed(picture)
        expect(page.part("time-value")).to_have_text(f"{t:.2f}")
    assert page.visitor.requests[asked:] == []


def test_time_plays_and_pauses_and_starts_over(studio: Open) -> None:
    page = studio()
    page.part("play").click()
    expect(page.stage).to_have_attribute("data-playing", "false")
    picture = page.still(0.5)
    page.part("restart").click()
    page.changed(picture)
    expect(page.part("time-value")).to_have_text("0.00")
    page.slide("time", 0.9)
    page.part("play").click()
    for place in ("> 0.9", "< 0.9"):
        page.until(f"document.querySelector('.pg-stage [data-part=time]').valueAsNumber {place}")


def test_two_visitors_train_different_things_at_once(studio: Open) -> None:
    first, second = studio(), studio()
    first.preview("target", "ring")
    first.train(600)
    first.ready()
    alone = first.learnt()

    second.preview("target", "two_moons")
    second.train(200_000)
    first.slide("steps", 5)
    first.train(600)
    first.ready()
    expect(second.stage).to_have_attribute("data-state", "training")
    assert first.learnt() == alone, "the same run as when it was alone on the server"
    expect(first.part("target")).to_have_text("Ring")
    expect(second.part("target")).to_have_text("Two moons")
    second.until("stage.snapshots > given + 5", second.count("snapshots"))
    second.page.locator("#stop").click()
    second.ready()
    second.within(floors=8)
    assert first.step() == 600 and first.learnt() == alone


def test_an_invalid_value_is_marked_and_not_trained_on(studio: Open) -> None:
    page = studio()
    sentence = "-5 is too small; choose at least 1."
    steps = page.field("training.steps")
    steps.fill("-5")
    marked = page.page.locator('[data-path="training.steps"] .pg-problem')
    expect(marked).to_have_text(sentence)
    expect(steps).to_have_attribute("aria-invalid", "true")
    page.page.locator("#train").click()
    expect(page.message).to_contain_text("too small")
    expect(page.message).to_have_attribute("role", "alert")
    expect(marked).to_have_text(sentence)
    expect(page.stage).to_have_attribute("data-state", "ready")
    for trace in ("Traceback", "Error:", "pydantic"):
        assert trace not in page.page.locator("body").inner_text()
    steps.fill("20")
    expect(marked).to_be_hidden()
    page.train(20)
    page.ready()
    expect(page.message).to_have_text("")


def test_what_is_too_large_for_the_page_is_refused_with_a_sentence(studio: Open) -> None:
    page = studio()
    page.page.locator('section[data-path="network"] .pg-toggle').click()
    page.field("network.width").fill("512")
    page.field("network.depth").fill("6")
    page.page.locator("#train").click()
    expect(page.message).to_contain_text("too many for the page")
    expect(page.page.locator('[data-path="network.width"] .pg-problem')).to_contain_text("too many for the page")
    expect(page.stage).to_have_attribute("data-state", "ready")


def test_another_target_shows_its_cloud_before_training(studio: Open) -> None:
    page = studio()
    picture = page.still()
    page.preview("target", "two_moons")
    page.changed(picture)
    expect(page.part("hint")).to_be_visible()
    picture = page.steady()
    page.page.locator('[data-path="target.noise"] .pg-entry').fill("0.2")
    page.changed(picture)


def test_training_at_once_after_a_choice_trains_what_was_chosen(studio: Open) -> None:
    page = studio()
    page.field("training.steps").fill("1500")
    before = page.count("snapshots")
    page.page.evaluate(
        """document.querySelector('section[data-path="target"] input[value="ring"]').click();
           document.querySelector("#train").click();"""  # in one go: before its cloud has been asked for
    )
    page.until("stage.snapshots > given", before)
    page.page.wait_for_timeout(800)
    page.ready()
    expect(page.part("target")).to_have_text("Ring")
    assert page.step() == 1500


def test_dimensions_that_do_not_fit_are_not_offered_and_say_why(studio: Open) -> None:
    page = studio("?preset=one_dimension")
    page.page.locator('section[data-path="source"] .pg-head button').first.click()  # it is folded at first
    page.page.locator('section[data-path="source"] details.pg-picker summary').click()
    tile = page.page.locator('section[data-path="source"] .pg-tile:has(input[value="two_moons"])')
    expect(tile.locator("input")).to_be_disabled()
    expect(tile).to_have_attribute("title", re.compile("choose a source of the same dimension"))
    page.page.locator('section[data-path="target"] details.pg-picker summary').click()
    page.choose("target", "ring")
    expect(tile.locator("input")).to_be_enabled()


def test_a_preset_opens_as_it_is_and_is_marked_until_it_is_another(studio: Open) -> None:
    page = studio("?preset=two_moons")
    button = page.page.locator('[data-preset="checkerboard"]')
    page.slide("steps", 1)
    page.part("solver").select_option("rk4")
    reach(button).click()
    expect(page.part("steps-value")).to_have_text("50")
    expect(page.part("solver")).to_have_value("euler")
    expect(page.message).to_contain_text("Drag Steps from 50 down to 1")
    page.page.wait_for_function("document.body.dataset.run === 'preset'")
    page.page.locator("#train").click()
    page.page.wait_for_function("document.body.dataset.run === 'here'")
    page.ready()
    expect(page.message).to_contain_text("Drag Steps from 50 down to 1")
    expect(button).to_have_attribute("aria-current", "")
    page.train(50)
    expect(button).not_to_have_attribute("aria-current", "")  # 50 steps are not the preset's


def test_every_preset_opens_at_once(studio: Open) -> None:
    page = studio()
    picture = page.picture()
    for name in presets.names():
        experiment = presets.experiment(name)
        button = page.page.locator(f'[data-preset="{name}"]')
        reach(button).click()
        expect(button).to_have_attribute("aria-current", "")
        expect(page.part("target")).to_have_text(experiment.aim.label())
        source = "Latent" if experiment.model.own_latent else experiment.source.label()
        expect(page.part("source")).to_have_text(source)
        page.ready()
        picture = page.changed(picture)
        if experiment.model.learns:
            assert page.count("history") > 1 and page.step() > 0
        if experiment.model.has_target:
            chosen = page.page.locator('section[data-path="target"] .pg-current')
            expect(chosen).to_have_text(experiment.target.label())
        expect(page.stage).to_have_attribute("data-playing", "true")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processor time is read from Linux's /proc")
def test_closing_the_tab_stops_the_training(studio: Open, server: Server) -> None:
    def share() -> float:
        before, since = server.cpu_seconds(), time.monotonic()
        time.sleep(1)
        return (server.cpu_seconds() - before) / (time.monotonic() - since)

    page = studio()
    page.train(200_000)
    page.until("stage.history >= 5")
    busy = share()
    page.visitor.close()
    shares = [busy]
    while shares[-1] > busy / 5 and len(shares) < 30:
        shares.append(share())
    assert shares[-1] <= busy / 5, f"the server goes on: it used {shares} of a processor"


@pytest.mark.parametrize("size", [(390, 844), (768, 1024)])
def test_nothing_is_wider_than_the_screen(studio: Open, size: tuple[int, int]) -> None:
    phone = size[0] < 500
    page = studio(viewport={"width": size[0], "height": size[1]}, is_mobile=phone, has_touch=phone)
    for name in presets.names()[::4]:
        page.page.locator(".pg-all").click()
        page.page.locator(f'[data-gallery="{name}"]').click()
        page.ready()
        page.page.locator("details.pg-more").evaluate_all("(folds) => folds.forEach((fold) => (fold.open = true))")
        assert page.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    box = page.part("canvas").bounding_box()
    assert box and box["y"] < size[1] / 2, "the picture is on the first screen"
    page.train(20)
    page.ready()


def test_dark_mode_is_dark_and_light_is_light(studio: Open) -> None:
    for scheme, low, high in (("light", 200, 256), ("dark", 0, 60)):
        page = studio(color_scheme=scheme)
        for part in ("canvas", "message"):
            assert low <= np.median(page.seen("canvas")) < high, part
        background = page.page.screenshot()
        assert low <= np.median(np.asarray(Image.open(io.BytesIO(background)).convert("L"))) < high


def test_little_motion_is_respected(studio: Open) -> None:
    page = studio(reduced_motion="reduce")
    expect(page.stage).to_have_attribute("data-playing", "false")
    expect(page.part("time-value")).to_have_text("1.00")
