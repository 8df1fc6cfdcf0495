/** A grid of lines over the source, carried by the flow: how space is stretched, squeezed and folded on the way. */

import { bracket } from "../../../compute/sampling/interpolation.js";
import { asked } from "../../../api/probing.js";
import { decodeTrajectory } from "../../../api/remote.js";
import { hasField } from "../../../scene/capabilities.js";

const LINES = 15;
const POINTS = 43;
/** 1-D: so many places, each of whose ways is a line through space and time. */
const PLACES = 31;
/** How far the grid reaches, in standard deviations of the source. */
const REACH = 2;

function spread(x0, dim, axis) {
  const n = x0.length / dim;
  let [sum, squares] = [0, 0];
  for (let i = axis; i < x0.length; i += dim) {
    sum += x0[i];
    squares += x0[i] ** 2;
  }
  const std = Math.sqrt(Math.max(0, squares / n - (sum / n) ** 2));
  return [sum / n - REACH * std, sum / n + REACH * std];
}

/** The points of the lines, one line after the other: first those across, then those up. */
function lines(x0, dim) {
  const [[left, right], [low, high]] = [spread(x0, dim, 0), spread(x0, dim, dim - 1)];
  if (dim === 1) return Float32Array.from({ length: PLACES }, (_, k) => low + ((high - low) * k) / (PLACES - 1));
  const points = new Float32Array(2 * 2 * LINES * POINTS);
  let at = 0;
  for (const upright of [false, true]) {
    for (let line = 0; line < LINES; line++) {
      for (let k = 0; k < POINTS; k++) {
        const [a, b] = [line / (LINES - 1), k / (POINTS - 1)];
        points[at++] = left + (right - left) * (upright ? a : b);
        points[at++] = low + (high - low) * (upright ? b : a);
      }
    }
  }
  return points;
}

function paintPlane(ctx, view, { found: { warp }, theme, t: now }) {
  if (!warp?.x) return;
  const { t, x, n } = warp;
  const { k, share } = bracket(t, now);
  ctx.beginPath();
  for (let i = 0; i < n; i++) {
    const a = 2 * (k * n + i);
    const b = a + 2 * n;
    const right = x[a] + share * (x[b] - x[a]);
    const up = x[a + 1] + share * (x[b + 1] - x[a + 1]);
    if (i % POINTS === 0) ctx.moveTo(view.X(right, now), view.Y(right, up));
    else ctx.lineTo(view.X(right, now), view.Y(right, up));
  }
  stroke(ctx, theme);
}

function paintSpaceTime(ctx, view, { found: { warp }, theme, t: now }) {
  if (!warp?.x) return;
  const { t, x, n } = warp;
  const { k, share } = bracket(t, now);
  ctx.beginPath();
  for (let i = 0; i < n; i++) {
    for (let state = 0; state <= k; state++) {
      const [X, Y] = [view.X(0, t[state]), view.Y(0, x[state * n + i])];
      if (state === 0) ctx.moveTo(X, Y);
      else ctx.lineTo(X, Y);
    }
    const [from, to] = [x[k * n + i], x[(k + 1) * n + i]];
    ctx.lineTo(view.X(0, now), view.Y(0, from + share * (to - from)));
  }
  stroke(ctx, theme);
}

function stroke(ctx, theme) {
  ctx.lineJoin = "round";
  ctx.lineWidth = 1;
  ctx.strokeStyle = theme.ink;
  ctx.globalAlpha = 0.6;
  ctx.stroke();
}

/** Of a model that the server carries points with; while it trains there is none. */
async function carriedThere({ scene, request: { snapshot }, x0, dim, training }) {
  if (training) return {};
  const sides = Array.from({ length: dim }, (_, axis) => spread(x0, dim, axis));
  const [low, high] = [0, 1].map((end) => sides.map((side) => side[end]));
  return decodeTrajectory(await asked("carry", { scene, snapshot, low, high }));
}

export const warp = {
  name: "warp",
  label: "Warped grid",
  key: "g",
  about: "A grid of straight lines over the source, carried along by the flow.",
  legend: ({ dim }) => ({
    mark: "line",
    text: dim === 1 ? "evenly spaced starts, carried by the flow" : "a square grid, carried by the flow",
  }),
  icon: '<path d="M3.500 4.500c4-2 9-2 13 0M3.500 10c4-3 9 2.500 13 0M3.500 15.500c4 1.500 9 1.500 13 0M3.500 4.500c1.500 3 1.500 8 0 11M10 3c-2.500 4 2.500 9 0 13.600M16.500 4.500c-1.500 3-1.500 8 0 11"/>',
  needs: "carried",
  alone: true,
  asks: ({ scene, request, picture, training }) =>
    hasField(scene) || !training ? `${request.field} ${picture}` : "training",
  ask: (sampler, state, lane) => {
    const { scene, request, starts: x0, dim, trajectory } = state;
    if (hasField(scene)) return sampler.sample({ ...request, x0: lines(x0, dim), dim, times: trajectory.t, lane });
    return carriedThere(state);
  },
  painters: [
    { plane: "over", dims: [2], paint: paintPlane },
    { plane: "live", dims: [1], paint: paintSpaceTime },
  ],
};
