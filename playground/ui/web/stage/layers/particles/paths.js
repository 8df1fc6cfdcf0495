/** The whole of each traced path, faint, with the solver's own states where they are few; what is travelled, strong. */

import { bracket } from "../../../compute/sampling/interpolation.js";

/** Up to so many steps the solver's own states are drawn as nodes; beyond, a path is thinned to so many corners. */
export const FEW_STEPS = 16;
const MOST_CORNERS = 33;

/** The states of a trajectory at which a drawn path has its corners. */
function corners({ t }) {
  const stride = Math.max(1, Math.ceil((t.length - 1) / (MOST_CORNERS - 1)));
  const picked = [];
  for (let k = 0; k < t.length - 1; k += stride) picked.push(k);
  return [...picked, t.length - 1];
}

/** The traced particles of each tint that has any. */
function byTint({ traced, tint, theme }) {
  const groups = theme.tints.map(() => []);
  for (let i = 0; i < traced; i++) groups[tint[i]].push(i);
  return groups;
}

/** Strokes the paths of the traced particles between two times, one stroke a colour. */
function strokePaths(ctx, view, state, since, until) {
  const { t: times, x, n, dim } = state.trajectory;
  const within = corners(state.trajectory)
    .map((k) => times[k])
    .filter((time) => time > since && time < until);
  const stops = [since, ...within, until].map((time) => ({ time, ...bracket(times, time) }));
  ctx.lineJoin = "round";
  byTint(state).forEach((group, colour) => {
    if (!group.length) return;
    ctx.beginPath();
    for (const i of group) {
      for (const { time, k, share } of stops) {
        const a = (k * n + i) * dim;
        const b = a + n * dim;
        const right = dim === 1 ? 0 : x[a] + share * (x[b] - x[a]);
        const up = x[a + dim - 1] + share * (x[b + dim - 1] - x[a + dim - 1]);
        if (time === since) ctx.moveTo(view.X(right, time), view.Y(right, up));
        else ctx.lineTo(view.X(right, time), view.Y(right, up));
      }
    }
    ctx.strokeStyle = state.theme.tints[colour].css;
    ctx.stroke();
  });
}

function whole(ctx, view, state) {
  const {
    trajectory: { t, x, n, dim },
    traced,
    tint,
    theme,
  } = state;
  const few = t.length - 1 <= FEW_STEPS;
  ctx.lineWidth = 1;
  ctx.globalAlpha = few ? 0.4 : 0.22;
  strokePaths(ctx, view, state, 0, 1);
  if (!few) return;
  ctx.globalAlpha = 0.8;
  ctx.fillStyle = theme.paper;
  for (let i = 0; i < traced; i++) {
    ctx.strokeStyle = theme.tints[tint[i]].css;
    for (let k = 0; k < t.length; k++) {
      const at = (k * n + i) * dim;
      const right = dim === 1 ? 0 : x[at];
      ctx.beginPath();
      ctx.arc(view.X(right, t[k]), view.Y(right, x[at + dim - 1]), 1.7, 0, 7);
      ctx.fill();
      ctx.stroke();
    }
  }
}

function travelled(ctx, view, state) {
  if (state.training || state.t <= state.since) return;
  ctx.lineWidth = 1.3;
  strokePaths(ctx, view, state, state.since, state.t);
}

export const paths = {
  name: "paths",
  label: "Paths",
  key: "t",
  about:
    "The whole way of some particles, faint, and what they have travelled so far, strong. Dots on it are solver states.",
  icon: '<path d="M3 16c4.500 0 3.500-11.500 8-11.500 3 0 3.200 3 3.500 5.500"/><circle cx="14.800" cy="13" r="2.200" fill="currentColor"/>',
  needs: "trajectory",
  onward: true,
  painters: [
    { plane: "paths", paint: whole },
    { plane: "travelled", paint: travelled },
  ],
};
