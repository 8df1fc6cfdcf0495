"""Collapse over time, and what a GAN's layers draw, in the browser: the same as in Python."""

from __future__ import annotations

import pytest
import torch

from playground import Experiment, run
from playground.distributions import Ring
from playground.metrics import Coverage, alarm, alive, course, coverage, mode_kl
from playground.models.base import seeded
from playground.models.gan.parts import latent
from tests.browser.modules.page import ModulePage, packed, unpacked


def look(*shares: float) -> Coverage:
    strict = sum(alive(shares))
    return Coverage(len(shares), sum(share > 0 for share in shares), strict, sum(shares), shares, None)


HISTORIES = {
    "fall": [look(0, 0, 0, 0), look(0.2, 0.2, 0.2, 0.2), look(0.9, 0, 0, 0), look(0.9, 0, 0, 0)],
    "one look": [look(0.2, 0.2, 0.2, 0.2), look(0.9, 0, 0, 0), look(0.2, 0.2, 0.2, 0.2)],
    "never more": [look(0.5, 0.4, 0, 0), look(0.4, 0.5, 0, 0)],
    "not yet": [look(0.05, 0.01, 0, 0), look(0.02, 0, 0, 0), look(0.01, 0, 0, 0)],
    "smear": [look(0.1, 0.1, 0.1, 0.1), look(0.1, 0.1, 0.1, 0.1)],
    "fell from a smear": [look(0.1, 0.1, 0.1, 0.1), look(0.99, 0, 0, 0), look(1, 0, 0, 0)],
    "moves": [look(0.9, 0, 0, 0), look(0, 0.9, 0, 0), look(0, 0, 0.9, 0)],
    "recovered": [look(0.2, 0.2, 0.2, 0.2), look(0.9, 0, 0, 0), look(0.9, 0, 0, 0), look(0.2, 0.2, 0.2, 0.2)],
    "diverged": [look(0.2, 0.2, 0.2, 0.2), look(0, 0, 0, 0), look(0, 0, 0, 0)],
    "three of four": [look(0.3, 0.3, 0.3, 0)],
    "edge of one percent": [look(0.3, 0.3, 0.3, 0.01), look(0.3, 0.00999, 0.6, 0), look(0.0099, 0.3, 0.6, 0)],
    "nothing": [],
}


@pytest.mark.parametrize("name", HISTORIES)
def test_the_alarm_is_that_of_python(page: ModulePage, name: str) -> None:
    looks = HISTORIES[name]
    given = [
        {"step": 10 * at, "total": one.modes_total, "highQuality": one.high_quality, "shares": one.shares}
        for at, one in enumerate(looks)
    ]
    expected = alarm((10 * at, one) for at, one in enumerate(looks))
    module = "const { alarm, alive, course } = await import('/compute/metrics/modes.js');"
    assert page(f"{module} return alarm(given);", given) == (vars(expected) if expected else None)
    comes_to = course((10 * at, one) for at, one in enumerate(looks))
    assert page(f"{module} return course(given);", given) == (vars(comes_to) if comes_to else None)
    for one in looks:
        assert page(f"{module} return alive(given);", one.shares) == list(alive(one.shares))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("fall", "Collapsed at step 20: 1 of 4 modes alive, after 4."),
        ("never more", "Never held more than 2 of 4 modes at once."),
        ("not yet", "Off the modes at step 20: only 1 % of the points lie on one. No mode was ever held."),
        ("smear", "Off the modes at step 10: only 40 % of the points lie on one. No mode was ever held."),
        ("fell from a smear", "Never held more than 1 of 4 modes."),
        ("moves", "Never held more than 1 of 4 modes, though 3 different ones in turn: it moves between modes."),
        ("recovered", "Collapsed at step 10: 1 of 4 modes alive, after 4. It recovered: 4 of 4 modes held at step 30."),
        ("diverged", "Collapsed at step 10: none of 4 modes alive, after 4."),
        ("three of four", "3 of 4 modes held at step 0; no collapse before it."),
        ("nothing", ""),
    ],
)
def test_the_verdict_is_true_of_degenerate_runs(page: ModulePage, name: str, sentence: str) -> None:
    given = [
        {"step": 10 * at, "total": one.modes_total, "highQuality": one.high_quality, "shares": one.shares}
        for at, one in enumerate(HISTORIES[name])
    ]
    module = "const { verdict } = await import('/compute/metrics/modes.js');"
    assert page(f"{module} return verdict(given);", given) == sentence


def test_the_shares_and_their_kl_are_those_of_python(page: ModulePage) -> None:
    target = Ring(modes=5)
    modes = target.separate_modes()
    assert modes is not None
    x = target.sample(3000, seeded(0, 0))
    x = x[(x[:, 0] > 0) | (torch.arange(len(x)) % 7 == 0)]
    given = {"x": packed(x), "modes": {name: value.tolist() for name, value in vars(modes).items()}}
    script = """
        const { modeKL } = await import('/compute/metrics/modes.js');
        const found = metrics.coverage(floats(given.x), given.modes, 2);
        return [found.shares, modeKL(found.shares, given.modes.weights), modeKL([0, 0], [0.5, 0.5])];
    """
    shares, kl, none = page(script, given)
    expected = coverage(x, modes)
    assert shares == pytest.approx(expected.shares, abs=1e-3)
    assert kl == pytest.approx(mode_kl(shares, modes.weights.tolist()))
    assert none is None


@pytest.mark.parametrize("model", [{"latent_dim": 3}, {"pack": 2, "standardise": False}, {"loss": "hinge"}])
def test_a_gan_is_sampled_and_judged_as_in_python(page: ModulePage, model: dict) -> None:
    trained = run(
        Experiment.parse(
            {
                "target": "ring",
                "model": {"kind": "gan", **model},
                "training": {"steps": 30, "batch": 32},
                "network": {"kind": "mlp", "width": 16, "depth": 2},
            }
        )
    )
    gan, weights = trained.trained(), trained.rounds[0].last.weights
    x0, points = trained.starts(200), torch.randn(100, 2, generator=seeded(0, 5))
    given = {
        "told": gan.describe(),
        "weights": {name: packed(values) for name, values in weights.items() if name != "moments"},
        "x0": packed(x0),
        "points": packed(points),
    }
    script = """
        const weights = Object.fromEntries(Object.entries(given.weights).map(([name, one]) => [name, floats(one)]));
        pool.open("gan", given.told);
        pool.put("gan", 0, weights);
        const { x, nfe } = await pool.sample({ run: "gan", snapshot: 0, x0: floats(given.x0), dim: 2 });
        const about = { run: "gan", snapshot: 0, name: "critic" };
        const judged = (raw) => pool.surface({ ...about, points: floats(given.points), raw });
        return [text(x), nfe, text(await judged(false)), text(await judged(true))];
    """
    x, nfe, judged, raw = page(script, given)
    expected = trained.sample(200)
    assert nfe == 1
    torch.testing.assert_close(unpacked(x, 2, 200, 2), expected.x, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(unpacked(raw), gan.critic(points), atol=1e-4, rtol=1e-4)
    real = gan.real(points)
    torch.testing.assert_close(unpacked(judged), gan.critic(points) if real is None else real, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", ["gaussian", "uniform"])
@pytest.mark.parametrize(("first", "then"), [(None, 0.5), (None, 2.0), (1.0, 0.3), (0.5, None), (1.5, 1.5)])
def test_a_latent_is_truncated_as_in_python(
    page: ModulePage, kind: str, first: float | None, then: float | None
) -> None:
    drawn = latent(kind, 500, 2, seeded(0, 1), first)
    expected = latent(kind, 500, 2, seeded(0, 1), then)
    script = """
        const { truncated } = await import('/compute/sampling/truncation.js');
        return text(truncated(floats(given.z), given.kind, given.first, given.then));
    """
    found = unpacked(page(script, {"z": packed(drawn), "kind": kind, "first": first, "then": then}), 500, 2)
    torch.testing.assert_close(found, expected, atol=2e-3, rtol=2e-3)


def test_the_slopes_of_a_surface_are_its_derivatives(page: ModulePage) -> None:
    script = """
        const { slopes } = await import('/stage/layers/field/pull.js');
        const [h, points] = [0.01, [[0.3, -0.7], [1.5, 0.2]]];
        const f = (x, y) => Math.sin(x) + x * y * y;
        const values = points.flatMap(([x, y]) => [f(x + h, y), f(x - h, y), f(x, y + h), f(x, y - h)]);
        const exact = points.flatMap(([x, y]) => [Math.cos(x) + y * y, 2 * x * y]);
        return [Array.from(slopes(Float64Array.from(values), h)), exact];
    """
    found, expected = page(script)
    assert found == pytest.approx(expected, abs=1e-3)


def test_the_cells_of_the_latents_grid_are_equally_likely(page: ModulePage) -> None:
    z = torch.randn(20_000, 3, generator=seeded(0, 6))
    script = """
        const { nodes } = await import('/stage/layers/particles/manifold.js');
        return text(nodes(floats(given), 3));
    """
    grid = unpacked(page(script, packed(z)), 21, 21, 3)
    assert float(grid[..., 2].std()) < 1e-6
    shares = torch.special.ndtr(grid[0, :, 0]).diff()
    torch.testing.assert_close(shares, torch.full_like(shares, 0.98 / 20), atol=0.004, rtol=0)
    torch.testing.assert_close(grid[:, 0, 1], grid[:, 20, 1])


def test_a_surface_leans_to_where_it_decides_for_neither(page: ModulePage) -> None:
    script = """
        const { leaning } = await import('/stage/layers/density/surface.js');
        const values = Float32Array.from([0, 0.25, 0.5, 1, -3]);
        return [{ of: "probability" }, { of: "value", middle: 0.5 }, { of: "value", middle: null }]
          .map((about) => Array.from(leaning(values, about).shares));
    """
    probability, middle, free = page(script)
    assert probability[:4] == [-1, -0.5, 0, 1]
    assert middle[2] == 0
    assert all(-1 <= share <= 1 for share in middle + free)
    assert free[1] == 0  # the median, where no level means anything
    assert min(free) == -1
