/** Where the critic's judgement rises, at some of the generated points: the way that the generator is taught to go. */

import { arrow, softened } from "../arrows.js";
import { surfaceOf } from "../density/surface.js";

const POINTS = 90;
/** The slope is taken over this share of the view. */
const STEP = 1 / 400;
const LONGEST = 20;
/** The samples are there from this time on. */
const ARRIVED = 0.98;

/** Gradients (n, 2) by central differences, from the values at [x + h, x − h, y + h, y − h] of each point. */
export function slopes(values, h) {
  return Float32Array.from({ length: values.length / 2 }, (_, i) => (values[2 * i] - values[2 * i + 1]) / (2 * h));
}

function paint(ctx, view, { found: { pull }, theme, t }) {
  if (!pull || t < ARRIVED || view.unrolled) return;
  const { points, gradient } = pull;
  const sizes = Float32Array.from({ length: points.length / 2 }, (_, i) =>
    Math.hypot(gradient[2 * i], gradient[2 * i + 1]),
  );
  const usual = Float32Array.from(sizes).sort()[Math.floor(sizes.length / 2)] || 1;
  ctx.beginPath();
  sizes.forEach((size, i) => {
    if (!(size > 0)) return;
    const length = softened(size, usual, LONGEST);
    arrow(
      ctx,
      view.X(points[2 * i], 1),
      view.Y(points[2 * i], points[2 * i + 1]),
      (length * gradient[2 * i]) / size,
      (-length * gradient[2 * i + 1]) / size,
    );
  });
  ctx.lineWidth = 3;
  ctx.strokeStyle = theme.paper;
  ctx.globalAlpha = 0.6;
  ctx.stroke();
  ctx.lineWidth = 1.1;
  ctx.strokeStyle = theme.ink;
  ctx.globalAlpha = 0.9;
  ctx.stroke();
}

export const pull = {
  name: "pull",
  label: "What the critic teaches",
  key: "a",
  dims: [2],
  about: "Arrows at generated points to where the critic's output rises: the generator is moved along them.",
  legend: () => ({ mark: "arrow", text: "where the critic pulls generated points" }),
  icon: '<circle cx="5" cy="14.500" r="1.800" fill="currentColor" stroke="none"/><path d="M6.500 13 11 8.500m0 3v-3H8"/><circle cx="13.500" cy="5.500" r="2.800" opacity=".6"/>',
  needs: "critic",
  asks: ({ request, picture }) => `${request.snapshot} ${picture}`,
  ask: async (sampler, state, lane) => {
    const {
      request: { run, snapshot },
      trajectory: { x, n },
      scene: { view },
    } = state;
    const [name] = surfaceOf(state);
    const h = STEP * view.half;
    const last = x.subarray(x.length - 2 * n);
    const points = last.slice(0, 2 * Math.min(POINTS, n));
    const around = new Float32Array(4 * points.length);
    for (let i = 0; i < points.length; i += 2) {
      [
        [h, 0],
        [-h, 0],
        [0, h],
        [0, -h],
      ].forEach(([right, up], k) => {
        around[4 * i + 2 * k] = points[i] + right;
        around[4 * i + 2 * k + 1] = points[i + 1] + up;
      });
    }
    const values = await sampler.surface({ run, snapshot, name, points: around, raw: true, lane });
    return values && { points, gradient: slopes(values, h) };
  },
  painters: [{ plane: "over", paint }],
};
