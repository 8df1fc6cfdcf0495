/** The path's schedule as a chart: its coefficients, and how much signal there is to the noise, over time. */

import { PathTable } from "../../compute/networks/place.js";
import { pathOf } from "../../scene/path.js";

const POINTS = 201;
/** Beyond so many (natural logarithm) there is all signal or none: both ends go to infinity. */
const MOST_SNR = 10;

const LINES = [
  { key: "alpha", name: "α, share of x₁", long: "α, the factor of the target point x₁", line: 0, dash: "solid" },
  { key: "sigma", name: "σ, share of x₀", long: "σ, the factor of the source point x₀", line: 1, dash: "dash" },
  {
    key: "gamma",
    name: "γ, noise on the way",
    long: "γ, the factor of the bridge's own noise z",
    line: 3,
    dash: "dot",
  },
];

export function scheduleCurves({ scene }, theme) {
  const path = pathOf(scene);
  if (!path) return "This model does not move its particles along a path with a schedule.";
  const [first, last] = [path.table.t[0], path.table.t.at(-1)];
  const table = new PathTable(path.table);
  const times = Array.from({ length: POINTS }, (_, k) => first + ((last - first) * k) / (POINTS - 1));
  const values = times.map((t) => table.at(t));
  const drawn = LINES.filter(({ key }) => key !== "gamma" || values.some(({ gamma }) => gamma > 0));
  const line = ({ key, name, long, line: k, dash }) => ({
    name,
    x: times,
    y: values.map((one) => one[key]),
    mode: "lines",
    line: { color: theme.lines[k], dash, width: 2.5 },
    hovertemplate: `t = %{x:.2f}: %{y:.3f}, ${long}<extra></extra>`,
  });
  const snr = values.map(({ alpha, sigma, gamma }) => 2 * Math.log(alpha) - Math.log(sigma ** 2 + gamma ** 2));
  const ratio = {
    name: "log-SNR (right)",
    x: times,
    y: snr.map((value) => (Math.abs(value) <= MOST_SNR ? value : null)),
    yaxis: "y2",
    mode: "lines",
    line: { color: theme["ink-soft"], dash: "dashdot", width: 1.5 },
    hovertemplate: "t = %{x:.2f}: %{y:.2f} nats, log α² / (σ² + γ²)<extra></extra>",
  };
  const top = Math.max(1, ...drawn.flatMap(({ key }) => values.map((one) => one[key])));
  const short = first > 0 || last < 1 ? ` It runs from t = ${first} to ${last}.` : "";
  return {
    title: `Path: ${path.label}`,
    description: `The coefficients of the path ${path.label} and its log signal-to-noise ratio over time.`,
    caption: (path.mismatch ?? "It begins with the source exactly.") + short,
    moving: true,
    traces: [...drawn.map(line), ratio],
    x: { title: "time t (0 source, 1 target)", range: [-0.01, 1.01] },
    y: { title: "coefficient (no unit)", short: "coefficient", range: [-0.03 * top, 1.05 * top] },
    y2: { title: "log-SNR (nats)", short: "log-SNR", range: [-MOST_SNR, MOST_SNR] },
  };
}
