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

