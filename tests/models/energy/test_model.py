"""Energies: the normaliser, the likelihood and each objective against densities that are known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Generator, Tensor

from playground import Experiment, run
from playground.dynamics.solvers import Sampler
from playground.models.contracts import HasDensity, HasField
from playground.models.energy.base import Energy, Memory
from playground.models.energy.contrast import ContrastiveDivergence
from playground.models.energy.model import EnergyModel, TrainedEnergy
from playground.models.energy.objectives import NoiseContrast, SlicedScoreMatching
from playground.models.energy.quadrature import log_normaliser
from playground.networks import Network

SMALL = {"width": 24, "depth": 2}
OBJECTIVES = ["noise_contrast", "persistent", "contrastive_divergence", "denoising", "sliced"]


def trained(steps: int, target="ring", **model) -> TrainedEnergy:
    given = {"target": target, "model": {"kind": "energy"} | model, "network": SMALL, "training": {"steps": steps}}
    return run(Experiment.parse(given)).trained()


def any_energy(dim: int = 2) -> tuple[Energy, Tensor]:
    mlp = EnergyModel().suited(Network(width=16, depth=2)).build(dim, 1, timed=False)
    return Energy(mlp), 2 * mlp.initial(Generator().manual_seed(1))


@pytest.mark.parametrize("dim", [1, 2])
@pytest.mark.parametrize("std", [0.06, 0.5])
def test_the_normaliser_of_a_gaussian(dim, std):
    found = log_normaliser(lambda u: -0.5 * ((u - 0.3) / std).square().sum(1), dim)
    assert found == pytest.approx(dim * math.log(std * math.sqrt(2 * math.pi)), abs=1e-4)


def test_no_normaliser_where_mass_lies_outside_or_the_space_is_large():
    assert log_normaliser(lambda u: -0.5 * ((u - 6) / 0.5).square().sum(1), 2) is None
    assert log_normaliser(lambda u: torch.zeros(len(u)), 2) is None
    assert log_normaliser(lambda u: -u.square().sum(1), 3) is None


def test_the_slope_is_that_of_the_energy():
    energy, weights = any_energy()
    u = torch.randn(40, 2, generator=Generator().manual_seed(2))
    values, slope = energy.potential(weights)(u)
    at = u.clone().requires_grad_()
    direct = energy(weights, at)
    (expected,) = torch.autograd.grad(direct.sum(), at)
    assert torch.allclose(values, direct, atol=1e-5)
    assert torch.allclose(slope, expected, atol=1e-5)


def test_its_density_integrates_to_one_and_its_score_is_the_densitys_slope():
    model = trained(30)
    assert isinstance(model, HasDensity) and not isinstance(model, HasField)
    axis = torch.linspace(-9, 9, 401)
    x = torch.cartesian_prod(axis, axis)
    assert float(model.log_prob(x).double().exp().sum()) * (18 / 400) ** 2 == pytest.approx(1, abs=1e-3)
    at = torch.randn(20, 2, generator=Generator().manual_seed(0), dtype=torch.float32)
    step = 1e-2
    for axis_index in range(2):
        by = torch.eye(2)[axis_index] * step
        slope = (model.log_prob(at + by) - model.log_prob(at - by)) / (2 * step)
        assert torch.allclose(model.score(at)[:, axis_index], slope, atol=0.05)


def test_noise_contrast_recovers_a_known_normaliser():
    """Of the target N(0, I), of whose density the energy starts a factor away, and of a ring by quadrature."""
    gaussian = trained(400, {"kind": "gaussian", "dimension": 2})
    assert float(gaussian.learnt) == pytest.approx(gaussian.log_normaliser, abs=0.05)
    x = torch.randn(2000, 2, generator=Generator().manual_seed(0))
    assert -float(gaussian.log_prob(x).mean()) == pytest.approx(1 + math.log(2 * math.pi), abs=0.06)
    ring = trained(800, {"kind": "ring", "modes": 3, "std": 0.3})
    assert float(ring.learnt) == pytest.approx(ring.log_normaliser, abs=0.1)


@pytest.mark.parametrize("objective", ["contrastive_divergence", "persistent"])
def test_contrastive_divergence_learns_a_gaussian_without_bias(objective):
    """E(3, 3) − E(0, 0) = 9 for N(0, I), and its chains have variance 1."""
    model = trained(800, {"kind": "gaussian", "dimension": 2}, objective=objective)
    at = model.energy(torch.tensor([[0.0, 0.0], [3.0, 3.0]]))
    assert float(at[1] - at[0]) == pytest.approx(9, abs=1)
    starts = torch.randn(4000, 2, generator=Generator().manual_seed(0))
    end = model.trajectory(starts, Sampler(), 1).end
    assert end.var(0).tolist() == pytest.approx([1, 1], abs=0.15)
    excess = -0.5 * starts.square().sum(1) - math.log(2 * math.pi) - model.log_prob(starts)
    assert abs(float(excess.mean())) < 0.01


@pytest.mark.parametrize("kind", ["contrastive_divergence", "persistent"])
def test_contrastive_divergence_learns_how_modes_share_the_probability(kind):
    """Of two modes apart with weights 1 : 3, by quadrature on either side."""
    target = {"kind": "gaussian_mixture", "centers": [[-1.0], [1.0]], "std": [0.2], "weights": [1, 3]}
    model = trained(800, target, objective=kind)
    axis = torch.linspace(-3, 3, 6001)[:, None]
    left = float(model.log_prob(axis[axis[:, 0] < 0]).double().exp().sum()) * 1e-3
    assert left == pytest.approx(0.25, abs=0.04)


@pytest.mark.parametrize("jumps", [0, 0.2, 1])
def test_the_moves_of_contrastive_divergence_leave_the_density_invariant(jumps):
    """Points drawn from exp(−E) by quadrature keep their moments and their mean energy."""
    energy, weights = any_energy()
    axis = torch.linspace(-5, 5, 501)
    grid = torch.cartesian_prod(axis, axis)
    levels = energy(weights, grid).detach().double()
    chosen = torch.multinomial((-levels).softmax(0), 40_000, True, generator=Generator().manual_seed(0))
    u = grid[chosen] + 0.02 * (torch.rand(40_000, 2, generator=Generator().manual_seed(1)) - 0.5)
    objective = ContrastiveDivergence(moves=15, jumps=jumps)
    moved = objective._moved(energy, weights, u, Memory(Generator().manual_seed(2)))
    for statistic in (lambda v: v[:, 0], lambda v: v[:, 1], lambda v: v.prod(1), lambda v: energy(weights, v)):
        before, after = statistic(u).detach().double(), statistic(moved).detach().double()
        assert float(after.mean()) == pytest.approx(
            float(before.mean()), abs=5 * float(before.std()) / math.sqrt(20_000)
        )
        assert float(after.std()) == pytest.approx(float(before.std()), rel=0.03)
    assert not torch.allclose(moved, u)
    elsewhere = torch.full((4000, 2), 3.0)
    arrived = ContrastiveDivergence(moves=100, jumps=jumps)._moved(
        energy, weights, elsewhere, Memory(Generator().manual_seed(3))
    )
    assert float((arrived.mean(0) - u.mean(0)).norm()) < 0.1


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_learns_a_density_in_one_dimension(objective):
    """Two equal bumps: the likelihood by quadrature comes near the entropy, from far."""
    target = {"kind": "gaussian_mixture", "centers": [[-1.0], [1.0]], "std": [0.4]}
    experiment = Experiment.parse(
        {"target": target, "model": {"kind": "energy", "objective": objective}, "network": SMALL,
         "training": {"steps": 500}}
    )  # fmt: skip
    result = run(experiment)
    real, entropy = result.real(2000), experiment.target.entropy()
    before = result.with_weights(result.rounds[0].history[0].weights)
    assert -float(result.trained().log_prob(real).mean()) < entropy + 0.1
    assert -float(before.log_prob(real).mean()) > entropy + 0.15


def test_sliced_score_matching_is_the_exact_one_in_the_mean():
    """Averaged over directions: E[½‖∇E‖² − tr ∇²E]."""
    energy, weights = any_energy()
    u = torch.randn(1, 2, generator=Generator().manual_seed(0))
    hessian = torch.autograd.functional.hessian(lambda v: energy(weights, v[None])[0], u[0])
    slope = energy.potential(weights)(u)[1][0]
    memory = Memory(Generator().manual_seed(1))
    found = SlicedScoreMatching(noise=0).loss(energy, weights, u.repeat(40_000, 1), memory)
    expected = 0.5 * slope.square().sum() - hessian.trace()
    assert float(found.detach()) == pytest.approx(
        float(expected), abs=5 * float(hessian.norm()) * math.sqrt(2 / 40_000)
    )


def test_noise_contrast_is_least_for_the_truth():
    """With E of the data's own density N(0, I), no change of the log-normaliser improves on the true one."""
    energy = Energy(EnergyModel().suited(Network(width=4, depth=1)).build(2, 1, timed=False))
    flat = torch.zeros(energy.mlp.size + 1)
    u = torch.randn(20_000, 2, generator=Generator().manual_seed(0))

    def loss(c: float) -> float:
        flat[-1] = c
        return float(NoiseContrast(ratio=2).loss(energy, flat, u, Memory(Generator().manual_seed(1))))

    truth = math.log(2 * math.pi)
    assert loss(truth) < min(loss(truth - 0.1), loss(truth + 0.1))


def test_chains_carry_the_source_and_are_counted():
    result = run(
        Experiment.parse(
            {"target": "ring", "network": SMALL, "training": {"steps": 20},
             "model": {"kind": "energy", "chain": {"kind": "hmc", "steps": 7, "leapfrogs": 3}}}
        )
    )  # fmt: skip
    found = result.sample(50, seed=3)
    assert found.x.shape == (8, 50, 2)
    assert found.nfe == 22
    assert torch.allclose(found.start, result.starts(50, 3), atol=1e-5)
    assert 0 < found.acceptance <= 1
    assert torch.equal(found.end, result.sample(50, seed=3).end)
    assert "chain" in type(result.experiment.model).sampling_fields()


def test_its_facts_are_the_normalisers_and_what_is_accepted():
    model = trained(200, "ring", chain={"kind": "mala", "step": 0.3})
    real = Experiment.parse({"target": "ring"}).target.sample(500, Generator().manual_seed(0))
    true, learnt, accepted = model.facts(real)
    axis = torch.linspace(-9, 9, 601)
    energies = model.energy(torch.cartesian_prod(axis, axis)).double()
    assert true.value == pytest.approx(float(torch.logsumexp(-energies, 0)) + 2 * math.log(18 / 600), abs=1e-3)
    assert learnt.value == pytest.approx(true.value, abs=0.5)
    assert 5 < accepted.value < 100
    assert [fact.name for fact in trained(5, chain="langevin", objective="denoising").facts(real)] == ["log Z"]


def test_too_large_a_step_flies_off():
    model = {"kind": "energy", "chain": {"kind": "langevin", "step": 3.0, "steps": 300}}
    result = run(Experiment.parse({"target": "ring", "network": SMALL, "training": {"steps": 20}, "model": model}))
    found = result.sample(50)
    assert found.acceptance is None
    assert not found.end.isfinite().all()


def test_weights_of_another_network_are_refused():
    result = Experiment.parse({"model": "energy"})
    with pytest.raises(ValueError, match="another network"):
        result.model.trained({"energy": torch.zeros(3), "place": torch.zeros(4)}, Network(), 2)


def test_modes_are_told_apart_from_any_seed() -> None:
    """From smoother first weights this seed stays at the ring that the modes lie on, at about 1.6 nats."""
    result = run(Experiment.parse({"model": "energy", "target": "ring", "training": {"steps": 800, "seed": 1}}))
    assert -float(result.trained().log_prob(result.real(1000)).mean()) < 0.8
