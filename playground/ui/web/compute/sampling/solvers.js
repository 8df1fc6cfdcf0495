/* Solvers by name, the grids of times, and how a request is answered with them.

   The twin of playground/dynamics/{solvers,runge_kutta,adaptive,grids}.py; samplers of diffusions are in samplers.js. */

import { adaptive } from "./adaptive.js";
import { gridOf } from "./grids.js";
import { Brownian } from "./noise.js";
import { rungeKutta } from "./runge-kutta.js";
import { DIALS, isSampler, SAMPLERS } from "./samplers.js";

/** Butcher tableaux: stage i is evaluated at t + c[i] h from x + h Σ_j a[i][j] k_j; the step is h Σ_i b[i] k_i, and
    where there is `error`, the step errs by about h Σ_i error[i] k_i. */
export const TABLEAUX = {
  euler: { a: [[]], b: [1], c: [0] },
  midpoint: { a: [[], [0.5]], b: [0, 1], c: [0, 0.5] },
  heun: { a: [[], [1]], b: [0.5, 0.5], c: [0, 1] },
  rk4: { a: [[], [0.5], [0, 0.5], [0, 0, 1]], b: [1 / 6, 1 / 3, 1 / 3, 1 / 6], c: [0, 0.5, 0.5, 1] },
  dopri5: {
    a: [
      [],
      [1 / 5],
      [3 / 40, 9 / 40],
      [44 / 45, -56 / 15, 32 / 9],
      [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
      [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
      [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
    ],
    b: [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, 0],
    c: [0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1],
    error: [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40],
    order: 5,
    label: "Dormand–Prince 5(4)",
  },
  bogacki_shampine: {
    a: [[], [1 / 2], [0, 3 / 4], [2 / 9, 1 / 3, 4 / 9]],
    b: [2 / 9, 1 / 3, 4 / 9, 0],
    c: [0, 1 / 2, 3 / 4, 1],
    error: [-5 / 72, 1 / 12, 1 / 9, -1 / 8],
    order: 3,
    label: "Bogacki–Shampine 3(2)",
  },
};

/** Whether the solver chooses its own steps. */
export function isAdaptive(solver) {
  const tableau = typeof solver === "object" ? solver : Object.hasOwn(TABLEAUX, solver) && TABLEAUX[solver];
  return Boolean(tableau?.error);
}

/** Solvers that need what only equations know (systems/solving.js), and what they are called. */
export const FOR_EQUATIONS = {
  implicit_euler: "Implicit Euler",
  trapezoidal: "Trapezoidal rule",
  milstein: "Milstein",
};

function tableauOf(solver) {
  if (typeof solver === "object") return solver;
  if (!Object.hasOwn(TABLEAUX, solver)) throw new Error(`there is no solver "${solver}" here`);
  return TABLEAUX[solver];
}

/** How a request {solver, steps, grid, rtol, atol, times} goes from start to stop along a field's process.

    `solver` is a name or a tableau {a, b, c}. With explicit `times` it stands exactly there: an adaptive solver then
    replays the steps that it, or another cloud, has taken. A sampler of diffusions (samplers.js) also takes its dial,
    the `seed` of its noise and the number of the first `particle`; back in time it follows the flow. Of the path,
    `level` is its schedule, and `snapped` gives the times that a discrete one knows.
    @returns {{solve: (process, x0) => Generator, evaluations: number}} evaluations is NaN where not known before. */
export function planOf(
  { solver, steps, grid = "uniform", rtol, atol, times, seed = 0, particle = 0, ...dials },
  start,
  stop,
  { level = null, snapped = (stands) => stands } = {},
) {
  if (isSampler(solver)) {
    const { cost, solve, dial } = SAMPLERS[solver];
    const stands = times ?? snapped(gridOf(grid, start, stop, steps, level));
    if (stands[0] > stands.at(-1)) return planOf({ solver: "heun", times }, start, stop);
    const set = dial ? { [dial]: dials[dial] ?? DIALS[dial].standard } : {};
    const noise = (x0, dim) => new Brownian({ seed, first: particle, size: x0.length, dim, start, stop });
    const evaluations = (stands.length - 1) * cost;
    return { solve: (process, x0) => solve(process, x0, stands, noise(x0, process.dim), set), evaluations };
  }
  const tableau = tableauOf(solver);
  if (tableau.error && !times) {
    return {
      solve: ({ velocity }, x0) => adaptive(tableau, velocity, x0, [start, stop], { rtol, atol }),
      evaluations: NaN,
    };
  }
  const stands = times ?? snapped(gridOf(grid, start, stop, steps, level));
  const evaluations = (stands.length - 1) * tableau.b.length;
  return { solve: ({ velocity }, x0) => rungeKutta(tableau, velocity, x0, stands), evaluations };
}
