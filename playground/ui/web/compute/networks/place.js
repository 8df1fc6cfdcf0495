/* Where a network stands in the field: the path's schedule, the four predictions, scaling by moments.

   The twin of playground/dynamics/{path,parameterization}.py, where the formulas are explained, in doubles. */

/** @import {PathTable as Table} from "../../common/wire.js" */
/** @typedef {{alpha: number, sigma: number, gamma: number, dAlpha: number, dSigma: number, dGamma: number}} Coefficients */

/** Reads a path's table: cubic Lagrange interpolation through the four nearest nodes, exact for a linear path.

    That of a discrete path has `timesteps`: between its nodes the angle of (sigma, alpha) moves evenly. */
export class PathTable {
  /** @param {Table} table */
  constructor({ t, alpha, sigma, gamma, d_alpha: dAlpha, d_sigma: dSigma, d_gamma: dGamma, timesteps = null }) {
    this.t = t;
    this.timesteps = timesteps;
    if (timesteps) this.angles = alpha.map((value, k) => Math.atan2(value, sigma[k]));
    this.columns = { alpha, sigma, gamma, dAlpha, dSigma, dGamma };
  }

  /**
   * {alpha, sigma, gamma, dAlpha, dSigma, dGamma} at time t.
   * @param {number} t
   * @returns {Coefficients}
   */
  at(t) {
    if (this.timesteps) return this.#turned(t);
    const nodes = this.t;
    let low = 0;
    for (let high = nodes.length - 1; high - low > 1;) {
      const middle = (low + high) >> 1;
      if (nodes[middle] <= t) low = middle;
      else high = middle;
    }
    const count = Math.min(4, nodes.length);
    const first = Math.max(0, Math.min(low - 1, nodes.length - count));
    const weights = Array.from({ length: count }, (_, i) => {
      let weight = 1;
      for (let j = 0; j < count; j++) {
        if (j !== i) weight *= (t - nodes[first + j]) / (nodes[first + i] - nodes[first + j]);
      }
      return weight;
    });
    const mix = (column) => weights.reduce((sum, weight, i) => sum + weight * column[first + i], 0);
    const mixed = Object.entries(this.columns).map(([name, column]) => [name, mix(column)]);
    return /** @type {Coefficients} */ (Object.fromEntries(mixed));
  }

  /** The ascending times that a sampler stands at instead of these. */
  snapped(times) {
    const { timesteps } = this;
    if (!timesteps) return times;
    const steps = new Set(Array.from(times, (t) => Math.min(timesteps, Math.max(0, Math.floor(t * timesteps + 0.5)))));
    return Float64Array.from(
      [...steps].sort((one, other) => one - other),
      (step) => step / timesteps,
    );
  }

  #turned(t) {
    const { timesteps, angles } = this;
    const place = t * timesteps;
    const cell = Math.min(timesteps - 1, Math.max(0, Math.floor(place + 1e-3)));
    const turn = angles[cell + 1] - angles[cell];
    const angle = angles[cell] + (place - cell) * turn;
    const [alpha, noise, rate] = [Math.sin(angle), Math.cos(angle), turn * timesteps];
    const sigma = noise < 1e-6 ? 0 : noise;
    return { alpha, sigma, gamma: 0, dAlpha: rate * sigma, dSigma: -rate * alpha, dGamma: 0 };
  }
}

/** Where a sampler begins for source points (n·dim values): what x₀ alone decides of the path's first point. */
export function started(x0, network) {
  const factor = network?.path?.start ?? 1;
  return factor === 1 ? x0 : x0.map((value) => factor * value);
}

/** What the expectation of a prediction is: a E[x₁ | x] + b E[x₀ | x]. */
const ROWS = {
  velocity: ({ dAlpha, dSigma }) => [dAlpha, dSigma],
  noise: () => [0, 1],
  data: () => [1, 0],
  score: ({ sigma }) => [0, -1 / sigma],
};
export const PREDICTIONS = Object.keys(ROWS);
export const SCALINGS = ["none", "standard", "residual"];

/** [p, q] such that the velocity is p x + q times what is predicted. */
function mixing(prediction, c) {
  const [a, b] = ROWS[prediction](c);
  const determinant = c.alpha * b - c.sigma * a;
  return [(c.dAlpha * b - c.dSigma * a) / determinant, (c.dSigma * c.alpha - c.dAlpha * c.sigma) / determinant];
}

/** The network's place in the field: v = skip (x − center) + drift + out F(inside (x − center), t).

    scaling {kind, mean0, mean1, std0, std1}: `none` takes F for the prediction; `standard` scales input and output to
    unit variance; `residual` adds the exact velocity between two Gaussians of the same moments, so that F is only what
    is left of it, whatever is predicted, but for its sign. blur is the variance of the noise in what F sees. */
export function affinePlace(scaling, prediction, path, t, dim) {
  const { kind, mean0, mean1, std0, std1 } = scaling;
  const c = path.at(t);
  const mix = (a, b) => mean1.map((m1, j) => a * m1 + b * mean0[j]);
  const zeros = new Array(dim).fill(0);
  const variance = (a, b, g) => (a * std1) ** 2 + (b * std0) ** 2 + g ** 2;
  const inside = kind === "none" ? 1 : 1 / Math.sqrt(variance(c.alpha, c.sigma, c.gamma));
  const center = kind === "none" ? zeros : mix(c.alpha, c.sigma);
  const blur = inside ** 2 * ((c.sigma * std0) ** 2 + c.gamma ** 2);
  if (kind === "residual") {
    const skip = inside ** 2 * (c.dAlpha * c.alpha * std1 ** 2 + c.dSigma * c.sigma * std0 ** 2 + c.dGamma * c.gamma);
    const turning = c.dAlpha * c.sigma - c.dSigma * c.alpha;
    const out = Math.hypot(turning * std0 * std1, c.dGamma * c.gamma) * inside;
    return { inside, center, skip, drift: mix(c.dAlpha, c.dSigma), out: prediction === "noise" ? -out : out, blur };
  }
  const outputs = {
    velocity: ["velocity", zeros, Math.sqrt(variance(c.dAlpha, c.dSigma, c.dGamma * c.gamma * inside))],
    data: ["data", mean1, std1],
    noise: ["noise", mean0, std0],
    score: ["noise", zeros, -1], // F = −x₀, which is finite where sigma is 0
  };
  const [predicted, mean, deviation] = kind === "none" ? [prediction, zeros, 1] : outputs[prediction];
  if (predicted === "velocity") return { inside, center, skip: 0, drift: mean, out: deviation, blur };
  const [ofPoint, ofValue] = mixing(predicted, c);
  const drift = center.map((m, j) => ofPoint * m + ofValue * mean[j]);
  return { inside, center, skip: ofPoint, drift, out: ofValue * deviation, blur };
}

/** Features of x_t that a score is scaled for, as a share of its whole width. */
const NARROW = 0.1;

/** The place of a bridge's second network, with the score in place of the velocity. */
export function scorePlace(scaling, path, t, dim) {
  const { inside, center, blur } = affinePlace(scaling, "velocity", path, t, dim);
  const drift = new Array(dim).fill(0);
  if (scaling.kind === "none") return { inside, center, skip: 0, drift, out: 1, blur };
  const out = -inside / Math.sqrt((path.at(t).gamma * inside) ** 2 + NARROW ** 2);
  return { inside, center, skip: scaling.kind === "residual" ? -(inside ** 2) : 0, drift, out, blur };
}
