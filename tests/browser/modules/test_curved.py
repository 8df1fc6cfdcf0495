"""Why is it curved? The arrow is the exact conditional mean, to scale, at the time that the legend tells."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from playground.dynamics.path import Path
from playground.dynamics.paths import CosinePath, LinearPath, VPPath
from playground.experiment import Experiment
from playground.models.exact_reference import reference_field
from tests.browser.modules.page import ModulePage, packed

SIDE, HALF = 600, 3.0
DRAWN = """
    const { curved, meanLine } = await import("/stage/layers/field/curved.js");
    const { View } = await import("/stage/view.js");
    const { dim, path, places } = given;
    const around = { center: new Array(dim).fill(0), half: given.half };
    const scene = { dim, path, experiment: given.experiment, view: around };
    const pairs = { partners: [0], couplings: [{ chosen: true, kind: "independent" }] };
    const theme = { accent: "#00f", source: "#0f0", "target-ink": "#0f0", paper: "#fff", ink: "#f00" };
    const layer = curved();
    const of = { scene, dim, x0: floats(given.x0), target: floats(given.target), found: { pairs }, theme, probes: [] };
    const view = new View(scene, given.side, given.side);
    return places.map(({ point, t }) => {
      const state = { ...of, t, pointer: { point, t } };
      const canvas = Object.assign(document.createElement("canvas"), { width: given.side, height: given.side });
      const ctx = canvas.getContext("2d");
      layer.painters[0].paint(ctx, view, state);
      const { data } = ctx.getImageData(0, 0, given.side, given.side);
      const red = [];
      for (let k = 0; k < data.length; k += 4)
        if (data[k] > 200 && data[k + 1] < 60 && data[k + 2] < 60 && data[k + 3] > 200)
          red.push([(k / 4) % given.side, Math.floor(k / 4 / given.side)]);
      const pixel = (one, time) => [view.X(dim === 1 ? 0 : one[0], time), view.Y(dim === 1 ? 0 : one[0], one[dim - 1])];
      const tips = given.velocities[places.findIndex((one) => one.point === point && one.t === t)];
      const [from, to] = meanLine(point, t, tips, [path.t_min ?? 0, path.t_max ?? 1]);
      return {
        red, text: layer.legend(state).text,
        from: pixel(from, path.t_min ?? 0), at: pixel(point, t), to: pixel(to, path.t_max ?? 1),
      };
    });
"""
TIMES = (0.15, 0.5, 0.8)
SHIFTED = {"kind": "gaussian", "mean": [-0.6, -0.3], "std": 1.3}


def drawn(page: ModulePage, path: Path, target: Any) -> list[dict[str, Any]]:
    """At each of TIMES: the red pixels of the arrow, the legend, and where the exact mean begins, is and ends."""
    experiment = Experiment.parse({"target": target, "model": {"kind": "flow_matching", "path": path.kind}})
    source, real = experiment.source.at(experiment.dim), experiment.target.at(experiment.dim)
    flow, _ = reference_field(experiment.model, source, real, experiment.training, 0)
    point = [0.6, 0.9][-experiment.dim :]
    places = [{"point": point, "t": t} for t in TIMES]
    exact = [flow.velocity(torch.tensor([point], dtype=torch.float64), t)[0].tolist() for t in TIMES]
    generator = torch.Generator().manual_seed(0)
    given = {
        "dim": experiment.dim,
        "experiment": experiment.to_dict(),
        "path": path.describe(),
        "places": places,
        "velocities": exact,
        "x0": packed(source.sample(4000, generator)),
        "target": packed(real.sample(4000, generator)),
        "side": SIDE,
        "half": HALF,
    }
    found: list[dict[str, Any]] = page(DRAWN, given)
    return found


@pytest.mark.parametrize("path", [LinearPath(), CosinePath(), VPPath()], ids=lambda path: path.kind)
@pytest.mark.parametrize("target", [SHIFTED, "ring"], ids=["gaussian", "ring"])
def test_the_arrow_ends_where_one_step_at_the_exact_velocity_lands(page: ModulePage, target: Any, path: Path) -> None:
    for t, one in zip(TIMES, drawn(page, path, target), strict=True):
        assert f"at t = {t:.2f}" in one["text"] and "roughly" not in one["text"]
        red = torch.tensor(one["red"], dtype=torch.float64) + 0.5
        ends = [torch.tensor(one[name], dtype=torch.float64) for name in ("from", "at", "to")]
        begin, at, tip = ends
        assert all(0 < float(part) < SIDE for end in ends for part in end), "or nothing is compared"
        # A density of 4,000 points knows the mean to a tenth or so of the data's unit, which has a hundred pixels.
        near = 10.0 + 0.08 * float((tip - at).norm())
        along = (tip - begin) / (tip - begin).norm()
        reach = (red - at) @ along
        assert float(reach.max()) == pytest.approx(float((tip - at) @ along), abs=near)
        assert float(reach.min()) == pytest.approx(float((begin - at) @ along), abs=near)
        farthest = red[reach.argmax()]
        assert float((farthest - tip).norm()) < near, f"the tip is at {farthest}, one step lands at {tip}"


def test_the_mean_turns_as_time_goes_on(page: ModulePage) -> None:
    tips = [torch.tensor(one["to"]) - torch.tensor(one["at"]) for one in drawn(page, LinearPath(), "ring")]
    angles = [float(torch.atan2(tip[1], tip[0])) for tip in tips]
    assert max(angles) - min(angles) > 0.15


def test_on_space_by_time_the_line_has_the_slope_of_the_mean(page: ModulePage) -> None:
    for one in drawn(page, LinearPath(), "bimodal"):
        red = torch.tensor(one["red"], dtype=torch.float64)
        assert red[:, 0].min() == pytest.approx(one["from"][0], abs=4), "from the source"
        assert red[:, 0].max() == pytest.approx(one["to"][0], abs=4), "to the target"
        last = red[red[:, 0] >= red[:, 0].max() - 1][:, 1].mean()
        assert float(last) == pytest.approx(one["to"][1], abs=14)
