/** Waiting for a moment in which a long task disturbs nobody: loading a library, drawing a chart for the first time. */

const LOOK_EVERY = 50;
/** A rest of the clock shorter than this (ms) is too short for a long task. */
const LONG_ENOUGH = 500;

let hands = 0; // pointers that are down

/** @type {[string, number][]} */
const CHANGES = [
  ["pointerdown", 1],
  ["pointerup", -1],
  ["pointercancel", -1],
];
for (const [name, by] of CHANGES) {
  window.addEventListener(name, () => (hands = Math.max(0, hands + by)), { capture: true, passive: true });
}

/**
 * Resolves when no hand is down and `clock` stands or rests, in an idle moment; after `most` ms whatever happens.
 * @param {{playing: boolean, rest: number}} clock rest: ms until it moves again
 * @param {number} most
 */
export async function stillness(clock, most) {
  const until = performance.now() + most;
  const moves = () => hands > 0 || (clock.playing && clock.rest < LONG_ENOUGH);
  while (moves() && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
  const idle = window.requestIdleCallback ?? ((act) => setTimeout(act, 0)); // Safari has none
  await new Promise((resolve) => idle(resolve, { timeout: LONG_ENOUGH }));
}
