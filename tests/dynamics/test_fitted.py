"""A fitted mixture: the points' own moments, and a field near the true one."""

import torch

from playground.distributions import Checkerboard, Uniform
from playground.dynamics.exact import ExactField, Normal
from playground.dynamics.fitted import fitted
from playground.dynamics.paths import LinearPath
from playground.models.base import seeded


def test_moments_are_those_of_the_points():
    x = Checkerboard().sample(2**13, seeded(0, 1))
    mixture = fitted(x, 256, seeded(0, 2))
    assert abs(float(mixture.weights.sum()) - 1) < 1e-12 and len(mixture.centers) <= 256
    assert torch.allclose(mixture.weights @ mixture.centers, x.double().mean(0), atol=5e-3)
    spread = mixture.covariances + mixture.centers[:, :, None] * mixture.centers[:, None, :]
    second = (mixture.weights[:, None, None] * spread).sum(0)
    assert torch.allclose(second, x.double().T @ x.double() / len(x), atol=2e-2)


def test_the_field_is_near_that_of_a_uniform_target():
    """E[x1 | x_t = x] for N(0, 1) and U(−1, 1) by quadrature."""
    x1 = Uniform(low=-1, high=1).at(1).sample(2**14, seeded(0, 1))
    one = torch.ones(1, 1, dtype=torch.float64)
    field = ExactField(LinearPath(), Normal(torch.zeros(1, dtype=torch.float64), one), fitted(x1, 128, seeded(0, 2)))
    grid = torch.linspace(-1, 1, 4001, dtype=torch.float64)
    for t in (0.3, 0.7, 0.9):
        x = torch.linspace(-0.9, 0.9, 19, dtype=torch.float64)[:, None]
        share = torch.softmax(-0.5 * ((x - t * grid) / (1 - t)).square(), 1)
        mean = share @ grid[:, None]
        velocity = mean - (x - t * mean) / (1 - t)
        assert (field.velocity(x, t) - velocity).abs().max() < 0.05, t


def test_more_components_than_points_are_no_trouble():
    x = torch.tensor([[0.0, 0.0]] * 20 + [[1.0, 1.0]] * 20)
    mixture = fitted(x, 64, seeded(0, 2))
    assert torch.isfinite(mixture.covariances).all() and torch.linalg.eigvalsh(mixture.covariances).min() > 0
    assert torch.allclose(mixture.weights @ mixture.centers, torch.tensor([0.5, 0.5], dtype=torch.float64))
