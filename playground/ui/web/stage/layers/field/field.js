/** The velocity field as arrows on a grid: 2-D at the current time, 1-D all over space and time. */

import { arrow, softened } from "../arrows.js";

const SIDE = 20;
const [TIMES, HEIGHTS] = [17, 15];

/** The middles of SIDE × SIDE equal cells of what is in sight. */
function lattice({ low, high }) {
  const cell = Math.max(high[0] - low[0], high[1] - low[1]) / SIDE;
  const [columns, rows] = [0, 1].map((axis) => Math.max(1, Math.round((high[axis] - low[axis]) / cell)));
  const points = new Float32Array(2 * columns * rows);
  for (let k = 0; k < columns * rows; k++) {
    points[2 * k] = low[0] + ((high[0] - low[0]) * ((k % columns) + 0.5)) / columns;
    points[2 * k + 1] = low[1] + ((high[1] - low[1]) * (Math.floor(k / columns) + 0.5)) / rows;
  }
  return { points, cell };
}

async function plane(sampler, { view, request: { run, snapshot, told, guidance, guiding }, t }, lane) {
  const { points, cell } = lattice(view.sight);
  const values = await sampler.evaluate({ run, snapshot, points, t, told, guidance, guiding, lane });
  return values && { points, values, cell, t };
}

async function spaceTime(sampler, { view, request: { run, snapshot, told, guidance, guiding } }, lane) {
  const {
    low: [low],
    high: [high],
  } = view.sight;
  const points = Float32Array.from({ length: HEIGHTS }, (_, k) => low + ((high - low) * (k + 0.5)) / HEIGHTS);
  const times = Array.from({ length: TIMES }, (_, k) => (k + 0.5) / TIMES);
  const columns = await Promise.all(
    times.map((t, k) => sampler.evaluate({ run, snapshot, points, t, told, guidance, guiding, lane: `${lane} ${k}` })),
  );
  return columns.every(Boolean) ? { points, times, columns, cell: (high - low) / HEIGHTS } : null;
}

function paintPlane(ctx, view, { found: { field }, theme, t }) {
  if (!field?.values) return;
  const { points, values, cell } = field;
  const most = 1.05 * cell;
  const usual = 0.5 * view.half;
  ctx.beginPath();
  for (let i = 0; i < points.length; i += 2) {
    const [vx, vy] = [values[i], values[i + 1]];
    const speed = Math.hypot(vx, vy);
    const length = softened(speed, usual, most) / (speed || 1);
    const [across, up] = [length * vx, length * vy];
    arrow(
      ctx,
      view.X(points[i], t),
      view.Y(points[i], points[i + 1]),
      view.ax * across,
      view.bx * across + view.by * up,
      true,
    );
  }
  stroke(ctx, theme);
}

/** A slope: how far a particle here gets in the time that an arrow spans. */
function paintSpaceTime(ctx, view, { found: { field }, theme }) {
  if (!field?.columns) return;
  const { points, times, columns } = field;
  const across = view.at / TIMES;
  const most = 0.86 * Math.min(across, Math.abs(view.by) * field.cell * 1.6);
  ctx.beginPath();
  times.forEach((t, k) => {
    points.forEach((y, i) => {
      const [right, down] = [view.at, view.by * columns[k][i]];
      const length = most / Math.hypot(right, down);
      arrow(ctx, view.X(0, t), view.Y(0, y), length * right, length * down, true);
    });
  });
  stroke(ctx, theme);
}

function stroke(ctx, theme) {
  ctx.lineJoin = ctx.lineCap = "round";
  ctx.lineWidth = 1.3;
  ctx.strokeStyle = theme.ink;
  ctx.globalAlpha = theme.dark ? 0.62 : 0.55;
  ctx.stroke();
}

export const field = {
  name: "field",
  label: "Velocity field",
  key: "v",
  about: "Where the network sends a particle at each place and at this time; longer is faster.",
  legend: ({ dim }) => ({ mark: "arrow", text: dim === 1 ? "velocity, as a slope" : "velocity, longer is faster" }),
  icon: '<path d="M3 7h7m0 0L7.800 4.800M10 7 7.800 9.200M8 14h9m0 0-2.200-2.200M17 14l-2.200 2.200M14 6h3"/>',
  needs: "network",
  alone: true,
  light: true,
  asks: ({ dim, t, request, place }) => `${request.field} ${place} ${dim === 2 ? t.toFixed(3) : ""}`,
  ask: (sampler, state, lane) => (state.dim === 1 ? spaceTime : plane)(sampler, state, lane),
  painters: [
    { plane: "live", dims: [2], paint: paintPlane },
    { plane: "live", dims: [1], paint: paintSpaceTime },
  ],
};
