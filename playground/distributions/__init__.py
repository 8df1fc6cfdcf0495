"""Sources and targets. A new kind is one class in one file, added to AnyDistribution here."""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import Field

from playground.choice import FROM_NAME
from playground.distributions.base import Distribution, Modes
from playground.distributions.checkerboard import Checkerboard
from playground.distributions.curves import Circles, NoisyCurve, Spirals, TwoMoons
from playground.distributions.gaussian import Gaussian
from playground.distributions.mixture import GaussianMixture, Grid, Mixture, Ring
from playground.distributions.uniform import Uniform

AnyDistribution = Annotated[
    Gaussian | Uniform | GaussianMixture | Ring | Grid | TwoMoons | Circles | Checkerboard | Spirals,
    Field(discriminator="kind"),
    FROM_NAME,
]
"""Whatever can be a source or a target, told apart by its `kind`."""

DISTRIBUTIONS: tuple[type[Distribution], ...] = get_args(get_args(AnyDistribution)[0])
"""Every kind, in the order in which it is offered."""

__all__ = [
    "DISTRIBUTIONS",
    "AnyDistribution",
    "Checkerboard",
    "Circles",
    "Distribution",
    "Gaussian",
    "GaussianMixture",
    "Grid",
    "Mixture",
    "Modes",
    "NoisyCurve",
    "Ring",
    "Spirals",
    "TwoMoons",
    "Uniform",
]
