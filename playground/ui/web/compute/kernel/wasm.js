/* The kernel's WebAssembly module, assembled when the worker starts: about 2 kB, four particles to an instruction.

   Sums of products are `madd`: one relaxed instruction where the browser has it, or a product and a sum. */

import {
  add,
  choose,
  constant,
  fabs,
  fadd,
  fdiv,
  fmax,
  fmin,
  fmul,
  fsub,
  get,
  greater,
  iadd,
  int,
  load,
  loadSplat,
  loopWhile,
  relaxed,
  set,
  shiftLeft,
  store,
  times,
  unsigned,
} from "./assembler.js";
import { BLOCK, COMPONENT, PAGE_FLOATS, SELU_ALPHA, SELU_SCALE, WEIGHTS } from "./layout.js";

const ROW_BYTES = 4 * BLOCK;

// e^x = 2^y = 2^n 2^f with n the integer nearest to y = x log2 e: the minimax polynomial with P(0) = 1 for 2^f on
// |f| ≤ 1/2, lowest power first, is off by 9e-8; with the rounding of y that is 2e-7 for |x| ≤ 1 and 1e-6 to |x| = 20.
const LOG2E = 1.4426950408889634;
const EXP2 = [1, 0.6931469776, 0.24022242086, 0.055507337418, 0.0096715126462, 0.001326472763];
const TO_INTEGER = 12582912; // 1.5 · 2^23: adding it leaves the rounded integer in the low bits
const EXP2_BOUND = 125; // 2^±125 is finite and normal in float32
// sin 2πh = h P(h²) on |h| ≤ 1/4: the minimax polynomial, lowest power first, is off by 3e-9.
const SINE = [6.28318516, -41.34165503, 81.60100407, -76.54978214, 39.536705];
/** y = W x + b for one block; (x, weights, y, inputs, end of weights) are byte addresses and a count. */
function affineCode(madd) {
  const [x, weights, y, inputs, end] = [0, 1, 2, 3, 4];
  const [weight, row, from, to, pairEnd] = [5, 6, 7, 8, 9];
  const lanes = [10, 11, 12, 13]; // 16 particles of one input feature
  const sums = [
    [14, 15, 16, 17],
    [18, 19, 20, 21],
  ]; // the same particles of two output features
  const splat = 22;
  const each = (list, f) => list.map(f);

  const sixteen = [
    each(sums, (sum, o) => [set(splat, loadSplat(get(weights), 4 * o)), each(sum, (local) => set(local, get(splat)))]),
    set(weight, add(get(weights), int(8))),
    set(row, get(from)),
    loopWhile(get(weight), get(pairEnd), [
      each(lanes, (lane, i) => set(lane, load(get(row), 16 * i))),
      each(sums, (sum, o) => [
        set(splat, loadSplat(get(weight), 4 * o)),
        each(sum, (local, i) => set(local, madd(get(splat), get(lanes[i]), get(local)))),
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

/** 2^y for y within ±EXP2_BOUND; y, n and power are locals that it writes. */
const exp2 = (y, n, power, madd) => [
  set(n, fadd(get(y), constant(TO_INTEGER))),
  set(y, fsub(get(y), fsub(get(n), constant(TO_INTEGER)))),
  set(
    power,
    EXP2.map(constant).reduceRight((sum, c) => madd(sum, get(y), c)),
  ),
  iadd(get(power), shiftLeft(get(n), 23)), // the integer goes straight into the exponent's bits
];

/** Replaces every value from the byte address `at` up to `end` by an activation of itself. */
function activationCode(formula, madd) {
  const [at, end, x, n, y, power] = [0, 1, 2, 3, 4, 5];
  const exp = (factor) => [
    set(y, fmul(get(x), constant(factor * LOG2E))),
    set(y, fmin(fmax(get(y), constant(-EXP2_BOUND)), constant(EXP2_BOUND))),
    exp2(y, n, power, madd),
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

/** The velocity of a mixture for one block: rows x₁, x₂ at x, rows v₁, v₂ at y; see mixture.js for the components.

    Two sweeps over the components for four particles at a time: the logarithms of the posterior weights, kept at
    `scratch`, with their maximum; then the mean of the components' velocities under them. */
function mixtureCode(madd) {
  const [x, components, y, scratch, end] = [0, 1, 2, 3, 4];
  const [component, logit, stop] = [5, 6, 7];
  const [x1, x2, most, sum, v1, v2, d1, d2, share, n, power] = [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18];
  const part = (index) => loadSplat(get(component), 4 * index);
  const distances = [set(d1, fsub(get(x1), part(0))), set(d2, fsub(get(x2), part(1)))];
  const affine = (a, b, c) => fadd(part(a), fadd(fmul(part(b), get(d1)), fmul(part(c), get(d2))));
  const sweep = (body) => [
    set(component, get(components)),
    set(logit, get(scratch)),
    loopWhile(get(component), get(end), [
      distances,
      body,
      set(logit, add(get(logit), int(16))),
      set(component, add(get(component), int(4 * COMPONENT))),
    ]),
  ];
  const posterior = [
    set(share, fmul(get(d1), fadd(fmul(part(2), get(d1)), fmul(part(3), get(d2))))),
    set(share, fadd(get(share), fadd(fmul(part(4), fmul(get(d2), get(d2))), part(5)))),
    store(get(logit), 0, get(share)),
    set(most, fmax(get(most), get(share))),
  ];
  const mean = [
    set(share, fmax(fsub(load(get(logit)), get(most)), constant(-EXP2_BOUND))),
    set(share, exp2(share, n, power, madd)),
    set(sum, fadd(get(sum), get(share))),
    set(v1, fadd(get(v1), fmul(get(share), affine(6, 8, 9)))),
    set(v2, fadd(get(v2), fmul(get(share), affine(7, 11, 10)))),
  ];
  const body = [
    set(stop, add(get(x), int(ROW_BYTES))),
    loopWhile(get(x), get(stop), [
      [set(x1, load(get(x))), set(x2, load(get(x), ROW_BYTES))],
      set(most, constant(-3e38)),
      [sum, v1, v2].map((local) => set(local, constant(0))),
      sweep(posterior),
      sweep(mean),
      store(get(y), 0, fdiv(get(v1), get(sum))),
      store(get(y), ROW_BYTES, fdiv(get(v2), get(sum))),
      set(x, add(get(x), int(16))),
      set(y, add(get(y), int(16))),
    ]),
  ];
  return [[2, 3, 0x7f, 11, 0x7b], body];
}

/** Fourier features of one block: rows of g sin ω·x and g cos ω·x of the rows at x.

    Each wave is [ω_1 / 2π, …, g] in the table, so that ω·x comes in turns, from which whole ones are taken. With f what
    is left of a turn, in ±1/2, the cosine is sin 2π(1/4 − |f|); the sine is the cosine a quarter of a turn before. */
function wavesCode(madd) {
  const [x, table, sines, cosines, inputs, end] = [0, 1, 2, 3, 4, 5];
  const [part, row, from, last] = [6, 7, 8, 9];
  const [turns, left, f, square] = [10, 11, 12, 13];
  const cosine = (angle) => [
    set(f, angle),
    set(f, fabs(fsub(get(f), fsub(fadd(get(f), constant(TO_INTEGER)), constant(TO_INTEGER))))),
    set(f, fsub(constant(0.25), get(f))),
    set(square, fmul(get(f), get(f))),
    fmul(
      fmul(get(f), get(left)),
      SINE.map(constant).reduceRight((sum, c) => madd(sum, get(square), c)),
    ),
  ];
  const body = loopWhile(get(table), get(end), [
    set(last, add(get(table), times(int(4), get(inputs)))),
    set(left, loadSplat(get(last))),
    set(from, get(x)),
    loopWhile(get(from), add(get(x), int(ROW_BYTES)), [
      [set(part, get(table)), set(row, get(from)), set(turns, constant(0))],
      loopWhile(get(part), get(last), [
        set(turns, madd(loadSplat(get(part)), load(get(row)), get(turns))),
        set(part, add(get(part), int(4))),
        set(row, add(get(row), int(ROW_BYTES))),
      ]),
      store(get(cosines), 0, cosine(get(turns))),
      store(get(sines), 0, cosine(fsub(get(turns), constant(0.25)))),
      [sines, cosines, from].map((local) => set(local, add(get(local), int(16)))),
    ]),
    set(table, add(get(last), int(4))),
  ]);
  return [[2, 4, 0x7f, 4, 0x7b], body];
}

function assemble(madd) {
  const sized = (content) => {
    const bytes = content.flat(Infinity);
    return [unsigned(bytes.length), bytes];
  };
  const list = (items) => [unsigned(items.length), items];
  const name = (text) => list([...text].map((letter) => letter.charCodeAt(0)));
  const activations = Object.values(FORMULAS).map((formula) => activationCode(formula, madd));
  const functions = [wavesCode(madd), affineCode(madd), mixtureCode(madd), ...activations];
  const names = ["waves", "affine", "mixture", ...ACTIVATIONS];
  const counts = [6, 5, 5, ...activations.map(() => 2)]; // of parameters
  const section = (id, content) => [id, sized(content)];
  const module = [
    [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    section(1, list(counts.map((count) => [0x60, list(Array(count).fill(0x7f)), 0]))),
    section(3, list(functions.map((_, i) => i))),
    section(5, list([[0x00, unsigned(WEIGHTS / PAGE_FLOATS)]])),
    section(7, list([[name("memory"), 2, 0], ...names.map((text, i) => [name(text), 0, i])])),
    section(10, list(functions.map(([locals, body]) => sized([locals, body, 0x0b])))),
  ];
  return new Uint8Array(module.flat(Infinity));
}

/** The WebAssembly exports, or null where the browser has no SIMD or a policy forbids compiling. */
export function webAssemblyExports() {
  for (const madd of [relaxed, (a, b, c) => fadd(fmul(a, b), c)]) {
    try {
      return new WebAssembly.Instance(new WebAssembly.Module(assemble(madd))).exports;
    } catch {
      // without this instruction, or none at all
    }
  }
  return null;
}
