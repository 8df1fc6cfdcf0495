/** Numbers as the page writes them. */

/**
 * Three significant digits.
 * @param {number | null | undefined} value
 */
export function rounded(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (Number.isInteger(value)) return value.toLocaleString("en");
  if (value !== 0 && Math.abs(value) < 5e-4) return value.toExponential(1).replace("-", "−");
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}

/** A ratio above this says only that the unit is next to nothing: a law that has shrunk to a point. */
const MOST_TIMES = 10_000;

/**
 * "1.3× floor"; nothing where there is no such thing.
 * @param {number | null | undefined} value
 * @param {number | null | undefined} unit
 * @param {string} name
 */
export function times(value, unit, name) {
  if (typeof value !== "number" || !(value >= 0) || !Number.isFinite(value) || !unit || !(unit > 0)) return "";
  const ratio = value / unit;
  if (ratio > MOST_TIMES) return `over ${MOST_TIMES.toLocaleString("en")}× ${name}`;
  return `${ratio < 9.95 ? ratio.toFixed(1) : Math.round(ratio).toLocaleString("en")}× ${name}`;
}

/** @param {number} share */
export const percent = (share) => `${(100 * share).toFixed(share > 0.9995 || share < 0.0995 ? 0 : 1)} %`;
