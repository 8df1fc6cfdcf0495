/**
 * Painting the stage: a list of painters, each one layer, on a stack of canvases.
 *
 * A painter is `{ plane, dims?, paint(ctx, view, state) }` and draws in CSS pixels. Its plane says when it is redone:
 *     ground     when scene, size or colours change
 *     paths      when the trajectory changes as well, on a copy of the ground
 *     travelled  never cleared while t only grows: a painter adds what lies between state.since and state.t
 *     live       at every frame
 *     dots       at every frame; belongs to the particles alone, who write its pixels themselves
 * A new layer is one more painter in the list.
 *
 * `view` maps data to the canvas: X = view.ox + view.sx·x, Y = view.oy + view.sy·y, with equal scales in 2-D. In 1-D
 * the horizontal axis is time t in [0, 1] and the vertical one the position. `state` is what the Stage knows: scene,
 * dim, n, x0, target, tint (colour of each particle), traced (how many of the first particles leave a trail),
 * trajectory, t, shown (the n·dim positions at t), training and theme.
 */

import { bracket } from "./clock.js";

const PLANES = ["ground", "paths", "travelled", "live", "dots"];
export const TINTS = 36;
/** Up to here the solver's own states are drawn as nodes; beyond, a path is thinned to so many corners. */
export const FEW_STEPS = 16;
const MOST_CORNERS = 33;

// ------------------------------------------------------------------------------------------------ colours

/** Red, green, blue (0–255) of a point in OKLCH (lightness, chroma, hue in turns), Ottosson 2020. */
function oklch(lightness, chroma, turns) {
  const a = chroma * Math.cos(2 * Math.PI * turns);
  const b = chroma * Math.sin(2 * Math.PI * turns);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ].map((c) => Math.round(255 * Math.min(1, Math.max(0, c <= 0.0031308 ? 12.92 * c : 1.055 * c ** (1 / 2.4) - 0.055))));
}

/**
 * The colours of the particles. 2-D: a whole turn of hue at nearly one lightness, because an angle has no end;
 * 1-D: from violet to orange, because a position has two. A gentle wave in lightness tells opposite hues apart.
 */
function palette(dim, dark) {
  const lightness = dark ? 0.76 : 0.6;
  const chroma = dark ? 0.145 : 0.17;
  return Array.from({ length: TINTS }, (_, k) => {
    const turns = dim === 2 ? (k + 0.5) / TINTS : 0.8 - (0.7 * (k + 0.5)) / TINTS;
    const [r, g, b] = oklch(lightness + 0.06 * Math.cos(2 * Math.PI * (turns - 0.28)), chroma, turns);
    return { css: `rgb(${r},${g},${b})`, pixel: (b << 16) | (g << 8) | r };
  });
}

/** The colours and the font in force at `element`, from the --pg-* variables. */
export function themeOf(element, dim = 2) {
  const style = getComputedStyle(element);
  const read = (name) => style.getPropertyValue(`--pg-${name}`).trim();
  const names = ["source", "moving", "target", "accent", "ink-faint", "line", "line-strong", "paper", "font"];
  const theme = Object.fromEntries(names.map((name) => [name, read(name)]));
  const dark = element.closest(".dark") !== null;
  return { ...theme, dark, tints: palette(dim, dark) };
}

// ------------------------------------------------------------------------------------------------ the view

/** Numbers 1, 2 or 5·10^k apart, about `count` of them within [low, high]. */
export function ticks(low, high, count) {
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= raw);
  const [first, last] = [Math.ceil(low / step), Math.floor(high / step)];
  return Array.from({ length: last - first + 1 }, (_, k) => Number(((first + k) * step).toPrecision(6)));
}

/** Fits `scene.view`, a square {center, half}, into width × height CSS pixels. */
function viewOf(scene, width, height) {
  const { center, half } = scene.view;
  const flat = scene.dim === 1;
  const side = flat ? Math.max(44, Math.min(0.15 * width, 130)) : 0;
  const box = { left: side, right: width - side, top: 0, bottom: height - (flat ? 22 : 0) };
  const tall = box.bottom - box.top;
  const sy = -(flat ? tall : Math.min(width, height)) / (2 * half);
  const sx = flat ? box.right - box.left : -sy;
  const oy = (box.top + box.bottom) / 2 - sy * center[center.length - 1];
  const ox = flat ? box.left : width / 2 - sx * center[0];
  return { width, height, dim: scene.dim, box, side, sx, sy, ox, oy };
}

// ------------------------------------------------------------------------------------------------ painters

function axes(ctx, view, { theme }) {
  const { width, height, dim, box, sx, sy, ox, oy } = view;
  const across = dim === 1 ? [0, 0.25, 0.5, 0.75, 1] : ticks(-ox / sx, (width - ox) / sx, width / 90);
  const up = ticks((box.bottom - oy) / sy, (box.top - oy) / sy, (box.bottom - box.top) / 90);
  const line = (colour, x, y, wide, tall) => {
    ctx.fillStyle = colour;
    ctx.fillRect(x, y, wide, tall);
  };
  const label = (text, x, y, align, baseline) => {
    Object.assign(ctx, { textAlign: align, textBaseline: baseline, fillStyle: theme["ink-faint"] });
    ctx.fillText(String(text).replace("-", "−"), x, y);
  };
  ctx.font = `11px ${theme.font}`;
  for (const x of across) {
    const at = Math.round(ox + sx * x);
    if (dim === 2 && (at < 26 || at > width - 12)) continue;
    line(dim === 1 && x % 1 === 0 ? theme["line-strong"] : theme.line, at, box.top, 1, box.bottom - box.top);
    label(x, at, height - 6, "center", "bottom");
  }
  for (const y of up) {
    const at = Math.round(oy + sy * y);
    if (at < 12 || at > height - 30) continue;
    line(theme.line, box.left, at, box.right - box.left, 1);
    label(y, 8, at, "left", "middle");
  }
  if (dim === 1) label("time t", width - 8, height - 6, "right", "bottom");
}

/** Source as dots, target as small crosses, so that they differ by more than their hue. */
function clouds(ctx, view, { x0, target, theme }) {
  const { sx, sy, ox, oy } = view;
  const size = dotRadius(view, x0.length / 2) * 0.8;
  const density = Math.sqrt(2000 / Math.max(500, x0.length / 2));
  ctx.globalAlpha = Math.min(0.5, (theme.dark ? 0.36 : 0.3) * density);
  ctx.fillStyle = theme.source;
  for (let i = 0; i < x0.length; i += 2) {
    ctx.beginPath();
    ctx.arc(ox + sx * x0[i], oy + sy * x0[i + 1], size, 0, 7);
    ctx.fill();
  }
  ctx.globalAlpha = Math.min(0.7, (theme.dark ? 0.42 : 0.5) * density);
  ctx.strokeStyle = theme.target;
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (let i = 0; i < target.length; i += 2) {
    const x = ox + sx * target[i];
    const y = oy + sy * target[i + 1];
    ctx.moveTo(x - size - 0.5, y);
    ctx.lineTo(x + size + 0.5, y);
    ctx.moveTo(x, y - size - 0.5);
    ctx.lineTo(x, y + size + 0.5);
  }
  ctx.stroke();
  ctx.globalAlpha = 1;
}

/** Shares of the points (n,) in each of `bins` slices of the visible range, bottom slice last. */
function histogram(points, view, bins) {
  const shares = new Float64Array(bins);
  const { box, sy, oy } = view;
  for (const y of points) {
    const k = Math.floor((bins * (oy + sy * y - box.top)) / (box.bottom - box.top));
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
  ctx.globalAlpha = 1;
}

function densityScale(view, x0, target) {
  const bins = Math.max(24, Math.min(64, Math.round((view.box.bottom - view.box.top) / 9)));
  const most = Math.max(...histogram(x0, view, bins), ...histogram(target, view, bins));
  return { bins, unit: (view.side - 10) / (1.15 * most), slice: (view.box.bottom - view.box.top) / bins };
}

/** The states of a trajectory at which a drawn path has its corners. */
function corners({ t }) {
  const stride = Math.max(1, Math.ceil((t.length - 1) / (MOST_CORNERS - 1)));
  const picked = [];
  for (let k = 0; k < t.length - 1; k += stride) picked.push(k);
  return [...picked, t.length - 1];
}

/** Strokes the paths of the traced particles between two times, one stroke a colour. */
function strokePaths(ctx, view, { trajectory, traced, tint, theme }, since, until) {
  const { t: times, x, n, dim } = trajectory;
  const within = corners(trajectory).map((k) => times[k]).filter((time) => time > since && time < until);
  const stops = [since, ...within, until].map((time) => ({ time, ...bracket(times, time) }));
  const { sx, sy, ox, oy } = view;
  ctx.lineJoin = "round";
  for (let colour = 0; colour < TINTS; colour++) {
    ctx.beginPath();
    for (let i = 0; i < traced; i++) {
      if (tint[i] !== colour) continue;
      for (const { time, k, share } of stops) {
        const a = (k * n + i) * dim;
        const b = a + n * dim;
        const along = dim === 1 ? time : x[a] + share * (x[b] - x[a]);
        const up = x[a + dim - 1] + share * (x[b + dim - 1] - x[a + dim - 1]);
        if (time === since) ctx.moveTo(ox + sx * along, oy + sy * up);
        else ctx.lineTo(ox + sx * along, oy + sy * up);
      }
    }
    ctx.strokeStyle = theme.tints[colour].css;
    ctx.stroke();
  }
}

/** The whole of each traced path, faint; with few steps also the solver's own states. */
function paths(ctx, view, state) {
  if (!state.trajectory) return;
  const { trajectory: { t, x, n, dim }, traced, tint, theme } = state;
  const few = t.length - 1 <= FEW_STEPS;
  ctx.lineWidth = 1;
  ctx.globalAlpha = few ? 0.4 : 0.22;
  strokePaths(ctx, view, state, 0, 1);
  if (few) {
    ctx.globalAlpha = 0.8;
    ctx.fillStyle = theme.paper;
    for (let i = 0; i < traced; i++) {
      ctx.strokeStyle = theme.tints[tint[i]].css;
      for (let k = 0; k < t.length; k++) {
        const at = (k * n + i) * dim;
        ctx.beginPath();
        ctx.arc(view.ox + view.sx * (dim === 1 ? t[k] : x[at]), view.oy + view.sy * x[at + dim - 1], 1.7, 0, 7);
        ctx.fill();
        ctx.stroke();
      }
    }
  }
  ctx.globalAlpha = 1;
}

/** What the traced particles have travelled so far, stronger than the way ahead; the whole plane is translucent. */
function travelled(ctx, view, state) {
  if (!state.trajectory || state.training || state.t <= state.since) return;
  ctx.lineWidth = 1.3;
  strokePaths(ctx, view, state, state.since, state.t);
}

/** 1-D: the density of the particles at t, carried along; at t = 1 it lies on the target's. */
function density(ctx, view, { x0, target, trajectory, shown, t, theme }) {
  if (!trajectory) return;
  const { bins, unit, slice } = densityScale(view, x0, target);
  const left = Math.round(view.ox + view.sx * t) + 0.5;
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

function dotRadius(view, n) {
  const room = Math.min(view.width, view.height) / 640;
  return Math.max(1.2, Math.min(3, 2.1 * room ** 0.5 * (2000 / n) ** 0.25));
}

/**
 * The particles where they are at t, written straight into pixels: without a graphics card that is ten times as fast
 * as stamping images or filling circles. Where dots overlap the more opaque pixel wins, and the later of equals.
 */
function particles() {
  let image;
  let pixels;
  return (ctx, view, { trajectory, shown, tint, n, t, theme }) => {
    const { width, height } = ctx.canvas;
    if (image?.width !== width || image?.height !== height) {
      image = ctx.createImageData(width, height);
      pixels = new Uint32Array(image.data.buffer);
    } else pixels.fill(0);
    const { dim, dpr } = view;
    const [sx, ox, sy, oy] = [view.sx, view.ox, view.sy, view.oy].map((v) => v * dpr);
    const { side, masks } = dot(dotRadius(view, n) * dpr);
    for (let i = 0; i < (trajectory ? n : 0); i++) {
      const X = ox + sx * (dim === 1 ? t : shown[2 * i]) - side / 2;
      const Y = oy + sy * shown[dim * i + dim - 1] - side / 2;
      const [left, top] = [Math.floor(X), Math.floor(Y)];
      if (!(left >= 0 && top >= 0 && left + side <= width && top + side <= height)) continue;
      const mask = masks[4 * Math.floor(4 * (Y - top)) + Math.floor(4 * (X - left))];
      const colour = theme.tints[tint[i]].pixel;
      for (let k = 0, row = top * width + left; k < mask.length; row += width) {
        for (let at = row; at < row + side; at++, k++) {
          if (mask[k] !== 0 && mask[k] >= pixels[at] >>> 24) pixels[at] = (mask[k] << 24) | colour;
        }
      }
    }
    ctx.putImageData(image, 0, 0);
  };
}

/** Coverage (0–255) of a disc in a square of pixels, for its centre at each quarter of a pixel. */
function dot(radius) {
  const side = 2 * Math.ceil(radius + 1);
  const masks = Array.from({ length: 16 }, (_, quarter) =>
    Uint8Array.from({ length: side * side }, (_, k) => {
      const x = (k % side) + 0.5 - side / 2 - ((quarter % 4) + 0.5) / 4;
      const y = Math.floor(k / side) + 0.5 - side / 2 - (Math.floor(quarter / 4) + 0.5) / 4;
      return 255 * Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(x, y)));
    }),
  );
  return { side, masks };
}

/** The layers of a stage, from the lowest to the highest within each plane. */
export const painters = () => [
  { plane: "ground", paint: axes },
  { plane: "ground", dims: [2], paint: clouds },
  { plane: "ground", dims: [1], paint: densities },
  { plane: "paths", paint: paths },
  { plane: "travelled", paint: travelled },
  { plane: "live", dims: [1], paint: density },
  { plane: "dots", paint: particles() },
];

// ------------------------------------------------------------------------------------------------ the canvases

export class Drawing {
  /** Stacks its canvases inside `host`, which gives them their size. The ground is copied below the paths. */
  constructor(host) {
    this.host = host;
    this.painters = painters();
    this.stale = new Set(PLANES);
    this.until = 0;
    this.planes = Object.fromEntries(
      PLANES.map((name) => {
        const canvas = document.createElement("canvas");
        canvas.dataset.plane = name;
        canvas.setAttribute("aria-hidden", "true");
        if (name !== "ground") host.append(canvas);
        return [name, canvas.getContext("2d")];
      }),
    );
  }

  /** Marks planes to be redone at the next paint; all of them without a name. */
  invalidate(...names) {
    for (const name of names.length ? names : PLANES) this.stale.add(name);
  }

  /** Paints what is stale; returns how many planes that were. */
  paint(state) {
    const { clientWidth: width, clientHeight: height } = this.host;
    if (!state.scene || !width || !height) return 0;
    const dpr = Math.min(3, window.devicePixelRatio || 1);
    this.#fit(Math.round(width * dpr), Math.round(height * dpr));
    const view = { ...viewOf(state.scene, width, height), dpr };
    const moved = state.t !== this.until;
    const names = PLANES.filter((name) => this.stale.has(name) || (name === "travelled" && moved));
    for (const name of names) {
      const ctx = this.planes[name];
      const layers = this.painters.filter(({ plane, dims = [view.dim] }) => plane === name && dims.includes(view.dim));
      const adds = name === "travelled" && !this.stale.has(name) && state.t > this.until;
      ctx.canvas.hidden = layers.length === 0;
      ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
      if (!adds) ctx.clearRect(0, 0, width, height);
      if (name === "paths") ctx.drawImage(this.planes.ground.canvas, 0, 0, width, height);
      for (const { paint } of layers) paint(ctx, view, { ...state, since: adds ? this.until : 0 });
    }
    this.until = state.t;
    this.stale.clear();
    return names.length;
  }

  #fit(width, height) {
    for (const { canvas } of Object.values(this.planes)) {
      if (canvas.width === width && canvas.height === height) continue;
      Object.assign(canvas, { width, height });
      this.invalidate();
    }
  }
}
