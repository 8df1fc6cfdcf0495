"""Pictures drawn with noisy curves."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from playground.distributions.curves import NoisyCurve, noise_field, on_circle, scale_field


class RingsOfRings(NoisyCurve):
    """Small circles, evenly around a large one."""

    kind: Literal["rings_of_rings"] = "rings_of_rings"
    rings: int = Field(6, ge=1, le=16, title="Small circles", description="How many stand around the large one.")
    size: float = Field(
        0.3,
        ge=0.05,
        le=1,
        title="Size",
        description="The small circles' radius, as a share of the large one's.",
        json_schema_extra={"step": 0.05},
    )
    noise: float = noise_field(0.02)
    scale: float = scale_field(2.0)

    def shares(self) -> tuple[float, ...]:
        return (1 / self.rings,) * self.rings

    def curve(self, u: Tensor, arm: Tensor) -> Tensor:
        return on_circle(arm.to(u.dtype) / self.rings) + self.size * on_circle(u)


class Smiley(NoisyCurve):
    """A face: its outline, two eyes and a mouth."""

    kind: Literal["smiley"] = "smiley"
    smile: float = Field(
        1.0,
        ge=-1,
        le=1,
        title="Smile",
        description="How far the corners of the mouth go up, or below 0 down.",
        json_schema_extra={"step": 0.1},
    )
    noise: float = noise_field(0.02)
    scale: float = scale_field(2.5)

    def shares(self) -> tuple[float, ...]:
        return (0.68, 0.08, 0.08, 0.16)  # about as the lengths of the lines

    def curve(self, u: Tensor, arm: Tensor) -> Tensor:
        face = on_circle(u)
        left, right = ((0.12 * face + face.new_tensor([x, 0.3])) for x in (-0.35, 0.35))
        across = 2 * u - 1
        mouth = torch.stack([0.5 * across, 0.2 * self.smile * (2 * across.square() - 1) - 0.45], dim=1)
        return torch.stack([face, left, right, mouth])[arm, torch.arange(len(u), device=u.device)]
