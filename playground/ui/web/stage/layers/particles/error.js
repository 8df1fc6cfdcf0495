/**
 * What few steps cost: where a fine solution of the same field ends, for some particles, and how far off they are.
 * The lines show up to MOST_STEPS steps, beyond which they are too short to see; the mean is told always.
 */

import { isSampler } from "../../../compute/sampling/samplers.js";

const FINE = { solver: "rk4", steps: 100 };
/** A sampler of diffusions tends to a solution of its own, which its noise decides. */
const fine = (request) => (isSampler(request.solver) ? { ...request, ...FINE, solver: request.solver } : FINE);
const MOST_STEPS = 20;
const PARTICLES = 64;

/** Mean distance between the ends of the shown and the fine solution, over these particles. */
function meanError({
  trajectory: { t, x, n, dim },
  found: {
    error: { ends },
  },
}) {
  const last = (t.length - 1) * n * dim;
  let sum = 0;
  for (let i = 0; i < ends.length; i += dim) {
    sum += Math.hypot(...Array.from({ length: dim }, (_, j) => x[last + i + j] - ends[i + j]));
  }
  return (sum * dim) / ends.length;
}

function paint(ctx, view, { found: { error }, trajectory: { t, x, n, dim }, theme }) {
  if (!error || t.length - 1 > MOST_STEPS) return;
  const { ends } = error;
  const last = (t.length - 1) * n * dim;
  const lines = Array.from({ length: ends.length / dim }, (_, i) => {
    const [a, b] = [last + i * dim, i * dim];
    const right = dim === 1 ? [0, 0] : [x[a], ends[b]];
    return [
      view.X(right[0], 1),
      view.Y(right[0], x[a + dim - 1]),
      view.X(right[1], 1),
      view.Y(right[1], ends[b + dim - 1]),
    ];
  });
  const reach = dim === 1 ? 7 : 0; // 1-D: both ends stand above each other, so the line bows out of the way of the dots
  ctx.strokeStyle = theme.error;
  ctx.lineWidth = 1.4;
  ctx.setLineDash([4, 3]);
  ctx.beginPath();
  for (const [X, Y, toX, toY] of lines) {
    ctx.moveTo(X, Y);
    if (reach) ctx.quadraticCurveTo(X + reach, (Y + toY) / 2, toX, toY);
    else ctx.lineTo(toX, toY);
  }
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.fillStyle = theme.paper;
  ctx.strokeStyle = theme["target-ink"];
  for (const [, , X, Y] of lines) {
    ctx.beginPath();
    ctx.arc(X, Y, 2.6, 0, 7);
    ctx.fill();
    ctx.stroke();
  }
  label(ctx, view, lines, theme);
}

/** Names the longest of the lines that leave room for the words. */
function label(ctx, view, lines, theme) {
  const text = "error at t = 1";
  ctx.font = `600 11px ${theme.font}`;
  const wide = ctx.measureText(text).width;
  const inside = lines.filter(([X, Y]) => X > 8 && X < view.width - wide - 16 && Y > 24 && Y < view.height - 30);
  const length = ([X, Y, toX, toY]) => Math.hypot(toX - X, toY - Y);
  const longest = inside.reduce((best, line) => (best && length(best) >= length(line) ? best : line), null);
  if (!longest || length(longest) < 9) return;
  const X = Math.max(longest[0], longest[2]) + 7;
  const Y = (longest[1] + longest[3]) / 2;
  Object.assign(ctx, { textAlign: "left", textBaseline: "middle", lineWidth: 4, lineJoin: "round" });
  ctx.strokeStyle = theme.paper;
  ctx.strokeText(text, X, Y);
  ctx.fillStyle = theme.error;
  ctx.fillText(text, X, Y);
}

export const error = {
  name: "error",
  label: "Error of few steps",
  key: "e",
  about: `Where a fine solution (RK4, ${FINE.steps} steps; of a sampler of diffusions its own, on the same noise) ends, and how far off the shown one is: take fewer steps.`,
  legend: (state) => {
    if (!state.found.error || !state.trajectory) return { mark: "error", text: "error at t = 1 …" };
    const mean = meanError(state);
    const said = mean < 0.001 ? mean.toExponential(0).replace("-", "−") : mean.toPrecision(2);
    const few = state.trajectory.t.length - 1 <= MOST_STEPS;
    return { mark: "error", text: `error at t = 1, mean ${said}${few ? "" : "; fewer steps show it"}` };
  },
  icon: '<circle cx="15.500" cy="4.800" r="2"/><path d="m13.800 6.500-3 3m-1.800 1.800-1.600 1.600" stroke-dasharray="3 2.200"/><circle cx="5" cy="15" r="2" fill="currentColor"/>',
  needs: "flow",
  alone: true,
  asks: ({ request }) => JSON.stringify([request.field, isSampler(request.solver) && { ...request, steps: null }]),
  ask: async (sampler, { request, values, starts: x0, n, dim }, lane) => {
    const { run, snapshot, told, guidance, guiding } = request;
    const count = Math.min(PARTICLES, n);
    const starts = x0.slice(0, count * dim);
    const under = told ?? values?.slice(0, count);
    const solved = await sampler.sample({
      run,
      snapshot,
      x0: starts,
      dim,
      ...fine(request),
      told: under,
      guidance,
      guiding,
      lane,
    });
    return solved && { ends: solved.x.slice(-starts.length) };
  },
  painters: [{ plane: "over", paint }],
};
