/* The arithmetic of small networks: affine maps and activations on blocks of 64 particles.

   A block is feature-major: row j holds feature j of its 64 particles, four of which fill a SIMD register, so that a
   layer is nothing but multiply-adds over contiguous memory. The WebAssembly module below is assembled when the worker
   starts (1.7 kB, no build step); where SIMD is missing, plain JavaScript runs on the same memory layout with
   the same results to rounding, about ten times as slow.

   Packed weights of a layer, for each pair of outputs (p, q), an odd last one being paired with zeros:
   [bias_p, bias_q, w_p0, w_q0, w_p1, w_q1, …], so that the inner loop reads them in one sweep. */

export const BLOCK = 64;
export const MAX_ROWS = 512;

const ROW_BYTES = 4 * BLOCK;
const WEIGHTS = 2 * MAX_ROWS * BLOCK; // first float after the two buffers that layers write in turn
const PAGE_FLOATS = 16384;
const ARENA = 8 * 1024 * 1024; // floats of packed weights kept before all are dropped and loaded again on demand

// e^x = 2^y = 2^n 2^f with n the integer nearest to y = x log2 e: the minimax polynomial with P(0) = 1 for 2^f on
// |f| ≤ 1/2, lowest power first, is off by 9e-8; with the rounding of y that is 2e-7 for |x| ≤ 1 and 1e-6 to |x| = 20.
const LOG2E = 1.4426950408889634;
const EXP2 = [1, 0.6931469776, 0.24022242086, 0.055507337418, 0.0096715126462, 0.0013264727630];
const TO_INTEGER = 12582912; // 1.5 · 2^23: adding it leaves the rounded integer in the low bits
const EXP2_BOUND = 125; // 2^±125 is finite and normal in float32
const SELU_SCALE = 1.0507009873554805;
const SELU_ALPHA = 1.6732632423543772;

/* ---- A very small assembler: each function returns nested lists of bytes, an expression leaves its value. ---- */

function unsigned(n) {
  return n < 128 ? [n] : [(n & 127) | 128, unsigned(n >>> 7)];
}
function signed(n) {
  return n >= -64 && n < 64 ? [n & 127] : [(n & 127) | 128, signed(n >> 7)];
}
const get = (local) => [0x20, unsigned(local)];
const set = (local, value) => [value, 0x21, unsigned(local)];
const int = (n) => [0x41, signed(n)];
const add = (a, b) => [a, b, 0x6a];
const times = (a, b) => [a, b, 0x6c];
/** Runs the body again while a < b (unsigned). */
const loopWhile = (a, b, body) => [0x03, 0x40, body, a, b, 0x49, 0x0d, 0x00, 0x0b];

const simd = (code) => [0xfd, unsigned(code)];
const load = (address, offset = 0) => [address, simd(0x00), 2, unsigned(offset)];
const loadSplat = (address, offset = 0) => [address, simd(0x09), 2, unsigned(offset)];
const store = (address, offset, value) => [address, value, simd(0x0b), 2, unsigned(offset)];
const constant = (x) => [simd(0x0c), Array(4).fill([...new Uint8Array(new Float32Array([x]).buffer)])];
const fadd = (a, b) => [a, b, simd(0xe4)];
const fsub = (a, b) => [a, b, simd(0xe5)];
const fmul = (a, b) => [a, b, simd(0xe6)];
const fdiv = (a, b) => [a, b, simd(0xe7)];
const fmin = (a, b) => [a, b, simd(0xea)]; // pmin and pmax: one instruction, and NaN in `a` stays NaN
const fmax = (a, b) => [a, b, simd(0xeb)];
const shiftLeft = (a, bits) => [a, int(bits), simd(0xab)];
const iadd = (a, b) => [a, b, simd(0xae)];
const choose = (yes, no, mask) => [yes, no, mask, simd(0x52)];
const greater = (a, b) => [a, b, simd(0x44)];

/** y = W x + b for one block; (x, weights, y, inputs, end of weights) are byte addresses and a count. */
function affineCode() {
  const [x, weights, y, inputs, end] = [0, 1, 2, 3, 4];
  const [weight, row, from, to, pairEnd] = [5, 6, 7, 8, 9];
  const lanes = [10, 11, 12, 13]; // 16 particles of one input feature
  const sums = [[14, 15, 16, 17], [18, 19, 20, 21]]; // the same particles of two output features
  const splat = 22;
  const each = (list, f) => list.map(f);

  const sixteen = [
    each(sums, (sum, o) => [
      set(splat, loadSplat(get(weights), 4 * o)),
      each(sum, (local) => set(local, get(splat))),
    ]),
    set(weight, add(get(weights), int(8))),
    set(row, get(from)),
    loopWhile(get(weight), get(pairEnd), [
      each(lanes, (lane, i) => set(lane, load(get(row), 16 * i))),
      each(sums, (sum, o) => [
        set(splat, loadSplat(get(weight), 4 * o)),
        each(sum, (local, i) => set(local, fadd(get(local), fmul(get(splat), get(lanes[i]))))),
      ]),
      set(weight, add(get(weight), int(8))),
      set(row, add(get(row), int(ROW_BYTES))),
    ]),
    each(sums, (sum, o) => each(sum, (local, i) => store(get(to), ROW_BYTES * o + 16 * i, get(local)))),
  ];
  const body = loopWhile(get(weights), get(end), [
    set(pairEnd, add(get(weights), times(int(8), add(get(inputs), int(1))))),
    set(from, get(x)),
    set(to, get(y)),
    loopWhile(get(from), add(get(x), int(ROW_BYTES)), [
      sixteen,
      set(from, add(get(from), int(64))),
      set(to, add(get(to), int(64))),
    ]),
    set(weights, get(pairEnd)),
    set(y, add(get(y), int(2 * ROW_BYTES))),
  ]);
  return [[2, 5, 0x7f, 13, 0x7b], body];
}

/** Replaces every value from the byte address `at` up to `end` by an activation of itself. */
function activationCode(formula) {
  const [at, end, x, n, y, power] = [0, 1, 2, 3, 4, 5];
  const exp = (factor) => [
    set(y, fmul(get(x), constant(factor * LOG2E))),
    set(y, fmin(fmax(get(y), constant(-EXP2_BOUND)), constant(EXP2_BOUND))),
    set(n, fadd(get(y), constant(TO_INTEGER))),
    set(y, fsub(get(y), fsub(get(n), constant(TO_INTEGER)))),
    set(power, EXP2.map(constant).reduceRight((sum, c) => fadd(fmul(sum, get(y)), c))),
    iadd(get(power), shiftLeft(get(n), 23)), // the integer goes straight into the exponent's bits
  ];
  const body = loopWhile(get(at), get(end), [
    set(x, load(get(at))),
    store(get(at), 0, formula(get(x), exp)),
    set(at, add(get(at), int(16))),
  ]);
  return [[1, 4, 0x7b], body];
}

/** Each from the code of x and of e^(factor x). */
const FORMULAS = {
  relu: (x) => fmax(x, constant(0)),
  silu: (x, exp) => fdiv(x, fadd(constant(1), exp(-1))),
  tanh: (x, exp) => fsub(constant(1), fdiv(constant(2), fadd(constant(1), exp(2)))),
  selu: (x, exp) =>
    choose(
      fmul(constant(SELU_SCALE), x),
      fmul(constant(SELU_SCALE * SELU_ALPHA), fsub(exp(1), constant(1))),
      greater(x, constant(0)),
    ),
};
export const ACTIVATIONS = Object.keys(FORMULAS);

function assemble() {
  const sized = (content) => {
    const bytes = content.flat(Infinity);
    return [unsigned(bytes.length), bytes];
  };
  const list = (items) => [unsigned(items.length), items];
  const name = (text) => list([...text].map((letter) => letter.charCodeAt(0)));
  const functions = [affineCode(), ...Object.values(FORMULAS).map(activationCode)];
  const names = ["affine", ...ACTIVATIONS];
  const section = (id, content) => [id, sized(content)];
  const module = [
    [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    section(1, list([[0x60, list(Array(5).fill(0x7f)), 0], [0x60, list(Array(2).fill(0x7f)), 0]])),
    section(3, list(functions.map((_, i) => (i === 0 ? 0 : 1)))),
    section(5, list([[0x00, unsigned(WEIGHTS / PAGE_FLOATS)]])),
    section(7, list([[name("memory"), 2, 0], ...names.map((text, i) => [name(text), 0, i])])),
    section(10, list(functions.map(([locals, body]) => sized([locals, body, 0x0b])))),
  ];
  return new Uint8Array(module.flat(Infinity));
}

/* ---- The same in plain JavaScript: addresses in bytes as above. ---- */

function javascriptExports() {
  const memory = {
    buffer: new ArrayBuffer(4 * WEIGHTS),
    grow(pages) {
      const larger = new ArrayBuffer(this.buffer.byteLength + 4 * PAGE_FLOATS * pages);
      new Uint8Array(larger).set(new Uint8Array(this.buffer));
      this.buffer = larger;
      floats = new Float32Array(larger);
    },
  };
  let floats = new Float32Array(memory.buffer);

  function affine(x, weights, y, inputs, end) {
    const f = floats;
    const stop = end >> 2;
    let to = y >> 2;
    for (let w = weights >> 2; w < stop; w += 2 * (inputs + 1), to += 2 * BLOCK) {
      const last = w + 2 * (inputs + 1);
      for (let i = 0; i < BLOCK; i += 4) {
        let p0 = f[w], p1 = p0, p2 = p0, p3 = p0;
        let q0 = f[w + 1], q1 = q0, q2 = q0, q3 = q0;
        for (let k = w + 2, row = (x >> 2) + i; k < last; k += 2, row += BLOCK) {
          const p = f[k], q = f[k + 1], x0 = f[row], x1 = f[row + 1], x2 = f[row + 2], x3 = f[row + 3];
          p0 += p * x0;
          p1 += p * x1;
          p2 += p * x2;
          p3 += p * x3;
          q0 += q * x0;
          q1 += q * x1;
          q2 += q * x2;
          q3 += q * x3;
        }
        const at = to + i;
        f[at] = p0, f[at + 1] = p1, f[at + 2] = p2, f[at + 3] = p3;
        f[at + BLOCK] = q0, f[at + BLOCK + 1] = q1, f[at + BLOCK + 2] = q2, f[at + BLOCK + 3] = q3;
      }
    }
  }
  const each = (formula) => (at, end) => {
    for (let i = at >> 2; i < end >> 2; i++) floats[i] = formula(floats[i]);
  };
  return {
    memory,
    affine,
    relu: each((x) => (x < 0 ? 0 : x)),
    silu: each((x) => x / (1 + Math.exp(-x))),
    tanh: each(Math.tanh),
    selu: each((x) => SELU_SCALE * (x > 0 ? x : SELU_ALPHA * Math.expm1(x))),
  };
}

/** The WebAssembly exports, or null where the browser has no SIMD or a policy forbids compiling. */
function webAssemblyExports() {
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(assemble())).exports;
  } catch {
    return null;
  }
}

/** Memory with two layer buffers and an arena of packed weights, and the operations on it. Offsets count floats. */
export class Kernel {
  constructor({ simd = true } = {}) {
    const compiled = simd ? webAssemblyExports() : null;
    this.simd = compiled !== null;
    this.exports = compiled ?? javascriptExports();
    this.buffers = [0, MAX_ROWS * BLOCK];
    this.era = 0; // offsets got from `reserve` are good while the era lasts
    this.top = WEIGHTS;
    this.floats = new Float32Array(this.exports.memory.buffer);
  }

  /** Room for `count` floats in the arena: its offset. Starts a new era when the arena is full. */
  reserve(count) {
    if (this.top + count > WEIGHTS + ARENA && this.top > WEIGHTS) {
      this.era += 1;
      this.top = WEIGHTS;
    }
    const at = this.top;
    this.top += count;
    const missing = this.top - this.floats.length;
    if (missing > 0) {
      this.exports.memory.grow(Math.ceil(missing / PAGE_FLOATS));
      this.floats = new Float32Array(this.exports.memory.buffer);
    }
    return at;
  }

  /** Rows at y = packed layer applied to the `inputs` rows at x; the layer's weights end at `end`. */
  affine(x, weights, end, inputs, y) {
    this.exports.affine(4 * x, 4 * weights, 4 * y, inputs, 4 * end);
  }

  /** Applies the named activation to `rows` rows in place. */
  activate(name, at, rows) {
    this.exports[name](4 * at, 4 * (at + rows * BLOCK));
  }
}
