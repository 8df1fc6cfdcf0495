/* Solvers: a field and starting points in, the successive states out, with the evaluations they cost.

   The twin of playground/dynamics/solvers.py. A solver is a generator
       function* (velocity, x0, times, noise) → yields {t, x, nfe}
   of one state for each time that it stands at, the first being x0 itself at no cost. `velocity(x, t, into)` writes
   dx/dt at points x (n·dim values) and time t; `times` is an ascending Float64Array; `noise(step, into)` is what
   stochastic samplers draw from and others ignore. Every x is a new Float32Array that the caller may keep.

   An adaptive method stands at times of its own between times[0] and the last; it reuses `stages` and `advance`. */

/** Butcher tableaux: stage i is evaluated at t + c[i] h from x + h Σ_j a[i][j] k_j; the step is h Σ_i b[i] k_i. */
export const TABLEAUX = {
  euler: { a: [[]], b: [1], c: [0] },
  midpoint: { a: [[], [0.5]], b: [0, 1], c: [0, 0.5] },
  heun: { a: [[], [1]], b: [0.5, 0.5], c: [0, 1] },
  rk4: { a: [[], [0.5], [0, 0.5], [0, 0, 1]], b: [1 / 6, 1 / 3, 1 / 3, 1 / 6], c: [0, 0.5, 0.5, 1] },
};

/** steps + 1 evenly spaced times from start to stop. */
export function uniformGrid(start, stop, steps) {
  const times = Float64Array.from({ length: steps + 1 }, (_, k) => start + ((stop - start) * k) / steps);
  times[steps] = stop;
  return times;
}

/** into = x + h Σ_i weights[i] slopes[i], rounded to float32 after each term as torch does. */
export function advance(x, h, weights, slopes, into) {
  into.set(x);
  weights.forEach((weight, i) => {
    if (weight === 0) return;
    const factor = h * weight;
    const slope = slopes[i];
    for (let k = 0; k < into.length; k++) into[k] += factor * slope[k];
  });
  return into;
}

/** Fills slopes[i] with the field at each stage of one step from x at time t; `point` is scratch of x's length. */
export function stages({ a, c }, velocity, x, t, h, slopes, point) {
  a.forEach((row, i) => velocity(i === 0 ? x : advance(x, h, row, slopes, point), t + c[i] * h, slopes[i]));
}

/** An explicit Runge–Kutta method on a fixed grid. */
export function* rungeKutta(tableau, velocity, x0, times) {
  const slopes = tableau.b.map(() => new Float32Array(x0.length));
  const point = new Float32Array(x0.length);
  let x = x0.slice();
  yield { t: times[0], x, nfe: 0 };
  for (let step = 1; step < times.length; step++) {
    const h = times[step] - times[step - 1];
    stages(tableau, velocity, x, times[step - 1], h, slopes, point);
    x = advance(x, h, tableau.b, slopes, new Float32Array(x.length));
    yield { t: times[step], x, nfe: step * tableau.b.length };
  }
}

/** The solvers by name; one that is more than a tableau is added here as a generator of its own. */
const SOLVERS = Object.fromEntries(Object.entries(TABLEAUX).map(([name, tableau]) => [name, fromTableau(tableau)]));

function fromTableau(tableau) {
  return (velocity, x0, times) => rungeKutta(tableau, velocity, x0, times);
}

/** The solver of that name, or the Runge–Kutta method of a tableau {a, b, c}. */
export function solverOf(choice) {
  if (typeof choice === "object") return fromTableau(choice);
  if (!Object.hasOwn(SOLVERS, choice)) throw new Error(`there is no solver "${choice}" here`);
  return SOLVERS[choice];
}
