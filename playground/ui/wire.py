"""Every message between the server and the page, declared once.

`python -m tools.wire` writes these declarations as types for the browser's modules (ui/web/common/wire.d.ts), and a
test holds real messages to them. A scene comes once a run, then a snapshot at a time; both are flat JSON strings in the
props of a Gradio component. All else is answered by the routes of `assets` and `measures`.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

JsonObject = dict[str, Any]
"""Data that another declaration describes: an experiment, a form's field, a run's figures."""

# ------------------------------------------------------------------------------------------------ arrays


class ExactArray(TypedDict):
    """An array of float32, row-major: base64 of little-endian numbers."""

    shape: list[int]
    f32: str


class QuantisedArray(TypedDict):
    """An array (..., d) in 16 bits a number: x = low + u / 65535 (high − low) for each index of the last axis."""

    shape: list[int]
    u16: str
    low: list[float]
    high: list[float]


class Halves(TypedDict):
    """Numbers in float16: base64, little-endian."""

    f16: str


WireArray = ExactArray | QuantisedArray

# ------------------------------------------------------------------------------------------------ networks

Linear = TypedDict("Linear", {"op": Literal["linear"], "in": int, "out": int})
Linear.__doc__ = "An affine map; its weights are the matrix (out, in), row-major, and then the bias."


class Activation(TypedDict):
    """A function of each number by itself."""

    op: str


Film = TypedDict("Film", {"in": int, "embedding": int, "activation": str})
Film.__doc__ = "The two maps by which time and condition scale and shift the hidden layers; their weights come first."


class NetworkOps(TypedDict):
    """A network as a list of operations on its flat weights.

    waves: the frequencies of the Fourier features that it sees below each of its inputs, one row a wave.
    """

    ops: list[Linear | Activation]
    size: int
    film: NotRequired[Film]
    waves: NotRequired[list[list[float]]]


class Scale(TypedDict):
    """Mean and deviation along each axis, (x − mean) / std is what a network sees or says."""

    mean: list[float]
    std: list[float]


class Scaling(TypedDict):
    """How a field's network is scaled, and the moments of source and target."""

    kind: str
    mean0: list[float]
    mean1: list[float]
    std0: float
    std1: float


class PathTable(TypedDict):
    """A path's coefficients and their derivatives at the times t; timesteps where it has that many of its own."""

    t: list[float]
    alpha: list[float]
    sigma: list[float]
    gamma: list[float]
    d_alpha: list[float]
    d_sigma: list[float]
    d_gamma: list[float]
    timesteps: NotRequired[int]


class PathDescription(TypedDict):
    """A path as the browser reads it; start is the factor of x0 at t_min, mismatch a sentence where it misses x0."""

    kind: str
    label: str
    about: str
    mismatch: str | None
    t_min: float
    t_max: float
    start: float
    table: PathTable


class ConditionDescription(TypedDict):
    """How the columns of a condition are made."""

    kind: Literal["labels", "angle"]
    width: int
    guidable: bool
    classes: NotRequired[int]
    harmonics: NotRequired[int]


class MapDescription(TypedDict):
    """A network that carries a latent to a sample in one call.

    noise names the weights that are the deviation of its own noise along each axis.
    """

    network: str
    latent: int
    dim: int
    inside: Scale
    outside: Scale
    kind: NotRequired[str]
    truncation: NotRequired[float | None]
    noise: NotRequired[str]


class EncoderDescription(TypedDict):
    """A network that carries a sample to its latent."""

    network: str
    latent: int
    inside: Scale


class SurfaceDescription(TypedDict):
    """A network with one output that is drawn over the data's space: a critic or an energy."""

    network: str
    label: str
    inside: Scale
    of: str
    middle: NotRequired[float | None]
    bowl: NotRequired[float]


class Mixture(TypedDict):
    """Gaussians: centers (k, d), covariances (k, d, d) and weights (k,)."""

    centers: ExactArray
    covariances: ExactArray
    weights: list[float]


class Normal(TypedDict):
    """A Gaussian's mean (d,) and covariance (d, d)."""

    mean: list[float]
    covariance: list[list[float]]


Tree = float | str | list[Any]
"""A formula: a number, a name, or [operation, argument, ...]; see dynamics.systems.expression."""


class LatticeDescription(TypedDict):
    """A box of equal cells and the density of the source on it, the last axis fastest."""

    low: list[float]
    high: list[float]
    cells: list[int]
    density: ExactArray


class EquationDescription(TypedDict):
    """A system of equations; each list of trees has one an axis, or none where there is nothing to say.

    drift and stratonovich: the drift in either sense; noise: its factors, and slopes their derivatives along their own
    axes; flux: the velocity of the Fokker–Planck equation; jacobian: row after row; solution and law: the closed forms.
    parameters: the numbers that the names stand for, T among them. linear: f = A x + b; fields: the system as the form
    has it; lattice: with noise, where the Fokker–Planck equation is solved.
    """

    kind: str
    label: str
    linear: bool
    fields: JsonObject
    lattice: NotRequired[LatticeDescription]
    drift: list[Tree]
    stratonovich: list[Tree]
    noise: list[Tree]
    slopes: list[Tree]
    flux: list[Tree]
    jacobian: list[Tree]
    solution: list[Tree]
    law: list[Tree]
    parameters: dict[str, float]
    T: float


class Origin(TypedDict):
    """A run and a round as the server knows them."""

    run: str
    round: int


class Reading(TypedDict):
    """How a round's weights are evaluated; what a model does not have is left out.

    remote: the server has to be asked for trajectories, by solver and steps where `sampled`; carries: also of a grid.
    networks: by the names under which the weights come. mixture and source: an exact field in place of a network;
    equation: what is followed instead.
    """

    dim: NotRequired[int]
    remote: NotRequired[bool]
    sampled: NotRequired[bool]
    carries: NotRequired[bool]
    networks: NotRequired[dict[str, NetworkOps]]
    frequencies: NotRequired[int]
    prediction: NotRequired[str]
    scaling: NotRequired[Scaling]
    samplers: NotRequired[list[str]]
    path: NotRequired[PathDescription]
    condition: NotRequired[ConditionDescription]
    map: NotRequired[MapDescription]
    encoder: NotRequired[EncoderDescription]
    surfaces: NotRequired[dict[str, SurfaceDescription]]
    mixture: NotRequired[Mixture]
    source: NotRequired[Normal]
    equation: NotRequired[EquationDescription]


# ------------------------------------------------------------------------------------------------ scene and snapshot


class WireTrajectory(TypedDict):
    """A finished trajectory: x (T, n, d) at times t from 0 to 1, which stand for `ends` on the axis that is named.

    nfe: network evaluations; broken: what followed was not finite; acceptance: of a chain; ms: what it took.
    """

    t: list[float]
    x: QuantisedArray
    nfe: int
    axis: str
    ends: tuple[float, float]
    broken: bool
    acceptance: float | None
    ms: float


class WireView(TypedDict):
    """The square that shows a scene: its centre and half its side."""

    center: list[float]
    half: float


class WireModes(TypedDict):
    """The modes of a target: centers (k, d), std (k,) and weights (k,)."""

    centers: list[list[float]]
    std: list[float]
    weights: list[float]


class SceneFloor(TypedDict):
    """What one real sample has against another: the distance, and what `metrics.sharpness` finds."""

    sliced_w2: float | None
    sample_kl: float | None
    stray: float | None
    missed: float | None


class SceneSampler(TypedDict):
    """How a scene is sampled first; the dials of a solver stand beside it."""

    solver: str
    steps: int
    grid: str
    guidance: float
    guidance_from: float
    guidance_to: float
    autoguidance: float
    guide: float
    rtol: NotRequired[float]
    atol: NotRequired[float]
    churn: NotRequired[float]
    eta: NotRequired[float]
    s_churn: NotRequired[float]
    variance: NotRequired[float]


class SceneCondition(ConditionDescription):
    """The condition of each particle and of each target point."""

    values: ExactArray
    target: ExactArray


class Summary(TypedDict):
    """An experiment in a few words: what learns, between what, from which seed."""

    model: str
    between: str
    seed: int


class Scene(TypedDict):
    """What the stage knows of a run before its weights; snapshots name the same run.

    x0, latent: the starts (n, d), and (n, k) in a latent; target, training: points of the data. between and setting:
    the parts of the experiment that later questions name. network: how to read the weights, null before there are any.
    """

    run: str
    experiment: JsonObject
    summary: Summary
    dim: int
    x0: ExactArray
    latent: ExactArray | None
    target: QuantisedArray
    training: QuantisedArray | None
    floor: SceneFloor
    modes: WireModes | None
    between: JsonObject
    setting: JsonObject
    remarks: list[str]
    loss: str
    coupling: str | None
    no_exact: str | None
    density: Literal["time", "end"] | None
    path: PathDescription | None
    has_path: bool
    source_label: str
    target_label: str
    view: WireView
    sampler: SceneSampler
    condition: SceneCondition | None
    network: Reading | None


class Ellipse(TypedDict):
    """A Gaussian: its centre, the root of its covariance, and its share of the probability."""

    center: list[float]
    root: list[list[float]]
    share: float


class HiddenLine(TypedDict):
    """A hidden unit: on where normal · x + offset > 0, and then it pulls points by pull."""

    normal: list[float]
    offset: float
    pull: list[float]


class WireShapes(TypedDict):
    """The parts of a model that are drawn; normaliser is the logarithm of one that was learnt."""

    normaliser: float | None
    ellipses: list[Ellipse]
    lines: list[HiddenLine]


class WireSnapshot(TypedDict):
    """One moment of a training.

    rate: steps a second; left: seconds; loss: [step, loss] pairs since the last one; apart: the loss on training points
    and on held-out ones, where there are few of the first. weights: each network's, base64 of float32, or halves.
    network comes with the first of a further round.
    """

    run: str
    id: int
    round: int
    phase: int
    step: int
    steps: int
    seconds: float
    rate: float | None
    left: float | None
    loss: list[tuple[float, float]]
    apart: tuple[float, float] | None
    done: bool
    name: str
    prepared: NotRequired[float]
    remark: NotRequired[str]
    network: NotRequired[Reading]
    shapes: NotRequired[WireShapes]
    weights: NotRequired[dict[str, str | Halves]]
    trajectory: NotRequired[WireTrajectory]


class Opening(TypedDict):
    """A finished run in one message."""

    scene: Scene
    snapshots: list[WireSnapshot]


# ------------------------------------------------------------------------------------------------ events


class WireProblem(TypedDict):
    """What is wrong with an experiment: the path of the field, and a sentence."""

    path: list[str | int]
    sentence: str


class StageRequest(TypedDict):
    """What a button of the Studio says: the page's key, a counter and the form's experiment."""

    page: str
    turn: int
    experiment: JsonObject


class ShownRequest(TypedDict):
    """The run that a page shows from now on; turn: as of the form's requests."""

    page: str
    run: str
    turn: int


class ShownAnswer(TypedDict):
    """Whether the server can train it on."""

    kept: bool


class ReturnedRound(TypedDict):
    """The newest snapshot of a round, which the server may have forgotten."""

    name: str
    snapshot: int
    step: int
    seconds: float
    weights: dict[str, str | Halves]


class ReturnedRequest(TypedDict):
    """A run from a browser that has outlived it on the server."""

    page: str
    experiment: JsonObject
    rounds: list[ReturnedRound]


class ReturnedAnswer(TypedDict):
    """Its name from now on."""

    run: str


class Panel(TypedDict):
    """One of several stages of a tab."""

    key: str
    title: str
    scene: Scene


class ContestScene(TypedDict):
    """The panels of a contest, once, at its beginning."""

    contest: str
    panels: list[Panel]


class Shot(TypedDict):
    """A snapshot of one entrant, and what it has been charged so far, in seconds or steps."""

    key: str
    charged: float
    shot: WireSnapshot


class ContestShots(TypedDict):
    """The newest snapshots of a contest; of_presets: they go on from the presets that the page shows."""

    contest: str
    of_presets: bool
    stopped: bool
    shots: list[Shot]


class SeedRow(TypedDict):
    """The modes that one training from one seed reached; null where the target has none."""

    key: str
    seed: int
    strict: int | None
    covered: int | None
    total: NotRequired[int]
    high_quality: float | None
    spread: float | None
    kl: float | None
    failure: str | None


class SeedAt(TypedDict):
    """The training that is under way, and how much of it is done."""

    key: str
    seed: int
    share: float


class SeedsProgress(TypedDict):
    """Many seeds: so many trainings in all, the share that is done, and what is finished."""

    all: int
    share: float
    seconds: float
    at: SeedAt | None
    ended: Literal["stopped", "done"] | None
    rows: list[SeedRow]


class ContestSeeds(TypedDict):
    """How far the seeds of a contest have come."""

    contest: str
    seeds: SeedsProgress


# ------------------------------------------------------------------------------------------------ answers of the routes


class Refused(TypedDict):
    """A request that is not valid (status 400 or 413)."""

    message: str
    problems: NotRequired[list[WireProblem]]


class BusyAnswer(TypedDict):
    """No room now: ask again, unless it is `past`, when what was asked about has gone."""

    busy: Literal[True]
    past: bool
    message: str


class Written(TypedDict):
    """An experiment as YAML and as a link."""

    yaml: str
    link: str


class ReadBack(TypedDict):
    """An experiment that was read from YAML or a link."""

    experiment: JsonObject


class RefusedValue(TypedDict):
    """An alternative of a field that the rest of the experiment does not allow: a kind, an option, or null."""

    value: Any
    sentence: str


class WireStepCost(TypedDict):
    """What a training step takes; see models.base.StepCost."""

    overhead: float
    passes: float


class WireCost(TypedDict):
    """What a training would take: weights in all, rounds, and a step's cost where there are steps."""

    weights: int
    rounds: int
    step: WireStepCost | None


class Alternatives(TypedDict):
    """By dotted path of a field what is refused there; and the cost, null for an experiment that is not valid."""

    refused: dict[str, list[RefusedValue]]
    cost: WireCost | None


class PairedCoupling(TypedDict):
    """A coupling's figures in squared units of the data; see dynamics.coupling_figures."""

    kind: str
    label: str
    together: int | None
    chosen: bool
    cost: float
    variance: float
    class_shift: float | None


class Pairing(TypedDict):
    """For each start point the row of the real point that it is paired with, and the figures of couplings."""

    points: int
    classes: int
    partners: list[int]
    couplings: list[PairedCoupling]


class ExactAnswer(TypedDict):
    """An exact field: what stands for the target, and whether that is a few points."""

    network: Reading | None
    target: str
    few: bool


class DensitySurface(TypedDict):
    """Log-densities (rows, columns) at t, upwards; in one dimension over all times, without t."""

    values: ExactArray
    t: NotRequired[float]


class Likelihood(TypedDict):
    """What a density makes of real points, see engine.evaluation.likelihood, and the target's entropy, in nats."""

    nll: float | None
    nll_outside: float | None
    nll_unsolved: float | None
    kl: float | None
    kl_error: float | None
    entropy: float | None
    points: int


class Way(TypedDict):
    """Log-densities along the way of a probe; null where there is none."""

    t: list[float]
    log: list[float | None]


class Ways(TypedDict):
    """The ways of the last few probes."""

    ways: list[Way]


class Spread(TypedDict):
    """A root mean square, and the range of what it was taken over."""

    value: float
    low: float
    high: float


class FewerFloor(TypedDict):
    """A floor at fewer points."""

    points: int
    sliced_w2: Spread | None


class LeastCost(TypedDict):
    """The least that transport costs, and the error of that figure; null where it is not known."""

    value: float | None
    error: float | None


class Reference(TypedDict):
    """What the figures of a source and a target are read against."""

    points: int
    floor: dict[str, Spread | None]
    fewer: FewerFloor
    optimal_cost: LeastCost
    entropy: float | None
