"""How a continuous flow moves and stretches space along a particle's way, with derivatives that are written out.

Automatic differentiation of a Jacobian is a second derivative, and spends most of its time in bookkeeping; a continuous
flow needs it in every stage of every step of its solver. Written out, a training step takes half as long.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from playground.dynamics.adjoint import keep
from playground.dynamics.parameterization import Affine, affine
from playground.models.flow import Flow
from playground.models.learning import SELU_ALPHA, SELU_SCALE
from playground.networks import ACTIVATIONS, ActivationName

MOST_PLACES = 128
"""Times that are remembered."""
PENALTIES = 2
"""Integrals at the end of a state."""

Bend = Callable[[Tensor, Tensor, Tensor, Tensor], object]
BENDS: dict[ActivationName, Bend] = {
    "tanh": lambda z, h, slope, bend: _tanh(h, slope, bend),
    "silu": lambda z, h, slope, bend: _silu(z, slope, bend),
    "selu": lambda z, h, slope, bend: _selu(z, h, slope, bend),
}
"""Writes act'(z) and act''(z), from an activation's input z and output h, into the last two arguments."""


def _tanh(h: Tensor, slope: Tensor, bend: Tensor) -> None:
    torch.mul(h, h, out=slope).neg_().add_(1)
    torch.mul(h, slope, out=bend).mul_(-2)


def _silu(z: Tensor, slope: Tensor, bend: Tensor) -> None:
    gate = torch.sigmoid(z)
    bent = gate * (1 - gate)
    torch.addcmul(gate, z, bent, out=slope)
    torch.mul(bent, 2 + z * (1 - 2 * gate), out=bend)


def _selu(z: Tensor, h: Tensor, slope: Tensor, bend: Tensor) -> None:
    below = h + SELU_SCALE * SELU_ALPHA
    slope.copy_(torch.where(z > 0, SELU_SCALE, below))
    bend.copy_(torch.where(z > 0, 0.0, below))


class Tape:
    """What the way back needs of one evaluation, in buffers that are used again; those of each hidden layer in turn.

    rows ((1 + d) n, width): z and then its tangents; after: what follows from them; slopes, bends (n, width).
    """

    def __init__(self, n: int, dim: int, widths: tuple[int, ...], like: Tensor) -> None:
        self.n = n
        self.rows = [like.new_empty((1 + dim) * n, width) for width in widths]
        self.after = [torch.empty_like(rows) for rows in self.rows]
        self.slopes, self.bends = ([like.new_empty(n, width) for width in widths] for _ in "12")
        self.inputs = self.velocity = self.jacobian = self.turned = like
        self.place: Affine
        self.counted: object = None


class DivergingDynamics:
    """ds/dt of s = (x, T, ∫‖v‖², ∫‖∇v‖²), (n, d + d² + 2), under a flow's field v whose weights may change in place.

    T_mi = ∂x_i/∂x_m is the derivative by where the particle came from: dT/dt = T J with J_ki = ∂v_i/∂x_k. The d
    tangents ∂z/∂x_k of a layer's inputs go up beside the values as further rows: P_l = [z_l; ∂_1 z_l; …] =
    Q_{l−1} W_lᵀ (+ b_l on the values) and Q_l = [act(z_l); act'(z_l) ⊙ ∂_k z_l]. Going down, with ∂loss/∂Q_l =
    [η; τ_k]: ∂loss/∂P_l = [act' ⊙ η + act'' ⊙ Σ_k τ_k ⊙ ∂_k z_l; act' ⊙ τ_k].
    """

    def __init__(self, flow: Flow, weights: Tensor) -> None:
        self.gradient = torch.zeros_like(weights)
        self._flow, self._act, self._bend = flow, ACTIVATIONS[flow.mlp.activation], BENDS[flow.mlp.activation]
        self._layers, self._gradients = list(flow.mlp.layers(weights)), list(flow.mlp.layers(self.gradient))
        self._free: list[Tape] = []  # fresh memory costs as much as the sums: it is faulted in page by page
        self._places: dict[float, tuple[Tensor, Affine]] = {}

    def slope(self, state: Tensor, t: float) -> Tensor:
        slope, tape = self.forward(state, t)
        tape.counted = None
        self._free.append(tape)
        return slope

    @torch.no_grad()
    def forward(self, state: Tensor, t: float) -> tuple[Tensor, Tape]:
        n, d = len(state), self._flow.mlp.outputs
        tape, (time, place) = self._tape(state), self._at(t, state)
        (first, bias), *rest = self._layers
        centred = state[:, :d] - place.center
        tape.place, tape.inputs = place, self._flow.mlp.inputs_at(place.inside * centred, time)
        z = torch.addmm(bias, tape.inputs, first.t(), out=tape.rows[0][:n])
        tangents = first[:, :d].t()[:, None]
        for level, (matrix, bias) in enumerate(rest):
            h, slope = tape.after[level][:n], tape.slopes[level]
            h.copy_(self._act(z))
            self._bend(z, h, slope, tape.bends[level])
            torch.mul(tangents, slope, out=tape.after[level][n:].view(d, n, -1))
            if level + 1 < len(rest):
                rows = torch.mm(tape.after[level], matrix.t(), out=tape.rows[level + 1])
            else:
                rows = torch.mm(tape.after[level], matrix.t())
            z, tangents = rows[:n].add_(bias), rows[n:].view(d, n, -1)
        tape.velocity = torch.addcmul(torch.addcmul(place.drift, place.skip, centred), place.out, z)
        tape.jacobian = (place.out * place.inside) * tangents
        tape.jacobian.diagonal(dim1=0, dim2=2).add_(place.skip)
        kept = [*tape.rows, *tape.after, *tape.slopes, *tape.bends, tape.inputs, tape.velocity, tape.jacobian]
        tape.counted = keep(kept)
        tape.turned = state[:, d:-PENALTIES].view(n, d, d)
        turning = torch.einsum("nmk,kni->nmi", tape.turned, tape.jacobian)
        squares = torch.stack([tape.velocity.square().sum(1), tape.jacobian.square().sum((0, 2))], dim=1)
        return torch.cat([tape.velocity, turning.view(n, d * d), squares], dim=1), tape

    @torch.no_grad()
    def backward(self, tape: Tape, pull: Tensor) -> Tensor:
        place, n, d = tape.place, len(pull), self._flow.mlp.outputs
        on_velocity = torch.addcmul(pull[:, :d], tape.velocity, pull[:, -2:-1], value=2)
        ends = torch.empty(1 + d, n, d, dtype=pull.dtype, device=pull.device)
        torch.mul(place.out, on_velocity, out=ends[0])
        on_jacobian = torch.mul(tape.jacobian, 2 * pull[:, -1:], out=ends[1:])
        on_turned = pull[:, d:-PENALTIES].view(n, d, d)
        on_jacobian.add_(torch.einsum("nmk,nmi->kni", tape.turned, on_turned)).mul_(place.out * place.inside)
        delta = ends.view(-1, d)
        for level in reversed(range(1, len(self._layers))):
            to_matrix, to_bias = self._gradients[level]
            to_matrix.addmm_(delta.t(), tape.after[level - 1])
            to_bias.add_(delta[:n].sum(0))
            # What this layer was given is of no more use: the derivative by it takes its place.
            delta = torch.mm(delta, self._layers[level][0], out=tape.after[level - 1])
            values, tangents = delta[:n].mul_(tape.slopes[level - 1]), delta[n:].view(d, n, -1)
            before = tape.rows[level - 1][n:].view(d, n, -1) if level > 1 else self._layers[0][0][:, :d].t()[:, None]
            bent = tangents[0] * before[0]
            for k in range(1, d):
                bent.addcmul_(tangents[k], before[k])
            values.addcmul_(tape.bends[level - 1], bent)
            tangents.mul_(tape.slopes[level - 1])
        (to_matrix, to_bias), values = self._gradients[0], delta[:n]
        to_matrix.add_(torch.mm(tape.inputs.t(), values).t())  # with so few columns this order is several times faster
        to_matrix[:, :d].add_(delta[n:].view(d, n, -1).sum(1).t())
        to_bias.add_(values.sum(0))
        by_x = place.inside * torch.mm(values, self._layers[0][0][:, :d])
        jacobian, tape.counted = tape.jacobian, None
        self._free.append(tape)
        by_turned = torch.einsum("nmi,kni->nmk", on_turned, jacobian).reshape(n, d * d)
        by_x = torch.addcmul(by_x, place.skip, on_velocity)
        return torch.cat([by_x, by_turned, torch.zeros_like(pull[:, -PENALTIES:])], dim=1)

    def _tape(self, state: Tensor) -> Tape:
        if self._free and self._free[-1].n != len(state):
            self._free.clear()
        widths = self._flow.mlp.widths
        return self._free.pop() if self._free else Tape(len(state), self._flow.mlp.outputs, widths, state)

    def _at(self, t: float, like: Tensor) -> tuple[Tensor, Affine]:
        """The time as a tensor, and the network's place in the field there: half of all stages share theirs."""
        if len(self._places) > MOST_PLACES:
            self._places.clear()
        if t not in self._places:
            flow, time = self._flow, torch.tensor([[t]], dtype=like.dtype, device=like.device)
            self._places[t] = time, affine(flow.scaling, flow.moments, flow.path, time, flow.prediction)
        return self._places[t]


def departing(x: Tensor) -> Tensor:
    """The state in which points x (n, d) start."""
    n, d = x.shape
    turned = torch.eye(d, dtype=x.dtype, device=x.device).flatten().expand(n, -1)
    return torch.cat([x, turned, x.new_zeros(n, PENALTIES)], dim=1)
