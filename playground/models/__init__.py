"""Model families, one a file; a new one is a class added to this union."""

from typing import Annotated

from pydantic import Field

from playground.choice import FROM_NAME
from playground.models.autoregressive import Autoregressive
from playground.models.diffusion import Diffusion
from playground.models.energy import EnergyModel
from playground.models.exact import Exact
from playground.models.flow_matching import FlowMatching
from playground.models.gan import Gan
from playground.models.mixture import GaussianMixtureModel
from playground.models.neural_ode import NeuralOde
from playground.models.normalizing_flow import NormalizingFlow
from playground.models.rbm import RestrictedBoltzmannMachine
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
    | GaussianMixtureModel,
    Field(discriminator="kind"),
    FROM_NAME,
]

__all__ = [
    "AnyModel",
    "Autoregressive",
    "Diffusion",
    "EnergyModel",
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
