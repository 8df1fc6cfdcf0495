"""The browser's sampling modules against their Python twins: fields, solvers, distances, and who answers what.

The modules run in real Chromium, on a blank page that a plain HTTP server gives: no Gradio, no build step.
"""

from __future__ import annotations

import base64
import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, Playwright, sync_playwright
from torch import Generator, Tensor

import playground.ui
from playground import metrics
from playground.dynamics.parameterization import Moments, ScalingKind
from playground.dynamics.paths import CosinePath, LinearPath
from playground.dynamics.paths import Path as ProbabilityPath
from playground.dynamics.solvers import Heun, RungeKutta, Sampler
from playground.models.flow_matching import Flow
from playground.networks import ActivationName, Mlp
from playground.ui.messages import exact, quantised

STAGE = Path(playground.ui.__file__).parent / "stage"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ACTIVATIONS: tuple[ActivationName, ...] = ("relu", "silu", "tanh", "selu")
SCALINGS: tuple[ScalingKind, ...] = ("none", "standard", "residual")


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
    """A page that runs JavaScript; Playwright lives in a thread of its own, apart from other tests' event loops."""

    def __init__(self, address: str) -> None:
        self.errors: list[str] = []
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._playwright, self._page = self._thread.submit(self._open, address).result()

    def _open(self, address: str) -> tuple[Playwright, Page]:
        playwright = sync_playwright().start()
        page = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS).new_page()
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(address)
        return playwright, page

    def __call__(self, script: str, argument: Any = None) -> Any:
        """The value of an async function's body that sees the modules' exports, `floats`, `text` and `given`."""
        names = ("kernel", "network", "solvers", "codec", "metrics", "sampler")
        imports = "".join(f"const {name} = await import('/{name}.js');" for name in names)
        helpers = "const { floats, textOf: text } = codec; window.pool ??= new sampler.Sampler({ workers: 2 });"
        function = f"async (given) => {{ {imports} {helpers} const pool = window.pool; {script} }}"
        return self._thread.submit(self._page.evaluate, function, argument).result()

    def close(self) -> None:
        self._thread.submit(self._playwright.stop).result()
        self._thread.shutdown()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(STAGE))) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}/"
        serving.shutdown()


@pytest.fixture(scope="module")
def module_page(server: str) -> Iterator[ModulePage]:
    page = ModulePage(server)
    yield page
    page.close()


@pytest.fixture
def page(module_page: ModulePage) -> Iterator[ModulePage]:
    """The module's page; afterwards nothing may have gone wrong that the test does not know of."""
    yield module_page
    errors, module_page.errors = module_page.errors, []
    assert errors == []


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
) -> Flow:
    """A field with random weights, larger than fresh ones so that it bends."""
    generator = Generator().manual_seed(seed)
    mlp = Mlp(dim, dim, (width,) * depth, activation, frequencies)
    mean0, mean1 = torch.randn(2, dim, generator=generator)
    moments = Moments(mean0, mean1, std0=0.8, std1=1.7)
    return Flow(mlp, 1.7 * mlp.initial(generator), path or LinearPath(), scaling, moments)


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


# ------------------------------------------------------------------------------------------------------- the field

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
TIMES = (0.0, 0.3701, 1.0)
SHAPES = [(0, 1), (1, 1), (1, 5), (2, 64), (3, 130), (8, 12)]  # depth, width
CASES = list(itertools.product(SHAPES, (1, 2), (0, 3), SCALINGS))


def fields(page: ModulePage, flows: list[Flow], xs: list[Tensor], *, simd: bool = True) -> list[list[Tensor]]:
    """The velocities that the browser finds: one list for each flow, one tensor for each of TIMES."""
    cases = [
        {"description": one.describe(), "weights": packed(one.weights), "x": packed(x), "times": TIMES}
        for one, x in zip(flows, xs, strict=True)
    ]
    answers = page(FIELD, {"simd": simd, "cases": cases})
    return [[unpacked(text, *x.shape) for text in texts] for texts, x in zip(answers, xs, strict=True)]


def assert_near(found: Tensor, expected: Tensor, tolerance: float, what: object) -> None:
    error = float((found - expected).abs().max()) / max(1.0, float(expected.abs().max()))
    assert error <= tolerance, f"{what}: off by {error:.2e}"


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_field_is_that_of_torch(page: ModulePage, activation: ActivationName) -> None:
    flows = [flow(d, width, depth, activation, k, scaling) for (depth, width), d, k, scaling in CASES]
    xs = [1.5 * points(100, one.mlp.inputs) for one in flows]
    for case, one, x, found in zip(CASES, flows, xs, fields(page, flows, xs), strict=True):
        for t, velocity in zip(TIMES, found, strict=True):
            assert_near(velocity, one.velocity(x, t), 1e-5, (case, t))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_without_simd_the_field_is_the_same(page: ModulePage, activation: ActivationName) -> None:
    flows = [flow(2, width, depth, activation, 3) for depth, width in SHAPES]
    xs = [points(100, 2)] * len(flows)
    pairs = zip(fields(page, flows, xs), fields(page, flows, xs, simd=False), strict=True)
    for shape, (fast, plain) in zip(SHAPES, pairs, strict=True):
        for one, other in zip(fast, plain, strict=True):
            assert_near(one, other, 2e-6, shape)


def test_the_widest_network_and_many_dimensions_and_frequencies(page: ModulePage) -> None:
    flows = [flow(8, 512, 8, "silu", 16), flow(5, 33, 2, "tanh", 1), flow(2, 512, 1, "relu", 0)]
    xs = [points(65, 8), points(64, 5), points(1, 2)]
    for one, x, found in zip(flows, xs, fields(page, flows, xs), strict=True):
        for t, velocity in zip(TIMES, found, strict=True):
            assert_near(velocity, one.velocity(x, t), 2e-5, one.mlp)


def test_a_curved_path_is_read_from_its_table(page: ModulePage) -> None:
    flows = [flow(path=CosinePath(), scaling=scaling) for scaling in SCALINGS]
    xs = [points(70, 2)] * 3
    for one, x, found in zip(flows, xs, fields(page, flows, xs), strict=True):
        for t, velocity in zip(TIMES, found, strict=True):
            assert_near(velocity, one.velocity(x, t), 1e-5, (one.scaling, t))


def test_a_table_is_exact_for_lines_and_cubics_and_at_its_nodes(page: ModulePage) -> None:
    nodes = [0.0, 0.1, 0.35, 0.5, 0.9, 1.0]
    at = [0.0, 0.04, 0.1, 0.2, 0.77, 0.95, 1.0]
    table = {
        "t": nodes,
        "alpha": nodes,
        "sigma": [1 - t for t in nodes],
        "d_alpha": [t**3 - t for t in nodes],
        "d_sigma": [-1.0] * len(nodes),
    }
    two = {name: [column[0], column[-1]] for name, column in table.items()}
    script = """return given.tables.map((table) => given.at.map((t) => new network.PathTable(table).at(t)));"""
    full, ends = page(script, {"tables": [table, two], "at": at})
    for t, row in zip(at, full, strict=True):
        assert row == pytest.approx({"alpha": t, "sigma": 1 - t, "dAlpha": t**3 - t, "dSigma": -1}, abs=1e-14)
    assert [row["alpha"] for row in ends] == pytest.approx(at, abs=1e-15)


def test_weights_that_left_the_kernel_come_back(page: ModulePage) -> None:
    """Twelve networks of 3.2 MB do not fit the kernel's memory at once; each must answer as it did at first."""
    one = flow(2, 512, 4, "relu")
    script = """
        const engine = new kernel.Kernel();
        const run = new network.NetworkRun(engine, given.description);
        const weights = floats(given.weights), x = floats(given.x);
        const answer = (k) => {
          const into = new Float32Array(x.length);
          run.field(k).velocity(x, 0.5, into);
          return text(into);
        };
        const first = [];
        for (let k = 0; k < 12; k++) {
          run.put(k, { velocity: weights.map((w) => w * (1 - k / 100)) });
          first.push(answer(k));
        }
        return [engine.era, first, first.map((_, k) => answer(k))];
    """
    given = {"description": one.describe(), "weights": packed(one.weights), "x": packed(points(64, 2))}
    era, first, second = page(script, given)
    assert era >= 1
    assert first == second
    assert len(set(first)) == 12


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        ("description.networks.velocity.ops[1].op = 'conv'", 'there is no operation "conv"'),
        ("weights = weights.subarray(1)", "weights"),
        ("description.networks.velocity.ops[0].in += 1", "weights"),
        ("description.scaling.kind = 'other'", 'there is no input scaling "other"'),
        ("description.prediction = 'score'", 'no prediction "score"'),
        ("description.frequencies = 2", "inputs"),
    ],
)
def test_what_cannot_be_read_is_refused(page: ModulePage, spoil: str, sentence: str) -> None:
    one = flow()
    script = f"""
        let {{ description }} = given, weights = floats(given.weights);
        {spoil};
        try {{
          const run = new network.NetworkRun(new kernel.Kernel(), description);
          run.put(0, {{ velocity: weights }});
          run.field(0).velocity(new Float32Array(4), 0.5, new Float32Array(4));
        }} catch (error) {{ return error.message; }}
    """
    assert sentence in page(script, {"description": one.describe(), "weights": packed(one.weights)})


# ------------------------------------------------------------------------------------------------------ the solvers

SAMPLE = """
    const answer = await pool.sample({ ...given, x0: floats(given.x0) });
    return answer && { ...answer, t: [...answer.t], x: text(answer.x) };
"""
SOLVERS = [solver.kind_name() for solver in RungeKutta.__subclasses__()]
FLOWS = {
    "relu": flow(activation="relu", seed=1),
    "silu, frequencies": flow(activation="silu", frequencies=3, seed=2),
    "tanh, odd width": flow(width=37, activation="tanh", scaling="standard", seed=3),
    "selu, raw": flow(activation="selu", depth=2, scaling="none", seed=4),
    "line": flow(dim=1, width=48, activation="silu", seed=5),
    "curved path": flow(path=CosinePath(), seed=6),
}


@pytest.mark.parametrize("name", FLOWS)
def test_every_solver_passes_through_the_same_states_as_in_python(page: ModulePage, name: str) -> None:
    one = FLOWS[name]
    dim = one.mlp.inputs
    put(page, name, one)
    x0 = points(150, dim, seed=9)
    for solver, steps in itertools.product(SOLVERS, (1, 3, 8, 32)):
        twin = one.trajectory(x0, Sampler.model_validate({"solver": solver, "steps": steps}))
        asked = {"run": name, "snapshot": 0, "x0": packed(x0), "dim": dim, "solver": solver, "steps": steps}
        found = page(SAMPLE, asked)
        assert (found["n"], found["dim"], found["nfe"]) == (150, dim, twin.nfe)
        assert found["t"] == twin.t.tolist()
        assert_near(unpacked(found["x"], *twin.x.shape), twin.x, 1e-4, (solver, steps))


def test_a_solver_may_come_as_its_tableau(page: ModulePage) -> None:
    put(page, "tableau", FLOWS["relu"])
    asked = {"run": "tableau", "snapshot": 0, "x0": packed(points(10, 2)), "dim": 2, "steps": 4}
    heun = page(SAMPLE, {**asked, "solver": "heun"})
    given = page(SAMPLE, {**asked, "solver": {"a": [[], [1]], "b": [0.5, 0.5], "c": [0, 1]}})
    assert given["x"] == heun["x"]


# ------------------------------------------------------------------------------------------- who is answered, with what


def test_of_one_lane_the_newest_wins_and_the_first_still_shows(page: ModulePage) -> None:
    put(page, "lane", FLOWS["relu"])
    script = """
        const x0 = floats(given.x0), settled = [];
        const ask = (steps, lane) => pool.sample({ run: "lane", snapshot: 0, x0, dim: 2, solver: "euler", steps, lane })
          .then((answer) => { settled.push(steps); return answer && answer.t.length - 1; });
        const answers = await Promise.all([1, 2, 3, 4, 5].map((steps) => ask(steps)).concat(ask(7, "another lane")));
        return [answers, settled, x0.length];
    """
    answers, settled, length = page(script, {"x0": packed(points(2000, 2))})
    assert answers == [1, None, None, None, 5, 7]
    assert settled.index(1) < settled.index(5)
    assert length == 4000  # the caller keeps its points


def test_a_long_request_is_given_up_when_a_newer_one_comes(page: ModulePage) -> None:
    put(page, "long", flow(width=512, depth=4))
    script = """
        const x0 = floats(given.x0);
        const ask = (steps) => pool.sample({ run: "long", snapshot: 0, x0, dim: 2, solver: "euler", steps });
        const long = ask(1000), began = performance.now();
        await new Promise((resolve) => setTimeout(resolve, 300));
        const short = await ask(1);
        return [await long, short.nfe, performance.now() - began];
    """
    abandoned, nfe, ms = page(script, {"x0": packed(points(2000, 2))})
    assert abandoned is None
    assert nfe == 1
    assert ms < 5000  # all of it would take ten times as long


def test_runs_and_snapshots_do_not_mix(page: ModulePage) -> None:
    firsts = {"a": flow(seed=21), "b": flow(dim=1, width=20, seed=22)}
    flows = {run: [first, replace(first, weights=first.weights.roll(1))] for run, first in firsts.items()}
    for run, snapshots in flows.items():
        put(page, run, *snapshots)
    asked = [(run, snapshot, k) for k in range(4) for run in flows for snapshot in (0, 1)]
    x0s = [points(130 + k, flows[run][0].mlp.inputs, seed=k) for run, _, k in asked]
    script = """
        const answers = await Promise.all(given.map(({ x0, ...rest }, k) =>
          pool.sample({ ...rest, x0: floats(x0), solver: "heun", steps: 5, lane: `lane ${k}` })));
        return answers.map(({ x }) => text(x));
    """
    requests = [
        {"run": run, "snapshot": snapshot, "x0": packed(x0), "dim": x0.shape[1]}
        for (run, snapshot, _), x0 in zip(asked, x0s, strict=True)
    ]
    sampler = Sampler(solver=Heun(), steps=5)
    for (run, snapshot, k), x0, found in zip(asked, x0s, page(script, requests), strict=True):
        twin = flows[run][snapshot].trajectory(x0, sampler).x
        assert_near(unpacked(found, *twin.shape), twin, 1e-4, (run, snapshot, k))


def test_velocities_at_any_points(page: ModulePage) -> None:
    one = FLOWS["silu, frequencies"]
    put(page, "arrows", one)
    x = points(333, 2, seed=30)
    script = """
        const ask = (t) => pool.evaluate({ run: "arrows", snapshot: 0, points: floats(given), t });
        return [text(await ask(0.25)), text(await ask(0.75)), (await pool.evaluate({
          run: "arrows", snapshot: 0, points: new Float32Array(0), t: 0 })).length];
    """
    early, late, none = page(script, packed(x))
    assert_near(unpacked(early, 333, 2), one.velocity(x, 0.25), 1e-5, "early")
    assert_near(unpacked(late, 333, 2), one.velocity(x, 0.75), 1e-5, "late")
    assert none == 0


def test_what_is_not_there_is_said(page: ModulePage) -> None:
    put(page, "gone", FLOWS["relu"])
    script = """
        const ask = async (changes) => {
          const request = { run: "gone", snapshot: 0, x0: new Float32Array(8), dim: 2, solver: "euler", steps: 1 };
          try { return (await pool.sample({ ...request, ...changes })).nfe; } catch (error) { return error.message; }
        };
        const answers = [await ask({}), await ask({ solver: "dopri" }), await ask({ snapshot: 7 })];
        pool.forget("gone", 0);
        answers.push(await ask({}));
        pool.put("gone", 0, { velocity: floats(given) });
        answers.push(await ask({}));
        pool.forget("gone");
        return answers.concat(await ask({}));
    """
    answers = page(script, packed(FLOWS["relu"].weights))
    assert answers == [
        1,
        'there is no solver "dopri" here',
        "snapshot 7 is not here",
        "snapshot 0 is not here",
        1,
        "run gone is not open",
    ]


def test_a_forgotten_run_leaves_nobody_waiting(page: ModulePage) -> None:
    put(page, "left", FLOWS["relu"])
    script = """
        const x0 = floats(given);
        const asked = ["a", "b", "c", "d"].map((lane) =>
          pool.sample({ run: "left", snapshot: 0, x0, dim: 2, solver: "euler", steps: 8, lane }));
        pool.forget("left");
        return Promise.all(asked);
    """
    assert page(script, packed(points(500, 2))) == [None] * 4


def test_weights_of_the_wrong_size_are_reported(module_page: ModulePage) -> None:
    put(module_page, "short", FLOWS["relu"])
    script = """
        const reported = new Promise((resolve) => window.addEventListener("error", (event) => resolve(event.message)));
        pool.put("short", 1, { velocity: new Float32Array(3) });
        return reported;
    """
    assert "weights, 3 came" in module_page(script)
    module_page.errors.clear()


def test_a_closed_pool_leaves_nobody_waiting(page: ModulePage) -> None:
    script = """
        const own = new sampler.Sampler({ workers: 1 });
        own.open("r", given);
        const asked = own.sample({ run: "r", snapshot: 0, x0: new Float32Array(4), dim: 2, solver: "euler", steps: 1 });
        own.close();
        return asked;
    """
    assert page(script, FLOWS["relu"].describe()) is None


# ------------------------------------------------------------------------------------------- distances and the wire


@pytest.mark.parametrize(("n", "m", "dim"), [(2000, 2000, 2), (500, 2000, 2), (7, 5, 2), (900, 900, 1), (999, 400, 1)])
def test_sliced_w2_is_that_of_python(page: ModulePage, n: int, m: int, dim: int) -> None:
    a, b = points(n, dim, seed=1), 0.5 + 1.5 * points(m, dim, seed=2)
    script = """
        const [a, b] = [floats(given.a), floats(given.b)];
        pool.refer("cloud", b, given.dim);
        return [metrics.slicedW2(a, b, given.dim), await pool.distance({ run: "cloud", points: a }), a.length];
    """
    found, by_worker, length = page(script, {"a": packed(a), "b": packed(b), "dim": dim})
    assert found == by_worker == pytest.approx(metrics.sliced_w2(a, b), rel=1e-5)
    assert length == n * dim
    if dim == 1 and n == m:
        assert found == pytest.approx(float((a.sort(0)[0] - b.sort(0)[0]).square().mean().sqrt()), rel=1e-5)


def test_arrays_of_the_wire(page: ModulePage) -> None:
    x = points(300, 2) * torch.tensor([1.0, 50.0])
    script = """
        const [a, b] = given.map(codec.decodeArray);
        const again = codec.decodeArray(codec.encodeArray(a)), coarse = codec.decodeArray(codec.quantiseArray(a));
        return [a, b, again, coarse].map(({ shape, data }) => [shape, text(data)]);
    """
    found = page(script, [exact(x), quantised(x)])
    whole, rough, again, coarse = (unpacked(text, *shape) for shape, text in found)
    assert torch.equal(whole, x)
    assert torch.equal(again, x)
    step = (x.amax(0) - x.amin(0)) / 65535
    assert ((rough - x).abs() <= 0.51 * step).all()
    assert ((coarse - x).abs() <= 0.51 * step).all()
    script = "try { codec.decodeArray(given); } catch (error) { return error.message; }"
    assert "do not fill the shape" in page(script, {**exact(x), "shape": [2]})
