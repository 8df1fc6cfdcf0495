/** What is always there: axes or the frames of the unrolled planes, source and target, in 1-D their densities. */

import { ticks } from "../view.js";
import { dotRadius } from "./particles/particles.js";

const FRAMES = [0, 0.25, 0.5, 0.75, 1];
/** Unrolled, so many particles stand as ghosts in the frames between source and target. */
const GHOSTS = 700;

function lettering(ctx, theme) {
  ctx.font = `11px ${theme.font}`;
  return (text, x, y, align, baseline) => {
    Object.assign(ctx, { textAlign: align, textBaseline: baseline, fillStyle: theme["ink-faint"] });
    ctx.fillText(String(text).replace("-", "−"), x, y);
  };
}

function axes(ctx, view, { theme, scene, numbers }) {
  const { width, height, dim, box } = view;
  if (view.unrolled) return frames(ctx, view, theme);
  const { low, high } = view.sight;
  const across = dim === 1 ? [0, 0.25, 0.5, 0.75, 1] : ticks(low[0], high[0], width / 90);
  const up = ticks(low.at(-1), high.at(-1), (box.bottom - box.top) / 90);
  const line = (colour, x, y, wide, tall) => {
    ctx.fillStyle = colour;
    ctx.fillRect(x, y, wide, tall);
  };
  const label = lettering(ctx, theme);
  const T = dim === 1 ? (numbers?.T ?? scene.network?.equation?.T ?? 1) : 1; // of equations time runs to T
  for (const x of across) {
    const at = Math.round(dim === 1 ? view.X(0, x) : view.X(x, 0));
    if (dim === 2 && (at < 26 || at > width - 12)) continue;
    line(dim === 1 && x % 1 === 0 ? theme["line-strong"] : theme.line, at, box.top, 1, box.bottom - box.top);
    label(Number((T * x).toPrecision(4)), at, height - 6, "center", "bottom");
  }
  for (const y of up) {
    const at = Math.round(view.Y(0, y));
    if (at < 12 || at > height - 30) continue;
    line(theme.line, box.left, at, box.right - box.left, 1);
    label(y, 8, at, "left", "middle");
  }
  if (dim === 1) label("time t", width - 8, height - 6, "right", "bottom");
}

/** The planes of the times from source to target. */
function frames(ctx, view, theme) {
  const {
    center: [cx, cy],
    half,
  } = view;
  const label = lettering(ctx, theme);
  ctx.lineWidth = 1;
  for (const t of FRAMES) {
    ctx.beginPath();
    for (const [x, y] of [
      [-half, -half],
      [half, -half],
      [half, half],
      [-half, half],
    ]) {
      ctx.lineTo(view.X(cx + x, t), view.Y(cx + x, cy + y));
    }
    ctx.closePath();
    ctx.strokeStyle = t % 1 === 0 ? theme["line-strong"] : theme.line;
    ctx.stroke();
    label(t % 1 === 0 ? `t = ${t}` : t, view.X(cx - half, t), view.Y(cx - half, cy - half) + 5, "left", "top");
  }
}

/** Source as dots, target as small crosses, so that they differ by more than their hue. */
function clouds(ctx, view, { x0, target, theme }) {
  const size = dotRadius(view, x0.length / 2) * 0.8;
  const density = Math.sqrt(2000 / Math.max(500, x0.length / 2));
  ctx.globalAlpha = Math.min(0.5, (theme.dark ? 0.36 : 0.3) * density);
  ctx.fillStyle = theme.source;
  for (let i = 0; i < x0.length; i += 2) {
    ctx.beginPath();
    ctx.arc(view.X(x0[i], 0), view.Y(x0[i], x0[i + 1]), size, 0, 7);
    ctx.fill();
  }
  ctx.globalAlpha = Math.min(0.7, (theme.dark ? 0.42 : 0.5) * density);
  ctx.strokeStyle = theme.target;
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (let i = 0; i < target.length; i += 2) {
    const x = view.X(target[i], 1);
    const y = view.Y(target[i], target[i + 1]);
    ctx.moveTo(x - size - 0.5, y);
    ctx.lineTo(x + size + 0.5, y);
    ctx.moveTo(x, y - size - 0.5);
    ctx.lineTo(x, y + size + 0.5);
  }
  ctx.stroke();
}

/** Unrolled: some particles as they pass the frames on the way. */
function ghosts(ctx, view, { trajectory, n, tint, theme }) {
  if (!view.unrolled || !trajectory) return;
  const { t, x } = trajectory;
  ctx.globalAlpha = 0.5;
  for (const time of FRAMES.slice(1, -1)) {
    let k = 0;
    while (k < t.length - 2 && t[k + 1] <= time) k++;
    const share = (time - t[k]) / (t[k + 1] - t[k]);
    for (let i = 0; i < Math.min(GHOSTS, n); i++) {
      const [a, b] = [2 * (k * n + i), 2 * ((k + 1) * n + i)];
      const right = x[a] + share * (x[b] - x[a]);
      ctx.fillStyle = theme.tints[tint[i]].css;
      ctx.fillRect(view.X(right, time) - 0.7, view.Y(right, x[a + 1] + share * (x[b + 1] - x[a + 1])) - 0.7, 1.4, 1.4);
    }
  }
}

/** Shares of the points (n,) in each of `bins` slices of the visible range, bottom slice last. */
function histogram(points, view, bins) {
  const shares = new Float64Array(bins);
  const { box } = view;
  for (const y of points) {
    const k = Math.floor((bins * (view.Y(0, y) - box.top)) / (box.bottom - box.top));
    if (k >= 0 && k < bins) shares[k] += 1 / points.length;
  }
  return shares;
}

/** 1-D: the densities at both ends, growing outwards from t = 0 and t = 1. */
function densities(ctx, view, { x0, target, theme }) {
  const { bins, unit, slice } = densityScale(view, x0, target);
  const bars = (points, edge, sign, colour) => {
    ctx.fillStyle = colour;
    histogram(points, view, bins).forEach((share, k) => {
      ctx.fillRect(edge, view.box.top + k * slice, sign * share * unit, slice - 1);
    });
  };
  ctx.globalAlpha = theme.dark ? 0.5 : 0.45;
  bars(x0, view.box.left, -1, theme.source);
  bars(target, view.box.right + 1, 1, theme.target);
}

function densityScale(view, x0, target) {
  const bins = Math.max(24, Math.min(64, Math.round((view.box.bottom - view.box.top) / 9)));
  const most = Math.max(...histogram(x0, view, bins), ...histogram(target, view, bins));
  return { bins, unit: (view.side - 10) / (1.15 * most || 1), slice: (view.box.bottom - view.box.top) / bins };
}

/** 1-D: the density of the particles at t, carried along; at t = 1 it lies on the target's. */
function moving(ctx, view, { x0, target, trajectory, shown, t, theme }) {
  if (!trajectory) return;
  const { bins, unit, slice } = densityScale(view, x0, target);
  const left = Math.round(view.X(0, t)) + 0.5;
  ctx.beginPath();
  ctx.moveTo(left, view.box.top);
  histogram(shown, view, bins).forEach((share, k) => {
    ctx.lineTo(left + share * unit, view.box.top + k * slice);
    ctx.lineTo(left + share * unit, view.box.top + (k + 1) * slice);
  });
  ctx.lineTo(left, view.box.bottom);
  ctx.fillStyle = ctx.strokeStyle = theme.moving;
  ctx.globalAlpha = 0.16;
  ctx.fill();
  ctx.globalAlpha = 1;
  ctx.lineWidth = 1.5;
  ctx.stroke();
}

export const ground = {
  name: "ground",
  always: true,
  needs: "scene",
  painters: [
    { plane: "ground", paint: axes },
    { plane: "ground", dims: [2], paint: clouds },
    { plane: "ground", dims: [1], paint: densities },
    { plane: "paths", dims: [2], paint: ghosts },
    { plane: "live", dims: [1], paint: moving },
  ],
};
