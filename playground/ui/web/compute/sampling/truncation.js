/* Truncating the latent of a generator: the twin of `latent` in playground/models/gan/parts.py.

   The part of the latent's distribution within ±τ of 0 along each axis, reached by the increasing map between the two, so
   that each particle keeps its place among the others. Starts that came truncated are led back first. */

/**
 * erf to 1.2e-7, Numerical Recipes' Chebyshev fit of erfc.
 * @param {number} x
 */
export function erf(x) {
  const t = 1 / (1 + 0.5 * Math.abs(x));
  const fit = [
    0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368,
    -1.26551223,
  ];
  const tail = t * Math.exp(-x * x + fit.reduce((sum, c) => sum * t + c, 0));
  return x >= 0 ? 1 - tail : tail - 1;
}

/**
 * The x whose erf is y, |y| < 1: Winitzki's approximation, then two steps of Newton's method.
 * @param {number} y
 */
export function erfinv(y) {
  if (y === 0) return 0;
  const bounded = Math.max(-1 + 1e-7, Math.min(1 - 1e-7, y));
  const log = Math.log(1 - bounded * bounded);
  const half = 2 / (Math.PI * 0.147) + log / 2;
  let x = Math.sign(bounded) * Math.sqrt(Math.sqrt(half * half - log / 0.147) - half);
  for (let k = 0; k < 2; k++) x -= ((erf(x) - bounded) * Math.sqrt(Math.PI)) / (2 * Math.exp(-x * x));
  return x;
}

/**
 * Latents (any shape) that were drawn within ±from, within ±to; null stands for no bound. kind: "gaussian", "uniform".
 * @param {Float32Array} latent
 * @param {string | undefined} kind
 * @param {number | null} from
 * @param {number | null} to
 */
export function truncated(latent, kind, from, to) {
  if (from === to) return latent;
  if (kind === "uniform") {
    const ratio = Math.min(1, to ?? 1) / Math.min(1, from ?? 1);
    return latent.map((z) => z * ratio);
  }
  /** @type {(bound: number | null) => number} */
  const inside = (bound) => (bound === null ? 1 : erf(bound / Math.SQRT2));
  const ratio = inside(to) / inside(from);
  return latent.map((z) => Math.SQRT2 * erfinv(ratio * erf(z / Math.SQRT2)));
}
