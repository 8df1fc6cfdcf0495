"""Conditional fields in the browser against torch's: labels, angles, the null condition and guidance."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Generator, Tensor

from playground import Experiment, run
from playground.distributions import GaussianMixture, Ring
from playground.dynamics.guiding import Guiding
from playground.dynamics.parameterization import Moments
from playground.dynamics.paths import CosinePath, LinearPath, VPPath
from playground.dynamics.solvers import Heun, Sampler
from playground.models.condition import ConditionEncoder
from playground.models.contracts import HasCondition
from playground.models.flow import Flow, ScoredFlow
from playground.networks import ACTIVATIONS, FilmNetwork, Network
from tests.browser.modules.page import (
    ModulePage,
    assert_near,
    fields,
    packed,
    points,
    put,
    sampled,
    times,
    unpacked,
)

ENCODERS = {"labels": ConditionEncoder("labels", Ring(modes=5), 0.1), "angle": ConditionEncoder("angle", Ring(), 0.1)}
GUIDANCE = (0.0, 1.0, 2.5, 8.0)


def conditional(encoder: ConditionEncoder, dim: int = 2, prediction: Any = "velocity", **network: Any) -> Flow:
    film = network.pop("film", False)
    mlp = (FilmNetwork if film else Network)(width=24, depth=2, **network).build(dim, dim, condition_dim=encoder.width)
    generator = Generator().manual_seed(4)
    mean0, mean1 = torch.randn(2, dim, generator=generator)
    moments = Moments(mean0, mean1, std0=0.8, std1=1.7)
    path = CosinePath() if prediction == "data" else LinearPath()
    fresh = 1.7 * mlp.initial(generator)
    weights = 0.2 * torch.randn(mlp.size, generator=generator) if film else fresh  # fresh ones modulate nothing
    return Flow(mlp, weights, path, "residual", moments, prediction, encoder=encoder)


def values(encoder: ConditionEncoder, n: int) -> Tensor:
    return encoder.draw(n, Generator().manual_seed(8))


FIELD = """
    const engine = new kernel.Kernel({ simd: given.simd });
    return given.cases.map(({ description, weights, x, t, told, guidance }) => {
      const run = new network.NetworkRun(engine, description);
      run.put(0, { velocity: floats(weights) });
      const points = floats(x), into = new Float32Array(points.length);
      const { velocity, spent } = run.field(0, { told: told && floats(told), guidance });
      velocity(points, t, into);
      return [text(into), spent()];
    });
"""


@pytest.mark.parametrize("simd", [True, False], ids=["simd", "plain"])
@pytest.mark.parametrize("kind", ENCODERS)
def test_a_conditional_field_is_that_of_torch(page: ModulePage, kind: str, simd: bool) -> None:
    encoder, cases, expected = ENCODERS[kind], [], []
    shapes = [{}, {"frequencies": 2, "activation": "silu"}, {"activation": "tanh"}]
    shapes += [{"film": True, "activation": activation, "frequencies": k} for k, activation in enumerate(ACTIVATIONS)]
    for network, w, dim in itertools.product(shapes, GUIDANCE, (1, 2)):
        for many in ("each", "one", "none"):
            one, x = conditional(encoder, dim, **network), 1.5 * points(150, dim)
            told = {"each": values(encoder, 150), "one": values(encoder, 1), "none": None}[many]
            under = one if told is None else one.given(told).guided(Guiding(w))
            case = {"description": one.describe(), "weights": packed(one.weights), "x": packed(x), "t": 0.37}
            cases.append(case | {"told": None if told is None else packed(told.float()), "guidance": w})
            expected.append(((network, w, dim, many), under.velocity(x, 0.37), under.guiding.evaluations(0.37)))
    answers = page(FIELD, {"simd": simd, "cases": cases})
    for (what, velocity, calls), (found, called) in zip(expected, answers, strict=True):
        assert_near(unpacked(found, *velocity.shape), velocity, 1e-5, what)
        assert called == calls


@pytest.mark.parametrize("film", [False, True], ids=["mlp", "film"])
@pytest.mark.parametrize("prediction", ["velocity", "noise", "data"])
@pytest.mark.parametrize("kind", ENCODERS)
def test_the_pool_carries_each_particle_under_its_own_condition(
    page: ModulePage, kind: str, prediction: Any, film: bool
) -> None:
    encoder = ENCODERS[kind]
    one, x0, told = conditional(encoder, prediction=prediction, film=film), points(300, 2), values(encoder, 300)
    put(page, "conditional", one)
    for w in GUIDANCE[:3]:
        sampler = Sampler(solver=Heun(), steps=6, guidance=w)
        script = """
            const x0 = floats(given.x0), told = floats(given.told);
            const answer = await pool.sample({ ...given, x0, told });
            return { ...answer, t: [...answer.t], x: text(answer.x) };
        """
        asked = {"run": "conditional", "snapshot": 0, "dim": 2, "x0": packed(x0), "told": packed(told.float())}
        found = page(script, asked | sampler.describe() | {"guidance": w})
        expected = one.given(told).trajectory(x0, sampler)
        assert_near(unpacked(found["x"], -1, 300, 2), expected.x, 1e-4, w)
        assert found["nfe"] == expected.nfe


def test_without_a_condition_the_field_of_all_together_is_followed(page: ModulePage) -> None:
    one, x0 = conditional(ENCODERS["labels"]), points(100, 2)
    put(page, "null", one)
    found = sampled(page, "null", x0, solver="euler", steps=5, guidance=3)
    expected = one.trajectory(x0, Sampler(solver="euler", steps=5, guidance=3))
    assert_near(found["x"], expected.x, 1e-4, "null")
    assert found["nfe"] == expected.nfe == 5


def test_a_cloud_is_compared_with_the_points_under_its_value(page: ModulePage) -> None:
    real, labels = ENCODERS["labels"].target.draw(500, Generator().manual_seed(1))
    one = conditional(ENCODERS["labels"])
    put(page, "compared", one)
    script = """
        const points = floats(given.points), values = floats(given.values);
        pool.refer("compared", points, 2, values);
        const own = condition.pointsUnder(points, 2, values, 3);
        return [
          own.length / 2,
          await pool.distance({ run: "compared", points: own, value: 3 }),
          await pool.distance({ run: "compared", points: own, value: 2 }),
          await pool.distance({ run: "compared", points: own }),
        ];
    """
    count, same, other, whole = page(script, {"points": packed(real), "values": packed(labels.float())})
    assert count == int((labels == 3).sum())
    assert same == pytest.approx(0, abs=1e-6)
    assert other > 1
    assert whole > 0.5


def test_the_mean_of_a_guided_field_is_never_cached_between_conditions(page: ModulePage) -> None:
    """The kernel keeps one first layer, which is folded anew for each group."""
    encoder, x = ENCODERS["labels"], points(70, 2)
    one = conditional(encoder)
    cases = [
        {
            "description": one.describe(),
            "weights": packed(one.weights),
            "x": packed(x),
            "t": 0.5,
            "told": packed(torch.tensor([float(k)])),
            "guidance": 1,
        }
        for k in (0, 1, 0)
    ]
    first, second, again = (answer[0] for answer in page(FIELD, {"simd": True, "cases": cases}))
    assert first == again != second
    assert_near(
        unpacked(second, 70, 2), replace(one, conditions=encoder.columns(torch.tensor([1]))).velocity(x, 0.5), 1e-5, 1
    )


def test_a_modulated_network_without_a_condition_is_told_the_time(page: ModulePage) -> None:
    mlp = FilmNetwork(width=33, depth=3, embedding=7, frequencies=1).build(2, 2)
    weights = 0.3 * torch.randn(mlp.size, generator=Generator().manual_seed(1))
    one = Flow(mlp, weights, LinearPath(), "residual", Moments(torch.zeros(2), torch.ones(2), std0=1.0, std1=1.5))
    xs = points(100, 2)
    (found,) = fields(page, [one], [xs])
    for t, velocity in zip(times(one), found, strict=True):
        assert_near(velocity, one.velocity(xs, t), 1e-5, t)


@pytest.mark.parametrize("kind", ENCODERS)
@pytest.mark.parametrize(
    "solver",
    [
        {"kind": "euler_maruyama", "churn": 0.7},
        {"kind": "stochastic_heun", "s_churn": 20.0},
        {"kind": "ddim", "eta": 0.5},
        {"kind": "dpm_solver"},
    ],
    ids=lambda solver: solver["kind"],
)
def test_samplers_of_diffusions_follow_the_guided_field(page: ModulePage, kind: str, solver: dict[str, Any]) -> None:
    encoder, path = ENCODERS[kind], VPPath()
    plain = conditional(encoder)
    moments = replace(plain.moments, mean0=torch.zeros(2), std0=1.0)
    one = ScoredFlow(plain.mlp, plain.weights / 3, path, "residual", moments, encoder=encoder)
    x0, told = points(200, 2), values(encoder, 200)
    put(page, "diffusion", one)
    script = """
        const x0 = floats(given.x0), told = floats(given.told);
        const answer = await pool.sample({ ...given, x0, told });
        return { ...answer, t: [...answer.t], x: text(answer.x) };
    """
    for w in (1.0, 2.5):
        sampler = Sampler.model_validate({"solver": solver, "steps": 8, "guidance": w})
        asked = {"run": "diffusion", "snapshot": 0, "dim": 2, "x0": packed(x0), "told": packed(told.float()), "seed": 7}
        found = page(script, asked | sampler.describe() | {"guidance": w})
        expected = one.given(told).trajectory(x0, sampler, seed=7)
        assert_near(unpacked(found["x"], -1, 200, 2), expected.x, 1e-4, (solver, w))
        assert found["nfe"] == expected.nfe


@pytest.mark.parametrize("target", [Ring(modes=5), GaussianMixture(std=(0.2, 0.5, 0.9))], ids=["alike", "each its own"])
def test_the_exact_field_of_classes_is_that_of_python(page: ModulePage, target: Any) -> None:
    given = {"target": target.model_dump(mode="json"), "model": "exact", "condition": {"labels": True}}
    result = run(Experiment.parse(given))
    model, told, x0 = result.trained(), result.conditions(300), result.starts(300)
    assert isinstance(model, HasCondition)
    assert told is not None
    page("pool.open('classes', given);", model.describe())
    script = """
        const x0 = floats(given.x0), told = floats(given.told);
        const answer = await pool.sample({ ...given, x0, told });
        return { ...answer, t: [...answer.t], x: text(answer.x) };
    """
    for w in GUIDANCE[:3]:
        sampler = Sampler(solver=Heun(), steps=6, guidance=w)
        asked = {"run": "classes", "snapshot": 0, "dim": 2, "x0": packed(x0), "told": packed(told.float())}
        found = page(script, asked | sampler.describe() | {"guidance": w})
        expected = model.given(told).trajectory(x0, sampler)
        assert_near(unpacked(found["x"], -1, 300, 2), expected.x, 1e-4, w)
        assert found["nfe"] == expected.nfe
