"""The exact velocity and score of a path from a Gaussian to a mixture of Gaussians, or to finitely many points.

For x1 from component k, N(c_k, S_k), and x0 ~ N(m, S), x_t = alpha x1 + sigma x0 + gamma z is Gaussian around
alpha c_k + sigma m with covariance M_k = alpha² S_k + sigma² S + gamma² I. Hence, with w_k = M_k⁻¹ (x − mean), the
expectations given x_t = x and k are linear in w_k, and the marginal ones are their means over the posterior of k:

    E[x1] = c_k + alpha S_k w_k,   E[x0] = m + sigma S w_k,   E[z] = gamma w_k,   ∇ log p = −w_k.

Points are components with S_k = 0: the field that flow matching would learn from them with a perfect network, which
leads every particle to one of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, reduce

import torch
import torch.nn.functional as F
from torch import Tensor

from playground.dynamics.path import Coefficients, Path

AT_ONCE = 2**17
"""Pairs of a point and a component that are held at a time, where that cannot be avoided."""
WIDTH = 16
"""To which the few columns of queries, keys and values are padded: the attention kernel is fastest so."""


@dataclass(frozen=True)
class Normal:
    """N(mean, covariance): mean (d,), covariance (d, d), both float64 on the CPU."""

    mean: Tensor
    covariance: Tensor

    @property
    def is_standard(self) -> bool:
        """Whether it is N(0, I)."""
        return not self.mean.any() and bool(torch.equal(self.covariance, torch.eye(len(self.mean)).to(self.covariance)))

    def log_prob(self, x: Tensor) -> Tensor:
        """The log-density in nats at x (n, d): (n,), as x is."""
        root = torch.linalg.cholesky(self.covariance)
        white = torch.linalg.solve_triangular(root, (x.double() - self.mean).T, upper=False)
        constant = root.diagonal().log().sum() + 0.5 * len(self.mean) * math.log(2 * math.pi)
        height: Tensor = -0.5 * white.square().sum(0) - constant
        return height.to(x)


@dataclass(frozen=True)
class Normals:
    """Gaussians with weights: centers (k, d), covariances (k, d, d) or (1, d, d) for all, weights (k,) summing to 1.

    All are float64 on the CPU.
    """

    centers: Tensor
    covariances: Tensor
    weights: Tensor

    @classmethod
    def points(cls, x: Tensor) -> Normals:
        """Points x (k, d) of equal weight."""
        k, d = x.shape
        centers = x.detach().cpu().double()
        return cls(centers, torch.zeros(1, d, d, dtype=torch.float64), torch.full((k,), 1 / k, dtype=torch.float64))


@dataclass(frozen=True)
class Moment:
    """What is known of (x1, x0, z) given x_t = x: their means, −∇ log p, each (n, d)."""

    data: Tensor
    noise: Tensor
    shake: Tensor
    pull: Tensor


@dataclass(frozen=True)
class ExactField:
    """The exact field along a path from a Gaussian source to a mixture."""

    path: Path
    source: Normal
    target: Normals

    def velocity(self, x: Tensor, t: float) -> Tensor:
        """E[dx_t/dt | x_t = x] at x (n, d) and the shared time t: (n, d)."""
        c, given = self.path.at(t), self.posterior(x, t)
        drift = float(c.d_alpha) * given.data + float(c.d_sigma) * given.noise
        return drift + float(c.d_gamma) * given.shake if self.path.bridge else drift

    def score(self, x: Tensor, t: float) -> Tensor:
        """∇ log p_t at x (n, d): (n, d)."""
        return -self.posterior(x, t).pull

    def posterior(self, x: Tensor, t: float) -> Moment:
        """The means of x1, x0 and z given x_t = x (n, d).

        Not finite where x_t has no spread: points as target, at a time when sigma and gamma are 0.
        """
        c = self.path.at(t)
        return self._shared(x, c) if len(self.target.covariances) == 1 else self._each(x, c)

    def log_prob(self, x: Tensor, t: float) -> Tensor:
        """The log-density of x_t in nats at x (n, d): (n,)."""
        c = self.path.at(t)
        whiten, constant = self._whitening(c)
        heights = (self.target.weights.log() + constant).to(x)
        squares = (sum_of(part.square() for part in y) for y in self._whitened(x, c, whiten))
        return torch.cat([torch.logsumexp(heights - 0.5 * square, 1) for square in squares])

    def _whitening(self, c: Coefficients) -> tuple[Tensor, Tensor]:
        """W (k or 1, d, d) with Wᵀ W = M⁻¹, and the logarithm of the normalising constant of N(·, M) (k or 1,)."""
        eye = torch.eye(len(self.source.mean), dtype=torch.float64)
        spread = c.alpha**2 * self.target.covariances + c.sigma**2 * self.source.covariance + c.gamma**2 * eye
        root = torch.linalg.cholesky(spread)
        logarithms = root.diagonal(dim1=1, dim2=2).log().sum(1)
        whiten: Tensor = torch.linalg.solve_triangular(root, eye.expand_as(root), upper=False)
        return whiten, -logarithms - 0.5 * len(eye) * math.log(2 * math.pi)

    def _whitened(self, x: Tensor, c: Coefficients, whiten: Tensor) -> Iterator[list[Tensor]]:
        """The coordinates of W_k (x − mean_k), d tensors (rows, k), for one block of rows of x after another."""
        means = (c.alpha * self.target.centers + c.sigma * self.source.mean).to(x)
        turn = whiten.to(x)
        for block in torch.split(x, max(1, AT_ONCE // len(means))):
            # Differences, not products: they keep their digits where components are narrow.
            offsets = [block[:, j, None] - means[:, j] for j in range(x.shape[1])]
            yield [sum_of(turn[:, i, j] * offsets[j] for j in range(i + 1)) for i in range(x.shape[1])]

    def _each(self, x: Tensor, c: Coefficients) -> Moment:
        """The posterior where every component has its own covariance."""
        whiten, constant = self._whitening(c)
        heights, turn = (self.target.weights.log() + constant).to(x), whiten.to(x)
        reach = (c.alpha * self.target.covariances @ whiten.mT).to(x)
        centers = self.target.centers.to(x)
        data, pull = [], []
        for y in self._whitened(x, c, whiten):
            share = torch.softmax(heights - 0.5 * sum_of(part.square() for part in y), 1)
            parts = [share * part for part in y]
            data.append(share @ centers + sum_of(part @ reach[:, :, i] for i, part in enumerate(parts)))
            pull.append(sum_of(part @ turn[:, i] for i, part in enumerate(parts)))
        return self._moment(torch.cat(data), torch.cat(pull), c)

    def _shared(self, x: Tensor, c: Coefficients) -> Moment:
        """The posterior where all components have one covariance: only the mean of their centres is needed.

        The posterior of k is a softmax of products, ⟨W x, alpha W c_k⟩ + what depends on k alone, so that the mean
        centre is attention of the points to the centres, for which torch has a kernel that holds no matrix (n, k).
        """
        whiten = self._whitening(c)[0][0]
        middle = self._middle
        place = c.alpha * middle + c.sigma * self.source.mean
        keys = c.alpha * (self.target.centers - middle) @ whiten.T
        heights = self.target.weights.log() - 0.5 * keys.square().sum(1)
        queries = (x - place.to(x)) @ whiten.T.to(x)
        center = attention(queries, keys.to(x), heights.to(x), (self.target.centers - middle).to(x)) + middle.to(x)
        pull = (queries - c.alpha.to(x) * (center - middle.to(x)) @ whiten.T.to(x)) @ whiten.to(x)
        return self._moment(center + pull @ (c.alpha * self.target.covariances[0]).to(x), pull, c)

    @cached_property
    def _middle(self) -> Tensor:
        """The mean of the centres, from which all is measured: it keeps the numbers in the exponents small."""
        return self.target.weights @ self.target.centers

    def _moment(self, data: Tensor, pull: Tensor, c: Coefficients) -> Moment:
        noise = self.source.mean.to(pull) + pull @ (c.sigma * self.source.covariance).to(pull)
        return Moment(data, noise, c.gamma.to(pull) * pull, pull)


def sum_of(terms: Iterable[Tensor]) -> Tensor:
    """The sum of one tensor or more."""
    return reduce(torch.add, terms)


def attention(queries: Tensor, keys: Tensor, heights: Tensor, values: Tensor) -> Tensor:
    """softmax(queries keysᵀ + heights) values: (n, d), (k, d), (k,), (k, d) → (n, d), in memory of order n + k."""
    n, d = queries.shape
    k = len(keys)
    padded_queries, padded_keys = queries.new_zeros(1, 1, n, WIDTH), keys.new_zeros(1, 1, k, WIDTH)
    padded_values = values.new_zeros(1, 1, k, WIDTH)
    padded_queries[..., :d], padded_queries[..., d] = queries, 1
    padded_keys[..., :d], padded_keys[..., d] = keys, heights
    padded_values[..., :d] = values
    return F.scaled_dot_product_attention(padded_queries, padded_keys, padded_values, scale=1.0)[0, 0, :, :d]
