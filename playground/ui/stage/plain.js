/* ---- The same in plain JavaScript: addresses in bytes as above. ---- */

function javascriptExports() {
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
        let p0 = f[w], p1 = p0, p2 = p0, p3 = p0;
        let q0 = f[w + 1], q1 = q0, q2 = q0, q3 = q0;
        for (let k = w + 2, row = (x >> 2) + i; k < last; k += 2, row += BLOCK) {
          const p = f[k], q = f[k + 1], x0 = f[row], x1 = f[row + 1], x2 = f[row + 2], x3 = f[row + 3];
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
        f[at] = p0, f[at + 1] = p1, f[at + 2] = p2, f[at + 3] = p3;
        f[at + BLOCK] = q0, f[at + BLOCK + 1] = q1, f[at + BLOCK + 2] = q2, f[at + BLOCK + 3] = q3;
      }
    }
  }
  const each = (formula) => (at, end) => {
    for (let i = at >> 2; i < end >> 2; i++) floats[i] = formula(floats[i]);
  };
  return {
    memory,
    affine,
    relu: each((x) => (x < 0 ? 0 : x)),
    silu: each((x) => x / (1 + Math.exp(-x))),
    tanh: each(Math.tanh),
    selu: each((x) => SELU_SCALE * (x > 0 ? x : SELU_ALPHA * Math.expm1(x))),
  };
}

