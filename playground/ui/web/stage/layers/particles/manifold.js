/**
 * The generator as a warped grid of its latent: cells of equal probability, so that where a cell is small the samples
 * are dense, and drawn the more opaque. The first two latent dimensions vary, the others stay at their median; a latent
 * of one dimension is a thread.
 */

import { bracket } from "../../../compute/sampling/interpolation.js";

const CELLS = 20;
const THREAD = 121;
/** The outermost lines stand at these shares of the latent's probability. */
const EDGE = 0.01;

const shareAt = (k, count) => EDGE + ((1 - 2 * EDGE) * k) / (count - 1);

/** The values of one latent coordinate below which so many shares of it lie. */
function quantiles(latent, width, axis, shares) {
  const sorted = Float32Array.from({ length: latent.length / width }, (_, i) => latent[i * width + axis]).sort();
  return shares.map((share) => {
    const at = share * (sorted.length - 1);
    const k = Math.min(sorted.length - 2, Math.floor(at));
    return sorted[k] + (at - k) * (sorted[k + 1] - sorted[k]);
  });
}

/** The latent nodes, row after row. */
export function nodes(latent, width) {
  const middle = Array.from({ length: width }, (_, axis) => quantiles(latent, width, axis, [0.5])[0]);
  const line = (axis, count) =>
    quantiles(
      latent,
      width,
      axis,
      Array.from({ length: count }, (_, k) => shareAt(k, count)),
    );
  if (width === 1) return Float32Array.from(line(0, THREAD));
  const [across, up] = [line(0, CELLS + 1), line(1, CELLS + 1)];
  return Float32Array.from(up.flatMap((b) => across.flatMap((a) => [a, b, ...middle.slice(2)])));
}

function paint(ctx, view, { found: { manifold }, theme, t: now }) {
  if (!manifold) return;
  const { t, x, n } = manifold;
  const { k, share } = bracket(t, now);
  const [X, Y] = [new Float32Array(n), new Float32Array(n)];
  for (let i = 0; i < n; i++) {
    const [a, b] = [2 * (k * n + i), 2 * ((k + 1) * n + i)];
    const right = x[a] + share * (x[b] - x[a]);
    X[i] = view.X(right, now);
    Y[i] = view.Y(right, x[a + 1] + share * (x[b + 1] - x[a + 1]));
  }
  ctx.lineJoin = "round";
  if (n === THREAD) return thread(ctx, theme, X, Y);
  const side = CELLS + 1;
  const whole = 4 * view.half ** 2 * Math.abs(view.ax * view.by);
  ctx.fillStyle = ctx.strokeStyle = theme.fake;
  ctx.lineWidth = 0.6;
  for (let row = 0; row < CELLS; row++) {
    for (let column = 0; column < CELLS; column++) {
      const corners = [
        row * side + column,
        row * side + column + 1,
        (row + 1) * side + column + 1,
        (row + 1) * side + column,
      ];
      ctx.beginPath();
      for (const i of corners) ctx.lineTo(X[i], Y[i]);
      ctx.closePath();
      const density = whole / (CELLS * CELLS) / Math.max(1, area(corners, X, Y)); // 1 where all of the view were as dense
      ctx.globalAlpha = Math.min(0.75, 0.06 + 0.22 * Math.log10(1 + density));
      ctx.fill();
      ctx.globalAlpha = 0.4;
      ctx.stroke();
    }
  }
}

function thread(ctx, theme, X, Y) {
  ctx.beginPath();
  X.forEach((right, i) => ctx.lineTo(right, Y[i]));
  ctx.lineWidth = 2;
  ctx.strokeStyle = theme.fake;
  ctx.globalAlpha = 0.8;
  ctx.stroke();
}

/** The area of a quadrilateral, by the shoelace formula. */
function area(corners, X, Y) {
  return (
    Math.abs(
      corners.reduce((sum, i, k) => {
        const j = corners[(k + 1) % corners.length];
        return sum + X[i] * Y[j] - X[j] * Y[i];
      }, 0),
    ) / 2
  );
}

export const manifold = {
  name: "manifold",
  label: "The latent's grid",
  key: "m",
  dims: [2],
  about:
    "A grid over the latent, each cell equally likely, where the generator takes it: opaque where samples are dense.",
  legend: () => ({ mark: "manifold", text: "the latent's grid, opaque where it is dense" }),
  icon: '<path d="M3 5c4 2 6-1.500 9 0s3 1 5 0v10c-2 1-3 1-5 0s-5 2-9 0zM7.500 5.500v10M12.500 5v10M3 10c4 2 6-1 9 0s3 1 5 0"/>',
  needs: "map",
  alone: true,
  asks: ({ request, picture }) => `${request.snapshot} ${picture}`,
  ask: (sampler, { request, latent, scene, dim }, lane) =>
    sampler.sample({ ...request, x0: nodes(latent, scene.network.map.latent), dim, lane }),
  painters: [{ plane: "over", paint }],
};
