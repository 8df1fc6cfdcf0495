/**
 * Painting the stage: a list of painters, each one layer, on three stacked canvases.
 *
 * A painter is `{ name, plane, dims?, paint(ctx, view, state) }` and draws in CSS pixels. Its plane says when it is
 * redone: "ground" when scene, size or colours change, "paths" when the trajectory changes as well, "live" at every
 * frame. A new layer is one more painter in the list.
 *
 * `view` maps data to the canvas: X = view.ox + view.sx·x, Y = view.oy + view.sy·y, with equal scales in 2-D. In 1-D
 * the horizontal axis is time t in [0, 1] and the vertical one the position. `state` is what the Stage knows:
 * dim, n, x0, target, tint (colour of each particle), traced (how many of the first particles leave a trail), trajectory, t and
 * shown, the (n·d) positions at t.
 */

const PLANES = ["ground", "paths", "live"];
export const TINTS = 36;
/** Up to here the solver's own states are drawn as nodes; beyond, a path is thinned to so many corners. */
export const FEW_STEPS = 16;
const MOST_CORNERS = 33;

// ------------------------------------------------------------------------------------------------ colours

/** CSS colour of a point in OKLCH (lightness, chroma, hue in turns), Ottosson 2020. */
function oklch(lightness, chroma, turns) {
  const a = chroma * Math.cos(2 * Math.PI * turns);
  const b = chroma * Math.sin(2 * Math.PI * turns);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const channels = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ].map((c) => Math.round(255 * Math.min(1, Math.max(0, c <= 0.0031308 ? 12.92 * c : 1.055 * c ** (1 / 2.4) - 0.055))));
  return `rgb(${channels.join(",")})`;
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
    return oklch(lightness + 0.06 * Math.cos(2 * Math.PI * (turns - 0.28)), chroma, turns);
  });
}

/** The colours and fonts in force at `element`, from the --pg-* variables. */
export function themeOf(element, dim = 2) {
  const style = getComputedStyle(element);
  const read = (name) => style.getPropertyValue(`--pg-${name}`).trim();
  const names = ["source", "moving", "target", "accent", "ink", "ink-soft", "ink-faint", "line", "line-strong", "paper"];
  const theme = Object.fromEntries(names.map((name) => [name, read(name)]));
  const dark = element.closest(".dark") !== null;
  return { ...theme, dark, font: read("font"), tints: palette(dim, dark) };
}

// ------------------------------------------------------------------------------------------------ the view

/** Numbers 1, 2 or 5·10^k apart, about `count` of them within [low, high]. */
export function ticks(low, high, count) {
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= raw);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, k) => Number(((first + k) * step).toPrecision(6)));
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
  const line = (colour, x, y, across, down) => {
    ctx.fillStyle = colour;
    ctx.fillRect(x, y, across, down);
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

/** Strokes the paths of the traced particles up to time `until`, one stroke a colour. */
function strokePaths(ctx, view, state, until) {
  const { trajectory: { t, x, n }, traced, tint, shown, theme } = state;
  const { sx, sy, ox, oy, dim } = view;
  const ends = corners(state.trajectory);
  for (let colour = 0; colour < TINTS; colour++) {
    ctx.strokeStyle = theme.tints[colour];
    ctx.beginPath();
    for (let i = 0; i < traced; i++) {
      if (tint[i] !== colour) continue;
      for (let c = 0; c < ends.length && t[ends[c]] <= until; c++) {
        const at = (ends[c] * n + i) * dim;
        const X = ox + sx * (dim === 1 ? t[ends[c]] : x[at]);
        const Y = oy + sy * x[at + dim - 1];
        if (c === 0) ctx.moveTo(X, Y);
        else ctx.lineTo(X, Y);
      }
      if (until < 1) ctx.lineTo(ox + sx * (dim === 1 ? until : shown[2 * i]), oy + sy * shown[dim * i + dim - 1]);
    }
    ctx.stroke();
  }
}

/** The whole of each traced path, faint; with few steps also the solver's own states. */
function paths(ctx, view, state) {
  if (!state.trajectory) return;
  const { trajectory: { t, x, n }, traced, tint, theme } = state;
  const few = t.length - 1 <= FEW_STEPS;
  ctx.lineJoin = "round";
  ctx.lineWidth = 1;
  ctx.globalAlpha = few ? 0.4 : 0.22;
  strokePaths(ctx, view, state, 1);
  if (few) {
    ctx.globalAlpha = 0.8;
    ctx.fillStyle = theme.paper;
    for (let i = 0; i < traced; i++) {
      ctx.strokeStyle = theme.tints[tint[i]];
      for (let k = 0; k < t.length; k++) {
        const at = (k * n + i) * view.dim;
        ctx.beginPath();
        ctx.arc(view.ox + view.sx * (view.dim === 1 ? t[k] : x[at]), view.oy + view.sy * x[at + view.dim - 1], 1.7, 0, 7);
        ctx.fill();
        ctx.stroke();
      }
    }
  }
  ctx.globalAlpha = 1;
}

/** What the traced particles have travelled so far, stronger than the way that lies ahead. */
function travelled(ctx, view, state) {
  if (!state.trajectory || state.t <= 0 || state.training) return;
  ctx.lineJoin = "round";
  ctx.lineWidth = 1.2;
  ctx.globalAlpha = state.theme.dark ? 0.5 : 0.45;
  strokePaths(ctx, view, state, state.t);
  ctx.globalAlpha = 1;
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

/** The particles where they are at t. One small picture of a dot for each colour, stamped. */
function particles(ctx, view, state) {
  if (!state.trajectory) return;
  const { shown, tint, n, t } = state;
  const { sx, sy, ox, oy, dim } = view;
  const { sheet, cell, size } = stamps(ctx, view, state);
  const half = size / 2;
  for (let i = 0; i < n; i++) {
    const X = ox + sx * (dim === 1 ? t : shown[2 * i]);
    ctx.drawImage(sheet, tint[i] * cell, 0, cell, cell, X - half, oy + sy * shown[dim * i + dim - 1] - half, size, size);
  }
}

/** A strip of dots, one a colour, kept until size or colours change. */
function stamps(ctx, view, { n, theme }) {
  const scale = ctx.getTransform().a;
  const radius = dotRadius(view, n);
  const key = `${radius} ${scale} ${theme.tints[0]} ${theme.tints[9]}`;
  if (ctx.stamps?.key === key) return ctx.stamps;
  const cell = 2 * Math.ceil((radius + 1) * scale);
  const sheet = new OffscreenCanvas(cell * TINTS, cell);
  const pen = sheet.getContext("2d");
  theme.tints.forEach((colour, k) => {
    pen.beginPath();
    pen.arc((k + 0.5) * cell, cell / 2, radius * scale, 0, 7);
    pen.fillStyle = colour;
    pen.fill();
  });
  ctx.stamps = { key, sheet, cell, size: cell / scale };
  return ctx.stamps;
}

export const PAINTERS = [
  { name: "axes", plane: "ground", paint: axes },
  { name: "clouds", plane: "ground", dims: [2], paint: clouds },
  { name: "densities", plane: "ground", dims: [1], paint: densities },
  { name: "paths", plane: "paths", paint: paths },
  { name: "density", plane: "live", dims: [1], paint: density },
  { name: "travelled", plane: "live", paint: travelled },
  { name: "particles", plane: "live", paint: particles },
];

// ------------------------------------------------------------------------------------------------ the canvases

export class Drawing {
  /** Stacks its canvases inside `host`, which gives them their size. */
  constructor(host, painters = PAINTERS) {
    this.host = host;
    this.painters = painters;
    this.stale = new Set(PLANES);
    this.planes = PLANES.map((name) => {
      const canvas = document.createElement("canvas");
      canvas.dataset.plane = name;
      canvas.setAttribute("aria-hidden", "true");
      host.append(canvas);
      return { name, canvas, ctx: canvas.getContext("2d") };
    });
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
    const shape = `${width}×${height}×${dpr}`;
    if (shape !== this.shape) {
      this.shape = shape;
      for (const { canvas } of this.planes) {
        canvas.width = Math.round(width * dpr);
        canvas.height = Math.round(height * dpr);
      }
      this.invalidate();
    }
    const view = viewOf(state.scene, width, height);
    let painted = 0;
    for (const { name, ctx } of this.planes) {
      if (!this.stale.has(name)) continue;
      ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
      ctx.clearRect(0, 0, width, height);
      for (const painter of this.painters) {
        if (painter.plane === name && (painter.dims ?? [view.dim]).includes(view.dim)) painter.paint(ctx, view, state);
      }
      painted += 1;
    }
    this.stale.clear();
    return painted;
  }
}
