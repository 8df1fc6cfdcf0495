"""The sharpness that the worker measures is that of Python, on the same points; and what the card says of it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from playground.distributions import Cantor, Checkerboard, Grid, TwoMoons
from playground.metrics import coverage, sharpness, sharpness_floor
from playground.models.base import seeded
from tests.browser.modules.page import ModulePage, packed

MEASURE = """
    const { Neighbourhood } = await import('/compute/metrics/neighbours.js');
    return new Neighbourhood(floats(given.real), given.dim).sharpness(floats(given.x));
"""
VERDICT = """
    const { verdict } = await import('/scene/sharpness.js');
    return verdict(given.found, given.floor);
"""


def clouds() -> dict[str, tuple[Tensor, Tensor]]:
    g = seeded(0, 0)
    moons, grid, line = TwoMoons().sample(700, g), Grid().sample(1200, g), Cantor().sample(400, g)
    return {
        "real": (TwoMoons().sample(700, g), moons),
        "blurred": (moons.flip(0) + 0.1 * torch.randn(700, 2, generator=g), moons),
        "of another size": (Grid().sample(300, g), grid),
        "collapsed": (torch.zeros(200, 2), grid),
        "with equal points on a line": (line.flip(0), line),
        "of three points": (moons[:3] + 0.1, moons[:5]),
        "of a solid": (torch.randn(300, 3, generator=g), torch.randn(500, 3, generator=g)),
    }


@pytest.mark.parametrize("name", clouds())
def test_the_sharpness_is_that_of_python(page: ModulePage, name: str) -> None:
    x, real = clouds()[name]
    found = page(MEASURE, {"x": packed(x), "real": packed(real), "dim": x.shape[1]})
    expected = sharpness(x, real)
    assert expected is not None
    assert found == pytest.approx(vars(expected), abs=1e-9)


def test_one_point_has_none(page: ModulePage) -> None:
    assert page(MEASURE, {"x": packed(torch.zeros(1, 2)), "real": packed(torch.randn(9, 2)), "dim": 2}) is None


@pytest.mark.parametrize("width", [0.5, 1.0, 2.0])
def test_the_spread_of_modes_is_that_of_python(page: ModulePage, width: float) -> None:
    modes = Grid().separate_modes()
    assert modes is not None
    g = seeded(1, 0)
    x = modes.centers[torch.randint(25, (501,), generator=g)] + 0.05 * width * torch.randn(501, 2, generator=g)
    given = {"x": packed(x), "modes": {name: value.tolist() for name, value in vars(modes).items()}}
    found = page("return metrics.coverage(floats(given.x), given.modes, 2).spread;", given)
    assert found == pytest.approx(coverage(x, modes).spread, rel=1e-5)
    few = given | {"x": packed(x[:3])}
    assert page("return metrics.coverage(floats(given.x), given.modes, 2).spread;", few) is None


def said(page: ModulePage, target: Grid | Checkerboard, x: Tensor, seed: int = 5) -> str:
    """The verdict on a cloud, against real points of the target."""
    floor = sharpness_floor(target, 2000, seeded(2, 0))
    measured = sharpness(x, target.sample(2000, seeded(seed, 0)))
    modes = target.separate_modes()
    spread = coverage(x, modes).spread if modes else None
    assert measured is not None
    verdict: str = page(VERDICT, {"found": vars(measured) | {"spread": spread}, "floor": floor})
    return verdict


def test_the_verdict_names_what_is_wrong(page: ModulePage) -> None:
    g = seeded(3, 0)
    board, grid = Checkerboard(), Grid(spacing=2)
    x, labels = grid.draw(2000, g)
    assert all(
        said(page, target, target.sample(2000, g), seed) == "sharp" for target in (board, grid) for seed in (6, 7)
    )
    blob = said(page, board, 4 * torch.rand(2000, 2, generator=g) - 2)
    assert blob.endswith("% astray") and 30 < float(blob.split()[0]) < 50
    blurred = said(page, grid, x + 0.1 * torch.randn(2000, 2, generator=g))
    assert blurred.startswith("2.2× too wide, ") and blurred.endswith("% astray")
    assert said(page, grid, x[labels > 4]).startswith("misses ")
    assert said(
        page, grid, grid.components().centers.float()[labels] + 0.2 * (x - grid.components().centers.float()[labels])
    ).startswith("0.2× the width")
    tilted = x[(labels > 11) | (torch.rand(2000, generator=g) < 0.4)]
    assert said(page, grid, tilted) != "sharp"
    assert page(VERDICT, {"found": None, "floor": None}) == ""


@pytest.mark.parametrize(("spread", "said"), [(2.13, "2.13×"), (0.5, "0.5"), (1.05, ""), (None, "")])
def test_the_width_of_modes_is_said_where_it_is_wrong(page: ModulePage, spread: float | None, said: str) -> None:
    text = page("return (await import('/scene/sharpness.js')).width(given.spread);", {"spread": spread})
    assert text.startswith(f"Its modes are {said}") if said else text == ""


@pytest.mark.parametrize(
    ("kl", "error", "words"),
    [(0.04, 0.01, "sharp"), (0.08, 0.017, "slightly blurred"), (0.3, 0.05, "blurred"), (0.3, 0.2, "sharp")],
)
def test_the_verdict_takes_in_what_the_density_lacks(page: ModulePage, kl: float, error: float, words: str) -> None:
    figures = {"sample_kl": 0.02, "stray": 0.01, "missed": 0.01}
    given = {"found": figures | {"kl": kl, "kl_error": error}, "floor": figures}
    assert page(VERDICT, given) == words
    assert page(VERDICT, {"found": figures | {"kl": None, "kl_error": None}, "floor": figures}) == "sharp"
    gone = given["found"] | {"stray": 0.2}
    assert page(VERDICT, {"found": gone, "floor": figures}) == "20.0 % astray", "what is seen says more"
    wide = given["found"] | {"spread": 1.3}
    assert page(VERDICT, {"found": wide, "floor": figures}).startswith("sharp" if words == "sharp" else "1.3× too wide")
