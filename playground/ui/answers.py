"""Answers of the routes beside Gradio's: long JSON, compressed, and files that browsers keep but ask about."""

from __future__ import annotations

import gzip
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

ASK_AGAIN = {"cache-control": "no-cache"}
COMPRESSED = {"content-encoding": "gzip"}


def compressed(text: str) -> bytes:
    """A long text as it is sent."""
    return gzip.compress(text.encode(), 5)


def packed_json(body: bytes) -> Response:
    """JSON that is `compressed` already."""
    return Response(body, media_type="application/json", headers=COMPRESSED | ASK_AGAIN)


def packed_file(request: Request, kind: str, etag: str, body: Callable[[], bytes]) -> Response:
    """A file that is compressed by gzip, of the media type `kind`; nothing where the browser has it already."""
    headers = {"etag": etag} | ASK_AGAIN
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(body(), media_type=kind, headers=headers | COMPRESSED)
