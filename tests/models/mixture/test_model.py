"""The Gaussian mixture: EM never lowers the likelihood, and both fits find mixtures that are known."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture as Oracle
from torch import Generator
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from playground import Experiment, InvalidExperiment, run, train
from playground.dynamics.exact import Normals
from playground.dynamics.solvers import Sampler
from playground.models.base import training_points
from playground.models.mixture.fit import EM, NEAR, first_centers, normals_of
from playground.models.mixture.model import SHAPES, FittedMixture, GaussianMixtureModel

RING = {"kind": "ring", "modes": 5}


def fitted(steps: int = 300, **model) -> FittedMixture:
    given = {"kind": "mixture", "components": 5} | model
    return run(Experiment.parse({"target": RING, "model": given, "training": {"steps": steps}})).trained()


def any_mixture(dim: int) -> Normals:
    generator = Generator().manual_seed(3)
    root = torch.randn(4, dim, dim, generator=generator, dtype=torch.float64)
    covariances = root @ root.transpose(1, 2) + 0.1 * torch.eye(dim, dtype=torch.float64)
    shares = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
    return Normals(torch.randn(4, dim, generator=generator, dtype=torch.float64), covariances, shares)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("target", ["two_moons", "checkerboard"])
def test_em_never_lowers_the_likelihood(shape, target):
    model = {"kind": "mixture", "components": 6, "shape": shape, "start": "random", "iterations": 25}
    result = run(Experiment.parse({"target": target, "model": model}))
    losses = [loss for _, loss in result.rounds[0].losses.points]
    assert len(losses) == 25
    assert all(after <= before + 1e-5 for before, after in pairwise(losses))
    assert losses[-1] < losses[0] - 0.1


def test_every_iteration_is_a_frame():
    model = {"kind": "mixture", "components": 3, "iterations": 12}
    training = train(Experiment.parse({"target": RING, "model": model}), every=100)
    assert [taken.step for taken in training] == list(range(13))
    training.extend()
    assert [taken.step for taken in training] == list(range(13, 25)), "and it goes on by as many"


def test_an_iteration_is_scikit_learns():
    points = torch.randn(500, 2, generator=Generator().manual_seed(0)) * torch.tensor([1.0, 3.0])
    centers = first_centers(points, 3, "random", Generator().manual_seed(1))
    learner = EM(points, centers, "full", 20, 1e-3)
    first = learner.weights()
    for _ in range(20):
        learner.step(1.0)
    precisions = torch.linalg.inv(first["covariances"].double()).numpy()
    oracle = Oracle(
        3, max_iter=20, tol=0, reg_covar=1e-9, weights_init=np.full(3, 1 / 3),
        means_init=centers.double().numpy(), precisions_init=precisions,
    ).fit(points.double().numpy())  # fmt: skip
    known = normals_of(oracle)
    found = learner.weights()
    assert torch.allclose(found["centers"], known.centers.float(), atol=1e-4)
    assert torch.allclose(found["covariances"], known.covariances.float(), atol=1e-4)
    assert torch.allclose(found["shares"], known.weights.float(), atol=1e-5)


@pytest.mark.parametrize(("fit", "steps"), [("em", 1), ("gradient", 600)])
def test_both_fits_find_the_ring(fit, steps):
    found = fitted(steps, fit=fit).normals
    known = Experiment.parse({"target": RING}).target.components()
    nearest = torch.cdist(known.centers, found.centers)
    assert nearest.min(1).values.max() < 0.03
    assert nearest.argmin(1).unique().numel() == 5
    assert (found.weights - 0.2).abs().max() < 0.03
    variances = torch.linalg.eigvalsh(found.covariances)
    assert ((variances.sqrt() - 0.1).abs() < 0.02).all()


@pytest.mark.parametrize("fit", ["em", "gradient"])
@pytest.mark.parametrize("shape", SHAPES)
def test_covariances_are_of_the_shape_that_was_chosen(fit, shape):
    found = fitted(30, fit=fit, shape=shape, iterations=3).normals.covariances
    assert (torch.linalg.eigvalsh(found) > 0).all()
    if shape in ("diagonal", "round"):
        assert found[:, 0, 1].abs().max() < 1e-6
    if shape == "round":
        assert torch.allclose(found[:, 0, 0], found[:, 1, 1])
    if shape == "tied":
        assert torch.allclose(found, found[:1].expand_as(found))


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_its_density_and_its_samples_are_the_mixtures(dim):
    normals = any_mixture(dim)
    model = FittedMixture(normals)
    oracle = MixtureSameFamily(Categorical(normals.weights), MultivariateNormal(normals.centers, normals.covariances))
    x = torch.randn(50, dim, generator=Generator().manual_seed(1))
    assert torch.allclose(model.log_prob(x).double(), oracle.log_prob(x.double()), atol=1e-4)
    n = 200_000
    starts = GaussianMixtureModel().starts(None, dim, n, Generator().manual_seed(2))
    found = model.trajectory(starts, Sampler())
    assert found.x.shape == (2, n, dim)
    assert found.latent.shape == (n, dim + 1)
    assert torch.equal(found.start, starts[:, :dim])
    assert (found.end.double().mean(0) - oracle.mean).abs().max() < 5 * oracle.variance.max().sqrt() / math.sqrt(n)
    mean = normals.weights @ normals.centers
    apart = normals.centers - mean
    whole = (normals.weights[:, None, None] * (normals.covariances + apart[:, :, None] * apart[:, None])).sum(0)
    assert (torch.cov(found.end.double().t()).view(dim, dim) - whole).abs().max() < 0.03 * whole.abs().max()


def test_first_centres_are_points_and_spread_ones_are_far_apart():
    points = torch.cat([torch.randn(200, 2, generator=Generator().manual_seed(k)) * 0.01 + 5 * k for k in range(4)])
    spread = first_centers(points, 4, "spread", Generator().manual_seed(0))
    assert torch.pdist(spread).min() > 4
    random = first_centers(points, 6, "random", Generator().manual_seed(0))
    assert all(bool((points == center).all(1).any()) for center in random)
    assert len(first_centers(points[:2], 2, "spread", Generator().manual_seed(0))) == 2


@pytest.mark.parametrize("fit", ["em", "gradient"])
@pytest.mark.parametrize("shape", SHAPES)
def test_no_gaussian_falls_onto_a_point_and_it_is_said_where_some_would(fit, shape):
    """Eight components on sixteen points: each may take two of them, whose likelihood has no upper bound."""
    model = {"kind": "mixture", "components": 8, "fit": fit, "shape": shape, "narrowest": 0.05}
    training = train(
        Experiment.parse({"target": "two_moons", "model": model, "training": {"points": 16, "steps": 1500}}), every=None
    )
    *_, last = training
    normals = training.run.trained().normals
    scale = float(
        training_points(training.run.experiment.target, training.run.experiment.training, 0).std(0).pow(2).mean().sqrt()
    )
    widths = torch.linalg.eigvalsh(normals.covariances).sqrt() / scale
    assert widths.min() > 0.05 * (1 - 1e-4)
    on_floor = int((widths[:, 0] <= NEAR * 0.05).sum())
    if shape == "full":
        assert on_floor > 2
    assert (last.remark is not None) == (on_floor > 0)
    if on_floor:
        assert last.remark.startswith(f"{on_floor} of 8 Gaussians ha")
    losses = [loss for _, loss in training.run.rounds[0].losses.points]
    if fit == "em":
        assert all(after <= before + 1e-5 for before, after in pairwise(losses)), "a floor is a constraint, no noise"


def test_a_floor_below_the_data_changes_nothing_and_says_nothing():
    given = {"target": RING, "model": {"kind": "mixture", "components": 5}}
    training = train(Experiment.parse(given), every=None)
    *_, last = training
    assert last.remark is None
    tighter = run(Experiment.parse({**given, "model": {**given["model"], "narrowest": 1e-4}})).trained().normals
    assert torch.allclose(training.run.trained().normals.covariances, tighter.covariances, atol=1e-7)


def test_more_components_than_points_are_refused():
    given = {"model": {"kind": "mixture", "components": 20}, "training": {"points": 16}}
    with pytest.raises(InvalidExperiment, match="at least as many training points"):
        Experiment.parse(given)
    given["training"]["points"] = 20
    assert len(run(Experiment.parse(given)).trained().normals.centers) == 20


def test_weights_of_another_model_are_refused():
    with pytest.raises(ValueError, match="another model"):
        GaussianMixtureModel().trained({"centers": torch.zeros(2, 3), "covariances": torch.zeros(2, 3, 3)}, None, 2)
