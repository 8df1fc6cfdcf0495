import assert from "node:assert/strict";
import { test } from "node:test";

import { Clock } from "../../playground/ui/web/stage/clock.js";

/** Ticks every 50 ms; what is seen after each: [t, back]. */
function ticked(clock, count, from = 0) {
  return Array.from({ length: count }, (_, k) => {
    clock.tick(from + 50 * (k + 1));
    return [clock.t, clock.back];
  });
}

const made = () => new Clock({ travel: 300, restAtEnd: 100, restAtStart: 100 });

test("it carries t to the target, rests, and starts over", () => {
  const clock = made();
  clock.play();
  const seen = ticked(clock, 14).map(([t]) => t);
  assert.equal(seen[0], 0); // the first tick only sets the time
  assert.equal(Math.max(...seen), 1);
  assert.ok(seen.slice(seen.indexOf(1)).includes(0));
});

test("without a loop it stops at the target", () => {
  const clock = Object.assign(made(), { loop: false });
  clock.play();
  ticked(clock, 30);
  assert.deepEqual([clock.t, clock.playing], [1, false]);
});

test("with returns it runs back, and by hand forgets which way", () => {
  const clock = Object.assign(made(), { returns: true });
  clock.seek(1);
  clock.play();
  const seen = ticked(clock, 24);
  const down = seen.slice(0, 6).map(([t]) => t);
  assert.ok(seen.slice(0, 6).every(([, back]) => back));
  assert.deepEqual(
    down,
    down.toSorted((a, b) => b - a),
  );
  const up = seen.filter(([, back]) => !back).map(([t]) => t);
  assert.ok(up.includes(0) && Math.max(...up) === 1);
  clock.seek(1);
  clock.play();
  assert.ok(ticked(clock, 3, 1200)[2][1]);
  clock.scrub(0.5);
  assert.deepEqual([clock.back, clock.t, clock.playing], [false, 0.5, false]);
});

test("a hand that holds it lets it go on afterwards", () => {
  const clock = made();
  clock.play();
  clock.hold();
  clock.scrub(0.25);
  ticked(clock, 5);
  assert.equal(clock.t, 0.25);
  clock.release();
  assert.ok(clock.playing);
});

test("a stall makes nothing leap", () => {
  const clock = new Clock({ travel: 1000, restAtStart: 0 });
  clock.play();
  clock.tick(0);
  clock.tick(100_000);
  assert.ok(clock.t <= 0.1);
});
