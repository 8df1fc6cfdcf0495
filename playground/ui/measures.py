"""Figures that take the server a moment: asked for after the picture, without queue or session, never delaying it.

Two are computed at once for all visitors together, one for each page, and few may wait: training wants the processor.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

import plotly
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from playground.choice import InvalidExperiment, Problem
from playground.engine import presets
from playground.engine.evaluation import least_cost
from playground.engine.run import Run
from playground.engine.training import Training
from playground.experiment import Experiment
from playground.metrics import SHARPNESS, floor, sharpness_floor, sliced_w2
from playground.models.base import Weights, seeded
from playground.ui import densities, fields, messages, probing
from playground.ui.answers import packed_file
from playground.ui.messages import PARTICLES
from playground.ui.session import Session, Sessions

POINTS = 1000
"""Points on which a run is measured here: exact transport between more would take seconds."""
FEWER = 500
"""Points of the browser's curve over training, which has up to 48 networks to sample."""
PAIRS = 8
AT_ONCE, WAITING = 2, 8
MAX_BODY = 16_000
PRESET = "preset "
GONE = "the server no longer has this run; train it again, or open its files again."
BUSY = "the server is measuring for others; try again in a few seconds."

Figures = dict[str, Any]


class Busy(RuntimeError):
    """There is no room for another measurement now; says so in a sentence."""


class StaleRequest(Busy):
    """The run or snapshot that was asked about no longer exists, or is still changing: the page has moved on."""


class Desk:
    """Runs measurements in two threads; refuses a page's second one, and more than a few that wait."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="measure")
        self._taken: set[str] = set()

    async def run(self, whose: str, work: Callable[[], Figures]) -> Figures:
        """What `work` returns, computed in its turn. Raises Busy."""
        if whose in self._taken:
            raise Busy("this page's last question is still being measured.")
        if len(self._taken) >= AT_ONCE + WAITING:
            raise Busy(BUSY)
        self._taken.add(whose)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._taken.discard(whose)


def routes(sessions: Sessions) -> list[BaseRoute]:
    """The routes of this module: a run's figures, what they are read against, and the library that draws charts."""
    desk = Desk()

    async def answered(
        request: Request, kind: str, work: Callable[[dict[str, Any]], Callable[[], Figures]]
    ) -> Response:
        try:
            given = await _read(request)
            return JSONResponse(await desk.run(f"{kind} {given['page']}", work(given)))
        except Busy as busy:
            return JSONResponse({"busy": True, "past": isinstance(busy, StaleRequest), "message": str(busy)})
        except ValueError as error:  # InvalidExperiment among them
            return JSONResponse({"message": str(error)}, status_code=400)

    async def measured(request: Request) -> Response:
        return await answered(request, "run", partial(_measurement, sessions))

    async def sampled(request: Request) -> Response:
        return await answered(request, "sample", partial(_sampling, sessions))

    async def dense(request: Request) -> Response:
        what = request.path_params["what"]
        return await answered(request, what, partial(_density, sessions, what))

    async def carried(request: Request) -> Response:
        return await answered(request, "carry", partial(_carrying, sessions))

    async def referred(request: Request) -> Response:
        return await answered(request, "reference", _referral)

    async def coupled(request: Request) -> Response:
        return await answered(request, "coupling", fields.coupling)

    async def known(request: Request) -> Response:
        return await answered(request, "exact", fields.exact)

    return [
        Route("/playground/measure", measured, methods=["POST"]),
        Route("/playground/sample", sampled, methods=["POST"]),
        Route("/playground/density/{what}", dense, methods=["POST"]),
        Route("/playground/carry", carried, methods=["POST"]),
        Route("/playground/reference", referred, methods=["POST"]),
        Route("/playground/coupling", coupled, methods=["POST"]),
        Route("/playground/exact", known, methods=["POST"]),
        Route("/playground/plotly.min.js", _plotly),
    ]


async def _read(request: Request) -> dict[str, Any]:
    """The request's JSON object, which names its page. Raises ValueError with a sentence."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            raise ValueError("this is too long to be a question about figures.")
    try:
        given = json.loads(body)
    except ValueError:
        given = None
    if not isinstance(given, dict) or not isinstance(given.get("page"), str):
        raise ValueError("this question could not be read; reload the page.")
    return given


def _measurement(sessions: Sessions, given: dict[str, Any]) -> Callable[[], Figures]:
    """How to measure the run that the page shows: a preset's, or its own. Raises ValueError where there is none."""
    name, round_ = str(given.get("run")), _whole(given.get("round", -1))
    if name.startswith(PRESET):
        return partial(_measured_preset, name.removeprefix(PRESET), round_)
    session = _session(sessions, given)
    if name not in session.shelf and session.turn.locked():
        raise StaleRequest("this run is still training; measure it when it is done.")
    return partial(_measured, _trained(session, name), round_)


def _whole(given: Any) -> int:
    """A whole number of the request. Raises ValueError where it is none."""
    if not isinstance(given, int):
        raise ValueError("this question could not be read; reload the page.")
    return given


def _session(sessions: Sessions, given: dict[str, Any]) -> Session:
    """The session of the page that asks, which holds the run that is named. Raises ValueError where there is none."""
    session = sessions.find(given["page"])
    name = str(given.get("run"))
    if session is None or not (name in session.shelf or _training(session, name)):
        raise StaleRequest(GONE)
    return session


def _training(session: Session, name: str) -> Training | None:
    """The session's training of this name: its own, an earlier one, or one of several that compete; else None."""
    if session.training is not None and session.name == name:
        return session.training
    if name in session.earlier:
        return session.earlier[name]
    entrant = session.contest.find(name.removeprefix(f"{session.name} ")) if session.contest else None
    return entrant.training if entrant else None


def _trained(session: Session, name: str) -> Run:
    """What the session has learnt in this run. Raises ValueError where that is nothing."""
    kept = session.shelf.get(name)
    if kept is not None:
        return kept
    training = _training(session, name)
    if training is None or not training.run.rounds:
        raise StaleRequest(GONE)
    return training.run


def _sampling(sessions: Sessions, given: dict[str, Any]) -> Callable[[], Figures]:
    """How to sample a snapshot anew: {page, run, round, snapshot, sampler, model}. Raises ValueError with a sentence.

    sampler replaces the experiment's, and model those of its fields that matter for sampling alone.
    """
    return partial(_resampled, *_looked_at(sessions, given))


def _density(sessions: Sessions, what: str, given: dict[str, Any]) -> Callable[[], Figures]:
    """How to answer about log-densities at a moment of a run: "surface", "likelihood" or "along".

    See ui.densities. Raises ValueError with a sentence.
    """
    run, weights = _looked_at(sessions, given)
    model = run.with_weights(weights)
    if what == "likelihood":
        return lambda: densities.likelihood(model, run.experiment.aim, run.real(PARTICLES))
    work = {"surface": densities.surface, "along": densities.along}.get(what)
    if work is None:
        raise ValueError("this question could not be read; reload the page.")
    return partial(work, model, run.dim, given)


def _carrying(sessions: Sessions, given: dict[str, Any]) -> Callable[[], Figures]:
    """How to carry a grid of lines by a snapshot; see ui.probing. Raises ValueError with a sentence."""
    return partial(probing.carried, *_looked_at(sessions, given), probing.Patch.read(given))


def _looked_at(sessions: Sessions, given: dict[str, Any]) -> tuple[Run, Weights]:
    """The run of a question, with the sampling that it asks for, and the weights of its snapshot."""
    name = str(given.get("run"))
    preset = name.removeprefix(PRESET) if name.startswith(PRESET) else None
    run = presets.run(preset) if preset is not None else _trained(_session(sessions, given), name)
    fields, free = run.experiment.to_dict(), run.experiment.model.sampling_fields()
    fields["sampler"] = given.get("sampler") or fields["sampler"]
    changed = given.get("model") if isinstance(given.get("model"), dict) else {}
    fields["model"] |= {key: value for key, value in (changed or {}).items() if key in free}
    chosen = replace(run, experiment=Experiment.parse(fields))
    record = chosen.round(_whole(given.get("round", -1)))
    try:
        weights = record.history.by_id(_whole(given.get("snapshot", record.last.id))).weights
    except KeyError:
        raise StaleRequest("this moment of the training is no longer kept; choose another.") from None
    return chosen, weights


def _resampled(run: Run, weights: Weights) -> Figures:
    begun = time.perf_counter()
    found = run.with_weights(weights).trajectory(run.starts(PARTICLES), run.experiment.sampler)
    return {**messages.trajectory(found, ms=round(1000 * (time.perf_counter() - begun), 1))}


@cache
def _measured_preset(name: str, round_: int) -> Figures:
    run = presets.run(name)
    if not run.rounds:
        raise ValueError("this preset has no trained weights to measure; train it first.")
    return _measured(run, round_)


def _measured(run: Run, round_: int) -> Figures:
    """`Run.metrics` of a round, on fewer points than its default."""
    return {"points": POINTS, **run.metrics(POINTS, round_, every_w2=True)}


def _referral(given: dict[str, Any]) -> Callable[[], Figures]:
    """How to compute what a source and a target are read against. Raises InvalidExperiment."""
    if "source" not in given or not {"target", "model"} & given.keys():
        sentence = "name a source, and a target or a model that says itself what it reaches."
        raise InvalidExperiment([Problem((), sentence)])
    named = [name for name in ("source", "target", "model") if name in given]
    experiment = Experiment.parse({name: given[name] for name in named})
    return partial(reference, json.dumps(experiment.to_dict()))


@lru_cache(maxsize=256)
def reference(experiment: str) -> Figures:
    """What the figures of an experiment, given as JSON, are read against.

    floor: {figure: {value, low, high}} of two real samples of PARTICLES points each, the root mean square of PAIRS and
    their range, for two distances and for what `metrics.sharpness` finds; fewer: the same of FEWER points against
    PARTICLES, for sliced W2 alone; optimal_cost: the least that transport between the two costs, {value, error};
    entropy: the target's, in nats, or None.
    """
    run = Run(Experiment.parse(json.loads(experiment)))
    target, generator = run.experiment.aim, seeded(0, 13)
    names = ["sliced_w2", "energy_distance"]
    pairs = [floor(target, PARTICLES, names, generator, pairs=1) for _ in range(PAIRS)]
    others = seeded(0, 18)
    pairs = [pair | sharpness_floor(target, PARTICLES, others, pairs=1) for pair in pairs]
    fewer = [sliced_w2(target.sample(FEWER, generator), target.sample(PARTICLES, generator)) for _ in range(2 * PAIRS)]
    return {
        "points": PARTICLES,
        "floor": {
            name: _spread([value for pair in pairs if (value := pair[name]) is not None])
            for name in (*names, *SHARPNESS)
        },
        "fewer": {"points": FEWER, "sliced_w2": _spread(fewer)},
        **({"optimal_cost": vars(least_cost(run.experiment))} if run.experiment.model.has_target else {}),
        "entropy": target.entropy(),
    }


def _spread(values: list[float]) -> dict[str, float] | None:
    """Root mean square and range."""
    if not values:
        return None
    mean = math.sqrt(sum(value**2 for value in values) / len(values))
    return {"value": mean, "low": min(values), "high": max(values)}


def _plotly(request: Request) -> Response:
    """The Python package's own plotly.js, kept by browsers until the package is another."""
    return packed_file(request, "text/javascript", f'"{plotly.__version__}"', _packed_plotly)


@cache
def _packed_plotly() -> bytes:
    script = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    return gzip.compress(script.read_bytes(), 6)
