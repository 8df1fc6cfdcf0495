"""The browser's terms of the variational bound against those of Python, which see other noise."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from playground import Experiment, run
from tests.browser.modules.page import ModulePage, packed

BOUND = """
    const { boundOf } = await import("/figures/charts/bound.js");
    pool.open("bound", given.description);
    pool.put("bound", 0, codec.decodeWeights(given.weights));
    const evaluate = (points, t) => pool.evaluate({ run: "bound", snapshot: 0, points, t });
    return boundOf({ path: given.description.path, target: floats(given.target), dim: 2 }, evaluate);
"""


def test_the_terms_are_those_of_python(page: ModulePage) -> None:
    given = {"target": "ring", "model": {"kind": "diffusion", "timesteps": 40}, "training": {"steps": 300}}
    finished = run(Experiment.parse(given | {"network": {"width": 32, "depth": 2}}))
    flow, real = finished.trained(), finished.real(500)
    asked = {
        "description": flow.describe(),
        "weights": {"velocity": packed(finished.round().last.weights["velocity"])},
        "target": packed(real),
    }
    found = page(BOUND, asked)
    drawn = torch.stack([flow.bound(real, Generator().manual_seed(seed)) for seed in range(30)])
    terms = torch.tensor(found["terms"], dtype=torch.float64)
    assert terms.shape == (41,)
    assert float(((terms - drawn.mean(0)) / (drawn.std(0) + 1e-3)).abs().max()) < 5
    assert found["sum"] == pytest.approx(float(drawn.sum(1).mean()), abs=5 * float(drawn.sum(1).std()))
