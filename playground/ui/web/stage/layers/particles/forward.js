/**
 * The forward process: points of the target under noise that grows from t = 1 back to t = 0, each on a path of its own.
 *
 * From a time to an earlier one x = a x' + √b z with a = α / α' and b = σ² − a² σ'², which keeps x_t = α x₁ + σ x₀ in
 * law at every time and forgets by and by, as the noising of a diffusion does. While the layer is on, the clock runs
 * there and back: data dissolve into noise, then the particles of the model retrace it.
 */

import { positionsAt } from "../../../compute/sampling/interpolation.js";
import { normals } from "../../../compute/sampling/noise.js";
import { PathTable } from "../../../compute/networks/place.js";
import { pathOf } from "../../../scene/path.js";

const POINTS = 1000;
const TIMES = 65;
const TRAILS = 40;
/** Not the noise of the particles. */
const SEED = 2 ** 30;
/** States that are made at a time, between which the page may do something else. */
const AT_ONCE = 8;

const pause = () => new Promise((resolve) => setTimeout(resolve));

/** The trajectory {t, x, n, dim} of the first points of the target, with ascending times. */
export async function noised({ scene, target, dim }) {
  const path = pathOf(scene);
  const table = new PathTable(path.table);
  const size = Math.min(POINTS * dim, target.length);
  const even = Float64Array.from(
    { length: TIMES },
    (_, k) => path.t_min + ((path.t_max - path.t_min) * k) / (TIMES - 1),
  );
  const t = table.snapped(even);
  const x = new Float32Array(t.length * size);
  const z = new Float64Array(size);
  let after = { alpha: 1, sigma: 0 };
  for (let k = t.length - 1; k >= 0; k--) {
    const now = table.at(t[k]);
    const a = now.alpha / after.alpha;
    const fresh = Math.sqrt(Math.max(0, now.sigma ** 2 - (a * after.sigma) ** 2));
    const before = k === t.length - 1 ? target : x.subarray((k + 1) * size);
    normals(SEED, 0, k, dim, z);
    for (let i = 0, to = k * size; i < size; i++, to++) x[to] = a * before[i] + fresh * z[i];
    after = now;
    if (k % AT_ONCE === 0) await pause();
  }
  return { t, x, n: size / dim, dim };
}

function paint(ctx, view, { found: { forward }, t, back, theme }) {
  if (!forward) return;
  const { n, dim } = forward;
  const points = new Float32Array(n * dim);
  positionsAt(forward, t, points);
  ctx.fillStyle = theme["target-ink"];
  ctx.globalAlpha = back ? 0.75 : 0.6;
  const side = back ? 3 : 2.8;
  for (let i = 0; i < n; i++) {
    const right = dim === 1 ? 0 : points[i * dim];
    ctx.fillRect(view.X(right, t) - side / 2, view.Y(right, points[i * dim + dim - 1]) - side / 2, side, side);
  }
  if (back) trails(ctx, view, forward, t);
}

/** What some points have gone through since t = 1. */
function trails(ctx, view, { t: times, x, n, dim }, now) {
  Object.assign(ctx, { strokeStyle: ctx.fillStyle, globalAlpha: 0.35, lineWidth: 1, lineJoin: "round" });
  ctx.beginPath();
  for (let i = 0; i < Math.min(n, TRAILS); i++) {
    for (let k = times.length - 1; k >= 0 && times[k] >= now; k--) {
      const at = (k * n + i) * dim;
      const right = dim === 1 ? 0 : x[at];
      const place = [view.X(right, times[k]), view.Y(right, x[at + dim - 1])];
      if (k === times.length - 1) ctx.moveTo(...place);
      else ctx.lineTo(...place);
    }
  }
  ctx.stroke();
}

export const forward = {
  name: "forward",
  label: "Forward process",
  key: "n",
  about: "Data dissolve into noise along the same times, from t = 1 back to 0; then the model's particles retrace it.",
  legend: ({ back }) => ({
    mark: "forward",
    text: back ? "data dissolving into noise (forward process)" : "data under the noise of this time",
  }),
  icon: '<path d="M16.500 10h-11m0 0L8.500 7M5.500 10l3 3"/><g fill="currentColor" stroke="none"><circle cx="13" cy="5" r="1.300"/><circle cx="16" cy="5" r="1.300"/><circle cx="3.500" cy="4" r="1"/><circle cx="7" cy="16" r="1"/><circle cx="3" cy="15" r="1"/><circle cx="13" cy="15" r="1.300"/><circle cx="16" cy="15" r="1.300"/></g>',
  needs: "diffusion",
  light: true,
  asks: ({ scene }) => `${scene.run}`,
  ask: (sampler, state) => noised(state),
  painters: [{ plane: "over", paint }],
};
