"""Guidance in an interval and by an earlier snapshot, in the browser as in Python: the same states, the same cost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Generator

from playground.distributions import Ring
from playground.dynamics.parameterization import Moments
from playground.dynamics.paths import BridgePath, LinearPath, VPPath
from playground.dynamics.solvers import Sampler
from playground.models.condition import ConditionEncoder
from playground.models.flow import BridgeFlow, Flow
from playground.networks import Mlp
from tests.browser.modules.page import ModulePage, assert_near, flow, packed, points, put, unpacked

ENCODER = ConditionEncoder("labels", Ring(), 0.1)
ASK = """
    const x0 = floats(given.x0), told = given.told && floats(given.told);
    const answer = await pool.sample({ ...given, x0, told });
    return { nfe: answer.nfe, x: text(answer.x) };
"""


def conditional(seed: int) -> Flow:
    mlp = Mlp(2, 2, (24,) * 2, "silu", 2, condition_dim=ENCODER.width)
    moments = Moments(torch.tensor([0.1, -0.2]), torch.tensor([0.3, 0.4]), 0.8, 1.7)
    return Flow(mlp, mlp.initial(Generator().manual_seed(seed)), VPPath(), "residual", moments, encoder=ENCODER)


def asked(page: ModulePage, run: str, x0: torch.Tensor, sampler: Sampler, **more: Any) -> tuple[torch.Tensor, int]:
    guiding = {"from": sampler.guidance_from, "until": sampler.guidance_to, "early": sampler.autoguidance, "guide": 1}
    given = {"run": run, "snapshot": 0, "x0": packed(x0), "dim": 2, "guidance": sampler.guidance, "guiding": guiding}
    found = page(ASK, given | sampler.describe() | more)
    return unpacked(found["x"], -1, *x0.shape), found["nfe"]


@pytest.mark.parametrize("solver", ["euler", "heun", "dpm_solver"])
@pytest.mark.parametrize(
    "guided",
    [
        {"guidance": 3.0, "guidance_from": 0.25, "guidance_to": 0.65},
        {"autoguidance": 2.0},
        {"autoguidance": 2.5, "guidance_from": 0.3},
        {"autoguidance": 0.5, "guidance_to": 0.5},
    ],
    ids=str,
)
def test_a_guided_cloud_passes_through_the_same_states(page: ModulePage, guided: dict[str, float], solver: str) -> None:
    late, early = conditional(1), conditional(2)
    put(page, "guided", late, early)
    x0, labels = points(200, 2), ENCODER.draw(200, Generator().manual_seed(8))
    sampler = Sampler.model_validate({"solver": solver, "steps": 10, **guided})
    twin = late.guided_by(early).given(labels).trajectory(x0, sampler)
    found, nfe = asked(page, "guided", late.start(x0), sampler, told=packed(labels.float()))
    assert_near(found, twin.x, 1e-4, (guided, solver))
    assert nfe == twin.nfe


def test_along_a_bridge_the_score_is_led_too(page: ModulePage) -> None:
    parts = [flow(path=BridgePath(), activation="silu", seed=seed) for seed in (3, 4, 5, 6)]

    def both(one: Flow, other: Flow) -> BridgeFlow:
        weights = one.weights / 3
        return BridgeFlow(
            parts[0].mlp, weights, BridgePath(), "residual", parts[0].moments, score_weights=other.weights / 3
        )

    late, early = both(*parts[:2]), both(*parts[2:])
    page(
        """pool.open("led", given.description);
           given.weights.forEach((one, k) => pool.put("led", k, codec.decodeWeights(one)));""",
        {
            "description": late.describe(),
            "weights": [{"velocity": packed(one.weights), "score": packed(one.score_weights)} for one in (late, early)],
        },
    )
    x0 = points(100, 2, seed=1)
    sampler = Sampler.model_validate(
        {"solver": {"kind": "stochastic_midpoint", "churn": 0.5}, "steps": 12, "autoguidance": 1.5, "guidance_to": 0.8}
    )
    twin = late.guided_by(early).trajectory(x0, sampler, seed=4)
    found, nfe = asked(page, "led", late.start(x0), sampler, seed=4, churn=0.5)
    assert_near(found, twin.x, 1e-4, "bridge")
    assert nfe == twin.nfe


def test_a_guide_that_is_not_here_is_said(page: ModulePage) -> None:
    put(page, "alone", replace(conditional(1), path=LinearPath()))
    with pytest.raises(Exception, match="snapshot 1 is not here"):
        asked(page, "alone", points(5, 2), Sampler(steps=2, autoguidance=2))
