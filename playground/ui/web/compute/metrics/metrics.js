/* Figures of clouds and of paths, the twins of playground/metrics. Points are (n, dim), point after point. */

const DIRECTIONS = 128;

/** The fixed unit vectors that clouds are projected on: 128 half-circle angles in the plane, one on the line. */
export function fixedDirections(dim) {
  if (dim === 1) return [[1]];
  if (dim !== 2) throw new Error(`there are no fixed directions in ${dim} dimensions`);
  return Array.from({ length: DIRECTIONS }, (_, k) => {
    const angle = (Math.PI * (k + 0.5)) / DIRECTIONS;
    return [Math.cos(angle), Math.sin(angle)];
  });
}

/** For each direction the sorted projections of the points. */
export function sortedProjections(points, dim, directions = fixedDirections(dim)) {
  const n = points.length / dim;
  const line = new Float32Array(n);
  const sort = sorter(n);
  return directions.map((direction) => {
    for (let i = 0, at = 0; i < n; i++) {
      let sum = 0;
      for (let j = 0; j < dim; j++) sum += direction[j] * points[at++];
      line[i] = sum;
    }
    return sort(line);
  });
}

/** A function that gives n numbers in ascending order, as a new array: a radix sort of their bits in three passes of
    11, 11 and 10, several times as fast as the built-in sort. */
function sorter(n) {
  const keys = new Uint32Array(n);
  const spare = new Uint32Array(n);
  const [low, middle, high] = [new Uint32Array(2048), new Uint32Array(2048), new Uint32Array(1024)];
  const deal = (from, to, places, shift) => {
    for (let i = 0; i < n; i++) to[places[(from[i] >>> shift) & (places.length - 1)]++] = from[i];
  };
  return (values) => {
    const bits = new Uint32Array(values.buffer, values.byteOffset, n);
    for (const counts of [low, middle, high]) counts.fill(0);
    for (let i = 0; i < n; i++) {
      const key = (bits[i] ^ ((bits[i] >> 31) | 0x80000000)) >>> 0; // unsigned keys in the order of the floats
      keys[i] = key;
      low[key & 2047]++;
      middle[(key >>> 11) & 2047]++;
      high[key >>> 22]++;
    }
    for (const counts of [low, middle, high]) {
      for (let digit = 0, sum = 0; digit < counts.length; digit++) {
        const count = counts[digit];
        counts[digit] = sum;
        sum += count;
      }
    }
    deal(keys, spare, low, 0);
    deal(spare, keys, middle, 11);
    deal(keys, spare, high, 22);
    const sorted = new Uint32Array(n);
    for (let i = 0; i < n; i++) sorted[i] = spare[i] >>> 31 ? spare[i] ^ 0x80000000 : ~spare[i];
    return new Float32Array(sorted.buffer);
  };
}

/** ∫ (F_a⁻¹(u) − F_b⁻¹(u))² du for sorted a and b: squared W2 of two sets on a line, of any sizes. */
export function squaredW2(a, b) {
  let sum = 0;
  if (a.length === b.length) {
    for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
    return sum / a.length;
  }
  // In units of 1 / (|a| |b|) both quantile functions are constant between whole numbers.
  for (let i = 0, j = 0, from = 0; i < a.length && j < b.length;) {
    const [endA, endB] = [(i + 1) * b.length, (j + 1) * a.length];
    const to = Math.min(endA, endB);
    sum += (to - from) * (a[i] - b[j]) ** 2;
    from = to;
    if (endA === to) i++;
    if (endB === to) j++;
  }
  return sum / (a.length * b.length);
}

/** Sliced W2 of clouds whose projections are sorted already: √ of the mean over directions of squared W2. */
export function slicedW2OfSorted(a, b) {
  return Math.sqrt(a.reduce((sum, line, k) => sum + squaredW2(line, b[k]), 0) / a.length);
}

/** Sliced 2-Wasserstein distance between two clouds, of the same size or not. */
export function slicedW2(a, b, dim, directions = fixedDirections(dim)) {
  return slicedW2OfSorted(sortedProjections(a, dim, directions), sortedProjections(b, dim, directions));
}

/** Energy distance, √(2 E|X − Y| − E|X − X'| − E|Y − Y'|) with equal points included; `within` may hold the last term. */
export function energyDistance(a, b, dim, within = meanDistanceWithin(b, dim)) {
  return Math.sqrt(Math.max(0, 2 * meanDistance(a, b, dim) - meanDistanceWithin(a, dim) - within));
}

/** E|X − X'| over all pairs of one cloud, each point with itself included. */
export function meanDistanceWithin(points, dim) {
  const n = points.length / dim;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += distancesFrom(points, i * dim, points, (i + 1) * dim, dim);
  return (2 * sum) / n ** 2;
}

function meanDistance(a, b, dim) {
  let sum = 0;
  for (let at = 0; at < a.length; at += dim) sum += distancesFrom(a, at, b, 0, dim);
  return sum / ((a.length / dim) * (b.length / dim));
}

/** The sum of distances from the point that stands at `at` in a to the points of b from `first` on. */
function distancesFrom(a, at, b, first, dim) {
  const [x, y] = [a[at], a[at + 1]];
  let sum = 0;
  if (dim === 1) for (let k = first; k < b.length; k++) sum += Math.abs(b[k] - x);
  else for (let k = first; k < b.length; k += 2) sum += Math.sqrt((b[k] - x) ** 2 + (b[k + 1] - y) ** 2);
  return sum;
}

/** How many standard deviations around a mode count as belonging to it. */
const RADIUS = 3;
/** Points that a mode must have for its width to be told. */
const FEWEST = 10;
/** In one, two and three dimensions the distance from its mean, in standard deviations, of half of a Gaussian. */
const HALFWAY = [0.6744897501960817, 1.1774100225154747, 1.5381722544550522];

/** How a cloud spreads over {centers: [[…]], std: […]}: modes that hold 1 % of it, modes that hold any point, the share
    of the points that lie on a mode, and on each, and how many times too wide the modes are. See
    playground/metrics/coverage.py for what is counted how. */
export function coverage(points, { centers, std }, dim) {
  const n = points.length / dim;
  const counts = new Array(centers.length).fill(0);
  /** @type {number[][]} */
  const owned = centers.map(() => []);
  for (let at = 0; at < points.length; at += dim) {
    let [least, nearest] = [Infinity, -1];
    centers.forEach((center, k) => {
      let squared = 0;
      for (let j = 0; j < dim; j++) squared += (points[at + j] - center[j]) ** 2;
      const away = squared / std[k] ** 2;
      if (away < least) [least, nearest] = [away, k];
    });
    if (least <= RADIUS ** 2) counts[nearest] += 1;
    if (nearest >= 0) owned[nearest].push(Math.sqrt(least));
  }
  const halfway = owned.filter((own) => own.length >= FEWEST).map(median);
  return {
    total: counts.length,
    covered: counts.filter((count) => count > 0).length,
    strict: counts.filter((count) => count > 0 && 100 * count >= n).length,
    highQuality: counts.reduce((sum, count) => sum + count, 0) / n,
    shares: counts.map((count) => count / n),
    spread: halfway.length ? mean(halfway) / HALFWAY[dim - 1] : null,
  };
}

/** @param {number[]} values */
function median(values) {
  values.sort((a, b) => a - b);
  const middle = values.length >> 1;
  return values.length % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

/** @param {number[]} values */
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** A copy's nearest training point is nearer than this share of the distance to the second nearest. */
const COPY = 1 / 3;
/** No more pairs of points than this are looked at: of more, evenly chosen points stand for all. */
const MOST_PAIRS = 2 ** 24;

/** How near points are to the training points: {nearest: their mean distance to the nearest one, copied: the share of
    copies}; see playground/metrics/memorisation.py. */
export function nearness(points, training, dim) {
  const n = points.length / dim;
  const every = Math.ceil((n * training.length) / dim / MOST_PAIRS);
  let [sum, copies, count] = [0, 0, 0];
  for (let i = 0; i < n; i += every) {
    const [x, y] = [points[i * dim], points[i * dim + 1]];
    let [first, second] = [Infinity, Infinity];
    for (let at = 0; at < training.length; at += dim) {
      const squared = (training[at] - x) ** 2 + (dim === 1 ? 0 : (training[at + 1] - y) ** 2);
      if (squared < first) [first, second] = [squared, first];
      else if (squared < second) second = squared;
    }
    sum += Math.sqrt(first);
    copies += first < COPY ** 2 * second;
    count += 1;
  }
  return { nearest: sum / count, copied: copies / count };
}

/** Adds up, state by state, what the figures of a flow's paths need: E∫|Z₁ − Z₀ − v|² dt, E∫|v|² dt, E|Z₁ − Z₀|².

    x holds the states at times t one after the other, as a Trajectory does; `add(k, v)` gives the velocities at state k,
    in order; time integrals are by the trapezoid rule. `sums` are over the n particles, so that shares of them add. */
export class PathSums {
  constructor({ t, x }) {
    const size = x.length / t.length;
    Object.assign(this, { t, moved: new Float64Array(size) });
    for (let i = 0; i < size; i++) this.moved[i] = x[x.length - size + i] - x[i];
    const cost = this.moved.reduce((sum, value) => sum + value ** 2, 0);
    this.sums = { straightness: 0, energy: 0, cost };
  }

  add(k, v) {
    const { t, moved, sums } = this;
    const last = t.length - 1;
    const width = (t[Math.min(k + 1, last)] - t[Math.max(k - 1, 0)]) / 2;
    const span = t[last] - t[0];
    for (let i = 0; i < v.length; i++) {
      sums.straightness += width * (moved[i] / span - v[i]) ** 2;
      sums.energy += width * v[i] ** 2;
    }
  }
}
