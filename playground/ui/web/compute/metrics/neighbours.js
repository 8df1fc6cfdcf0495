/* How sharp a cloud is, told from nearest neighbours: the twin of playground/metrics/neighbours.py. Points are (n, dim),
   point after point. */

/** k: the more, the less the figures vary from sample to sample, and the coarser what they see. */
const NEIGHBOURS = 5;
/** The least distance, as a share of the target's deviation: points may be equal. */
const FINEST = 1e-7;

/** A cloud in the order of its first coordinate, so that a search need not look at what is further along it. */
class Sorted {
  /**
   * @param {Float32Array} points
   * @param {number} dim
   */
  constructor(points, dim) {
    const n = points.length / dim;
    this.order = Uint32Array.from({ length: n }, (_, i) => i).sort((i, j) => points[i * dim] - points[j * dim]);
    this.points = new Float64Array(points.length);
    this.order.forEach((i, at) => this.points.set(points.subarray(i * dim, (i + 1) * dim), at * dim));
    this.dim = dim;
    this.length = n;
  }

  /**
   * How many of the cloud lie below `value` on the first coordinate.
   * @param {number} value
   */
  #below(value) {
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.points[middle * this.dim] < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * The squared distance between what stands at `at` here and point i of others.
   * @param {number} at
   * @param {Float32Array} points
   * @param {number} i
   */
  #squared(at, points, i) {
    let sum = 0;
    for (let j = 0; j < this.dim; j++) sum += (this.points[at * this.dim + j] - points[i * this.dim + j]) ** 2;
    return sum;
  }

  /**
   * The distance of each point to the k-th nearest of the cloud.
   * @param {Float32Array} points
   * @param {number} k
   */
  kth(points, k) {
    const { dim, length } = this;
    const nearest = new Float64Array(k);
    return Float64Array.from({ length: points.length / dim }, (_, i) => {
      nearest.fill(Infinity);
      const x = points[i * dim];
      let up = this.#below(x);
      let down = up - 1;
      while (up < length || down >= 0) {
        const above = up < length ? this.points[up * dim] - x : Infinity;
        const under = down >= 0 ? x - this.points[down * dim] : Infinity;
        if (Math.min(above, under) ** 2 >= nearest[k - 1]) break;
        const squared = this.#squared(above <= under ? up++ : down--, points, i);
        if (squared >= nearest[k - 1]) continue;
        let place = k - 1;
        for (; place > 0 && nearest[place - 1] > squared; place--) nearest[place] = nearest[place - 1];
        nearest[place] = squared;
      }
      return Math.sqrt(nearest[k - 1]);
    });
  }

  /**
   * The share of the cloud that lies in no ball around the centres.
   * @param {Float32Array} centers
   * @param {Float64Array} radii
   */
  outside(centers, radii) {
    const inside = new Uint8Array(this.length);
    radii.forEach((radius, i) => {
      const x = centers[i * this.dim];
      const squared = radius ** 2;
      for (let at = this.#below(x - radius); at < this.length && this.points[at * this.dim] <= x + radius; at++) {
        if (!inside[at] && this.#squared(at, centers, i) <= squared) inside[at] = 1;
      }
    });
    return 1 - inside.reduce((sum, one) => sum + one, 0) / this.length;
  }
}

/** Real points that clouds are compared with, and what is known of them beforehand. */
export class Neighbourhood {
  /**
   * @param {Float32Array} real (m, dim)
   * @param {number} dim
   */
  constructor(real, dim) {
    this.k = Math.min(NEIGHBOURS, real.length / dim - 1);
    const sorted = new Sorted(real, dim);
    const own = sorted.kth(real, this.k + 1); // a point is its own nearest
    this.real = real;
    this.dim = dim;
    this.sorted = sorted;
    this.own = own;
    this.least = Math.max(FINEST * deviation(real, dim), FINEST);
  }

  /**
   * Estimates KL(target ‖ cloud) in nats, and the shares of the cloud that is astray and of the real points that are
   * missed; null where there are too few of either.
   * @param {Float32Array} cloud (n, dim)
   * @returns {{sample_kl: number, stray: number, missed: number} | null}
   */
  sharpness(cloud) {
    const { real, dim, own, least } = this;
    const [n, m] = [cloud.length / dim, real.length / dim];
    if (Math.min(n, m) < 2) return null;
    const k = Math.min(this.k, n - 1);
    const sorted = new Sorted(cloud, dim);
    const radii = k === this.k ? own : this.sorted.kth(real, k + 1);
    const other = sorted.kth(real, k);
    let sum = 0;
    for (let i = 0; i < m; i++) sum += Math.log(Math.max(other[i], least) / Math.max(radii[i], least));
    return {
      sample_kl: (dim * sum) / m + Math.log(n / (m - 1)),
      stray: sorted.outside(real, radii),
      missed: this.sorted.outside(cloud, sorted.kth(cloud, k + 1)),
    };
  }
}

/**
 * The root of the mean variance over the axes.
 * @param {Float32Array} points
 * @param {number} dim
 */
function deviation(points, dim) {
  const n = points.length / dim;
  let sum = 0;
  for (let j = 0; j < dim; j++) {
    let [mean, squares] = [0, 0];
    for (let at = j; at < points.length; at += dim) mean += points[at] / n;
    for (let at = j; at < points.length; at += dim) squares += (points[at] - mean) ** 2 / n;
    sum += squares / dim;
  }
  return Math.sqrt(sum);
}
