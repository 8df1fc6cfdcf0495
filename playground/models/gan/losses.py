"""The losses of a GAN: what the critic minimises, and what the generator minimises against it.

Both get the critic's raw outputs, v on real points and w on generated ones, each (n, 1), and return a scalar. Where a
paper has log σ(v), the same is written as −softplus(−v), which neither overflows nor loses its gradient.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, ClassVar, Literal, Self

import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor

from playground.choice import FROM_NAME, Choice
from playground.models.gan.divergences import Divergence, DivergenceName, divergence

Scale = Literal["probability", "value"]
"""What a critic's output v is: σ(v) the probability that x is real, or a value whose own scale means nothing."""


class GanLoss(Choice):
    """What a generator and a critic play for."""

    middle: ClassVar[float | None] = 0.0
    """The output that decides for neither side, where there is one."""
    paired: ClassVar[bool] = False
    """Whether the generator's loss depends on the outputs of real points."""

    @property
    def scale(self) -> Scale:
        """What the critic's output is."""
        return "value"

    @property
    def bound(self) -> float | None:
        """The size that the critic's weights are clipped to; None where they are free."""
        return None

    @property
    def slope_penalty(self) -> float:
        """The factor of the penalty on the critic's slope that belongs to the loss itself."""
        return 0.0

    @abstractmethod
    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """The critic's loss of its outputs v, w (n, 1): a scalar."""

    @abstractmethod
    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """The generator's loss of the same: a scalar."""


class _Logits(GanLoss):
    """The critic is a classifier: −E log D(x) − E log(1 − D(G(z))), D = σ(v)."""

    @property
    def scale(self) -> Scale:
        return "probability"

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        return F.softplus(-real).mean() + F.softplus(fake).mean()


class NonSaturating(_Logits):
    """The usual GAN: the generator raises log D of its points, whose gradient is strong where it loses.

    Goodfellow et al. 2014, section 3: −E log D(G(z)).
    """

    kind: Literal["non_saturating"] = "non_saturating"
    title: ClassVar[str] = "Non-saturating"

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return F.softplus(-fake).mean()


class Saturating(_Logits):
    """The original minimax game: the generator lowers log(1 − D), whose gradient vanishes where it loses.

    Goodfellow et al. 2014, eq. 1.
    """

    kind: Literal["saturating"] = "saturating"
    title: ClassVar[str] = "Saturating (minimax)"

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return -F.softplus(fake).mean()


class LeastSquares(GanLoss):
    """Least squares: the critic regresses on 1 for real and 0 for generated points, the generator on 1.

    Mao et al. 2017, eq. 9.
    """

    kind: Literal["least_squares"] = "least_squares"
    middle: ClassVar[float | None] = 0.5

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        return 0.5 * ((real - 1).square().mean() + fake.square().mean())

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return 0.5 * (fake - 1).square().mean()


class Hinge(GanLoss):
    """Hinge: only points within the margin of the wrong side teach the critic.

    Lim and Ye 2017; Miyato et al. 2018, eqs. 16 and 17.
    """

    kind: Literal["hinge"] = "hinge"

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return -fake.mean()


class _MeanGap(GanLoss):
    """The difference of mean outputs, which under a Lipschitz bound is a Wasserstein distance."""

    middle: ClassVar[float | None] = None

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        return fake.mean() - real.mean()

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return -fake.mean()


class Wasserstein(_MeanGap):
    """Wasserstein with clipping: the critic's weights are kept within a bound, and with them its slope.

    Arjovsky et al. 2017, algorithm 1.
    """

    kind: Literal["wasserstein"] = "wasserstein"
    title: ClassVar[str] = "Wasserstein, clipped"
    clip: float = Field(
        0.1,
        gt=0,
        le=10,
        title="Clip",
        description="The largest weight that the critic may have; the paper's 0.01 suits deeper networks.",
        json_schema_extra={"scale": "log"},
    )

    @property
    def bound(self) -> float | None:
        return self.clip


class WassersteinGP(_MeanGap):
    """Wasserstein with a gradient penalty: the critic's slope is drawn towards 1 between real and generated points.

    Gulrajani et al. 2017, eq. 3.
    """

    kind: Literal["wgan_gp"] = "wgan_gp"
    title: ClassVar[str] = "Wasserstein, gradient penalty"
    penalty: float = Field(
        1.0,
        gt=0,
        le=100,
        title="Gradient penalty",
        description="The factor of (slope − 1)²; the paper's 10 for images, 0.1 in its toy examples.",
        json_schema_extra={"scale": "log"},
    )

    @property
    def slope_penalty(self) -> float:
        return self.penalty


class FGan(GanLoss):
    """f-GAN: a bound on any f-divergence, which the critic raises and the generator lowers.

    Nowozin et al. 2016, eqs. 6 and 7: F = E T(x) − E f*(T(G(z))), T = g(v).
    """

    kind: Literal["f_gan"] = "f_gan"
    title: ClassVar[str] = "f-GAN"
    divergence: DivergenceName = Field(
        "jensen_shannon",
        title="Divergence",
        description="Which divergence of the data from the generated points: KL spreads over all modes, "
        "reverse KL keeps to few.",
        json_schema_extra={
            "labels": {
                "kl": "KL",
                "reverse_kl": "reverse KL",
                "jensen_shannon": "Jensen–Shannon",
                "pearson": "Pearson χ²",
                "squared_hellinger": "squared Hellinger",
                "total_variation": "total variation",
                "alpha": "α-divergence",
            }
        },
    )
    alpha: float = Field(
        0.5, ge=-3, le=3, title="α", description="The order of the α-divergence.", json_schema_extra={"step": 0.1}
    )
    non_saturating: bool = Field(
        True,
        title="Non-saturating",
        description="The generator raises E T(G(z)) instead of lowering the bound, as the paper's section 3.2 advises.",
        json_schema_extra={"advanced": True},
    )

    @model_validator(mode="after")
    def _an_order_of_its_own(self) -> Self:
        if self.divergence == "alpha" and min(abs(self.alpha), abs(self.alpha - 1)) < 0.05:
            nearest = "reverse_kl" if abs(self.alpha) < 0.05 else "kl"
            raise ValueError(
                f"the α-divergence of order {self.alpha:g} tends to {nearest}; choose the divergence {nearest}, or an "
                "order at least 0.05 away from 0 and from 1."
            )
        return self

    @property
    def chosen(self) -> Divergence:
        """The divergence itself."""
        return divergence(self.divergence, self.alpha)

    @property
    def scale(self) -> Scale:
        return "probability" if self.chosen.log_ratio else "value"

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        return self.chosen.composed(fake).mean() - self.chosen.activation(real).mean()

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        chosen = self.chosen
        return -(chosen.activation(fake) if self.non_saturating else chosen.composed(fake)).mean()


class Relativistic(GanLoss):
    """Relativistic, in pairs (R3GAN, with R1 and R2): is this real point more real than that generated one?

    Huang et al. 2024, eq. 2 after Jolicoeur-Martineau 2019: critic E softplus(−(v − w)), generator E softplus(v − w).
    """

    kind: Literal["relativistic"] = "relativistic"
    title: ClassVar[str] = "Relativistic, paired"
    middle: ClassVar[float | None] = None
    paired: ClassVar[bool] = True

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        return F.softplus(fake - real).mean()

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return F.softplus(real - fake).mean()


AnyGanLoss = Annotated[
    NonSaturating | Saturating | LeastSquares | Hinge | Wasserstein | WassersteinGP | FGan | Relativistic,
    Field(discriminator="kind"),
    FROM_NAME,
]
