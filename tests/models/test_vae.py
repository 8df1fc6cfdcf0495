"""The VAE: its written-out gradient against autograd, its bounds against the exact likelihood, and collapse."""

from __future__ import annotations

import json
import math

import pytest
import torch
from torch import Generator, Tensor

from playground import Experiment, Run, run
from playground.distributions import Gaussian, Ring
from playground.experiment import TrainingSettings
from playground.metrics import sliced_w2
from playground.models.base import Task
from playground.models.vae import Coder, Vae, VaeLearner, networks
from playground.networks import Network

SMALL = Network(width=16, depth=2, activation="silu")


def learner(model: Vae, seed: int = 0, network: Network = SMALL) -> VaeLearner:
    ring = Ring()
    optimisation = TrainingSettings(steps=500)
    return VaeLearner(model, Task(Gaussian(dimension=2), ring, 2, network, optimisation, seed, torch.device("cpu")))


@pytest.fixture(scope="module")
def trained() -> Run:
    given = {"target": "two_moons", "model": "vae", "network": {"width": 32, "depth": 2}, "training": {"steps": 1500}}
    return run(Experiment.parse(given))


@pytest.mark.parametrize(("beta", "std", "latent"), [(1.0, None, 2), (0.0, None, 1), (3.5, 0.2, 3)])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_the_gradient_is_that_of_automatic_differentiation(beta, std, latent, activation) -> None:
    network = Network(width=8, depth=2, activation=activation)
    one = learner(Vae(beta=beta, std=std, latent_dim=latent), network=network)
    generator = Generator().manual_seed(1)
    x, noise = torch.randn(13, 2, generator=generator), torch.randn(13, latent, generator=generator)
    loss, rates, gradient = one.gradient(x, noise)

    encoder, decoder = networks(network, 2, latent)
    leaf = one._adam.weights.clone().requires_grad_()
    at = leaf.split([encoder.size, decoder.size, 1])
    mean, log_variance = encoder(at[0], x).chunk(2, 1)
    q = torch.distributions.Normal(mean, (log_variance / 2).exp())
    rate = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0))
    p = torch.distributions.Normal(decoder(at[1], mean + q.stddev * noise), at[2].exp())
    expected = (-p.log_prob(x).sum(1) + beta * rate.sum(1)).mean() + one._std.log().sum()
    (by_hand,) = torch.autograd.grad(expected, leaf)
    if std is not None:
        by_hand[-1] = 0
    torch.testing.assert_close(loss, expected.detach())
    torch.testing.assert_close(rates, rate.detach().mean(0))
    torch.testing.assert_close(gradient, by_hand, rtol=1e-4, atol=1e-6)


def exact_log_prob(coder: Coder, x: Tensor) -> Tensor:
    """log ∫ p(x|z) N(z; 0, 1) dz by the trapezoidal rule, for one latent dimension."""
    z = torch.linspace(-7, 7, 8001)[:, None]
    prior = -0.5 * z[:, 0].square() - 0.5 * math.log(2 * math.pi) + math.log(float(z[1] - z[0]))
    decoded = coder.decode(z)
    found = []
    for point in x:
        missed = ((point - decoded) / coder.spread).square().sum(1)
        likelihood = -0.5 * missed - (coder.spread.log() + 0.5 * math.log(2 * math.pi)).sum()
        found.append((likelihood + prior).logsumexp(0))
    return torch.stack(found)


def test_the_bound_is_below_the_importance_weighted_one_and_that_below_the_likelihood() -> None:
    given = {"target": "two_moons", "model": {"kind": "vae", "latent_dim": 1}, "training": {"steps": 400}}
    result = run(Experiment.parse(given | {"network": {"width": 16, "depth": 2}}))
    coder, x = result.trained(), result.real(60)
    reconstruction, rate = coder.bound(x, draws=4000)
    bound, truth = reconstruction - rate.sum(1), exact_log_prob(coder, x)
    few, many = (coder.importance_weighted(x, draws=draws) for draws in (8, 2000))
    assert (bound <= truth + 0.08).all() and bound.mean() < truth.mean()
    assert bound.mean() < few.mean() < many.mean() + 0.02
    assert float((many - truth).abs().quantile(0.9)) < 0.05
    assert float(truth.mean() - bound.mean()) > 0.01, "the gap is what is shown"


def test_its_samples_come_near_the_target(trained: Run) -> None:
    found = sliced_w2(trained.sample(2000).end, trained.real(2000))
    floor = sliced_w2(trained.real(2000, 1), trained.real(2000))
    untrained = sliced_w2(trained.sample(2000, snapshot=0).end, trained.real(2000))
    assert found < 6 * floor and found < untrained / 3


def test_a_trajectory_is_latent_and_sample(trained: Run) -> None:
    coder, starts = trained.trained(), trained.starts(50)
    assert starts.shape == (50, 4)
    found = trained.sample(50)
    assert found.nfe == 1 and found.x.shape == (2, 50, 2)
    assert torch.equal(found.start, starts[:, :2]) and torch.equal(found.latent, starts[:, :2])
    torch.testing.assert_close(found.end, coder.decode(starts[:, :2]) + coder.spread * starts[:, 2:])


def test_a_point_is_found_again_by_encoding_and_decoding(trained: Run) -> None:
    coder, x = trained.trained(), trained.real(300)
    mean, deviation = coder.encode(x)
    assert mean.shape == deviation.shape == (300, 2) and (deviation > 0).all()
    missed = (coder.decode(mean) - x).square().mean().sqrt()
    assert float(missed) < 2 * float(coder.spread.mean())


@pytest.mark.parametrize("latent", [1, 2, 4])
@pytest.mark.parametrize("target", ["ring", {"kind": "gaussian_mixture", "centers": [[-1], [1]], "std": 0.2}])
def test_dimensions(latent, target) -> None:
    given = {"target": target, "model": {"kind": "vae", "latent_dim": latent}, "training": {"steps": 5}}
    result = run(Experiment.parse(given))
    assert result.sample(20).end.shape == (20, result.dim)
    measured = result.metrics(100)
    assert list(measured["by_nfe"]) == ["1"] and measured["nll"] is None


def test_a_great_beta_collapses_and_says_so() -> None:
    """A Gaussian target is all noise to the decoder, whose best latent is none."""
    one = learner(Vae(beta=20.0))
    assert one.remark is None
    for _ in range(500):
        one.step(0.5)
    assert "Posterior collapse: 2 of 2 latent dimensions say less than 0.01 nats" in one.remark
    fine = learner(Vae())
    for _ in range(500):
        fine.step(0.5)
    assert fine.remark is None


def test_a_fixed_deviation_stays(trained: Run) -> None:
    one = learner(Vae(std=0.25))
    one.step(1.0)
    torch.testing.assert_close(one.weights()["spread"], 0.25 * one._std)


def test_the_description_is_enough_to_compute_it(trained: Run) -> None:
    coder = trained.trained()
    told = json.loads(json.dumps(coder.describe()))
    assert told["map"]["latent"] == 2 + 2 and told["map"]["noise"] in trained.round().last.weights
    mean, std = (torch.tensor(told["map"]["outside"][key]) for key in ("mean", "std"))
    z = torch.randn(9, 2, generator=Generator().manual_seed(3))
    torch.testing.assert_close(mean + std * coder.decoder(coder.decoder_weights, z), coder.decode(z))
    assert told["networks"]["encoder"]["ops"][-1]["out"] == 4


def test_it_survives_a_file_and_refuses_other_weights(trained: Run, tmp_path) -> None:
    trained.save(tmp_path)
    again = Run.load(tmp_path)
    assert torch.equal(again.sample(30).end, trained.sample(30).end)
    weights = trained.round().last.weights
    with pytest.raises(ValueError, match="another network"):
        Vae(latent_dim=3).trained(weights, trained.experiment.network, 2)


def test_the_same_seed_gives_the_same_weights() -> None:
    first, again, other = (learner(Vae(), seed) for seed in (4, 4, 5))
    for one in (first, again, other):
        one.step(1.0)
    assert torch.equal(first.weights()["encoder"], again.weights()["encoder"])
    assert not torch.equal(first.weights()["encoder"], other.weights()["encoder"])


def test_its_facts_are_its_bound(trained: Run) -> None:
    x = trained.real(200)
    facts = {fact.name: fact.value for fact in trained.trained().facts(x)}
    assert facts["−ELBO"] == pytest.approx(facts["Reconstruction"] + facts["Rate, KL"], abs=1e-4)
    assert facts["−log p by importance weighting"] < facts["−ELBO"]
    assert facts["Active latents"] == 2
    assert [fact["name"] for fact in trained.metrics(50)["facts"]] == list(facts)
