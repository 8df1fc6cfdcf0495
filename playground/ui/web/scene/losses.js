/** The points [step, loss] of a training's loss: how many are kept, and how they are drawn. */

/** @typedef {[number, number]} Point [step, loss] */

/** So many points of a loss are kept; of more, neighbours are averaged. */
const MOST = 4000;

/**
 * Adds points to those that are kept.
 * @param {Point[]} kept
 * @param {Point[]} more
 */
export function addLosses(kept, more) {
  const all = [...kept, ...more];
  return all.length > MOST ? halved(all) : all;
}

/**
 * Neighbours averaged two by two.
 * @param {Point[]} points
 * @returns {Point[]}
 */
function halved(points) {
  return points.flatMap(([step, loss], k) => {
    const after = points[k + 1];
    if (k % 2) return [];
    return [after ? [(step + after[0]) / 2, (loss + after[1]) / 2] : [step, loss]];
  });
}

/**
 * Means over at most `count` equal stretches of steps, so that the noise looks as strong wherever points are denser.
 * @param {Point[]} points
 * @param {number} count
 * @returns {Point[]}
 */
export function binned(points, count) {
  if (points.length <= 2) return points;
  const [first, last] = [points[0][0], points[points.length - 1][0]];
  /** @type {Map<number, {n: number, steps: number, sum: number}>} */
  const bins = new Map();
  for (const [step, loss] of points) {
    const k = Math.min(count - 1, Math.floor((count * (step - first)) / (last - first || 1)));
    const bin = bins.get(k) ?? { n: 0, steps: 0, sum: 0 };
    bins.set(k, bin);
    bin.n += 1;
    bin.steps += step;
    bin.sum += loss;
  }
  return [...bins.values()].map(({ n, steps, sum }) => [steps / n, sum / n]);
}

/**
 * Means over `window` neighbours around each point, fewer at the ends but as many on both sides: they follow a trend
 * without delay.
 * @param {Point[]} points
 * @param {number} window
 * @returns {Point[]}
 */
export function smoothed(points, window) {
  let sum = 0;
  const before = [0, ...points.map(([, value]) => (sum += value))];
  return points.map(([step], k) => {
    const reach = Math.min(window >> 1, k, points.length - 1 - k);
    return [step, (before[k + reach + 1] - before[k - reach]) / (2 * reach + 1)];
  });
}
