"""Every path with every prediction through the real page: trained, sampled, seen as a density; and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from playground import Experiment, run
from playground.choice import kinds
from playground.dynamics.parameterization import Prediction
from playground.dynamics.paths import AnyPath
from tests.browser.driver import Visitor

Visit = Callable[..., Visitor]

PATIENCE = 120_000
PATHS = kinds(AnyPath)
TINY = {"network": {"width": 16, "depth": 2}, "training": {"steps": 40}, "sampler": {"solver": "heun", "steps": 10}}
HEAR = """() => {
  window.heard = null;
  document.querySelector(".pg-stage").addEventListener("pg:sampled", ({ detail }) => (window.heard = detail));
}"""
SHOWN = """() => {
  const { t, x, n, dim } = window.heard.trajectory;
  const some = Math.min(n, 100);
  return { t: Array.from(t), x: Array.from(t, (_, k) => Array.from(x.slice(k * n * dim, (k * n + some) * dim))) };
}"""


def trained(visitor: Visitor, experiment: Experiment) -> dict[str, np.ndarray]:
    """Opens the experiment by its link, presses Train, and returns the states of the first particles that are shown."""
    page = visitor.page
    page.goto(page.url.split("?")[0] + f"?x={experiment.to_link()}")
    stage = page.locator(".pg-stage")
    expect(stage).to_have_attribute("data-state", "waiting", timeout=PATIENCE)
    page.evaluate(HEAR)
    page.locator("#train").click()
    expect(stage).to_have_attribute("data-state", "ready", timeout=PATIENCE)
    steps = experiment.sampler.steps
    page.wait_for_function(
        "(steps) => window.heard?.trajectory.t.length === steps + 1 && !window.__playground.stages[0].busy",
        arg=steps,
        timeout=PATIENCE,
    )
    return {name: np.array(values) for name, values in page.evaluate(SHOWN).items()}


def agrees(shown: dict[str, np.ndarray], experiment: Experiment, within: float) -> None:
    expected = run(experiment).sample(2000)
    ends = expected.t[-1].item() if shown["t"][-1] == 1 else 1.0  # the server's trajectories run from 0 to 1
    assert shown["t"] == pytest.approx(expected.t.numpy() / ends, abs=1e-6)
    x = expected.x[:, :100].numpy()
    scale = max(1.0, float(np.abs(x).max()))
    assert np.abs(shown["x"].reshape(x.shape) - x).max() < within * scale


def density_follows_the_clock(page: Page, dim: int) -> None:
    plane = "live" if dim == 2 else "paths"
    picture = f"""() => document.querySelector(".pg-stage [data-plane={plane}]").toDataURL()"""
    slider = page.locator('.pg-stage [data-part="time"]')
    seen = set()
    page.keyboard.press("h")
    expect(page.locator('.pg-stage [data-part="keys"]')).to_contain_text("density of the particles")
    for t in (0.1, 0.5, 1.0):
        slider.evaluate("(slider, t) => { slider.value = t; slider.dispatchEvent(new Event('input')); }", t)
        page.wait_for_timeout(150)
        seen.add(page.evaluate(picture))
    assert len(seen) == 3 if dim == 2 else len(seen) >= 1
    marked = page.evaluate(
        f"""() => {{ const canvas = document.querySelector(".pg-stage [data-plane={plane}]");
        const {{ data }} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return data.filter((value, k) => k % 4 === 3 && value > 60).length / (data.length / 4); }}"""
    )
    assert marked > 0.01, "there is something to see"
    page.keyboard.press("h")


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.kind_name())
def test_every_path_with_every_prediction(visit: Visit, path: Any) -> None:
    visitor = visit()
    for prediction in get_args(Prediction) if not path.bridge else ("velocity",):
        model = {"kind": "flow_matching", "path": path.kind_name(), "prediction": prediction}
        experiment = Experiment.parse(TINY | {"target": "ring", "model": model})
        agrees(trained(visitor, experiment), experiment, 2e-3)
    density_follows_the_clock(visitor.page, 2)


CASES = [(path, target) for path in PATHS for target in ("ring", "bimodal")] + [(PATHS[0], "two_moons")]
"""Mixtures in 1-D and 2-D along every path; and a target that a number of its points stands for."""


@pytest.mark.parametrize(("path", "target"), CASES, ids=lambda one: one if isinstance(one, str) else one.kind_name())
def test_the_exact_field_of_every_path_in_the_browser(visit: Visit, path: Any, target: str) -> None:
    visitor = visit()
    experiment = Experiment.parse(TINY | {"target": target, "model": {"kind": "exact", "path": path.kind_name()}})
    agrees(trained(visitor, experiment), experiment, 2e-3)
    expect(visitor.page.locator('.pg-stage [data-tool="difference"]')).to_be_disabled()
    density_follows_the_clock(visitor.page, experiment.dim)


def test_more_points_than_the_browser_holds_come_as_the_servers_trajectories(visit: Visit) -> None:
    visitor = visit()
    model = {"kind": "exact", "points": 1500}
    experiment = Experiment.parse(TINY | {"target": "two_moons", "model": model})
    agrees(trained(visitor, experiment), experiment, 2e-3)
    density_follows_the_clock(visitor.page, 2)


def refused(visit: Visit, given: dict[str, Any]) -> Page:
    """Opens the page with a form that was left like this, and presses Train."""
    kept = json.dumps(json.dumps(Experiment().to_dict() | given))
    script = f"if (!sessionStorage.getItem('pg-experiment')) sessionStorage.setItem('pg-experiment', {kept});"
    page: Page = visit(script=script).page
    expect(page.locator(".pg-stage")).to_have_attribute("data-state", "ready", timeout=PATIENCE)
    page.wait_for_timeout(500)
    page.locator("#train").click()
    return page


def flow(**chosen: Any) -> dict[str, Any]:
    model = Experiment().to_dict()["model"]
    return {"model": model | chosen}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            flow(prediction="score") | {"source": {"kind": "two_moons"}},
            "the score can be predicted only where the source",
        ),
        (
            flow(coupling={"kind": "optimal_transport"}) | {"training": {"batch": 1}},
            "has nothing to choose from in a batch of 1",
        ),
        (flow(path={"kind": "bridge", "sigma": 0}), "choose at least 0.01"),
        (flow(path={"kind": "bridge"}, prediction="noise"), "along bridges the network predicts a velocity"),
    ],
    ids=["score", "batch", "sigma", "bridge"],
)
def test_what_makes_no_sense_gets_a_sentence(visit: Visit, given: dict[str, Any], sentence: str) -> None:
    page = refused(visit, given)
    expect(page.locator("body")).to_contain_text(sentence, timeout=PATIENCE)
    expect(page.locator(".pg-stage")).to_have_attribute("data-state", "ready")


def test_an_epsilon_that_is_too_small_is_warned_of_and_clamped(visit: Visit) -> None:
    visitor = visit()
    coupling = {"kind": "sinkhorn", "epsilon": 1e-4}
    experiment = Experiment.parse(TINY | {"target": "ring", "model": {"kind": "flow_matching", "coupling": coupling}})
    agrees(trained(visitor, experiment), experiment, 2e-3)
    expect(visitor.page.locator(".pg-remarks")).to_contain_text("too small for Sinkhorn's iterations to settle")
