/** Points on a grid of cells: a density in two dimensions by histogram and smoothing, its levels and contours. */

/** What a grid covers: so many cells a side over the square around `center`. */
export class Grid {
  constructor({ center, half }, cells) {
    this.cells = cells;
    this.size = (2 * half) / cells;
    this.low = center.map((c) => c - half);
  }

  /** Where the middle of cell (column, row) lies; a fraction is between middles. */
  x(column) {
    return this.low[0] + this.size * (column + 0.5);
  }

  y(row) {
    return this.low[1] + this.size * (row + 0.5);
  }

  /** The density of points (n, 2) at each cell, row after row, upwards: a histogram under a kernel of `width` cells. */
  density(points, width, into = new Float32Array(this.cells ** 2)) {
    const { cells, size, low } = this;
    into.fill(0);
    const share = 2 / (points.length * size * size);
    for (let i = 0; i < points.length; i += 2) {
      const column = Math.floor((points[i] - low[0]) / size);
      const row = Math.floor((points[i + 1] - low[1]) / size);
      if (column >= 0 && row >= 0 && column < cells && row < cells) into[row * cells + column] += share;
    }
    return smooth(into, cells, cells, width);
  }
}

/** Smooths rows × columns in place with a Gaussian of standard deviation `width` cells; an edge goes on as it is. */
export function smooth(values, columns, rows, width) {
  const reach = Math.ceil(2.5 * width);
  const kernel = Float32Array.from({ length: 2 * reach + 1 }, (_, k) =>
    Math.exp(-((k - reach) ** 2) / (2 * width ** 2)),
  );
  const sum = kernel.reduce((a, b) => a + b);
  const taps = kernel.map((weight) => weight / sum);
  const line = new Float32Array(Math.max(columns, rows) + 2 * reach);
  const pass = (lines, length, start, stride) => {
    for (let one = 0; one < lines; one++) {
      const first = one * start;
      let any = 0;
      for (let k = -reach; k < length + reach; k++) {
        any += line[k + reach] = values[first + Math.min(length - 1, Math.max(0, k)) * stride];
      }
      if (any === 0) continue;
      for (let k = 0; k < length; k++) {
        let total = 0;
        for (let j = 0; j < taps.length; j++) total += taps[j] * line[k + j];
        values[first + k * stride] = total;
      }
    }
  };
  pass(rows, columns, columns, 1);
  pass(columns, rows, 1, columns);
  return values;
}

/** The densities whose regions of what is denser hold the given shares of the mass. */
export function levelsHolding(density, shares) {
  const sorted = Float32Array.from(density).sort().reverse();
  const total = sorted.reduce((a, b) => a + b, 0);
  let [k, sum] = [0, 0];
  return shares.map((share) => {
    while (k < sorted.length - 1 && sum < share * total) sum += sorted[k++];
    return sorted[k];
  });
}

/**
 * The lines at which values on a grid of `cells` a side cross `level`, as segments [column, row, column, row, …]
 * (marching squares, Lorensen and Cline 1987 in the plane; a saddle is cut as if its middle were below the level).
 */
export function contour(values, cells, level) {
  const segments = [];
  for (let row = 0; row < cells - 1; row++) {
    for (let column = 0; column < cells - 1; column++) {
      const at = row * cells + column;
      const corners = [values[at], values[at + 1], values[at + cells + 1], values[at + cells]];
      const high = corners.map((value) => value >= level);
      if (high.every(Boolean) || !high.some(Boolean)) continue;
      const cuts = [];
      for (let side = 0; side < 4; side++) {
        const [from, to] = [corners[side], corners[(side + 1) % 4]];
        if (high[side] === high[(side + 1) % 4]) continue;
        const share = (level - from) / (to - from);
        const [right, up] = [
          [share, 0],
          [1, share],
          [1 - share, 1],
          [0, 1 - share],
        ][side];
        cuts.push([column + right, row + up]);
      }
      if (cuts.length === 4 && high[0]) segments.push(...cuts[0], ...cuts[3], ...cuts[1], ...cuts[2]);
      else for (let k = 0; k < cuts.length; k += 2) segments.push(...cuts[k], ...cuts[k + 1]);
    }
  }
  return segments;
}
