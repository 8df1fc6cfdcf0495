"""The exact field beside a trained one: what flow matching's loss has as its minimum, for the map of the difference."""

from __future__ import annotations

from playground.distributions import Gaussian
from playground.distributions.base import Distribution
from playground.dynamics.couplings import IndependentCoupling
from playground.dynamics.exact import ExactField, Normals
from playground.dynamics.fitted import fitted
from playground.models.base import TARGET, HasCoupling, HasPath, Model, Optimisation, seeded, training_points
from playground.models.exact import MOST_IN_BROWSER, Exact, ExactFlow, mixture_of, moments_of

FITTED_TO = 2**14
"""Samples to which a mixture is fitted where none is known."""


def no_reference(model: Model, source: Distribution) -> str | None:
    """Why there is no exact field to compare a model with; None where there is one."""
    if isinstance(model, Exact):
        return "This field is the exact one."
    if not isinstance(model, HasPath):
        return "This model has no path along which the exact field is known."
    if not isinstance(source, Gaussian):
        return "The exact field is known for a Gaussian source only."
    if isinstance(model, HasCoupling) and not isinstance(model.coupling, IndependentCoupling):
        return "The exact field is known for independent pairs only."
    return None


def reference_field(
    model: Model, source: Distribution, target: Distribution, optimisation: Optimisation, seed: int
) -> tuple[ExactFlow, str]:
    """The field that a model with a path tends to, and what stands in it for the target, in words.

    source, target: settled. The target is its few training points, else its own density where that is a mixture of
    Gaussians, else a mixture that is fitted to it (dynamics.fitted). Raises ValueError with the sentence of
    `no_reference`.
    """
    refused = no_reference(model, source)
    if refused is not None or not isinstance(model, HasPath):
        raise ValueError(refused)
    mixture, words = _stand_in(target, optimisation, seed)
    return ExactFlow(ExactField(model.path, moments_of(source), mixture)), words


def _stand_in(target: Distribution, optimisation: Optimisation, seed: int) -> tuple[Normals, str]:
    few = training_points(target, optimisation, seed)
    if few is not None and len(few) <= MOST_IN_BROWSER:
        return Normals.points(few), f"{len(few)} training points"
    mixture = mixture_of(target)
    if mixture is not None and len(mixture.centers) <= MOST_IN_BROWSER:
        return mixture, "the target's own density"
    samples = target.sample(FITTED_TO, seeded(0, TARGET))
    found = fitted(samples, MOST_IN_BROWSER, seeded(0, 16))
    return found, f"{len(found.centers)} Gaussians fitted to the target"
