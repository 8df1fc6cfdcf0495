import assert from "node:assert/strict";
import { test } from "node:test";

import { Kernel } from "../../playground/ui/web/compute/kernel/kernel.js";
import { BLOCK } from "../../playground/ui/web/compute/kernel/layout.js";

/** An activation on numbers from −6 to 6. */
function activated(simd, name) {
  const kernel = new Kernel({ simd });
  assert.equal(kernel.simd, simd);
  for (let i = 0; i < BLOCK; i++) kernel.floats[i] = -6 + (12 * i) / (BLOCK - 1);
  kernel.activate(name, 0, 1);
  return kernel.floats.slice(0, BLOCK);
}

const EXACT = {
  relu: (x) => Math.max(0, x),
  silu: (x) => x / (1 + Math.exp(-x)),
  tanh: Math.tanh,
};

for (const simd of [true, false]) {
  test(`activations are right, ${simd ? "in WebAssembly" : "in plain JavaScript"}`, () => {
    for (const [name, f] of Object.entries(EXACT)) {
      activated(simd, name).forEach((found, i) => {
        const expected = f(Math.fround(-6 + (12 * i) / (BLOCK - 1)));
        assert.ok(Math.abs(found - expected) < 3e-6 * Math.max(1, Math.abs(expected)), `${name} ${i}`);
      });
    }
  });
}
