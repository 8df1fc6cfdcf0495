/** What figures are read against: a value and how far it may be off, in words and on charts. */

import { rounded } from "../common/numbers.js";

/** Up to so many times its floor a distance cannot be told from that of real samples. */
export const ALIKE = 1.6;

/** Of every distance's floor; a single pair of real samples was seen to measure so much of it. */
export const FLOOR =
  "The floor is what real samples of this size measure against each other: the root mean square of several pairs. A single " +
  "pair measures 0.6 to 1.6 times that, so nothing in this range can be told from real.";

/** A cost as {value, low, high}, from {value, error}; nothing where it is 0 or not known yet. */
export function rangeOf({ value, error } = {}) {
  return value > 0 ? { value, low: Math.max(0, value - error), high: value + error } : {};
}

/** How far an energy is from the least possible, as a share of it (NPE); null where that is not known. */
export const pathEnergy = (energy, { value } = {}) => (value > 0 ? Math.abs(energy - value) / value : null);

/**
 * What to say of a map's transport cost where it is below the optimal one; "" where it is not, or that is not known.
 * Every map onto all of the target costs at least the optimal one, so that a cheaper one misses some of it.
 *
 * round: {cost, costError, quality: [{nfe, sliced_w2}], drift: {spread}}; optimal: {value, error}; floor: of sliced W2.
 */
export function belowOptimal({ cost, costError = 0, quality = [], drift }, { value, error } = {}, floor) {
  if (!(cost < value)) return "";
  const off = Math.hypot(costError, error ?? 0);
  if (value - cost <= 2 * off)
    return `As low as the optimal ${rounded(value)}, within the error of both (±${rounded(off)}).`;
  const far = quality.at(-1)?.sliced_w2;
  const distance = Number.isFinite(far)
    ? `sliced W₂ ${rounded(far)}${floor > 0 ? `, ${(far / floor).toFixed(1)}× the floor` : ""}`
    : "";
  const spread = drift ? `${drift.spread.toFixed(3)}× its spread` : "";
  const seen = [distance, spread].filter(Boolean).join("; ");
  return `Below the optimal ${rounded(value)}: it does not reach all of the target${seen ? ` (${seen})` : ""}.`;
}

/** The range as a band, and the value as a dashed line between the ends: {value, band: shapes, line: a trace}. */
export function bandOf({ value, low = value, high = value } = {}, { name, about, ends, theme }) {
  const known = Number.isFinite(value);
  const band = { type: "rect", xref: "paper", x0: 0, x1: 1, y0: low, y1: high, layer: "below", line: { width: 0 } };
  const range = known ? `${rounded(value)} (${rounded(low)} to ${rounded(high)})` : "";
  return {
    value,
    band: known ? [{ ...band, fillcolor: theme.target, opacity: 0.16 }] : [],
    line: {
      name,
      x: known ? ends : [],
      y: known ? [value, value] : [],
      mode: "lines",
      line: { color: theme.target, dash: "dash", width: 1.5 },
      hovertemplate: `${about} ${range}<extra></extra>`,
    },
  };
}

/** The floor of a distance: what two real samples measure. */
export const floorOf = (floor, theme, ends) =>
  bandOf(floor, { name: "floor: real vs real", about: "floor: two real samples are apart", ends, theme });
