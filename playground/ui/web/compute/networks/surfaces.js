/* Networks that are called once, without a time: maps from a latent to data, and scalar surfaces over the data.

   Points are (n, dim), point after point; a latent may have other dimensions than the data. */

import { BLOCK } from "../kernel/layout.js";
import { Layers } from "./network.js";

/** F((x − mean) / std) for points of `inputs` values: writes `outputs` values a point into `into`. */
function evaluate(kernel, layers, x, { inputs, outputs, inside }, into) {
  layers.load();
  const { floats, buffers } = kernel;
  for (let start = 0, first = 0; start < x.length; start += BLOCK * inputs, first += BLOCK) {
    const count = Math.min(BLOCK, (x.length - start) / inputs);
    for (let j = 0; j < inputs; j++) {
      const [mean, std] = [inside.mean[j], inside.std[j]];
      for (let i = 0; i < count; i++) floats[buffers[0] + j * BLOCK + i] = (x[start + i * inputs + j] - mean) / std;
    }
    const rows = layers.run();
    for (let j = 0; j < outputs; j++) {
      for (let i = 0; i < count; i++) into[(first + i) * outputs + j] = floats[rows + j * BLOCK + i];
    }
  }
  return into;
}

/** The surfaces of a run: {NAME: {network, inside: {mean [d], std [d]}, of, label}}, by its networks' weights. */
export class Surfaces {
  constructor(kernel, { surfaces = {}, networks = {}, dim }) {
    Object.assign(this, { kernel, surfaces, networks, dim, snapshots: new Map() });
  }

  put(snapshot, weights) {
    const layers = {};
    for (const { network } of Object.values(this.surfaces)) {
      layers[network] ??= new Layers(this.kernel, this.networks[network], weights[network], this.dim);
    }
    this.snapshots.set(snapshot, layers);
  }

  drop(snapshot) {
    this.snapshots.delete(snapshot);
  }

  /** The values (n,) of a surface at points; "probability" is the logistic function of the network's output, unless it is
      the raw one that is asked for. */
  values(snapshot, name, points, raw = false) {
    const layers = this.snapshots.get(snapshot);
    const surface = this.surfaces[name];
    if (!layers || !surface) throw new Error(`there is no surface "${name}" of snapshot ${snapshot} here`);
    const into = new Float32Array(points.length / this.dim);
    const shape = { inputs: this.dim, outputs: 1, inside: surface.inside };
    evaluate(this.kernel, layers[surface.network], points, shape, into);
    if (surface.bowl) addBowl(into, points, surface);
    return surface.of === "probability" && !raw ? into.map((logit) => 1 / (1 + Math.exp(-logit))) : into;
  }
}

/** Adds bowl · ‖(x − mean) / std‖² to each value: what keeps an energy's density integrable. */
function addBowl(values, points, { bowl, inside: { mean, std } }) {
  const dim = mean.length;
  for (let i = 0; i < points.length; i++)
    values[Math.floor(i / dim)] += bowl * ((points[i] - mean[i % dim]) / std[i % dim]) ** 2;
}

/** A run without a field of its own, which the server samples: it may have surfaces. */
export class SurfaceRun {
  constructor(kernel, description) {
    this.scalars = new Surfaces(kernel, description);
  }

  put(snapshot, weights) {
    this.scalars.put(snapshot, weights);
  }

  drop(snapshot) {
    this.scalars.drop(snapshot);
  }

  field() {
    throw new Error("this model has no velocity field");
  }
}

/** A run whose samples are one call away: x = mean + std · F((z − mean) / std), from a latent z (n, k).

    With `noise`, the name of weights that hold a deviation for each of the dim axes, the last dim columns of a latent
    are not for the network: x has that noise on it. */
export class MapRun extends SurfaceRun {
  constructor(kernel, description) {
    super(kernel, description);
    Object.assign(this, { kernel, map: description.map, networks: description.networks, snapshots: new Map() });
  }

  put(snapshot, weights) {
    super.put(snapshot, weights);
    const { network, noise } = this.map;
    const layers = new Layers(this.kernel, this.networks[network], weights[network], this.inputs);
    this.snapshots.set(snapshot, { layers, spread: noise ? weights[noise].slice() : null });
  }

  drop(snapshot) {
    super.drop(snapshot);
    this.snapshots.delete(snapshot);
  }

  /** How many of a latent's columns the network sees. */
  get inputs() {
    const { latent, dim, noise } = this.map;
    return noise ? latent - dim : latent;
  }

  /** The latent by its first coordinates and the samples, both (n, dim). */
  jump(snapshot, z) {
    const found = this.snapshots.get(snapshot);
    if (!found) throw new Error(`snapshot ${snapshot} is not here`);
    const { inputs } = this;
    const { latent, dim, inside, outside } = this.map;
    const n = z.length / latent;
    const own =
      inputs === latent
        ? z
        : Float32Array.from({ length: n * inputs }, (_, i) => z[Math.floor(i / inputs) * latent + (i % inputs)]);
    const x = evaluate(this.kernel, found.layers, own, { inputs, outputs: dim, inside }, new Float32Array(n * dim));
    for (let i = 0; i < x.length; i++) x[i] = outside.mean[i % dim] + outside.std[i % dim] * x[i];
    const noise = (i) => found.spread[i % dim] * z[Math.floor(i / dim) * latent + inputs + (i % dim)];
    if (found.spread) for (let i = 0; i < x.length; i++) x[i] += noise(i);
    const seen = Float32Array.from(x, (_, i) => (i % dim < latent ? z[Math.floor(i / dim) * latent + (i % dim)] : 0));
    return [seen, x];
  }
}
