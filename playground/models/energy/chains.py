"""Markov chains that sample a density known up to a factor: Langevin, MALA, Hamiltonian Monte Carlo.

All three are one move. With potential U = −log p + constant, a fresh momentum p ~ N(0, I) and a step h, L times

    p ← p − h/2 ∇U(u),   u ← u + h p,   p ← p − h/2 ∇U(u)                                            (leapfrog)

With L = 1 the position moves by −h²/2 ∇U + h p: one step of Langevin dynamics with ε = h²/2. Accepting the move with
probability min(1, exp(H(before) − H(after))), H = U + ½|p|², makes it MALA (Roberts and Tweedie 1996), and with more
leapfrogs Hamiltonian Monte Carlo (Duane et al. 1987; Neal 2011): then p is left invariant whatever the step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from playground.choice import FROM_NAME, Choice

Potential = Callable[[Tensor], tuple[Tensor, Tensor]]
"""The energy and its gradient: u (n, d) → (n,), (n, d)."""


@dataclass(frozen=True)
class Link:
    """One state of many chains side by side: u (n, d), and the share of them that accepted the move to it."""

    u: Tensor
    accepted: float


class Chain(Choice):
    """A way to move many chains at once; lengths are in standard deviations of the data."""

    corrected: ClassVar[bool] = True
    """Whether moves are accepted or rejected, so that the density is left invariant."""
    axis: ClassVar[str] = "Langevin step"
    """What its moves are called where they are counted."""

    step: float = Field(
        0.1,
        ge=0.005,
        le=4,
        title="Step size",
        description="Length of a move, in standard deviations of the data: too small and chains hardly move, too large "
        "and moves are rejected or, where none is, the chain becomes unstable.",
        json_schema_extra={"scale": "log"},
    )
    steps: int = Field(
        200,
        ge=1,
        le=2000,
        title="Chain length",
        description="Moves from the start to the sample.",
        json_schema_extra={"scale": "log"},
    )

    @property
    def inner(self) -> int:
        """Leapfrogs in a move."""
        return 1

    @torch.no_grad()
    def states(self, potential: Potential, u: Tensor, generator: Generator) -> Iterator[Link]:
        """The states that follow u (n, d), without end."""
        energy, slope = potential(u)
        chance: dict[str, Any] = {"generator": generator, "device": u.device, "dtype": u.dtype}
        while True:
            p = torch.randn(u.shape, **chance)
            after, speed, rise, pull = u, p, energy, slope
            for _ in range(self.inner):
                speed = speed - self.step / 2 * pull
                after = after + self.step * speed
                rise, pull = potential(after)
                speed = speed - self.step / 2 * pull
            if not self.corrected:
                u, energy, slope = after, rise, pull
                yield Link(u, 1.0)
                continue
            gained = energy - rise + 0.5 * (p.square() - speed.square()).sum(1)
            # A move to where U is no number is rejected: no comparison with NaN holds.
            kept = torch.rand(len(u), **chance).log() < gained
            u = torch.where(kept[:, None], after, u)
            slope = torch.where(kept[:, None], pull, slope)
            energy = torch.where(kept, rise, energy)
            yield Link(u, float(kept.float().mean()))


class Langevin(Chain):
    """Downhill by the slope of the energy, with noise of its own: simple, and biased by its step."""

    title: ClassVar[str] = "Langevin"
    kind: Literal["langevin"] = "langevin"
    corrected: ClassVar[bool] = False


class Mala(Chain):
    """Langevin moves that are accepted or rejected, so that no step size biases the samples."""

    title: ClassVar[str] = "MALA"
    kind: Literal["mala"] = "mala"
    axis: ClassVar[str] = "MALA move"


class Hmc(Chain):
    """Hamiltonian Monte Carlo: particles roll over the energy for some leapfrogs, then accept or reject."""

    title: ClassVar[str] = "Hamiltonian Monte Carlo"
    kind: Literal["hmc"] = "hmc"
    axis: ClassVar[str] = "HMC move"
    steps: int = Field(
        40,
        ge=1,
        le=2000,
        title="Chain length",
        description="Moves from the start to the sample, each of several leapfrogs.",
        json_schema_extra={"scale": "log"},
    )
    leapfrogs: int = Field(
        8, ge=2, le=50, title="Leapfrogs", description="Steps of the rolling particle in each move, all evaluations."
    )

    @property
    def inner(self) -> int:
        return self.leapfrogs


AnyChain = Annotated[Langevin | Mala | Hmc, Field(discriminator="kind"), FROM_NAME]
