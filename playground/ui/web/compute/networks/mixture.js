/* The exact velocity field of a Gaussian mixture: nothing to learn, nothing to wait for.

   For a source N(m₀, Σ₀) and independent targets from Σ_k w_k N(c_k, Σ_k) under x_t = α x₁ + σ x₀ + γ z, each
   component is at time t the Gaussian N(α c_k + σ m₀, S_k) with S_k = α² Σ_k + σ² Σ₀ + γ² I, and within it
       E[dx_t/dt | x] = α' c_k + σ' m₀ + B_k (x − α c_k − σ m₀),  B_k = (α' α Σ_k + σ' σ Σ₀ + γ' γ I) S_k⁻¹,
   so that the field is the mean of these affine maps under the posterior weights ∝ w_k N(x; α c_k + σ m₀, S_k).
   A set of up to 512 points is the mixture with Σ_k = 0; its field is singular where σ = γ = 0, so end short of it. */

import { decodeArray } from "../../common/codec.js";
import { guidedPasses, UNGUIDED } from "./guiding.js";
import { BLOCK, COMPONENT, MAX_ROWS } from "../kernel/layout.js";
import { PathTable } from "./place.js";

/** Added to each variance, in squared data units: keeps S_k⁻¹ finite where S_k is singular. */
const LEAST_VARIANCE = 1e-10;

/** A run that is the same for every snapshot. Its description:
    {mixture: {centers (k, d), weights [k], covariances (k, d, d), or (k) for multiples of I},
    source: {mean [d], covariance [d][d], or std for its multiple of I}, path: {t_min, t_max, table}}
    with d 1 or 2 and wire arrays; the weights need not sum to 1. */
export class MixtureRun {
  constructor(kernel, { mixture, source, path, condition = null }) {
    const { shape, data: centers } = decodeArray(mixture.centers);
    const { shape: kind, data: covariances } = decodeArray(mixture.covariances);
    const [count, dim] = shape;
    if (!(count >= 1 && count <= MAX_ROWS)) throw new Error(`a mixture has 1 to ${MAX_ROWS} components, not ${count}`);
    if (!(dim === 1 || dim === 2)) throw new Error(`a mixture has 1 or 2 dimensions, not ${dim}`);
    Object.assign(this, { kernel, path, count, dim, condition, era: -1 });
    this.table = new PathTable(path.table);
    const own = source.covariance ?? [
      [source.std ** 2, 0],
      [0, source.std ** 2],
    ];
    this.covariance0 = dim === 2 ? [own[0][0], own[0][1], own[1][1]] : [own[0][0], 0, 0];
    this.mean0 = [source.mean[0], dim === 2 ? source.mean[1] : 0];
    this.components = Array.from({ length: count }, (_, k) => {
      const isotropic = kind.length === 1;
      const at = (i, j) => (isotropic ? (i === j ? covariances[k] : 0) : covariances[(k * dim + i) * dim + j]);
      const center = [centers[k * dim], dim === 2 ? centers[k * dim + 1] : 0];
      const covariance = dim === 2 ? [at(0, 0), at(0, 1), at(1, 1)] : [at(0, 0), 0, 0];
      return { weight: mixture.weights[k], center, covariance };
    });
  }

  put() {}

  drop() {}

  /** As of NetworkRun; a particle that is told a class follows the component of that number alone. */
  field(snapshot, { told = null, guidance = 1, guiding = UNGUIDED } = {}) {
    const { t_min: tMin, t_max: tMax } = this.path;
    const level = (t) => this.table.at(t);
    const passesAt = guidedPasses(this.condition, told, guidance, guiding);
    let spent = 0;
    const velocity = (x, t, into) => {
      const { passes, calls } = passesAt(t);
      spent += calls;
      this.#velocity(passes, x, t, into);
    };
    return { velocity, level, dim: this.dim, tMin, tMax, spent: () => spent };
  }

  #velocity(passes, x, t, into) {
    const { kernel, dim } = this;
    this.#pack(t);
    const { floats, buffers } = kernel;
    const [scratch, first] = buffers;
    const rows = first + 2 * BLOCK;
    floats.fill(0, first, first + 2 * BLOCK); // the second coordinate of points on a line, and lanes beyond the last
    into.fill(0);
    for (const { value, index, weight } of passes) {
      const [from, to] = value === null ? [0, this.count] : [value, value + 1];
      const count = index ? index.length : x.length / dim;
      for (let start = 0; start < count; start += BLOCK) {
        const stop = Math.min(start + BLOCK, count);
        for (let j = 0; j < dim; j++) {
          for (let k = start, at = first + j * BLOCK; k < stop; k++) floats[at++] = x[(index ? index[k] : k) * dim + j];
        }
        kernel.mixture(first, this.at + from * COMPONENT, this.at + to * COMPONENT, rows, scratch);
        for (let j = 0; j < dim; j++) {
          for (let k = start, at = rows + j * BLOCK; k < stop; k++)
            into[(index ? index[k] : k) * dim + j] += weight * floats[at++];
        }
      }
    }
  }

  /** Writes the components at time t where the kernel reads them: mean m, ½ log₂e S⁻¹ with its sign and the off-diagonal
      entry counted twice, the logarithm to base 2 of the weight at the mean, the velocity there, b₁₁, b₁₂, b₂₂, b₂₁. */
  #pack(t) {
    const { kernel, dim, mean0, covariance0, components } = this;
    if (this.era !== kernel.era || this.at === undefined) {
      this.at = kernel.reserve(components.length * COMPONENT);
      this.era = kernel.era;
    }
    const { alpha, sigma, gamma, dAlpha, dSigma, dGamma } = this.table.at(t);
    const [p11, p12, p22] = covariance0;
    const noise = gamma * gamma + LEAST_VARIANCE;
    components.forEach(({ weight, center, covariance }, k) => {
      const [c11, c12, c22] = covariance;
      const sum = (c, p, rest) => alpha * alpha * c + sigma * sigma * p + rest;
      const slope = (c, p, rest) => dAlpha * alpha * c + dSigma * sigma * p + rest;
      const [s11, s12, s22] = [sum(c11, p11, noise), sum(c12, p12, 0), dim === 2 ? sum(c22, p22, noise) : 1];
      const change = dGamma * gamma;
      const [n11, n12, n22] = [slope(c11, p11, change), slope(c12, p12, 0), slope(c22, p22, change)];
      const determinant = s11 * s22 - s12 * s12;
      const [i11, i12, i22] = [s22 / determinant, -s12 / determinant, s11 / determinant];
      const m = center.map((c, j) => alpha * c + sigma * mean0[j]);
      const u = center.map((c, j) => dAlpha * c + dSigma * mean0[j]);
      const logit = Math.log2(weight) - 0.5 * Math.log2(determinant);
      const b = [n11 * i11 + n12 * i12, n11 * i12 + n12 * i22, n12 * i12 + n22 * i22, n12 * i11 + n22 * i12];
      const half = -0.5 * Math.LOG2E;
      kernel.floats.set([...m, half * i11, 2 * half * i12, half * i22, logit, ...u, ...b], this.at + k * COMPONENT);
    });
  }
}
