"""Paths and what they have in common on the real page: schedules, remarks, every path with every prediction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from playwright.sync_api import expect

from playground import Experiment
from playground.dynamics.paths import BridgePath, InterpolantPath, Path, VEPath, VPPath
from tests.browser.driver import Visitor
from tests.browser.test_charts import Desk

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
