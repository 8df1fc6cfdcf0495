"""DDPM learns what is known in closed form, and its bound is one."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from playground import Experiment, run
from playground.choice import InvalidExperiment
from playground.distributions import Gaussian
from playground.dynamics.discrete import DiscretePath, alpha_bars
from playground.dynamics.exact import ExactField, Normal, Normals
from playground.dynamics.parameterization import Moments
from playground.dynamics.solvers import Sampler
from playground.models.diffusion import DiscreteFlow, StepTimes
from playground.networks import Mlp

MEAN, STD = (1.0, -0.5), 0.7
TARGET = {"kind": "gaussian", "mean": list(MEAN), "std": [STD, STD]}


def experiment(steps: int = 300, **model) -> Experiment:
    given = {"kind": "diffusion", "timesteps": 50, **model}
    network = {"width": 32, "depth": 2, "activation": "relu", "features": 0}
    return Experiment.parse({"target": TARGET, "model": given, "network": network, "training": {"steps": steps}})


def exact(path: DiscretePath) -> ExactField:
    source = Normal(torch.zeros(2, dtype=torch.float64), torch.eye(2, dtype=torch.float64))
    center = torch.tensor([MEAN], dtype=torch.float64)
    spread = STD**2 * torch.eye(2, dtype=torch.float64)[None]
    return ExactField(path, source, Normals(center, spread, torch.ones(1, dtype=torch.float64)))


@pytest.mark.parametrize("prediction", ["noise", "data", "velocity"])
@pytest.mark.parametrize("scaling", ["residual", "standard"])
def test_every_head_learns_the_exact_field(prediction, scaling):
    given = experiment(1200, prediction=prediction)
    given = given.model_copy(update={"network": given.network.model_copy(update={"input_scaling": scaling})})
    flow = run(given).trained()
    field = exact(given.model.path)
    for t in (0.1, 0.5, 0.9) if scaling == "residual" else (0.5,):  # else noise and data say little at the ends
        x = field.path.at(t)
        points = float(x.alpha) * torch.tensor(MEAN) + torch.randn(500, 2, generator=Generator().manual_seed(0))
        error = (flow.velocity(points, t) - field.velocity(points, t)).square().mean().sqrt()
        assert float(error) < 0.12 * float(field.velocity(points, t).square().mean().sqrt()) + 0.05


@pytest.mark.parametrize("solver", [{"kind": "ancestral", "variance": 1}, "ddim", "dpm_solver"])
def test_its_samples_have_the_target_s_moments(solver, learnt):
    assert deviation(learnt, solver) < 0.06


def test_the_posterior_s_least_variance_makes_samples_narrow_where_steps_are_few(learnt):
    """β̃ is right for a single point alone; DDIM with η = 1 and the reverse SDE share its fault, which 1 / T bounds."""
    for solver in ("ancestral", {"kind": "ddim", "eta": 1}, "euler_maruyama"):
        assert 0.06 < deviation(learnt, solver) < 0.14
    finer = run(experiment(600, timesteps=200))
    assert deviation(finer, "ancestral", 200) < 0.06


@pytest.fixture(scope="module")
def learnt():
    return run(experiment(600))


def deviation(finished, solver, steps: int = 50) -> float:
    """How far mean and covariance of the samples are from the target's."""
    moved = finished.trained().trajectory(finished.starts(4000), Sampler(solver=solver, steps=steps), seed=1)
    assert moved.nfe == steps
    off = (moved.end.T.cov() - STD**2 * torch.eye(2)).abs().max()
    return max(float((moved.end.mean(0) - torch.tensor(MEAN)).abs().max()), float(off))


def test_training_times_are_the_steps_of_noising_equally_often():
    times = StepTimes(timesteps=10).quantile((torch.arange(1000) + 0.5) / 1000)
    values, counts = times.unique(return_counts=True)
    torch.testing.assert_close(values, torch.arange(10) / 10)
    assert (counts == 100).all()


class Known(DiscreteFlow):
    """A discrete diffusion whose field is exact."""

    def velocity(self, x, t):
        return exact(self.path).velocity(x, t)


def known(schedule: str, timesteps: int) -> Known:
    mlp = Mlp(2, 2, (4,), "relu", 0)
    nothing = Moments(torch.zeros(2), torch.zeros(2), 1.0, 1.0)
    return Known(mlp, torch.zeros(mlp.size), DiscretePath(schedule=schedule, timesteps=timesteps), "none", nothing)


def points(n: int) -> torch.Tensor:
    return Gaussian(mean=MEAN, std=(STD, STD)).sample(n, Generator().manual_seed(0)).double()


@pytest.mark.parametrize("schedule", ["linear_beta", "cosine_alpha_bar"])
def test_the_bound_is_above_the_entropy_and_tight_with_the_variance_that_is_right(schedule):
    """With the exact field, and β, which is nearly the variance of a reverse step of a broad Gaussian."""
    x1 = points(4000)
    entropy = float(-Gaussian(mean=MEAN, std=(STD, STD)).log_prob(x1.float()).mean())
    bounds = [float(known(schedule, 100).bound(x1, Generator().manual_seed(1), v).sum()) for v in (1.0, 0.5, 0.0)]
    assert bounds[0] == pytest.approx(entropy, abs=0.03)
    assert bounds[0] < bounds[1] < bounds[2]


def test_the_terms_of_the_bound_are_the_divergences_that_they_stand_for():
    """L_T, and one L_i, by the divergence of Gaussians as torch knows it, for every point drawn."""
    flow, x1 = known("linear_beta", 20), points(500)
    terms = flow.bound(x1, Generator().manual_seed(1), 1.0)
    assert terms.shape == (21,)
    left = alpha_bars("linear_beta", 20)
    normal, kl = torch.distributions.Normal, torch.distributions.kl_divergence
    prior = kl(normal(left[-1].sqrt() * x1, (1 - left[-1]).sqrt()), normal(0.0, 1.0)).sum(1).mean()
    assert float(terms[-1]) == pytest.approx(float(prior), rel=1e-6)

    generator = Generator().manual_seed(1)
    for _ in range(8):  # x_T, x_{T−1}, …: the eighth is x_13, for L_12
        noise = torch.randn(x1.shape, generator=generator, dtype=x1.dtype)
    i, beta = 13, 1 - left[13] / left[12]
    x = left[i].sqrt() * x1 + (1 - left[i]).sqrt() * noise

    def mean(data: torch.Tensor) -> torch.Tensor:  # Ho et al. 2020, eq. 7
        return (left[i - 1].sqrt() * beta * data + (1 - beta).sqrt() * (1 - left[i - 1]) * x) / (1 - left[i])

    field, t = exact(flow.path), 1 - i / 20
    data = field.posterior(x, t).data
    least = (1 - left[i - 1]) / (1 - left[i]) * beta
    divergence = kl(normal(mean(x1), least.sqrt()), normal(mean(data), beta.sqrt())).sum(1).mean()
    assert float(terms[i - 1]) == pytest.approx(float(divergence), rel=1e-6)


def test_what_is_left_of_the_data_is_told():
    (remark,) = experiment().model.remarks(Gaussian(dimension=2), Gaussian(dimension=2))
    assert "ᾱ = 4.3e-05" in remark and "signal-to-noise ratio of 4.3e-05" in remark


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"model": {"kind": "diffusion", "timesteps": 1}}, "1 is too small; choose at least 2."),
        ({"model": "diffusion", "source": "two_moons"}, "a diffusion ends in a standard gaussian"),
        ({"model": {"kind": "diffusion", "prediction": "score"}}, "is not one of"),
        ({"model": {"kind": "diffusion", "schedule": "square"}}, "is not one of"),
    ],
)
def test_bad_input_gets_a_sentence(given, sentence):
    with pytest.raises(InvalidExperiment, match=sentence):
        Experiment.parse(given)


def test_it_is_measured_at_no_more_evaluations_than_it_has_steps(learnt):
    assert list(learnt.metrics(100)["by_nfe"]) == ["1", "2", "4", "8", "16", "32", "50"]
