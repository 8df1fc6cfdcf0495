"""Diffusion on the real page: the dials answer in the browser, the marginals stay, the forward process runs back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.driver import Visitor
from tests.browser.studio import reach

PATIENCE = 120_000


class Page:
    """The studio with a preset on the stage."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor, self.page = visitor, visitor.page
        self.until("stage?.samples > 0")

    def until(self, condition: str, given: Any = None) -> None:
        script = f"(given) => {{ const stage = window.__playground?.stages?.[0]; return {condition}; }}"
        self.page.wait_for_function(script, arg=given, timeout=PATIENCE, polling=30)

    def part(self, name: str) -> Any:
        return self.page.locator(f'#stage [data-part="{name}"]').first

    def resampled(self, act: Callable[[], object]) -> None:
        """Waits for the picture that an act asks for."""
        before = self.page.evaluate("window.__playground.stages[0].samples")
        act()
        self.until("stage.samples > given && stage.busy === 0", before)

    def slide(self, name: str, value: float) -> None:
        script = "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input')); }"
        self.resampled(lambda: self.part(name).evaluate(script, value))

    def choose(self, solver: str) -> None:
        self.resampled(lambda: self.part("solver").select_option(solver))

    def ratio(self) -> float:
        """The distance to the target over its floor, once it is the picture's own."""
        expect(self.part("distance")).not_to_have_class("pg-stale", timeout=PATIENCE)
        self.page.wait_for_timeout(400)
        return float(self.part("distance-note").inner_text().split("×")[0])


@pytest.fixture
def at(visit: Callable[..., Visitor]) -> Callable[..., Page]:
    return lambda preset, **options: Page(visit(f"?preset={preset}", **options))


def test_churn_answers_in_the_browser_and_keeps_the_marginals(at: Callable[..., Page]) -> None:
    page = at("churn")
    asked = len(page.visitor.requests)
    for churn in (0, 0.3, 1):
        page.slide("churn", churn)
        assert page.ratio() < 2
        expect(page.part("churn-value")).to_have_text(str(churn))
    page.slide("steps", 20)
    assert page.ratio() < 3
    sampling = [request for request in page.visitor.requests[asked:] if "gradio_api" in request]
    assert sampling == [], "no dial asks the server"


def test_every_sampler_of_the_ddpm_preset_shows_its_dial_alone(at: Callable[..., Page]) -> None:
    page = at("ddpm")
    expect(page.part("solver")).to_have_value("ancestral")
    dials = {
        "churn": ("euler_maruyama", "stochastic_midpoint"),
        "s_churn": ("stochastic_heun",),
        "variance": ("ancestral",),
        "eta": ("ddim",),
    }
    for solver in (
        "ddim",
        "euler_maruyama",
        "stochastic_midpoint",
        "stochastic_heun",
        "dpm_solver",
        "heun",
        "ancestral",
    ):
        page.choose(solver)
        for dial, its in dials.items():
            row = page.page.locator(f'#stage [data-row="{dial}"]')
            expect(row).to_be_visible() if solver in its else expect(row).to_be_hidden()
        assert page.ratio() < 3
    expect(page.page.locator("#stage .pg-remarks")).to_contain_text("signal-to-noise ratio")
    page.page.locator('[data-tab="bound"]').click()
    page.page.locator(".pg-charts").scroll_into_view_if_needed()
    expect(page.page.locator('[data-panel="bound"] .pg-caption')).to_contain_text("nats", timeout=PATIENCE)


def test_without_a_score_only_what_needs_none_is_offered(at: Callable[..., Page]) -> None:
    page = at("moons_to_ring")
    script = "(options) => options.filter((one) => one.disabled).map((one) => one.value)"
    refused = page.part("solver").locator("option").evaluate_all(script)
    of_equations = {"implicit_euler", "trapezoidal", "milstein"}
    assert [one for one in refused if one not in of_equations] == [
        "euler_maruyama",
        "stochastic_midpoint",
        "stochastic_heun",
        "ancestral",
        "ddim",
    ]
    expect(page.page.locator('#stage [data-tool="forward"]')).to_be_hidden()
    expect(page.page.locator('[data-tab="bound"]')).to_be_hidden()


def test_the_forward_process_runs_back_and_the_model_retraces_it(at: Callable[..., Page]) -> None:
    page = at("ddpm")
    reach(page.page.locator('#stage [data-tool="forward"]')).click()
    keys = page.page.locator("#stage [data-part=keys]")
    expect(keys).to_contain_text("data dissolving into noise", timeout=PATIENCE)
    time = "document.querySelector('#stage [data-part=time]').valueAsNumber"
    page.until(f"{time} < 0.9 && {time} > 0.2")
    expect(keys).to_contain_text("data under the noise of this time", timeout=PATIENCE)
    reach(page.page.locator('#stage [data-tool="forward"]')).click()
    expect(keys).not_to_contain_text("noise of this time")
