"""What the browser fetches besides Gradio's page: the stage's modules, and each preset as one ready message."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from playground.choice import InvalidExperiment
from playground.engine import presets
from playground.ui import messages

STAGE = Path(__file__).parent / "stage"


class Revalidated(StaticFiles):
    """Static files that a browser keeps but asks about each time, so that an update is seen at once."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["cache-control"] = "no-cache"
        return response


def routes() -> list[BaseRoute]:
    """The routes to add before Gradio's own."""
    return [
        Route("/playground/presets/{name}.json", _preset),
        Mount("/playground", Revalidated(directory=STAGE)),
    ]


def _preset(request: Request) -> Response:
    try:
        body = _packed(request.path_params["name"])
    except InvalidExperiment as error:
        return JSONResponse({"message": str(error)}, status_code=404)
    return Response(body, media_type="application/json", headers={"content-encoding": "gzip", "cache-control": "no-cache"})


@cache
def _packed(name: str) -> bytes:
    return gzip.compress(messages.opening(f"preset {name}", presets.run(name)).encode(), 6)
