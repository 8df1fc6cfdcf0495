/** How the error falls with the step, for every solver, with the slopes that say the order. */

import { decodeArray } from "../../common/codec.js";
import { FINEST } from "../../compute/systems/order.js";

const POINTS = { smooth: 32, noisy: 2000 };
const DASHES = { error: "solid", strong: "solid", weak: "dot" };

export function orderChart(measured, theme) {
  const { scene, picture } = measured;
  const { network } = scene;
  if (!network?.equation) return "The order is measured of the solvers of equations.";
  const numbers = picture?.numbers ?? network.equation.parameters;
  const noisy = network.equation.noise.length > 0;
  const count = (noisy ? POINTS.noisy : POINTS.smooth) * scene.dim;
  const found = measured.orders(JSON.stringify([scene.run, numbers]), () => ({
    description: network,
    numbers,
    x0: Float64Array.from(decodeArray(scene.x0).data.subarray(0, count)),
  }));
  if (!found) return "Measuring …";
  const { lines } = found;
  if (!lines.length) return "The solution is not finite until T, so that there is no error to measure.";
  const solvers = [...new Set(lines.map(({ solver }) => solver))];
  const known = network.equation.solution.length
    ? "the closed form"
    : `a solution with ${FINEST[noisy ? "noisy" : "smooth"].toLocaleString("en")} steps`;
  const told = lines
    .filter(({ slope }) => slope !== null)
    .map(
      ({ label, kind, slope, theory }) =>
        `${label}${kind === "error" ? "" : ` ${kind}`} ${slope.toFixed(2)} (theory ${theory})`,
    );
  return {
    title: noisy ? "Strong and weak error at T against the step h" : "Error at T against the step h",
    description: "The error of each solver at T over the length of its step, both logarithmic.",
    caption: `Slopes: ${told.join(", ")}. Errors are against ${known}${noisy ? ", path by path" : ""}.${variationOf(found)}`,
    traces: lines.map(({ solver, label, kind, slope, points }) => ({
      name: `${label}${kind === "error" ? "" : `, ${kind}`}: ${slope === null ? "–" : slope.toFixed(2)}`,
      x: points.map(({ h }) => h),
      y: points.map(({ error }) => error),
      mode: "lines+markers",
      line: { color: theme.lines[solvers.indexOf(solver) % theme.lines.length], dash: DASHES[kind], width: 2.2 },
      hovertemplate: `${label}: error %{y:.2g} at h = %{x:.3g}<extra></extra>`,
    })),
    x: { title: "step h", type: "log" },
    y: {
      title: "mean error at T",
      short: "error",
      type: "log",
      exponentformat: "power",
      tickformat: ".0e",
    },
  };
}

/** The quadratic variation in words; nothing without noise. */
function variationOf({ variation }) {
  if (!variation) return "";
  const { variation: sum, integral } = variation;
  return ` Quadratic variation over [0, T]: Σ ΔX² = ${sum.toPrecision(3)}, beside ∫ g² dt = ${integral.toPrecision(3)}.`;
}
