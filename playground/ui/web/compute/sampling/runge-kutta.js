/* Explicit Runge–Kutta methods: a field and starting points in, the successive states out, with what they cost.

   The twin of playground/dynamics/runge_kutta.py. A solver is a generator
       function* (…, velocity, x0, times) → yields {t, x, nfe}, and null after each evaluation
   of one state for each time that it stands at, the first being x0 itself at no cost. `velocity(x, t, into)` writes
   dx/dt at points x (n·dim values) and time t; `times` are the times to stand at, ascending or, to go back in time,
   descending. Every x is a new array of x0's type that the caller may keep.

   An adaptive solver (adaptive.js) takes from `times` only the two ends and stands at times of its own; its states
   also have `rejected`, the steps [begin, end] that were tried since the state before and missed the tolerance. */

/** @typedef {{a: number[][], b: number[], c: number[], error?: number[], order?: number, label?: string}} Tableau */
/** @typedef {(x: Float32Array, t: number, into: Float32Array) => void} Velocity */

/**
 * into = x + h Σ_i weights[i] slopes[i], rounded to float32 after each term as torch does.
 * @param {Float32Array} x
 * @param {number} h
 * @param {number[]} weights
 * @param {Float32Array[]} slopes
 * @param {Float32Array} into
 */
export function combine(x, h, weights, slopes, into) {
  into.set(x);
  weights.forEach((weight, i) => {
    if (weight === 0) return;
    const factor = h * weight;
    const slope = slopes[i];
    for (let k = 0; k < into.length; k++) into[k] += factor * slope[k];
  });
  return into;
}

/**
 * Fills slopes[i], i ≥ first, with the field at each stage of a step from x at t; yields null after each.
 * `point` is scratch of x's length.
 * @param {Pick<Tableau, "a" | "c">} tableau
 * @param {Velocity} velocity
 * @param {Float32Array} x
 * @param {number} t
 * @param {number} h
 * @param {Float32Array[]} slopes
 * @param {Float32Array} point
 * @param {number} first
 */
export function* stages({ a, c }, velocity, x, t, h, slopes, point, first = 0) {
  for (let i = first; i < a.length; i++) {
    velocity(i === 0 ? x : combine(x, h, a[i], slopes, point), t + c[i] * h, slopes[i]);
    yield null;
  }
}

/**
 * An explicit Runge–Kutta method that stands at the given times.
 * @param {Tableau} tableau
 * @param {Velocity} velocity
 * @param {Float32Array} x0
 * @param {ArrayLike<number>} times
 */
export function* rungeKutta(tableau, velocity, x0, times) {
  const Numbers = /** @type {Float32ArrayConstructor} */ (x0.constructor); // an equation's are doubles
  const slopes = tableau.b.map(() => new Numbers(x0.length));
  const point = new Numbers(x0.length);
  /** @type {Float32Array} */
  let x = x0.slice();
  yield { t: times[0], x, nfe: 0 };
  for (let step = 1; step < times.length; step++) {
    const h = times[step] - times[step - 1];
    yield* stages(tableau, velocity, x, times[step - 1], h, slopes, point);
    x = combine(x, h, tableau.b, slopes, new Numbers(x.length));
    yield { t: times[step], x, nfe: step * tableau.b.length };
  }
}
