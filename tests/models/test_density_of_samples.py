"""The log-density is that of what is sampled, on paths that begin with the source and on those that do not."""

from __future__ import annotations

import pytest
import torch

from playground import Experiment, Run, run
from playground.dynamics.solvers import Sampler

PATHS = {
    "linear": {"kind": "linear"},
    "ve": {"kind": "ve", "sigma_max": 1},
    "vp": {"kind": "vp", "beta_max": 4},
    "sub_vp": {"kind": "sub_vp", "beta_max": 4},
    "bridge": {"kind": "bridge"},
    "interpolant": {"kind": "interpolant", "gamma": "root"},
}
TARGET = {"kind": "ring", "radius": 3, "std": 0.5}
STEPS = Sampler(solver="heun", steps=100)


def apart(log_prob, x: torch.Tensor, side: float = 7.0, cells: int = 24) -> tuple[float, float]:
    """The total variation distance of a histogram of x (n, 2) from a density, and the density's mass on the square.

    The density is averaged over 2 × 2 points of each cell.
    """
    width = 2 * side / cells
    fine = torch.arange(2 * cells) * (width / 2) + width / 4 - side
    density = log_prob(torch.cartesian_prod(fine, fine)).double().exp().view(cells, 2, cells, 2).mean((1, 3))
    place = ((x.double() + side) / width).floor().long()
    inside = ((place >= 0) & (place < cells)).all(1)
    counts = torch.bincount(place[inside] @ torch.tensor([cells, 1]), minlength=cells**2).view(cells, cells)
    mass = density * width**2
    return float((counts / len(x) - mass).abs().sum() / 2), float(mass.sum())


def exact(path: str, **given) -> Run:
    return run(Experiment.parse({"target": TARGET, "model": {"kind": "exact", "path": PATHS[path]}} | given))


@pytest.mark.parametrize("path", PATHS)
def test_of_the_exact_model(path):
    model, starts = exact(path).trained(), exact(path).starts(20_000)
    found, mass = apart(model.log_prob, model.trajectory(starts, STEPS).end)
    assert mass == pytest.approx(1, abs=0.005)
    assert found < 0.06, "as far as a histogram of so many points is from its own density"


@pytest.mark.parametrize("t", [0.3, 0.7])
def test_of_the_exact_model_on_the_way(t):
    result = exact("ve")
    moved = result.trained().trajectory(result.starts(20_000), STEPS)
    at = int((moved.t - t).abs().argmin())
    found, mass = apart(lambda x: result.trained().log_prob_at(x, float(moved.t[at])), moved.x[at])
    assert mass == pytest.approx(1, abs=0.005)
    assert found < 0.06


def test_of_the_exact_model_from_another_gaussian():
    result = exact("ve", source={"kind": "gaussian", "mean": [1, -0.5], "std": [0.8, 1.5], "correlation": 0.4})
    found, mass = apart(result.trained().log_prob, result.trained().trajectory(result.starts(20_000), STEPS).end)
    assert mass == pytest.approx(1, abs=0.005)
    assert found < 0.06


def test_along_a_way_it_is_that_at_each_time():
    model = exact("ve").trained()
    times, found = model.log_prob_through(torch.tensor([[2.0, 1.5]]), 0.6, STEPS)
    moved = STEPS.integrate(model.velocity, torch.tensor([[2.0, 1.5]]), 0.6, 1.0)
    for t, x in list(zip(moved.t, moved.x, strict=True))[::33]:
        at = int((times - t).abs().argmin())
        torch.testing.assert_close(found[at], model.log_prob_at(x, float(t))[0], rtol=0, atol=0.02)


@pytest.mark.parametrize("path", PATHS)
def test_of_a_network(path):
    given = {"kind": "flow_matching", "path": PATHS[path]}
    result = run(
        Experiment.parse(
            {
                "target": TARGET,
                "model": given,
                "network": {"width": 16, "depth": 2, "activation": "silu"},
                "training": {"steps": 200},
            }
        )
    )
    model = result.trained()
    found, mass = apart(model.log_prob, model.trajectory(result.starts(20_000), STEPS).end)
    assert mass == pytest.approx(1, abs=0.02)
    assert found < 0.07


def test_the_likelihood_of_a_path_that_does_not_begin_with_the_source_is_above_the_entropy():
    """The samples stay within the ring, so that real points are unlikely: KL is not 0, though the field is exact."""
    figures = run(
        Experiment.parse({"target": {"kind": "ring", "radius": 5}, "model": {"kind": "exact", "path": PATHS["ve"]}})
    ).metrics(n=500)
    assert figures["nll"] > figures["entropy"] + 5
    assert figures["kl"] > 5
