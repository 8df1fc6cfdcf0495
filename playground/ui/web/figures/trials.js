// What the solvers are tried out with, for the curve of quality against evaluations.

import { SAMPLERS } from "../compute/sampling/samplers.js";
import { TABLEAUX } from "../compute/sampling/solvers.js";

const EVALUATIONS = [1, 2, 4, 8, 16, 32, 100];
const TOLERANCES = [1e-1, 1e-2, 1e-3, 1e-4];

/** Samplers of diffusions that are tried out where they are offered, with their dials as they begin. */
const SAMPLED = ["ddim", "dpm_solver", "stochastic_midpoint"];

/** What the solvers are tried out with on a scene, cheapest first. */
export function trialsOf(scene) {
  const offered = SAMPLED.filter((solver) => scene?.network?.samplers?.includes(solver));
  const more = offered.flatMap((solver) => {
    const { cost } = SAMPLERS[solver];
    const fitting = EVALUATIONS.filter((nfe) => nfe % cost === 0);
    return fitting.map((nfe) => ({ solver, steps: nfe / cost, cost: nfe }));
  });
  return [...TRIALS, ...more].sort((one, other) => one.cost - other.cost);
}

const TRIALS = Object.entries(TABLEAUX).flatMap(([solver, { b, error }]) => {
  if (error) return TOLERANCES.map((rtol) => ({ solver, rtol, atol: rtol, cost: 1000 - Math.log(rtol) }));
  const fitting = EVALUATIONS.filter((nfe) => nfe % b.length === 0);
  return fitting.map((nfe) => ({ solver, steps: nfe / b.length, cost: nfe }));
});
