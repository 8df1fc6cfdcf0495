"""What the server tells the stage: a scene once a run, then a snapshot at a time, each one flat JSON string.

Arrays travel as base64 of little-endian numbers: exact float32 for weights and starting points, uint16 between
the least and the greatest value of each axis for clouds that are only looked at.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from playground.distributions import Distribution
from playground.engine.history import Snapshot, binned
from playground.engine.run import Round, Run
from playground.experiment import Experiment
from playground.metrics import floor
from playground.models.base import seeded

PARTICLES = 2000
LOSSES_A_MESSAGE = 32
FLOOR_PAIRS = 8


def exact(values: Tensor) -> dict[str, Any]:
    """An array in float32."""
    numbers = np.ascontiguousarray(values.detach().cpu().numpy(), dtype="<f4")
    return {"shape": list(values.shape), "f32": base64.b64encode(numbers.tobytes()).decode()}


def quantised(values: Tensor) -> dict[str, Any]:
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
    chosen, modes = experiment.to_dict(), experiment.target.at(run.dim).separate_modes()
    x0, real = run.starts(PARTICLES), run.real(PARTICLES)
    path = getattr(experiment.model, "path", None)
    message = {
        "run": name,
        "name": experiment.name,
        "dim": run.dim,
        "x0": exact(x0),
        "target": quantised(real),
        "floor": {"sliced_w2": _floor(experiment.target.at(run.dim))},
        "modes": modes and {name: values.tolist() for name, values in vars(modes).items()},
        "between": {name: chosen[name] for name in ("source", "target")},
        "setting": setting(experiment),
        "remarks": experiment.model.remarks(experiment.source.at(run.dim), experiment.target.at(run.dim)),
        "path": None if run.rounds or path is None else path.describe(),
        "source_label": experiment.source.label(),
        "target_label": experiment.target.label(),
        "view": vars(View.of(x0, real)),
        "sampler": experiment.sampler.describe(),
        "network": run.trained().describe() if run.rounds else None,
    }
    return _flat(message)


def setting(experiment: Experiment) -> dict[str, Any]:
    """What a question about couplings and exact fields has to name (see ui.fields): all but how to train."""
    chosen = experiment.to_dict()
    training = {name: chosen["training"][name] for name in ("points", "seed")}
    return {name: chosen[name] for name in ("source", "target", "model")} | {"training": training}


@lru_cache(maxsize=256)
def _floor(target: Distribution) -> float | None:
    """Sliced W2 between two real samples: known already when a target that was looked at is trained on."""
    return floor(target, PARTICLES, ["sliced_w2"], seeded(0, 13), FLOOR_PAIRS)["sliced_w2"]


def snapshot(
    name: str,
    record: Round,
    taken: Snapshot,
    *,
    rate: float | None = None,
    done: bool = False,
    most_losses: int = LOSSES_A_MESSAGE,
) -> str:
    """One snapshot for the stage; rate is in steps a second, from which the seconds left follow."""
    left = None if done or not rate else (record.steps - taken.step) / rate
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
            "left": None if left is None else round(left, 2),
            "loss": losses,
            "weights": {key: exact(values)["f32"] for key, values in taken.weights.items() if key != "moments"},
            "done": done,
        }
    )


def _flat(message: dict[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":"), allow_nan=False)


def opening(name: str, run: Run) -> str:
    """A finished run in one message: its experiment, its scene and every snapshot that is kept."""
    shots = []
    for record in run.rounds:
        for taken in record.history:
            newest = taken is record.last
            losses = tuple(record.losses.points) if newest else ()
            done = newest and record is run.rounds[-1]
            shots.append(snapshot(name, record, replace(taken, losses=losses), done=done, most_losses=512))
    experiment = json.dumps(run.experiment.to_dict(), separators=(",", ":"))
    return f'{{"experiment":{experiment},"scene":{scene(name, run)},"snapshots":[{",".join(shots)}]}}'
