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
  return directions.map((direction) => {
    const line = new Float32Array(n);
    for (let i = 0, at = 0; i < n; i++) {
      let sum = 0;
      for (let j = 0; j < dim; j++) sum += direction[j] * points[at++];
      line[i] = sum;
    }
    return line.sort();
  });
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
