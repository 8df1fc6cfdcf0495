import assert from "node:assert/strict";
import { test } from "node:test";

import {
  decodeArray,
  decodeWeights,
  encodeArray,
  quantiseArray,
  textOf,
} from "../../playground/ui/web/common/codec.js";

const shape = [50, 2];
const data = Float32Array.from({ length: 100 }, (_, i) => (i % 2 ? 50 : 1) * Math.sin(i * i));

test("an array of 32-bit floats comes back as it went", () => {
  assert.deepEqual(decodeArray(encodeArray({ shape, data })), { shape, data });
});

test("a quantised array is within half a step of each axis", () => {
  const packed = quantiseArray({ shape, data });
  const found = decodeArray(packed).data;
  for (const axis of [0, 1]) {
    const step = (packed.high[axis] - packed.low[axis]) / 65535;
    for (let i = axis; i < 100; i += 2) assert.ok(Math.abs(found[i] - data[i]) <= 0.51 * step);
  }
});

test("an axis without extent survives", () => {
  const flat = { shape: [3, 1], data: Float32Array.of(2, 2, 2) };
  assert.deepEqual(decodeArray(quantiseArray(flat)), flat);
});

test("values that do not fill their shape are refused", () => {
  assert.throws(() => decodeArray({ ...encodeArray({ shape, data }), shape: [51, 2] }), /do not fill the shape/);
});

test("weights are decoded by name", () => {
  assert.deepEqual(decodeWeights({ velocity: textOf(data) }), { velocity: data });
});
