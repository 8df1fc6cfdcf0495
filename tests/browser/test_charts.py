"""The figures below the stage in real Chromium: cards that agree with Python, charts, the server's measurement."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from playwright.sync_api import Locator, Route, expect

from playground import Run, metrics
from playground.dynamics.solvers import Sampler
from playground.engine import presets
from playground.engine.evaluation import least_cost
from playground.engine.memorisation import losses_apart
from playground.models.base import seeded
from playground.ui import measures
from tests.browser.driver import Visitor
from tests.browser.studio import reach

expect.set_options(timeout=60_000)
PATIENCE = 120_000
PRESET = "ring"


class Desk:
    """The figures on the page, in the words of the tests."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor, self.page = visitor, visitor.page
        self.charts = self.page.locator(".pg-charts")
        self.until("window.__playground?.stages?.[0]?.samples > 0")
        expect(self.page.locator(".pg-stage")).to_have_attribute("data-state", "ready")

    def until(self, condition: str, given: Any = None) -> None:
        script = f"(given) => {{ const figures = window.__playground?.figures; return {condition}; }}"
        self.page.wait_for_function(script, arg=given, timeout=PATIENCE, polling=50)

    def cards(self) -> dict[str, float]:
        """The numbers on the cards, all of them known and of the picture that is shown."""
        self.page.locator(".pg-figure-cards").scroll_into_view_if_needed()
        self.until("figures.referred && ['sliced_w2', 'straightness', 'npe'].every((name) => name in figures.cards)")
        self.until("!document.querySelector('.pg-late')")
        return dict(self.page.evaluate("window.__playground.figures.cards"))

    def card(self, name: str) -> Locator:
        return self.page.locator(f'[data-figure="{name}"]')

    def open(self, tab: str) -> Locator:
        """Brings a tab to the front, into sight, and waits until it says that it is done."""
        self.page.locator(f'[data-tab="{tab}"]').click()
        self.charts.scroll_into_view_if_needed()
        return self.page.locator(f'[data-panel="{tab}"]')

    def chart(self, tab: str) -> Locator:
        panel = self.open(tab)
        expect(panel.locator(".main-svg").first).to_be_visible()
        return panel

    def traces(self, tab: str, count: str, all_of_them: int) -> dict[str, list[tuple[float, float]]]:
        """The points of a chart's traces by name, once as many of them are measured as there are."""
        panel = self.chart(tab)
        self.until(f"figures.{count} >= given", all_of_them)
        expect(self.page.locator('[data-part="doing"]')).to_have_text("")
        self.until("!figures.waiting")  # a chart is drawn when nothing moves
        data = panel.locator(".pg-plot").evaluate("({ data }) => data.map(({ name, x, y }) => [name, x, y])")
        return {name: list(zip(x, y, strict=True)) for name, x, y in data}

    def slide(self, part: str, value: float) -> None:
        samples = self.page.evaluate("window.__playground.stages[0].samples")
        self.page.locator(f'.pg-stage [data-part="{part}"]').evaluate(
            "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input', { bubbles: true })); }",
            value,
        )
        self.until("window.__playground.stages[0].samples > given", samples)


@pytest.fixture
def desk(visit: Callable[..., Visitor]) -> Callable[..., Desk]:
    """Opens the app for another visitor, by default with a preset that has modes to count."""
    return lambda path=f"?preset={PRESET}", **options: Desk(visit(path, **options))


@pytest.fixture(scope="module")
def run() -> Run:
    """What that preset has learnt."""
    return presets.run(PRESET)


Open = Callable[..., Desk]


def reached(run: Run, n: int, steps: int, solver: str, snapshot: int | None = None) -> torch.Tensor:
    """Where the first n of the scene's own particles end."""
    sampler = Sampler.model_validate({"solver": solver, "steps": steps})
    return run.trained(snapshot=snapshot).trajectory(run.starts(2000)[:n], sampler).end


def test_the_cards_are_what_python_measures_on_the_same_particles(desk: Open, run: Run) -> None:
    page = desk()
    sampler, real = run.experiment.sampler, run.real(2000)
    modes = run.experiment.target.at(2).separate_modes()
    assert modes is not None

    def agrees(shown: dict[str, float], end: torch.Tensor) -> None:
        assert shown["sliced_w2"] == pytest.approx(metrics.sliced_w2(end, real), rel=5e-3)
        assert shown["energy_distance"] == pytest.approx(metrics.energy_distance(end, real), rel=5e-3)
        covered = metrics.coverage(end, modes)
        assert shown.get("modes", 0) == covered.modes_covered_strict
        assert shown["high_quality"] == pytest.approx(covered.high_quality, abs=2e-3)

    shown = page.cards()
    agrees(shown, reached(run, 2000, sampler.steps, sampler.solver.kind))
    fine = run.trained().trajectory(run.starts(2000), Sampler.model_validate({"solver": "heun", "steps": 100}))
    slopes = torch.stack([run.trained().velocity(x, float(t)) for t, x in zip(fine.t, fine.x, strict=True)])  # type: ignore[attr-defined]  # a flow
    figures, optimal = metrics.path_figures(fine.t, fine.x, slopes), least_cost(run.experiment)
    assert figures is not None
    assert shown["straightness"] == pytest.approx(figures.straightness, rel=1e-3)
    assert shown["cost"] == pytest.approx(figures.transport_cost, rel=1e-3)
    assert shown["npe"] == pytest.approx(metrics.npe(figures.energy, optimal.value), rel=1e-2)
    assert figures.transport_cost == pytest.approx(optimal.value, rel=0.1), "this flow is nearly optimal"
    expect(page.card("cost")).to_contain_text(f"{figures.transport_cost / optimal.value:.1f}× optimal")
    note = page.page.locator('.pg-stage [data-part="distance-note"]')
    page.until("'kl' in figures.cards")
    for element in (note, page.card("sample_kl")):
        expect(element).to_have_attribute("title", re.compile(r"KL\(target ‖ model\) is [−\d.]+ ± "))
    words = page.card("sample_kl").locator("small").inner_text().split(" · ")[1]
    expect(note).to_contain_text(f"floor · {words}")

    page.slide("steps", 1)
    after = page.cards()
    agrees(after, reached(run, 2000, 1, sampler.solver.kind))
    assert after["sliced_w2"] > 2 * shown["sliced_w2"] and after["nfe"] == 2
    assert after["straightness"] == shown["straightness"], "of the fine solution, whatever the slider says"
    floor = metrics.floor(run.experiment.target, 2000, ["sliced_w2"], seeded(0, 13))["sliced_w2"] or 0
    expect(note).to_contain_text(f"{after['sliced_w2'] / floor:.1f}× floor · ")
    page.slide("training", 0)
    agrees(page.cards(), reached(run, 2000, 1, sampler.solver.kind, snapshot=0))


def test_few_training_points_show_what_is_learnt_by_heart(desk: Open) -> None:
    page = desk("?preset=memorised")
    run = presets.run("memorised")
    shown, sampler, apart = page.cards(), run.experiment.sampler, losses_apart(run)
    end, learnt = run.trained().trajectory(run.starts(2000), sampler).end, run.training_points()
    assert apart is not None and learnt is not None
    expected = metrics.memorisation(end, learnt, run.real(2000))
    assert shown["nearest"] == pytest.approx(expected.nearest, rel=1e-2)
    assert shown["copied"] == pytest.approx(expected.copied, abs=0.01)
    assert (shown["training_loss"], shown["held_out"]) == pytest.approx(apart, rel=1e-3)
    times = expected.nearest / expected.nearest_floor
    expect(page.card("nearest")).to_contain_text(f"{times:.1f}× held-out")
    expect(page.card("held_out")).to_contain_text(f"{apart.held_out / apart.training:.1f}× training")
    traces = page.traces("loss", "drawn", 1)
    assert traces["training points"][-1] == (12000, pytest.approx(apart.training, rel=1e-3))
    assert traces["held-out points"][-1] == (12000, pytest.approx(apart.held_out, rel=1e-3))
    page.slide("training", 0)
    assert page.cards()["held_out"] == pytest.approx(traces["held-out points"][0][1]), "the card follows the slider"
    reach(page.page.locator('[data-preset="two_moons"]')).click()
    expect(page.card("held_out")).to_be_hidden()


def test_every_solver_is_tried_out(desk: Open, run: Run) -> None:
    page = desk()
    traces = page.traces("solvers", "solvers", 32 + 2 * 7 + 6)
    real = run.real(2000)
    assert [nfe for nfe, _ in traces["Euler"]] == [1, 2, 4, 8, 16, 32, 100]
    assert [nfe for nfe, _ in traces["Heun"]] == [2, 4, 8, 16, 32, 100]
    assert [nfe for nfe, _ in traces["RK4"]] == [4, 8, 16, 32, 100]
    for sampler in ("DDIM, η 0", "DPM-Solver++"):
        assert [nfe for nfe, _ in traces[sampler]] == [1, 2, 4, 8, 16, 32, 100]
    assert [nfe for nfe, _ in traces["Stochastic midpoint, churn 1"]] == [2, 4, 8, 16, 32, 100]
    assert len(traces["Dopri5"]) == len(traces["Bogacki–Shampine"]) == 4
    for name, solver, nfe, steps in (
        ("Euler", "euler", 1, 1),
        ("Midpoint", "midpoint", 8, 4),
        ("RK4", "rk4", 32, 8),
        ("DDIM, η 0", "ddim", 8, 8),
        ("Stochastic midpoint, churn 1", "stochastic_midpoint", 16, 8),
    ):
        found = dict(traces[name])[nfe]
        assert found == pytest.approx(metrics.sliced_w2(reached(run, 2000, steps, solver), real), rel=5e-3)
    floor = metrics.floor(run.experiment.target, 2000, ["sliced_w2"], seeded(0, 13))["sliced_w2"]
    assert traces["floor: real vs real"][0][1] == pytest.approx(floor, rel=1e-6)
    assert traces["the picture"] == [(100, pytest.approx(page.cards()["sliced_w2"]))]
    layout = page.page.locator('[data-panel="solvers"] .pg-plot').evaluate("({ layout }) => layout")
    band = layout["shapes"][0]
    assert layout["xaxis"]["type"] == layout["yaxis"]["type"] == "log" and band["y0"] < floor < band["y1"]
    assert (
        layout["title"]["text"]
        and "NFE" in layout["xaxis"]["title"]["text"]
        and "units" in layout["yaxis"]["title"]["text"]
    )
    page.slide("steps", 4)
    page.until("document.querySelector('[data-panel=solvers] .pg-plot').layout.annotations[0].text === '8 now'")


def test_every_snapshot_is_measured(desk: Open, run: Run) -> None:
    page = desk()
    kept = list(run.round().history)
    points = page.traces("growth", "growth", len(kept))["500 particles, Heun 50"]
    assert [x for x, _ in points] == pytest.approx([snapshot.seconds for snapshot in kept], abs=1e-3)
    for k in (0, len(kept) // 2, -1):
        expected = metrics.sliced_w2(reached(run, 500, 50, "heun", kept[k].id), run.real(2000))
        assert points[k][1] == pytest.approx(expected, rel=5e-3)


def test_the_loss_is_drawn_zoomed_and_kept_so(desk: Open) -> None:
    page = desk()
    page.page.locator('[data-path="training.steps"] .pg-entry').fill("400")
    before = page.page.evaluate("window.__playground.stages[0].snapshots")
    page.page.locator("#train").click()
    page.until("window.__playground.stages[0].snapshots > given", before)
    expect(page.page.locator(".pg-stage")).to_have_attribute("data-state", "ready")
    plot = page.chart("loss").locator(".pg-plot")
    page.until("document.querySelector('[data-panel=loss] .pg-plot').data[0].x.at(-1) >= 390")
    faint, strong = plot.evaluate("({ data }) => data.map(({ line, opacity = 1 }) => line.width * opacity)")
    assert faint < 1 < strong
    assert (
        plot.get_attribute("aria-label", timeout=5000) and plot.evaluate("({ layout }) => layout.yaxis.type") == "log"
    )

    page.charts.scroll_into_view_if_needed()
    box = plot.locator(".nsewdrag").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.page.mouse.move(box["x"] + 0.3 * box["width"], middle)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + 0.6 * box["width"], middle, steps=4)
    page.page.mouse.up()
    zoomed = plot.evaluate("({ _fullLayout }) => _fullLayout.xaxis.range")
    assert 50 < zoomed[0] < zoomed[1] < 350
    page.page.locator("#resume").click()
    page.charts.scroll_into_view_if_needed()
    page.until("document.querySelector('[data-panel=loss] .pg-plot').data[0].x.at(-1) >= 790")
    assert plot.evaluate("({ _fullLayout }) => _fullLayout.xaxis.range") == pytest.approx(zoomed)
    assert plot.evaluate("({ layout }) => layout.annotations.map(({ text }) => text)") == ["trained on"]
    page.page.locator('[data-part="log"]').click()
    page.until("document.querySelector('[data-panel=loss] .pg-plot').layout.yaxis.type === 'linear'")


def test_a_chart_is_downloaded(desk: Open) -> None:
    page = desk()
    panel = page.chart("loss")
    for kind, begins in (("SVG", b"<svg"), ("PNG", b"\x89PNG")):
        with page.page.expect_download() as coming:
            panel.locator(f'[data-title="Download as {kind}"]').click()
        assert coming.value.suggested_filename == f"training-loss.{kind.lower()}"
        assert coming.value.path().read_bytes().startswith(begins)


def test_the_server_measures_when_it_is_asked(desk: Open, run: Run) -> None:
    page = desk()
    page.cards()
    page.card("w2").get_by_role("button").click()
    panel = page.page.locator('[data-panel="report"]')
    expect(panel.locator("tbody tr")).to_have_count(7)
    expected = run.metrics(measures.POINTS)
    last = panel.locator("tbody tr").last
    expect(last.locator("td").nth(1)).to_contain_text(f"{expected['by_nfe']['100']['w2']:#.3g}")
    expect(page.card("w2").locator("b")).to_have_text(f"{expected['by_nfe']['100']['w2']:#.3g}")
    expect(panel).to_contain_text(f"{expected['straightness']:#.3g}")
    expect(panel).to_contain_text("8 of 8")


def test_what_the_server_refuses_is_said(desk: Open) -> None:
    page = desk()
    page.visitor.context.route(
        "**/playground/measure", lambda route: route.fulfill(status=503, json={"message": "no."})
    )
    page.open("report").get_by_role("button").click()
    expect(page.page.get_by_role("alert").filter(has_text="It could not be measured: no.")).to_be_visible()
    page.visitor.faults.clear()  # Chromium reports the status as a fault


def test_plotly_comes_when_a_chart_is_looked_at_and_nothing_jumps(desk: Open) -> None:
    page = desk(viewport={"width": 1280, "height": 500})

    def boxes() -> list[float]:
        script = """() => [".pg-stage", ".pg-figure-cards", ".pg-charts"].flatMap((name) => {
            const { top, height } = document.querySelector(name).getBoundingClientRect();
            return [top + scrollY, height]; })"""
        return list(page.page.evaluate(script))

    page.page.wait_for_timeout(1000)
    assert not [url for url in page.visitor.requests if "plotly" in url]
    before = boxes()
    page.chart("loss")
    page.cards()
    assert boxes() == pytest.approx(before, abs=1)
    for tab in ("solvers", "growth", "report", "loss"):
        page.open(tab)
        assert boxes() == pytest.approx(before, abs=1)


def test_tabs_by_keyboard(desk: Open) -> None:
    page = desk()
    page.page.locator('[data-tab="loss"]').click()
    for key, name in (
        ("ArrowLeft", "growth"),
        ("ArrowLeft", "solvers"),
        ("ArrowLeft", "report"),
        ("ArrowRight", "solvers"),
    ):
        page.page.keyboard.press(key)
        expect(page.page.locator("[role=tab]:focus")).to_have_attribute("data-tab", name)
        expect(page.page.locator(f'[data-panel="{name}"]')).to_be_visible()
        expect(page.page.locator("[role=tabpanel]:visible")).to_have_count(1)


def test_a_target_without_modes_and_one_dimension(desk: Open) -> None:
    page = desk("?preset=checkerboard")
    page.cards()
    expect(page.card("modes")).to_contain_text("no separate modes")
    reach(page.page.locator('[data-preset="one_dimension"]')).click()
    page.page.locator(".pg-figure-cards").scroll_into_view_if_needed()
    page.until("window.__playground.figures.cards.modes > 0")
    run = presets.run("one_dimension")
    sampler = run.experiment.sampler
    end = run.trained().trajectory(run.starts(2000), sampler).end
    assert page.cards()["energy_distance"] == pytest.approx(metrics.energy_distance(end, run.real(2000)), rel=5e-3)


def test_what_was_under_way_for_another_run_holds_nothing_up(desk: Open) -> None:
    """The likelihood of the run before is answered late: the figures of the next come, its floors among them."""
    page = desk()
    held: list[Route] = []
    page.page.route("**/playground/density/likelihood", lambda route: route.continue_() if held else held.append(route))
    page.page.locator(".pg-figure-cards").scroll_into_view_if_needed()
    page.until("figures.referred")
    while not held:
        page.page.wait_for_timeout(50)
    reach(page.page.locator('[data-preset="two_moons"]')).click()
    page.until("!figures.referred")
    page.page.locator(".pg-figure-cards").scroll_into_view_if_needed()
    page.until("figures.cards.energy_distance > 0 && !document.querySelector('.pg-late')")
    held[0].continue_()
    page.cards()


def test_before_training_there_is_nothing_to_show_and_it_says_so(desk: Open) -> None:
    page = desk()
    page.cards()
    page.chart("loss")
    picker = page.page.locator('section[data-path="target"] details.pg-picker')
    picker.locator("summary").click()
    picker.locator('.pg-tile:has(input[value="two_moons"])').click()
    expect(page.page.locator('[data-panel="loss"] .pg-empty')).to_contain_text("Nothing learnt yet")
    for name in ("energy_distance", "straightness", "w2"):
        expect(page.card(name).locator("b")).to_have_text("–")
    expect(page.open("report")).to_contain_text("Nothing learnt yet")


@pytest.mark.parametrize("dark", [False, True])
def test_on_a_phone_light_and_dark(desk: Open, dark: bool) -> None:
    theme = f"?preset={PRESET}&__theme={'dark' if dark else 'light'}"
    page = desk(theme, viewport={"width": 390, "height": 844})
    panel = page.chart("loss")
    assert page.page.evaluate("document.documentElement.scrollWidth") == 390
    box = panel.bounding_box()
    assert box is not None and box["width"] > 340
    paper = panel.locator(".main-svg").first.evaluate("(svg) => getComputedStyle(svg).backgroundColor")
    ground = page.charts.evaluate("(charts) => getComputedStyle(charts).backgroundColor")
    assert paper == ground and (paper != "rgb(255, 255, 255)") == dark
