/* What a conditional sample is worth, class by class: the twin of playground/metrics/classes.py, where it is explained. */

const NEIGHBOURS = 5;
const RADIUS = 3;

const squared = (a, i, b, j, dim) => {
  let sum = 0;
  for (let k = 0; k < dim; k++) sum += (a[i * dim + k] - b[j * dim + k]) ** 2;
  return sum;
};

/** {inClass, highQuality, coverage, spread} of a sample (n·dim values) whose points were asked for by class, as the mean
    over all points, against real points; highQuality is null where classes are no modes. */
export function classFigures(points, labels, real, realLabels, dim, modes = null) {
  const near = nearestLabels(points, real, realLabels, dim);
  const sums = { inClass: [0, 0], highQuality: [0, 0], coverage: [0, 0], spread: [0, 0] };
  const members = (all, label) => Array.from(all.keys()).filter((i) => all[i] === label);
  for (const label of new Set(labels)) {
    const [chosen, own] = [members(labels, label), members(realLabels, label)];
    if (chosen.length < 2 || own.length < 2) continue;
    const add = (name, value) => {
      if (value === null) return;
      sums[name][0] += chosen.length * value;
      sums[name][1] += chosen.length;
    };
    const exact = modes ? modes.std[label] * Math.sqrt(dim) : radius(real, own, dim);
    add("inClass", chosen.filter((i) => near[i] === label).length / chosen.length);
    add("highQuality", modes && onMode(points, chosen, modes.centers[label], modes.std[label], dim));
    add("coverage", covered(points, chosen, real, own, dim));
    add("spread", radius(points, chosen, dim) / exact);
  }
  return Object.fromEntries(Object.entries(sums).map(([name, [sum, count]]) => [name, count ? sum / count : null]));
}

function nearestLabels(points, real, realLabels, dim) {
  const count = points.length / dim;
  return Array.from({ length: count }, (_, i) => {
    let [least, nearest] = [Infinity, 0];
    for (let j = 0; j < realLabels.length; j++) {
      const away = squared(points, i, real, j, dim);
      if (away < least) [least, nearest] = [away, j];
    }
    return realLabels[nearest];
  });
}

/** The share of real points with a sample within the distance of their 5th nearest real neighbour, of as many of both. */
function covered(points, chosen, real, own, dim) {
  const count = Math.min(chosen.length, own.length);
  if (count <= NEIGHBOURS) return null;
  let reached = 0;
  for (let i = 0; i < count; i++) {
    const away = new Float64Array(count);
    let least = Infinity;
    for (let j = 0; j < count; j++) {
      away[j] = squared(real, own[i], real, own[j], dim);
      least = Math.min(least, squared(real, own[i], points, chosen[j], dim));
    }
    if (least <= away.sort()[NEIGHBOURS]) reached += 1; // the first is the point itself
  }
  return reached / count;
}

function onMode(points, chosen, center, std, dim) {
  return chosen.filter((i) => squared(points, i, center, 0, dim) <= (RADIUS * std) ** 2).length / chosen.length;
}

/** The root mean square distance of points from their mean. */
function radius(points, chosen, dim) {
  let sum = 0;
  for (let k = 0; k < dim; k++) {
    const mean = chosen.reduce((total, i) => total + points[i * dim + k], 0) / chosen.length;
    sum += chosen.reduce((total, i) => total + (points[i * dim + k] - mean) ** 2, 0) / chosen.length;
  }
  return Math.sqrt(sum);
}
