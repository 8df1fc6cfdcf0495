"""The browser's fields against torch's, with and without SIMD."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from playground.dynamics.parameterization import Moments, ScalingKind
from playground.networks import ActivationName
from tests.browser.modules.page import ModulePage, assert_near, fields, flow, packed, points, times

ACTIVATIONS: tuple[ActivationName, ...] = ("relu", "silu", "tanh", "selu")
SCALINGS: tuple[ScalingKind, ...] = ("none", "standard", "residual")

SHAPES = [(0, 1), (1, 1), (1, 5), (2, 64), (3, 130), (8, 12)]  # depth, width
CASES = list(itertools.product(SHAPES, (1, 2), (0, 3), SCALINGS))


def doubled(moments: Moments) -> Moments:
    return replace(moments, mean0=moments.mean0.double(), mean1=moments.mean1.double())


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_field_is_that_of_torch(page: ModulePage, activation: ActivationName) -> None:
    flows = [flow(d, width, depth, activation, k, scaling) for (depth, width), d, k, scaling in CASES]
    xs = [1.5 * points(100, one.mlp.inputs) for one in flows]
    for case, one, x, found in zip(CASES, flows, xs, fields(page, flows, xs), strict=True):
        for t, velocity in zip(times(one), found, strict=True):
            assert_near(velocity, one.velocity(x, t), 1e-5, (case, t))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_without_simd_the_field_is_the_same(page: ModulePage, activation: ActivationName) -> None:
    flows = [flow(2, width, depth, activation, 3) for depth, width in SHAPES]
    xs = [points(100, 2)] * len(flows)
    pairs = zip(fields(page, flows, xs), fields(page, flows, xs, simd=False), strict=True)
    for shape, (fast, plain) in zip(SHAPES, pairs, strict=True):
        for one, other in zip(fast, plain, strict=True):
            assert_near(one, other, 2e-6, shape)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_fourier_features_are_those_of_torch(page: ModulePage, activation: ActivationName) -> None:
    """At every time, so at every damping of them, in one to five dimensions, with SIMD and without."""
    cases = [(1, 24, 0), (2, 24, 0), (2, 1, 3), (2, 64, 0), (3, 24, 1), (5, 7, 0)]  # dim, waves, frequencies
    flows = [flow(d, 64, 3, activation, k, scaling, waves=waves) for d, waves, k in cases for scaling in SCALINGS]
    xs = [points(100, one.mlp.inputs) for one in flows]
    fast, plain = fields(page, flows, xs), fields(page, flows, xs, simd=False)
    for one, x, *found in zip(flows, xs, fast, plain, strict=True):
        exact = replace(one, weights=one.weights.double(), moments=doubled(one.moments))
        for t, velocity, same in zip(times(one), *found, strict=True):
            assert_near(velocity, exact.velocity(x.double(), t).float(), 3e-5, (one.mlp, t))
            assert_near(velocity, same, 3e-5, (one.mlp, t))


def test_the_widest_network_and_many_dimensions_and_frequencies(page: ModulePage) -> None:
    flows = [flow(8, 512, 8, "silu", 16), flow(5, 33, 2, "tanh", 1), flow(2, 512, 1, "relu", 0)]
    xs = [points(65, 8), points(64, 5), points(1, 2)]
    for one, x, found in zip(flows, xs, fields(page, flows, xs), strict=True):
        for t, velocity in zip(times(one), found, strict=True):
            assert_near(velocity, one.velocity(x, t), 2e-5, one.mlp)


def test_weights_that_left_the_kernel_come_back(page: ModulePage) -> None:
    """Twelve networks of 3.2 MB do not fit the kernel's memory at once; each must answer as it did at first."""
    one = flow(2, 512, 4, "relu")
    script = """
        const engine = new kernel.Kernel();
        const run = new network.NetworkRun(engine, given.description);
        const weights = floats(given.weights), x = floats(given.x);
        const answer = (k) => {
          const into = new Float32Array(x.length);
          run.field(k).velocity(x, 0.5, into);
          return text(into);
        };
        const first = [];
        for (let k = 0; k < 12; k++) {
          run.put(k, { velocity: weights.map((w) => w * (1 - k / 100)) });
          first.push(answer(k));
        }
        return [engine.era, first, first.map((_, k) => answer(k))];
    """
    given = {"description": one.describe(), "weights": packed(one.weights), "x": packed(points(64, 2))}
    era, first, second = page(script, given)
    assert era >= 1
    assert first == second
    assert len(set(first)) == 12


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        ("description.networks.velocity.ops[1].op = 'conv'", 'there is no operation "conv"'),
        ("weights = weights.subarray(1)", "weights"),
        ("description.networks.velocity.ops[0].in += 1", "weights"),
        ("description.scaling.kind = 'other'", 'there is no input scaling "other"'),
        ("description.prediction = 'colour'", 'no prediction "colour"'),
        ("description.frequencies = 2", "inputs"),
    ],
)
def test_what_cannot_be_read_is_refused(page: ModulePage, spoil: str, sentence: str) -> None:
    one = flow()
    script = f"""
        let {{ description }} = given, weights = floats(given.weights);
        {spoil};
        try {{
          const run = new network.NetworkRun(new kernel.Kernel(), description);
          run.put(0, {{ velocity: weights }});
          run.field(0).velocity(new Float32Array(4), 0.5, new Float32Array(4));
        }} catch (error) {{ return error.message; }}
    """
    assert sentence in page(script, {"description": one.describe(), "weights": packed(one.weights)})
