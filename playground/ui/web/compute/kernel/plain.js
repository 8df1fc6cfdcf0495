/* The kernel in plain JavaScript, for browsers without SIMD: addresses in bytes as in wasm.js, about ten times as slow. */

import { BLOCK, COMPONENT, PAGE_FLOATS, SELU_ALPHA, SELU_SCALE, WEIGHTS } from "./layout.js";

export function javascriptExports() {
  const memory = {
    buffer: new ArrayBuffer(4 * WEIGHTS),
    grow(pages) {
      const larger = new ArrayBuffer(this.buffer.byteLength + 4 * PAGE_FLOATS * pages);
      new Uint8Array(larger).set(new Uint8Array(this.buffer));
      this.buffer = larger;
      floats = new Float32Array(larger);
    },
  };
  let floats = new Float32Array(memory.buffer);

  function affine(x, weights, y, inputs, end) {
    const f = floats;
    const stop = end >> 2;
    let to = y >> 2;
    for (let w = weights >> 2; w < stop; w += 2 * (inputs + 1), to += 2 * BLOCK) {
      const last = w + 2 * (inputs + 1);
      for (let i = 0; i < BLOCK; i += 4) {
        let p0 = f[w],
          p1 = p0,
          p2 = p0,
          p3 = p0;
        let q0 = f[w + 1],
          q1 = q0,
          q2 = q0,
          q3 = q0;
        for (let k = w + 2, row = (x >> 2) + i; k < last; k += 2, row += BLOCK) {
          const p = f[k],
            q = f[k + 1],
            x0 = f[row],
            x1 = f[row + 1],
            x2 = f[row + 2],
            x3 = f[row + 3];
          p0 += p * x0;
          p1 += p * x1;
          p2 += p * x2;
          p3 += p * x3;
          q0 += q * x0;
          q1 += q * x1;
          q2 += q * x2;
          q3 += q * x3;
        }
        const at = to + i;
        f[at] = p0;
        f[at + 1] = p1;
        f[at + 2] = p2;
        f[at + 3] = p3;
        f[at + BLOCK] = q0;
        f[at + BLOCK + 1] = q1;
        f[at + BLOCK + 2] = q2;
        f[at + BLOCK + 3] = q3;
      }
    }
  }
  /** As mixtureCode in wasm.js, one particle at a time. */
  function mixture(x, components, y, scratch, end) {
    const f = floats;
    const [first, last, logits] = [components >> 2, end >> 2, scratch >> 2];
    for (let i = x >> 2, o = y >> 2, stop = i + BLOCK; i < stop; i++, o++) {
      const x1 = f[i],
        x2 = f[i + BLOCK];
      let most = -Infinity;
      for (let c = first, l = logits; c < last; c += COMPONENT, l++) {
        const d1 = x1 - f[c],
          d2 = x2 - f[c + 1];
        const logit = d1 * (f[c + 2] * d1 + f[c + 3] * d2) + f[c + 4] * d2 * d2 + f[c + 5];
        f[l] = logit;
        if (logit > most) most = logit;
      }
      let sum = 0,
        v1 = 0,
        v2 = 0;
      for (let c = first, l = logits; c < last; c += COMPONENT, l++) {
        const logit = f[l] - most;
        if (logit < -40) continue; // a share below 1e-12
        const share = Math.exp(Math.LN2 * logit);
        const d1 = x1 - f[c],
          d2 = x2 - f[c + 1];
        sum += share;
        v1 += share * (f[c + 6] + f[c + 8] * d1 + f[c + 9] * d2);
        v2 += share * (f[c + 7] + f[c + 11] * d1 + f[c + 10] * d2);
      }
      f[o] = v1 / sum;
      f[o + BLOCK] = v2 / sum;
    }
  }

  /** As wavesCode in wasm.js. */
  function waves(x, table, sines, cosines, inputs, end) {
    const f = floats;
    let [s, c] = [sines >> 2, cosines >> 2];
    for (let w = table >> 2, stop = end >> 2; w < stop; w += inputs + 1, s += BLOCK, c += BLOCK) {
      const left = f[w + inputs];
      for (let i = 0; i < BLOCK; i++) {
        let turns = 0;
        for (let k = 0, row = (x >> 2) + i; k < inputs; k++, row += BLOCK) turns += f[w + k] * f[row];
        const angle = 2 * Math.PI * (turns - Math.round(turns));
        f[s + i] = left * Math.sin(angle);
        f[c + i] = left * Math.cos(angle);
      }
    }
  }

  const each = (formula) => (at, end) => {
    for (let i = at >> 2; i < end >> 2; i++) floats[i] = formula(floats[i]);
  };
  return {
    memory,
    affine,
    mixture,
    waves,
    relu: each((x) => (x < 0 ? 0 : x)),
    silu: each((x) => x / (1 + Math.exp(-x))),
    tanh: each(Math.tanh),
    selu: each((x) => SELU_SCALE * (x > 0 ? x : SELU_ALPHA * Math.expm1(x))),
  };
}
