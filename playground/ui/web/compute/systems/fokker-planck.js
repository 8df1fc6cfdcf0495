/* The Fokker–Planck equation on a grid, and particles beside it.

   The twin of playground/dynamics/fokker_planck.py, where the scheme is explained. A lattice is {low, high, cells}, lists
   with an entry an axis; a density is one number a cell, the last axis fastest. */

import { planned } from "./plan.js";
import { processOf } from "./equation.js";

const LEAST_DIFFUSION = 1e-12;
const MOST_PECLET = 500;
/** Below this share of the greatest density its logarithm counts as level, where hardly a particle is. */
const LEAST_DENSITY = 1e-7;

function bernoulli(x) {
  if (Math.abs(x) < 1e-6) return 1 - x / 2;
  return Math.abs(x) > MOST_PECLET ? Math.max(-x, 0) : x / Math.expm1(x);
}

/** Cells along the first and the second axis; on a line the second has one. */
const shapeOf = ({ cells }) => [cells[0], cells[1] ?? 1];
const widthsOf = ({ low, high, cells }) => cells.map((count, k) => (high[k] - low[k]) / count);

/** {onward, back} at the inner faces across an axis: J = onward p_before − back p_after. The face after cell (i, j) has
    the place of that cell. */
function fluxes(equations, lattice, axis, t) {
  const [rows, columns] = shapeOf(lattice);
  const { dim } = equations;
  const { low } = lattice;
  const widths = widthsOf(lattice);
  const count = rows * columns;
  const points = new Float64Array(count * dim);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const at = (i * columns + j) * dim;
      points[at] = low[0] + widths[0] * (i + (axis === 0 ? 1 : 0.5));
      if (dim === 2) points[at + 1] = low[1] + widths[1] * (j + (axis === 1 ? 1 : 0.5));
    }
  }
  const drift = equations.at(equations.flux, points, t, new Float64Array(count * dim), 1);
  const noise = equations.at(equations.noise, points, t, new Float64Array(count * dim), 1);
  const [onward, back] = [new Float64Array(count), new Float64Array(count)];
  for (let k = 0; k < count; k++) {
    const f = drift[k * dim + axis];
    const least = LEAST_DIFFUSION * Math.abs(f) * widths[axis] + 1e-300;
    const diffusion = Math.max(0.5 * noise[k * dim + axis] ** 2, least);
    const peclet = (f * widths[axis]) / diffusion;
    onward[k] = (diffusion / widths[axis]) * bernoulli(-peclet);
    back[k] = (diffusion / widths[axis]) * bernoulli(peclet);
  }
  return { onward, back };
}

/** One implicit step along an axis, in place. */
function swept(p, lattice, axis, h, { onward, back }) {
  const [rows, columns] = shapeOf(lattice);
  const rate = h / widthsOf(lattice)[axis];
  const [length, lines] = axis === 0 ? [rows, columns] : [columns, rows];
  const [stride, next] = axis === 0 ? [columns, 1] : [1, columns];
  const bent = new Float64Array(length);
  for (let line = 0; line < lines; line++) {
    const first = line * next;
    bent[0] = 1 + (length > 1 ? rate * onward[first] : 0);
    for (let k = 1; k < length; k++) {
      const at = first + k * stride;
      const factor = (-rate * onward[at - stride]) / bent[k - 1];
      const diagonal = 1 + rate * back[at - stride] + (k < length - 1 ? rate * onward[at] : 0);
      bent[k] = diagonal + factor * rate * back[at - stride];
      p[at] -= factor * p[at - stride];
    }
    const last = first + (length - 1) * stride;
    p[last] /= bent[length - 1];
    for (let k = length - 2; k >= 0; k--) {
      const at = first + k * stride;
      p[at] = (p[at] + rate * back[at] * p[at + stride]) / bent[k];
    }
  }
}

/** Yields {t, p} from t = 0 on, t in [0, 1], after every `each` of the steps; p is a copy. */
export function* fokkerPlanck(equations, lattice, start, steps, each = 1) {
  const { dim, T } = equations;
  const p = Float64Array.from(start);
  const h = T / steps;
  yield { t: 0, p: p.slice() };
  let known = null;
  for (let step = 1; step <= steps; step++) {
    const t = step / steps;
    if (!known || equations.timed)
      known = Array.from({ length: dim }, (_, axis) => fluxes(equations, lattice, axis, t));
    swept(p, lattice, 0, dim === 1 ? h : h / 2, known[0]);
    if (dim === 2) {
      swept(p, lattice, 1, h, known[1]);
      swept(p, lattice, 0, h / 2, known[0]);
    }
    if (step % each === 0 || step === steps) yield { t, p: p.slice() };
  }
}

/** The velocity F − D ∇ log p of the probability-flow ODE at points x (n·dim), between cells by the nearest faces. */
function flowAt(equations, lattice, p, t, x, into) {
  const { dim, T } = equations;
  const [rows, columns] = shapeOf(lattice);
  const { low } = lattice;
  const widths = widthsOf(lattice);
  const least = LEAST_DENSITY * p.reduce((most, value) => Math.max(most, value), 0);
  const drift = equations.at(equations.flux, x, t, into, 1);
  const noise = equations.at(equations.noise, x, t, new Float64Array(x.length), 1);
  const log = (i, j) =>
    Math.log(Math.max(least, p[Math.min(rows - 1, Math.max(0, i)) * columns + Math.min(columns - 1, Math.max(0, j))]));
  for (let k = 0; k < x.length / dim; k++) {
    const places = widths.map((width, axis) => (x[k * dim + axis] - low[axis]) / width - 0.5);
    const [i, j] = [Math.floor(places[0]), dim === 2 ? Math.floor(places[1]) : 0];
    const [a, b] = [places[0] - i, dim === 2 ? places[1] - j : 0];
    // The slope of the bilinear interpolation of log p.
    const across = (log(i + 1, j) - log(i, j)) * (1 - b) + (log(i + 1, j + 1) - log(i, j + 1)) * b;
    const up = dim === 2 ? (log(i, j + 1) - log(i, j)) * (1 - a) + (log(i + 1, j + 1) - log(i + 1, j)) * a : 0;
    const slopes = [across / widths[0], dim === 2 ? up / widths[1] : 0];
    for (let axis = 0; axis < dim; axis++) {
      const diffusion = 0.5 * noise[k * dim + axis] ** 2;
      into[k * dim + axis] = T * (drift[k * dim + axis] - diffusion * slopes[axis]);
    }
  }
  return into;
}

/** Shares of points in bins, `by` cells of the lattice along each axis together. */
function binned(x, lattice, by) {
  const [rows, columns] = shapeOf(lattice);
  const dim = lattice.cells.length;
  const widths = widthsOf(lattice);
  const across = Math.ceil(columns / by);
  const found = new Float64Array(Math.ceil(rows / by) * across);
  const n = x.length / dim;
  for (let k = 0; k < n; k++) {
    const i = Math.floor((x[k * dim] - lattice.low[0]) / widths[0] / by);
    const j = dim === 2 ? Math.floor((x[k * dim + 1] - lattice.low[1]) / widths[1] / by) : 0;
    if (i >= 0 && j >= 0 && i * by < rows && j * by < columns) found[i * across + j] += 1 / n;
  }
  return found;
}

function gathered(p, lattice, by) {
  const [rows, columns] = shapeOf(lattice);
  const across = Math.ceil(columns / by);
  const volume = widthsOf(lattice).reduce((a, b) => a * b);
  const found = new Float64Array(Math.ceil(rows / by) * across);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      found[Math.floor(i / by) * across + Math.floor(j / by)] += volume * p[i * columns + j];
    }
  }
  return found;
}

const apart = (a, b) => a.reduce((sum, value, k) => sum + Math.abs(value - b[k]), 0);

/** What n points of a law differ from it by in these bins, by chance: the mean of Σ |share − p|. */
const chance = (shares, n) =>
  shares.reduce((sum, p) => sum + Math.sqrt((2 * Math.max(0, p * (1 - p))) / (Math.PI * n)), 0);

/** The density on the grid beside particles of the equation and of its probability-flow ODE, both from x0 (n·dim):
    {times, particles, flow, chance: L1 differences, mass: the greatest error of mass, cells, steps}. */
export function compared(equations, lattice, start, x0, { steps = 200, each = 10, by = 4, seed = 0 } = {}) {
  const process = processOf(equations);
  const x = Float64Array.from(x0);
  const n = x.length / equations.dim;
  const [times, particles, flow, noise] = [[], [], [], []];
  const { solve } = planned(process, { solver: "heun", steps, seed });
  const walks = solve(process, x0);
  const walked = () => {
    for (;;) {
      const { value, done } = walks.next();
      if (done || value) return value;
    }
  };
  const [one, other, middle] = [0, 0, 0].map(() => new Float64Array(x.length));
  const volume = widthsOf(lattice).reduce((a, b) => a * b);
  const whole = start.reduce((sum, value) => sum + value, 0) * volume;
  let [before, mass, step] = [null, 0, 0];
  for (const state of fokkerPlanck(equations, lattice, start, steps)) {
    const walk = walked();
    if (before) {
      // Heun's method, with the density at both ends of the step.
      const h = state.t - before.t;
      // At the start the density may have edges, whose slope no step could follow: the first step takes its end's.
      flowAt(equations, lattice, before.t ? before.p : state.p, before.t, x, one);
      for (let k = 0; k < x.length; k++) middle[k] = x[k] + h * one[k];
      flowAt(equations, lattice, state.p, state.t, middle, other);
      for (let k = 0; k < x.length; k++) x[k] += 0.5 * h * (one[k] + other[k]);
    }
    before = state;
    if (step++ % each) continue;
    mass = Math.max(mass, Math.abs(state.p.reduce((sum, value) => sum + value, 0) * volume - whole));
    const shares = gathered(state.p, lattice, by);
    times.push(state.t * equations.T);
    particles.push(apart(binned(walk.x, lattice, by), shares));
    flow.push(apart(binned(x, lattice, by), shares));
    noise.push(chance(shares, n));
  }
  return { times, particles, flow, chance: noise, mass, cells: lattice.cells, steps, end: before.p };
}
