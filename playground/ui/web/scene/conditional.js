/**
 * The conditional paths through a point: which pairs (x₀, x₁) lead through x at time t, and how likely each is.
 *
 * With x_t = α x₁ + σ x₀ + γ z and independent pairs, every target point x₁ leads through x from the one source point
 * x₀ = (x − α x₁ − γ z) / σ, and is as likely as that is dense in the source; or, the other way round, every source point
 * from its one target point. A Gaussian source's density is known exactly: then the first way is taken as long as enough
 * of the points count; else the side on which more of them do, with a density made of points. With any other coupling the
 * pairs themselves are weighed, by how near to x they come. The mean of their velocities is the marginal velocity.
 */

import { noise } from "./exact-field.js";
import { Grid, smooth } from "../compute/metrics/grid.js";
import { PathTable } from "../compute/networks/place.js";

/** Cells of a density along an axis, and its kernel in cells. */
const CELLS = 120;
const WIDTH = 1.2;
/** How near to x a pair of a coupling has to come, as a share of half the picture (a standard deviation). */
const NEAR = 0.04;
/** So many points have to count for one side to do; of fewer than this the mean is rough. */
const [ENOUGH, FEW] = [60, 25];
/** So many paths are drawn: as often each as it is likely. */
const DRAWN = 60;

/** The density of points (n·dim values), read between cells; 0 far from all of them. */
class Density {
  constructor(points, dim) {
    const axes = Array.from({ length: dim }, (_, j) => points.filter((_, i) => i % dim === j));
    const bounds = axes.map((values) =>
      values.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [Infinity, -Infinity]),
    );
    const center = bounds.map(([low, high]) => (low + high) / 2);
    const half = 0.55 * Math.max(...bounds.map(([low, high]) => high - low), 1e-6);
    Object.assign(this, { dim, low: center.map((c) => c - half), size: (2 * half) / CELLS });
    if (dim === 2) this.values = new Grid({ center, half }, CELLS).density(points, WIDTH);
    else {
      this.values = new Float32Array(CELLS);
      for (const y of points) this.values[Math.min(CELLS - 1, Math.floor((y - this.low[0]) / this.size))] += 1;
      smooth(this.values, 1, CELLS, WIDTH);
    }
  }

  at(x, y) {
    const column = (x - this.low[0]) / this.size - 0.5;
    const row = this.dim === 1 ? 0 : (y - this.low[1]) / this.size - 0.5;
    const last = this.dim === 1 ? 0 : CELLS - 2;
    if (!(column >= 0 && row >= 0 && column < CELLS - 1 && row <= last)) return 0;
    const [i, j] = [Math.floor(column), Math.floor(row)];
    const [a, b] = [column - i, row - j];
    const line = (from) => (1 - a) * this.values[from] + a * this.values[from + 1];
    return this.dim === 1 ? line(i) : (1 - b) * line(j * CELLS + i) + b * line((j + 1) * CELLS + i);
  }
}

/** The density of a Gaussian {mean, std, correlation}, as the form has it, up to a constant factor. */
class GaussianDensity {
  constructor({ mean, std, correlation }, dim) {
    const whole = (values) => Array.from({ length: dim }, (_, j) => values[values.length > 1 ? j : 0]);
    Object.assign(this, { mean: whole(mean), std: whole(std), correlation, dim });
  }

  at(x, y) {
    const { mean, std, correlation } = this;
    const a = (x - mean[0]) / std[0];
    if (this.dim === 1) return Math.exp(-0.5 * a * a);
    const b = ((y - mean[1]) / std[1] - correlation * a) / Math.sqrt(1 - correlation ** 2);
    return Math.exp(-0.5 * (a * a + b * b));
  }
}

/** The mean squared distance of points from their middle. */
function spread(points, dim) {
  const mean = Array.from(
    { length: dim },
    (_, j) => points.reduce((sum, v, i) => (i % dim === j ? sum + v : sum), 0) / (points.length / dim),
  );
  return points.reduce((sum, v, i) => sum + (v - mean[i % dim]) ** 2, 0) / (points.length / dim);
}

export class Conditional {
  /** partners: for each source point the row of its target point; null for independent pairs. half: of the picture.
      source: as the experiment has it. */
  constructor({ path, x0, target, dim, half, partners = null, source = null }) {
    Object.assign(this, { path, x0, target, dim, half, partners, table: new PathTable(path.table) });
    this.n = Math.min(x0.length, target.length) / dim;
    this.z = noise(this.n * dim);
    this.spreads = [spread(x0, dim), spread(target, dim)];
    if (partners) return;
    this.known = source?.kind === "gaussian";
    const start = this.known ? new GaussianDensity(source, dim) : new Density(x0, dim);
    this.densities = [start, new Density(target, dim)];
  }

  /** Where a path {x0, x1, z} is at a time, within the path's own interval. */
  along({ x0, x1, z }, time) {
    const { t_min: low = 0, t_max: high = 1 } = this.path;
    const { alpha, sigma, gamma } = this.table.at(Math.min(high, Math.max(low, time)));
    return x1.map((b, j) => alpha * b + sigma * x0[j] + gamma * z[j]);
  }

  /** {paths: [{x0, x1, z, times: how often it is drawn}], mean: dx/dt at x and t, deviation: of the paths' own, rough:
      whether so few points count that the mean is uncertain}; null where none of these points leads through x. */
  through(x, t) {
    const { dim, n, path } = this;
    const { t_min: low = 0, t_max: high = 1 } = path;
    const c = this.table.at(Math.min(high - 1e-4, Math.max(low + 1e-4, t)));
    const pairs = this.partners ? this.#near(x, c) : this.#leading(x, c);
    let total = 0;
    const mean = new Array(dim).fill(0);
    for (const one of pairs) {
      one.velocity = one.x1.map((b, j) => c.dAlpha * b + c.dSigma * one.x0[j] + c.dGamma * one.z[j]);
      total += one.weight;
      one.velocity.forEach((v, j) => (mean[j] += one.weight * v));
    }
    if (!(total > 0) || pairs.length < Math.min(3, n)) return null;
    const marginal = mean.map((sum) => sum / total);
    const square = pairs.reduce(
      (sum, { weight, velocity }) => sum + weight * velocity.reduce((s, v, j) => s + (v - marginal[j]) ** 2, 0),
      0,
    );
    const rough = counting(pairs) < FEW;
    return { paths: drawn(pairs, total), mean: marginal, deviation: Math.sqrt(square / total), rough };
  }

  /** Independent pairs that lead through x exactly. */
  #leading(x, coefficients) {
    const { alpha, sigma } = coefficients;
    const wide = sigma ** 2 * this.spreads[0] >= alpha ** 2 * this.spreads[1];
    const found = this.#from(wide || this.known, x, coefficients);
    return wide || !this.known || counting(found) >= ENOUGH ? found : this.#from(false, x, coefficients);
  }

  /** The pairs of all target points, or of all source points, with the other point that x asks for. */
  #from(forward, x, { alpha, sigma, gamma }) {
    const { dim, n, x0, target, z, densities } = this;
    const [points, share, other, density] = forward
      ? [target, alpha, sigma, densities[0]]
      : [x0, sigma, alpha, densities[1]];
    const pairs = [];
    for (let i = 0; i < n; i++) {
      const own = Array.from(points.subarray(i * dim, (i + 1) * dim));
      const shaken = Array.from(z.subarray(i * dim, (i + 1) * dim));
      const found = own.map((v, j) => (x[j] - share * v - gamma * shaken[j]) / other);
      const weight = density.at(found[0], found[1]);
      if (weight > 0) pairs.push({ x0: forward ? found : own, x1: forward ? own : found, z: shaken, weight });
    }
    return pairs;
  }

  /** Pairs of a coupling that pass near x. */
  #near(x, { alpha, sigma, gamma }) {
    const { dim, n, x0, target, z, partners } = this;
    const scale = -0.5 / (NEAR * this.half) ** 2;
    const pairs = [];
    for (let i = 0; i < n; i++) {
      const from = Array.from(x0.subarray(i * dim, (i + 1) * dim));
      const to = Array.from(target.subarray(partners[i] * dim, (partners[i] + 1) * dim));
      const shaken = Array.from(z.subarray(i * dim, (i + 1) * dim));
      const away = to.reduce((sum, b, j) => sum + (alpha * b + sigma * from[j] + gamma * shaken[j] - x[j]) ** 2, 0);
      const weight = Math.exp(scale * away);
      if (weight > 0.01) pairs.push({ x0: from, x1: to, z: shaken, weight });
    }
    return pairs;
  }
}

/** How many of the pairs count, as many as would with equal weights. */
function counting(pairs) {
  const [sum, squares] = pairs.reduce(([a, b], { weight }) => [a + weight, b + weight ** 2], [0, 0]);
  return squares ? sum ** 2 / squares : 0;
}

/** Some of the pairs, each as often as its weight says, one in every equal share of the whole. */
function drawn(pairs, total) {
  const found = [];
  let sum = 0;
  for (const one of pairs) {
    const before = Math.floor((DRAWN * sum) / total + 0.5);
    sum += one.weight;
    const times = Math.floor((DRAWN * sum) / total + 0.5) - before;
    if (times > 0) found.push({ ...one, times });
  }
  return found;
}
