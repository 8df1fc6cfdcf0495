/* Solvers for systems of equations: implicit ones, and all of them along a Brownian path.

   The twin of playground/dynamics/{implicit,systems/solving}.py, where the methods are explained. As all solvers they are
   generators of {t, x, nfe}, and of null after each evaluation; x is of the type of x0. */

import { combine } from "../sampling/runge-kutta.js";

const MOST_ITERATIONS = 12;
const CONVERGED = 1e-10;

/** How much of the new slope there is in an implicit step. */
export const IMPLICIT = { implicit_euler: 1, trapezoidal: 0.5 };

/** The steps of an implicit method; `noise` drives a noisy system. */
export function* implicit(weight, process, x0, times, noise = null) {
  const size = x0.length;
  const doubles = () => new Float64Array(size);
  const [base, slope, spread] = [doubles(), doubles(), doubles()];
  let x = x0.slice();
  let nfe = 0;
  yield { t: times[0], x, nfe };
  for (let step = 1; step < times.length; step++) {
    const [t, after] = [times[step - 1], times[step]];
    const h = after - t;
    base.set(x);
    if (noise) {
      process.spread(x, t, spread);
      const z = noise.step(t, after);
      for (let k = 0; k < size; k++) base[k] += spread[k] * Math.sqrt(h) * z[k];
    }
    if (weight < 1) {
      process.velocity(x, t, slope);
      for (let k = 0; k < size; k++) base[k] += h * (1 - weight) * slope[k];
      nfe += 1;
      yield null;
    }
    const y = Float64Array.from(x);
    for (let iteration = 1; iteration <= MOST_ITERATIONS; iteration++) {
      const moved = newton(process, y, base, h * weight, after, slope);
      nfe += 1;
      yield null;
      if (!moved) break;
    }
    x = new x0.constructor(size);
    x.set(y);
    yield { t: after, x, nfe };
  }
}

let jacobian = new Float64Array(0);

/** One step of Newton's method for y = base + h f(y, t), in place; whether any point has moved by more than a trace. */
function newton(process, y, base, h, t, slope) {
  const { dim } = process;
  const n = y.length / dim;
  if (jacobian.length < n * dim * dim) jacobian = new Float64Array(n * dim * dim);
  process.velocity(y, t, slope);
  process.jacobian(y, t, jacobian);
  let moved = false;
  const move = (k, by) => {
    y[k] += by;
    if (Math.abs(by) > CONVERGED * (1 + Math.abs(y[k]))) moved = true;
  };
  for (let i = 0; i < n; i++) {
    if (dim === 1) {
      move(i, (base[i] + h * slope[i] - y[i]) / (1 - h * jacobian[i]));
      continue;
    }
    const [a, b] = [2 * i, 4 * i];
    const [p, q, r, s] = [1 - h * jacobian[b], -h * jacobian[b + 1], -h * jacobian[b + 2], 1 - h * jacobian[b + 3]];
    const determinant = p * s - q * r;
    const one = base[a] + h * slope[a] - y[a];
    const other = base[a + 1] + h * slope[a + 1] - y[a + 1];
    move(a, (s * one - q * other) / determinant);
    move(a + 1, (p * other - r * one) / determinant);
  }
  return moved;
}

/** Euler–Maruyama and Milstein's method; without noise Euler's. */
export function* firstOrder(milstein, process, x0, times, noise) {
  const size = x0.length;
  const doubles = () => new Float64Array(size);
  const [slope, spread, derivative] = [doubles(), doubles(), doubles()];
  let x = x0.slice();
  yield { t: times[0], x, nfe: 0 };
  for (let step = 1; step < times.length; step++) {
    const [t, after] = [times[step - 1], times[step]];
    const h = after - t;
    process.velocity(x, t, slope);
    yield null;
    const next = combine(x, h, [1], [slope], new x0.constructor(size));
    if (process.noisy) {
      process.spread(x, t, spread);
      if (milstein) process.slope(x, t, derivative);
      const z = noise.step(t, after);
      for (let k = 0; k < size; k++) {
        const bent = milstein ? 0.5 * h * spread[k] * derivative[k] * (z[k] * z[k] - 1) : 0;
        next[k] += Math.sqrt(h) * spread[k] * z[k] + bent;
      }
    }
    x = next;
    yield { t: after, x, nfe: step };
  }
}

/** A Runge–Kutta method along f + g ΔW/h in each step, with Stratonovich's drift. */
export function* shaken({ a, b, c }, process, x0, times, noise) {
  const size = x0.length;
  const slopes = b.map(() => new Float64Array(size));
  const [point, spread, push] = [new x0.constructor(size), new Float64Array(size), new Float64Array(size)];
  let x = x0.slice();
  yield { t: times[0], x, nfe: 0 };
  for (let step = 1; step < times.length; step++) {
    const [t, after] = [times[step - 1], times[step]];
    const h = after - t;
    const z = noise.step(t, after);
    for (let k = 0; k < size; k++) push[k] = z[k] / Math.sqrt(h);
    for (let i = 0; i < b.length; i++) {
      const at = i === 0 ? x : combine(x, h, a[i], slopes, point);
      process.stratonovich(at, t + c[i] * h, slopes[i]);
      process.spread(at, t + c[i] * h, spread);
      for (let k = 0; k < size; k++) slopes[i][k] += spread[k] * push[k];
      yield null;
    }
    x = combine(x, h, b, slopes, new x0.constructor(size));
    yield { t: after, x, nfe: step * b.length };
  }
}

/** Where the particles are by the closed form at each of the times, from the first on. */
export function* exactly(process, x0, times, noise) {
  const { equations } = process;
  const w = noise ? new Float64Array(x0.length) : null;
  const found = new Float64Array(x0.length);
  yield { t: times[0], x: x0.slice(), nfe: 0 };
  for (let step = 1; step < times.length; step++) {
    const [t, after] = [times[step - 1], times[step]];
    if (w) {
      const z = noise.step(t, after);
      for (let k = 0; k < w.length; k++) w[k] += Math.sqrt(after - t) * z[k];
    }
    const x = new x0.constructor(x0.length);
    x.set(equations.solve(x0, after - times[0], w, found));
    yield { t: after, x, nfe: 0 };
  }
}
