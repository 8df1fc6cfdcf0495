/** How sharp a cloud is, in words: what follows from its figures and their floors. */

import { percent, rounded } from "../common/numbers.js";

/** @typedef {{sample_kl: number, stray: number, missed: number}} Floor */

/** A share counts where it is above so many times its floor, and by so much at least. */
const [BEYOND, LEAST] = [2, 0.01];
/** A divergence counts where it is above so many times its floor. */
const SEEN = 3;
/** Modes are called too wide or too narrow from these factors on. */
const [WIDE, NARROW] = [1.15, 0.8];
/** KL(target ‖ model) in nats up to which a model is sharp, and up to which it is blurred but slightly: where real points
    are, its density is on average less by 5 and by 18 %. */
const [SHARP, SLIGHT] = [0.05, 0.2];
/** It counts where it is above 0 by so many times its error. */
const ERRORS = 2;

export const SHARPNESS =
  "How many nats the particles are worse than the target at telling where real points are: an estimate of KL(target ‖ " +
  "particles) from each real point's 5th nearest neighbours. 0 is perfect, ln 2 = 0.69 a cloud spread over twice the " +
  "area. Sliced W2 does not see blur; this does. The floor is what real points have against other real points, so " +
  "that a value within it, even below 0, cannot be told from real.";

/**
 * @typedef {{kl?: number | null, kl_error?: number | null}} Lack KL(target ‖ model) in nats and its standard error, of the
 *     model that the cloud is of; none where its density or the target's is not known
 * @typedef {{sample_kl: number, stray: number, missed: number, spread?: number | null} & Lack} Found
 */

/**
 * In a word how much a model lacks by its exact density; "" where that cannot be told from nothing, or is not known.
 * @param {Lack} lack
 */
function blur({ kl, kl_error }) {
  if (!(Number(kl) > Math.max(SHARP, ERRORS * Number(kl_error)))) return "";
  return Number(kl) > SLIGHT ? "blurred" : "slightly blurred";
}

/**
 * In a few words what is wrong with a cloud, the worst of it first; "sharp" where nothing can be seen to be. What the
 * density of its model lacks counts too: it sees what so few points do not show.
 * @param {Found | null | undefined} found
 * @param {Floor | null | undefined} floor of the same figures
 * @returns {string}
 */
export function verdict(found, floor) {
  if (!found || !floor) return "";
  const { sample_kl: kl, stray, missed } = found;
  const spread = found.spread ?? NaN;
  /** @type {(share: number, unit: number) => boolean} */
  const above = (share, unit) => share > Math.max(BEYOND * unit, unit + LEAST);
  /** @type {[number, string][]} */
  const faults = [];
  if (above(stray, floor.stray)) faults.push([stray, `${percent(stray)} astray`]);
  if (above(missed, floor.missed)) faults.push([missed, `misses ${percent(missed)}`]);
  faults.sort(([a], [b]) => b - a);
  const words = faults.map(([, text]) => text);
  const blurred = blur(found);
  if (blurred && !words.length) words.push(blurred);
  if (spread > WIDE && words.length) words.unshift(`${spread.toFixed(1)}× too wide`);
  if (spread < NARROW) words.unshift(`${spread.toFixed(1)}× the width`);
  if (!words.length) return kl > SEEN * floor.sample_kl ? "uneven" : "sharp";
  return words.slice(0, 2).join(", ");
}

/**
 * Whether modes are too wide or too narrow, as a sentence; "" where they are as they should be, or there are none.
 * @param {number | null | undefined} spread
 */
export function width(spread) {
  const value = spread ?? NaN;
  return value > WIDE || value < NARROW ? `Its modes are ${rounded(value)}× as wide as they should be.` : "";
}

/**
 * The figures behind the words, each beside its floor.
 * @param {Found} found
 * @param {Floor | null | undefined} floor of the same figures
 */
export function about({ stray, missed, spread, kl, kl_error }, floor) {
  /** @type {(unit?: number) => string} */
  const beside = (unit) => (unit ? ` (real points: ${percent(unit)})` : "");
  const width = Number.isFinite(spread) ? ` Modes are ${rounded(spread)} times as wide as they should be.` : "";
  const exact = Number.isFinite(kl)
    ? ` By the model's own density, KL(target ‖ model) is ${rounded(Number(kl))} ± ${rounded(Number(kl_error))} nats.`
    : "";
  return (
    ` Astray, where no real point is near: ${percent(stray)}${beside(floor?.stray)} of the particles. Missed, near to no ` +
    `particle: ${percent(missed)}${beside(floor?.missed)} of the real points.${width}${exact}`
  );
}
