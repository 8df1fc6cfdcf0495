/* How much the straight paths of a coupling disagree where they meet: the twin of playground/dynamics/coupling_figures.py. */

/** Times, in the middles of as many equal intervals, over which V is averaged. */
const TIMES = 16;

/** Half the squared difference between the displacement of each pair and that of the pair nearest to it at time t: (n,).
    Averaged around x it estimates the conditional variance of X₁ − X₀ given X_t = x; averaged over all, its mean. */
export function disagreement(x0, x1, t, dim) {
  const at = Float32Array.from(x0, (value, i) => value + t * (x1[i] - value));
  const nearest = neighbours(at, dim);
  return Float32Array.from(nearest, (j, i) => {
    let squared = 0;
    for (let k = 0; k < dim; k++) {
      const [a, b] = [i * dim + k, j * dim + k];
      squared += (x1[a] - x0[a] - x1[b] + x0[b]) ** 2;
    }
    return squared / 2;
  });
}

/** V(X₀, X₁), the mean of the conditional variance over time (Liu et al. 2023): what a flow of these pairs bends for. */
export function conditionalVariance(x0, x1, dim) {
  let sum = 0;
  for (let step = 0; step < TIMES; step++) sum += mean(disagreement(x0, x1, (step + 0.5) / TIMES, dim));
  return sum / TIMES;
}

/** For every point the index of the one nearest to it, exact, by a walk outwards along the first axis. */
export function neighbours(points, dim) {
  const n = points.length / dim;
  const order = Uint32Array.from({ length: n }, (_, i) => i).sort((a, b) => points[a * dim] - points[b * dim]);
  const found = new Uint32Array(n);
  for (let place = 0; place < n; place++) {
    const i = order[place];
    let [best, chosen] = [Infinity, i];
    const look = (other) => {
      const j = order[other];
      const along = (points[j * dim] - points[i * dim]) ** 2;
      if (along >= best) return false;
      let squared = along;
      for (let k = 1; k < dim; k++) squared += (points[j * dim + k] - points[i * dim + k]) ** 2;
      if (squared < best) [best, chosen] = [squared, j];
      return true;
    };
    for (let other = place + 1; other < n && look(other); other++);
    for (let other = place - 1; other >= 0 && look(other); other--);
    found[i] = chosen;
  }
  return found;
}

/** {cost: E|X₁ − X₀|², costError: its standard error over the pairs}. */
export function transportCost(x0, x1, dim) {
  const n = x0.length / dim;
  let [sum, squares] = [0, 0];
  for (let i = 0; i < n; i++) {
    let cost = 0;
    for (let k = i * dim; k < (i + 1) * dim; k++) cost += (x1[k] - x0[k]) ** 2;
    sum += cost;
    squares += cost ** 2;
  }
  const value = sum / n;
  return { cost: value, costError: Math.sqrt(Math.max(0, squares / n - value ** 2) / n) };
}

/** {shift: |E Z₁ − E X₁|, spread: the root of the ratio of their variances}: how far samples have drifted from real points. */
export function drift(samples, real, dim) {
  const [a, b] = [moments(samples, dim), moments(real, dim)];
  return {
    shift: Math.hypot(...a.mean.map((value, k) => value - b.mean[k])),
    spread: Math.sqrt(a.variance / b.variance),
  };
}

function moments(points, dim) {
  const n = points.length / dim;
  const center = Array(dim).fill(0);
  points.forEach((value, i) => (center[i % dim] += value / n));
  let variance = 0;
  points.forEach((value, i) => (variance += (value - center[i % dim]) ** 2 / n));
  return { mean: center, variance };
}

export function mean(values) {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
