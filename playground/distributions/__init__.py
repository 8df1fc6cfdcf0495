"""Sources and targets. A new kind is one class in one file, added to AnyDistribution here."""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import Field

from playground.choice import FROM_NAME
from playground.distributions.base import Distribution, Modes
from playground.distributions.bent import Banana, Funnel, Pinwheel
from playground.distributions.checkerboard import Checkerboard
from playground.distributions.curves import Circles, NoisyCurve, SCurve, Spirals, SwissRoll, TwoMoons
from playground.distributions.drawing import Drawing
from playground.distributions.drawings import RingsOfRings, Smiley
from playground.distributions.gaussian import Gaussian
from playground.distributions.heart import Heart
from playground.distributions.line import Bimodal, Cantor, Comb
from playground.distributions.mixture import GaussianMixture, Grid, Mixture, Ring, TwoScale
from playground.distributions.tails import Exponential, Laplace, StudentT
from playground.distributions.uniform import Uniform

AnyDistribution = Annotated[
    Gaussian
    | Uniform
    | GaussianMixture
    | Ring
    | Grid
    | TwoMoons
    | Circles
    | Checkerboard
    | Spirals
    | SwissRoll
    | SCurve
    | Pinwheel
    | TwoScale
    | RingsOfRings
    | Smiley
    | Heart
    | Banana
    | Funnel
    | StudentT
    | Laplace
    | Exponential
    | Bimodal
    | Comb
    | Cantor
    | Drawing,
    Field(discriminator="kind"),
    FROM_NAME,
]
"""Whatever can be a source or a target, told apart by its `kind`."""

DISTRIBUTIONS: tuple[type[Distribution], ...] = get_args(get_args(AnyDistribution)[0])
"""Every kind, in the order in which it is offered."""

__all__ = [
    "DISTRIBUTIONS",
    "AnyDistribution",
    "Banana",
    "Bimodal",
    "Cantor",
    "Checkerboard",
    "Circles",
    "Comb",
    "Distribution",
    "Drawing",
    "Exponential",
    "Funnel",
    "Gaussian",
    "GaussianMixture",
    "Grid",
    "Heart",
    "Laplace",
    "Mixture",
    "Modes",
    "NoisyCurve",
    "Pinwheel",
    "Ring",
    "RingsOfRings",
    "SCurve",
    "Smiley",
    "Spirals",
    "StudentT",
    "SwissRoll",
    "TwoMoons",
    "TwoScale",
    "Uniform",
]
