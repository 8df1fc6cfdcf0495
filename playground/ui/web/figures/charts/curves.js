/** What the charts show: from what has been measured to Plotly's traces and axes. Each function gives {title,
    description, traces, x, y, shapes, annotations}, or a sentence where there is nothing to show yet. */

import { floorOf } from "../../scene/against.js";
import { hasField } from "../../scene/capabilities.js";
import { binned, smoothed } from "../../scene/losses.js";
import { rounded, times } from "../../common/numbers.js";
import { TABLEAUX } from "../../compute/sampling/solvers.js";
import { trialsOf } from "../trials.js";

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
  ddim: "DDIM, η 0",
  dpm_solver: "DPM-Solver++",
  stochastic_midpoint: "Stochastic midpoint, churn 1",
};

/** So many points a loss curve has. */
const DRAWN = 1200;
const DISTANCE = {
  title: "sliced W<sub>2</sub> to the target (data units)",
  short: "sliced W<sub>2</sub> (data units)",
  type: "log",
};
const KNOWN = "This field is known exactly: nothing is trained.";
const nothing = (scene, soon, later) => (scene?.network ? soon : `Nothing learnt yet. Train, and ${later}.`);

/** The training loss over the steps: raw faint, smoothed strong; what begins a phase or a round is marked. */
export function lossCurve(measured, theme, log) {
  const { loss, marks, scene, newest } = measured;
  if (scene?.network?.mixture || scene?.network?.equation) return KNOWN;
  if (measured.history.kept.some(({ apart }) => apart)) return lossesApart(measured, theme, log);
  if (!loss.length) return nothing(scene, "The loss comes with the first steps.", "the loss appears here");
  const drawn = binned(loss, DRAWN);
  const mean = smoothed(drawn, Math.round(drawn.length / 25));
  const line = (points, name, width, opacity) => ({
    name,
    x: points.map(([step]) => step),
    y: points.map(([, value]) => value),
    mode: "lines",
    opacity,
    line: { color: theme.accent, width },
    hovertemplate: `step %{x:,.0f}: %{y:.4g}, ${name}<extra></extra>`,
  });
  return {
    title: "Training loss",
    description: `Training loss over ${newest.step.toLocaleString("en")} steps; now ${rounded(mean.at(-1)[1])}.`,
    traces: [line(drawn, "as it was", 1, 0.35), line(mean, "smoothed", 2.5, 1)],
    x: { title: "gradient step", rangemode: "tozero", tickformat: ",d" },
    y: {
      title: `training loss: ${scene.loss}`,
      short: scene.loss,
      type: log ? "log" : "linear",
      uirevision: `${scene.run} ${log}`,
    },
    shapes: marks.map(({ step }) => upright(step, theme)),
    annotations: marks.map(({ step, name }) => note(step, name)),
  };
}

/** Few training points: the loss of each snapshot on them and on held-out points, told apart by dash and symbol too. */
function lossesApart({ history, marks, scene, picture }, theme, log) {
  const kept = history.kept.filter(({ apart }) => apart);
  const [lastSeen, lastOther] = kept.at(-1).apart;
  const line = (k, name, colour, dash, symbol) => ({
    name,
    x: kept.map(({ step }) => step),
    y: kept.map(({ apart }) => apart[k]),
    mode: "lines+markers",
    line: { color: colour, width: 2, dash },
    marker: { color: colour, size: 6, symbol },
    hovertemplate: `step %{x:,.0f}: %{y:.4g}, ${name}<extra></extra>`,
  });
  const shown = kept.filter(({ id }) => id === picture?.snapshot);
  return {
    title: "Memorisation: loss on training and on held-out points",
    description: `Loss ${rounded(lastSeen)} on the training points and ${rounded(lastOther)} on held-out points.`,
    traces: [
      line(1, "held-out points", theme.moving, "dash", "square"),
      line(0, "training points", theme.accent, "solid", "circle"),
    ],
    x: { title: "gradient step", rangemode: "tozero", tickformat: ",d" },
    y: {
      title: scene.loss,
      type: log && kept.every(({ apart }) => Math.min(...apart) > 0) ? "log" : "linear",
      uirevision: `${scene.run} ${log} apart`,
    },
    shapes: [...marks, ...shown].map(({ step }) => upright(step, theme)),
    annotations: marks.map(({ step, name }) => note(step, name)),
  };
}

/** Distance against evaluations for every solver, with the floor and the picture's own place. */
export function solverCurves({ solvers, picture, distances, reference, scene }, theme) {
  if (!picture) return nothing(scene, "Comes with the first picture.", "every solver is tried out");
  if (!hasField(scene)) return "This model follows no velocity field, so there are no solvers to compare.";
  const done = (solvers.get(picture.snapshot) ?? []).filter(({ sliced_w2 }) => sliced_w2 !== null);
  const { nfe } = picture.trajectory;
  const furthest = Math.max(320, nfe, ...done.map((one) => one.nfe));
  const floor = floorOf(reference.floor?.sliced_w2 ?? { value: scene.floor.sliced_w2 }, theme, [1, furthest]);
  const solver = (kind, k) => {
    const round = Math.floor(k / theme.lines.length); // colours that come again come with another dash
    const points = done.filter((one) => one.solver === kind).sort((one, other) => one.nfe - other.nfe);
    const [name, color, chosen] = [SHORT[kind] ?? kind, theme.lines[k % theme.lines.length], kind === picture.solver];
    return {
      name,
      x: points.map((one) => one.nfe),
      y: points.map((one) => one.sliced_w2),
      text: points.map(({ sliced_w2, rtol }) =>
        joined(times(sliced_w2, floor.value, "floor"), rtol && `tolerance ${rtol}`),
      ),
      mode: "lines+markers",
      line: { color, dash: DASHES[(k + round) % DASHES.length], width: chosen ? 3 : 1.5 },
      marker: { color, symbol: SYMBOLS[(k + 2 * round) % SYMBOLS.length], size: chosen ? 9 : 7 },
      hovertemplate: `${name}, %{x} NFE: %{y:.3g} (%{text})<extra></extra>`,
    };
  };
  const kinds = [...new Set([...Object.keys(TABLEAUX), ...trialsOf(scene).map((trial) => trial.solver)])];
  return {
    title: "Quality against evaluations",
    description: `Sliced W2 against network evaluations for ${kinds.length} solvers, log–log; the picture uses ${nfe}.`,
    traces: [
      ...kinds.map(solver),
      here(nfe, distances?.picture === picture ? distances.sliced_w2 : null, theme),
      floor.line,
    ],
    x: {
      title: "network evaluations for each particle (NFE)",
      short: "network evaluations (NFE)",
      type: "log",
      tickvals: [1, 2, 4, 8, 16, 32, 100, 300, 1000],
      range: [-0.08, Math.log10(1.2 * furthest)],
    },
    y: DISTANCE,
    shapes: [...floor.band, upright(nfe, theme)],
    annotations: [note(Math.log10(nfe), `${nfe} now`)],
  };
}

/** Distance against training seconds: every snapshot that is kept, with the same sampler. */
export function growthCurve({ growth, history, picture, reference, scene }, theme) {
  if (!picture) return nothing(scene, "Comes with the first picture.", "every snapshot is measured");
  if (scene.network.mixture || scene.network.equation) return KNOWN;
  const points = history.kept.filter(({ id }) => Number.isFinite(growth.get(id)));
  const spent = history.kept.at(-1).seconds;
  const floor = floorOf(reference.fewer?.sliced_w2, theme, [0, spent]);
  const shown = history.kept.filter(({ id }) => id === picture.snapshot);
  const about = ({ id, step }) =>
    joined(`step ${step.toLocaleString("en")}`, times(growth.get(id), floor.value, "floor"));
  const curve = {
    name: hasField(scene) ? "500 particles, Heun 50" : "500 particles",
    x: points.map(({ seconds }) => seconds),
    y: points.map(({ id }) => growth.get(id)),
    text: points.map(about),
    mode: "lines+markers",
    line: { color: theme.accent, width: 2 },
    marker: { color: theme.accent, size: 6 },
    hovertemplate: "%{x:.2f} s: %{y:.3g} (%{text})<extra></extra>",
  };
  return {
    title: "Quality against training time",
    description: `Sliced W2 of ${points.length} snapshots over ${rounded(spent)} seconds of training.`,
    traces: [curve, floor.line],
    x: { title: "training time (seconds)", rangemode: "tozero" },
    y: DISTANCE,
    shapes: [...floor.band, ...shown.map(({ seconds }) => upright(seconds, theme))],
    annotations: shown.map(({ seconds }) => ({ ...note(seconds, "the picture"), xanchor: "right", xshift: -4 })),
  };
}

/** The picture as a ring of its own. */
function here(nfe, value, theme) {
  const known = Number.isFinite(value);
  return {
    name: "the picture",
    x: known ? [nfe] : [],
    y: known ? [value] : [],
    mode: "markers",
    marker: { symbol: "circle-open", size: 15, color: theme.moving, line: { width: 3, color: theme.moving } },
    hovertemplate: "the picture, %{x} NFE: %{y:.3g}<extra></extra>",
  };
}

function upright(x, theme) {
  return {
    type: "line",
    x0: x,
    x1: x,
    yref: "paper",
    y0: 0,
    y1: 1,
    line: { color: theme.moving, width: 1.5, dash: "dot" },
  };
}

/** Words at the top, right of x; on a log axis x is the logarithm. */
function note(x, text) {
  return { x, y: 1, xref: "x", yref: "paper", text, xanchor: "left", yanchor: "top", xshift: 4 };
}

const joined = (...parts) => parts.filter(Boolean).join(", ");
