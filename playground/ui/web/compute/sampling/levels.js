/* What a path's schedule at one time, {alpha, sigma, dAlpha, dSigma}, tells: the twin of playground/dynamics/process.py. */

/** How far σ/α has fallen at the later level: the share of the noise that is left, undisturbed. */
export const noiseRatio = (before, after) => (before.alpha * after.sigma) / (after.alpha * before.sigma);

/** [a, b] for data and [c, d] for noise such that x̂1 = a v + b x and x̂0 = c v + d x. */
export function splitting({ alpha, sigma, dAlpha, dSigma }) {
  const turning = dAlpha * sigma - dSigma * alpha;
  return { data: [sigma / turning, -dSigma / turning], noise: [-alpha / turning, dAlpha / turning] };
}
