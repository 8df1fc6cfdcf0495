/* Grids of times: the twin of playground/dynamics/grids.py, where they are explained. */

/** Where of [0, 1] the share u of the steps has been taken. */
const WARPS = {
  uniform: (u) => u,
  late: (u) => 1 - (1 - u) ** 1.5,
  quadratic: (u) => u * (2 - u),
  cosine: (u) => 1 - Math.cos((Math.PI / 2) * u),
};
export const GRIDS = [...Object.keys(WARPS), "karras"];
const RHO = 7;
const NOISE = [0.002, 80];
const [HALVINGS, NEAR_ENOUGH] = [60, 1e-12];

/** The steps + 1 ascending times from start to stop, both of them exact; `level(t)` is of the path whose noise the grid
    karras follows. */
export function gridOf(name, start, stop, steps, level = null) {
  if (!GRIDS.includes(name)) throw new Error(`there is no grid "${name}" here`);
  if (name === "karras") return karras(level, start, stop, steps);
  const times = Float64Array.from({ length: steps + 1 }, (_, k) => start + (stop - start) * WARPS[name](k / steps));
  times[steps] = stop;
  return times;
}

function karras(level, start, stop, steps) {
  if (!level) throw new Error("the grid karras follows the noise of a path, and there is none");
  const root = (t) => Math.min(NOISE[1], Math.max(NOISE[0], noiseToSignal(level, t))) ** (1 / RHO);
  const [first, last] = [root(start), root(stop)];
  const times = Float64Array.from({ length: steps + 1 }, (_, k) => {
    if (k === 0 || k === steps) return k ? stop : start;
    return timeAt(level, (first + (k / steps) * (last - first)) ** RHO, start, stop);
  });
  return times;
}

/** Sigma / alpha at t, infinite in pure noise. */
export function noiseToSignal(level, t) {
  const { alpha, sigma } = level(t);
  return alpha > 0 ? sigma / alpha : Infinity;
}

/** The time between two others at which sigma / alpha has a value; the nearer one where it never has. */
export function timeAt(level, ratio, low, high) {
  if (noiseToSignal(level, low) <= ratio) return low;
  if (noiseToSignal(level, high) >= ratio) return high;
  let time = 0.5 * (low + high);
  for (let k = 0; k < HALVINGS; k++) {
    const { alpha, sigma, dAlpha, dSigma } = level(time);
    const excess = Math.log(sigma / (ratio * alpha));
    if (Math.abs(excess) < NEAR_ENOUGH) break;
    if (excess > 0) low = time;
    else high = time;
    time -= excess / (dSigma / sigma - dAlpha / alpha);
    if (!(low < time && time < high)) time = 0.5 * (low + high);
  }
  return time;
}
