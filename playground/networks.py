"""The small networks: pure functions of one flat vector of weights.

A network's weights are a single (size,) tensor: the optimiser, the average of the weights, a snapshot, a file
and the message to the browser all hold that one vector. For each linear layer in order it contains the matrix,
row by row as (out, in), and then the bias.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import BeforeValidator, Field
from torch import Generator, Tensor

from playground.choice import FROM_NAME, Choice

ActivationName = Literal["relu", "silu", "tanh", "selu"]
ACTIVATIONS: dict[ActivationName, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "silu": F.silu,
    "tanh": torch.tanh,
    "selu": F.selu,
}


ACTIVATION_NAMES: dict[ActivationName, str] = {"relu": "ReLU", "silu": "SiLU", "tanh": "tanh", "selu": "SELU"}


class Network(Choice):
    """A multilayer perceptron of equal layers that is told the time."""

    title: ClassVar[str] = "Multilayer perceptron"
    kind: Literal["mlp"] = "mlp"
    width: int = Field(64, ge=4, le=512, title="Width", description="Units in each hidden layer.")
    depth: int = Field(3, ge=1, le=8, title="Depth", description="Number of hidden layers.")
    activation: ActivationName = Field(
        "silu",
        title="Activation",
        description="The nonlinearity after each hidden layer. ReLU is the fastest; SiLU is smooth, and with Fourier "
        "features the sharpest.",
        json_schema_extra={"labels": dict(ACTIVATION_NAMES.items())},
    )
    frequencies: int = Field(
        0,
        ge=0,
        le=16,
        title="Time frequencies",
        description="Sine and cosine pairs of the time that the network gets beside the time itself.",
    )
    features: int = Field(
        24,
        ge=0,
        le=64,
        title="Fourier features",
        description="Waves across the data whose sine and cosine a flow's or a diffusion's network gets beside the "
        "place, so that it learns fine detail soon. Each fades where the noise of the time has blurred it; 0 for none.",
    )
    finest: float = Field(
        16.0,
        ge=1,
        le=64,
        title="Finest wave",
        description="The highest frequency among them, in radians per standard deviation of what the network sees; "
        "the lowest is 1.",
        json_schema_extra={"advanced": True, "scale": "log"},
    )
    input_scaling: Literal["none", "standard", "residual"] = Field(
        "residual",
        title="Input scaling",
        description="none: raw values; standard: unit variance at every time; residual: also learn only what differs "
        "from the exact field between two Gaussians of the same moments.",
    )

    def build(
        self, inputs: int, outputs: int, timed: bool = True, condition_dim: int = 0, features: bool | None = None
    ) -> Mlp:
        """The network from inputs, the time if it is `timed`, and `condition_dim` columns of a condition to outputs.

        features: whether it gets the Fourier features of its inputs; by default where it is timed.
        """
        waves = self.features if (timed if features is None else features) else 0
        widths = (self.width,) * self.depth
        return Mlp(inputs, outputs, widths, self.activation, self.frequencies, timed, condition_dim, waves, self.finest)


class FilmNetwork(Network):
    """A multilayer perceptron that the time and the condition act on in every layer, through a scale and a shift."""

    title: ClassVar[str] = "Modulated perceptron (FiLM)"
    kind: Literal["film"] = "film"  # type: ignore[assignment]  # the union tells the two apart by it
    embedding: int = Field(
        32,
        ge=4,
        le=256,
        title="Embedding",
        description="Units of the small network that reads the time and the condition and gives every layer its scales "
        "and shifts.",
    )

    def build(
        self, inputs: int, outputs: int, timed: bool = True, condition_dim: int = 0, features: bool | None = None
    ) -> Mlp:
        """As of the plain one, which it is where there is neither a time nor a condition."""
        plain = super().build(inputs, outputs, timed, condition_dim, features)
        return FilmMlp(**vars(plain), embedding=self.embedding) if plain.shared else plain


def _plain_unless_named(value: Any) -> Any:
    return {"kind": "mlp"} | value if isinstance(value, dict) else value


AnyNetwork = Annotated[
    Network | FilmNetwork, Field(discriminator="kind"), FROM_NAME, BeforeValidator(_plain_unless_named)
]
"""Where no kind is given the fields are those of the plain one."""


GOLDEN = (math.sqrt(5) - 1) / 2


@lru_cache(maxsize=64)
def wave_vectors(dim: int, count: int, finest: float) -> Tensor:
    """The frequencies ω of Fourier features (dim, count), in radians per unit, in float64.

    Their lengths are in geometric progression from 1 to `finest`; their directions are evenly spread over half of a
    circle by the golden angle and, above two dimensions, over the sphere by an additive recurrence.
    """
    k = torch.arange(count, dtype=torch.float64)
    lengths = torch.pow(finest, k / max(1, count - 1))
    if dim == 1:
        return lengths[None]
    if dim == 2:
        angles = math.pi * (GOLDEN * k).frac()
        return lengths * torch.stack([torch.cos(angles), torch.sin(angles)])
    root = 2.0  # of x^(dim + 1) = x + 1, whose powers are the steps of the recurrence (Roberts 2018)
    for _ in range(64):
        root = (1 + root) ** (1 / (dim + 1))
    steps = root ** -torch.arange(1, dim + 1, dtype=torch.float64)
    directions = torch.special.ndtri((0.5 + steps[:, None] * (k + 1)).frac())
    unit: Tensor = directions / directions.norm(dim=0)
    return lengths * unit


@dataclass(frozen=True)
class Mlp:
    """A multilayer perceptron F(weights, x, t, c) with x (n, inputs) → (n, outputs).

    The first layer sees [x, w, τ, sin 2πt, …, sin 2πkt, cos 2πt, …, cos 2πkt, c] with τ = 2t − 1, k frequencies and the
    `condition_dim` columns of a condition, if any; of one that is not timed, such as a generator, t is left out.

    w are the Fourier features [g_1 sin ω_1·x, …, g_1 cos ω_1·x, …] of `waves` fixed frequencies up to `finest`. Where x
    holds noise of variance b on each axis, a wave is damped by what the noise leaves of it, g = exp(−½ ‖ω‖² b): it is
    the mean of the wave under that blur, as the features of mip-NeRF are (Barron et al. 2021).
    """

    inputs: int
    outputs: int
    widths: tuple[int, ...]
    activation: ActivationName
    frequencies: int = 0
    timed: bool = True
    condition_dim: int = 0
    waves: int = 0
    finest: float = 16.0

    @property
    def own(self) -> int:
        """How many of the first layer's inputs depend on the position: x and its Fourier features."""
        return self.inputs + 2 * self.waves

    @property
    def shared(self) -> int:
        """How many of the first layer's inputs are told of the time and the condition."""
        return (1 + 2 * self.frequencies if self.timed else 0) + self.condition_dim

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """(out, in) of each linear layer."""
        sizes = [self.own + self.shared, *self.widths, self.outputs]
        return list(zip(sizes[1:], sizes[:-1], strict=True))

    @property
    def size(self) -> int:
        """The number of weights."""
        return sum(rows * columns + rows for rows, columns in self.shapes)

    def initial(self, generator: Generator) -> Tensor:
        """Fresh weights (size,): Kaiming-uniform matrices and biases as torch.nn.Linear draws them."""
        parts = []
        for rows, columns in self.shapes:
            bound = 1 / math.sqrt(columns)
            parts.append(torch.empty(rows * columns + rows).uniform_(-bound, bound, generator=generator))
        return torch.cat(parts)

    def layers(self, weights: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """The matrix (out, in) and bias (out,) of each layer, as views of the weights."""
        at = 0
        for rows, columns in self.shapes:
            matrix = weights[at : at + rows * columns].view(rows, columns)
            at += rows * columns
            yield matrix, weights[at : at + rows]
            at += rows

    def time_features(self, t: Tensor) -> Tensor:
        """What the network is told of t (n, 1): (n, 1 + 2k)."""
        if not self.frequencies:
            return 2 * t - 1
        angles = 2 * math.pi * t * torch.arange(1, self.frequencies + 1, dtype=t.dtype, device=t.device)
        return torch.cat([2 * t - 1, torch.sin(angles), torch.cos(angles)], dim=1)

    def waves_at(self, x: Tensor, blur: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """The frequencies ω (inputs, waves), and g sin ω·x and g cos ω·x at x (n, inputs), each (n, waves).

        blur: the variance of the noise in x, (n, 1), or (1, 1) for all; None for none.
        """
        omega = wave_vectors(self.inputs, self.waves, self.finest).to(x)
        angles = x @ omega
        sine, cosine = torch.sin(angles), torch.cos(angles)
        if blur is None:
            return omega, sine, cosine
        left = torch.exp(-0.5 * blur * omega.square().sum(0))
        return omega, sine * left, cosine * left

    def inputs_at(
        self, x: Tensor, t: Tensor | None = None, c: Tensor | None = None, blur: Tensor | None = None
    ) -> Tensor:
        """What the first layer sees of x (n, inputs): (n, own + shared). t, c and blur: one row each or one for all."""
        parts = [x, *self.waves_at(x, blur)[1:]] if self.waves else [x]
        if self.timed:
            assert t is not None, "a timed network is told the time"
            parts.append(self.time_features(t).expand(len(x), -1))
        if self.condition_dim:
            assert c is not None, "a conditional network is told a condition"
            parts.append(c.expand(len(x), -1))
        return torch.cat(parts, dim=1) if len(parts) > 1 else x

    def __call__(
        self,
        weights: Tensor,
        x: Tensor,
        t: Tensor | None = None,
        c: Tensor | None = None,
        blur: Tensor | None = None,
    ) -> Tensor:
        """f(x, t, c) of x (n, inputs) → (n, outputs).

        t (n, 1), c (n, condition_dim) and blur, the noise variance in x (n, 1), may each be one row for all points.
        """
        *hidden, (last, last_bias) = self.layers(weights)
        act = ACTIVATIONS[self.activation]
        h = self.inputs_at(x, t, c, blur)
        for matrix, bias in hidden:
            h = act(torch.addmm(bias, h, matrix.t()))
        return torch.addmm(last_bias, h, last.t())

    def describe(self) -> dict[str, Any]:
        """The list of operations for another runtime, such as the browser's."""
        ops: list[dict[str, Any]] = []
        for rows, columns in self.shapes:
            ops += [{"op": "linear", "in": columns, "out": rows}, {"op": self.activation}]
        return {"ops": ops[:-1], "size": self.size} | self._told_waves()

    def _told_waves(self) -> dict[str, Any]:
        """{"waves": the frequency of each, (waves, inputs)} where there are any."""
        if not self.waves:
            return {}
        return {"waves": wave_vectors(self.inputs, self.waves, self.finest).t().float().tolist()}


@dataclass(frozen=True)
class FilmMlp(Mlp):
    """A multilayer perceptron whose hidden layers are scaled and shifted by what is told (FiLM, Perez et al. 2018).

    With e = [τ, …, c] what the first layer of the plain one sees besides x and w: g = act(E e + a), one affine map of g
    gives (s_1, β_1, s_2, β_2, …), and h_l = act((1 + s_l) ⊙ (W_l h_{l−1} + b_l) + β_l) from h_0 = [x, w]. The weights
    are those of the two maps of e, and then of the layers. At the beginning all s_l and β_l are 0.
    """

    embedding: int = 32

    @property
    def shapes(self) -> list[tuple[int, int]]:
        sizes = [self.own, *self.widths, self.outputs]
        told = [(self.embedding, self.shared), (2 * sum(self.widths), self.embedding)]
        return [*told, *zip(sizes[1:], sizes[:-1], strict=True)]

    def initial(self, generator: Generator) -> Tensor:
        weights = super().initial(generator)
        modulation, bias = list(self.layers(weights))[1]
        modulation.zero_(), bias.zero_()
        return weights

    def modulation(self, weights: Tensor, told: Tensor) -> list[tuple[Tensor, Tensor]]:
        """(s_l, β_l) of each hidden layer, (n, width) each, from what is told (n, shared)."""
        (embed, a), (modulate, b), *_ = self.layers(weights)
        g = ACTIVATIONS[self.activation](torch.addmm(a, told, embed.t()))
        columns = [width for width in self.widths for _ in "sβ"]
        parts = torch.split(torch.addmm(b, g, modulate.t()), columns, dim=1)
        return list(zip(parts[::2], parts[1::2], strict=True))

    def __call__(
        self,
        weights: Tensor,
        x: Tensor,
        t: Tensor | None = None,
        c: Tensor | None = None,
        blur: Tensor | None = None,
    ) -> Tensor:
        _, _, *hidden, (last, last_bias) = self.layers(weights)
        seen = self.inputs_at(x, t, c, blur)
        h, told = seen[:, : self.own], seen[:, self.own :]
        if all(part is None or len(part) == 1 for part in (t, c)):
            told = told[:1]
        for (matrix, bias), (scale, shift) in zip(hidden, self.modulation(weights, told), strict=True):
            h = ACTIVATIONS[self.activation]((1 + scale) * torch.addmm(bias, h, matrix.t()) + shift)
        return torch.addmm(last_bias, h, last.t())

    def at(self, weights: Tensor, told: Tensor) -> Tensor:
        """The weights of the plain perceptron that this one is for all points that are told the same (1, shared)."""
        _, _, *hidden, last = self.layers(weights)
        parts = []
        for (matrix, bias), (scale, shift) in zip(hidden, self.modulation(weights, told), strict=True):
            parts += [((1 + scale[0])[:, None] * matrix).flatten(), (1 + scale[0]) * bias + shift[0]]
        return torch.cat([*parts, last[0].flatten(), last[1]])

    def describe(self) -> dict[str, Any]:
        """The layers' operations, and the sizes of the two maps that modulate them, whose weights come first."""
        plain = Mlp(self.own, self.outputs, self.widths, self.activation, timed=False).describe()
        film = {"in": self.shared, "embedding": self.embedding, "activation": self.activation}
        return {"ops": plain["ops"], "film": film, "size": self.size} | self._told_waves()
