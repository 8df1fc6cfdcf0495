"""Runs that are kept beside the one that a page trains: from the files of `Run.save("folder")`, or pinned."""

from __future__ import annotations

import base64
import binascii
import copy
import json
import tempfile
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from playground.choice import InvalidExperiment
from playground.engine.library import read_weights
from playground.engine.run import Run
from playground.experiment import Experiment
from playground.ui import messages
from playground.ui.answers import compressed, packed_json
from playground.ui.costs import weights_of
from playground.ui.events import session_of
from playground.ui.live import MAX_NETWORK
from playground.ui.session import Sessions

MOST_BYTES = 12_000_000
"""The longest request: a run with a network that the page may have and its whole history is shorter."""


async def opened(sessions: Sessions, request: Request) -> Response:
    """{"page", "yaml": text, "weights": base64 of run.safetensors} in, as `messages.opening` has it out."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            return _refused(f"these files are larger than {MOST_BYTES // 1_000_000} MB; save fewer snapshots.", 413)
    try:
        message = await run_in_threadpool(opening, sessions, json.loads(body))
    except InvalidExperiment as error:
        return _refused(str(error))
    except (ValueError, KeyError, TypeError, binascii.Error):
        return _refused("these are not the files of a saved run: choose its experiment.yaml and its run.safetensors.")
    return packed_json(compressed(message))


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


def _refused(sentence: str, status: int = 400) -> Response:
    return JSONResponse({"message": sentence}, status_code=status)
