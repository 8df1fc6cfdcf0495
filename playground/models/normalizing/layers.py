"""What a normalizing flow is made of: invertible layers whose Jacobian's determinant is cheap, by zuko.

Every layer is written as the map from data towards noise, as densities need it; samples go through its inverse. In two
dimensions each changes one coordinate, or each in turn, by a function that the other one chooses.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal

import torch
import zuko
from pydantic import Field
from torch import Generator, Tensor, nn
from zuko.flows import ElementWiseTransform, GeneralCouplingTransform, MaskedAutoregressiveTransform
from zuko.lazy import LazyInverse, LazyTransform, UnconditionalTransform
from zuko.transforms import DependentTransform, LULinearTransform, MonotonicAffineTransform, MonotonicRQSTransform

from playground.choice import FROM_NAME, Choice
from playground.models.base import StepCost
from playground.networks import ActivationName, Network

MODULES: dict[ActivationName, type[nn.Module]] = {"relu": nn.ReLU, "silu": nn.SiLU, "tanh": nn.Tanh, "selu": nn.SELU}
SMALLEST = 1e-3
"""The least slope of an affine layer."""
NEAR_IDENTITY = 0.1
"""What the initial weights of each conditioner's last layer are multiplied by."""


class Architecture(Choice):
    """A kind of invertible layer, and how many of them."""

    sequential: ClassVar[Literal["sampling", "density"] | None] = None
    """The direction in which an autoregressive layer goes coordinate by coordinate, an evaluation for each."""
    a_layer: ClassVar[StepCost]
    """What a training step takes with one layer."""
    bends_one_axis: ClassVar[bool] = False
    """Whether it is more than a stretching in one dimension."""

    layers: int

    @abstractmethod
    def transforms(self, dim: int, network: Network) -> list[LazyTransform]:
        """The layers from data to noise, each with a conditioner of the network's shape."""

    def evaluations(self, dim: int, direction: Literal["sampling", "density"]) -> int:
        """Conditioner evaluations, one after another, that a point costs."""
        return self.layers * (dim if direction == self.sequential else 1)

    def axes(self, dim: int) -> Tensor:
        """The axes (dim, dim) along which the layers move points, one a row: by default the data's own."""
        return torch.eye(dim)


class Affine(Architecture):
    """Layers that shift and scale one coordinate by what another says, and so need that it says something."""

    tilt: float = Field(
        15,
        ge=0,
        le=90,
        title="Tilt of the axes (degrees)",
        description="How far the axes along which layers move points are turned from the data's. At 0 a grid has "
        "independent coordinates: a layer that moves one by the other then learns nothing at all.",
    )

    def axes(self, dim: int) -> Tensor:
        return _turned(dim, self.tilt)


class RealNvp(Affine):
    """Affine coupling: one half of the coordinates scales and shifts the other (Dinh et al. 2017)."""

    title: ClassVar[str] = "RealNVP"
    kind: Literal["real_nvp"] = "real_nvp"
    a_layer: ClassVar[StepCost] = StepCost(256, 1.3)
    layers: int = Field(8, ge=1, le=16, title="Layers", description="How many coupling layers, the halves in turn.")

    def transforms(self, dim: int, network: Network) -> list[LazyTransform]:
        return [GeneralCouplingTransform(dim, mask=_half(dim, k), **_conditioner(network)) for k in range(self.layers)]


class Glow(Architecture):
    """Glow's step: actnorm, an invertible linear map, affine coupling (Kingma and Dhariwal 2018)."""

    kind: Literal["glow"] = "glow"
    a_layer: ClassVar[StepCost] = StepCost(512, 1.15)
    layers: int = Field(6, ge=1, le=16, title="Steps", description="How many, each of three layers.")

    def transforms(self, dim: int, network: Network) -> list[LazyTransform]:
        found: list[LazyTransform] = []
        for _ in range(self.layers):
            linear = UnconditionalTransform(LULinearTransform, _lu(_turned(dim, 45)))
            found += [ActNorm(dim), linear, GeneralCouplingTransform(dim, mask=_half(dim, 0), **_conditioner(network))]
        return found


class Maf(Affine):
    """Masked autoregressive: densities in one pass, samples coordinate by coordinate (Papamakarios et al. 2017)."""

    title: ClassVar[str] = "Masked autoregressive (MAF)"
    kind: Literal["maf"] = "maf"
    sequential: ClassVar[Literal["sampling", "density"] | None] = "sampling"
    a_layer: ClassVar[StepCost] = StepCost(265, 1.3)
    layers: int = Field(6, ge=1, le=16, title="Layers", description="How many layers; the order of coordinates turns.")

    def transforms(self, dim: int, network: Network) -> list[LazyTransform]:
        return list(_autoregressive(dim, self.layers, **_conditioner(network)))


class Iaf(Affine):
    """Inverse autoregressive: samples in one pass, densities coordinate by coordinate (Kingma et al. 2016)."""

    title: ClassVar[str] = "Inverse autoregressive (IAF)"
    kind: Literal["iaf"] = "iaf"
    sequential: ClassVar[Literal["sampling", "density"] | None] = "density"
    a_layer: ClassVar[StepCost] = StepCost(575, 4.4)
    layers: int = Field(6, ge=1, le=16, title="Layers", description="How many layers; the order of coordinates turns.")

    def transforms(self, dim: int, network: Network) -> list[LazyTransform]:
        return [LazyInverse(layer) for layer in _autoregressive(dim, self.layers, **_conditioner(network))]


class NeuralSpline(Architecture):
    """Monotonic rational-quadratic splines, masked autoregressive (Durkan et al. 2019)."""

    kind: Literal["neural_spline"] = "neural_spline"
    sequential: ClassVar[Literal["sampling", "density"] | None] = "sampling"
    bends_one_axis: ClassVar[bool] = True
    a_layer: ClassVar[StepCost] = StepCost(1020, 1.3)
    layers: int = Field(3, ge=1, le=12, title="Layers", description="How many layers; the order of coordinates turns.")
    bins: int = Field(
        8, ge=2, le=32, title="Bins", description="Pieces of each spline, on [−5, 5] standard deviations."
    )

    def transforms(self, dim: int, network: Network) -> list[LazyTransform]:
        spline = {"univariate": MonotonicRQSTransform, "shapes": ((self.bins,), (self.bins,), (self.bins - 1,))}
        return list(_autoregressive(dim, self.layers, **spline, **_conditioner(network)))


AnyArchitecture = Annotated[NeuralSpline | RealNvp | Glow | Maf | Iaf, Field(discriminator="kind"), FROM_NAME]


def _conditioner(network: Network) -> dict[str, Any]:
    return {"hidden_features": (network.width,) * network.depth, "activation": MODULES[network.activation]}


def _half(dim: int, k: int) -> Tensor:
    """Which coordinates stay as they are and choose what happens to the others: every second one, in turn."""
    return torch.arange(dim) % 2 == k % 2


def _autoregressive(dim: int, layers: int, **options: Any) -> Iterator[LazyTransform]:
    for k in range(layers):
        order = torch.arange(dim)
        yield MaskedAutoregressiveTransform(dim, order=order if k % 2 == 0 else order.flip(0), **options)


def _turned(dim: int, degrees: float) -> Tensor:
    """A rotation (dim, dim) by an angle from each axis towards the next, so that a layer sees mixed coordinates."""
    found, angle = torch.eye(dim), math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    for k in range(dim - 1):
        turn = torch.eye(dim)
        turn[k : k + 2, k : k + 2] = torch.tensor([[cos, -sin], [sin, cos]])
        found = turn @ found
    return found


def _lu(matrix: Tensor) -> Tensor:
    """L and U of matrix = L U in one array (d, d), the diagonal being L's and that of U being 1; without pivots."""
    packed = matrix.clone()
    for k in range(len(packed)):
        packed[k, k + 1 :] /= packed[k, k].clone()
        packed[k + 1 :, k + 1 :] -= torch.outer(packed[k + 1 :, k], packed[k, k + 1 :])
    return packed


class ActNorm(LazyTransform):  # type: ignore[misc]  # zuko has no types
    """A shift and a scale of each coordinate that begin as the first batch asks: mean 0 and variance 1 after it.

    The scale is exp(s / (1 + |s / ln slope|)), between zuko's least slope and its inverse.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(dim))
        self.scale = nn.Parameter(torch.zeros(dim))

    def forward(self, c: Any = None) -> zuko.transforms.Transform:
        return DependentTransform(MonotonicAffineTransform(self.shift, self.scale, slope=SMALLEST), 1)

    @torch.no_grad()
    def begin(self, x: Tensor) -> None:
        """Takes shift and scale from points x (n, d)."""
        std = x.std(0).clamp(1e-2, 1e2)
        wanted = -std.log()
        self.scale.copy_(wanted / (1 - (wanted / math.log(SMALLEST)).abs()))
        self.shift.copy_(-x.mean(0) / std)


@lru_cache(maxsize=256)
def stack_size(architecture: Architecture, dim: int, network: Network) -> int:
    """The number of weights of a stack; kept, since a form asks it after every change."""
    return Stack(architecture, dim, network).size


class Stack(nn.Module):
    """The layers one after another, with all their weights in one flat vector.

    Points are in units of the data: mean 0, variance 1 along each axis.
    """

    axes: Tensor

    def __init__(self, architecture: Architecture, dim: int, network: Network) -> None:
        super().__init__()
        self.layers = nn.ModuleList(architecture.transforms(dim, network))
        self.register_buffer("axes", architecture.axes(dim))

    @property
    def size(self) -> int:
        """The number of weights."""
        return sum(weights.numel() for weights in self.parameters())

    def initial(self, generator: Generator) -> Tensor:
        """Fresh weights (size,), near the identity."""
        for module in self.modules():
            if isinstance(module, (nn.Linear, zuko.nn.Linear)):  # zuko's masked layers are torch's, its others its own
                bound = module.in_features**-0.5
                for weights in module.parameters():
                    weights.data.uniform_(-bound, bound, generator=generator)
        for module in self.modules():
            if isinstance(module, (GeneralCouplingTransform, MaskedAutoregressiveTransform)):
                for weights in module.hyper[-1].parameters():
                    weights.data.mul_(NEAR_IDENTITY)
            if isinstance(module, ElementWiseTransform):
                for weights in module.parameters():
                    weights.data.zero_()
        return nn.utils.parameters_to_vector(self.parameters()).detach().clone()

    def read(self, flat: Tensor) -> None:
        """Makes the layers use a flat vector's own memory: what changes it changes them."""
        nn.utils.vector_to_parameters(flat, self.parameters())

    def to_noise(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Noise (n, d) that x (n, d) comes from, and log |det ∂noise/∂x| (n,)."""
        total, x = x.new_zeros(len(x)), x @ self.axes.T
        for layer in self.layers:
            x, change = layer().call_and_ladj(x)
            total = total + change
        return x @ self.axes, total

    def from_noise(self, z: Tensor) -> Iterator[Tensor]:
        """The states (n, d) of noise on its way to data, after each layer."""
        z = z @ self.axes.T
        for layer in reversed(self.layers):
            z = layer().inv(z)
            yield z @ self.axes

    @torch.no_grad()
    def begin(self, x: Tensor) -> None:
        """Lets the layers that depend on data begin by x (n, d)."""
        x = x @ self.axes.T
        for layer in self.layers:
            if isinstance(layer, ActNorm):
                layer.begin(x)
            x = layer()(x)
