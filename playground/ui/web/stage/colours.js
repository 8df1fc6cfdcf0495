/**
 * The stage's colours: what the stylesheet says, the palettes of the particles, and the ramp of densities.
 *
 * A particle's colour is a number, its tint, that points into the palette of the colour mode in force:
 *     angle     where it starts, as an angle around the centre: a turn of hue (in 1-D the rank of its start)
 *     position  where it starts, on a two-dimensional map of colours
 *     condition what the network is told of it: its class, or its direction
 *     speed     how fast it moves, slow pale to fast strong; a path has the mean speed of its particle
 */

import { bracket } from "../compute/sampling/interpolation.js";

const TINTS = 36;
/** The map of start positions has so many colours a side. */
const SIDE = 12;

export const COLOURS = {
  angle: { name: "start angle", short: "start", dims: [1, 2] },
  position: { name: "start position", short: "place", dims: [2] },
  speed: { name: "speed", short: "speed", dims: [1, 2] },
  condition: { name: "condition", short: "condition", dims: [1, 2] },
};

/** Whether a colour mode can be chosen for what a state shows. */
export function isOffered(mode, { dim = 2, values = null }) {
  return (
    Object.hasOwn(COLOURS, mode ?? "") && COLOURS[mode].dims.includes(dim) && (mode !== "condition" || values !== null)
  );
}

/** What the legend says of a colour mode. */
export function shortOf(mode, { scene }) {
  if (mode !== "condition") return COLOURS[mode].short;
  return { labels: "class", angle: "direction" }[scene?.condition?.kind] ?? COLOURS[mode].short;
}

/** Red, green, blue (0–255) of a point in OKLab, Ottosson 2020. */
function oklab(lightness, a, b) {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ].map((c) => Math.round(255 * Math.min(1, Math.max(0, c <= 0.0031308 ? 12.92 * c : 1.055 * c ** (1 / 2.4) - 0.055))));
}

/** The same in polar form: chroma, and hue in turns. */
function oklch(lightness, chroma, turns) {
  return oklab(lightness, chroma * Math.cos(2 * Math.PI * turns), chroma * Math.sin(2 * Math.PI * turns));
}

const ink = ([r, g, b]) => ({ css: `rgb(${r},${g},${b})`, pixel: (b << 16) | (g << 8) | r });

/**
 * The colours by angle: in 2-D a whole turn of hue at nearly one lightness, because an angle has no end; in 1-D from
 * violet to orange, because a position has two. A gentle wave in lightness tells opposite hues apart.
 */
function wheel(dim, dark) {
  return Array.from({ length: TINTS }, (_, k) => {
    const turns = dim === 2 ? (k + 0.5) / TINTS : 0.8 - (0.7 * (k + 0.5)) / TINTS;
    const lightness = (dark ? 0.76 : 0.6) + 0.06 * Math.cos(2 * Math.PI * (turns - 0.28));
    return ink(oklch(lightness, dark ? 0.145 : 0.17, turns));
  });
}

/** The colours by position: across from blue to orange-red, up from dark to light. */
function map(dark) {
  return Array.from({ length: SIDE * SIDE }, (_, k) => {
    const across = (2 * ((k % SIDE) + 0.5)) / SIDE - 1;
    const up = (2 * (Math.floor(k / SIDE) + 0.5)) / SIDE - 1;
    return ink(oklab((dark ? 0.7 : 0.56) + 0.14 * up, 0.16 * across + 0.02 - 0.08 * up, 0.13 * across + 0.06 * up));
  });
}

/** The colours by speed: from what is near the paper to what is far from it. */
function tempo(dark) {
  return Array.from({ length: TINTS }, (_, k) => {
    const share = k / (TINTS - 1);
    return ink(
      oklch(dark ? 0.42 + 0.46 * share : 0.8 - 0.42 * share, 0.09 + 0.08 * share, 0.62 + (dark ? 0.62 : 0.36) * share),
    );
  });
}

/** The colours and the font in force at `element`, from the --pg-* variables, with the palette of a colour mode. */
export function themeOf(element, dim = 2, mode = "angle") {
  const style = getComputedStyle(element);
  const read = (name) => style.getPropertyValue(`--pg-${name}`).trim();
  const names = [
    "source",
    "moving",
    "target",
    "target-ink",
    "fake",
    "error",
    "accent",
    "ink",
    "ink-faint",
    "line",
    "line-strong",
    "paper",
    "font",
  ];
  const theme = Object.fromEntries(names.map((name) => [name, read(name)]));
  const dark = element.closest(".dark") !== null;
  const tints = mode === "speed" ? tempo(dark) : mode === "position" && dim === 2 ? map(dark) : wheel(dim, dark);
  return { ...theme, dark, tints, ramp: densityRamp(dark) };
}

/** 256 pixels (red, green, blue, alpha) from nothing to the highest density: one hue, ever further from the paper. */
function densityRamp(dark) {
  const ramp = new Uint8ClampedArray(4 * 256);
  for (let k = 0; k < 256; k++) {
    const share = k / 255;
    const [r, g, b] = oklch(
      dark ? 0.45 + 0.45 * share : 0.86 - 0.4 * share,
      0.13 + 0.04 * Math.sin(Math.PI * share),
      dark ? 0.1 + 0.12 * share : 0.17 - 0.07 * share,
    );
    ramp.set([r, g, b, 225 * Math.min(1, 1.5 * share ** 0.8)], 4 * k);
  }
  return ramp;
}

// ------------------------------------------------------------------------------------------------ tints

/** The tint of each particle, and of its path, by where it starts. */
export function startTints(x0, dim, mode) {
  const n = x0.length / dim;
  if (dim === 1) return Uint8Array.from(ranks(x0, 0, 1), (rank) => Math.floor((TINTS * rank) / n));
  if (mode === "position") {
    const [across, up] = [ranks(x0, 0, 2), ranks(x0, 1, 2)];
    return Uint8Array.from(across, (rank, i) => Math.floor((SIDE * rank) / n) + SIDE * Math.floor((SIDE * up[i]) / n));
  }
  let [cx, cy] = [0, 0];
  for (let i = 0; i < n; i++) {
    cx += x0[2 * i] / n;
    cy += x0[2 * i + 1] / n;
  }
  return Uint8Array.from({ length: n }, (_, i) => {
    const turns = Math.atan2(x0[2 * i + 1] - cy, x0[2 * i] - cx) / (2 * Math.PI);
    return Math.floor(TINTS * (turns - Math.floor(turns))) % TINTS;
  });
}

/** The tint of each particle by what the network is told of it: the one value that was asked for, or its own. */
export function conditionTints({ values, n, scene, request }) {
  const { kind, classes } = scene.condition;
  const share = kind === "labels" ? (value) => value / classes : (value) => value / (2 * Math.PI);
  const tint = (value) => Math.floor(TINTS * (share(value) - Math.floor(share(value)))) % TINTS;
  return request?.told ? new Uint8Array(n).fill(tint(request.told[0])) : Uint8Array.from(values, tint);
}

/** The rank of each particle among all by one coordinate, 0 for the least. */
function ranks(x, axis, dim) {
  const order = Array.from({ length: x.length / dim }, (_, i) => i).sort(
    (a, b) => x[a * dim + axis] - x[b * dim + axis],
  );
  const rank = new Uint32Array(order.length);
  order.forEach((i, k) => (rank[i] = k));
  return rank;
}

/** The speeds on a trajectory as tints: `mean` of each particle over its way, `at(t)` of each on the step around t. */
export class SpeedTints {
  constructor({ t, x, n, dim }) {
    Object.assign(this, { t, x, n, dim, step: -1, now: new Uint8Array(n) });
    const way = new Float64Array(n);
    for (let k = 0; k < t.length - 1; k++) for (let i = 0; i < n; i++) way[i] += this.#leap(k, i);
    const span = t[t.length - 1] - t[0];
    const sorted = Float64Array.from(way).sort();
    this.top = Math.max(1e-9, (1.6 * sorted[Math.floor(0.95 * (n - 1))]) / span);
    this.mean = Uint8Array.from(way, (length) => this.#tint(length / span));
  }

  at(t) {
    const { k } = bracket(this.t, t);
    if (k === this.step) return this.now;
    this.step = k;
    const time = this.t[k + 1] - this.t[k];
    for (let i = 0; i < this.n; i++) this.now[i] = this.#tint(this.#leap(k, i) / time);
    return this.now;
  }

  #leap(k, i) {
    const { x, n, dim } = this;
    const a = (k * n + i) * dim;
    const b = a + n * dim;
    return dim === 1 ? Math.abs(x[b] - x[a]) : Math.hypot(x[b] - x[a], x[b + 1] - x[a + 1]);
  }

  #tint(speed) {
    return Math.min(TINTS - 1, Math.floor((TINTS * speed) / this.top));
  }
}
