"""Model families, one a file, or a package where one has grown; a new one is a class added to this union."""

from typing import Annotated

from pydantic import Field

from playground.choice import FROM_NAME
from playground.models.autoregressive.model import Autoregressive
from playground.models.diffusion import Diffusion
from playground.models.energy.model import EnergyModel
from playground.models.energy.rbm import RestrictedBoltzmannMachine
from playground.models.equation import Equation
from playground.models.exact import Exact
from playground.models.flow_matching import FlowMatching
from playground.models.gan.model import Gan
from playground.models.mixture.model import GaussianMixtureModel
from playground.models.normalizing.model import NormalizingFlow
from playground.models.ode.model import NeuralOde
from playground.models.rectified_flow import RectifiedFlow
from playground.models.vae import Vae

AnyModel = Annotated[
    FlowMatching
    | RectifiedFlow
    | Diffusion
    | Exact
    | Gan
    | Vae
    | NormalizingFlow
    | NeuralOde
    | EnergyModel
    | RestrictedBoltzmannMachine
    | Autoregressive
    | GaussianMixtureModel
    | Equation,
    Field(discriminator="kind"),
    FROM_NAME,
]

__all__ = [
    "AnyModel",
    "Autoregressive",
    "Diffusion",
    "EnergyModel",
    "Equation",
    "Exact",
    "FlowMatching",
    "Gan",
    "GaussianMixtureModel",
    "NeuralOde",
    "NormalizingFlow",
    "RectifiedFlow",
    "RestrictedBoltzmannMachine",
    "Vae",
]
