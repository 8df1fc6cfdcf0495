"""Coordinates, and distributions that fit any number of axes until their partner fixes it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import torch
from pydantic import BeforeValidator, Field, ValidationInfo, field_validator
from torch import Tensor

from playground.distributions.base import Distribution


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, (int, float, str)) else value


ONE_OR_MORE = BeforeValidator(_as_tuple)
"""Lets a bare number stand for a tuple of one: `std: 0.5`."""

Coordinate = Annotated[float, Field(ge=-50, le=50)]
"""A position on one axis."""

Spread = Annotated[float, Field(ge=0.001, le=10)]
"""A standard deviation."""


class DimensionFree(Distribution):
    """A distribution whose axes are alike unless it says otherwise: one value serves every axis.

    Its dimension is the field `dimension`, or else the length of any tuple with a value for each axis, or else
    open (None), until `at` settles it. Drawing from an open one is refused.
    """

    dimension: Literal[1, 2, 3] | None = Field(
        None,
        title="Dimensions",
        description="How many axes it has; left open, it follows its partner.",
        json_schema_extra={"advanced": True},
    )

    @field_validator("*")
    @classmethod
    def _one_value_an_axis(cls, value: Any, info: ValidationInfo) -> Any:
        axes = axes_of(info.data)
        if isinstance(value, tuple) and axes is not None and len(value) not in (1, axes):
            raise ValueError(f"give one value, or one for each of the {axes} axes, not {len(value)}.")
        return value

    @property
    def dim(self) -> int | None:
        return axes_of(self.__dict__)

    def at(self, dim: int) -> Self:
        if self.dim is not None:
            return super().at(dim)
        if dim not in (1, 2, 3):
            raise ValueError(f"{self.label()} can have 1, 2 or 3 dimensions, not {dim}.")
        return self.model_copy(update={"dimension": dim})

    def _settled(self) -> int:
        if self.dim is None:
            raise ValueError(f"{self.label()} has no dimension of its own; settle it first, e.g. with .at(2).")
        return self.dim

    def _vector(self, values: tuple[float, ...], like: Tensor) -> Tensor:
        """One value for each axis, (d,), of the type and on the device of `like`."""
        return torch.tensor(values, dtype=like.dtype, device=like.device).expand(self._settled())


def axes_of(fields: dict[str, Any]) -> int | None:
    """The number of axes that fields agree on, None while each is a single value."""
    lengths = (len(value) for value in fields.values() if isinstance(value, tuple) and len(value) > 1)
    dimension: int | None = fields.get("dimension")
    return dimension or next(lengths, None)
