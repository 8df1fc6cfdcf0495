"""What the server tells the stage: a scene once a run, then a snapshot at a time, each one flat JSON string.

Arrays travel as base64 of little-endian numbers: exact float32 for starting points and for the weights that training
ends with, float16 for those on the way, uint16 between the least and the greatest value of each axis for clouds that
are only looked at.
"""

from __future__ import annotations

import base64
import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from playground.choice import Choice
from playground.distributions import Distribution
from playground.distributions.base import Modes
from playground.engine.history import Snapshot, binned
from playground.engine.memorisation import losses_apart
from playground.engine.pairing_figures import coupling_of
from playground.engine.run import Run
from playground.experiment import Experiment
from playground.metrics import floor, sharpness_floor
from playground.models.base import HasPath, seeded
from playground.models.contracts import CarriesPoints, HasField, HasShapes, Shapes, Trained, density_of
from playground.models.equation import Law
from playground.models.exact_reference import no_reference
from playground.trajectory import Trajectory
from playground.ui import wire

PARTICLES = 2000
LARGEST_HALF, FEW = 65504.0, 64
"""The largest float16; fewer numbers than these, such as moments, travel whole."""
AROUND = 24
"""Directions to which the stage rounds an angle: the browser treats particles under one condition together."""
LOSSES_A_MESSAGE = 32
FLOOR_PAIRS, SHARPNESS_PAIRS = 8, 4
STATES_LIVE, STATES_WHOLE = 6, 32
"""States of a trajectory that is sent: while training, of which there are many, and of one that was asked for."""


def exact(values: Tensor) -> wire.ExactArray:
    """An array in float32."""
    numbers = np.ascontiguousarray(values.detach().cpu().numpy(), dtype="<f4")
    return {"shape": list(values.shape), "f32": base64.b64encode(numbers.tobytes()).decode()}


def packed(weights: Tensor, whole: bool) -> str | wire.Halves:
    """A network's weights: in float32 if they are few or to be `whole`, or else in half the bytes, if in reach."""
    if whole or len(weights) < FEW or not bool((weights.abs() < LARGEST_HALF).all()):
        return exact(weights)["f32"]
    return {"f16": base64.b64encode(weights.detach().cpu().numpy().astype("<f2").tobytes()).decode()}


def quantised(values: Tensor) -> wire.QuantisedArray:
    """An array (..., d) in 16 bits a number, to 1/65535 of the range of each of the d columns."""
    numbers = values.detach().cpu().double().numpy()
    flat = numbers.reshape(-1, numbers.shape[-1])
    low, high = flat.min(0), flat.max(0)
    steps = np.rint((numbers - low) / np.maximum(high - low, 1e-12) * 65535).astype("<u2")
    return {
        "shape": list(values.shape),
        "u16": base64.b64encode(steps.tobytes()).decode(),
        "low": low.tolist(),
        "high": high.tolist(),
    }


@dataclass(frozen=True)
class View:
    """The square that shows a set of clouds: its centre and half its side, in data units."""

    center: tuple[float, ...]
    half: float

    @classmethod
    def of(cls, *clouds: Tensor) -> View:
        """A view of all but the most outlying points of each cloud (n, d), with a margin."""
        edges = torch.tensor([0.002, 0.998])
        bounds = torch.stack([torch.quantile(cloud.float(), edges, dim=0) for cloud in clouds])
        low, high = bounds[:, 0].amin(0), bounds[:, 1].amax(0)
        center = (low + high) / 2
        return cls(tuple(round(float(c), 3) for c in center), round(float((high - low).amax()) / 2 * 1.12, 3))


def scene(name: str, run: Run) -> str:
    """What the stage needs to know of a run before its weights: clouds, view, floor, how to read the network.

    Figures that take longer are not here; they are asked for later, about what `between` names (see ui.measures).

    name: what the run is called in this visitor's page; its snapshots carry it too.
    """
    experiment = run.experiment
    chosen, modes = experiment.to_dict(), experiment.aim.separate_modes()
    starts, real = run.starts(PARTICLES), run.real(PARTICLES)
    own = experiment.model.own_latent
    x0 = seen(starts, run.dim) if own else starts
    model = experiment.model
    path = model.path if isinstance(model, HasPath) else None
    message: wire.Scene = {
        "run": name,
        "experiment": chosen,
        "summary": summary(experiment),
        "dim": run.dim,
        "x0": exact(x0),
        "latent": exact(starts) if own else None,
        "target": quantised(real),
        "training": None if (learnt := run.training_points()) is None else quantised(learnt),
        "floor": _floor(experiment.aim),
        "modes": _modes(modes),
        "between": {name: chosen[name] for name in ("source", "target" if experiment.model.has_target else "model")},
        "setting": setting(experiment),
        "remarks": experiment.remarks(),
        "loss": experiment.model.loss_is,
        "coupling": pairs.label() if (pairs := coupling_of(model)) else None,
        "no_exact": no_reference(experiment.model, experiment.source.at(run.dim)),
        "density": density_of(run.trained(0)) if run.rounds else None,
        "path": None if run.rounds or path is None else cast(wire.PathDescription, path.describe()),
        "has_path": path is not None,
        "source_label": "Latent" if own else experiment.source.label(),
        "target_label": experiment.aim.label(),
        "view": cast(wire.WireView, vars(View.of(x0, real, *on_the_way(experiment)))),
        "sampler": cast(wire.SceneSampler, {**experiment.sampler.describe(), **experiment.sampler.guided()}),
        "condition": _condition(run),
        "network": reading(run.trained(0)) if run.rounds else None,
    }
    return _flat(message)


def _modes(modes: Modes | None) -> wire.WireModes | None:
    if modes is None:
        return None
    return {"centers": modes.centers.tolist(), "std": modes.std.tolist(), "weights": modes.weights.tolist()}


def on_the_way(experiment: Experiment) -> list[Tensor]:
    """Clouds (m, d) of an equation's particles between their start and their end, which should be in sight too."""
    return [experiment.aim.way()] if isinstance(experiment.aim, Law) else []


def summary(experiment: Experiment) -> wire.Summary:
    """An experiment in a few words: {"model": "GAN, Non-saturating, 3×64", "between": "Latent → Ring", "seed": 0}.

    Of what a model is made of the first choice is always named, the others where they are not the usual ones.
    """
    model = experiment.model
    fields = [(name, value) for name in type(model).model_fields if isinstance(value := getattr(model, name), Choice)]
    usual = {name: info.default for name, info in type(model).model_fields.items()}
    named = [(name, value) for k, (name, value) in enumerate(fields) if k == 0 or value != usual[name]]
    words = [
        model.label(),
        *(value.label() + {"path": " path", "coupling": " pairs"}.get(name, "") for name, value in named),
    ]
    if model.has_network:
        words.append(f"{experiment.network.depth}×{experiment.network.width}")
    if experiment.encoder is not None:
        words.append({"labels": "told the class", "angle": "told the direction"}[experiment.encoder.kind])
    source = "Latent" if model.own_latent else experiment.source.label()
    return {
        "model": ", ".join(words),
        "between": f"{source} → {experiment.aim.label()}",
        "seed": experiment.training.seed,
    }


def _condition(run: Run) -> wire.SceneCondition | None:
    """What each particle, and each of the target's points, has for its condition; None where nothing is told.

    {"kind", "classes" of labels, "values" (n,), "target" (n,)}, of an angle the nearest of AROUND directions.
    """
    encoder, values = run.experiment.encoder, run.conditions(PARTICLES)
    if encoder is None or values is None:
        return None
    own = encoder.values(*run.labelled(PARTICLES))
    told = {"values": values, "target": own}
    if encoder.kind == "angle":
        step = 2 * math.pi / AROUND
        told = {name: (given.double() / step).round().remainder(AROUND) * step for name, given in told.items()}
        told = {name: given.where(given < math.pi - 1e-3, given - 2 * math.pi) for name, given in told.items()}
    arrays = {name: exact(given.float()) for name, given in told.items()}
    return cast(wire.SceneCondition, encoder.describe() | arrays)


def setting(experiment: Experiment) -> dict[str, Any]:
    """What a question about couplings and exact fields has to name (see ui.fields): all but how to train."""
    chosen = experiment.to_dict()
    training = {name: chosen["training"][name] for name in ("points", "seed")}
    return {name: chosen[name] for name in ("source", "target", "model")} | {"training": training}


def reading(trained: Trained) -> wire.Reading:
    """How the browser evaluates a round's weights; where it cannot, that it has to ask for finished trajectories.

    {"remote": true, "dim", "sampled": whether solver and steps matter}; "carries": that it can be asked where a grid is
    carried (see ui.probing)
    """
    described = trained.describe()
    found = {"remote": True, "sampled": isinstance(trained, HasField)} if described is None else described
    found |= {"carries": True} if isinstance(trained, CarriesPoints) else {}
    return cast(wire.Reading, found)


def seen(points: Tensor, dim: int) -> Tensor:
    """Points (n, k) of a latent space by their first coordinates, as (n, dim); what is missing is 0."""
    return torch.nn.functional.pad(points[:, :dim], (0, max(0, dim - points.shape[1])))


def trajectory(found: Trajectory, most: int = STATES_WHOLE, ms: float = 0) -> wire.WireTrajectory:
    """A finished trajectory in 16 bits a number: at most so many of its states, the first and the last among them.

    Times run from 0 to 1 here; `axis` names what they count and `ends` says from where to where. States that are not
    finite, as of a chain that blew up, are left out with all that follow.
    """
    bad = (~found.x.isfinite().flatten(1).all(1)).nonzero()
    whole = max(1, int(bad[0])) if len(bad) else len(found.t)
    chosen = torch.linspace(0, whole - 1, min(most, whole)).round().long()
    t = found.t[chosen].double()
    span = float(t[-1] - t[0]) or 1.0
    return {
        "t": ((t - t[0]) / span).tolist(),
        "x": quantised(found.x[chosen].nan_to_num()),
        "nfe": found.nfe,
        "axis": found.axis,
        "ends": (float(t[0]), float(t[-1])),
        "broken": whole < len(found.t),
        "acceptance": found.acceptance,
        "ms": ms,
    }


def shapes(found: Shapes) -> wire.WireShapes:
    """Parts to be drawn: ellipses {center, root, share}, lines {normal, offset, pull}; and a learnt log-normaliser."""

    def plain(values: Tensor) -> list[Any]:
        return [plain(row) for row in values] if values.ndim > 1 else [round(float(value), 4) for value in values]

    return {
        "normaliser": None if found.normaliser is None else round(found.normaliser, 4),
        "ellipses": [
            {"center": plain(center), "root": plain(root), "share": round(share, 4)}
            for center, root, share in found.ellipses
        ],
        "lines": [
            {"normal": plain(normal), "offset": round(offset, 4), "pull": plain(pull)}
            for normal, offset, pull in found.lines
        ],
    }


@lru_cache(maxsize=256)
def _floor(target: Distribution) -> wire.SceneFloor:
    """Of two real samples: known already when a target that was looked at is trained on."""
    apart = floor(target, PARTICLES, ["sliced_w2"], seeded(0, 13), FLOOR_PAIRS)["sliced_w2"]
    sharp = sharpness_floor(target, PARTICLES, seeded(0, 18), SHARPNESS_PAIRS)
    return {"sliced_w2": apart, "sample_kl": sharp["sample_kl"], "stray": sharp["stray"], "missed": sharp["missed"]}


def snapshot(
    name: str,
    run: Run,
    taken: Snapshot,
    *,
    rate: float | None = None,
    left: float | None = None,
    done: bool = False,
    sampled: bool = True,
    most_losses: int = LOSSES_A_MESSAGE,
) -> str:
    """One snapshot for the stage; rate is in steps a second, left in seconds until the end of all rounds.

    apart: the loss on training points and on held-out ones, where there are few of the first.
    The first of every further round says how that is read. Of a model that the browser cannot evaluate it holds the
    trajectory instead of the weights, unless it is not `sampled`: the browser then asks for it when it is looked at.
    """
    record, network = run.rounds[taken.round], reading(run.with_weights(taken.weights))
    opens = taken.round > 0 and taken.id == record.history[0].id
    losses = [(round(step, 1), float(f"{loss:.5g}")) for step, loss in binned(taken.losses, most_losses)]
    return _flat(
        {
            "run": name,
            "id": taken.id,
            "round": taken.round,
            "phase": taken.phase,
            "step": taken.step,
            "steps": record.steps,
            "seconds": round(taken.seconds, 3),
            "rate": round(rate, 1) if rate else None,
            "left": None if done or left is None else round(left, 2),
            "loss": losses,
            "apart": losses_apart(run, taken),
            "done": done,
            "name": record.name,
            **({"prepared": round(taken.prepared, 3)} if taken.prepared < 1 else {}),
            **({"remark": taken.remark} if taken.remark else {}),
            **({"network": network} if opens else {}),
            **_content(run, taken, network, done, sampled),
        }
    )


def _content(run: Run, taken: Snapshot, network: wire.Reading, done: bool, sampled: bool) -> dict[str, Any]:
    """What a snapshot has to show: its weights, where networks of them are read, and where only we know where they
    lead, a trajectory.
    """
    content: dict[str, Any] = {}
    trained = run.with_weights(taken.weights)
    if isinstance(trained, HasShapes):
        content["shapes"] = shapes(trained.shapes())
    if "remote" not in network or "networks" in network:
        content["weights"] = {key: packed(values, done) for key, values in taken.weights.items()}
    if "remote" not in network or not sampled:
        return content
    begun = time.perf_counter()
    found = trained.trajectory(run.starts(PARTICLES), run.experiment.sampler)
    most = STATES_WHOLE if done else STATES_LIVE
    return content | {"trajectory": trajectory(found, most, ms=round(1000 * (time.perf_counter() - begun), 1))}


def _flat(message: Mapping[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":"), allow_nan=False)


def opening(name: str, run: Run) -> str:
    """A finished run in one message: its scene and every snapshot that is kept."""
    shots = []
    for record in run.rounds:
        for taken in record.history:
            newest = taken is record.last
            losses = tuple(record.losses.points) if newest else ()
            done = newest and record is run.rounds[-1]
            shown = replace(taken, losses=losses)
            shots.append(snapshot(name, run, shown, done=done, sampled=newest, most_losses=512))
    return f'{{"scene":{scene(name, run)},"snapshots":[{",".join(shots)}]}}'
