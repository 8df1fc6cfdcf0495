"""The Fokker–Planck equation on a grid: how the density of an equation's particles moves.

    ∂p/∂t = −Σ_i ∂J_i/∂x_i,   J_i = F_i p − D_i ∂p/∂x_i,   D_i = ½ g_i²,   F_i = f_i − ∂D_i/∂x_i  (f in Itô's sense)

by finite volumes: between two cells flows the J of Scharfetter and Gummel (1969), exact where F and D are constant,
which is the scheme of Chang and Cooper (1970); nothing flows over the edge. Each step is implicit Euler, axis by axis
(x for half a step, y for a whole one, x for half). What leaves one cell enters the next, so that mass is conserved to
rounding, and each sweep inverts an M-matrix, so that p stays positive for every step. It is of second order in space
and of first in time. The twin is ui/web/compute/systems/fokker-planck.js.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch

from playground.dynamics.systems.base import Equations
from playground.dynamics.systems.expression import names_in

Array = npt.NDArray[np.float64]

LEAST_DIFFUSION = 1e-12
"""As a share of F Δ: below it the flux is that of the cell which it comes from."""
MOST_PECLET = 500.0
"""|F Δ / D| beyond which exp would overflow, and the flux is upwind to all digits."""


@dataclass(frozen=True)
class Lattice:
    """A box of equal cells: low and high (d,), cells along each axis."""

    low: tuple[float, ...]
    high: tuple[float, ...]
    cells: tuple[int, ...]

    @cached_property
    def widths(self) -> tuple[float, ...]:
        """The length of a cell along each axis."""
        return tuple((b - a) / n for a, b, n in zip(self.low, self.high, self.cells, strict=True))

    @property
    def volume(self) -> float:
        """The volume of a cell."""
        return float(np.prod(self.widths))

    def faces(self, axis: int) -> Array:
        """The middles of the inner faces across an axis, with one fewer along it than there are cells: (..., d)."""
        lines = []
        for k, (low, width, count) in enumerate(zip(self.low, self.widths, self.cells, strict=True)):
            lines.append(low + width * (np.arange(1, count) if k == axis else np.arange(count) + 0.5))
        return np.stack(np.meshgrid(*lines, indexing="ij"), -1)

    @property
    def middles(self) -> Array:
        """The middles of the cells, (*cells, d)."""
        lines = [a + w * (np.arange(n) + 0.5) for a, w, n in zip(self.low, self.widths, self.cells, strict=True)]
        return np.stack(np.meshgrid(*lines, indexing="ij"), -1)


def bernoulli(x: Array) -> Array:
    """B(x) = x / (e^x − 1), 1 at 0."""
    small = np.abs(x) < 1e-6
    safe = np.where(small, 1.0, np.clip(x, -MOST_PECLET, MOST_PECLET))
    return np.where(small, 1 - x / 2, np.where(np.abs(x) > MOST_PECLET, np.maximum(-x, 0), safe / np.expm1(safe)))


def solve_fokker_planck(
    equations: Equations, lattice: Lattice, start: Array, steps: int, each: int = 1
) -> Iterator[tuple[float, Array]]:
    """Yields (t, p) from t = 0 on, after every `each` of the steps to T; p (*cells) is the density, start that at 0.

    Raises ValueError where there is no noise, or the start does not fit the lattice.
    """
    if not equations.noisy:
        raise ValueError("without noise the density moves along the paths; choose a system with noise.")
    if start.shape != lattice.cells or len(lattice.cells) != equations.dim:
        raise ValueError(f"a density of shape {start.shape} does not fit a lattice of {lattice.cells} cells.")
    h = equations.T / steps
    still = not any("t" in names_in(tree) for tree in (*equations.flux, *equations.parsed.noise))
    known = [fluxes(equations, lattice, axis, 0.0) for axis in range(equations.dim)] if still else None

    def swept(p: Array, axis: int, h: float, t: float) -> Array:
        onward, back = known[axis] if known else fluxes(equations, lattice, axis, t)
        return _swept(lattice, p, axis, h, onward, back)

    p = start.astype(float)
    yield 0.0, p.copy()
    for step in range(1, steps + 1):
        t = h * step
        p = swept(p, 0, h if equations.dim == 1 else h / 2, t)
        if equations.dim == 2:
            p = swept(swept(p, 1, h, t), 0, h / 2, t)
        if step % each == 0 or step == steps:
            yield t, p.copy()


def _swept(lattice: Lattice, p: Array, axis: int, h: float, onward: Array, back: Array) -> Array:
    """One implicit step along an axis, with the fluxes at its faces."""
    rate = h / lattice.widths[axis]
    onward, back = np.moveaxis(onward, axis, 0) * rate, np.moveaxis(back, axis, 0) * rate
    moved = np.moveaxis(p, axis, 0)
    diagonal = np.ones_like(moved)
    diagonal[:-1] += onward
    diagonal[1:] += back
    return np.moveaxis(tridiagonal(-onward, diagonal, -back, moved), 0, axis)


def fluxes(equations: Equations, lattice: Lattice, axis: int, t: float) -> tuple[Array, Array]:
    """(a, b) at the inner faces across an axis, J = a p_before − b p_after; both are at least 0."""
    faces = lattice.faces(axis)
    x = torch.from_numpy(faces.reshape(-1, equations.dim))
    drift = equations.at(equations.flux, x, t)[:, axis].numpy().reshape(faces.shape[:-1])
    noise = equations.at(equations.parsed.noise, x, t)[:, axis].numpy().reshape(faces.shape[:-1])
    width = lattice.widths[axis]
    diffusion = 0.5 * noise**2
    least = LEAST_DIFFUSION * np.abs(drift) * width + 1e-300
    peclet = drift * width / np.maximum(diffusion, least)
    scale = np.maximum(diffusion, least) / width
    return scale * bernoulli(-peclet), scale * bernoulli(peclet)


def tridiagonal(below: Array, diagonal: Array, above: Array, right: Array) -> Array:
    """The solution x (n, ...) of the systems below[k−1] x[k−1] + diagonal[k] x[k] + above[k] x[k+1] = right[k]."""
    n = len(diagonal)
    bent, found = np.empty_like(diagonal), np.empty_like(diagonal)
    bent[0], found[0] = diagonal[0], right[0]
    for k in range(1, n):
        factor = below[k - 1] / bent[k - 1]
        bent[k] = diagonal[k] - factor * above[k - 1]
        found[k] = right[k] - factor * found[k - 1]
    found[-1] /= bent[-1]
    for k in range(n - 2, -1, -1):
        found[k] = (found[k] - above[k] * found[k + 1]) / bent[k]
    return found


def l1(p: Array, q: Array, lattice: Lattice) -> float:
    """The L1 distance of two densities, from 0 to 2."""
    return float(np.abs(p - q).sum() * lattice.volume)
