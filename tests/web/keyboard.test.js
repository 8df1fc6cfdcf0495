import assert from "node:assert/strict";
import { test } from "node:test";

// the stage's modules read the page's address and make canvases as they are loaded: anything, called or read, will do
const anything = new Proxy(function () {}, { get: () => anything, apply: () => anything });
Object.assign(globalThis, { window: {}, document: anything });
const { shortcuts } = await import("../../playground/ui/web/stage/input/keyboard.js");
const { layers } = await import("../../playground/ui/web/stage/layers/index.js");

test("no key stands for two things", () => {
  const keys = Object.values(shortcuts(layers())).flatMap((group) => group.flatMap((one) => one.keys));
  assert.ok(keys.length > 30);
  assert.deepEqual(
    keys.filter((key, i) => keys.indexOf(key) !== i),
    [],
  );
});
