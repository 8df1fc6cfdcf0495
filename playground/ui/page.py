"""The page: Gradio's layout and events around the form and the stage, which draw themselves in the browser."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr
import torch
from starlette.middleware import Middleware

from playground.ui.assets import Preloaded, routes
from playground.ui.contests import Contests
from playground.ui.live import Live
from playground.ui.offers import listed_presets
from playground.ui.session import Sessions

OPENING = "checkerboard"
"""The preset that the page opens with."""
TABS: list[dict[str, str]] = [
    {"key": "studio", "label": "Studio", "about": "One experiment, with everything that it can show."},
    {"key": "reflow", "label": "Reflow", "about": "A flow straightened, round by round, until one step is enough."},
    {"key": "collapse", "label": "Mode collapse", "about": "GANs lose modes, flows keep them: seen and counted."},
    {"key": "compare", "label": "Compare", "about": "Two to four experiments side by side, on one clock."},
]
"""The page's tabs in their order; but for the Studio each is made by `_tab` and drawn by a module named in page.js."""
TRAININGS_AT_ONCE = 8
QUEUE = 200
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
LONG = QUIET | {"concurrency_id": "training", "concurrency_limit": TRAININGS_AT_ONCE, "trigger_mode": "once"}
"""What every event of the page says to Gradio, and what one that trains says besides."""
HEAD = f"""
<meta name="pg-opening" content="{OPENING}">
<link rel="stylesheet" href="playground/joined/main.css">
<script type="module" src="playground/joined/main.js"></script>
"""
"""The page's styles and modules. These begin here, while Gradio is still at its own, with all that needs no element."""


def build(sessions: Sessions) -> gr.Blocks:
    """The page, whose visitors' runs live in `sessions`."""
    live = Live(sessions)
    demo: gr.Blocks
    with gr.Blocks(title="Generative Dynamics Playground", analytics_enabled=False, fill_width=True) as demo:
        _component("header", {"presets": listed_presets(), "tabs": TABS})
        with gr.Row(elem_id="studio"):
            with gr.Column(elem_id="setup", scale=0, min_width=340):
                with gr.Row(elem_id="actions"):
                    train = gr.Button("Train", variant="primary", elem_id="train")
                    stop = gr.Button("Stop", elem_id="stop")
                    resume = gr.Button("Continue", elem_id="resume")
                    step = gr.Button("Step", elem_id="step")
                    reset = gr.Button("Reset", elem_id="reset")
                _component("tools", {})
                form = _component("form", {}, events=("edit",))
            with gr.Column(elem_id="show", scale=1, min_width=320):
                stage = _component("stage", {"scene": "", "problems": "[]"})

        _tab("reflow", {"train": live.train, "resume": live.resume}, live)
        contests = Contests(sessions)
        _tab("collapse", contests.verbs, live)
        _tab("compare", {"train": contests.train}, live)

        train.click(live.train, form, stage, **LONG | {"trigger_mode": "multiple"})  # it ends the one under way
        resume.click(live.resume, form, stage, **LONG)
        step.click(live.step, form, stage, **LONG)
        reset.click(live.reset, form, stage, **LONG)
        stop.click(live.stop, form, None, queue=False, **QUIET)
        form.edit(live.preview, form, stage, trigger_mode="always_last", **QUIET)
    return demo


def _tab(key: str, verbs: dict[str, Callable[[str], Any]], live: Live) -> None:
    """A tab with runs of its own: a view that shows them, and what its page asks for, each by a verb of `Live`.

    Its module is told `desk.ask(verb, {"experiment": ...})`; what the verb yields comes to its view as `scene`, `value`
    and `problems`. "stop" is always among the verbs.
    """
    with gr.Column(elem_id=f"tab-{key}", elem_classes="pg-tab"):
        asks = _component(f"{key}-asks", {}, events=("stop", *verbs))
        view = _component(key, {"scene": "", "problems": "[]"})
    for verb, act in verbs.items():
        getattr(asks, verb)(act, asks, view, **LONG)
    asks.stop(live.stop, asks, None, queue=False, **QUIET)


def _component(kind: str, props: dict[str, Any], events: tuple[str, ...] = ()) -> gr.HTML:
    """A component that the module page.js draws: an empty element, mounted once, told of its props' changes."""
    watched = json.dumps(["value", *props])
    named = ", ".join(f"'{event}'" for event in events)  # Gradio offers the events whose names it finds here in quotes
    script = f"""
        const root = window.gradio_config?.root ?? "";
        const {{ mount }} = await import(root + "/playground/joined/main.js");
        mount("{kind}", {{ element, props, trigger, events: [{named}], watch: (act) => watch({watched}, act) }});
    """
    return gr.HTML(
        value="",
        html_template=f'<div class="pg-{kind}-root"></div>',
        js_on_load=f"(async () => {{{script}}})();",
        apply_default_css=False,
        elem_id=kind,
        **props,
    )


def launch(host: str | None = None, port: int | None = None, *, block: bool = True) -> gr.Blocks:
    """Builds and serves the page; returns it once it serves, or when it ends where `block` is set."""
    torch.set_num_threads(1)  # networks this small gain nothing from a second one, and visitors share the machine
    sessions = Sessions()
    demo = build(sessions)
    demo.queue(max_size=QUEUE)
    demo.launch(
        server_name=host,
        server_port=port,
        prevent_thread_lock=not block,
        app_kwargs={"routes": routes(sessions), "middleware": [Middleware(Preloaded)]},
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
