"""The gradient that is written out, and Adam, against torch's own."""

from __future__ import annotations

import functools

import pytest
import torch
from torch import Generator

from playground.models.base import Optimisation
from playground.models.learning import Adam, FilmRegression, Regression, output_and_jacobian, regression
from playground.networks import ACTIVATIONS, FilmNetwork, Network


def some(n: int, mlp, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = Generator().manual_seed(seed)
    x, y = torch.randn(n, mlp.inputs, generator=generator), torch.randn(n, mlp.outputs, generator=generator)
    return x, torch.rand(n, 1, generator=generator), y


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("frequencies", [0, 3])
def test_the_gradient_is_that_of_automatic_differentiation(activation, depth, frequencies):
    network = Network(width=11, depth=depth, activation=activation, frequencies=frequencies)
    for inputs, outputs in ((1, 1), (2, 2), (2, 3)):
        mlp = network.build(inputs, outputs)
        weights = mlp.initial(Generator().manual_seed(1)).requires_grad_()
        regression = Regression(mlp, weights.detach())
        for n in (1, 64, 64, 5):  # batches of another size, and the same again
            x, t, y = some(n, mlp, seed=n)
            expected = (mlp(weights, x, t) - y).square().mean()
            (gradient,) = torch.autograd.grad(expected, weights)
            loss = regression(mlp.inputs_at(x, t), y)
            torch.testing.assert_close(loss, expected.detach())
            torch.testing.assert_close(regression.gradient, gradient, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("depth", "told"), [(1, 0), (2, 5), (4, 20)])
@pytest.mark.parametrize("huber", [None, 0.5])
def test_the_gradient_of_a_modulated_network_is_that_of_automatic_differentiation(activation, depth, told, huber):
    network = FilmNetwork(width=11, depth=depth, activation=activation, embedding=6, frequencies=1)
    mlp = network.build(2, 3, condition_dim=told)
    weights = (0.5 * torch.randn(mlp.size, generator=Generator().manual_seed(1)).double()).requires_grad_()
    written = regression(mlp, weights.detach(), huber)
    assert isinstance(written, FilmRegression)
    for n in (1, 64, 5):
        x, t, y = (part.double() for part in some(n, mlp, seed=n))  # in which no unit of ReLU is at its kink
        c = torch.randn(n, told, generator=Generator().manual_seed(n)).double()
        rows = torch.rand(n, 1, generator=Generator().manual_seed(n + 1)).double()
        error = mlp(weights, x, t, c) - y
        squares = error.square()
        if huber is not None:
            squares = 2 * torch.nn.functional.huber_loss(error, torch.zeros_like(y), "none", huber)
        for factors in (None, rows):
            expected = (squares if factors is None else squares * factors).mean()
            (gradient,) = torch.autograd.grad(expected, weights, retain_graph=True)
            loss = written(mlp.inputs_at(x, t, c), y, factors)
            torch.testing.assert_close(loss, expected.detach())
            torch.testing.assert_close(written.gradient, gradient, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", [Network, FilmNetwork])
@pytest.mark.parametrize("features", [0, 7])
@pytest.mark.parametrize("dim", [1, 2, 3])
def test_the_jacobian_is_that_of_automatic_differentiation(kind, features, dim):
    mlp = kind(width=9, depth=3, activation="silu", features=features).build(dim, dim, condition_dim=3)
    weights = 0.5 * torch.randn(mlp.size, generator=Generator().manual_seed(1)).double()
    x, t, _ = (part.double() for part in some(8, mlp))
    c, blur = (torch.rand(8, k, generator=Generator().manual_seed(k)).double() for k in (3, 1))
    output, jacobians = output_and_jacobian(mlp, weights, x, t, c, 0.1 * blur)
    torch.testing.assert_close(output, mlp(weights, x, t, c, 0.1 * blur))
    for i in range(8):
        row = slice(i, i + 1)
        field = functools.partial(lambda row, p: mlp(weights, p[None], t[row], c[row], 0.1 * blur[row])[0], row)
        jacobian = torch.autograd.functional.jacobian(field, x[i])
        torch.testing.assert_close(jacobians[i], jacobian.T)


def test_it_follows_weights_that_change():
    mlp = Network(width=8, depth=2).build(2, 2)
    weights = mlp.initial(Generator().manual_seed(1))
    regression = Regression(mlp, weights)
    x, t, y = some(16, mlp)
    before = float(regression(mlp.inputs_at(x, t), y))
    weights.sub_(1e-2 * regression.gradient)
    after = float(regression(mlp.inputs_at(x, t), y))
    assert after < before
    assert after == pytest.approx(float((mlp(weights, x, t) - y).square().mean()))


def test_examples_are_left_as_they_were():
    mlp = Network(width=8, depth=2).build(2, 2)
    x, t, y = some(16, mlp)
    inputs = mlp.inputs_at(x, t)
    kept = inputs.clone(), y.clone()
    Regression(mlp, mlp.initial(Generator().manual_seed(1)))(inputs, y)
    assert torch.equal(inputs, kept[0])
    assert torch.equal(y, kept[1])


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.8, 0.99)])
def test_adam_is_that_of_torch(betas):
    generator = Generator().manual_seed(0)
    start = torch.randn(20, generator=generator, dtype=torch.float64)
    ours = Adam(start.clone(), Optimisation(rate=0.01, ema=0), betas=betas)
    theirs = start.clone().requires_grad_()
    reference = torch.optim.Adam([theirs], lr=0.01, betas=betas)
    for step in range(50):
        gradient = torch.randn(20, generator=generator, dtype=torch.float64)
        decay = 1 - step / 100
        ours.step(gradient, decay)
        reference.param_groups[0]["lr"] = 0.01 * decay
        theirs.grad = gradient.clone()
        reference.step()
    torch.testing.assert_close(ours.average(), theirs.detach(), rtol=1e-6, atol=1e-9)


def test_the_average_warms_up():
    """After k steps each keeps min(ema, (1 + k) / (10 + k)) of what there was."""
    adam = Adam(torch.zeros(3), Optimisation(rate=0.1, ema=0.6))
    average = torch.zeros(3)
    for step in range(1, 30):
        adam.step(torch.tensor([1.0, -1.0, 0.5]), 1.0)
        average = average.lerp(adam.weights, 1 - min(0.6, (1 + step) / (10 + step)))
        torch.testing.assert_close(adam.average(), average)
