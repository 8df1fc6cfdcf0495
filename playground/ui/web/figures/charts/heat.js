/* Small maps over the plane: the mean of a value over the points near each cell, one colour from nothing to much. */

const CELLS = 36;
/** The width of the kernel, in cells, and how many points' worth of weight a cell needs to be coloured. */
const [WIDTH, LEAST] = [1.3, 0.6];

/** Cell means of `values` at `points` (n·dim; on a line the second axis is empty) over the square {center, half}. */
export function heat(points, values, dim, { center, half }) {
  const [weights, sums] = [new Float32Array(CELLS ** 2), new Float32Array(CELLS ** 2)];
  const reach = Math.ceil(2.2 * WIDTH);
  const cell = (value, k) => ((value - (center[k] ?? 0)) / half + 1) * 0.5 * CELLS - 0.5;
  for (let i = 0; i < values.length; i++) {
    const x = cell(points[i * dim], 0);
    const y = dim === 1 ? CELLS / 2 - 0.5 : cell(points[i * dim + 1], 1);
    for (let row = Math.max(0, Math.round(y) - reach); row <= Math.min(CELLS - 1, Math.round(y) + reach); row++) {
      for (
        let column = Math.max(0, Math.round(x) - reach);
        column <= Math.min(CELLS - 1, Math.round(x) + reach);
        column++
      ) {
        const weight = Math.exp(-((x - column) ** 2 + (y - row) ** 2) / (2 * WIDTH ** 2));
        weights[row * CELLS + column] += weight;
        sums[row * CELLS + column] += weight * values[i];
      }
    }
  }
  return sums.map((sum, k) => (weights[k] > LEAST ? sum / weights[k] : NaN));
}

/** The value that most cells stay below, for a scale that several maps share. */
export function scaleOf(cells) {
  const known = cells.filter(Number.isFinite).sort();
  return known.length ? known[Math.floor(0.98 * (known.length - 1))] : 0;
}

/** Paints cells onto a canvas, the row of the least value of the second axis at the bottom; `most` has the full colour. */
export function paintHeat(canvas, cells, most, [from, to]) {
  if (canvas.width !== CELLS) canvas.width = canvas.height = CELLS;
  const ctx = canvas.getContext("2d");
  const image = ctx.createImageData(CELLS, CELLS);
  cells.forEach((value, k) => {
    if (!Number.isFinite(value)) return;
    const share = most > 0 ? Math.min(1, Math.max(0, value / most)) ** 0.7 : 0;
    const at = 4 * ((CELLS - 1 - Math.floor(k / CELLS)) * CELLS + (k % CELLS));
    for (let j = 0; j < 3; j++) image.data[at + j] = from[j] + share * (to[j] - from[j]);
    image.data[at + 3] = 255;
  });
  ctx.clearRect(0, 0, CELLS, CELLS);
  ctx.putImageData(image, 0, 0);
}
