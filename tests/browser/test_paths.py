"""Paths and what they have in common on the real page: schedules, remarks, every path with every prediction."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from playwright.sync_api import expect

from playground import Experiment
from playground.dynamics.paths import BridgePath, InterpolantPath, Path, VEPath, VPPath
from playground.engine import presets
from playground.engine.pairing_figures import pairing
from playground.models.exact_reference import reference_field
from playground.ui import densities
from playground.ui.messages import PARTICLES
from tests.browser.driver import Visitor
from tests.browser.studio import reach
from tests.browser.test_charts import Desk
from tests.browser.test_stage import Stage, changed

Visit = Callable[..., Visitor]

SMALL = {"network": {"width": 16, "depth": 2}, "training": {"steps": 60}}


def link(**chosen: Any) -> str:
    """The address of the page with an experiment on it, of which nothing is trained yet."""
    return f"?x={Experiment.parse(SMALL | chosen).to_link()}"


def waiting(visit: Visit, **chosen: Any) -> Visitor:
    visitor = visit(link(**chosen))
    expect(visitor.page.locator(".pg-stage")).to_have_attribute("data-state", "waiting")
    visitor.page.wait_for_function("window.__playground.stages[0].frames > 0")
    return visitor


def lines(visitor: Visitor, tab: str) -> dict[str, dict[str, Any]]:
    """The traces of a chart that is brought to the front, by name."""
    page = visitor.page
    page.locator(f'[data-tab="{tab}"]').click()
    page.locator(".pg-charts").scroll_into_view_if_needed()
    panel = page.locator(f'[data-panel="{tab}"]')
    expect(panel.locator(".main-svg").first).to_be_visible()
    found = panel.locator(".pg-plot").evaluate("({ data }) => data.map(({ name, x, y }) => ({ name, x, y }))")
    return {one["name"]: one for one in found}


@pytest.mark.parametrize("path", [VPPath(), BridgePath(sigma=1.5), InterpolantPath(), VEPath()], ids=lambda p: p.kind)
def test_the_schedule_of_a_path_is_plotted(visit: Visit, path: Path) -> None:
    visitor = waiting(visit, target="ring", model={"kind": "flow_matching", "path": path.model_dump()})
    drawn = lines(visitor, "path")
    t = torch.tensor(drawn["α, share of x₁"]["x"], dtype=torch.float64)
    assert float(t[0]) == path.t_min and float(t[-1]) == pytest.approx(path.t_max)
    c = path.coefficients(t)
    assert drawn["α, share of x₁"]["y"] == pytest.approx(c.alpha.tolist(), abs=1e-5)
    assert drawn["σ, share of x₀"]["y"] == pytest.approx(c.sigma.tolist(), rel=1e-4, abs=1e-5)
    if path.bridge:
        assert drawn["γ, noise on the way"]["y"] == pytest.approx(c.gamma.tolist(), rel=1e-4, abs=1e-5)
    else:
        assert "γ, noise on the way" not in drawn
    said = drawn["log-SNR (right)"]["y"]
    expected = path.log_snr(t).tolist()
    inside = [k for k, value in enumerate(expected) if abs(value) < 9.99]
    assert [said[k] for k in inside] == pytest.approx([expected[k] for k in inside], abs=1e-3)
    assert all(said[k] is None for k, value in enumerate(expected) if abs(value) > 10.01)
    caption = visitor.page.locator('[data-panel="path"] .pg-caption')
    expect(caption).to_contain_text(path.mismatch or "begins with the source exactly")
    remarks = visitor.page.locator(".pg-remarks li")
    expect(remarks).to_have_text([path.mismatch] if path.mismatch else [])


def test_the_clock_is_marked_on_the_schedule_and_the_model_is_followed(visit: Visit) -> None:
    page = Desk(visit("?preset=ring"))
    page.chart("path")
    mark = page.page.locator(".pg-plot .pg-moment")
    for t in (0.25, 0.5):
        page.page.locator('.pg-stage [data-part="time"]').evaluate(
            "(slider, t) => { slider.value = t; slider.dispatchEvent(new Event('input')); }", t
        )
        expect(mark).to_have_attribute("data-t", f"{t:.3f}")
        drawn = mark.evaluate(
            """(mark, t) => { const { xaxis } = mark.parentNode._fullLayout;
            const box = mark.parentNode.getBoundingClientRect();
            return mark.getBoundingClientRect().left - box.left - xaxis._offset - xaxis.l2p(t); }""",
            t,
        )
        assert abs(drawn) < 1


def seen_keys(visitor: Visitor) -> Any:
    return visitor.page.locator('.pg-stage [data-part="keys"]')


def test_a_coupling_is_drawn_between_the_points_that_are_shown_with_its_figures(visit: Visit) -> None:
    chosen = {"kind": "optimal_transport", "batch": 128}
    experiment = Experiment.parse({"target": "ring", "model": {"kind": "flow_matching", "coupling": chosen}})
    visitor = waiting(visit, target="ring", model={"kind": "flow_matching", "coupling": chosen})
    visitor.page.keyboard.press("j")
    expected = {row["kind"]: row for row in pairing(experiment, PARTICLES, every=True)["couplings"]}
    own, other = expected["optimal_transport"], expected["independent"]
    told = seen_keys(visitor).locator("li")
    expect(told).to_contain_text("pairs, optimal transport: cost")
    numbers = [float(number) for number in re.findall(r"[\d.]+", told.inner_text())]
    assert numbers == pytest.approx([own["cost"], own["variance"], other["cost"], other["variance"]], rel=6e-3)

    visitor.page.locator('[data-tab="coupling"]').click()
    visitor.page.locator(".pg-charts").scroll_into_view_if_needed()
    rows = visitor.page.locator(".pg-couplings tbody tr")
    expect(rows).to_have_count(4)
    expect(visitor.page.locator(".pg-couplings [aria-current]")).to_contain_text(
        "Optimal transport chosen, 128 at a time"
    )
    for row in rows.all():
        label = row.locator("th").evaluate("(cell) => cell.firstChild.textContent.trim()")
        figures = next(one for one in expected.values() if one["label"] == label)
        shown = [float(cell) for cell in row.locator("td").all_inner_texts()]
        assert shown == pytest.approx([figures["cost"], figures["variance"], figures["class_shift"]], rel=6e-3)
    visitor.page.keyboard.press("j")
    expect(seen_keys(visitor)).to_be_empty()


@pytest.mark.parametrize("layer", ["coupling", "batch"])
def test_lines_join_the_pairs_that_the_server_made(visit: Visit, layer: str) -> None:
    """With pairs that all end at one point of the target, nothing is drawn at any other."""
    visitor = visit()
    answer = {"points": 2000, "classes": 1, "partners": [7] * 2000, "couplings": []}
    row = {"kind": "independent", "label": "Independent", "chosen": True, "cost": 1, "variance": 1, "class_shift": None}
    visitor.context.route("**/playground/coupling", lambda route: route.fulfill(json=answer | {"couplings": [row]}))
    visitor.page.goto(visitor.page.url.split("?")[0] + link(target="ring"))
    expect(visitor.page.locator(".pg-stage")).to_have_attribute("data-state", "waiting")
    reach(visitor.page.locator(f'.pg-stage [data-tool="{layer}"]')).click()
    expect(seen_keys(visitor)).to_contain_text("independent")
    visitor.page.keyboard.press("Home")  # so that nothing but the ends is at t = 1
    visitor.page.wait_for_timeout(300)
    spread = visitor.page.evaluate(
        """() => { const canvas = document.querySelector(".pg-stage [data-plane=over]");
        const { data, width } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        const found = [];
        for (let k = 0; k < data.length; k += 4) {
          const [r, g, b, a] = data.slice(k, k + 4);
          const green = Math.abs(r - 21) + Math.abs(g - 128) + Math.abs(b - 61) < 4;
          if (a === 255 && green) found.push([(k / 4) % width, Math.floor(k / 4 / width)]);
        }
        const range = (axis) => Math.max(...found.map((one) => one[axis])) - Math.min(...found.map((one) => one[axis]));
        return [found.length, range(0), range(1)]; }"""
    )
    assert spread[0] > 5 and max(spread[1:]) <= 8, "one green dot"


def test_a_model_that_pairs_nothing_says_so(visit: Visit) -> None:
    visitor = waiting(visit, target="ring", model={"kind": "normalizing_flow"})
    for layer in ("coupling", "batch"):
        button = reach(visitor.page.locator(f'.pg-stage [data-tool="{layer}"]'))
        expect(button).to_be_disabled()
        expect(button).to_contain_text("not trained on pairs")


def learned_and_exact(name: str, t: float, n: int) -> tuple[torch.Tensor, torch.Tensor, str]:
    """The two velocities of a preset (n, d) at x_t of the scene's first points, as independent pairs of them."""
    run = presets.run(name)
    experiment = run.experiment
    source, target = experiment.source.at(run.dim), experiment.target.at(run.dim)
    exact, words = reference_field(experiment.model, source, target, experiment.training, experiment.training.seed)
    flow: Any = run.trained()
    points = exact.field.target.centers.float() if "training points" in words else run.real(2000)
    real = points[torch.arange(2000) % len(points)]
    xt, _ = exact.path.point(run.starts(2000)[:n], real[:n], torch.tensor([[t]]))
    return flow.velocity(xt, t), exact.velocity(xt, t), words


@pytest.mark.parametrize("name", ["ring", "memorised"])
def test_how_far_the_learned_field_is_from_the_exact_one_over_time(visit: Visit, name: str) -> None:
    page = Desk(visit(f"?preset={name}"))
    page.chart("difference")
    data = page.traces("difference", "drawn", 1)
    for trace, of in (("E‖v̂ − v‖², the difference", 0), ("E‖v‖², for comparison", 1)):
        for t, value in data[trace][::10]:
            learned, exact, _ = learned_and_exact(name, t, 2000)
            expected = (learned - exact if of == 0 else exact).square().sum(1).mean()
            assert value == pytest.approx(float(expected), rel=2e-2), (trace, t)
    caption = page.page.locator('[data-panel="difference"] .pg-caption')
    expect(caption).to_contain_text("the target's own density" if name == "ring" else "of 16 training points")


@pytest.mark.parametrize("name", ["ring", "one_dimension"])
def test_the_map_of_the_difference_follows_the_time_slider(visit: Visit, name: str) -> None:
    page = Stage(visit(f"?preset={name}"), t=0.7)
    calm = page.planes()
    page.press("q")
    page.until("document.querySelector('.pg-stage [data-part=keys]').innerText.includes('E‖')")
    page.settled()
    assert changed(calm, page.planes()) == {"live"}
    told = page.part("keys").inner_text()
    number = float(re.search(r"= ([\d.]+)", told)[1])  # type: ignore[index]  # or the test fails
    if name == "ring":
        learned, exact, _ = learned_and_exact(name, 0.7, 1000)
        assert number == pytest.approx(float((learned - exact).square().sum(1).mean()), rel=2e-2)
    before = page.planes()["live"]
    page.at(0.3)
    page.settled()
    assert page.planes()["live"] != before
    page.slide("training", 0)
    page.until("stage.lastSteps > 0")
    page.settled()
    worse = float(re.search(r"= ([\d.]+)", page.part("keys").inner_text())[1])  # type: ignore[index]  # as above
    assert worse > 5 * number, "the initial network is far off"


def test_where_no_exact_field_is_known_the_button_says_why(visit: Visit) -> None:
    page = Stage(visit("?preset=heart_to_smiley"))
    expect(page.tool("difference")).to_be_disabled()
    expect(page.tool("difference")).to_contain_text("Gaussian source only")


def told_paths(text: str) -> tuple[list[float], float, list[float]]:
    """The place, the time and the mean velocity that the legend tells."""
    found = re.search(r"x = (.+) at t = ([\d.]+): mean velocity (.+), single paths", text.replace("−", "-"))
    assert found, text
    numbers = [[float(one) for one in part.strip("()").split(",")] for part in found.groups()]
    return numbers[0], numbers[1][0], numbers[2]


def exact_velocity(experiment: Experiment, point: list[float], t: float) -> torch.Tensor:
    source, target = experiment.source.at(experiment.dim), experiment.target.at(experiment.dim)
    flow, _ = reference_field(experiment.model, source, target, experiment.training, 0)
    return flow.velocity(torch.tensor([point], dtype=torch.float64), t)[0]


@pytest.mark.parametrize("path", ["linear", "vp", "interpolant"])
@pytest.mark.parametrize("target", ["ring", "bimodal"])
def test_the_mean_of_the_paths_through_a_place_is_the_exact_velocity(visit: Visit, target: str, path: str) -> None:
    experiment = Experiment.parse(SMALL | {"target": target, "model": {"kind": "flow_matching", "path": path}})
    visitor = waiting(visit, target=target, model={"kind": "flow_matching", "path": path})
    reach(visitor.page.locator('.pg-stage [data-tool="curved"]')).click()
    expect(seen_keys(visitor)).to_contain_text("point at a place")
    slider = visitor.page.locator('.pg-stage [data-part="time"]')
    box = visitor.page.locator('.pg-stage [data-part="canvas"]').bounding_box()
    assert box
    compared = 0
    for across, down, t in ((0.4, 0.4, 0.3), (0.55, 0.35, 0.6), (0.7, 0.3, 0.85)):
        slider.evaluate("(slider, t) => { slider.value = t; slider.dispatchEvent(new Event('input')); }", t)
        visitor.page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
        visitor.page.wait_for_timeout(200)
        text = seen_keys(visitor).inner_text()
        if "no pair" in text:
            continue
        point, time, mean = told_paths(text)
        if experiment.dim == 2:
            assert time == pytest.approx(t, abs=0.01)
        expected = exact_velocity(experiment, point, time)
        assert (torch.tensor(mean) - expected).norm() < 0.3 + 0.12 * expected.norm(), text
        compared += 1
    assert compared >= 2
    visitor.page.mouse.move(5, 5)
    expect(seen_keys(visitor)).to_contain_text("point at a place")


def test_a_click_keeps_a_place_and_the_mean_of_the_paths_through_it_turns_with_the_clock(visit: Visit) -> None:
    page = Stage(visit("?preset=ring"), t=0.5)
    page.press("w")
    page.until("document.querySelector('.pg-stage [data-part=keys]').innerText.includes('point at')")
    page.click(0.5, 0.36)
    experiment = presets.experiment("ring")
    point, time, mean = told_paths(page.part("keys").inner_text())
    expected = exact_velocity(experiment, point, time)
    assert time == 0.5 and (torch.tensor(mean) - expected).norm() < 0.3
    drawn = page.marks("over").sum()
    page.at(0.7)
    page.settled()
    point, time, mean = told_paths(page.part("keys").inner_text())
    assert time == 0.7 and (torch.tensor(mean) - exact_velocity(experiment, point, time)).norm() < 0.5
    page.press("w")
    assert page.marks("over").sum() < drawn


def test_the_models_own_density_follows_the_clock_when_it_stands(visit: Visit) -> None:
    page = Stage(visit("?preset=ring"), t=0.7)
    calm = page.planes()
    page.press("i")
    page.until("document.querySelector('.pg-stage [data-part=keys]').innerText.includes('at t = 0.70')")
    page.settled()
    assert changed(calm, page.planes()) == {"live"}
    early = page.planes()["live"]
    page.at(1)
    page.until("document.querySelector('.pg-stage [data-part=keys]').innerText.includes('at t = 1.00')")
    page.settled()
    assert page.planes()["live"] != early
    most = float(re.search(r"colour ([−\d.]+)", page.part("keys").inner_text())[1].replace("−", "-"))  # type: ignore[index]  # or the test fails
    # Eight modes of deviation 0.1, blurred a little: at most 1 / (8 · 2π · 0.01) at the middle of each.
    assert -0.5 < most < 1.3


def test_log_p_stands_at_a_probe_and_the_likelihood_on_its_card(visit: Visit) -> None:
    page = Stage(visit("?preset=ring"), t=0.4)
    page.click(0.5, 0.3)
    expect(page.part("keys")).to_contain_text("in nats")
    drawn = page.planes()["over"]
    page.at(0.8)
    page.settled()
    assert page.planes()["over"] != drawn
    card = page.page.locator('[data-figure="nll"]')
    card.scroll_into_view_if_needed()
    run = presets.run("ring")
    target, real = run.experiment.target.at(2), run.real(2000)
    expected = densities.likelihood(run.trained(), target, real)
    expect(card.locator("b")).to_have_text(f"{expected['nll']:#.3g}")
    expect(card).to_contain_text(f"KL {expected['kl']:#.3g} ± {expected['kl_error']:#.3g}")
    expect(card).to_have_attribute("title", re.compile(f"Here it is {expected['entropy']:#.3g}"))


def test_a_model_without_a_density_says_so(visit: Visit) -> None:
    visitor = visit("?preset=gan_collapsing")
    expect(visitor.page.locator(".pg-stage")).to_have_attribute("data-state", "ready")
    button = reach(visitor.page.locator('.pg-stage [data-tool="likelihood"]'))
    expect(button).to_be_disabled()
    expect(button).to_contain_text("density of this model is not known")
