"""Figures of clouds and of paths: the browser's are Python's."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from playground import metrics
from playground.distributions import Distribution, Grid, Ring
from playground.dynamics.coupling_figures import coupling_figures, disagreement
from playground.metrics.classes import class_figures, overall
from playground.models.base import seeded
from tests.browser.modules.page import ModulePage, packed, points


@pytest.mark.parametrize(("n", "m", "dim"), [(500, 700, 2), (300, 300, 1), (3, 1, 2)])
def test_energy_distance_is_that_of_python(page: ModulePage, n: int, m: int, dim: int) -> None:
    a, b = points(n, dim, seed=1), 0.3 + 1.2 * points(m, dim, seed=2)
    script = "return metrics.energyDistance(floats(given.a), floats(given.b), given.dim);"
    found = page(script, {"a": packed(a), "b": packed(b), "dim": dim})
    assert found == pytest.approx(metrics.energy_distance(a, b), rel=1e-6)
    assert page(script, {"a": packed(a), "b": packed(a), "dim": dim}) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("target", [Ring(), Grid(std=0.02)])
@pytest.mark.parametrize("noise", [0.0, 0.1, 3.0])
def test_coverage_is_that_of_python(page: ModulePage, target: Distribution, noise: float) -> None:
    modes = target.separate_modes()
    assert modes is not None
    x = target.sample(2000, seeded(1, 0)) + noise * points(2000, 2, seed=3)
    x = x[(x[:, 0] > -0.5) | (torch.arange(len(x)) % 50 == 0)]  # few on the left: strict and lenient differ
    given = {"x": packed(x), "modes": {"centers": modes.centers.tolist(), "std": modes.std.tolist()}}
    found = page("return metrics.coverage(floats(given.x), given.modes, 2);", given)
    expected = metrics.coverage(x, modes)
    assert found["total"] == expected.modes_total
    assert found["covered"] == expected.modes_covered
    assert found["strict"] == expected.modes_covered_strict
    assert found["highQuality"] == pytest.approx(expected.high_quality, abs=1e-3)


@pytest.mark.parametrize("dim", [1, 2])
def test_nearness_is_that_of_python(page: ModulePage, dim: int) -> None:
    samples, training, held_out = points(600, dim, seed=4), points(40, dim, seed=5), points(700, dim, seed=6)
    script = """
        const training = floats(given.training);
        return [given.samples, given.held].map((each) => metrics.nearness(floats(each), training, given.dim));"""
    given = {"samples": packed(samples), "held": packed(held_out), "training": packed(training), "dim": dim}
    expected = metrics.memorisation(samples, training, held_out)
    near, floor = page(script, given)
    assert near["nearest"] == pytest.approx(expected.nearest, rel=1e-6)
    assert floor["nearest"] == pytest.approx(expected.nearest_floor, rel=1e-6)
    assert (near["copied"], floor["copied"]) == pytest.approx((expected.copied, expected.copied_floor), abs=1e-9)


def test_path_figures_of_two_halves_are_those_of_python(page: ModulePage) -> None:
    t = torch.linspace(0.01, 0.98, 14, dtype=torch.float64) ** 1.3
    x, v = points(14 * 60, 2, seed=1).reshape(14, 60, 2), points(14 * 60, 2, seed=2).reshape(14, 60, 2)
    script = """
        const total = { straightness: 0, energy: 0, cost: 0 };
        for (const { x, v } of given.halves) {
          const paths = new metrics.PathSums({ t: given.t, x: floats(x) });
          const [slopes, size] = [floats(v), floats(v).length / given.t.length];
          given.t.forEach((_, k) => paths.add(k, slopes.subarray(k * size, (k + 1) * size)));
          for (const name of Object.keys(total)) total[name] += paths.sums[name] / 60;
        }
        return total;
    """
    parts = [slice(0, 20), slice(20, 60)]
    halves = [{"x": packed(x[:, part].contiguous()), "v": packed(v[:, part].contiguous())} for part in parts]
    found = page(script, {"t": t.tolist(), "halves": halves})
    expected = metrics.path_figures(t, x, v)
    assert expected is not None
    assert found["straightness"] == pytest.approx(expected.straightness, rel=1e-6)
    assert found["energy"] == pytest.approx(expected.energy, rel=1e-6)
    assert found["cost"] == pytest.approx(expected.transport_cost, rel=1e-6)


@pytest.mark.parametrize("modes", [True, False], ids=["modes", "no modes"])
def test_the_figures_of_classes_are_the_servers(page: ModulePage, modes: bool) -> None:
    ring = Ring()
    x, labels = ring.draw(700, Generator().manual_seed(1))
    real, real_labels = ring.draw(900, Generator().manual_seed(2))
    x, labels = 0.9 * x + 0.1, torch.where(torch.rand(700, generator=Generator().manual_seed(3)) < 0.1, 0, labels)
    separate = ring.separate_modes() if modes else None
    expected = overall(class_figures(x, labels, real, real_labels, separate), labels)
    script = """
        const of = (name) => floats(given.arrays[name]);
        return classes.classFigures(of("points"), of("labels"), of("real"), of("realLabels"), 2, given.modes);
    """
    arrays = {"points": x, "labels": labels.float(), "real": real, "realLabels": real_labels.float()}
    told = separate and {"centers": separate.centers.tolist(), "std": separate.std.tolist()}
    found = page(script, {"arrays": {name: packed(values) for name, values in arrays.items()}, "modes": told})
    assert found["inClass"] == pytest.approx(expected.in_class)
    assert found["coverage"] == pytest.approx(expected.coverage)
    assert found["spread"] == pytest.approx(expected.spread, rel=1e-5)
    assert found["highQuality"] == (None if expected.high_quality is None else pytest.approx(expected.high_quality))


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_what_pairs_disagree_by_is_that_of_python(page: ModulePage, dim: int) -> None:
    x0, x1 = points(700, dim, seed=1), 0.5 + 1.7 * points(700, dim, seed=2)
    script = """
        const [x0, x1] = [floats(given.x0), floats(given.x1)];
        return {
            at: Array.from(crossing.disagreement(x0, x1, 0.3, given.dim)),
            variance: crossing.conditionalVariance(x0, x1, given.dim),
            cost: crossing.transportCost(x0, x1, given.dim),
            drift: crossing.drift(x1, x0, given.dim),
        };"""
    found = page(script, {"x0": packed(x0), "x1": packed(x1), "dim": dim})
    expected = disagreement(x0, x1, 0.3)
    near = (torch.tensor(found["at"]) - expected).abs() < 1e-4
    assert near.float().mean() > 0.995, "but for two neighbours that are as near as the other"
    figures = coupling_figures(x0, x1)
    assert found["variance"] == pytest.approx(figures.variance, rel=5e-3)
    assert found["cost"]["cost"] == pytest.approx(figures.cost, rel=1e-5)
    error = float((x1 - x0).square().sum(1).std(correction=0) / len(x0) ** 0.5)
    assert found["cost"]["costError"] == pytest.approx(error, rel=1e-4)
    assert found["drift"]["shift"] == pytest.approx(float((x1.mean(0) - x0.mean(0)).norm()), rel=1e-4)
    spread = float((x1.var(0).sum() / x0.var(0).sum()).sqrt())
    assert found["drift"]["spread"] == pytest.approx(spread, rel=1e-4)
