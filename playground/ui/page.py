"""The page: Gradio's layout and events around the form and the stage, which draw themselves in the browser."""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr
import torch

from playground.choice import InvalidExperiment, Problem
from playground.engine import presets
from playground.engine.run import Run
from playground.engine.training import Training
from playground.experiment import Experiment
from playground.ui import messages
from playground.ui.assets import routes
from playground.ui.form import describe
from playground.ui.session import Sessions

OPENING = "checkerboard"
"""The preset that the page opens with."""
UPDATES_A_SECOND = 10
BYTES_A_SECOND = 1_000_000
"""The most that one visitor's training streams; larger networks are shown less often."""
TRAININGS_AT_ONCE = 8
QUEUE = 200
MAX_NETWORK = 300_000
"""The most weights that a training on the page may have: more would take seconds to send once."""
HEAD = """
<link rel="stylesheet" href="playground/tokens.css">
<link rel="stylesheet" href="playground/page.css">
<link rel="stylesheet" href="playground/form.css">
<link rel="stylesheet" href="playground/form-controls.css">
<link rel="stylesheet" href="playground/stage.css">
<meta name="viewport" content="width=device-width, initial-scale=1">
"""


def build(sessions: Sessions) -> gr.Blocks:
    """The page, whose visitors' runs live in `sessions`."""
    demo: gr.Blocks
    with gr.Blocks(title="Generative Dynamics Playground", analytics_enabled=False, fill_width=True) as demo:
        _component("header", {"presets": _listed_presets(), "opening": OPENING}, elem_id="header")
        with gr.Row(elem_id="studio"):
            with gr.Column(elem_id="setup", scale=0, min_width=340):
                with gr.Row(elem_id="actions"):
                    start = gr.Button("Train", variant="primary", elem_id="train")
                    stop = gr.Button("Stop", variant="stop", elem_id="stop")
                form = _component("form", {"description": describe(Experiment)}, events=("edit",), elem_id="form")
            with gr.Column(elem_id="show", scale=1, min_width=320):
                stage = _component("stage", {"scene": "", "problems": "[]"}, elem_id="stage")

        def train(given: str, request: gr.Request) -> Iterator[Any]:
            yield from _train(sessions, given, str(request.session_hash))

        def preview(given: str, request: gr.Request) -> Any:
            return _preview(sessions, given, str(request.session_hash))

        def halt(request: gr.Request) -> None:
            sessions.of(str(request.session_hash)).stop.set()

        def leave(request: gr.Request) -> None:
            sessions.close(str(request.session_hash))

        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        start.click(
            train,
            form,
            stage,
            concurrency_id="training",
            concurrency_limit=TRAININGS_AT_ONCE,
            trigger_mode="once",
            **quiet,
        )
        stop.click(halt, None, None, queue=False, **quiet)
        form.edit(preview, form, stage, queue=False, trigger_mode="always_last", **quiet)
        demo.unload(leave)
    return demo


def _component(kind: str, props: dict[str, Any], events: tuple[str, ...] = (), **options: Any) -> gr.HTML:
    """A component that the module page.js draws: an empty element, mounted once, told of its props' changes."""
    watched = json.dumps(["value", *props])
    named = ", ".join(f"'{event}'" for event in events)  # Gradio offers the events whose names it finds here in quotes
    script = f"""
        const root = window.gradio_config?.root ?? "";
        const {{ mount }} = await import(root + "/playground/page.js");
        mount("{kind}", {{ element, props, trigger, events: [{named}], watch: (act) => watch({watched}, act) }});
    """
    return gr.HTML(
        value="",
        html_template=f'<div class="pg-{kind}-root"></div>',
        js_on_load=f"(async () => {{{script}}})();",
        apply_default_css=False,
        **options,
        **props,
    )


def _listed_presets() -> list[dict[str, str]]:
    return [{"key": name, "name": presets.experiment(name).name} for name in presets.names()]


def _train(sessions: Sessions, given: str, key: str) -> Iterator[Any]:
    """Trains what the form says and yields updates of the stage until the end, a stop or a closed page."""
    try:
        experiment = _checked(given)
        training = Training(experiment, every=_interval(experiment))
    except (InvalidExperiment, ValueError) as error:
        yield gr.HTML(problems=_problems(error))
        return
    name, stop = sessions.of(key).begin(training)
    with training:
        yield from _streamed(name, training, stop)


def _streamed(name: str, training: Training, stop: threading.Event) -> Iterator[Any]:
    """The stage's updates: the scene with the first snapshot, then each snapshot as it is taken."""
    opened, begun, at = False, time.perf_counter(), 0
    run = training.run
    for taken in training:
        record = run.rounds[taken.round]
        now = time.perf_counter()
        rate = (taken.step - at) / (now - begun) if taken.step > at else None
        begun, at = now, taken.step
        done = stop.is_set() or taken.step == record.steps
        update: dict[str, Any] = {"value": messages.snapshot(name, record, taken, rate=rate, done=done)}
        if not opened:
            update |= {"scene": messages.scene(name, run), "problems": "[]"}
            opened = True
        yield gr.HTML(**update)
        if done:
            return
    yield gr.HTML(problems=json.dumps([{"path": [], "sentence": run.failure}]))


def _checked(given: str) -> Experiment:
    """The form's experiment, within what a shared page allows. Raises InvalidExperiment."""
    try:
        experiment = Experiment.parse(json.loads(given))
    except json.JSONDecodeError:
        raise InvalidExperiment([Problem((), "the form could not be read; reload the page.")]) from None
    weights = experiment.network.build(experiment.dim, experiment.dim).size
    if weights > MAX_NETWORK:
        sentence = f"{weights:,} weights are too many for the page; choose a width and depth with at most {MAX_NETWORK:,}."
        raise InvalidExperiment([Problem(("network", "width"), sentence)])
    return experiment


def _interval(experiment: Experiment) -> float:
    """Seconds between two updates of the stage, as often as the network's size allows."""
    size = experiment.network.build(experiment.dim, experiment.dim).size
    return max(1 / UPDATES_A_SECOND, size * 4 * 4 / 3 / BYTES_A_SECOND)


def _preview(sessions: Sessions, given: str, key: str) -> Any:
    """The source and target that the form says, on the stage before any training; ends a training under way."""
    try:
        experiment = _checked(given)
    except InvalidExperiment as error:
        return gr.HTML(problems=_problems(error))
    session = sessions.of(key)
    session.stop.set()
    return gr.HTML(scene=messages.scene(session.next_name(), Run(experiment)), problems="[]")


def _problems(error: Exception) -> str:
    """What the form marks: a list of paths with their sentences."""
    found = error.problems if isinstance(error, InvalidExperiment) else [Problem((), str(error))]
    return json.dumps([{"path": problem.path, "sentence": problem.sentence} for problem in found])


def launch(host: str | None = None, port: int | None = None, *, block: bool = True) -> gr.Blocks:
    """Builds and serves the page; returns it once it serves, or when it ends where `block` is set."""
    torch.set_num_threads(1)  # networks this small gain nothing from a second one, and visitors share the machine
    demo = build(Sessions())
    demo.queue(max_size=QUEUE)
    demo.launch(
        server_name=host,
        server_port=port,
        prevent_thread_lock=not block,
        app_kwargs={"routes": routes()},
        theme=gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
        head=HEAD,
        run_history=False,
        ssr_mode=False,
        footer_links=[],
        show_error=False,
        state_session_capacity=1000,
    )
    return demo


def main() -> None:
    """Reads --host and --port and serves the page."""
    parser = argparse.ArgumentParser(description="Serve the playground's page.")
    parser.add_argument("--host", default=None, help="the address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=None, help="the port (default: the first free one from 7860)")
    options = parser.parse_args()
    launch(options.host, options.port)
