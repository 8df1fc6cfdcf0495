"""The browser's encoder, decoder and bounds against the server's; a map with noise against its trajectory."""

from __future__ import annotations

import pytest
import torch

from playground import Experiment, Run, run
from tests.browser.modules.page import ModulePage, assert_near, packed, unpacked


@pytest.fixture(scope="module", params=[(1, "relu"), (3, "tanh")], ids=["one latent", "three latents"])
def trained(request) -> Run:
    latent, activation = request.param
    given = {"target": "two_moons", "model": {"kind": "vae", "latent_dim": latent}, "training": {"steps": 120}}
    return run(Experiment.parse(given | {"network": {"width": 16, "depth": 2, "activation": activation}}))


def question(result: Run) -> dict:
    weights = result.round().last.weights
    names = ("encoder", "decoder", "spread")
    return {
        "description": result.trained().describe(),
        "weights": {name: packed(weights[name]) for name in names},
        "real": packed(result.real(200)),
        "starts": packed(result.starts(200)),
    }


READ = """
    const weights = Object.fromEntries(Object.entries(given.weights).map(([name, t]) => [name, floats(t)]));
    const one = new coder.Coder(given.description, weights);
    const real = floats(given.real);
    const float = (values) => text(Float32Array.from(values));
"""


def test_encoding_decoding_and_rates(page: ModulePage, trained: Run) -> None:
    model, x = trained.trained(), trained.real(200)
    found = page(
        READ + "const code = one.encode(real);"
        "return { mean: float(code.mean), deviation: float(code.deviation), decoded: float(one.decode(code.mean)),"
        "  rates: float(one.rates(code)) };",
        question(trained),
    )
    mean, deviation = model.encode(x)
    k = model.latent_dim
    assert_near(unpacked(found["mean"], 200, k), mean, 1e-4, "coder")
    assert_near(unpacked(found["deviation"], 200, k), deviation, 1e-4, "coder")
    assert_near(unpacked(found["decoded"], 200, 2), model.decode(mean), 1e-4, "coder")
    assert_near(unpacked(found["rates"], k), model.bound(x, draws=1)[1].mean(0), 1e-3, "coder")


def test_bounds_agree_within_their_noise(page: ModulePage, trained: Run) -> None:
    model, x = trained.trained(), trained.real(200)
    script = READ + (
        "const field = await import('/scene/exact-field.js'); const kept = field.noise(200 * 3 * 64); let at = 0;"
        "return one.bounds(real, one.encode(real), 64, () => kept[at++ % kept.length]);"
    )
    found = page(script, question(trained))
    reconstruction, _ = model.bound(x, draws=400)
    assert found["reconstruction"] == pytest.approx(float(reconstruction.mean()), abs=0.05)
    assert found["weighted"] == pytest.approx(float(model.importance_weighted(x, draws=64).mean()), abs=0.05)


def test_a_map_with_noise_is_the_trajectory(page: ModulePage, trained: Run) -> None:
    script = READ + (
        "const engine = new kernel.Kernel(); const run = new surfaces.MapRun(engine, given.description);"
        "run.put(0, weights); const [seen, x] = run.jump(0, floats(given.starts));"
        "return { seen: text(seen), x: text(x) };"
    )
    found = page(script, question(trained))
    expected = trained.trained().trajectory(trained.starts(200), trained.experiment.sampler)
    assert_near(unpacked(found["x"], 200, 2), expected.end, 1e-4, "coder")
    torch.testing.assert_close(unpacked(found["seen"], 200, 2), expected.start)
