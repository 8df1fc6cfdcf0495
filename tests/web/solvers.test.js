import assert from "node:assert/strict";
import { test } from "node:test";

import { bracket, positionsAt } from "../../playground/ui/web/compute/sampling/interpolation.js";
import { GRIDS, gridOf } from "../../playground/ui/web/compute/sampling/grids.js";
import { planOf, TABLEAUX } from "../../playground/ui/web/compute/sampling/solvers.js";

/** The last state of a request on a field dx/dt = f(x, t), given for single numbers. */
function solved(request, f, x0) {
  const velocity = (x, t, into) => x.forEach((value, i) => (into[i] = f(value, t)));
  const { solve } = planOf(request, 0, 1);
  return [...solve({ velocity, dim: 1 }, Float32Array.of(x0))].filter(Boolean).at(-1);
}

test("every grid goes from end to end and ascends", () => {
  for (const name of GRIDS) {
    const level = (t) => ({ alpha: t, sigma: 1 - t, dAlpha: 1, dSigma: -1 });
    const times = gridOf(name, 0.1, 0.9, 7, level);
    assert.deepEqual([times.length, times[0], times[7]], [8, 0.1, 0.9]);
    assert.ok(times.every((t, k) => k === 0 || t > times[k - 1]));
  }
  assert.throws(() => gridOf("none", 0, 1, 2), /no grid/);
});

test("the weights of every tableau sum to one, and each row to its time", () => {
  const sum = (row) => row.reduce((a, b) => a + b, 0);
  for (const { a, b, c, error } of Object.values(TABLEAUX)) {
    assert.ok(Math.abs(sum(b) - 1) < 1e-12);
    a.forEach((row, i) => assert.ok(Math.abs(sum(row) - c[i]) < 1e-12));
    if (error) assert.ok(Math.abs(sum(error)) < 1e-12);
  }
});

test("solvers converge with their order on dx/dt = x", () => {
  for (const [solver, order] of Object.entries({ euler: 1, midpoint: 2, heun: 2 })) {
    const [coarse, fine] = [8, 16].map((steps) => Math.abs(solved({ solver, steps }, (x) => x, 1).x[0] - Math.E));
    assert.ok(Math.abs(Math.log2(coarse / fine) - order) < 0.25, solver);
  }
  assert.ok(Math.abs(solved({ solver: "rk4", steps: 16 }, (x) => x, 1).x[0] - Math.E) < 2e-6);
});

test("what a solver costs is counted", () => {
  assert.equal(solved({ solver: "heun", steps: 5 }, () => 1, 0).nfe, 10);
});

test("adaptive solvers keep to their tolerance", () => {
  for (const solver of ["dopri5", "bogacki_shampine"]) {
    const { x } = solved({ solver, rtol: 1e-5, atol: 1e-6 }, (value, t) => value * Math.cos(3 * t), 1);
    assert.ok(Math.abs(x[0] - Math.exp(Math.sin(3) / 3)) < 1e-4, solver);
  }
});

test("between two states particles move straight", () => {
  const t = Float64Array.of(0, 0.5, 1);
  assert.deepEqual(bracket(t, 0.75), { k: 1, share: 0.5 });
  const out = new Float32Array(2);
  positionsAt({ t, x: Float32Array.of(0, 0, 1, 2, 3, 6) }, 0.75, out);
  assert.deepEqual([...out], [2, 4]);
});
