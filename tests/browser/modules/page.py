"""The stage's modules in real Chromium, on a blank page that a plain HTTP server gives: no Gradio, no build step."""

from __future__ import annotations

import base64
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import torch
from playwright.sync_api import Browser
from torch import Generator, Tensor

import playground.ui
from playground.dynamics.parameterization import Moments, Prediction, ScalingKind
from playground.dynamics.path import Path as ProbabilityPath
from playground.dynamics.paths import LinearPath
from playground.models.flow import Flow
from playground.networks import ActivationName, Mlp
from playground.ui.messages import exact
from tests.browser.driver import Visitor

WEB = Path(playground.ui.__file__).parent / "web"
MODULES = {
    "kernel": "compute/kernel/kernel",
    "network": "compute/networks/network",
    "condition": "compute/networks/condition",
    "classes": "compute/metrics/classes",
    "place": "compute/networks/place",
    "mixture": "compute/networks/mixture",
    "noise": "compute/sampling/noise",
    "samplers": "compute/sampling/samplers",
    "solvers": "compute/sampling/solvers",
    "codec": "common/codec",
    "coder": "compute/networks/coder",
    "metrics": "compute/metrics/metrics",
    "crossing": "compute/metrics/crossing",
    "sampler": "workers/pool",
    "surfaces": "compute/networks/surfaces",
    "equations": "compute/systems/equation",
    "order": "compute/systems/order",
    "fokkerPlanck": "compute/systems/fokker-planck",
    "stability": "scene/equation",
}


class Handler(SimpleHTTPRequestHandler):
    """Serves the modules with the type that browsers ask of them, and a blank page at /."""

    def guess_type(self, path: Any) -> str:
        return "text/javascript" if str(path).endswith(".js") else super().guess_type(path)

    def do_GET(self) -> None:
        if self.path == "/":
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><link rel=icon href=data:,><title>modules</title>")
        else:
            super().do_GET()

    def log_message(self, *args: Any) -> None:
        pass


class ModulePage:
    """A page that runs JavaScript on the modules."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._visitor = Visitor(browser, address)
        self.errors = self._visitor.faults
        self.close = self._visitor.close

    def __call__(self, script: str, argument: Any = None) -> Any:
        """The value of an async function's body that sees the modules, `floats`, `text`, `pool` and `given`."""
        imports = "".join(f"const {name} = await import('/{path}.js');" for name, path in MODULES.items())
        helpers = "const { floats, textOf: text } = codec; window.pool ??= new sampler.Sampler({ workers: 2 });"
        function = f"async (given) => {{ {imports} {helpers} const pool = window.pool; {script} }}"
        return self._visitor.page.evaluate(function, argument)


def packed(values: Tensor) -> str:
    return str(exact(values)["f32"])


def unpacked(text: str, *shape: int) -> Tensor:
    return torch.from_numpy(np.frombuffer(base64.b64decode(text), dtype="<f4").copy()).reshape(shape or (-1,))


def points(n: int, dim: int, seed: int = 0) -> Tensor:
    return torch.randn(n, dim, generator=Generator().manual_seed(seed))


def flow(
    dim: int = 2,
    width: int = 64,
    depth: int = 3,
    activation: ActivationName = "relu",
    frequencies: int = 0,
    scaling: ScalingKind = "residual",
    path: ProbabilityPath | None = None,
    seed: int = 0,
    prediction: Prediction = "velocity",
    waves: int = 0,
) -> Flow:
    """A field with random weights, larger than fresh ones so that it bends."""
    generator = Generator().manual_seed(seed)
    mlp = Mlp(dim, dim, (width,) * depth, activation, frequencies, waves=waves)
    mean0, mean1 = torch.randn(2, dim, generator=generator)
    moments = Moments(mean0, mean1, std0=0.8, std1=1.7)
    return Flow(mlp, 1.7 * mlp.initial(generator), path or LinearPath(), scaling, moments, prediction)


def put(page: ModulePage, run: str, *flows: Flow) -> None:
    """Opens a run in the pool whose snapshots 0, 1, … are the weights of the flows."""
    page(
        """pool.open(given.run, given.description);
           given.weights.forEach((one, k) => pool.put(given.run, k, codec.decodeWeights(one)));""",
        {
            "run": run,
            "description": flows[0].describe(),
            "weights": [{"velocity": packed(one.weights)} for one in flows],
        },
    )


def assert_near(found: Tensor, expected: Tensor, tolerance: float, what: object) -> None:
    error = float((found - expected).abs().max()) / max(1.0, float(expected.abs().max()))
    assert error <= tolerance, f"{what}: off by {error:.2e}"


FIELD = """
    const engine = new kernel.Kernel({ simd: given.simd });
    if (engine.simd !== given.simd) throw new Error("the wrong kernel");
    return given.cases.map(({ description, weights, x, times }) => {
      const run = new network.NetworkRun(engine, description);
      run.put(0, { velocity: floats(weights) });
      const { velocity } = run.field(0);
      return times.map((t) => {
        const points = floats(x), into = new Float32Array(points.length);
        velocity(points, t, into);
        return text(into);
      });
    });
"""


def times(one: Flow) -> tuple[float, ...]:
    """Both ends of a flow's interval and a time between."""
    first, last = one.interval
    return first, first + 0.3701 * (last - first), last


def fields(page: ModulePage, flows: list[Flow], xs: list[Tensor], *, simd: bool = True) -> list[list[Tensor]]:
    """The velocities that the browser finds: one list for each flow, one tensor for each of its `times`."""
    cases = [
        {"description": one.describe(), "weights": packed(one.weights), "x": packed(x), "times": times(one)}
        for one, x in zip(flows, xs, strict=True)
    ]
    answers = page(FIELD, {"simd": simd, "cases": cases})
    return [[unpacked(text, *x.shape) for text in texts] for texts, x in zip(answers, xs, strict=True)]


SAMPLE = """
    const x0 = floats(given.x0), times = given.times && Float64Array.from(given.times);
    const answer = await pool.sample({ ...given, x0, times });
    return answer && { ...answer, t: [...answer.t], x: text(answer.x) };
"""


def sampled(page: ModulePage, run: str, x0: Tensor, **request: Any) -> dict[str, Any]:
    """The pool's answer for the run's snapshot 0: a trajectory whose x is a tensor (T, n, d)."""
    asked = {"run": run, "snapshot": 0, "x0": packed(x0), "dim": x0.shape[1], **request}
    found: dict[str, Any] = page(SAMPLE, asked)
    return {**found, "x": unpacked(found["x"], -1, *x0.shape)}
