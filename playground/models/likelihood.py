"""What families that are trained by exact likelihood share."""

from __future__ import annotations

from functools import lru_cache

import torch

from playground.distributions.base import Distribution

CLIP = 5.0
"""The largest norm of a gradient: the first steps of a likelihood can be wild."""
FAR = (-20.0, -3.0, 0.0, 3.0, 20.0)


def refuse_without_density(family: str, source: Distribution, target: Distribution) -> None:
    """Raises ValueError with a sentence where the source's density is not known, or not positive everywhere."""
    if not _positive_everywhere(source, target.dim or source.dim or 2):
        raise ValueError(
            f"{family} needs a source whose density is known and positive everywhere, which {source.label()} is not; "
            "choose the source gaussian."
        )


@lru_cache(maxsize=256)
def _positive_everywhere(source: Distribution, dim: int) -> bool:
    """Whether the density is known and positive far out as well; kept, since a form asks it of every source."""
    density = source.log_prob(torch.cartesian_prod(*[torch.tensor(FAR)] * dim).view(-1, dim))
    return density is not None and bool(density.isfinite().all())
