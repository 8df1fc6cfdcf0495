/* How a request is answered along a system of equations; the counterpart of planOf in sampling/solvers.js. */

import { adaptive } from "../sampling/adaptive.js";
import { Brownian } from "../sampling/noise.js";
import { rungeKutta } from "../sampling/runge-kutta.js";
import { gridOf } from "../sampling/grids.js";
import { TABLEAUX } from "../sampling/solvers.js";
import { exactly, firstOrder, IMPLICIT, implicit, shaken } from "./solving.js";

/** Steps of RK4 between two times of a reference solution, where no closed form is known. */
const FINER = 16;

/** {solve: (process, x0) => Generator, evaluations} of a request {solver, steps, grid, rtol, atol, times, seed, particle};
    the solver "exact" is the closed form, or a reference solution where there is none. */
export function planned(process, { solver, steps, grid = "uniform", rtol, atol, times, seed = 0, particle = 0 }) {
  const { noisy } = process;
  const tableau = typeof solver === "object" ? solver : TABLEAUX[solver];
  if (tableau?.error && !times && !noisy) {
    const solve = ({ velocity }, x0) => adaptive(tableau, velocity, x0, [0, 1], { rtol, atol });
    return { solve, evaluations: NaN };
  }
  const stands = times ?? gridOf(grid, 0, 1, steps ?? 50);
  const evaluations = (stands.length - 1) * (tableau?.b.length ?? 1);
  const noiseOf = (x0) =>
    noisy ? new Brownian({ seed, first: particle, size: x0.length, dim: process.dim, start: 0, stop: 1 }) : null;
  if (noisy && stands[0] > stands.at(-1)) return { solve: (_, x0) => nowhere(x0, stands), evaluations };
  // In doubles: noise and unstable points make much of a rounding error.
  const solve = (_, x0) => followed(process, solver, tableau, Float64Array.from(x0), stands, noiseOf(x0));
  return { solve, evaluations };
}

function followed(process, solver, tableau, x0, times, noise) {
  if (solver === "exact")
    return process.equations.solved ? exactly(process, x0, times, noise) : finely(process, x0, times, noise);
  if (Object.hasOwn(IMPLICIT, solver)) return implicit(IMPLICIT[solver], process, x0, times, noise);
  if (!tableau || (noise && tableau.b.length === 1))
    return firstOrder(solver === "milstein", process, x0, times, noise);
  if (noise) return shaken(tableau, process, x0, times, noise);
  return rungeKutta(tableau, process.velocity, x0, times);
}

/** The states at these times of a solution by RK4 with steps that are finer by FINER. */
function* finely(process, x0, times, noise) {
  const fine = [times[0]];
  for (let k = 1; k < times.length; k++) {
    for (let i = 1; i <= FINER; i++) fine.push(times[k - 1] + ((times[k] - times[k - 1]) * i) / FINER);
  }
  const { rk4 } = TABLEAUX;
  const steps = noise ? shaken(rk4, process, x0, fine, noise) : rungeKutta(rk4, process.velocity, x0, fine);
  let count = 0;
  for (const state of steps) {
    if (!state) yield null;
    else if (count++ % FINER === 0) yield { ...state, t: times[(count - 1) / FINER] };
  }
}

/** Back in time noise cannot be followed: nothing is there to be drawn. */
function* nowhere(x0, times) {
  for (const [step, t] of times.entries())
    yield { t, x: step ? new x0.constructor(x0.length).fill(NaN) : x0.slice(), nfe: 0 };
}
