import assert from "node:assert/strict";
import { test } from "node:test";

import { percent, rounded, times } from "../../playground/ui/web/common/numbers.js";

test("numbers are written with three significant digits", () => {
  const written = [0, 3, -1234567, 1234.5, 12.345, 0.12345, 0.0001234, NaN, Infinity, null].map(rounded);
  assert.deepEqual(written, ["0", "3", "-1,234,567", "1,235", "12.3", "0.123", "1.2e−4", "–", "–", "–"]);
});

test("a ratio is said only where there is one", () => {
  assert.equal(times(2.6, 2, "floor"), "1.3× floor");
  assert.equal(times(2400, 2, "floor"), "1,200× floor");
  for (const [value, unit] of [
    [NaN, 1],
    [1, 0],
    [1, null],
    [null, 1],
    [1, NaN],
  ])
    assert.equal(times(value, unit, "x"), "");
});

test("a share is a percentage, with a decimal where it says something", () => {
  assert.deepEqual([0, 0.05, 0.123, 0.9996, 1].map(percent), ["0 %", "5 %", "12.3 %", "100 %", "100 %"]);
});
