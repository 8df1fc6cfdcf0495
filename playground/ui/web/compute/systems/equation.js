/* A system of equations as a run: nothing is learnt, the field is what is written.

   The twin of playground/dynamics/systems/{base,solving}.py. Time runs over [0, 1] here, in units of T. */

import { planned } from "./plan.js";
import { Program } from "./program.js";

const AXES = ["x", "y"];
const NOISES = ["w", "v"];

/** The system that a description {equation: {drift, stratonovich, noise, slopes, jacobian, solution, parameters}} tells. */
export class Equations {
  constructor({ equation, dim }) {
    Object.assign(this, { dim, parameters: { ...equation.parameters }, noisy: equation.noise.length > 0 });
    for (const name of ["drift", "stratonovich", "noise", "slopes", "flux", "solution"]) {
      this[name] = new Program(equation[name]);
    }
    this.jacobian = new Program(equation.jacobian);
    this.solved = equation.solution.length > 0;
    this.timed = JSON.stringify([equation.flux, equation.noise]).includes('"t"');
    this.columns = AXES.slice(0, dim).map(() => new Float64Array(0));
  }

  get T() {
    return this.parameters.T;
  }

  /** The values of names at points x (n·dim numbers) and the time t in [0, T]. */
  values(x, t) {
    const { dim } = this;
    const n = x.length / dim;
    const values = { ...this.parameters, t };
    for (let j = 0; j < dim; j++) {
      if (this.columns[j].length < n) this.columns[j] = new Float64Array(n);
      const column = this.columns[j];
      for (let i = 0; i < n; i++) column[i] = x[i * dim + j];
      values[AXES[j]] = column;
    }
    return values;
  }

  /** A program at points x and the time t in [0, 1], times `scale`. */
  at(program, x, t, into, scale) {
    return program.into(into, this.values(x, this.T * t), x.length / this.dim, scale);
  }

  /** Where the points x are at the time t in [0, 1], with noise along the Brownian motion that is at w (n·dim) then. */
  solve(x, t, w, into) {
    const values = this.values(x, this.T * t);
    const n = x.length / this.dim;
    if (w) {
      for (let j = 0; j < this.dim; j++) {
        values[NOISES[j]] = Float64Array.from({ length: n }, (_, i) => Math.sqrt(this.T) * w[i * this.dim + j]);
      }
    }
    return this.solution.into(into, values, n);
  }
}

/** A run whose description has `equation`; it is the same for every snapshot. */
export class EquationRun {
  constructor(kernel, description) {
    this.description = description;
    this.equations = new Equations(description);
  }

  /** Takes over other numbers, `live`: in the order of the description's parameters. */
  put(snapshot, { live }) {
    if (!live) return;
    const names = Object.keys(this.description.equation.parameters);
    this.equations.parameters = Object.fromEntries(names.map((name, k) => [name, live[k]]));
  }

  drop() {}

  /** As of NetworkRun, with what only equations know; `plan(request)` says how a request is answered. */
  field() {
    return processOf(this.equations);
  }
}

/** The process of a system over the unit interval. */
export function processOf(equations) {
  const { T, dim, noisy } = equations;
  const root = Math.sqrt(T);
  const process = {
    dim,
    tMin: 0,
    tMax: 1,
    calls: 1,
    noisy,
    equations,
    velocity: (x, t, into) => equations.at(equations.drift, x, t, into, T),
    stratonovich: (x, t, into) => equations.at(equations.stratonovich, x, t, into, T),
    spread: (x, t, into) => equations.at(equations.noise, x, t, into, root),
    slope: (x, t, into) => equations.at(equations.slopes, x, t, into, root),
    jacobian: (x, t, into) => equations.at(equations.jacobian, x, t, into, T),
  };
  process.plan = (request) => planned(process, request);
  return process;
}
