/** The numbers of an equation, as the form has them and as its formulas name them, and what they say of stability. */

import { Equations } from "../compute/systems/equation.js";
import { growthOf, METHODS } from "../compute/systems/order.js";

/** The numbers among fields, those of a matrix by name_row-column: parameters_of in playground/dynamics/systems/base.py. */
export function numbersOf(fields) {
  const found = {};
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === "number") found[name] = value;
    else if (Array.isArray(value)) {
      value.forEach((row, i) => row.forEach?.((entry, j) => (found[`${name}_${i + 1}${j + 1}`] = entry)));
    }
  }
  return found;
}

/** The parameters that an equation has for other fields of its system; null where more than numbers has changed. */
export function renumbered({ kind, fields, parameters }, system) {
  const words = (given) =>
    JSON.stringify(
      Object.entries(given)
        .filter(([, value]) => typeof value === "string" || typeof value === "boolean")
        .sort(),
    );
  if (system.kind !== kind || words({ ...fields, kind }) !== words(system)) return null;
  const found = numbersOf(system);
  const names = Object.keys(parameters);
  if (!names.every((name) => Number.isFinite(found[name]))) return null;
  if (fields.axes !== system.axes) return null; // it has more formulas then
  return Object.fromEntries(names.map((name) => [name, found[name]]));
}

/** The eigenvalues of the matrix that a system's Jacobian is at the points x (n·dim): dim of {re, im} a point. */
export function eigenvaluesOf(equations, x) {
  const { dim } = equations;
  const n = x.length / dim;
  const found = equations.at(equations.jacobian, x, 0, new Float64Array(n * dim * dim), 1);
  return Array.from({ length: n }, (_, i) => {
    if (dim === 1) return [{ re: found[i], im: 0 }];
    const [a, b, c, d] = found.subarray(4 * i, 4 * i + 4);
    const [middle, square] = [(a + d) / 2, (a - d) ** 2 / 4 + b * c];
    const root = Math.sqrt(Math.abs(square));
    return [1, -1].map((sign) => (square >= 0 ? { re: middle + sign * root, im: 0 } : { re: middle, im: sign * root }));
  }).flat();
}

/** So much above 1 a factor may be by rounding. */
const ROUNDING = 1e-9;
const size = ({ re, im }) => Math.hypot(re, im);

/** Whether steps of a solver are stable for a linear system: {h, values: hλ, growth: the greatest |R(hλ)|, limit: the
    greatest stable h or Infinity, sentence}; null for a system that is not linear. `numbers` are its parameters now. */
export function stabilityOf(description, numbers, solver, steps) {
  if (!description.equation.linear || !steps) return null;
  const equations = new Equations(description);
  if (numbers) equations.parameters = numbers;
  const rates = eigenvaluesOf(equations, new Float64Array(equations.dim));
  const h = equations.T / steps;
  const decaying = rates.filter(({ re, im }) => re < 0 || (re === 0 && im !== 0));
  const greatest = (step) =>
    Math.max(
      0,
      ...decaying.map(({ re, im }) => size(growthOf(solver, { re: step * re, im: step * im }) ?? { re: 0, im: 0 })),
    );
  const stable = (step) => greatest(step) <= 1 + ROUNDING;
  const limit = limitOf(stable, 1 / Math.max(1e-9, ...decaying.map(size)));
  const values = rates.map(({ re, im }) => ({ re: h * re, im: h * im }));
  return { h, values, growth: greatest(h), limit, sentence: sentenceOf({ h, limit, decaying, solver, equations }) };
}

/** The greatest h up to which steps are stable, to four digits; Infinity where all seem to be, 0 where none is. */
function limitOf(stable, unit) {
  if (!stable(1e-3 * unit)) return 0;
  let low = 1e-3 * unit;
  while (stable(1.1 * low) && low < 1e4 * unit) low *= 1.1;
  if (low >= 1e4 * unit) return Infinity;
  let high = 1.1 * low;
  for (let k = 0; k < 40; k++) {
    const middle = (low + high) / 2;
    if (stable(middle)) low = middle;
    else high = middle;
  }
  return low;
}

const short = (value) => String(Number(value.toPrecision(3)));

/** What is to be said when the step is too long; null where it is not. */
function sentenceOf({ h, limit, decaying, solver, equations }) {
  if (!decaying.length || h <= limit * (1 + 1e-6)) return null;
  const name = METHODS[solver]?.label ?? "This solver";
  if (!(limit > 0))
    return `${name} is unstable here for every step: hλ is on the imaginary axis, outside its region of stability.`;
  const rate = Math.max(...decaying.map(size));
  const real = decaying.every(({ im }) => im === 0);
  const symbol = "theta" in equations.parameters ? "θ" : "|λ|";
  const told = real ? `${short(limit * rate)}/${symbol} = ${short(limit)}` : short(limit);
  return `The step h = ${short(h)} is above ${told}: ${name} is unstable, and its solution grows where the true one decays.`;
}
