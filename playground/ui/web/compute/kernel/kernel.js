/* The arithmetic of fields: affine maps, activations and Gaussian mixtures on blocks of 64 particles.

   Four particles fill a SIMD register, so that a layer is nothing but multiply-adds over contiguous memory. The
   WebAssembly module (wasm.js) is assembled when the worker starts, without a build step; where SIMD is missing, plain
   JavaScript (plain.js) runs on the same memory layout with the same results to rounding. */

import { ARENA, BLOCK, MAX_ROWS, PAGE_FLOATS, WEIGHTS } from "./layout.js";
import { javascriptExports } from "./plain.js";
import { webAssemblyExports } from "./wasm.js";

/** Memory with two layer buffers and an arena of packed weights, and the operations on it. Offsets count floats. */
export class Kernel {
  /** @param {{simd?: boolean}} options */
  constructor({ simd = true } = {}) {
    const compiled = simd ? webAssemblyExports() : null;
    this.simd = compiled !== null;
    /** @type {any} the operations, at addresses in bytes */
    this.exports = compiled ?? javascriptExports();
    this.buffers = [0, MAX_ROWS * BLOCK];
    this.era = 0; // offsets got from `reserve` are good while the era lasts
    this.top = WEIGHTS;
    this.floats = new Float32Array(this.exports.memory.buffer);
  }

  /**
   * Room for `count` floats in the arena: its offset. Starts a new era when the arena is full.
   * @param {number} count
   */
  reserve(count) {
    if (this.top + count > WEIGHTS + ARENA && this.top > WEIGHTS) {
      this.era += 1;
      this.top = WEIGHTS;
    }
    const at = this.top;
    this.top += count;
    const missing = this.top - this.floats.length;
    if (missing > 0) {
      this.exports.memory.grow(Math.ceil(missing / PAGE_FLOATS));
      this.floats = new Float32Array(this.exports.memory.buffer);
    }
    return at;
  }

  /**
   * Rows at y = packed layer applied to the `inputs` rows at x; the layer's weights end at `end`.
   * @param {number} x
   * @param {number} weights
   * @param {number} end
   * @param {number} inputs
   * @param {number} y
   */
  affine(x, weights, end, inputs, y) {
    this.exports.affine(4 * x, 4 * weights, 4 * y, inputs, 4 * end);
  }

  /**
   * Rows v₁, v₂ at y: the velocity of the packed components, which end at `end`, for the rows x₁, x₂ at x.
   * @param {number} x
   * @param {number} components
   * @param {number} end
   * @param {number} y
   * @param {number} scratch
   */
  mixture(x, components, end, y, scratch) {
    this.exports.mixture(4 * x, 4 * components, 4 * y, 4 * scratch, 4 * end);
  }

  /**
   * Rows at sines and cosines: those of the packed waves, which end at `end`, of the `inputs` rows at x.
   * @param {number} x
   * @param {number} table
   * @param {number} end
   * @param {number} inputs
   * @param {number} sines
   * @param {number} cosines
   */
  waves(x, table, end, inputs, sines, cosines) {
    this.exports.waves(4 * x, 4 * table, 4 * sines, 4 * cosines, inputs, 4 * end);
  }

  /**
   * Applies the named activation to `rows` rows in place.
   * @param {string} name
   * @param {number} at
   * @param {number} rows
   */
  activate(name, at, rows) {
    this.exports[name](4 * at, 4 * (at + rows * BLOCK));
  }
}
