"""GANs: each part against autodiff by hand or a naive twin, and what they learn and how they fail."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Generator

from playground import Experiment, run
from playground.choice import kinds
from playground.models import Gan
from playground.models.backprop import Backprop
from playground.models.base import Task
from playground.models.gan.learner import GanLearner
from playground.models.gan.losses import AnyGanLoss
from playground.models.gan.model import OneShot
from playground.models.gan.parts import (
    LOOKS,
    Look,
    Penalties,
    SpectralNorm,
    equilibrium,
    latent,
    leaves,
    unpacked,
)
from playground.networks import ACTIVATIONS, Network

LOSSES = [kind.kind_name() for kind in kinds(AnyGanLoss)]


def learner(batch: int = 32, width: int = 16, activation: str = "tanh", target="ring", **model) -> GanLearner:
    experiment = Experiment.parse(
        {
            "target": target,
            "model": {"kind": "gan", "r1": 0, "r2": 0, **model},
            "training": {"batch": batch, "ema": 0},
            "network": {"kind": "mlp", "width": width, "depth": 2, "activation": activation},
        }
    )
    task = Task(
        source=experiment.source.at(2),
        target=experiment.target,
        dim=2,
        network=experiment.network,
        optimisation=experiment.training,
        seed=0,
        device=torch.device("cpu"),
    )
    (made,) = experiment.model.rounds(task)
    return made


def critic_of(inputs: int = 2, activation: str = "tanh"):
    mlp = Network(width=9, depth=2, activation=activation).build(inputs, 1, timed=False)
    return mlp, mlp.initial(Generator().manual_seed(3))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("depth", [1, 3])
def test_gradients_written_out_are_those_of_automatic_differentiation(activation, depth):
    mlp = Network(width=7, depth=depth, activation=activation).build(3, 2, timed=False)
    weights = mlp.initial(Generator().manual_seed(1)).requires_grad_()
    x = torch.randn(20, 3, generator=Generator().manual_seed(2)).requires_grad_()
    loss = mlp(weights, x).cos().sum()
    to_weights, to_x = torch.autograd.grad(loss, (weights, x))
    net = Backprop(mlp, weights.detach())
    output, tape = net.forward(x.detach())
    slope = net.backward(tape, -output.sin(), inputs=True)
    torch.testing.assert_close(net.gradient, to_weights)
    torch.testing.assert_close(slope, to_x)
    assert net.backward(tape, -output.sin(), weights=False) is None


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"r1": 0.3, "r2": 0.2},
        {"spectral_norm": True, "r1": 0.3},
        {"pack": 3, "r2": 0.1},
    ],
)
def test_a_step_is_that_of_a_plain_loop(loss, extra):
    """Twin: the same latents and data through torch.autograd on the flat vectors, and torch's Adam."""
    made = learner(loss=loss, critic_steps=2, beta1=0.3, beta2=0.9, **extra)
    twin = learner(loss=loss, critic_steps=2, beta1=0.3, beta2=0.9, **extra)
    settings, pack = twin._settings, twin._settings.pack
    g_net, c_net, norm = twin._generator_net, twin._critic_net, twin._norm
    generator = twin._generator_adam.weights.requires_grad_()
    critic = twin._critic_adam.weights.requires_grad_()
    optimisers = [torch.optim.Adam([part], 1e-3, (0.3, 0.9)) for part in (generator, critic)]

    def judge(x: torch.Tensor) -> torch.Tensor:
        return c_net(critic if norm is None else norm.applied(critic), x)

    def judged(fake: torch.Tensor, real: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return judge(real), judge(fake.reshape(-1, 2 * pack))

    for _ in range(3):
        for _ in range(2):
            real, fake = twin._real(), g_net(generator, twin._latents()).detach()
            value = settings.loss.critic(*judged(fake, real))
            points = real, fake.reshape(-1, 2 * pack)
            for factor, x in zip((settings.r1, settings.r2), points, strict=True):
                x = x.clone().requires_grad_()
                (slope,) = torch.autograd.grad(judge(x).sum(), x, create_graph=True)
                value = value + factor / 2 * slope.square().sum(1).mean()
            if loss == "wgan_gp":
                share = torch.rand(len(real), 1, generator=twin._rng)
                x = (share * points[0] + (1 - share) * points[1]).requires_grad_()
                (slope,) = torch.autograd.grad(judge(x).sum(), x, create_graph=True)
                value = value + settings.loss.penalty * (slope.norm(dim=1) - 1).square().mean()
            optimisers[1].zero_grad()
            value.backward(inputs=[critic])
            optimisers[1].step()
            with torch.no_grad():
                if settings.loss.bound is not None:
                    critic.clamp_(-settings.loss.bound, settings.loss.bound)
            if norm is not None:
                norm.update()
        fake = g_net(generator, twin._latents())
        real = twin._real() if settings.loss.paired else torch.zeros(len(fake) // pack, 2 * pack)
        value = settings.loss.generator(*judged(fake, real))
        optimisers[0].zero_grad()
        value.backward(inputs=[generator])
        optimisers[0].step()
        torch.testing.assert_close(made.step(1.0), value.detach(), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(made._generator_adam.weights, generator.detach(), rtol=1e-3, atol=2e-5)
    torch.testing.assert_close(made._critic_adam.weights, critic.detach(), rtol=1e-3, atol=2e-5)


@pytest.mark.parametrize("kind", kinds(AnyGanLoss), ids=lambda kind: kind.kind_name())
@pytest.mark.parametrize("depth", [1, 3])
def test_r1_and_r2_of_a_relu_critic_by_one_product_are_those_of_automatic_differentiation(kind, depth):
    mlp = Network(width=12, depth=depth, activation="relu").build(2, 1, timed=False)
    weights = mlp.initial(Generator().manual_seed(3)).requires_grad_()
    x = torch.randn(20, 2, generator=Generator().manual_seed(2))
    chosen = Penalties(0.7, 0.4, 0.0)
    judged = mlp(weights, x)
    loss = kind().critic(*judged.chunk(2))
    penalty = chosen(mlp, list(mlp.layers(weights)), *x.chunk(2), Generator())
    (expected,) = torch.autograd.grad(loss + penalty, weights)
    net = Backprop(mlp, weights.detach())
    output, tape = net.forward(x)
    levels, slope = net.slopes(tape)
    value, along = chosen.of_slopes(*slope.chunk(2))
    outputs = output.clone().requires_grad_()
    (delta,) = torch.autograd.grad(kind().critic(*outputs.chunk(2)), outputs)
    net.backward_along(tape, levels, delta, along)
    torch.testing.assert_close(value, penalty.detach())
    torch.testing.assert_close(net.gradient, expected, rtol=1e-4, atol=1e-6)


def test_relu_critics_take_that_way_with_and_without_further_penalties():
    """Twin: the same critic, all of whose penalties are left to automatic differentiation."""
    for extra in ({}, {"gradient_penalty": 0.5}):
        made = learner(activation="relu", r1=0.3, r2=0.2, **extra)
        twin = learner(activation="relu", r1=0.3, r2=0.2, **extra)
        twin._by_hand, twin._others = False, twin._penalties
        for part in (made, twin):
            part.turn = "critic"
        torch.testing.assert_close(made.step(1.0), twin.step(1.0))
        torch.testing.assert_close(made._critic.gradient, twin._critic.gradient, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("r1", "r2", "slope"), [(0.7, 0, 0), (0, 0.4, 0), (0, 0, 2.0), (0.7, 0.4, 2.0)])
def test_penalties_are_those_of_the_chain_rule_by_hand(r1, r2, slope):
    """A critic of one hidden tanh layer: ∇D(x) = W₁ᵀ (w₂ ⊙ (1 − tanh² z))."""
    mlp = Network(width=6, depth=1, activation="tanh").build(2, 1, timed=False)
    weights = mlp.initial(Generator().manual_seed(3))
    real, fake = (torch.randn(10, 2, generator=Generator().manual_seed(seed)) for seed in (1, 2))
    (first, bias), (last, _) = mlp.layers(weights)

    def by_hand(x: torch.Tensor) -> torch.Tensor:
        return (last * (1 - torch.tanh(x @ first.t() + bias).square())) @ first

    share = torch.rand(10, 1, generator=Generator().manual_seed(9))
    expected = (
        r1 / 2 * by_hand(real).square().sum(1).mean()
        + r2 / 2 * by_hand(fake).square().sum(1).mean()
        + slope * (by_hand(share * real + (1 - share) * fake).norm(dim=1) - 1).square().mean()
    )
    chosen = Penalties(r1, r2, slope)
    found = chosen(mlp, leaves(mlp, weights), real, fake, Generator().manual_seed(9))
    torch.testing.assert_close(found.detach(), expected)


def test_the_clipped_critic_stays_inside_from_the_first_step():
    made = learner(loss={"kind": "wasserstein", "clip": 0.03}, critic_rate=0.01)
    for _ in range(20):
        assert float(made._critic_adam.weights.abs().max()) <= 0.03 + 1e-9
        made.step(1.0)
    assert float(made.weights()["critic"].abs().max()) <= 0.03 + 1e-9


def test_spectral_norm_gives_singular_values_of_one():
    mlp, weights = critic_of()
    norm = SpectralNorm(mlp, weights, Generator().manual_seed(0))
    for _ in range(100):
        norm.update()
    for (matrix, bias), (normalised, same) in zip(mlp.layers(weights), mlp.layers(norm.normalised), strict=True):
        assert float(torch.linalg.matrix_norm(normalised, 2)) == pytest.approx(1, abs=1e-4)
        torch.testing.assert_close(normalised * torch.linalg.matrix_norm(matrix, 2), matrix, rtol=1e-3, atol=1e-5)
        assert torch.equal(bias, same)


def test_the_spectral_gradient_is_that_of_automatic_differentiation():
    mlp, weights = critic_of()
    norm = SpectralNorm(mlp, weights, Generator().manual_seed(0))
    x = torch.randn(12, 2, generator=Generator().manual_seed(1))
    leaf = weights.clone().requires_grad_()
    (expected,) = torch.autograd.grad(mlp(norm.applied(leaf), x).sin().sum(), leaf)
    normalised = norm.normalised.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(mlp(normalised, x).sin().sum(), normalised)
    norm.pull_back(gradient)
    torch.testing.assert_close(gradient, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("pack", [2, 3, 8])
def test_the_surface_of_a_packed_critic_is_that_of_equal_points(pack):
    mlp, weights = critic_of(2 * pack)
    single = Network(width=9, depth=2, activation="tanh").build(2, 1, timed=False)
    x = torch.randn(15, 2, generator=Generator().manual_seed(1))
    torch.testing.assert_close(single(unpacked(mlp, weights, pack), x), mlp(weights, x.repeat(1, pack)))


def test_a_packed_critic_sees_each_point_once_and_in_order():
    made = learner(pack=2, batch=4)
    x = torch.arange(16.0).view(8, 2)
    assert made._packed(x).tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11], [12, 13, 14, 15]]


@pytest.mark.parametrize("extra", [{}, {"r1": 0.5}, {"spectral_norm": True}, {"loss": {"kind": "wasserstein"}}])
def test_unrolling_is_that_of_a_naive_twin(extra):
    """Twin: the critic's k Adam steps written out on dictionaries of matrices, then one gradient through all."""
    k, made, twin = 3, learner(unrolled=3, **extra), learner(unrolled=3, **extra)
    for part in (made, twin):  # so that Adam has a state to look ahead from
        part.turn = "critic"
        part.step(1.0)
        part.step(1.0)
        part.turn = "generator"
    adam, settings = twin._critic_adam, twin._settings
    generator = twin._generator_adam.weights.clone().requires_grad_()
    real, fake = twin._real(), twin._generator_net(generator, twin._latents())
    critic, mean, square = adam.weights.clone().requires_grad_(), adam._mean, adam._square

    def judge(x: torch.Tensor) -> torch.Tensor:
        return twin._critic_net(critic if twin._norm is None else twin._norm.applied(critic), x)

    for step in range(3, 3 + k):
        loss = settings.loss.critic(judge(real), judge(fake))
        if settings.r1:
            x = real.clone().requires_grad_()
            (slope,) = torch.autograd.grad(judge(x).sum(), x, create_graph=True)
            loss = loss + settings.r1 / 2 * slope.square().sum(1).mean()
        (gradient,) = torch.autograd.grad(loss, critic, create_graph=True)
        mean = settings.beta1 * mean + (1 - settings.beta1) * gradient
        square = settings.beta2 * square + (1 - settings.beta2) * gradient.detach() ** 2
        unbiased = mean / (1 - settings.beta1**step), square / (1 - settings.beta2**step)
        critic = critic - settings.critic_rate * unbiased[0] / (unbiased[1].sqrt() + 1e-8)
        if settings.loss.bound is not None:
            critic = critic.clamp(-settings.loss.bound, settings.loss.bound)
    (expected,) = torch.autograd.grad(settings.loss.generator(judge(real), judge(fake)), generator)
    before, kept = made._generator_adam.weights.clone(), made._critic_adam.weights.clone()
    made.step(1.0)
    first = made._generator_adam._mean / (1 - settings.beta1)
    torch.testing.assert_close(first, expected, rtol=1e-3, atol=1e-6)
    assert torch.equal(made._critic_adam.weights, kept)
    assert not torch.equal(made._generator_adam.weights, before)


def test_unrolling_no_step_is_the_plain_generator():
    """With a critic that cannot move, looking ahead changes nothing."""
    plain, ahead = (learner(unrolled=k, critic_rate=1e-12) for k in (0, 2))
    for part in (plain, ahead):
        part.turn = "generator"
        part._real()  # the plain generator does not look at real points, the other does: the same chance for latents
        part.step(1.0)
    torch.testing.assert_close(plain._generator_adam.weights, ahead._generator_adam.weights, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("turn", ["critic", "generator"])
def test_whose_turn_it_is_not_stands_still(turn):
    made = learner(critic_steps=3)
    made.turn = turn
    before = made.weights()
    made.step(1.0)
    after = made.weights()
    moved = {name for name in ("critic", "generator") if not torch.equal(before[name], after[name])}
    assert moved == {turn}


def test_instance_noise_falls_to_nothing():
    made = learner(instance_noise=0.5, noise_steps=10)
    x = torch.zeros(20_000, 2)
    for steps, std in ((0, 0.5), (5, 0.25), (10, 0.0), (50, 0.0)):
        made._steps = steps
        assert float(made._noisy(x).std()) == pytest.approx(std, rel=0.02, abs=1e-9)


def test_standardised_networks_see_unit_coordinates():
    target = {"kind": "gaussian", "mean": [5, -3], "std": [0.1, 4]}
    real = learner(batch=4096, target=target)._real()
    torch.testing.assert_close(real.mean(0), torch.zeros(2), atol=0.08, rtol=0)
    torch.testing.assert_close(real.std(0), torch.ones(2), atol=0.08, rtol=0)
    raw = learner(batch=4096, target=target, standardise=False)._real()
    torch.testing.assert_close(raw.mean(0), torch.tensor([5.0, -3.0]), atol=0.3, rtol=0)


@pytest.mark.parametrize("truncation", [0.3, 1.0, 2.0])
def test_a_truncated_gaussian_is_that_part_of_it_and_keeps_the_order(truncation):
    whole = latent("gaussian", 40_000, 1, Generator().manual_seed(0))[:, 0]
    inner = latent("gaussian", 40_000, 1, Generator().manual_seed(0), truncation)[:, 0]
    assert float(inner.abs().max()) <= truncation + 1e-5
    assert bool((inner[whole.argsort()].diff() >= 0).all())
    kept = whole[whole.abs() <= truncation].sort().values
    quantiles = torch.linspace(0.02, 0.98, 49)
    torch.testing.assert_close(inner.quantile(quantiles), kept.quantile(quantiles), atol=0.05, rtol=0)


def test_a_uniform_latent_fills_its_square():
    z = latent("uniform", 20_000, 3, Generator().manual_seed(0))
    assert z.shape == (20_000, 3)
    assert float(z.abs().max()) <= 1
    assert float(z.std()) == pytest.approx(1 / math.sqrt(3), rel=0.02)
    assert float(latent("uniform", 900, 3, Generator().manual_seed(0), 0.5).abs().max()) <= 0.5


def trained(**changes):
    return run(
        Experiment.parse(
            {
                "target": {"kind": "gaussian", "mean": [3, -1], "std": [0.5, 2]},
                "model": {"kind": "gan", **changes.pop("model", {})},
                "training": {"steps": 300, "batch": 64, "decay": "cosine", **changes.pop("training", {})},
                "network": {"kind": "mlp", "width": 32, "depth": 2},
            }
        )
    )


def test_it_learns_a_gaussian_and_samples_in_one_evaluation():
    result = trained(model={"latent_dim": 3, "r1": 0.1, "generator_rate": 5e-3, "critic_rate": 5e-3})
    trajectory = result.sample(2000)
    assert trajectory.nfe == 1
    assert trajectory.latent is not None
    assert trajectory.latent.shape == (2000, 3)
    torch.testing.assert_close(trajectory.start, trajectory.latent[:, :2])
    torch.testing.assert_close(trajectory.end.mean(0), torch.tensor([3.0, -1.0]), atol=0.5, rtol=0)
    assert float(result.metrics(200)["by_nfe"]["1"]["sliced_w2"]) < 1.0


def test_its_description_evaluates_to_the_same_numbers():
    result = trained(training={"steps": 5}, model={"pack": 2})
    model = result.trained()
    assert isinstance(model, OneShot)
    told = model.describe()
    place = told["map"]
    x0 = result.starts(50)
    z = (x0 - torch.tensor(place["inside"]["mean"])) / torch.tensor(place["inside"]["std"])
    made = model.generator(model.weights, z) * torch.tensor(place["outside"]["std"]) + torch.tensor(
        place["outside"]["mean"]
    )
    torch.testing.assert_close(made, model.trajectory(x0, result.experiment.sampler).end)
    assert told["surfaces"]["critic"]["label"] == "D(x, x)"
    assert told["networks"]["critic"]["size"] == len(result.rounds[0].last.weights["critic"])
    real = model.real(made)
    assert real is not None
    torch.testing.assert_close(real, torch.sigmoid(model.critic(made)))


def test_a_run_made_to_blow_up_says_so():
    result = trained(
        training={"steps": 300, "decay": "constant"},
        model={"loss": {"kind": "f_gan", "divergence": "kl"}, "generator_rate": 1.0, "critic_rate": 1.0},
    )
    assert result.failure is not None
    assert "stopped being a finite number" in result.failure


def looks(apart: float = 0.7, pull: float = 0.3, center=lambda at: (0.0, 0.0), count: int = LOOKS) -> list[Look]:
    return [Look(10 * at, apart, pull, center(at)) for at in range(count)]


def test_a_broken_equilibrium_is_named():
    assert equilibrium(looks(), spread=1.4) is None
    assert "vanished" in str(equilibrium(looks(apart=1.0, pull=1e-6), spread=1.4))
    assert "oscillates" in str(equilibrium(looks(center=lambda at: (math.sin(at), math.cos(at))), spread=1.4))


def test_what_is_no_broken_equilibrium():
    assert equilibrium(looks(apart=1.0, pull=1e-6, count=LOOKS - 1), spread=1.4) is None  # too early to tell
    assert equilibrium(looks(apart=1.0, pull=0.5), spread=1.4) is None  # a critic that wins and still teaches
    assert equilibrium(looks(pull=1e-6), spread=1.4) is None  # at rest: nobody is told from real
    assert equilibrium(looks(center=lambda at: (0.1 * at, 0.0)), spread=1.4) is None  # on its way, without turning


def test_a_saturating_generator_that_lost_is_seen_to_have_lost():
    """Against a critic that won before it began, minimax teaches nothing and the learner says so."""
    made = learner(loss="saturating", critic_rate=0.02, generator_rate=1e-6, activation="relu")
    made.turn = "critic"
    for _ in range(150):
        made.step(1.0)
    made._critic_adam.weights.mul_(4)  # sure of itself
    made.turn = "generator"
    for _ in range(10 * LOOKS):
        made.step(1.0)
    assert all(look.told_apart > 0.99 for look in made._looks)
    assert "vanished" in str(made.remark)


def test_bad_settings_are_refused_in_a_sentence():
    with pytest.raises(ValueError, match="at least 2"):
        Experiment.parse({"model": "gan", "training": {"batch": 1}})
    assert Gan().own_latent
