"""Runs beside the one that a page trains: from the files of `Run.save("folder")`, pinned, or come back to."""

from __future__ import annotations

import base64
import binascii
import copy
import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from torch import Tensor

from playground.choice import InvalidExperiment
from playground.engine.history import Snapshot
from playground.engine.library import read_weights
from playground.engine.record import Round
from playground.engine.run import Run
from playground.experiment import Experiment
from playground.ui import messages, wire
from playground.ui.answers import compressed, packed_json
from playground.ui.costs import weights_of
from playground.ui.events import session_of
from playground.ui.live import MAX_NETWORK
from playground.ui.session import Sessions

MOST_BYTES = 12_000_000
"""The longest request: a run with a network that the page may have and its whole history is shorter."""


async def opened(sessions: Sessions, request: Request) -> Response:
    """{"page", "yaml": text, "weights": base64 of run.safetensors} in, as `messages.opening` has it out."""
    body = await _body(request)
    if body is None:
        return _too_long()
    try:
        message = await run_in_threadpool(opening, sessions, json.loads(body))
    except InvalidExperiment as error:
        return _refused(str(error))
    except (ValueError, KeyError, TypeError, binascii.Error):
        return _refused("these are not the files of a saved run: choose its experiment.yaml and its run.safetensors.")
    return packed_json(compressed(message))


async def brought_back(sessions: Sessions, request: Request) -> Response:
    """{"page", "run", "turn"} of what a page shows again: {"kept": whether it is the page's own to train on}.

    Where it is not, whatever the page trained is set aside all the same, for the page shows it no more. turn: as of the
    form's messages, so that a preview asked for before comes too late.
    """
    try:
        given = json.loads(await request.body())
        session = session_of(sessions, given)
        session.said = max(session.said, int(given["turn"]))
        return JSONResponse({"kept": session.bring_back(str(given["run"]))})
    except (InvalidExperiment, ValueError, KeyError, TypeError) as error:
        return _refused(str(error))


async def returned(sessions: Sessions, request: Request) -> Response:
    """A run from a browser that has outlived it here: {"page", "experiment", "rounds"} in, the run's new name out.

    rounds: of each {"name", "snapshot": id, "step", "seconds", "weights": base64 of float32 by network}.
    """
    body = await _body(request)
    if body is None:
        return _too_long()
    try:
        return JSONResponse({"run": await run_in_threadpool(returning, sessions, json.loads(body))})
    except (InvalidExperiment, ValueError, KeyError, TypeError, RuntimeError, binascii.Error):
        return _refused("these are not the weights of this run.")


def returning(sessions: Sessions, given: Any) -> str:
    """Keeps the run that is given, with one snapshot a round; its name. Raises ValueError or the like for no run."""
    session = session_of(sessions, given)
    experiment = Experiment.parse(given["experiment"])
    if weights_of(experiment) > MAX_NETWORK:
        raise ValueError("too large a network")
    run = Run(experiment)
    for index, one in enumerate(given["rounds"]):
        id_, step, seconds = int(one["snapshot"]), int(one["step"]), float(one["seconds"])
        weights = {str(name): _numbers(packed) for name, packed in one["weights"].items()}
        record = Round(str(one["name"]), steps=step, seconds=seconds, taken=id_ + 1)
        record.history.add(Snapshot(id_, index, 0, step, seconds, (), weights))
        run.rounds.append(record)
        run.sample(n=2, steps=1, round=index)
    return session.shelve(run, "returned")


def _numbers(given: str | wire.Halves) -> Tensor:
    whole = isinstance(given, str)
    numbers = bytearray(base64.b64decode(given if isinstance(given, str) else given["f16"], validate=True))
    values = torch.frombuffer(numbers, dtype=torch.float32 if whole else torch.float16).float()
    if not bool(values.isfinite().all()):
        raise ValueError("weights are finite numbers")
    return values


async def _body(request: Request) -> bytes | None:
    """What was sent; None where it is longer than anything that belongs here."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            return None
    return body


def pinned(sessions: Sessions, request: Request) -> Response:
    """The page's run as it is now, kept under a name of its own; null where it has none, or is training."""
    session = sessions.find(request.path_params["key"])
    if session is None or session.training is None or not session.turn.acquire(blocking=False):
        return JSONResponse(None)
    try:
        run = copy.deepcopy(session.training.run) if session.training.run.rounds else None
    finally:
        session.turn.release()
    if run is None:
        return JSONResponse(None)
    return packed_json(compressed(messages.opening(session.shelve(run, "pinned"), run)))


def opening(sessions: Sessions, given: Any) -> str:
    """The opening message of the files that are given. Raises InvalidExperiment, or ValueError for no such files."""
    session = session_of(sessions, given)
    experiment = Experiment.from_yaml(str(given["yaml"]))
    if weights_of(experiment) > MAX_NETWORK:
        raise ValueError("too large a network")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.safetensors"
        path.write_bytes(base64.b64decode(given["weights"], validate=True))
        run = read_weights(Run, experiment, path)
    return messages.opening(session.shelve(run, "saved"), run)


def _too_long() -> Response:
    return _refused(f"these files are larger than {MOST_BYTES // 1_000_000} MB; save fewer snapshots.", 413)


def _refused(sentence: str, status: int = 400) -> Response:
    return JSONResponse({"message": sentence}, status_code=status)
