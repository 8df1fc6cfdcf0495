/** The target's density as contours: regions that hold so many per cent of its real samples. */

import { contour, Grid, levelsHolding } from "../../../compute/metrics/grid.js";

const CELLS = 110;
const WIDTH = 2.5;
/** The shares of the target that the regions hold, the densest first, with the width of their lines. */
const SHARES = [0.3, 0.6, 0.9];

function paint() {
  let drawn = {};
  return (ctx, view, { scene, target, theme }) => {
    if (drawn.scene !== scene) {
      const grid = new Grid({ center: view.center, half: 1.15 * view.half }, CELLS);
      const values = grid.density(target, WIDTH);
      drawn = { scene, grid, lines: levelsHolding(values, SHARES).map((level) => contour(values, CELLS, level)) };
    }
    const { grid, lines } = drawn;
    ctx.lineCap = "round";
    ctx.strokeStyle = theme["target-ink"];
    lines.forEach((segments, k) => {
      ctx.beginPath();
      for (let i = 0; i < segments.length; i += 4) {
        const [x, y, toX, toY] = [
          grid.x(segments[i]),
          grid.y(segments[i + 1]),
          grid.x(segments[i + 2]),
          grid.y(segments[i + 3]),
        ];
        ctx.moveTo(view.X(x, 1), view.Y(x, y));
        ctx.lineTo(view.X(toX, 1), view.Y(toX, toY));
      }
      ctx.lineWidth = 1.9 - 0.35 * k;
      ctx.globalAlpha = 0.95 - 0.18 * k;
      ctx.stroke();
    });
  };
}

export const contours = () => ({
  name: "contours",
  label: "Contours of the target",
  key: "c",
  dims: [2],
  about: `Contours of the target's density: the regions hold ${SHARES.map((share) => Math.round(100 * share)).join(", ")} % of it.`,
  legend: () => ({
    mark: "contour",
    text: `contours hold ${SHARES.map((share) => Math.round(100 * share)).join(", ")} % of the target`,
  }),
  icon: '<path d="M4 11c-1.500-4 2-7 6-7s8 2.500 6.500 7-4 5-7 5-4.500-2-5.500-5z"/><path d="M7.500 10.500c-.5-2 1-3.300 3-3.300s3 1.200 2.500 3-1.500 2.500-3 2.500-2.200-1-2.500-2.200z"/>',
  needs: "scene",
  alone: true,
  painters: [{ plane: "ground", paint: paint() }],
});
