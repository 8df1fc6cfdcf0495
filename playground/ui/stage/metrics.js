/* Distances between clouds of points, the twins of playground/metrics.py. Points are (n, dim), point after point. */

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
  for (let i = 0, j = 0, from = 0; i < a.length && j < b.length; ) {
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
