"""What a network is told of the target point besides the time: its class, or its direction from the target's middle.

In training the condition is left out now and then, so that one network learns the field of each condition and, under
the null condition, that of all of them together; classifier-free guidance (Ho and Salimans 2022) extrapolates from the
one to the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from playground.choice import Settings
from playground.distributions.base import Distribution

HARMONICS = 4
"""How many multiples of an angle are told, as cosine and sine."""
MIDDLE_POINTS = 2**14
"""Points whose mean is taken for the target's middle."""


class Condition(Settings):
    """What the network is told of where a particle should arrive."""

    labels: bool = Field(
        False,
        title="Class labels",
        description="Tell the network the class (mode, arm, square, ...) of each target point, so that one class can "
        "be asked for.",
    )
    angle: bool = Field(
        False,
        title="Angle",
        description="Tell the network the direction of the target point from the target's middle instead: a "
        "condition without steps.",
    )
    dropout: float = Field(
        0.1,
        ge=0,
        lt=1,
        title="Condition dropout",
        description="How often the condition is left out in training, which teaches the field of all classes together. "
        "Guidance needs it.",
        json_schema_extra={"advanced": True, "step": 0.05},
    )

    @property
    def given(self) -> bool:
        """Whether the network is told anything."""
        return self.labels or self.angle

    def check(self, target: Distribution) -> None:
        """Raises ValueError with a sentence where a settled target has no such condition."""
        if self.labels and self.angle:
            raise ValueError("choose class labels or the angle as the condition, not both.")
        if self.labels and target.classes < 2:
            raise ValueError(
                f"the target {target.label()} has no classes to tell apart; choose one that has, such as ring, "
                "checkerboard or two_moons, or no class labels."
            )
        if self.angle and target.dim != 2:
            raise ValueError(
                f"only points in the plane have an angle, and the target {target.label()} is {target.dim}-dimensional; "
                "choose a target in two dimensions, or class labels."
            )

    def of(self, target: Distribution) -> ConditionEncoder | None:
        """How this condition is told of points of a settled target; None where nothing is told."""
        if not self.given:
            return None
        return ConditionEncoder("labels" if self.labels else "angle", target, self.dropout)


@dataclass(frozen=True)
class ConditionEncoder:
    """A condition on a settled target: values of points, and values as the columns that a network sees.

    A value is a label in 0 … classes − 1, or an angle in radians. A label is told one-hot, so that the first layer's
    columns are the embedding of the classes, with one more for the null condition; an angle φ as
    [1, cos φ, …, cos kφ, sin φ, …, sin kφ], of which the null condition has all at 0.
    """

    kind: Literal["labels", "angle"]
    target: Distribution
    dropout: float

    @property
    def width(self) -> int:
        """The number of columns."""
        return self.target.classes + 1 if self.kind == "labels" else 1 + 2 * HARMONICS

    @property
    def guidable(self) -> bool:
        """Whether the field without a condition is learnt as well."""
        return self.dropout > 0

    def columns(self, values: Tensor) -> Tensor:
        """Values (n,) as the network sees them: (n, width)."""
        if self.kind == "labels":
            return torch.nn.functional.one_hot(values, self.width).float()
        angles = values[:, None] * torch.arange(1, HARMONICS + 1, dtype=values.dtype, device=values.device)
        return torch.cat([torch.ones_like(values[:, None]), torch.cos(angles), torch.sin(angles)], dim=1)

    def null(self, n: int = 1) -> Tensor:
        """The null condition of n particles: (n, width)."""
        columns = torch.zeros(n, self.width)
        if self.kind == "labels":
            columns[:, -1] = 1
        return columns

    def values(self, x1: Tensor, labels: Tensor | None) -> Tensor:
        """The value (n,) of target points x1 (n, d) with their labels (n,)."""
        if self.kind == "labels":
            assert labels is not None, "a target with classes labels its points"
            return labels
        x, y = (x1 - middle(self.target).to(x1)).unbind(1)
        return torch.atan2(y, x)

    def draw(self, n: int, generator: Generator) -> Tensor:
        """The values (n,) of n points of the target."""
        return self.values(*self.target.draw(n, generator))

    def dropped(self, n: int, generator: Generator) -> Tensor:
        """Which of n examples are told nothing: (n,) of bool."""
        return torch.rand(n, generator=generator, device=generator.device) < self.dropout

    def encode(self, values: Tensor, dropped: Tensor) -> Tensor:
        """What the network is told of examples: the columns of their values, or the null condition where dropped."""
        return torch.where(dropped[:, None], self.null().to(values.device), self.columns(values))

    def describe(self) -> dict[str, Any]:
        """As another runtime makes the columns."""
        told = {"kind": self.kind, "width": self.width, "guidable": self.guidable}
        return told | ({"classes": self.target.classes} if self.kind == "labels" else {"harmonics": HARMONICS})

    def chosen(self, value: float) -> Tensor:
        """A value as people give it, a label or an angle in degrees, as (1,). Raises ValueError with a sentence."""
        if self.kind == "angle":
            return torch.tensor([math.radians(value)])
        if value != int(value) or not 0 <= value < self.target.classes:
            raise ValueError(f"there is no class {value}; this target has the classes 0 to {self.target.classes - 1}.")
        return torch.tensor([int(value)])


@lru_cache(maxsize=64)
def middle(target: Distribution) -> Tensor:
    """The mean of a settled target (d,), from which directions are taken."""
    return target.sample(MIDDLE_POINTS, Generator().manual_seed(0)).mean(0)
