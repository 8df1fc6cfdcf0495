/* How the time and the condition act on a modulated network (FiLM): as scales and shifts of every hidden layer, which are
   the same for a whole block of particles, so that they go into the layers' weights and the kernel has nothing to do.

   The twin of FilmMlp in playground/networks.py. */

import { SELU_ALPHA, SELU_SCALE } from "../kernel/layout.js";

const ACTIVATE = {
  relu: (x) => Math.max(0, x),
  silu: (x) => x / (1 + Math.exp(-x)),
  tanh: Math.tanh,
  selu: (x) => SELU_SCALE * (x > 0 ? x : SELU_ALPHA * Math.expm1(x)),
};

/** The two maps of what is told, whose weights come first; `widths` are those of the hidden layers. */
export class Film {
  constructor({ in: told, embedding, activation }, weights, widths) {
    if (!Object.hasOwn(ACTIVATE, activation)) throw new Error(`there is no operation "${activation}" here`);
    const outputs = 2 * widths.reduce((sum, width) => sum + width, 0);
    let at = 0;
    const take = (count) => weights.subarray(at, (at += count));
    const map = (rows, columns) => ({ rows, columns, matrix: take(rows * columns), bias: take(rows) });
    Object.assign(this, { told, activation, widths, embed: map(embedding, told), modulate: map(outputs, embedding) });
    this.size = at;
  }

  /** [{gain, shift}] of each hidden layer for what is told: its outputs become gain · z + shift. */
  at(values) {
    const all = affine(this.modulate, affine(this.embed, values).map(ACTIVATE[this.activation]));
    let at = 0;
    return this.widths.map((width) => ({
      gain: all.subarray(at, (at += width)).map((scale) => 1 + scale),
      shift: all.subarray(at, (at += width)),
    }));
  }
}

function affine({ rows, columns, matrix, bias }, values) {
  const result = new Float64Array(rows);
  for (let o = 0, w = 0; o < rows; o++) {
    let sum = bias[o];
    for (let k = 0; k < columns; k++) sum += matrix[w++] * values[k];
    result[o] = sum;
  }
  return result;
}
