/** What the charts show: from what has been measured to Plotly's traces and axes. Each function gives {title,
    description, traces, x, y, shapes, annotations}, or a sentence where there is nothing to show yet. */

import { rounded, times } from "./cards.js";
import { TABLEAUX } from "./solvers.js";

/** Solvers are told apart by hue, symbol and dash alike. */
const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "star"];
const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];
const SHORT = {
  euler: "Euler",
  midpoint: "Midpoint",
  heun: "Heun",
  rk4: "RK4",
  dopri5: "Dopri5",
  bogacki_shampine: "Bogacki–Shampine",
};
const KNOWN = "This field is known exactly: nothing is trained.";
const MOST_POINTS = 1200;
const DISTANCE = { title: "sliced W<sub>2</sub> to the target (data units)", short: "sliced W<sub>2</sub> (data units)" };

/** The training loss over the steps: raw faint, smoothed strong; what begins a phase or a round is marked. */
export function lossCurve({ loss, marks, scene, newest }, theme, log) {
  if (scene?.network?.mixture) return KNOWN;
  if (!loss.length) return scene?.network ? "The loss comes with the first steps." : "Nothing learnt yet. Train, and the loss appears here.";
  const raw = thinned(loss);
  const window = Math.max(1, Math.round(loss.length / 50));
  const mean = thinned(smoothed(loss, window));
  const trace = (points, more) => ({ x: points.map(([step]) => step), y: points.map(([, value]) => value), mode: "lines", ...more });
  return {
    title: "Training loss",
    description: `Training loss over ${newest.step.toLocaleString("en")} gradient steps; now ${rounded(mean.at(-1)[1])}.`,
    traces: [
      trace(raw, { name: "as it was", opacity: 0.35, line: { color: theme.accent, width: 1 }, hovertemplate: "step %{x:,.0f}: %{y:.4g}<extra></extra>" }),
      trace(mean, { name: `smoothed`, line: { color: theme.accent, width: 2.5 }, hovertemplate: "step %{x:,.0f}: %{y:.4g}, smoothed<extra></extra>" }),
    ],
    x: { title: "gradient step", rangemode: "tozero", tickformat: ",d" },
    y: { title: "loss: mean squared error (scaled target)", short: "mean squared error (scaled)", type: log ? "log" : "linear", uirevision: `${scene.run} ${log}` },
    shapes: marks.map(({ step }) => upright(step, theme)),
    annotations: marks.map(({ step, name }) => ({ x: step, y: 1, xref: "x", yref: "paper", text: name, xanchor: "left", yanchor: "top", xshift: 4 })),
  };
}

/** Distance against evaluations for every solver, with the floor and the picture's own place. */
export function solverCurves({ solvers, picture, distances, reference, scene }, theme) {
  if (!picture) return scene?.network ? "Comes with the first picture." : "Nothing learnt yet. Train, and every solver is tried out.";
  const done = solvers.get(picture.snapshot) ?? [];
  const floor = floorOf(reference.floor?.sliced_w2 ?? { value: scene.floor.sliced_w2 }, theme, [1, 320]);
  const traces = Object.keys(TABLEAUX).map((solver, k) => {
    const points = done.filter((one) => one.solver === solver && one.sliced_w2 !== null).sort((one, other) => one.nfe - other.nfe);
    const chosen = solver === picture.solver;
    return {
      name: SHORT[solver] ?? solver,
      x: points.map(({ nfe }) => nfe),
      y: points.map(({ sliced_w2 }) => sliced_w2),
      text: points.map(({ sliced_w2, rtol }) => [times(sliced_w2, floor.value, "floor"), rtol && `tolerance ${rtol}`].filter(Boolean).join(", ")),
      mode: "lines+markers",
      line: { color: theme.lines[k % 6], dash: DASHES[k % 6], width: chosen ? 3 : 1.5 },
      marker: { symbol: SYMBOLS[k % 6], size: chosen ? 9 : 7, color: theme.lines[k % 6] },
      hovertemplate: `${SHORT[solver] ?? solver}, %{x} NFE: %{y:.3g} (%{text})<extra></extra>`,
    };
  });
  const furthest = Math.max(320, picture.trajectory.nfe, ...done.map(({ nfe }) => nfe ?? 0));
  const now = { x: picture.trajectory.nfe, y: distances?.picture === picture ? distances.sliced_w2 : null };
  const shown = Number.isFinite(now.y);
  traces.push({
    name: "the picture",
    x: shown ? [now.x] : [],
    y: shown ? [now.y] : [],
    mode: "markers",
    marker: { symbol: "circle-open", size: 15, color: theme.moving, line: { width: 3, color: theme.moving } },
    hovertemplate: "the picture, %{x} NFE: %{y:.3g}<extra></extra>",
  });
  return {
    title: "Quality against evaluations",
    description: `Sliced W2 against network evaluations for ${Object.keys(TABLEAUX).length} solvers, log–log; the picture uses ${now.x}.`,
    traces: [...traces, floor.trace],
    x: { title: "network evaluations for each particle (NFE)", short: "network evaluations (NFE)", type: "log", tickvals: [1, 2, 4, 8, 16, 32, 100, 300], range: [-0.08, Math.log10(1.2 * furthest)] },
    y: { ...DISTANCE, type: "log" },
    shapes: [floor.band, upright(now.x, theme)],
    annotations: [{ x: Math.log10(now.x), y: 1, xref: "x", yref: "paper", text: `${now.x} now`, xanchor: "left", yanchor: "top", xshift: 4 }],
  };
}

/** Distance against training seconds: every snapshot that is kept, with the same sampler. */
export function growthCurve({ growth, history, picture, reference, scene }, theme) {
  if (!picture) return scene?.network ? "Comes with the first picture." : "Nothing learnt yet. Train, and every snapshot is measured.";
  if (scene.network.mixture) return KNOWN;
  const points = history.kept.filter(({ id }) => Number.isFinite(growth.get(id)));
  const spent = history.kept.at(-1).seconds;
  const floor = floorOf(reference.fewer?.sliced_w2, theme, [0, spent]);
  const shown = history.kept.find(({ id }) => id === picture.snapshot);
  return {
    title: "Quality against training time",
    description: `Sliced W2 of ${points.length} snapshots over ${rounded(spent)} seconds of training.`,
    traces: [
      {
        name: "500 particles, Heun 50",
        x: points.map(({ seconds }) => seconds),
        y: points.map(({ id }) => growth.get(id)),
        text: points.map(({ id, step }) => [`step ${step.toLocaleString("en")}`, times(growth.get(id), floor.value, "floor")].filter(Boolean).join(", ")),
        mode: "lines+markers",
        line: { color: theme.accent, width: 2 },
        marker: { size: 6, color: theme.accent },
        hovertemplate: "%{x:.2f} s: %{y:.3g} (%{text})<extra></extra>",
      },
      floor.trace,
    ],
    x: { title: "training time (seconds)", rangemode: "tozero" },
    y: { ...DISTANCE, type: "log" },
    shapes: [floor.band, shown && upright(shown.seconds, theme)].filter(Boolean),
    annotations: shown ? [{ x: shown.seconds, y: 1, xref: "x", yref: "paper", text: "the picture", xanchor: "right", yanchor: "top", xshift: -4 }] : [],
  };
}

/** The range of real-vs-real distances as a band, and their root mean square as a dashed line. */
function floorOf(floor, theme, ends) {
  const { value, low = value, high = value } = floor ?? {};
  const known = Number.isFinite(value);
  return {
    value,
    band: known ? { type: "rect", xref: "paper", x0: 0, x1: 1, y0: low, y1: high, layer: "below", line: { width: 0 }, fillcolor: theme.target, opacity: 0.16 } : null,
    trace: {
      name: "floor: real vs real",
      x: known ? ends : [],
      y: known ? [value, value] : [],
      mode: "lines",
      line: { color: theme.target, dash: "dash", width: 1.5 },
      hovertemplate: `floor: two real samples are ${known ? rounded(value) : ""} apart (${known ? `${rounded(low)} to ${rounded(high)}` : ""})<extra></extra>`,
    },
  };
}

const upright = (x, theme) => ({ type: "line", x0: x, x1: x, yref: "paper", y0: 0, y1: 1, line: { color: theme.moving, width: 1.5, dash: "dot" } });

/** The mean over `window` neighbours. */
function smoothed(points, window) {
  let sum = 0;
  const before = [0, ...points.map(([, value]) => (sum += value))];
  return points.map(([step], k) => {
    const [from, to] = [Math.max(0, k - (window >> 1)), Math.min(points.length, k + ((window + 1) >> 1))];
    return [step, (before[to] - before[from]) / (to - from)];
  });
}

/** At most MOST_POINTS of them, evenly chosen, the last included. */
function thinned(points) {
  const every = Math.ceil(points.length / MOST_POINTS);
  return points.filter((_, k) => k % every === 0 || k === points.length - 1);
}
