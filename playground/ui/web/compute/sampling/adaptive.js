/* Adaptive Runge–Kutta methods: pairs of methods that choose the step by their difference.

   The twin of playground/dynamics/adaptive.py, where the method and its constants are explained. All particles share
   one step size. The two sides may decide differently where an error is within rounding of the tolerance. */

import { combine, stages } from "./runge-kutta.js";

/** @import {Tableau, Velocity} from "./runge-kutta.js" */
/** @typedef {(values: Float32Array, one: Float32Array, other: Float32Array) => number} Norm */

const SAFETY = 0.9;
const [SHRINK, GROW] = [0.2, 5];
const SMALLEST = 1e-6;
const MAX_EVALUATIONS = 4000;
export const TOLERANCE = 1e-5;

/**
 * Yields {t, x, nfe, rejected} at every time that it reaches, and null after each evaluation.
 * @param {Tableau} tableau
 * @param {Velocity} velocity
 * @param {Float32Array} x0
 * @param {ArrayLike<number>} times
 * @param {{rtol?: number, atol?: number}} tolerances
 */
export function* adaptive(tableau, velocity, x0, times, { rtol = TOLERANCE, atol = TOLERANCE } = {}) {
  const { b, error: errorWeights = [], order = 1, label = "this solver" } = tableau;
  const stop = times[times.length - 1];
  const smallest = SMALLEST * (stop - times[0]);
  let t = times[0];
  /** @type {Float32Array} */
  let x = x0.slice();
  yield { t, x, nfe: 0, rejected: [] };

  const slopes = b.map(() => new Float32Array(x.length));
  const [point, error, zeros] = [new Float32Array(x.length), new Float32Array(x.length), new Float32Array(x.length)];
  /** @type {Norm} */
  const norm = (values, one, other) => rootMeanSquare(values, one, other, rtol, atol);
  velocity(x, t, slopes[0]);
  yield null;
  if (!slopes[0].every(Number.isFinite)) {
    throw new Error(`${label} cannot begin: the field is not finite at t = ${Number(t.toPrecision(4))}.`);
  }
  let h = Math.max(smallest, firstStep(velocity, x, t, stop, slopes[0], slopes[1], point, order, norm));
  yield null;
  let nfe = 2;
  /** @type {[number, number][]} */
  let rejected = [];
  while (t < stop) {
    if (nfe + b.length - 1 > MAX_EVALUATIONS) {
      throw new Error(sentence(label, t, `${MAX_EVALUATIONS.toLocaleString("en")} evaluations do not suffice`));
    }
    const after = t + 1.01 * h >= stop ? stop : t + h;
    h = after - t;
    yield* stages(tableau, velocity, x, t, h, slopes, point, 1);
    nfe += b.length - 1;
    const reached = combine(x, h, b, slopes, new Float32Array(x.length));
    const size = norm(combine(zeros, h, errorWeights, slopes, error), x, reached);
    const scale = Number.isFinite(size) ? SAFETY * Math.max(size, 1e-10) ** (-1 / order) : SHRINK;
    if (size <= 1) {
      [t, x] = [after, reached];
      slopes.unshift(...slopes.splice(-1)); // the last stage begins the next step
      yield { t, x, nfe, rejected };
      h *= Math.min(rejected.length ? 1 : GROW, Math.max(SHRINK, scale));
      rejected = [];
    } else {
      rejected.push([t, after]);
      h *= Math.max(SHRINK, scale);
      if (h < smallest)
        throw new Error(sentence(label, t, `even a step of ${h.toExponential(0)} misses the tolerance`));
    }
  }
}

/**
 * The root mean square of values in units of the tolerance at two states.
 * @param {Float32Array} values
 * @param {Float32Array} one
 * @param {Float32Array} other
 * @param {number} rtol
 * @param {number} atol
 */
function rootMeanSquare(values, one, other, rtol, atol) {
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    sum += (values[i] / (atol + rtol * Math.max(Math.abs(one[i]), Math.abs(other[i])))) ** 2;
  }
  return Math.sqrt(sum / values.length);
}

/**
 * A first step from two slopes, the second of which is found here, into `ahead`.
 * @param {Velocity} velocity
 * @param {Float32Array} x
 * @param {number} t
 * @param {number} stop
 * @param {Float32Array} slope
 * @param {Float32Array} ahead
 * @param {Float32Array} point
 * @param {number} order
 * @param {Norm} norm
 */
function firstStep(velocity, x, t, stop, slope, ahead, point, order, norm) {
  const [position, speed] = [norm(x, x, x), norm(slope, x, x)];
  const tried = Math.min(Math.min(position, speed) > 1e-5 ? (0.01 * position) / speed : 1e-6, stop - t);
  velocity(combine(x, tried, [1], [slope], point), t + tried, ahead);
  const change = norm(combine(ahead, -1, [1], [slope], point), x, x) / tried;
  const largest = change > speed ? change : speed;
  const byChange = largest > 1e-15 ? (0.01 / largest) ** (1 / order) : Math.max(1e-6, 1e-3 * tried);
  return Math.min(100 * tried, byChange, stop - t);
}

/**
 * @param {string} label
 * @param {number} t
 * @param {string} what
 */
function sentence(label, t, what) {
  return (
    `${label} stops at t = ${Number(t.toPrecision(4))}, where ${what}: the field is too stiff or kinked for it. ` +
    "Raise the tolerances, train with a smooth activation such as silu, or choose a solver with fixed steps."
  );
}
