"""A GAN's losses against numerical maximisation, closed forms and the naive logarithms of their papers."""

from __future__ import annotations

import math

import pytest
import torch
from pydantic import ValidationError

from playground.choice import kinds
from playground.models.gan.divergences import divergence
from playground.models.gan.losses import AnyGanLoss, FGan, LeastSquares, NonSaturating, Relativistic, Saturating

NAMES = ["kl", "reverse_kl", "jensen_shannon", "pearson", "squared_hellinger", "total_variation"]
ALL = [(name, 0.5) for name in NAMES] + [("alpha", alpha) for alpha in (-1.5, -0.5, 0.3, 0.5, 0.8, 1.5, 2.0, 3.0)]
V = torch.linspace(-2.5, 1.2, 60, dtype=torch.float64)


def grid_of_ratios() -> torch.Tensor:
    """Ratios u from 1e-8 to 1e6, dense enough to find a maximum to 1e-5; and 1, where one f has a kink."""
    return torch.cat([torch.logspace(-8, 6, 200_001, dtype=torch.float64), torch.ones(1, dtype=torch.float64)])


@pytest.mark.parametrize(("name", "alpha"), ALL)
def test_the_conjugate_is_the_maximum_over_ratios(name, alpha):
    """f*(t) = sup_u (u t − f(u)) for each t = g(v) whose maximum lies at a ratio of the grid."""
    chosen, u = divergence(name, alpha), grid_of_ratios()
    f, checked = chosen.f(u), 0
    for t in chosen.activation(V):
        if name == "pearson" and t < -2:  # there the paper's form takes the maximum over all of the line
            continue
        values = u * t - f
        at = int(values.argmax())
        if at == len(u) - 2:
            continue
        checked += 1
        assert float(chosen.conjugate(t)) == pytest.approx(float(values.max()), rel=1e-5, abs=5e-6)
    assert checked > 20


@pytest.mark.parametrize(("name", "alpha"), ALL)
def test_the_composition_is_the_conjugate_of_the_activation(name, alpha):
    chosen = divergence(name, alpha)
    torch.testing.assert_close(chosen.composed(V), chosen.conjugate(chosen.activation(V)), rtol=1e-7, atol=1e-9)
    steps = chosen.activation(V).diff()
    assert bool((steps > 0).all())


@pytest.mark.parametrize(("name", "alpha"), ALL)
def test_the_bound_is_tight_at_the_derivative(name, alpha):
    """Σ q f(p/q) on a discrete space is Σ p T − Σ q f*(T) at T = f'(p/q), and less at any other T."""
    chosen = divergence(name, alpha)
    p = torch.tensor([0.5, 0.3, 0.15, 0.05], dtype=torch.float64)
    q = torch.tensor([0.2, 0.35, 0.25, 0.2], dtype=torch.float64)
    ratio = (p / q).requires_grad_()
    (best,) = torch.autograd.grad(chosen.f(ratio).sum(), ratio)
    true = float((q * chosen.f(p / q)).sum())
    bound = (p * best - q * chosen.conjugate(best)).sum()
    assert float(bound) == pytest.approx(true, rel=1e-9)
    if name != "total_variation":  # whose best T lies on the edge of its domain
        for factor in (0.99, 1.01):
            other = best * factor
            assert float((p * other - q * chosen.conjugate(other)).sum()) < true + 1e-12


@pytest.mark.parametrize("name", [name for name in NAMES if divergence(name).log_ratio])
def test_the_raw_output_is_the_log_ratio_at_the_optimum(name):
    chosen = divergence(name)
    ratio = torch.tensor([0.1, 0.5, 1.0, 3.0], dtype=torch.float64).requires_grad_()
    (best,) = torch.autograd.grad(chosen.f(ratio).sum(), ratio)
    torch.testing.assert_close(chosen.activation(ratio.detach().log()), best)


def test_known_divergences_of_gaussians():
    """KL of N(0, 1) from N(μ, 1) is μ²/2, squared Hellinger 2 (1 − e^{−μ²/8}), χ² e^{μ²} − 1: by quadrature of f."""
    x, mu = torch.linspace(-12, 12, 200_001, dtype=torch.float64), 0.7
    width = x[1] - x[0]
    p = (-(x**2) / 2).exp() / math.sqrt(2 * math.pi)
    q = (-((x - mu) ** 2) / 2).exp() / math.sqrt(2 * math.pi)

    def measured(name: str) -> float:
        return float((q * divergence(name).f(p / q)).sum() * width)

    assert measured("kl") == pytest.approx(mu**2 / 2, rel=1e-6)
    assert measured("reverse_kl") == pytest.approx(mu**2 / 2, rel=1e-6)
    assert measured("squared_hellinger") == pytest.approx(2 * (1 - math.exp(-(mu**2) / 8)), rel=1e-6)
    assert measured("pearson") == pytest.approx(math.exp(mu**2) - 1, rel=1e-6)
    assert measured("total_variation") == pytest.approx(math.erf(mu / 2 / math.sqrt(2)), rel=1e-6)


def test_an_order_that_is_another_divergence_is_refused_with_its_name():
    with pytest.raises(ValidationError, match="choose the divergence kl"):
        FGan(divergence="alpha", alpha=1.0)
    with pytest.raises(ValidationError, match="choose the divergence reverse_kl"):
        FGan(divergence="alpha", alpha=0.0)
    assert FGan(divergence="kl", alpha=1.0).divergence == "kl"


def outputs(n: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return tuple(2 * torch.randn(n, 1, generator=generator, dtype=torch.float64) for _ in range(2))


def test_the_logits_are_the_logarithms_of_the_paper():
    v, w = outputs()
    d_real, d_fake = torch.sigmoid(v), torch.sigmoid(w)
    critic = -d_real.log().mean() - (1 - d_fake).log().mean()
    for loss, generator in ((NonSaturating(), -d_fake.log().mean()), (Saturating(), (1 - d_fake).log().mean())):
        torch.testing.assert_close(loss.critic(v, w), critic)
        torch.testing.assert_close(loss.generator(v, w), generator)


def test_the_jensen_shannon_gan_is_the_minimax_game():
    """Its bound is −(critic's loss) + 2 ln 2: the same game, shifted."""
    v, w = outputs()
    f_gan = FGan(divergence="jensen_shannon", non_saturating=False)
    torch.testing.assert_close(f_gan.critic(v, w), Saturating().critic(v, w) - 2 * math.log(2))
    torch.testing.assert_close(f_gan.generator(v, w), Saturating().generator(v, w) + math.log(2))


def test_the_relativistic_loss_is_the_logistic_loss_of_differences():
    v, w = outputs()
    torch.testing.assert_close(Relativistic().critic(v, w), -torch.sigmoid(v - w).log().mean())
    torch.testing.assert_close(Relativistic().generator(v, w), -torch.sigmoid(w - v).log().mean())


def test_least_squares_is_at_rest_at_its_labels():
    one, zero = torch.ones(4, 1), torch.zeros(4, 1)
    assert float(LeastSquares().critic(one, zero)) == 0
    assert float(LeastSquares().generator(zero, one)) == 0


@pytest.mark.parametrize("kind", kinds(AnyGanLoss), ids=lambda kind: kind.kind_name())
def test_each_loss_pulls_its_outputs_the_right_way(kind):
    """The critic raises real outputs and lowers generated ones; the generator raises its own."""
    loss = kind()
    v, w = (0.5 + 0.1 * torch.tanh(part) for part in outputs())
    v.requires_grad_(), w.requires_grad_()
    real, fake = torch.autograd.grad(loss.critic(v, w), (v, w))
    assert bool((real < 0).all())
    assert bool((fake > 0).all())
    (own,) = torch.autograd.grad(loss.generator(v, w), w)
    assert bool((own < 0).all())


@pytest.mark.parametrize("kind", [NonSaturating, Saturating, Relativistic], ids=lambda kind: kind.kind_name())
def test_large_outputs_stay_finite_with_their_gradients(kind):
    v, w = (sign * torch.full((4, 1), 300.0) for sign in (-1, 1))
    v.requires_grad_(), w.requires_grad_()
    loss = kind().critic(v, w)
    gradients = torch.autograd.grad(loss, (v, w))
    assert bool(torch.isfinite(loss))
    assert all(bool(torch.isfinite(part).all()) and bool(part.abs().sum() > 0.5) for part in gradients)
