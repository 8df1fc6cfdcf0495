"""What the browser asks for besides Gradio's page: the stage's modules, ready runs, and experiments as text.

These routes need no queue and no session, so that a preset opens, or a link is read, while the server trains.
"""

from __future__ import annotations

import json
from functools import cache, partial
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playground.choice import InvalidExperiment
from playground.distributions import DISTRIBUTIONS
from playground.engine import presets
from playground.experiment import MAX_FILE_BYTES, Experiment
from playground.ui import alternatives, costs, measures, messages, saved
from playground.ui.answers import compressed, packed_file, packed_json
from playground.ui.bundle import Bundle, NotJoined
from playground.ui.form import describe
from playground.ui.session import Sessions
from playground.ui.thumbnails import thumbnail

WEB = Path(__file__).parent / "web"
JOINED = Bundle(WEB)
PRELOADS = (
    "<playground/joined/main.js>; rel=modulepreload",
    "<playground/joined/main.css>; rel=preload; as=style",
)
"""What a browser is told with the page itself, to be fetched while Gradio's own files are."""


class Revalidated(StaticFiles):
    """Static files that a browser keeps but asks about each time, so that an update is seen at once."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """The file, to be asked about again."""
        response = super().file_response(*args, **kwargs)
        response.headers["cache-control"] = "no-cache"
        return response


class Preloaded:
    """Middleware that says with the page what else it will need."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes everything on; the answer to a request for the page gets a Link header besides."""

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("link", ", ".join(PRELOADS))
            await send(message)

        page = scope["type"] == "http" and scope["path"].removeprefix(scope.get("root_path", "")) in ("", "/")
        await self._app(scope, receive, told if page else send)


def routes(sessions: Sessions) -> list[BaseRoute]:
    """The routes to add before Gradio's own."""

    def run(request: Request) -> Response:
        session = sessions.find(request.path_params["key"])
        if session is None or session.training is None or not session.training.run.rounds:
            return JSONResponse(None)
        return packed_json(compressed(messages.opening(session.name, session.training.run)))

    return [
        Route("/playground/presets/{name}.json", _preset),
        Route("/playground/runs/{key}.json", run),
        Route("/playground/form.json", lambda request: packed_json(_described())),
        Route("/playground/saved", partial(saved.opened, sessions), methods=["POST"]),
        Route("/playground/pinned/{key}.json", partial(saved.pinned, sessions)),
        Route("/playground/shown", partial(saved.brought_back, sessions), methods=["POST"]),
        Route("/playground/returned", partial(saved.returned, sessions), methods=["POST"]),
        Route("/playground/write", _write, methods=["POST"]),
        Route("/playground/read", _read, methods=["POST"]),
        Route("/playground/alternatives", _refuse, methods=["POST"]),
        *measures.routes(sessions),
        Route("/playground/joined/{name:path}", _joined),
        Mount("/playground", Revalidated(directory=WEB)),
    ]


def _preset(request: Request) -> Response:
    """A preset with its weights, as one message."""
    try:
        return packed_json(_packed_preset(request.path_params["name"]))
    except InvalidExperiment as error:
        return _refused(error)


@cache
def _packed_preset(name: str) -> bytes:
    return compressed(messages.opening(f"preset {name}", presets.run(name)))


@cache
def _description() -> dict[str, Any]:
    """What can be chosen, without pictures."""
    return describe(Experiment)


@cache
def _described() -> bytes:
    """The form's description, with a thumbnail of every distribution and its number of dimensions."""
    description = describe(Experiment, thumbnail)
    dims = {kind.kind_name(): kind().dim for kind in DISTRIBUTIONS}
    for field in description["fields"]:
        if field["name"] in ("source", "target"):
            for kind in field["kinds"]:
                kind["dim"] = dims[kind["kind"]]
    return compressed(json.dumps(description, separators=(",", ":")))


def _joined(request: Request) -> Response:
    """A module with all that it imports, or the styles, as one file that a browser keeps but asks about each time."""
    name = request.path_params["name"]
    try:
        file = JOINED.file(name)
    except NotJoined:
        return Response(status_code=404)
    kind = "text/css" if name.endswith(".css") else "text/javascript"
    return packed_file(request, kind, file.etag, lambda: file.body)


async def _write(request: Request) -> Response:
    """An experiment as JSON in, as YAML and as a link out."""

    def written(text: str) -> dict[str, Any]:
        experiment = Experiment.parse(json.loads(text))
        return {"yaml": experiment.to_yaml(), "link": experiment.to_link()}

    return await _answered(request, written)


async def _read(request: Request) -> Response:
    """An experiment as YAML, or as a link after "link:", in; as JSON out."""

    def read(text: str) -> dict[str, Any]:
        _, is_link, link = text.partition("link:")
        experiment = Experiment.from_link(link) if text.startswith("link:") and is_link else Experiment.from_yaml(text)
        return {"experiment": experiment.to_dict()}

    return await _answered(request, read)


async def _refuse(request: Request) -> Response:
    """An experiment as JSON in; which alternatives of its choices are refused, and why, and what it costs, out."""

    def told(text: str) -> dict[str, Any]:
        given = json.loads(text)
        return {"refused": alternatives.refused(given, _description()), "cost": costs.cost(given)}

    return await _answered(request, told)


async def _answered(request: Request, answer: Any) -> Response:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_FILE_BYTES:
            return JSONResponse({"message": f"an experiment is shorter than {MAX_FILE_BYTES // 1000} kB."}, 413)
    try:
        return JSONResponse(await run_in_threadpool(answer, body.decode()))
    except InvalidExperiment as error:
        return _refused(error)
    except ValueError:
        return JSONResponse({"message": "this is not text that describes an experiment."}, status_code=400)


def _refused(error: InvalidExperiment) -> Response:
    problems = [{"path": problem.path, "sentence": problem.sentence} for problem in error.problems]
    return JSONResponse({"message": str(error), "problems": problems}, status_code=400)
