"""The browser's samplers of diffusions against their Python twins, with the same noise on both sides."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from playground.choice import kinds
from playground.dynamics.churned import EulerMaruyama, StochasticMidpoint
from playground.dynamics.discrete import DiscretePath
from playground.dynamics.noise import Brownian, normals
from playground.dynamics.path import Path
from playground.dynamics.paths import AnyPath, BridgePath, InterpolantPath, LinearPath
from playground.dynamics.process import DiffusionSampler
from playground.dynamics.solvers import AnySolver, Sampler
from playground.models.diffusion import DiscreteFlow
from playground.models.flow import BridgeFlow, Flow, ScoredFlow
from tests.browser.modules.page import ModulePage, assert_near, flow, packed, points, sampled

DIALS: dict[str, list[dict[str, Any]]] = {
    "euler_maruyama": [{"churn": 0.0}, {"churn": 0.3}, {"churn": 1.0}],
    "stochastic_midpoint": [{"churn": 0.0}, {"churn": 0.4}, {"churn": 1.0}],
    "stochastic_heun": [{"s_churn": 0.0}, {"s_churn": 20.0}],
    "ancestral": [{"variance": 0.0}, {"variance": 0.6}],
    "ddim": [{"eta": 0.0}, {"eta": 0.7}, {"eta": 1.0}],
    "dpm_solver": [{}],
}
SAMPLERS = {cls.kind_name(): cls for cls in kinds(AnySolver) if issubclass(cls, DiffusionSampler)}
PATHS = {cls.kind_name(): cls() for cls in kinds(AnyPath) if not cls.bridge}


def scored(path: Path, **about: Any) -> ScoredFlow:
    """A field with random weights whose source counts as N(0, I)."""
    one = flow(path=path, **about)
    moments = replace(one.moments, mean0=torch.zeros(one.mlp.outputs), std0=1.0)
    return ScoredFlow(one.mlp, one.weights / 3, path, one.scaling, moments)


def opened(page: ModulePage, run: str, one: Flow) -> None:
    weights = {"velocity": packed(one.weights)}
    if isinstance(one, BridgeFlow):
        weights["score"] = packed(one.score_weights)
    script = """pool.open(given.run, given.description);
                pool.put(given.run, 0, codec.decodeWeights(given.weights));"""
    page(script, {"run": run, "description": one.describe(), "weights": weights})


def test_every_sampler_has_a_twin_with_the_same_dial(page: ModulePage) -> None:
    assert set(SAMPLERS) == set(DIALS)
    found = page(
        """return Object.entries(samplers.SAMPLERS).map(([name, { label, dial }]) =>
             [name, label, dial && { dial, ...samplers.DIALS[dial] }]);"""
    )
    for name, label, dial in found:
        cls = SAMPLERS[name]
        assert label == cls.label()
        fields = {key: info for key, info in cls.model_fields.items() if key != "kind"}
        assert list(fields) == ([dial["dial"]] if dial else [])
        for info in fields.values():
            low, high = (
                bound
                for part in info.metadata
                for bound in (getattr(part, "ge", None), getattr(part, "le", None))
                if bound is not None
            )
            assert (dial["low"], dial["high"], dial["standard"]) == (low, high, info.default)


def test_the_numbers_are_the_same(page: ModulePage) -> None:
    script = "return [...noise.normals(given.seed, given.first, given.index, given.dim, new Float64Array(given.size))]"
    for seed, first, index, dim in ((0, 0, 0, 2), (2**31 - 1, 70_000, 129, 1), (12345, 2**20, 99_999, 3)):
        given = {"seed": seed, "first": first, "index": index, "dim": dim, "size": 50 * dim}
        found = np.array(page(script, given)).reshape(50, dim)
        expected = normals(seed, np.arange(first, first + 50, dtype=np.uint32), index, dim)
        assert np.abs(found - expected).max() < 1e-12


@pytest.mark.parametrize("steps", [1, 7, 50, 300])
def test_the_brownian_paths_are_the_same_on_every_grid(page: ModulePage, steps: int) -> None:
    script = """const about = { seed: 4, first: 3, size: 10, dim: 2 };
                const one = new noise.Brownian({ ...about, start: given[0], stop: given.at(-1) });
                return given.slice(1).map((t, k) => [...one.step(given[k], t)]);"""
    times = [0.1 + 0.8 * (k / steps) ** 2 for k in range(steps)] + [0.9]
    twin = Brownian(4, torch.zeros(5, 2, dtype=torch.float64), times[0], times[-1], first=3)
    found = torch.tensor(page(script, times), dtype=torch.float64).view(steps, 5, 2)
    expected = torch.stack([twin(t, after) for t, after in itertools.pairwise(times)])
    assert float((found - expected).abs().max()) < 1e-9


@pytest.mark.parametrize("kind", DIALS)
@pytest.mark.parametrize("name", PATHS)
def test_every_sampler_passes_through_the_same_states_as_in_python(page: ModulePage, name: str, kind: str) -> None:
    one = scored(PATHS[name], activation="silu", seed=2)
    opened(page, f"sampler {name}", one)
    x0 = points(150, 2, seed=9)
    for dial, steps in itertools.product(DIALS[kind], (1, 3, 32)):
        twin = one.trajectory(x0, Sampler.model_validate({"solver": {"kind": kind, **dial}, "steps": steps}), seed=7)
        found = sampled(page, f"sampler {name}", one.start(x0), solver=kind, steps=steps, seed=7, **dial)
        assert (found["t"], found["nfe"]) == (twin.t.tolist(), twin.nfe)
        assert_near(found["x"], twin.x, 1e-4, (name, kind, dial, steps))


@pytest.mark.parametrize("path", [BridgePath(), InterpolantPath(), InterpolantPath(gamma="root")], ids=str)
@pytest.mark.parametrize("scaling", ["none", "standard", "residual"])
def test_along_bridges_the_second_network_gives_the_score(page: ModulePage, path: Path, scaling: Any) -> None:
    one, other = (flow(path=path, scaling=scaling, activation="silu", seed=seed, waves=2) for seed in (3, 4))
    both = BridgeFlow(one.mlp, one.weights / 3, path, scaling, one.moments, score_weights=other.weights / 3)
    opened(page, "bridge", both)
    x0 = points(100, 2, seed=1)
    for solver, nfe in ((EulerMaruyama(churn=0.8), 40), (StochasticMidpoint(churn=0.8), 80)):
        twin = both.trajectory(x0, Sampler(solver=solver, steps=20), seed=1)
        found = sampled(page, "bridge", both.start(x0), solver=solver.kind, steps=20, churn=0.8, seed=1)
        assert found["nfe"] == twin.nfe == nfe
        assert_near(found["x"], twin.x, 1e-4, (path, scaling, solver))


def test_each_particle_has_noise_of_its_own_however_they_are_divided(page: ModulePage) -> None:
    opened(page, "divided", scored(LinearPath(), activation="silu"))
    x0 = points(300, 2)
    cloud = sampled(page, "divided", x0, solver="euler_maruyama", steps=5)
    some = sampled(page, "divided", x0[200:210], solver="euler_maruyama", steps=5, particle=200)
    assert_near(some["x"], cloud["x"][:, 200:210], 1e-6, "the same particles")
    alike = sampled(page, "divided", x0[:1].repeat(2, 1), solver="euler_maruyama", steps=5)["x"]
    assert float((alike[-1, 0] - alike[-1, 1]).norm()) > 0.01


def test_back_in_time_a_point_follows_the_flow(page: ModulePage) -> None:
    opened(page, "back sampler", scored(LinearPath(), activation="silu"))
    times = [k / 40 for k in range(41)]
    there = sampled(page, "back sampler", points(5, 2), solver="heun", times=times)
    again = sampled(page, "back sampler", there["x"][-1], solver="euler_maruyama", churn=1, times=times[::-1])
    assert_near(again["x"].flip(0), there["x"], 5e-3, "back")


def test_what_is_offered_is_what_the_field_tells() -> None:
    everything = scored(LinearPath()).describe()["samplers"]
    assert set(everything) == set(SAMPLERS)
    assert flow().describe()["samplers"] == ["dpm_solver"]


@pytest.mark.parametrize("kind", [*DIALS, "euler", "heun", "rk4"])
def test_a_discrete_diffusion_stands_at_its_steps_on_both_sides(page: ModulePage, kind: str) -> None:
    for schedule, timesteps in itertools.product(("linear_beta", "cosine_alpha_bar"), (20, 100)):
        path = DiscretePath(schedule=schedule, timesteps=timesteps)
        base = scored(path, activation="silu", seed=5)
        one = DiscreteFlow(base.mlp, base.weights, path, base.scaling, base.moments, "noise")
        opened(page, "discrete", one)
        x0 = points(60, 2, seed=3)
        for steps, dial in itertools.product((7, 50), DIALS.get(kind, [{}])[-1:]):
            solver = {"kind": kind, **dial}
            twin = one.trajectory(x0, Sampler.model_validate({"solver": solver, "steps": steps}), seed=2)
            found = sampled(page, "discrete", one.start(x0), solver=kind, steps=steps, seed=2, **dial)
            assert (found["t"], found["nfe"]) == (twin.t.tolist(), twin.nfe)
            assert_near(found["x"], twin.x, 1e-4, (kind, schedule, timesteps, steps))
