"""Fitting a mixture of Gaussians: expectation–maximisation, and gradient descent on splats."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from playground.dynamics.exact import Normals
from playground.models.base import Learner, Optimisation, Pool, Weights
from playground.models.learning import Adam

POINTS = 4_000
"""Points of the target that expectation–maximisation goes through in each iteration."""
NEAR = 1.5
"""So many times the floor of width is still on it."""
SINGULAR = 1e-6
"""What scikit-learn adds to variances, as a share of the data's: only as much as its Cholesky factors need."""


def first_centers(points: Tensor, count: int, start: str, generator: Generator) -> Tensor:
    """`count` of the points (n, d) to begin from: at random, or far apart (k-means++).

    k-means++ (Arthur and Vassilvitskii 2007) draws each next centre with a probability that grows as the square of
    the distance to the nearest one before.
    """
    if start == "random":
        return points[torch.randperm(len(points), generator=generator)[:count]].clone()
    centers = points[torch.randint(len(points), (1,), generator=generator)]
    nearest = (points - centers).square().sum(1)
    while len(centers) < count:
        total = nearest.cumsum(0)
        # Where all points have been taken, the rest of the centres repeat some.
        u = torch.rand(1, generator=generator, dtype=points.dtype) * total[-1]
        chosen = points[int(torch.searchsorted(total, u).clamp(max=len(points) - 1))][None]
        nearest = torch.minimum(nearest, (points - chosen).square().sum(1))
        centers = torch.cat([centers, chosen])
    return centers


def first_width(points: Tensor, count: int) -> float:
    """The standard deviation with which each of `count` round Gaussians begins: together they cover the data."""
    whole = float(points.std(0).pow(2).mean().sqrt())
    return whole / math.pow(count, 1 / points.shape[1])


class EM(Learner):
    """Expectation–maximisation, one iteration a step, by scikit-learn; its loss is the negative log-likelihood.

    E: r_ik ∝ w_k N(x_i; c_k, S_k), each point's shares; M: weights, means and covariances of the points, weighted by
    them (Dempster, Laird and Rubin 1977), with the variance along every axis of an ellipse at least (narrowest s)²,
    s the data's deviation. No iteration lowers the likelihood. The learning rate plays no part.
    """

    name = "em"
    each = True

    def __init__(self, points: Tensor, centers: Tensor, shape: str, iterations: int, narrowest: float) -> None:
        from sklearn.mixture import GaussianMixture

        self.steps = iterations
        self._points = points.double().numpy()
        count, d = centers.shape
        self._scale, self._narrowest = float(points.std(0).pow(2).mean().sqrt()), narrowest
        self._normals = rounds_around(centers, first_width(points, count))
        precision = 1 / float(self._normals.covariances[0, 0, 0])
        first = {"full": np.tile(precision * np.eye(d), (count, 1, 1)), "tied": precision * np.eye(d)}
        first |= {"diag": np.full((count, d), precision), "spherical": np.full(count, precision)}
        self._fit = GaussianMixture(
            count,
            covariance_type=shape,
            tol=0,
            max_iter=1,
            reg_covar=SINGULAR * self._scale**2,
            weights_init=np.full(count, 1 / count),
            means_init=centers.double().numpy(),
            precisions_init=first[shape],
            warm_start=True,
            random_state=0,
        )

    def step(self, decay: float) -> Tensor:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one iteration has not converged, and need not
            self._fit.fit(self._points)
        widen(self._fit, self._narrowest * self._scale)
        self._normals = normals_of(self._fit)
        return torch.tensor(-float(self._fit.lower_bound_))

    @property
    def remark(self) -> str | None:
        """That some Gaussians are as narrow as they may be, where some are."""
        return remark_on(self._normals, self._scale, self._narrowest)

    def weights(self) -> Weights:
        return packed(self._normals)


def widen(fit: Any, narrowest: float) -> None:
    """Gives a fitted scikit-learn mixture no standard deviation below `narrowest` along any axis of its ellipses.

    Of all covariances that satisfy this, those with their smaller eigenvalues raised to it have the largest likelihood.
    """
    kind, smallest = fit.covariance_type, narrowest**2
    if kind in ("full", "tied"):
        values, turns = np.linalg.eigh(fit.covariances_)
        if values.min() >= smallest:
            return
        fit.covariances_ = (turns * np.maximum(values, smallest)[..., None, :]) @ np.swapaxes(turns, -1, -2)
        # Σ = L Lᵀ; scikit-learn keeps the upper triangular L⁻ᵀ.
        fit.precisions_cholesky_ = np.swapaxes(np.linalg.inv(np.linalg.cholesky(fit.covariances_)), -1, -2)
    else:
        fit.covariances_ = np.maximum(fit.covariances_, smallest)
        fit.precisions_cholesky_ = 1 / np.sqrt(fit.covariances_)


def remark_on(normals: Normals, scale: float, narrowest: float) -> str | None:
    """What to say where Gaussians stand on the floor of width, `narrowest` of the data's deviation `scale`."""
    widths = torch.linalg.eigvalsh(normals.covariances)[:, 0].clamp_min(0).sqrt()
    count, whole = int((widths <= NEAR * narrowest * scale).sum()), len(widths)
    if not count:
        return None
    verb, pronoun = ("has", "it") if count == 1 else ("have", "they")
    return (
        f"{count} of {whole} Gaussians {verb} shrunk to the floor of width: {pronoun} fell onto a few training points, "
        "where the likelihood of those points would grow without bound, while that of new points gets worse. Use fewer "
        "components or more points, or raise the floor."
    )


def normals_of(fit: Any) -> Normals:
    """The Gaussians of a fitted scikit-learn mixture."""
    centers = torch.from_numpy(np.array(fit.means_, dtype=np.float64))
    count, d = centers.shape
    found = torch.from_numpy(np.array(fit.covariances_, dtype=np.float64))
    covariances = {
        "full": lambda: found,
        "tied": lambda: found.expand(count, d, d).clone(),
        "diag": lambda: torch.diag_embed(found),
        "spherical": lambda: found[:, None, None] * torch.eye(d, dtype=torch.float64),
    }[fit.covariance_type]()
    return Normals(centers, covariances, torch.from_numpy(np.array(fit.weights_, dtype=np.float64)))


class Splats(Learner):
    """Gradient descent on the mean negative log-likelihood of a batch, by Adam.

    Each Gaussian is a splat, as in 3D Gaussian Splatting (Kerbl et al. 2023, eq. 6): a centre, a rotation and a scale
    along each of its axes, Σ = R S Sᵀ Rᵀ, which stays positive definite whatever the step; the weights are a softmax.
    """

    name = "splats"

    def __init__(self, pool: Pool, centers: Tensor, shape: str, optimisation: Optimisation, narrowest: float) -> None:
        self._pool, self._batch, self._shape, self._narrowest = pool, optimisation.batch, shape, narrowest
        self._mean, self._std = pool.points.mean(0), pool.points.std(0).pow(2).mean().sqrt()
        count, d = centers.shape
        scaled = (centers - self._mean) / self._std
        width = first_width((pool.points - self._mean) / self._std, count)
        self._sizes = [count, count * d, count * d, count * (d * (d - 1) // 2)]
        start = [torch.zeros(count), scaled.flatten(), torch.full((count * d,), math.log(width))]
        flat = torch.cat([*start, torch.zeros(self._sizes[3])]).float().to(pool.points.device)
        self._adam = Adam(flat, optimisation)

    def step(self, decay: float) -> Tensor:
        u = (self._pool.batch(self._batch) - self._mean) / self._std
        flat = self._adam.weights.detach().requires_grad_()
        loss = -self._log_prob(flat, u).mean()
        (gradient,) = torch.autograd.grad(loss, flat)
        self._adam.step(gradient, decay)
        return loss.detach() + u.shape[1] * self._std.log()

    def _parts(self, flat: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Log weights (k,), centers (k, d), scales (k, d), rotations (k, d, d), all of the scaled data."""
        logits, centers, scales, angles = torch.split(flat, self._sizes)
        count = len(logits)
        d = len(centers) // count
        scales = scales.view(count, d)
        if self._shape == "spherical":
            scales = scales.mean(1, keepdim=True).expand(count, d)
        if self._shape == "tied":
            scales, angles = scales.mean(0).expand(count, d), angles.view(count, -1).mean(0).repeat(count)
        skew = flat.new_zeros(count, d, d)
        if self._shape in ("full", "tied") and d > 1:
            above = torch.triu_indices(d, d, 1)
            skew = skew.index_put((torch.arange(count)[:, None], above[0], above[1]), angles.view(count, -1))
            skew = skew - skew.transpose(1, 2)
        return (
            logits.log_softmax(0),
            centers.view(count, d),
            self._narrowest + scales.exp(),
            torch.linalg.matrix_exp(skew),
        )

    def _log_prob(self, flat: Tensor, u: Tensor) -> Tensor:
        logs, centers, scales, turns = self._parts(flat)
        along = torch.einsum("nkd,kde->nke", u[:, None] - centers, turns) / scales
        heights = logs - scales.log().sum(1) - 0.5 * u.shape[1] * math.log(2 * math.pi)
        return torch.logsumexp(heights - 0.5 * along.square().sum(2), 1)

    @property
    def remark(self) -> str | None:
        """As of expectation–maximisation."""
        return remark_on(self._normals(), float(self._std), self._narrowest)

    def weights(self) -> Weights:
        return packed(self._normals())

    @torch.no_grad()
    def _normals(self) -> Normals:
        logs, centers, scales, turns = self._parts(self._adam.average())
        root = turns * scales[:, None]
        return Normals(
            centers=(self._mean + self._std * centers).cpu().double(),
            covariances=(self._std**2 * root @ root.transpose(1, 2)).cpu().double(),
            weights=logs.exp().cpu().double(),
        )


def rounds_around(centers: Tensor, width: float) -> Normals:
    """Equally likely round Gaussians of one width."""
    count, d = centers.shape
    eye = torch.eye(d, dtype=torch.float64)
    shares = torch.full((count,), 1 / count, dtype=torch.float64)
    return Normals(centers.double().cpu(), (width**2 * eye).expand(count, d, d).clone(), shares)


def packed(normals: Normals) -> Weights:
    """The Gaussians as a snapshot keeps them."""
    return {
        "centers": normals.centers.float(),
        "covariances": normals.covariances.float(),
        "shares": normals.weights.float(),
    }
