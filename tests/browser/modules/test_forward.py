"""The forward process as the stage shows it."""

from __future__ import annotations

import math

import pytest
import torch

from playground.dynamics.discrete import DiscretePath
from playground.dynamics.path import Path
from playground.dynamics.paths import LinearPath, VEPath, VPPath
from tests.browser.modules.page import ModulePage, packed, unpacked

NOISED = """
    const { noised } = await import("/stage/layers/particles/forward.js");
    const scene = { network: { path: given.path } };
    const { t, x, n, dim } = await noised({ scene, target: floats(given.target), dim: 2 });
    return { t: [...t], x: text(x), n, dim };
"""


@pytest.mark.parametrize("path", [LinearPath(), VPPath(), VEPath(), DiscretePath(timesteps=20)], ids=str)
def test_data_are_under_the_noise_of_every_time_and_forget_by_and_by(page: ModulePage, path: Path) -> None:
    target = torch.tensor([[1.0, -2.0]]).repeat(1000, 1)
    found = page(NOISED, {"path": path.describe(), "target": packed(target)})
    x = unpacked(found["x"], -1, 1000, 2).double()
    times = found["t"]
    assert (times[0], times[-1]) == pytest.approx((path.t_min, path.t_max))
    for k in (0, len(times) // 3, len(times) // 2, len(times) - 2):
        c = path.at(times[k])
        off = x[k] - c.alpha * target[0].double()
        assert float(off.mean(0).abs().max()) < 5 * float(c.sigma) / math.sqrt(1000) + 1e-6
        assert float(off.square().mean().sqrt()) == pytest.approx(float(c.sigma), rel=5 / math.sqrt(4000), abs=1e-6)
    # Between two times what is kept of the noise is (α σ') / (α' σ): the law of one noising, not of fresh draws.
    k = len(times) // 2
    now, after = path.at(times[k]), path.at(times[k + 2])
    noise = [(x[j] - c.alpha * target[0].double()) / c.sigma for j, c in ((k, now), (k + 2, after))]
    kept = float(now.alpha * after.sigma / (after.alpha * now.sigma))
    assert float((noise[0] * noise[1]).mean()) == pytest.approx(kept, abs=5 / math.sqrt(2000))
