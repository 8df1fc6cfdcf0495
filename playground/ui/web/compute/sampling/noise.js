/* Chance for stochastic samplers: one Brownian path a particle, the same whatever grid of times it is read on.

   The twin of playground/dynamics/noise.py, where it is explained: the same numbers, but for the rounding of log, sin
   and cos. A `Brownian` is read by one solver, on ascending times; `noise.step(begin, end)` is the increment over
   √(end − begin). */

export const CELLS = 128;
const ON_NODE = 1e-9;
const PARITY = 0x1bd11bda;
const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24];

const words = new Uint32Array(2);

/**
 * Threefry-2x32 with 20 rounds: two words from a key of two and a counter of two, into `into`.
 * @param {number} key0
 * @param {number} key1
 * @param {number} counter0
 * @param {number} counter1
 */
export function threefry(key0, key1, counter0, counter1, into = words) {
  const keys = [key0, key1, key0 ^ key1 ^ PARITY];
  let a = (counter0 + key0) | 0;
  let b = (counter1 + key1) | 0;
  for (let group = 0; group < 5; group++) {
    const first = (group & 1) << 2;
    for (let i = first; i < first + 4; i++) {
      const turn = ROTATIONS[i];
      a = (a + b) | 0;
      b = ((b << turn) | (b >>> (32 - turn))) ^ a;
    }
    a = (a + keys[(group + 1) % 3]) | 0;
    b = (b + keys[(group + 2) % 3] + group + 1) | 0;
  }
  into[0] = a;
  into[1] = b;
  return into;
}

/**
 * Independent N(0, 1) numbers for the particles first, first + 1, … at one place in time, into `into` (n·dim).
 * @param {number} seed
 * @param {number} first
 * @param {number} index
 * @param {number} dim
 * @param {Float64Array} into
 */
export function normals(seed, first, index, dim, into) {
  const n = into.length / dim;
  for (let pair = 0; 2 * pair < dim; pair++) {
    for (let i = 0; i < n; i++) {
      threefry(seed, pair, first + i, index);
      const radius = Math.sqrt(-2 * Math.log((words[0] + 1) / 4294967296));
      const angle = 2 * Math.PI * (words[1] / 4294967296);
      into[i * dim + 2 * pair] = radius * Math.cos(angle);
      if (2 * pair + 1 < dim) into[i * dim + 2 * pair + 1] = radius * Math.sin(angle);
    }
  }
  return into;
}

/** The numbers of a cloud's first places in time are kept, since every number of steps asks for them again. */
const KEPT = 2 * CELLS;
const MOST_CLOUDS = 4;
/** @type {Map<string, Float64Array[]>} by seed, first, dim and size the numbers of each place */
const clouds = new Map();

/**
 * As `normals`, for no one to change.
 * @param {number} seed
 * @param {number} first
 * @param {number} index
 * @param {number} dim
 * @param {number} size
 */
function known(seed, first, index, dim, size) {
  if (index >= KEPT) return normals(seed, first, index, dim, new Float64Array(size));
  const key = `${seed} ${first} ${dim} ${size}`;
  const places = clouds.get(key) ?? [];
  clouds.delete(key);
  clouds.set(key, places); // the newest is the last
  if (clouds.size > MOST_CLOUDS) clouds.delete(clouds.keys().next().value ?? "");
  places[index] ??= normals(seed, first, index, dim, new Float64Array(size));
  return places[index];
}

export class Brownian {
  #at = 0;
  #cell = -1;
  #divided = 0;

  /**
   * For particles first, first + 1, … of `size` numbers in all, over the interval from start to stop.
   * @param {{seed: number, first: number, size: number, dim: number, start: number, stop: number}} of
   */
  constructor({ seed, first, size, dim, start, stop }) {
    this.seed = seed;
    this.first = first;
    this.dim = dim;
    this.start = start;
    this.stop = stop;
    this.left = new Float64Array(size);
    this.total = new Float64Array(size);
  }

  /**
   * The increment between two times over the root of their distance; it is overwritten by the next.
   * @param {number} begin
   * @param {number} end
   */
  step(begin, end) {
    const [from, to] = [this.#place(begin), this.#place(end)];
    if (from > this.#at) {
      if (Math.floor(from) > Math.floor(this.#at)) this.#at = Math.floor(from);
      this.#to(from);
    }
    const moved = this.#to(to);
    const scale = 1 / Math.sqrt(to - from);
    for (let k = 0; k < moved.length; k++) moved[k] *= scale;
    return moved;
  }

  /** @param {number} t */
  #place(t) {
    const place = ((t - this.start) / (this.stop - this.start)) * CELLS;
    return Math.abs(place - Math.round(place)) < ON_NODE ? Math.round(place) : place;
  }

  /** @param {number} place */
  #to(place) {
    const { seed, first, dim, left, total } = this;
    total.fill(0);
    while (this.#at < place) {
      const cell = Math.floor(this.#at);
      if (cell !== this.#cell) {
        [this.#cell, this.#divided] = [cell, 0];
        left.set(known(seed, first, cell, dim, left.length));
      }
      const whole = cell + 1 - this.#at;
      const reached = Math.min(place, cell + 1);
      if (reached === cell + 1) {
        for (let k = 0; k < total.length; k++) total[k] += left[k];
      } else {
        this.#divided += 1;
        const fresh = known(seed, first, CELLS * this.#divided + cell, dim, left.length);
        const part = reached - this.#at;
        const [share, spread] = [part / whole, Math.sqrt((part * (whole - part)) / whole)];
        for (let k = 0; k < total.length; k++) {
          const move = share * left[k] + spread * fresh[k];
          total[k] += move;
          left[k] -= move;
        }
      }
      this.#at = reached;
    }
    return total;
  }
}
