/* From a description and flat weights to a velocity field dx/dt = v(x, t).

   The twin of playground/networks.py and models/flow.py. Time is a double here and a float32 there, so the time features
   round to float32 where torch does. Points are (n, dim), point after point. */

import { Film } from "./film.js";
import { guidedPasses, lead, UNGUIDED } from "./guiding.js";
import { BLOCK, MAX_ROWS } from "../kernel/layout.js";
import { affinePlace, PathTable, PREDICTIONS, SCALINGS, scorePlace } from "./place.js";
import { ACTIVATIONS } from "../kernel/wasm.js";
import { Waves } from "./waves.js";

/** What the network is told of t: [2t − 1, sin 2πt, …, sin 2πkt, cos 2πt, …, cos 2πkt] for k frequencies. */
export function timeFeatures(t, frequencies) {
  const time = Math.fround(t);
  const once = Math.fround(Math.fround(2 * Math.PI) * time);
  const angles = Array.from({ length: frequencies }, (_, k) => Math.fround(once * (k + 1)));
  return [2 * time - 1, ...angles.map(Math.sin), ...angles.map(Math.cos)];
}

/** A list of operations with its weights: rows of a block in, rows out; the rest of the input is shared by all. */
export class Layers {
  /** `inputs` rows are given for each particle, below which come those of its Fourier features where there are `waves`
      (waves.js); the first layer's other inputs are set by `share`, and so is what modulates the layers where there is
      `film` (film.js). */
  constructor(kernel, { ops, film, waves, size }, weights, inputs) {
    this.kernel = kernel;
    this.waves = waves ? new Waves(kernel, waves) : null;
    if (waves && this.waves.inputs !== inputs)
      throw new Error(`the waves are of ${this.waves.inputs} inputs, not ${inputs}`);
    this.inputs = inputs + (this.waves?.rows ?? 0);
    this.ops = ops.map((op) => ({ ...op }));
    this.era = -1;
    const hidden = ops.filter(({ op }) => op === "linear").slice(0, -1);
    this.film = film
      ? new Film(
          film,
          weights,
          hidden.map(({ out }) => out),
        )
      : null;
    let at = this.film?.size ?? 0;
    for (const op of this.ops) {
      if (op.op === "linear") {
        if (!(op.in >= 1 && op.in <= MAX_ROWS + 64 && op.out >= 1 && op.out <= MAX_ROWS)) {
          throw new Error(`a layer of ${op.in} by ${op.out} is outside 1 to ${MAX_ROWS}`);
        }
        op.matrix = weights.subarray(at, (at += op.in * op.out));
        op.bias = weights.subarray(at, (at += op.out));
      } else if (!ACTIVATIONS.includes(op.op)) {
        throw new Error(`there is no operation "${op.op}" here`);
      }
    }
    this.first = this.ops[0];
    if (this.first?.op !== "linear") throw new Error("the first operation must be linear");
    if (at !== weights.length || (size ?? at) !== at) {
      throw new Error(`the operations need ${at} weights, ${weights.length} came`);
    }
    const others = this.first.in - this.inputs;
    if (film ? others !== 0 : others < 0)
      throw new Error(`the first layer has ${this.first.in} inputs, not ${this.inputs}`);
    this.shared = new Float32Array(film ? film.in : others);
  }

  /** The other inputs, and the blur that damps the waves: the same for every particle until the next call. */
  share(values, blur = 0) {
    if (values.length !== this.shared.length) {
      throw new Error(`the first layer has ${this.first.in} inputs, ${this.inputs} + ${values.length} came`);
    }
    this.shared.set(values);
    if (this.waves) this.waves.blur = blur;
    if (this.era !== this.kernel.era) return;
    this.waves?.damp(blur);
    this.#fold();
  }

  /** Makes sure that the packed weights are in the kernel's memory: before the blocks of one evaluation. */
  load() {
    if (this.era === this.kernel.era) return;
    const linear = this.ops.filter((op) => op.op === "linear");
    const width = (op) => (op === this.first ? this.inputs : op.in);
    const sizes = linear.map((op) => 2 * Math.ceil(op.out / 2) * (width(op) + 1));
    let at = this.kernel.reserve(sizes.reduce((a, b) => a + b, this.waves?.size ?? 0));
    if (this.waves) {
      this.waves.load(at);
      at += this.waves.size;
    }
    linear.forEach((op, i) => {
      op.begin = at;
      op.inputs = width(op);
      op.end = at += sizes[i];
      pack(this.kernel.floats, op);
    });
    this.era = this.kernel.era;
    this.#fold();
  }

  /** Runs one block whose input rows stand in the kernel's first buffer; returns the offset of the output rows. */
  run() {
    let [from, to] = this.kernel.buffers;
    let rows = this.inputs;
    this.waves?.run(from);
    for (const op of this.ops) {
      if (op.op === "linear") {
        this.kernel.affine(from, op.begin, op.end, op.inputs, to);
        [from, to] = [to, from];
        rows = op.out;
      } else {
        this.kernel.activate(op.op, from, rows);
      }
    }
    return from;
  }

  /** Puts what is shared into the packed weights: into the first bias, or into all hidden layers. */
  #fold() {
    if (!this.film) return this.#foldBias();
    const linear = this.ops.filter((op) => op.op === "linear");
    this.film.at(this.shared).forEach((modulation, level) => pack(this.kernel.floats, linear[level], modulation));
  }

  #foldBias() {
    const { begin, bias, matrix, out } = this.first;
    for (let o = 0; o < out; o++) {
      let sum = bias[o];
      let w = o * this.first.in + this.inputs;
      for (const value of this.shared) sum += matrix[w++] * value;
      this.kernel.floats[begin + place(o, this.inputs)] = sum;
    }
  }
}

/** Where the bias of output o stands in packed weights; its weights follow at every second float. */
function place(o, inputs) {
  return (o >> 1) * 2 * (inputs + 1) + (o & 1);
}

/** Packs a layer, whose outputs z may be modulated to gain · z + shift. */
function pack(floats, { begin, end, inputs, out, bias, matrix, in: stride }, modulation = null) {
  if (!modulation) floats.fill(0, begin, end);
  for (let o = 0; o < out; o++) {
    const at = begin + place(o, inputs);
    const [gain, shift] = modulation ? [modulation.gain[o], modulation.shift[o]] : [1, 0];
    floats[at] = gain * bias[o] + shift;
    for (let k = 0; k < inputs; k++) floats[at + 2 * (k + 1)] = gain * matrix[o * stride + k];
  }
}

/** A run whose snapshots are weights of networks. Other kinds of run offer the same `put`, `drop` and `field`. */
export class NetworkRun {
  constructor(kernel, description) {
    const { prediction, scaling } = description;
    if (!PREDICTIONS.includes(prediction)) throw new Error(`there is no prediction "${prediction}" here`);
    if (!SCALINGS.includes(scaling.kind)) throw new Error(`there is no input scaling "${scaling.kind}" here`);
    this.kernel = kernel;
    this.description = description;
    this.table = new PathTable(description.path.table);
    this.snapshots = new Map();
  }

  /** Keeps the weights {name: Float32Array} of a snapshot. */
  put(snapshot, weights) {
    const { networks, dim } = this.description;
    const layers = (name) => networks[name] && new Layers(this.kernel, networks[name], weights[name], dim);
    this.snapshots.set(snapshot, { velocity: layers("velocity"), score: layers("score") });
  }

  drop(snapshot) {
    this.snapshots.delete(snapshot);
  }

  /** {velocity(x, t, into), score(x, t, into) along a bridge, level(t) of the path, bridge, dim, tMin, tMax, spent()} of
      a snapshot. `told`: what the points are told, see condition.js; `guidance`: w in v∅ + w (v_c − v∅); `guiding`: see
      guiding.js; `spent`: how many evaluations of the network there have been for each point. */
  field(snapshot, { told = null, guidance = 1, guiding = UNGUIDED } = {}) {
    const layers = this.#layers(snapshot);
    const guide = guiding.early === 1 ? null : this.#layers(guiding.guide);
    const {
      path: { t_min: tMin, t_max: tMax },
      condition,
      dim,
      scaling,
      prediction,
    } = this.description;
    const passesAt = guidedPasses(condition, told, guidance, guiding);
    let [spent, other] = [0, null];
    const evaluate = (name, place, x, t, into) => {
      const { passes, calls, early } = passesAt(t);
      this.#evaluate(layers[name], place, passes, x, t, into);
      spent += calls;
      if (!guide || early === 1) return;
      if (other?.length !== into.length) other = new Float32Array(into.length);
      this.#evaluate(guide[name], place, passes, x, t, other);
      spent += calls;
      lead(early, into, other);
    };
    const velocity = (x, t, into) => {
      evaluate("velocity", affinePlace(scaling, prediction, this.table, t, dim), x, t, into);
    };
    const score = (x, t, into) => evaluate("score", scorePlace(scaling, this.table, t, dim), x, t, into);
    const level = (t) => this.table.at(t);
    const snapped = (times) => this.table.snapped(times);
    return { velocity, score, level, snapped, bridge: Boolean(layers.score), dim, tMin, tMax, spent: () => spent };
  }

  #layers(snapshot) {
    const layers = this.snapshots.get(snapshot);
    if (!layers) throw new Error(`snapshot ${snapshot} is not here`);
    return layers;
  }

  #evaluate(layers, { inside, center, skip, drift, out, blur }, passes, x, t, into) {
    const { dim, frequencies } = this.description;
    for (let i = 0, j = 0; i < x.length; i++, j = (j + 1) % dim) into[i] = skip * (x[i] - center[j]) + drift[j];
    const time = timeFeatures(t, frequencies);
    const { buffers } = this.kernel;
    for (const { columns, index, weight } of passes) {
      layers.share([...time, ...columns], blur);
      layers.load();
      const { floats } = this.kernel;
      const count = index ? index.length : x.length / dim;
      for (let start = 0; start < count; start += BLOCK) {
        const stop = Math.min(start + BLOCK, count);
        for (let j = 0; j < dim; j++) {
          for (let k = start, to = buffers[0] + j * BLOCK; k < stop; k++) {
            floats[to++] = inside * (x[(index ? index[k] : k) * dim + j] - center[j]);
          }
        }
        const rows = layers.run();
        for (let j = 0; j < dim; j++) {
          for (let k = start, from = rows + j * BLOCK; k < stop; k++) {
            into[(index ? index[k] : k) * dim + j] += weight * out * floats[from++];
          }
        }
      }
    }
  }
}
