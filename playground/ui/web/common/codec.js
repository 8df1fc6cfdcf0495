/* Arrays as they travel: base64 of little-endian numbers inside JSON.

   array := {shape, f32} | {shape, u16, low, high}, the latter with x = low + u / 65535 (high − low) for each index of
   the last axis. Typed arrays have the byte order of the machine, little-endian wherever browsers run. */

/** @import {ExactArray, Halves, QuantisedArray, WireArray} from "./wire.js" */
/** @typedef {{shape: number[], data: Float32Array<ArrayBuffer>}} NumberArray row-major */

/**
 * Base64 → bytes.
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/**
 * The bytes of an array → base64.
 * @param {ArrayBufferView} array
 */
export function textOf(array) {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  if (bytes.toBase64) return bytes.toBase64();
  const parts = [];
  for (let i = 0; i < bytes.length; i += 8192) parts.push(String.fromCharCode(...bytes.subarray(i, i + 8192)));
  return btoa(parts.join(""));
}

/**
 * Base64 → Float32Array.
 * @param {string} text
 */
export function floats(text) {
  return new Float32Array(bytesOf(text).buffer);
}

/** @param {number[]} shape */
const count = (shape) => shape.reduce((product, side) => product * side, 1);

/**
 * A wire array → its numbers.
 * @param {WireArray} array
 * @returns {NumberArray}
 */
export function decodeArray(array) {
  const { shape } = array;
  const data = "f32" in array ? floats(array.f32) : dequantised(array);
  if (data.length !== count(shape)) throw new Error(`${data.length} values do not fill the shape ${shape}`);
  return { shape, data };
}

/** @param {QuantisedArray} array */
function dequantised({ shape, u16, low, high }) {
  const width = shape[shape.length - 1];
  const steps = low.map((start, j) => (high[j] - start) / 65535);
  return Float32Array.from(new Uint16Array(bytesOf(u16).buffer), (u, i) => low[i % width] + u * steps[i % width]);
}

/**
 * Numbers → a wire array of 32-bit floats.
 * @param {NumberArray} array
 * @returns {ExactArray}
 */
export function encodeArray({ shape, data }) {
  return { shape, f32: textOf(data) };
}

/**
 * Numbers → a wire array of 16-bit numbers that span the range of each index of the last axis.
 * @param {NumberArray} array
 * @returns {QuantisedArray}
 */
export function quantiseArray({ shape, data }) {
  const width = shape[shape.length - 1];
  const low = /** @type {number[]} */ (new Array(width).fill(Infinity));
  const high = /** @type {number[]} */ (new Array(width).fill(-Infinity));
  data.forEach((x, i) => {
    low[i % width] = Math.min(low[i % width], x);
    high[i % width] = Math.max(high[i % width], x);
  });
  const scale = low.map((start, j) => (high[j] > start ? 65535 / (high[j] - start) : 0));
  const u16 = Uint16Array.from(data, (x, i) => Math.round((x - low[i % width]) * scale[i % width]));
  return { shape, u16: textOf(u16), low, high };
}

/**
 * A finite float16 from its bits.
 * @param {number} bits
 */
function half(bits) {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const size = exponent ? 2 ** (exponent - 25) * (1024 + fraction) : 2 ** -24 * fraction;
  return bits & 0x8000 ? -size : size;
}

/**
 * The weights of a snapshot, each network's as base64 → as numbers.
 * @param {Record<string, string | Halves>} weights
 */
export function decodeWeights(weights) {
  /** @param {string | Halves} packed */
  const decoded = (packed) =>
    typeof packed === "string" ? floats(packed) : Float32Array.from(new Uint16Array(bytesOf(packed.f16).buffer), half);
  return Object.fromEntries(Object.entries(weights).map(([name, packed]) => [name, decoded(packed)]));
}
