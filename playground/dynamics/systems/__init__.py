"""Systems of differential equations. A new one is a class in a file of its own, added to AnySystem here."""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import Field

from playground.choice import FROM_NAME
from playground.dynamics.systems.base import Equations, System
from playground.dynamics.systems.blow_up import BlowUp
from playground.dynamics.systems.brownian import BrownianMotion
from playground.dynamics.systems.custom import Custom
from playground.dynamics.systems.decay import Decay
from playground.dynamics.systems.double_well import DoubleWell
from playground.dynamics.systems.geometric_brownian import GeometricBrownian
from playground.dynamics.systems.langevin import LangevinDoubleWell
from playground.dynamics.systems.linear import Linear
from playground.dynamics.systems.logistic import Logistic
from playground.dynamics.systems.lotka_volterra import LotkaVolterra
from playground.dynamics.systems.ornstein_uhlenbeck import OrnsteinUhlenbeck
from playground.dynamics.systems.pendulum import Pendulum
from playground.dynamics.systems.rotation import Rotation
from playground.dynamics.systems.square_root import SquareRoot
from playground.dynamics.systems.stiff import Stiff
from playground.dynamics.systems.underdamped import UnderdampedLangevin
from playground.dynamics.systems.van_der_pol import VanDerPol

AnySystem = Annotated[
    Decay
    | Linear
    | Rotation
    | Stiff
    | Logistic
    | BlowUp
    | SquareRoot
    | Pendulum
    | LotkaVolterra
    | VanDerPol
    | DoubleWell
    | BrownianMotion
    | OrnsteinUhlenbeck
    | GeometricBrownian
    | LangevinDoubleWell
    | UnderdampedLangevin
    | Custom,
    Field(discriminator="kind"),
    FROM_NAME,
]
"""Whatever system can be chosen, told apart by its `kind`."""

SYSTEMS: tuple[type[System], ...] = get_args(get_args(AnySystem)[0])
"""Every kind, in the order in which it is offered."""

__all__ = ["SYSTEMS", "AnySystem", "Equations", "System"]
