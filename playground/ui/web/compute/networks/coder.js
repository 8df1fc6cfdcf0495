/* A VAE's encoder and decoder, evaluated in plain JavaScript for the few hundred points of the latent pane.

   Points are arrays (n·d), point after point; what is said of them is in nats of the data's own units, as in
   playground/models/vae.py. */

const ACTIVATIONS = {
  relu: (x) => Math.max(0, x),
  silu: (x) => x / (1 + Math.exp(-x)),
  tanh: Math.tanh,
  selu: (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x)),
};
const LOG_2PI = Math.log(2 * Math.PI);

/** F(x) of a network {ops} with its flat weights, for points (n·inputs) → (n·outputs). */
export function evaluated({ ops }, weights, x) {
  let [rows, at] = [Float64Array.from(x), 0];
  for (const { op, in: inputs, out: outputs } of ops) {
    if (op !== "linear") {
      rows = rows.map(ACTIVATIONS[op]);
      continue;
    }
    const n = rows.length / inputs;
    const next = new Float64Array(n * outputs);
    const bias = at + inputs * outputs;
    for (let i = 0; i < n; i++) {
      for (let o = 0; o < outputs; o++) {
        let sum = weights[bias + o];
        const row = at + o * inputs;
        for (let j = 0; j < inputs; j++) sum += weights[row + j] * rows[i * inputs + j];
        next[i * outputs + o] = sum;
      }
    }
    rows = next;
    at = bias + outputs;
  }
  return rows;
}

export class Coder {
  /** network: as the server describes a VAE; weights: {encoder, decoder, spread} of a snapshot. */
  constructor({ networks, encoder, map, dim }, weights) {
    Object.assign(this, { networks, weights, dim, data: encoder.inside, k: encoder.latent });
    this.map = map;
  }

  /** Mean and deviation, both (n·k), of the latents that points may have come from. */
  encode(points) {
    const {
      dim,
      k,
      data: { mean, std },
    } = this;
    const inside = Float64Array.from(points, (value, i) => (value - mean[i % dim]) / std[i % dim]);
    const said = evaluated(this.networks.encoder, this.weights.encoder, inside);
    const n = points.length / dim;
    const part = (from) =>
      Float64Array.from({ length: n * k }, (_, i) => said[2 * k * Math.floor(i / k) + from + (i % k)]);
    return { mean: part(0), deviation: part(k).map((value) => Math.exp(value / 2)) };
  }

  /** The means (n·d) of the points that latents (n·k) stand for. */
  decode(latents) {
    const {
      dim,
      map: {
        outside: { mean, std },
      },
    } = this;
    const raw = evaluated(this.networks.decoder, this.weights.decoder, latents);
    return raw.map((value, i) => mean[i % dim] + std[i % dim] * value);
  }

  /** log p(x|z) (n) of points under what latents decode to. */
  likelihood(points, latents) {
    const {
      dim,
      weights: { spread },
    } = this;
    const made = this.decode(latents);
    let constant = 0;
    for (let axis = 0; axis < dim; axis++) constant += Math.log(spread[axis]) + LOG_2PI / 2;
    return Float64Array.from({ length: points.length / dim }, (_, i) => {
      let sum = -constant;
      for (let axis = 0; axis < dim; axis++)
        sum -= ((points[i * dim + axis] - made[i * dim + axis]) / spread[axis]) ** 2 / 2;
      return sum;
    });
  }

  /** The mean rate of each latent over encoded points (k). */
  rates({ mean, deviation }) {
    const { k } = this;
    const sums = new Float64Array(k);
    mean.forEach((m, i) => (sums[i % k] += (m * m + deviation[i] ** 2 - 1) / 2 - Math.log(deviation[i])));
    return sums.map((sum) => (sum * k) / mean.length);
  }

  /** Means over points, from so many latents for each: {reconstruction: E log p(x|z), weighted: a bound on log p(x)}. */
  bounds(points, { mean, deviation }, draws, normal) {
    const { k } = this;
    const n = points.length / this.dim;
    let reconstruction = 0;
    const logs = Array.from({ length: n }, () => []);
    for (let draw = 0; draw < draws; draw++) {
      const noise = Float64Array.from(mean, normal);
      const latents = mean.map((m, i) => m + deviation[i] * noise[i]);
      const likelihood = this.likelihood(points, latents);
      for (let i = 0; i < n; i++) {
        let log = likelihood[i];
        reconstruction += log / (n * draws);
        for (let j = i * k; j < (i + 1) * k; j++) log += (noise[j] ** 2 - latents[j] ** 2) / 2 + Math.log(deviation[j]);
        logs[i].push(log);
      }
    }
    const weighted = logs.reduce((sum, of) => sum + logMean(of) / n, 0);
    return { reconstruction, weighted };
  }
}

function logMean(logs) {
  const most = Math.max(...logs);
  return most + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - most), 0) / logs.length);
}
