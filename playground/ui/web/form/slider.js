// Where a number's slider stands and what it says: even steps between two bounds, or steps even in the logarithm.

const TENS = [1, 1.1, 1.2, 1.4, 1.6, 1.8, 2, 2.2, 2.5, 2.8, 3, 3.5, 4, 4.5, 5, 5.5, 6, 7, 8, 9];
const POSITIONS = 100;
const WIDE = 1000; // from here on even steps would leave the small numbers out of reach
const DECADES = 5; // what a logarithmic slider shows above an excluded zero

/** {min, max, step, position(value), value(position)}, or null where the field has no two bounds or is a seed. */
export function sliderOf(field) {
  if (field.dice) return null;
  const [low, high] = field.range ?? [field.minimum, field.maximum];
  if (low === undefined || high === undefined) return null;
  const scale = field.scale ?? (low > 0 && high / low >= WIDE ? "log" : "linear");
  if (scale === "linear") return linear(field, low, high);
  return logarithmic(stopsOf(field, scale, low > 0 ? low : high * 10 ** -DECADES, high));
}

/** The next number up (+1) or down (−1) from `value`, within the bounds. */
export function stepped(field, value, direction) {
  const slider = sliderOf(field);
  if (typeof value !== "number" || !Number.isFinite(value)) return field.default ?? field.minimum ?? 0;
  if (slider) {
    // The position is rounded: from between two stops, one step may not skip a stop.
    const here = slider.value(slider.position(value));
    const skipped = direction > 0 ? here > value : here < value;
    return skipped ? here : slider.value(slider.position(value) + direction * slider.step);
  }
  const step = field.step ?? (field.type === "int" ? 1 : nice(Math.abs(value) / 10 || 0.1));
  const next = rounded(value + direction * step, step, value);
  return Math.min(field.maximum ?? Infinity, Math.max(field.minimum ?? -Infinity, next));
}

function linear(field, low, high) {
  const step = field.step ?? (field.type === "int" ? 1 : nice((high - low) / POSITIONS));
  const min = allowed(field, low) ? low : rounded(low + step, step, low);
  const max = allowed(field, high) ? high : rounded(high - step, step, high);
  const inside = (value) => Math.min(max, Math.max(min, value));
  return { min, max, step, position: inside, value: (position) => inside(rounded(position, step, min)) };
}

function logarithmic(stops) {
  const last = stops.length - 1;
  const distance = (value, index) => Math.abs(Math.log(stops[index] / value));
  const position = (value) => {
    if (!(value > stops[0])) return 0;
    return stops.reduce((best, _, index) => (distance(value, index) < distance(value, best) ? index : best), 0);
  };
  const value = (index) => stops[Math.min(last, Math.max(0, Math.round(index)))];
  return { min: 0, max: last, step: 1, position, value };
}

/** The numbers that a logarithmic slider offers: round ones, both ends and the default. */
function stopsOf(field, scale, low, high) {
  const round = [];
  if (scale === "log2") {
    for (let power = Math.ceil(Math.log2(low)); 2 ** power <= high; power++) round.push(2 ** power);
  } else {
    for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power++) {
      round.push(...TENS.map((digits) => Number(`${digits}e${power}`)));
    }
  }
  const whole = (value) => (field.type === "int" ? Math.round(value) : value);
  const fit = (value) => (field.step ? rounded(Math.round(value / field.step) * field.step, field.step) : whole(value));
  const own = typeof field.default === "number" ? [field.default] : [];
  const inside = [low, high, ...round.map(fit), ...own].filter((stop) => stop >= low && stop <= high);
  return [...new Set(inside.filter((stop) => allowed(field, stop)))].sort((a, b) => a - b);
}

function allowed({ minimum, maximum, exclusive_minimum: over, exclusive_maximum: under }, value) {
  return !((over && value === minimum) || (under && value === maximum));
}

/** The smallest of 1, 2, 5 × 10^k that is at least `value`, but for rounding. */
function nice(value) {
  const ten = 10 ** Math.floor(Math.log10(value) + 1e-9);
  return Number(([1, 2, 5, 10].find((digit) => digit * ten >= value * (1 - 1e-9)) * ten).toPrecision(1));
}

/** `value` with as many decimals as the step and the origin that it is counted from have. */
function rounded(value, ...units) {
  const decimals = (unit) => {
    const [digits, power = 0] = String(unit).split("e");
    return Math.max(0, (digits.split(".")[1]?.length ?? 0) - Number(power));
  };
  return Number(value.toFixed(Math.min(20, Math.max(...units.map(decimals)))));
}
