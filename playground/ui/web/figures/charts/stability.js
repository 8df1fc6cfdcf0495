/** The region of absolute stability of the solver in the plane of z = hλ, with the system's own hλ as dots. */

import { decodeArray } from "../../common/codec.js";
import { Equations } from "../../compute/systems/equation.js";
import { growthOf } from "../../compute/systems/order.js";
import { eigenvaluesOf, stabilityOf } from "../../scene/equation.js";

const CELLS = 81;
/** Points at whose Jacobians a nonlinear system is looked at. */
const LOOKED_AT = 60;

export function stabilityChart({ scene, picture }, theme) {
  const { network } = scene;
  if (!network?.equation) return "Stability is told of the solvers of equations.";
  if (!picture) return "Comes with the first picture.";
  const { solver, steps = picture.trajectory.t.length - 1, numbers = null } = picture;
  if (!growthOf(solver, { re: 0, im: 0 })) return "This solver has no region of stability that is known here.";
  const equations = new Equations(network);
  if (numbers) equations.parameters = numbers;
  const found = stabilityOf(network, numbers, solver, steps);
  const h = equations.T / steps;
  const dim = scene.dim;
  const starts = Float64Array.from(decodeArray(scene.x0).data.subarray(0, LOOKED_AT * dim));
  const values = found?.values ?? eigenvaluesOf(equations, starts).map(({ re, im }) => ({ re: h * re, im: h * im }));
  const finite = values.filter(({ re, im }) => Number.isFinite(re) && Number.isFinite(im));
  const reach = Math.max(3.2, ...finite.map(({ re }) => 1.15 * Math.abs(re)));
  const tall = Math.max(3.2, ...finite.map(({ im }) => 1.15 * Math.abs(im)));
  const [xs, ys] = [axis(-Math.min(reach, 60), Math.min(reach, 3.2)), axis(-Math.min(tall, 60), Math.min(tall, 60))];
  const z = ys.map((im) => xs.map((re) => Math.min(2, Math.hypot(...Object.values(growthOf(solver, { re, im }))))));
  const said = found ? (found.sentence ?? calm(found)) : local(scene.network.equation.label);
  return {
    title: `Absolute stability: |R(hλ)| ≤ 1, h = ${Number(h.toPrecision(3))}`,
    description: "The region of the complex plane in which a step does not grow, and hλ for the eigenvalues λ.",
    caption: said,
    traces: [
      {
        type: "contour",
        x: xs,
        y: ys,
        z,
        contours: { type: "constraint", operation: ">=", value: 1 },
        fillcolor: `${theme.target}44`,
        line: { color: theme.target, width: 2 },
        name: "stable",
        hovertemplate: "hλ = %{x:.2f} + %{y:.2f} i<extra></extra>",
      },
      {
        name: found ? "hλ" : "hλ at the particles' starts",
        x: finite.map(({ re }) => re),
        y: finite.map(({ im }) => im),
        mode: "markers",
        marker: {
          color: theme.moving,
          size: found ? 12 : 6,
          opacity: found ? 1 : 0.5,
          line: { color: theme.raised, width: 1.5 },
        },
        hovertemplate: "hλ = %{x:.3f} + %{y:.3f} i<extra></extra>",
      },
    ],
    x: { title: "Re hλ", zeroline: true, zerolinecolor: theme["line-strong"] },
    y: { title: "Im hλ", zeroline: true, zerolinecolor: theme["line-strong"] },
  };
}

const axis = (low, high) => Array.from({ length: CELLS }, (_, k) => low + ((high - low) * k) / (CELLS - 1));

function calm({ h, limit, growth }) {
  const until = limit === Infinity ? "for every step" : `up to h = ${Number(limit.toPrecision(3))}`;
  return `Each step multiplies what decays by at most ${Number(growth.toPrecision(3))}; stable ${until} (now h = ${Number(h.toPrecision(3))}).`;
}

const local = (label) =>
  `${label} is not linear: its Jacobian differs from place to place, and hλ says only what happens near each point.`;
