/* A very small assembler of WebAssembly: each function returns nested lists of bytes, an expression leaves its value. */

/** @typedef {any[]} Code nested lists of bytes */
/** @typedef {(a: Code, b: Code) => Code} Binary */

/**
 * @param {number} n
 * @returns {Code}
 */
export function unsigned(n) {
  return n < 128 ? [n] : [(n & 127) | 128, unsigned(n >>> 7)];
}
/**
 * @param {number} n
 * @returns {Code}
 */
function signed(n) {
  return n >= -64 && n < 64 ? [n & 127] : [(n & 127) | 128, signed(n >> 7)];
}

/** @param {number} local */
export const get = (local) => [0x20, unsigned(local)];
/** @type {(local: number, value: Code) => Code} */
export const set = (local, value) => [value, 0x21, unsigned(local)];
/** @param {number} n */
export const int = (n) => [0x41, signed(n)];
/** @type {Binary} */
export const add = (a, b) => [a, b, 0x6a];
/** @type {Binary} */
export const times = (a, b) => [a, b, 0x6c];
/**
 * Runs the body again while a < b (unsigned).
 * @type {(a: Code, b: Code, body: Code) => Code}
 */
export const loopWhile = (a, b, body) => [0x03, 0x40, body, a, b, 0x49, 0x0d, 0x00, 0x0b];

/** @param {number} code */
export const simd = (code) => [0xfd, unsigned(code)];
/** @type {(address: Code, offset?: number) => Code} */
export const load = (address, offset = 0) => [address, simd(0x00), 2, unsigned(offset)];
/** @type {(address: Code, offset?: number) => Code} */
export const loadSplat = (address, offset = 0) => [address, simd(0x09), 2, unsigned(offset)];
/** @type {(address: Code, offset: number, value: Code) => Code} */
export const store = (address, offset, value) => [address, value, simd(0x0b), 2, unsigned(offset)];
/** @type {(x: number) => Code} */
export const constant = (x) => [simd(0x0c), Array(4).fill([...new Uint8Array(new Float32Array([x]).buffer)])];
/** @type {Binary} */
export const fadd = (a, b) => [a, b, simd(0xe4)];
/** @type {(a: Code) => Code} */
export const fabs = (a) => [a, simd(0xe0)];
/** @type {Binary} */
export const fsub = (a, b) => [a, b, simd(0xe5)];
/** @type {Binary} */
export const fmul = (a, b) => [a, b, simd(0xe6)];
/** @type {Binary} */
export const fdiv = (a, b) => [a, b, simd(0xe7)];
/** @type {Binary} */
export const fmin = (a, b) => [a, b, simd(0xea)]; // pmin and pmax: one instruction, and NaN in `a` stays NaN
/** @type {Binary} */
export const fmax = (a, b) => [a, b, simd(0xeb)];
/**
 * a b + c: the relaxed instruction rounds once where the processor has a fused one, and is missing in some browsers.
 * @type {(a: Code, b: Code, c: Code) => Code}
 */
export const relaxed = (a, b, c) => [a, b, c, simd(0x105)];
/** @type {(a: Code, bits: number) => Code} */
export const shiftLeft = (a, bits) => [a, int(bits), simd(0xab)];
/** @type {Binary} */
export const iadd = (a, b) => [a, b, simd(0xae)];
/** @type {(yes: Code, no: Code, mask: Code) => Code} */
export const choose = (yes, no, mask) => [yes, no, mask, simd(0x52)];
/** @type {Binary} */
export const greater = (a, b) => [a, b, simd(0x44)];
