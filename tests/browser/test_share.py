"""Links, files, reloads: an experiment and its run are found again, and a page is cut to what a class is to see."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import expect

from playground import Experiment
from tests.browser.studio import Studio

Open = Callable[..., Studio]


def asked(page: Studio) -> Experiment:
    """What the form says."""
    kept = page.page.evaluate("sessionStorage.getItem('pg-experiment')")
    return Experiment.parse(json.loads(kept))


def refused(page: Studio) -> None:
    """That the server has refused something, which browsers note as an error by themselves, and nothing else failed."""
    faults = page.visitor.faults
    assert faults and all("Failed to load resource" in fault and "40" in fault for fault in faults)
    faults.clear()


def test_a_link_holds_the_experiment_and_how_it_is_looked_at(studio: Open) -> None:
    page = studio("?preset=ring")
    page.field("training.seed").fill("77")
    page.page.keyboard.press("Tab")
    page.slide("steps", 7)
    page.page.locator('.pg-stage [data-tool="density"]').click()
    page.still(0.25)
    page.page.locator('[data-tool="share"]').click()
    expect(page.message).to_contain_text("link to this experiment")
    url = page.page.url
    given = parse_qs(urlsplit(url).query)
    experiment = Experiment.from_link(given["x"][0])
    assert experiment.training.seed == 77 and experiment.target.kind == "ring" and experiment == asked(page)
    again = studio(f"?{urlsplit(url).query}", trained=False)
    expect(again.part("steps")).to_have_value("7")
    expect(again.part("time")).to_have_value("0.25")
    expect(again.page.locator('.pg-stage [data-tool="density"]')).to_have_attribute("aria-pressed", "true")
    assert asked(again) == experiment


@pytest.mark.parametrize(
    "query", ["x=rubbish", "x=", "x=eJyrVkrLz1eyUkpKLFKqBQAdegQ0", "preset=../../app", "preset=nothing"]
)
def test_rubbish_in_a_link_opens_the_default_and_says_so(studio: Open, query: str) -> None:
    page = studio(f"?{query}")
    expect(page.message).to_contain_text("could not be")
    assert asked(page).target.kind == "checkerboard"
    refused(page)


def test_rubbish_in_the_view_is_said_and_leaves_the_stage_as_usual(studio: Open) -> None:
    page = studio(f"?preset=ring&view={quote('{rubbish')}")
    expect(page.message).to_contain_text("view settings")
    page = studio(f"?preset=ring&view={quote(json.dumps({'steps': 'x', 'speed': 99, 'layers': 3, 't': 'late'}))}")
    assert page.part("steps").input_value() == str(asked(page).sampler.steps)


def test_an_experiment_goes_into_a_file_and_comes_back(studio: Open, tmp_path: Path) -> None:
    page = studio("?preset=two_moons")
    with page.page.expect_download() as coming:
        page.page.locator('[data-tool="save"]').click()
    file = tmp_path / coming.value.suggested_filename
    coming.value.save_as(file)
    assert file.suffix == ".yaml" and Experiment.load(file) == asked(page)
    other = Experiment.parse({"source": "two_moons", "target": "heart", "training": {"seed": 5}})
    file.write_text(other.to_yaml())
    page.page.locator(".pg-tools-root input[type=file]").set_input_files(file)
    expect(page.message).to_contain_text("is open")
    expect(page.part("target")).to_have_text("Heart")
    assert asked(page) == other
    file.write_text("target: !!python/object:os.system {}")
    page.page.locator(".pg-tools-root input[type=file]").set_input_files(file)
    expect(page.message).to_contain_text("tags such as")
    assert asked(page) == other, "what was open stays"
    refused(page)


def test_a_changed_preset_has_no_longer_its_name_and_note(studio: Open, tmp_path: Path) -> None:
    page = studio("?preset=two_moons")
    assert asked(page).name and asked(page).about
    page.field("training.seed").fill("77")
    page.page.keyboard.press("Tab")
    with page.page.expect_download() as coming:
        page.page.locator('[data-tool="save"]').click()
    file = tmp_path / coming.value.suggested_filename
    coming.value.save_as(file)
    saved = Experiment.load(file)
    assert file.name == "experiment.yaml" and saved.training.seed == 77 and not saved.name and not saved.about
    page.page.locator('[data-tool="undo"]').click()
    assert asked(page).name == "Noise to two moons"


REFUSING = "Object.defineProperty(navigator, 'clipboard', { value: { writeText: () => Promise.reject(new Error()) } })"


def test_where_the_clipboard_is_refused_the_link_stands_there_selected(studio: Open) -> None:
    page = studio("?preset=ring", script=REFUSING)
    page.page.locator('[data-tool="share"]').click()
    link = page.page.get_by_role("textbox", name="Link to this experiment")
    expect(link).to_be_focused()
    url = link.input_value()
    selected = link.evaluate("(input) => input.value.slice(input.selectionStart, input.selectionEnd)")
    assert url == selected == page.page.url
    assert Experiment.from_link(parse_qs(urlsplit(url).query)["x"][0]) == asked(page)


def test_what_was_said_of_a_lost_connection_goes_when_it_is_back(studio: Open) -> None:
    page = studio()
    page.page.context.set_offline(True)
    page.page.locator(".pg-all").click()
    page.page.locator('[data-gallery="heart_to_smiley"]').click()
    expect(page.message).to_contain_text("the server cannot be reached")
    page.page.context.set_offline(False)
    expect(page.message).to_have_text("The connection to the server is back: try again.")
    assert page.visitor.faults and all("ERR_INTERNET_DISCONNECTED" in fault for fault in page.visitor.faults)
    page.visitor.faults.clear()


def test_a_reload_finds_the_run_and_another_tab_does_not(studio: Open) -> None:
    page = studio()
    page.train(300)
    page.ready()
    distance, step = page.distance(), page.step()
    page.page.reload()
    page.until("stage?.samples > 0")
    page.ready()
    assert page.step() == step == 300
    assert page.distance() == distance, "the same weights"
    expect(page.page.locator("#resume")).to_be_visible()
    assert studio().step() != 300, "another visitor has the default"


def test_flags_hide_what_a_class_is_not_to_see(studio: Open) -> None:
    page = studio("?hide=training,network,model.coupling")
    for path, count in {"source": 1, "training": 0, "network": 0, "model": 1}.items():
        expect(page.page.locator(f'section[data-path="{path}"]')).to_have_count(count)
    assert page.page.locator('[data-path="model.coupling"]').count() == 0
    assert page.page.locator('[data-path="model.path"]').count() == 1
    assert asked(page).training.steps > 1, "what is hidden keeps its value"


def test_embedded_there_is_the_stage_alone(studio: Open) -> None:
    page = studio("?embed=1&preset=ring")
    expect(page.stage).to_be_visible()
    for hidden in ("#header", "#setup", ".pg-figures"):
        expect(page.page.locator(hidden)).to_be_hidden()
    box = page.part("canvas").bounding_box()
    assert box is not None and box["width"] > 600


def test_undo_surprise_and_dice(studio: Open) -> None:
    page = studio()
    before = asked(page)
    page.page.locator('[data-tool="surprise"]').click()
    expect(page.stage).to_have_attribute("data-state", "waiting")
    surprised = asked(page)
    assert surprised.target != before.target and surprised.training.seed != before.training.seed
    page.page.locator('[data-tool="undo"]').click()
    assert asked(page) == before
    page.page.locator('[data-tool="redo"]').click()
    assert asked(page) == surprised
    page.page.get_by_label("Roll a new seed").click()
    assert asked(page).training.seed != surprised.training.seed


def test_step_reset_and_continue(studio: Open) -> None:
    page = studio()
    page.preview("target", "ring")
    page.page.locator("#step").click()
    expect(page.part("training-value")).to_contain_text("step 1 of")
    page.page.locator("#step").click()
    expect(page.part("training-value")).to_contain_text("step 2")
    page.page.locator("#reset").click()
    expect(page.part("training-value")).to_contain_text("step 0")
    page.train(60)
    expect(page.part("training-value")).to_contain_text("step 60")
    page.ready()
    page.page.locator("#resume").click()
    expect(page.part("training-value")).to_contain_text("step 120 of 120")
