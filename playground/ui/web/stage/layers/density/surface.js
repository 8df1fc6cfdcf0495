/**
 * A surface over the data that a model has beside its samples, as a heat map below everything else: a critic's judgement,
 * or an energy. A probability is purple at 0, grey at 1/2, green at 1; a value is grey where it decides for neither side,
 * or in its middle where its level means nothing; an energy is the stronger the lower it is.
 */

const CELLS = 72;
/** The grid reaches a little beyond the view. */
const REACH = 1.25;
const [FAKE, EVEN, REAL] = [
  [163, 62, 189],
  [150, 154, 160],
  [0, 136, 55],
];

/** [name, description] of the surface that is shown, if the model has one. */
export function surfaceOf({ scene }) {
  return Object.entries(scene?.network?.surfaces ?? {})[0] ?? null;
}

/** The points (cells², 2) at the middle of each cell, the lowest row first. */
function grid({ center: [cx, cy], half }) {
  const points = new Float32Array(2 * CELLS * CELLS);
  const reach = REACH * half;
  for (let row = 0, at = 0; row < CELLS; row++) {
    for (let column = 0; column < CELLS; column++) {
      points[at++] = cx + reach * ((2 * column + 1) / CELLS - 1);
      points[at++] = cy + reach * ((2 * row + 1) / CELLS - 1);
    }
  }
  return points;
}

/** Values → shares from −1 (not real) to 1 (real), and what an end of the scale stands for. */
export function leaning(values, { of, middle }) {
  if (of === "probability") return { shares: values.map((p) => 2 * p - 1), low: "0", high: "1" };
  const sorted = Float32Array.from(values).filter(Number.isFinite).sort();
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  const zero = middle ?? at(0.5);
  const most = Math.max(1e-9, Math.abs(at(0.98) - zero), Math.abs(at(0.02) - zero));
  return { shares: values.map((v) => Math.max(-1, Math.min(1, (v - zero) / most))), low: "fake", high: "real" };
}

function strengths(values) {
  const sorted = Float32Array.from(values).filter(Number.isFinite).sort();
  const [least, most] = [sorted[0], sorted[Math.round(0.9 * (sorted.length - 1))]];
  return values.map((v) => Math.max(0, Math.min(1, 1 - (v - least) / Math.max(1e-9, most - least))));
}

function coloured(values, about, theme) {
  const canvas = Object.assign(document.createElement("canvas"), { width: CELLS, height: CELLS });
  const ctx = canvas.getContext("2d");
  const image = ctx.createImageData(CELLS, CELLS);
  const energy = about.of === "energy";
  const shares = energy ? strengths(values) : leaning(values, about).shares;
  shares.forEach((share, k) => {
    const to = 4 * ((CELLS - 1 - Math.floor(k / CELLS)) * CELLS + (k % CELLS));
    if (!Number.isFinite(share)) return;
    if (energy) {
      const from = 4 * Math.round(255 * share);
      for (let c = 0; c < 4; c++) image.data[to + c] = theme.ramp[from + c];
      return;
    }
    const end = share < 0 ? FAKE : REAL;
    for (let c = 0; c < 3; c++) image.data[to + c] = EVEN[c] + Math.abs(share) * (end[c] - EVEN[c]);
    image.data[to + 3] = (theme.dark ? 120 : 105) + 60 * Math.abs(share);
  });
  ctx.putImageData(image, 0, 0);
  return canvas;
}

function painter() {
  let drawn = {};
  return (ctx, view, state) => {
    const { found, theme } = state;
    const { values, view: shown } = found.surface ?? {};
    const [, about] = surfaceOf(state) ?? [];
    if (!values || !about || view.unrolled) return;
    if (drawn.values !== values || drawn.dark !== theme.dark) {
      drawn = { values, dark: theme.dark, canvas: coloured(values, about, theme) };
    }
    const reach = REACH * shown.half;
    const [left, top] = [view.X(shown.center[0] - reach, 1), view.Y(0, shown.center[1] + reach)];
    ctx.imageSmoothingEnabled = true;
    ctx.drawImage(
      drawn.canvas,
      left,
      top,
      view.X(shown.center[0] + reach, 1) - left,
      view.Y(0, shown.center[1] - reach) - top,
    );
  };
}

export const surface = () => ({
  name: "surface",
  label: "Critic or energy",
  key: "d",
  dims: [2],
  about: "What the model's critic, or its energy, says of every place. Purple is taken for generated, green for real.",
  legend: (state) => {
    const [, { label, of }] = surfaceOf(state);
    const ends = {
      probability: `${label}: 0 not real, grey ½, 1 real`,
      value: `${label}: from not real to real`,
      energy: `${label}: strong is low`,
    };
    return { mark: of === "energy" ? "heat" : "critic", text: ends[of] ?? label };
  },
  icon: '<rect x="3" y="3" width="14" height="14" rx="2"/><path d="M3.500 12.500c3-5 5.500 1.500 8-2s3-4 5-4.500" /><path d="M4 16.500h12" opacity=".5"/>',
  needs: "surface",
  asks: ({ request, scene }) => `${request.snapshot} ${JSON.stringify(scene.view)}`,
  ask: async (sampler, state, lane) => {
    const {
      request: { run, snapshot },
      scene: { view },
    } = state;
    const [name] = surfaceOf(state);
    const values = await sampler.surface({ run, snapshot, name, points: grid(view), lane });
    return values && { values, view };
  },
  painters: [{ plane: "ground", paint: painter() }],
});
