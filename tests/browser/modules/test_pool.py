"""Who is answered by the pool of workers, with what, and who is not."""

from __future__ import annotations

from dataclasses import replace

from playground.dynamics.solvers import Heun, Sampler
from tests.browser.modules.page import ModulePage, assert_near, flow, packed, points, put, unpacked

FLOW = flow(seed=1)


def test_of_one_lane_the_newest_wins_and_the_first_still_shows(page: ModulePage) -> None:
    put(page, "lane", FLOW)
    script = """
        const x0 = floats(given.x0), settled = [];
        const ask = (steps, lane) => pool.sample({ run: "lane", snapshot: 0, x0, dim: 2, solver: "euler", steps, lane })
          .then((answer) => { settled.push(steps); return answer && answer.t.length - 1; });
        await ask(1, "so that all workers are up");
        const answers = await Promise.all([1, 2, 3, 4, 5].map((steps) => ask(steps)).concat(ask(7, "another lane")));
        return [answers, settled, x0.length];
    """
    answers, settled, length = page(script, {"x0": packed(points(2000, 2))})
    assert answers == [1, None, None, None, 5, 7]
    assert settled.index(1, 1) < settled.index(5)
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


def test_a_drag_over_a_slow_network_shows_something_on_its_way(page: ModulePage) -> None:
    """The longer nothing has been shown, the longer may a request take that has been overtaken."""
    put(page, "drag", flow(width=192))
    script = """
        const x0 = floats(given), asked = [];
        let shown = 0;
        const ask = () => pool.sample({ run: "drag", snapshot: 0, x0, dim: 2, solver: "euler", steps: 60 });
        while (!shown && asked.length < 400) {
          asked.push(ask().then((answer) => (shown += answer !== null)));
          await new Promise((resolve) => setTimeout(resolve, 40));
        }
        const last = await ask();
        return [await Promise.all(asked).then(() => shown), asked.length, last?.nfe];
    """
    shown, asked, nfe = page(script, packed(points(2000, 2)))
    assert 0 < shown < asked < 400
    assert nfe == 60


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
    one = flow(activation="silu", frequencies=3, seed=2)
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
    put(page, "gone", FLOW)
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
    answers = page(script, packed(FLOW.weights))
    assert answers == [
        1,
        'there is no solver "dopri" here',
        "snapshot 7 is not here",
        "snapshot 0 is not here",
        1,
        "run gone is not open",
    ]


def test_a_forgotten_run_leaves_nobody_waiting(page: ModulePage) -> None:
    put(page, "left", FLOW)
    script = """
        const x0 = floats(given);
        const asked = ["a", "b", "c", "d"].map((lane) =>
          pool.sample({ run: "left", snapshot: 0, x0, dim: 2, solver: "euler", steps: 8, lane }));
        pool.forget("left");
        return Promise.all(asked);
    """
    assert page(script, packed(points(500, 2))) == [None] * 4


def test_weights_of_the_wrong_size_are_reported(module_page: ModulePage) -> None:
    put(module_page, "short", FLOW)
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
    assert page(script, FLOW.describe()) is None
