"""A page with nothing but a form on it, and the toy experiment that the form is tried with."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

import playground.ui
from playground.choice import FROM_NAME, Choice, Settings
from playground.experiment import Experiment
from playground.ui.form import describe

WEB = Path(playground.ui.__file__).parent / "web"


class Straight(Choice):
    """Goes straight."""

    kind: Literal["straight"] = "straight"


class Wavy(Choice):
    """Goes in waves."""

    kind: Literal["wavy"] = "wavy"
    waves: int = Field(3, ge=1, le=9, title="Waves", description="How many waves.")


AnyWay = Annotated[Straight | Wavy, Field(discriminator="kind"), FROM_NAME]


class Walk(Choice):
    """On foot."""

    kind: Literal["walk"] = "walk"
    way: AnyWay = Field(Straight(), title="Way", description="Which way.")
    pace: float = Field(1.5, gt=0, le=3, title="Pace", description="How fast.", json_schema_extra={"unit": "m/s"})


class Ride(Choice):
    """On a horse."""

    kind: Literal["ride"] = "ride"
    way: AnyWay = Field(Straight(), title="Way", description="Which way.")


class Fly(Choice):
    """By air."""

    kind: Literal["fly"] = "fly"
    height: float = Field(
        100, ge=1, le=1e4, title="Height", description="How high.", json_schema_extra={"scale": "log"}
    )


class Bag(Settings):
    """What is carried."""

    weight: float = Field(5, ge=0, le=20, title="Weight", description="How heavy.", json_schema_extra={"unit": "kg"})
    full: bool = Field(False, title="Full", description="Whether it is full.")
    colour: Literal["red", "blue"] = Field("red", title="Colour", description="Which colour.")
    stops: tuple[Annotated[float, Field(ge=-9, le=9)], ...] = Field(
        (0, 1), min_length=1, max_length=3, title="Stops", description="Where."
    )
    table: tuple[tuple[float, float], ...] = Field(((1, 0), (0, 1)), title="Table", description="Numbers.")
    budget: float | None = Field(
        None, ge=0, le=60, title="Budget", description="How long.", json_schema_extra={"advanced": True, "unit": "s"}
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, title="Seed", description="For chance.")


class Trip(Settings):
    """A toy experiment."""

    travel: Annotated[Walk | Ride | Fly, Field(discriminator="kind"), FROM_NAME] = Field(
        Walk(pace=2), title="Travel", description="How to travel."
    )
    bag: Bag = Field(Bag(), title="Bag", description="What to carry.")
    spare: Bag | None = Field(None, title="Spare", description="Another bag.", json_schema_extra={"advanced": True})


DESCRIPTIONS: dict[str, Callable[[], dict[str, Any]]] = {
    "trip": lambda: describe(Trip),
    "tiles": lambda: describe(Trip, lambda choice: [[0.5, -0.5], [0, 0]]),
    "experiment": lambda: describe(Experiment),
}
PAGE = """<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><link rel="stylesheet" href="styles/tokens.css">
<link rel="stylesheet" href="styles/form.css">
<link rel="stylesheet" href="styles/form-controls.css">
<link rel="stylesheet" href="styles/tooltip.css"><style>body { margin: 0; background: var(--pg-paper) }</style>
<div id="root"></div><script type="module">
  import { Form } from "./form/form.js";
  import * as values from "./form/values.js";
  import { sliderOf } from "./form/slider.js";
  const description = %s;
  window.told = [];
  window.make = (options) => {
    window.form?.destroy();
    window.form = new Form(document.getElementById("root"), description,
                           { onChange: (value, state) => window.told.push({ value, ...state }), ...options });
  };
  window.make({});
  Object.assign(window, { values, sliderOf, description });
</script>"""


class Handler(BaseHTTPRequestHandler):
    """Gives the modules and styles as they lie on disk, and a page with a form at /<name of a description>."""

    def do_GET(self) -> None:
        name = self.path.strip("/")
        kinds = {".js": "text/javascript", ".css": "text/css"}
        if name in DESCRIPTIONS:
            body, kind = (PAGE % json.dumps(DESCRIPTIONS[name]())).encode(), "text/html"
        else:
            path = WEB / name
            body, kind = path.read_bytes(), kinds[path.suffix]
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def serve_forms() -> Iterator[str]:
    """The address of a server of Handler's pages; it ends in a slash."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
