import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

const store = new Map([["pg-page", "k".repeat(32)]]);
globalThis.window = { gradio_config: { root: "/root" } };
globalThis.sessionStorage = {
  getItem: (key) => store.get(key) ?? null,
  setItem: (key, value) => store.set(key, value),
};
const { answered, asked } = await import("../../playground/ui/web/api/probing.js");
const { readNewProps } = await import("../../playground/ui/web/api/props.js");

const BUSY = { busy: true, past: false, message: "busy" };
const PATIENCE = { tries: 3, apart: 1 };
let [answers, requests] = [[], []];

beforeEach(() => {
  requests = [];
  globalThis.fetch = (path, { body }) => {
    requests.push([path, JSON.parse(body)]);
    const [content, ok] = answers.shift();
    return Promise.resolve({ ok, json: () => Promise.resolve(content) });
  };
});

test("a busy server is asked again, with the page's key, until it answers", async () => {
  answers = [
    [BUSY, true],
    [BUSY, true],
    [{ ways: [] }, true],
  ];
  assert.deepEqual(await answered("density/along", { run: "a" }, PATIENCE), { ways: [] });
  assert.equal(requests.length, 3);
  assert.deepEqual(requests[0], ["/root/playground/density/along", { page: "k".repeat(32), run: "a" }]);
});

test("after so many times it is told that the server is busy", async () => {
  answers = Array(3).fill([BUSY, true]);
  await assert.rejects(answered("carry", {}, PATIENCE), { busy: true, message: "busy" });
  assert.equal(requests.length, 3);
});

test("what has gone is not asked for again", async () => {
  answers = [[{ ...BUSY, past: true }, true]];
  await assert.rejects(answered("carry", {}, PATIENCE), { past: true });
});

test("a refusal comes with its problems", async () => {
  answers = [[{ message: "no", problems: [{ path: ["n"], sentence: "no" }] }, false]];
  await assert.rejects(answered("coupling", {}, PATIENCE), {
    message: "no",
    problems: [{ path: ["n"], sentence: "no" }],
  });
});

test("a question about a scene names the run and round as the server knows them", async () => {
  answers = Array(3).fill([{}, true]);
  await asked("carry", { scene: { run: "a" }, snapshot: 4, low: [0] });
  await asked("carry", { scene: { run: "a", network: { origin: { run: "b", round: 2 } } }, snapshot: 4 });
  const named = requests.map(([, { run, round, snapshot, low }]) => ({ run, round, snapshot, low }));
  assert.deepEqual(named[0], { run: "a", round: 0, snapshot: 4, low: [0] });
  assert.deepEqual(named[1], { run: "b", round: 2, snapshot: 4, low: undefined });
});

test("each text of a prop is read once", () => {
  const props = { scene: '{"a":1}', value: "" };
  const fresh = readNewProps(props);
  assert.deepEqual([fresh("scene"), fresh("scene"), fresh("value")], [{ a: 1 }, null, null]);
  props.scene = '{"a":2}';
  assert.deepEqual(fresh("scene"), { a: 2 });
});
