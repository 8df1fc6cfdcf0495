/* How a solver's error falls with its step, measured: against the closed form, or against a much finer solution. */

import { Brownian } from "../sampling/noise.js";
import { TABLEAUX } from "../sampling/solvers.js";
import { planned } from "./plan.js";
import { processOf } from "./equation.js";

/** What is tried out: its name, and its order in theory (strong and weak where there is noise). */
export const METHODS = {
  euler: { label: "Euler", order: 1, strong: 0.5, weak: 1 },
  midpoint: { label: "Midpoint", order: 2 },
  heun: { label: "Heun", order: 2, strong: 1, weak: 1 },
  rk4: { label: "RK4", order: 4 },
  implicit_euler: { label: "Implicit Euler", order: 1 },
  trapezoidal: { label: "Trapezoidal", order: 2 },
  milstein: { label: "Milstein", strong: 1, weak: 1 },
};
const STEPS = [4, 8, 16, 32, 64, 128];
/** Steps of the solution that stands in for a closed form, without noise and with it. */
export const FINEST = { smooth: 4096, noisy: 1024 };
/** Errors below this share of the size of x are rounding, and above the second one h is too large to say anything. */
const [ROUNDING, LARGE] = [1e-12, 0.5];
/** The finest points that a slope is fitted to. */
const FITTED = 3;

/** The last state of points along a system by a solver. */
function endOf(process, solver, x0, steps, seed) {
  const { solve } = planned(process, { solver, steps, seed });
  let last = null;
  for (const state of solve(process, x0)) if (state) last = state;
  return last.x;
}

/** What the errors are taken against: the closed form path by path, or a fine solution. */
function reference(process, x0, seed) {
  const { equations, noisy, dim } = process;
  if (!equations.solved) return endOf(process, noisy ? "heun" : "rk4", x0, FINEST[noisy ? "noisy" : "smooth"], seed);
  const w = noisy ? new Brownian({ seed, first: 0, size: x0.length, dim, start: 0, stop: 1 }).step(0, 1).slice() : null;
  return equations.solve(x0, 1, w, new Float64Array(x0.length)).slice();
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The mean distance of points from where they should be, and the distance of their means with its standard error. */
function errorsOf(x, exact, dim) {
  const n = x.length / dim;
  const strong = mean(
    Array.from({ length: n }, (_, i) =>
      Math.hypot(...Array.from({ length: dim }, (__, j) => x[i * dim + j] - exact[i * dim + j])),
    ),
  );
  const apart = Array.from({ length: dim }, (_, j) =>
    mean(Array.from({ length: n }, (__, i) => x[i * dim + j] - exact[i * dim + j])),
  );
  const spread = Array.from({ length: dim }, (_, j) =>
    mean(Array.from({ length: n }, (__, i) => (x[i * dim + j] - exact[i * dim + j] - apart[j]) ** 2)),
  );
  return { strong, weak: Math.hypot(...apart), doubt: Math.sqrt(spread.reduce((sum, one) => sum + one, 0) / n) };
}

/** The slope of log error over log h through the finest points that say something; null where these are too few. */
export function slopeOf(points, size) {
  const telling = points.filter(({ error }) => error > ROUNDING * size && error < LARGE * size).slice(-FITTED);
  if (telling.length < 2) return null;
  const [xs, ys] = [telling.map(({ h }) => Math.log(h)), telling.map(({ error }) => Math.log(error))];
  const [x, y] = [mean(xs), mean(ys)];
  const across = xs.reduce((sum, value) => sum + (value - x) ** 2, 0);
  return xs.reduce((sum, value, k) => sum + (value - x) * (ys[k] - y), 0) / across;
}

/** So many standard errors a weak error has to be large, or chance is all that it shows. */
const CLEAR = 3;

/** [{solver, label, kind: "error" | "strong" | "weak", theory, points: [{h, error}], slope}] of a system, from points x0
    (n·dim doubles). */
export function ordersOf(equations, x0, seed = 0) {
  const process = processOf(equations);
  const { noisy, dim } = process;
  const exact = reference(process, x0, seed);
  if (!exact.every(Number.isFinite)) return [];
  const size = Math.max(1e-9, mean(Array.from(exact, Math.abs)));
  return Object.entries(METHODS)
    .filter(([, method]) => (noisy ? method.strong : method.order))
    .flatMap(([solver, { label, order, strong, weak }]) => {
      const found = STEPS.map((steps) => {
        const x = endOf(process, solver, x0, steps, seed);
        return { h: equations.T / steps, ...errorsOf(x, exact, dim) };
      });
      const line = (kind, theory, of) => {
        const points = found.map((one) => ({ h: one.h, error: of(one) })).filter(({ error }) => Number.isFinite(error));
        return { solver, label, kind, theory, points, slope: slopeOf(points, size) };
      };
      if (!noisy) return [line("error", order, ({ strong: error }) => error)];
      const clear = ({ weak: error, doubt }) => (error > CLEAR * doubt ? error : NaN);
      return [line("strong", strong, (one) => one.strong), line("weak", weak, clear)];
    });
}

/** The quadratic variation of the paths from x0 over [0, T], the mean over points and axes, and ∫ g² dt beside it. */
export function variationOf(equations, x0, seed = 0) {
  const process = processOf(equations);
  const { solve } = planned(process, { solver: "heun", steps: 128, seed });
  const spread = new Float64Array(x0.length);
  let [before, variation, integral] = [null, 0, 0];
  for (const state of solve(process, x0)) {
    if (!state) continue;
    if (before) {
      process.spread(before.x, before.t, spread);
      const h = state.t - before.t;
      for (let k = 0; k < x0.length; k++) {
        variation += (state.x[k] - before.x[k]) ** 2 / x0.length;
        integral += (h * spread[k] ** 2) / x0.length;
      }
    }
    before = state;
  }
  return { variation, integral };
}

/** The factor R(z) by which a step multiplies a solution of dx/dt = λ x, z = h λ: {re, im}; null for what has none. */
export function growthOf(solver, { re, im }) {
  const divided = (a, b) => {
    const size = b.re ** 2 + b.im ** 2;
    return { re: (a.re * b.re + a.im * b.im) / size, im: (a.im * b.re - a.re * b.im) / size };
  };
  if (solver === "implicit_euler") return divided({ re: 1, im: 0 }, { re: 1 - re, im: -im });
  if (solver === "trapezoidal") return divided({ re: 1 + re / 2, im: im / 2 }, { re: 1 - re / 2, im: -im / 2 });
  const tableau = TABLEAUX[["milstein", "euler_maruyama"].includes(solver) ? "euler" : solver];
  if (!tableau) return null;
  const slopes = [];
  const combined = (weights) =>
    weights.reduce(
      (sum, weight, k) => ({
        re: sum.re + weight * (re * slopes[k].re - im * slopes[k].im),
        im: sum.im + weight * (re * slopes[k].im + im * slopes[k].re),
      }),
      { re: 1, im: 0 },
    );
  for (const row of tableau.a) slopes.push(combined(row));
  return combined(tableau.b);
}
