"""From what a network outputs to a velocity: the four predictions, and scaling by the moments of source and target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from playground.dynamics.path import Coefficients, Path
from playground.dynamics.stiffness import first_time, last_time

ScalingKind = Literal["none", "standard", "residual"]
Prediction = Literal["velocity", "noise", "data", "score"]
Weighting = Literal["unit", "velocity", "noise", "data", "min_snr"]

NARROW = 0.1
"""Features of x_t that a score is scaled for, as a share of its whole width."""
SNR_CAP = 5.0
"""γ of the min-SNR weighting (Hang et al. 2023)."""


def row(prediction: Prediction, c: Coefficients) -> tuple[Tensor, Tensor]:
    """(a, b) such that the prediction's expectation is a E[x1 | x_t] + b E[x0 | x_t].

    The score is that of x_t under a source N(0, I): −E[x0 | x_t] / sigma (Song et al. 2021; Tweedie's formula).
    """
    zero, one = torch.zeros_like(c.alpha), torch.ones_like(c.alpha)
    match prediction:
        case "velocity":
            return c.d_alpha, c.d_sigma
        case "noise":
            return zero, one
        case "data":
            return one, zero
        case "score":
            return zero, -1 / c.sigma


def mixing(have: Prediction, want: Prediction, c: Coefficients) -> tuple[Tensor, Tensor]:
    """(p, q) such that what is wanted is p x_t + q times what is had.

    x_t = alpha x1 + sigma x0 and the prediction are two equations for (x1, x0); solved, they give any other prediction.
    There is no solution, and the result is not finite, where their determinant is 0: noise and score say nothing of x1
    where alpha is 0, nor data of x0 where sigma is 0. A velocity always determines the rest.
    """
    (a, b), (wanted_a, wanted_b) = row(have, c), row(want, c)
    determinant = c.alpha * b - c.sigma * a
    return (wanted_a * b - wanted_b * a) / determinant, (wanted_b * c.alpha - wanted_a * c.sigma) / determinant


def convert(value: Tensor, xt: Tensor, have: Prediction, want: Prediction, c: Coefficients) -> Tensor:
    """A prediction at points x_t (n, d) as another: (n, d) → (n, d), with the schedule c at their times (n, 1)."""
    of_point, of_value = mixing(have, want, c)
    return of_point * xt + of_value * value


def interval(kind: ScalingKind, prediction: Prediction, path: Path) -> tuple[float, float]:
    """The times between which a network of this prediction gives a velocity that a solver can follow.

    With the residual scaling they are the path's own, since there the network's part vanishes together with the
    determinant, whatever is predicted. Without it a sampler of noise begins, and one of data ends, a little inside.
    """
    low, high = path.t_min, path.t_max
    if path.steps:  # it is known at its steps alone, at the last of which there is no noise
        return low, 1 - 1 / path.steps if kind != "residual" and prediction in ("data", "score") else high
    if kind != "residual" and prediction in ("noise", "score"):
        low = first_time(path)
    if kind != "residual" and (prediction == "data" or (prediction == "score" and kind == "none")):
        high = last_time(path)
    return low, high


@dataclass(frozen=True)
class Moments:
    """Mean (d,) of source and target, and the standard deviation of each, one number for all axes."""

    mean0: Tensor
    mean1: Tensor
    std0: float
    std1: float

    @classmethod
    def of(cls, x0: Tensor, x1: Tensor) -> Moments:
        """The moments of source points x0 (n, d) and target points x1 (m, d)."""
        return cls(x0.mean(0), x1.mean(0), _spread(x0), _spread(x1))

    def packed(self) -> Tensor:
        """One vector (2d + 2,) that keeps them beside a network's weights."""
        spreads = torch.tensor([self.std0, self.std1])
        return torch.cat([self.mean0.cpu(), self.mean1.cpu(), spreads])

    @classmethod
    def unpacked(cls, vector: Tensor) -> Moments:
        """The inverse of `packed`."""
        dim = (len(vector) - 2) // 2
        return cls(vector[:dim], vector[dim : 2 * dim], float(vector[-2]), float(vector[-1]))

    def describe(self) -> dict[str, Any]:
        """As plain numbers, for the message to the browser."""
        return {
            "mean0": self.mean0.tolist(),
            "mean1": self.mean1.tolist(),
            "std0": self.std0,
            "std1": self.std1,
        }


def log_noise(moments: Moments, path: Path, t: Tensor) -> Tensor:
    """log(√(sigma² s0² + gamma²) / (alpha s1)) at times t, of any shape: the noise in units of the signal."""
    c = path.coefficients(t)
    return 0.5 * ((c.sigma * moments.std0) ** 2 + c.gamma**2).log() - (c.alpha * moments.std1).log()


def _spread(x: Tensor) -> float:
    return max(float(x.var(0).mean().sqrt()), 1e-3)


@dataclass(frozen=True)
class Affine:
    """The network's place in the field at times t: v = skip (x − center) + drift + out F(inside (x − center), t).

    Scalars have the shape (n, 1) of t; center and drift are (n, d). noise is the deviation, in units of F, of what F is
    to say of single pairs: 1 where the scaling makes it so, and more where most of it is noise that averages out. blur
    is the variance, on each axis of what F sees, of the part that comes from source and noise.
    """

    inside: Tensor
    center: Tensor
    skip: Tensor
    drift: Tensor
    out: Tensor
    noise: Tensor
    blur: Tensor


def affine(kind: ScalingKind, moments: Moments, path: Path, t: Tensor, prediction: Prediction = "velocity") -> Affine:
    """The scaling at times t (n, 1) for independent x0 and x1 with the given moments, as a velocity.

    With m and var the mean and variance of x_t, F = F((x − m) / √var, t), and p what is predicted:

    - none: p = F(x, t).
    - standard: p = its mean + its deviation · F, but a velocity without its mean.
    - residual: v = m' + k (x − m) ± c F, where m' + k (x − m) is the exact velocity between two Gaussians of these
      moments, k = Cov(dx_t/dt, x_t) / var, and c the deviation of what it leaves unexplained. It is the
      preconditioning of EDM (Karras et al. 2022, eq. 7) with the means taken out. Given x_t all predictions then leave
      the same unknown, so that they differ in sign alone: − for the noise.

    Along bridges the deviation leaves out gamma' z, which has no bound at their ends; what it adds to the velocity,
    −gamma' gamma times the score, has one and takes its place.
    """
    c = path.coefficients(t)
    zero, one = torch.zeros_like(t), torch.ones_like(t)
    if kind == "none":
        inside, center = one, torch.zeros_like(t * moments.mean0)
    else:
        inside = _variance(moments, c).rsqrt()
        center = c.alpha * moments.mean1 + c.sigma * moments.mean0
    blur = ((c.sigma * moments.std0) ** 2 + c.gamma**2) * inside**2
    push = (c.d_gamma * c.gamma * inside) ** 2
    if kind == "residual":
        skip, left = _regression(moments, c, inside)
        out = ((c.turning * moments.std0 * moments.std1 * inside) ** 2 + push).sqrt()
        drift = c.d_alpha * moments.mean1 + c.d_sigma * moments.mean0
        return Affine(inside, center, skip, drift, -out if prediction == "noise" else out, left / out, blur)
    mean, deviation, noise = torch.zeros_like(center), one, one
    if kind == "standard":
        match prediction:
            case "velocity":
                speed = (c.d_alpha * moments.std1) ** 2 + (c.d_sigma * moments.std0) ** 2
                deviation = (speed + push).sqrt()
                noise = (speed + c.d_gamma**2).sqrt() / deviation
            case "data":
                mean, deviation = mean + moments.mean1, moments.std1 * one
            case "noise":
                mean, deviation = mean + moments.mean0, moments.std0 * one
            case "score":  # F = −x0, the score's form that is finite where sigma is 0
                prediction, deviation = "noise", -one
    if prediction == "velocity":
        return Affine(inside, center, zero, mean, deviation, noise, blur)
    of_point, of_value = mixing(prediction, "velocity", c)
    drift = of_point * center + of_value * mean
    return Affine(inside, center, of_point, drift, of_value * deviation, noise, blur)


def score_affine(kind: ScalingKind, moments: Moments, path: Path, t: Tensor) -> Affine:
    """The place of a bridge's second network at times t (n, 1), with the score −E[z | x_t] / gamma in place of v.

    - none: score = F.
    - standard: score = −c F with c = 1 / √(gamma² + var / 100), what it would be at the edge of features of a tenth of
      the width of x_t: finite where gamma is 0, as the score is.
    - residual: score = −(x − m) / var − c F, the first of which is the exact one of a Gaussian.
    """
    c = path.coefficients(t)
    place = affine(kind, moments, path, t)
    zero, one, nowhere = torch.zeros_like(t), torch.ones_like(t), torch.zeros_like(place.center)
    if kind == "none":
        return Affine(place.inside, place.center, zero, nowhere, one, 1 / c.gamma, place.blur)
    near = (c.gamma * place.inside).square()
    skip, left = (place.inside.square(), 1 - near) if kind == "residual" else (zero, one)
    out = place.inside / (near + NARROW**2).sqrt()
    return Affine(place.inside, place.center, -skip, nowhere, -out, left.sqrt() / (c.gamma * out), place.blur)


def weight(weighting: Weighting, c: Coefficients, place: Affine) -> Tensor:
    """The factor on a squared error of the network F (n, 1) at its place.

    - unit: errors count in units of the deviation of what F is to say.
    - velocity: ‖v̂ − v‖², the loss of flow matching.
    - noise: ‖x̂0 − x0‖², the L_simple of DDPM (Ho et al. 2020, eq. 14); equally SNR times that of the data.
    - data: ‖x̂1 − x1‖².
    - min_snr: min(SNR, 5) ‖x̂1 − x1‖² (Hang et al. 2023).
    """
    if weighting == "unit":
        return 1 / place.noise.square()
    if weighting == "velocity":
        return place.out.square()
    if weighting == "noise":
        return (c.alpha * place.out / c.turning).square()
    data = (c.sigma * place.out / c.turning).square()
    return data if weighting == "data" else data * (c.alpha / c.sigma).square().clamp(max=SNR_CAP)


def _variance(moments: Moments, c: Coefficients) -> Tensor:
    """The variance of x_t on each axis."""
    return (c.alpha * moments.std1) ** 2 + (c.sigma * moments.std0) ** 2 + c.gamma**2


def _regression(moments: Moments, c: Coefficients, inside: Tensor) -> tuple[Tensor, Tensor]:
    """The slope of the regression of dx_t/dt on x_t, and the deviation of what it leaves.

    By Lagrange's identity the latter's square is the sum of squared 2×2 minors of (alpha', sigma', gamma') over
    (alpha, sigma, gamma), each scaled by its deviation, over the variance: no difference of large numbers.
    """
    s0, s1 = moments.std0, moments.std1
    covariance = c.d_alpha * c.alpha * s1**2 + c.d_sigma * c.sigma * s0**2 + c.d_gamma * c.gamma
    minors = (c.turning * s0 * s1) ** 2
    minors = minors + ((c.d_alpha * c.gamma - c.d_gamma * c.alpha) * s1) ** 2
    minors = minors + ((c.d_sigma * c.gamma - c.d_gamma * c.sigma) * s0) ** 2
    return covariance * inside.square(), minors.sqrt() * inside
