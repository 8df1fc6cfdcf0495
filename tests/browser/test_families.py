"""What only some families show: a latent space beside the data, an exact density, a grid that the server carries."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.driver import Server, Visitor


@pytest.fixture
def visitors(browser: Browser, server: Server) -> Iterator[list[Visitor]]:
    opened: list[Visitor] = []
    yield opened
    for one in opened:
        assert one.faults == []
        one.close()


def visit(visitors: list[Visitor], browser: Browser, server: Server, preset: str) -> Visitor:
    one = Visitor(browser, server.address, f"?preset={preset}")
    visitors.append(one)
    one.page.wait_for_function("() => window.__playground?.stages[0]?.samples > 0", timeout=60_000)
    return one


def test_a_latent_space_has_its_tab_and_a_brush_on_both_sides(visitors, browser: Browser, server: Server) -> None:
    page = visit(visitors, browser, server, "vae").page
    page.locator("#pg-panel-latent").scroll_into_view_if_needed()
    figures = page.locator("#pg-panel-latent dl")
    figures.get_by_text("by importance weighting").wait_for(timeout=30_000)
    assert "Posterior collapse" not in figures.inner_text()

    def faint(pane: str) -> int:
        """Pixels that are drawn strongly: a brush leaves few of them."""
        return page.evaluate(
            """(pane) => {
                const canvas = document.querySelector(`[data-pane="${pane}"]`);
                const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
                let strong = 0;
                for (let k = 3; k < data.length; k += 4) strong += data[k] > 120;
                return strong;
            }""",
            pane,
        )

    before = faint("data")
    box = page.locator('[data-pane="latent"]').bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.68, box["y"] + box["height"] / 2)
    page.wait_for_timeout(300)
    brushed = faint("data")
    assert brushed < before / 2, "only what belongs to the brush stays strong"
    page.mouse.move(box["x"], box["y"] - 60)
    page.wait_for_timeout(300)
    assert abs(faint("data") - before) < before / 20


def test_other_families_have_no_latent_tab(visitors, browser: Browser, server: Server) -> None:
    page = visit(visitors, browser, server, "two_moons").page
    assert page.locator("#pg-tab-latent").is_hidden()


def test_a_layered_flow_shows_its_density_its_grid_and_its_layers(visitors, browser: Browser, server: Server) -> None:
    page = visit(visitors, browser, server, "neural_spline").page
    page.keyboard.press("i")
    page.keyboard.press("g")
    page.get_by_text("log-density of the model:").first.wait_for(timeout=30_000)
    page.wait_for_function("() => window.__playground.stages[0].answers >= 2", timeout=30_000)
    assert "layer" in page.locator("#stage").inner_text()


def test_a_family_explains_itself_in_the_form(visitors, browser: Browser, server: Server) -> None:
    page = visit(visitors, browser, server, "vae").page
    fold = page.locator(".pg-explained").first
    fold.locator("summary").click()
    assert fold.locator("math").count() == 3
    assert fold.locator("math").first.bounding_box()["height"] > 10
    assert "KL" in fold.inner_text() and "Try this" in fold.inner_text()


def test_what_a_family_makes_no_use_of_is_not_offered_and_what_it_trains_is_counted(
    visitors, browser: Browser, server: Server
) -> None:
    page = visit(visitors, browser, server, "two_moons").page
    form = page.locator(".pg-form")
    page.locator(".pg-cost", has_text="11,778 weights").wait_for(timeout=20_000)
    network = form.locator('.pg-section[data-path="network"]')
    network.locator(".pg-toggle").click()
    assert network.locator(".pg-used").is_visible()
    form.locator("#pg-form-1-model").select_option("gan")
    page.locator(".pg-cost", has_text="17,219 weights").wait_for(timeout=20_000)
    source = form.locator('.pg-section[data-path="source"]')
    source.locator(".pg-toggle").first.click()
    source.get_by_text("Not used: GAN starts from a latent of its own.").wait_for()
    assert source.locator(".pg-used").is_hidden() and network.locator(".pg-used").is_visible()
    form.locator("#pg-form-1-model").select_option("mixture")
    page.locator(".pg-cost", has_text="95 numbers").wait_for(timeout=20_000)
    network.get_by_text("Not used: Gaussian mixture has no network.").wait_for()
    assert network.locator(".pg-used").is_hidden()
    form.locator("#pg-form-1-model").select_option("neural_ode")
    network.get_by_text("tanh stands in for ReLU").wait_for()
    assert network.locator(".pg-used").is_visible()
    form.locator("#pg-form-1-model").select_option("flow_matching")
    page.locator(".pg-cost", has_text="11,778 weights").wait_for(timeout=20_000)
    assert network.locator(".pg-used").is_visible() and source.get_by_text("latent of its own").count() == 0


def tabs(page: Page) -> list[str]:
    return page.locator(".pg-tabs [role=tab]:visible").all_inner_texts()


def test_charts_that_a_family_cannot_have_are_not_offered(visitors, browser: Browser, server: Server) -> None:
    page = visit(visitors, browser, server, "two_moons").page
    assert {"Path", "Coupling", "Learned vs exact"} <= set(tabs(page))
    page.get_by_role("tab", name="Path").click()
    page.locator("#pg-form-1-model").select_option("gan")
    page.locator("#train").click()
    page.wait_for_function("() => !document.querySelector('#pg-tab-path').checkVisibility()", timeout=20_000)
    assert tabs(page) == ["Quality vs NFE", "Quality vs training time", "Loss", "Measured on the server"]
    assert page.locator("#pg-panel-solvers").is_visible()


@pytest.mark.parametrize(("preset", "fast", "slow"), [("maf", "densities", "samples"), ("iaf", "samples", "densities")])
def test_both_directions_of_an_autoregressive_flow_are_timed(
    visitors, browser: Browser, server: Server, preset: str, fast: str, slow: str
) -> None:
    page = visit(visitors, browser, server, preset).page
    page.locator(".pg-figure-cards").scroll_into_view_if_needed()
    page.get_by_role("button", name="measure", exact=True).first.click()
    told = page.locator("#pg-panel-report")
    told.get_by_text("2,000 samples").wait_for(timeout=30_000)

    def direction(name: str) -> str:
        return told.locator("dl > div", has_text=f"2,000 {name}").inner_text()

    assert "8 networks in a row" in direction(fast) and "16 networks in a row" in direction(slow)
    assert page.get_by_text("Newest weights, 1,000 points").is_visible(), "no solver plays a part"
