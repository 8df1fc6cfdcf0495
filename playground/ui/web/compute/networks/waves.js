/* Fourier features of the place: sines and cosines of fixed frequencies, each damped by what the noise of the time leaves
   of it. The twin of Mlp.waves_at in playground/networks.py. */

import { BLOCK } from "../kernel/layout.js";

export class Waves {
  /** `vectors`: the frequency of each wave in radians per unit, [inputs] each. */
  constructor(kernel, vectors) {
    Object.assign(this, { kernel, vectors, inputs: vectors[0].length, blur: 0 });
    this.powers = vectors.map((vector) => vector.reduce((sum, w) => sum + w * w, 0));
  }

  /** How many rows they fill. */
  get rows() {
    return 2 * this.vectors.length;
  }

  /** How many floats they take in the kernel's memory. */
  get size() {
    return this.vectors.length * (this.inputs + 1);
  }

  /** Writes them into the kernel's memory at an offset. */
  load(at) {
    this.begin = at;
    const { floats } = this.kernel;
    for (const vector of this.vectors) {
      for (const w of vector) floats[at++] = w / (2 * Math.PI);
      at++;
    }
    this.damp(this.blur);
  }

  /** `blur`: the variance of the noise in what the network sees, the same for every particle until the next call. */
  damp(blur) {
    this.blur = blur;
    const { floats } = this.kernel;
    this.powers.forEach((power, k) => {
      floats[this.begin + (k + 1) * (this.inputs + 1) - 1] = Math.exp(-0.5 * power * blur);
    });
  }

  /** Writes a block's features below its input rows at `from`. */
  run(from) {
    const sines = from + this.inputs * BLOCK;
    const { begin, size, inputs } = this;
    this.kernel.waves(from, begin, begin + size, inputs, sines, sines + this.vectors.length * BLOCK);
  }
}
