"""Maps from a latent and surfaces over the data against torch's, and what the pool makes of them."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Generator, Tensor

from playground.models.energy.base import Energy
from playground.models.energy.chains import Hmc
from playground.models.energy.model import EnergyModel, TrainedEnergy
from playground.models.jump import Jump
from playground.networks import Mlp, Network
from tests.browser.modules.page import ModulePage, assert_near, packed, points, unpacked

SHAPES = [(1, 1), (1, 2), (2, 1), (2, 2), (8, 2), (3, 1)]  # latent, data


def weights_of(mlp: Mlp, seed: int = 0) -> Tensor:
    return 1.5 * mlp.initial(Generator().manual_seed(seed))


def scaling(size: int, seed: int) -> dict[str, list[float]]:
    generator = Generator().manual_seed(seed)
    mean, std = torch.randn(size, generator=generator), 0.5 + torch.rand(size, generator=generator)
    return {"mean": mean.tolist(), "std": std.tolist()}


def described(latent: int, dim: int, activation: str = "relu") -> tuple[dict, Mlp, Mlp]:
    generator = Mlp(latent, dim, (32, 32), activation, timed=False)
    critic = Mlp(dim, 1, (16,), "tanh", timed=False)
    description = {
        "dim": dim,
        "map": {
            "network": "generator",
            "latent": latent,
            "dim": dim,
            "inside": scaling(latent, 1),
            "outside": scaling(dim, 2),
        },
        "networks": {"generator": generator.describe(), "critic": critic.describe()},
        "surfaces": {
            "realness": {"network": "critic", "label": "D(x)", "of": "probability", "inside": scaling(dim, 3)},
            "raw": {"network": "critic", "label": "f(x)", "of": "value", "inside": scaling(dim, 3)},
        },
    }
    return description, generator, critic


def scaled(x: Tensor, how: dict[str, list[float]]) -> Tensor:
    return (x - torch.tensor(how["mean"])) / torch.tensor(how["std"])


@pytest.mark.parametrize(("latent", "dim"), SHAPES)
@pytest.mark.parametrize("activation", ["relu", "silu"])
def test_a_map_is_one_call_of_its_network(page: ModulePage, latent: int, dim: int, activation: str) -> None:
    description, generator, critic = described(latent, dim, activation)
    z = points(150, latent)
    script = """
        pool.open('map', given.description);
        pool.put('map', 0, { generator: floats(given.generator), critic: floats(given.critic) });
        const one = await pool.sample({ run: 'map', snapshot: 0, x0: floats(given.z), dim: given.description.dim,
                                        solver: 'heun', steps: 50 });
        return [Array.from(one.t), text(one.x), one.n, one.nfe];
    """
    weights = {"generator": weights_of(generator), "critic": weights_of(critic)}
    given = {"description": description, "z": packed(z)} | {name: packed(values) for name, values in weights.items()}
    times, x, n, nfe = page(script, given)
    assert (times, n, nfe) == ([0, 1], 150, 1)
    start, end = unpacked(x, 2, 150, dim)
    assert torch.equal(start[:, : min(latent, dim)], z[:, : min(latent, dim)])
    assert (start[:, latent:] == 0).all()
    how = description["map"]
    expected = generator(weights["generator"], scaled(z, how["inside"]))
    outside = how["outside"]
    assert_near(end, torch.tensor(outside["mean"]) + torch.tensor(outside["std"]) * expected, 1e-5, (latent, dim))


def test_surfaces_are_the_networks_values_and_their_probabilities(page: ModulePage) -> None:
    description, generator, critic = described(3, 2)
    x = points(200, 2)
    script = """
        pool.open('surfaces', given.description);
        pool.put('surfaces', 4, { generator: floats(given.generator), critic: floats(given.critic) });
        const ask = (name) => pool.surface({ run: 'surfaces', snapshot: 4, name, points: floats(given.x) });
        return [text(await ask('realness')), text(await ask('raw'))];
    """
    weights = weights_of(critic)
    given = {"description": description, "x": packed(x), "critic": packed(weights)}
    realness, raw = page(script, given | {"generator": packed(weights_of(generator))})
    expected = critic(weights, scaled(x, description["surfaces"]["raw"]["inside"]))[:, 0]
    assert_near(unpacked(raw), expected, 1e-5, "raw")
    assert_near(unpacked(realness), torch.sigmoid(expected), 1e-5, "realness")


def test_a_surface_that_is_not_there_and_a_field_of_a_map_are_refused(page: ModulePage) -> None:
    description, generator, critic = described(2, 2)
    script = """
        pool.open('map', given.description);
        pool.put('map', 0, { generator: floats(given.generator), critic: floats(given.critic) });
        const points = new Float32Array(4);
        const sentence = (asked) => asked.then(() => 'nothing', (error) => error.message);
        return [
          await sentence(pool.surface({ run: 'map', snapshot: 0, name: 'height', points })),
          await sentence(pool.surface({ run: 'map', snapshot: 7, name: 'raw', points })),
          await sentence(pool.evaluate({ run: 'map', snapshot: 0, points, t: 0.5 })),
        ];
    """
    given = {"description": description, "critic": packed(weights_of(critic))}
    sentences = page(script, given | {"generator": packed(weights_of(generator))})
    assert (
        'no surface "height"' in sentences[0] and "snapshot 7" in sentences[1] and "no velocity field" in sentences[2]
    )


@pytest.mark.parametrize("dim", [1, 2])
def test_an_energy_is_its_network_in_a_bowl_and_its_density_sums_to_one(page: ModulePage, dim: int) -> None:
    """As torch has it; and of a Gaussian's energy the normaliser is the known one."""
    mlp = EnergyModel().suited(Network(width=16, depth=2)).build(dim, 1, timed=False)
    weights, how = weights_of(mlp), scaling(dim, 3)
    model = TrainedEnergy(
        Energy(mlp), weights, torch.tensor(how["mean"]), torch.tensor(how["std"]), Hmc(), torch.zeros(0)
    )
    x = points(200, dim)
    script = """
        pool.open('energy', given.description);
        pool.put('energy', 0, { energy: floats(given.weights) });
        const energies = await pool.surface({ run: 'energy', snapshot: 0, name: 'energy', points: floats(given.x) });
        const { boltzmann } = await import('/stage/layers/density/boltzmann.js');
        const side = 101, cell = 0.1;
        const squares = Float32Array.from({ length: side ** 2 }, (_, k) => {
          const [i, j] = [k % side, Math.floor(k / side)].map((at) => (at - 50) * cell);
          return 3 + (i ** 2 + j ** 2) / 2;
        });
        const { shares, logNormaliser } = boltzmann(squares, cell ** 2);
        return [text(energies), Math.max(...shares), logNormaliser];
    """
    given = {"description": model.describe(), "x": packed(x), "weights": packed(weights)}
    energies, most, log_normaliser = page(script, given)
    assert_near(unpacked(energies), model.energy(x), 1e-5, "energy")
    assert most == 1
    assert log_normaliser == pytest.approx(math.log(2 * math.pi) - 3, abs=1e-4)


def test_a_distilled_map_sees_fourier_features_undamped(page: ModulePage) -> None:
    network = Network(features=24)
    mlp = network.build(2, 2, timed=False, features=True)
    weights = {"map": mlp.initial(Generator().manual_seed(1)), "moments": torch.tensor([0.3, -0.2, 1, 2, 0.8, 1.7])}
    jump, x0 = Jump.of(network, 2, weights), points(130, 2)
    script = """
        const run = new surfaces.MapRun(new kernel.Kernel(), given.description);
        run.put(0, { map: floats(given.weights) });
        return text(run.jump(0, floats(given.x0))[1]);
    """
    found = page(script, {"description": jump.describe(), "weights": packed(jump.weights), "x0": packed(x0)})
    assert_near(unpacked(found, 130, 2), jump.end(x0), 1e-5, "map")
