/** Where the particles are between the states of a solver. */

/**
 * The state k at or before time t and the share of the way to state k + 1; times are ascending.
 * @param {ArrayLike<number>} times
 * @param {number} t
 */
export function bracket(times, t) {
  let k = 0;
  while (k < times.length - 2 && times[k + 1] <= t) k++;
  return { k, share: Math.min(1, Math.max(0, (t - times[k]) / (times[k + 1] - times[k]))) };
}

/**
 * The particles at time t on the straight pieces between the solver's states, into `out` (n·dim).
 * @param {{t: ArrayLike<number>, x: Float32Array}} trajectory
 * @param {number} t
 * @param {Float32Array} out
 */
export function positionsAt({ t: times, x }, t, out) {
  const { k, share } = bracket(times, t);
  const size = out.length;
  for (let i = 0, a = k * size, b = a + size; i < size; i++, a++, b++) out[i] = x[a] + share * (x[b] - x[a]);
}
