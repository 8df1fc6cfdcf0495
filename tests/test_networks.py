"""The networks against torch.nn, number by number."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from torch import Generator, nn

from playground.networks import ACTIVATIONS, FilmNetwork, Mlp, Network, wave_vectors

MODULES = {"relu": nn.ReLU, "silu": nn.SiLU, "tanh": nn.Tanh, "selu": nn.SELU}
EVERY_ACTIVATION = pytest.mark.parametrize("activation", ACTIVATIONS)


def sequential(mlp: Mlp, weights: torch.Tensor) -> nn.Sequential:
    """torch's own network with the same numbers: for each layer its matrix, row by row, and then its bias."""
    sizes = [mlp.inputs + 2 * mlp.waves + 1 + 2 * mlp.frequencies, *mlp.widths, mlp.outputs]
    layers: list[nn.Module] = []
    at = 0
    for columns, rows in itertools.pairwise(sizes):
        linear = nn.Linear(columns, rows)
        with torch.no_grad():
            linear.weight.copy_(weights[at : at + rows * columns].view(rows, columns))
            linear.bias.copy_(weights[at + rows * columns : at + rows * columns + rows])
        at += rows * columns + rows
        layers += [linear, MODULES[mlp.activation]()]
    assert at == len(weights) == mlp.size
    return nn.Sequential(*layers[:-1])


def told(mlp: Mlp, x: torch.Tensor, t: torch.Tensor, blur: float = 0.0) -> torch.Tensor:
    """The input of the first layer as the message to the browser defines it."""
    omega = torch.tensor(mlp.describe().get("waves", [])).view(-1, mlp.inputs).to(x)
    features = [wave(x @ omega.T) * torch.exp(-0.5 * omega.square().sum(1) * blur) for wave in (torch.sin, torch.cos)]
    waves = [wave(2 * math.pi * k * t) for wave in (torch.sin, torch.cos) for k in range(1, mlp.frequencies + 1)]
    return torch.cat([x, *features, 2 * t - 1, *waves], dim=1)


def some(n: int, d: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = Generator().manual_seed(9)
    return torch.randn(n, d, generator=generator), torch.rand(n, 1, generator=generator)


@EVERY_ACTIVATION
@pytest.mark.parametrize("frequencies", [0, 1, 5])
@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("features", [0, 1, 24])
def test_it_computes_what_torch_does(activation, frequencies, depth, features):
    for d in (1, 2, 3, 6):
        network = Network(width=9, depth=depth, activation=activation, frequencies=frequencies, features=features)
        mlp = network.build(d, d)
        weights = mlp.initial(Generator().manual_seed(1))
        x, t = some(20, d)
        for blur in (0.0, 0.01, 1.0):
            seen = told(mlp, x, t, blur)
            found = mlp(weights, x, t, blur=torch.full((20, 1), blur))
            with torch.no_grad():
                torch.testing.assert_close(found, sequential(mlp, weights)(seen), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dim", [1, 2, 3, 5])
def test_waves_are_spread_over_lengths_and_directions(dim):
    omega = wave_vectors(dim, 48, 16.0)
    lengths = omega.norm(dim=0)
    torch.testing.assert_close(lengths, 16 ** torch.linspace(0, 1, 48, dtype=torch.float64))
    directions = omega / lengths
    # As even as the isotropic distribution, whose second moment is I / d, in which u and −u count as the same.
    moment = directions @ directions.T / 48
    torch.testing.assert_close(moment, torch.eye(dim, dtype=torch.float64) / dim, rtol=0, atol=0.04)
    if dim > 1:
        nearest = (directions.T @ directions).abs().fill_diagonal_(0).amax(1)
        assert float(nearest.min()) > 0.3  # no direction is far from all others
        assert len(torch.unique(directions.T.round(decimals=6), dim=0)) == 48


def test_a_feature_is_the_mean_of_its_wave_under_the_noise():
    """g sin ω·x = E sin ω·(x + √b z): by 100,000 draws."""
    mlp = Network(features=6, finest=3).build(2, 2)
    x, _ = some(5, 2)
    z = torch.randn(100_000, 2, generator=Generator().manual_seed(0))
    _, sine, cosine = mlp.waves_at(x, torch.tensor([[0.3]]))
    for i in range(5):
        _, sines, cosines = mlp.waves_at(x[i] + math.sqrt(0.3) * z)
        torch.testing.assert_close(sines.mean(0), sine[i], rtol=0, atol=0.015)
        torch.testing.assert_close(cosines.mean(0), cosine[i], rtol=0, atol=0.015)


def test_features_are_off_where_they_are_not_asked_for():
    assert Network(features=0).build(2, 2).own == 2
    assert Network().build(2, 2, timed=False).own == 2
    assert Network(features=5).build(2, 2, timed=False, features=True).own == 12
    assert "waves" not in Network(features=0).build(2, 2).describe()


@EVERY_ACTIVATION
def test_one_time_for_all(activation):
    mlp = Network(width=8, activation=activation, frequencies=2).build(2, 2)
    weights = mlp.initial(Generator().manual_seed(1))
    x, _ = some(20, 2)
    together = mlp(weights, x, torch.tensor([[0.3]]))
    torch.testing.assert_close(together, mlp(weights, x, torch.full((20, 1), 0.3)))


@EVERY_ACTIVATION
def test_gradients_reach_weights_and_inputs(activation):
    mlp = Network(width=8, depth=2, activation=activation, frequencies=1).build(2, 2)
    weights = mlp.initial(Generator().manual_seed(1)).requires_grad_()
    x, t = some(20, 2)
    ours = torch.autograd.grad(mlp(weights, x, t).square().mean(), weights)[0]
    theirs = sequential(mlp, weights.detach())
    theirs(told(mlp, x, t)).square().mean().backward()
    torch.testing.assert_close(ours, torch.cat([parameter.grad.flatten() for parameter in theirs.parameters()]))


def test_the_size_is_that_of_its_layers():
    assert Network().build(2, 2).size == (51 * 64 + 64) + 2 * (64 * 64 + 64) + (64 * 2 + 2)
    assert Network(features=0).build(2, 2).size == (3 * 64 + 64) + 2 * (64 * 64 + 64) + (64 * 2 + 2)
    assert Network(width=4, depth=1, features=0).build(1, 1).size == (2 * 4 + 4) + (4 + 1)
    assert Network(width=4, depth=1, frequencies=3, features=0).build(1, 1).size == (8 * 4 + 4) + (4 + 1)


def test_one_update_of_the_default_network_fits_its_budget():
    """At most 70 kB for a streamed update, base64 included."""
    assert Network().build(2, 2).size * 4 * 4 / 3 < 70_000


def test_initial_weights_follow_the_seed():
    mlp = Network(width=32).build(2, 2)
    first, again, other = (mlp.initial(Generator().manual_seed(seed)) for seed in (4, 4, 5))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.dtype == torch.float32
    assert first.shape == (mlp.size,)


def test_initial_weights_are_spread_as_torch_spreads_them():
    """Uniform on ±1/√in, matrix and bias."""
    mlp = Network(width=256, depth=2).build(2, 2)
    for matrix, bias in mlp.layers(mlp.initial(Generator().manual_seed(0))):
        bound = 1 / math.sqrt(matrix.shape[1])
        for values in (matrix, bias):
            assert values.abs().max() <= bound
            if values.numel() > 200:
                assert values.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.1)


def test_initial_weights_do_not_touch_the_global_chance():
    before = torch.random.get_rng_state()
    Network().build(2, 2).initial(Generator().manual_seed(0))
    assert torch.equal(torch.random.get_rng_state(), before)


@EVERY_ACTIVATION
def test_the_description_is_enough_to_compute_it(activation):
    """Another runtime reads the operations in order and the flat weights, in float64."""
    mlp = Network(width=7, depth=2, activation=activation, frequencies=2).build(2, 3)
    weights = mlp.initial(Generator().manual_seed(1))
    described, flat = mlp.describe(), weights.double().numpy()
    functions = {
        "relu": lambda z: np.maximum(z, 0),
        "silu": lambda z: z / (1 + np.exp(-z)),
        "tanh": np.tanh,
        "selu": lambda z: 1.0507009873554805 * np.where(z > 0, z, 1.6732632423543772 * np.expm1(z)),
    }
    x, t = some(10, 2)
    h = told(mlp, x, t).double().numpy()
    at = 0
    for op in described["ops"]:
        if op["op"] == "linear":
            rows, columns = op["out"], op["in"]
            matrix = flat[at : at + rows * columns].reshape(rows, columns)
            h = h @ matrix.T + flat[at + rows * columns : at + rows * columns + rows]
            at += rows * columns + rows
        else:
            h = functions[op["op"]](h)
    assert at == described["size"] == len(flat)
    np.testing.assert_allclose(h, mlp(weights, x, t).numpy(), atol=1e-5)


def test_a_network_that_is_not_timed_sees_its_inputs_alone():
    mlp = Network(width=8, depth=2, frequencies=3).build(3, 2, timed=False)
    weights = mlp.initial(Generator().manual_seed(0))
    assert mlp.shapes[0] == (8, 3)
    assert mlp(weights, torch.randn(5, 3)).shape == (5, 2)
    with pytest.raises(AssertionError):
        Network().build(3, 2)(Network().build(3, 2).initial(Generator()), torch.randn(5, 3))


def film():
    network = FilmNetwork(width=7, depth=2, frequencies=1, embedding=5, activation="tanh", features=0)
    mlp = network.build(2, 3, condition_dim=3)
    return mlp, torch.randn(mlp.size, generator=Generator().manual_seed(1))


def test_a_modulated_layer_is_scaled_and_shifted_by_what_is_told():
    """The formula written out, for one particle at a time."""
    mlp, weights = film()
    assert mlp.shapes == [(5, 6), (28, 5), (7, 2), (7, 7), (3, 7)]
    x, t, c = (torch.randn(4, width, generator=Generator().manual_seed(width)) for width in (2, 1, 3))
    (embed, a), (modulate, b), *hidden, (last, last_bias) = mlp.layers(weights)
    for i in range(4):
        e = torch.cat([2 * t[i] - 1, torch.sin(2 * math.pi * t[i]), torch.cos(2 * math.pi * t[i]), c[i]])
        s1, b1, s2, b2 = (modulate @ torch.tanh(embed @ e + a) + b).view(4, 7)
        h = torch.tanh((1 + s1) * (hidden[0][0] @ x[i] + hidden[0][1]) + b1)
        h = torch.tanh((1 + s2) * (hidden[1][0] @ h + hidden[1][1]) + b2)
        assert torch.allclose(mlp(weights, x, t, c)[i], last @ h + last_bias, atol=1e-5)


def test_what_is_told_to_all_alike_is_told_once():
    mlp, weights = film()
    x, c = torch.randn(6, 2, generator=Generator().manual_seed(3)), torch.ones(1, 3)
    alike = mlp(weights, x, torch.full((1, 1), 0.3), c)
    assert torch.allclose(alike, mlp(weights, x, torch.full((6, 1), 0.3), c.expand(6, -1)), atol=1e-5)
    told = mlp.inputs_at(x[:1], torch.full((1, 1), 0.3), c)[:, 2:]
    plain = Network(width=7, depth=2, activation="tanh").build(2, 3, timed=False)
    assert torch.allclose(plain(mlp.at(weights, told), x), alike, atol=1e-5)


def test_a_fresh_modulated_network_is_not_modulated_yet():
    mlp, _ = film()
    weights = mlp.initial(Generator().manual_seed(0))
    for scale, shift in mlp.modulation(weights, torch.randn(3, mlp.shared)):
        assert not scale.any()
        assert not shift.any()


def test_with_nothing_to_be_told_a_modulated_network_is_a_plain_one():
    mlp = FilmNetwork(width=7).build(2, 3, timed=False)
    assert mlp == Network(width=7).build(2, 3, timed=False)
    assert FilmNetwork(width=7).build(2, 3, timed=False, condition_dim=4).shared == 4


def test_a_modulated_network_describes_its_layers_and_what_modulates_them():
    mlp, weights = film()
    told = mlp.describe()
    assert told["film"] == {"in": 6, "embedding": 5, "activation": "tanh"}
    assert [op["op"] for op in told["ops"]] == ["linear", "tanh", "linear", "tanh", "linear"]
    assert told["ops"][0] == {"op": "linear", "in": 2, "out": 7}
    assert told["size"] == len(weights)
