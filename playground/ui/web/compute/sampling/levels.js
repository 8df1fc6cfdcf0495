/* What a path's schedule at one time, {alpha, sigma, dAlpha, dSigma}, tells: the twin of playground/dynamics/process.py. */

/** How much of the noise is still there at the later level, undisturbed. */
export const kept = (before, after) => (before.alpha * after.sigma) / (after.alpha * before.sigma);

/** [a, b] for data and [c, d] for noise such that x̂1 = a v + b x and x̂0 = c v + d x. */
export function splitting({ alpha, sigma, dAlpha, dSigma }) {
  const turning = dAlpha * sigma - dSigma * alpha;
  return { data: [sigma / turning, -dSigma / turning], noise: [-alpha / turning, dAlpha / turning] };
}
