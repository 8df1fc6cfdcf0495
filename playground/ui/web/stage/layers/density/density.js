/**
 * The density of the particles as a heat map. 2-D: at time t, in the plane. 1-D: over all of space and time at once.
 * One scale for all times, so that colours can be compared: full at the highest density of source and target.
 */

import { positionsAt } from "../../../compute/sampling/interpolation.js";
import { Grid, smooth } from "../../../compute/metrics/grid.js";

const CELLS = 96;
/** The kernel, in cells: about 3 % of the picture. */
const WIDTH = 1.7;
/** 1-D: cells along time and up. */
const [TIMES, HEIGHTS] = [72, 120];

function coloured(image, values, columns, rows, most, ramp) {
  const { data } = image;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = values[(rows - 1 - row) * columns + column] / most;
      const from = 4 * Math.min(255, Math.floor(255 * Math.sqrt(value)));
      const to = 4 * (row * columns + column);
      for (let c = 0; c < 4; c++) data[to + c] = ramp[from + c];
    }
  }
}

function surface(columns, rows) {
  const canvas = Object.assign(document.createElement("canvas"), { width: columns, height: rows });
  const own = canvas.getContext("2d");
  return { canvas, own, image: own.createImageData(columns, rows), values: new Float32Array(columns * rows) };
}

const highest = (values) => values.reduce((a, b) => Math.max(a, b), 0);

function plane() {
  const { canvas, own, image, values } = surface(CELLS, CELLS);
  let scale = {};
  return (ctx, view, { scene, x0, target, shown, t, theme }) => {
    const grid = new Grid({ center: view.center, half: 1.1 * view.half }, CELLS);
    if (scale.scene !== scene) {
      const most = Math.max(...[x0, target].map((points) => highest(grid.density(points, WIDTH))));
      scale = { scene, most: most || 1 };
    }
    coloured(image, grid.density(shown, WIDTH, values), CELLS, CELLS, scale.most, theme.ramp);
    own.putImageData(image, 0, 0);
    const [left, top] = [grid.low[0], grid.low[1] + CELLS * grid.size];
    ctx.save();
    ctx.transform(
      view.ax * grid.size,
      view.bx * grid.size,
      0,
      -view.by * grid.size,
      view.X(left, t),
      view.Y(left, top),
    );
    ctx.drawImage(canvas, 0, 0);
    ctx.restore();
  };
}

function spaceTime() {
  const { canvas, own, image, values } = surface(TIMES, HEIGHTS);
  return (ctx, view, { trajectory, n, x0, target, theme }) => {
    const [low] = view.sight.low;
    const size = (view.sight.high[0] - low) / HEIGHTS;
    const count = (points, into, column, columns) => {
      for (const y of points) {
        const row = Math.floor((y - low) / size);
        if (row >= 0 && row < HEIGHTS) into[row * columns + column] += 1 / points.length;
      }
      return into;
    };
    const ends = [x0, target].map((points) =>
      highest(smooth(count(points, new Float32Array(HEIGHTS), 0, 1), 1, HEIGHTS, WIDTH)),
    );
    values.fill(0);
    const points = new Float32Array(n);
    for (let column = 0; column < TIMES; column++) {
      positionsAt(trajectory, (column + 0.5) / TIMES, points);
      count(points, values, column, TIMES);
    }
    smooth(values, TIMES, HEIGHTS, WIDTH);
    coloured(image, values, TIMES, HEIGHTS, Math.max(...ends) || 1, theme.ramp);
    own.putImageData(image, 0, 0);
    ctx.drawImage(canvas, view.box.left, view.box.top, view.box.right - view.box.left, view.box.bottom - view.box.top);
  };
}

export const density = () => ({
  name: "density",
  label: "Density of the particles",
  key: "h",
  about: "How densely the particles lie, as a heat map on one scale for all times.",
  legend: () => ({ mark: "heat", text: "density of the particles" }),
  icon: '<circle cx="10" cy="10" r="7" opacity=".35"/><circle cx="10" cy="10" r="4.300" opacity=".7"/><circle cx="10" cy="10" r="1.600" fill="currentColor"/>',
  needs: "trajectory",
  alone: true,
  painters: [
    { plane: "live", dims: [2], paint: plane() },
    { plane: "paths", dims: [1], paint: spaceTime() },
  ],
});
