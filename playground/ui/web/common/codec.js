/* Arrays as they travel: base64 of little-endian numbers inside JSON.

   array := {shape, f32} | {shape, u16, low, high}, the latter with x = low + u / 65535 (high − low) for each index of
   the last axis. Typed arrays have the byte order of the machine, little-endian wherever browsers run. */

export function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

export function textOf(array) {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  if (bytes.toBase64) return bytes.toBase64();
  const parts = [];
  for (let i = 0; i < bytes.length; i += 8192) parts.push(String.fromCharCode(...bytes.subarray(i, i + 8192)));
  return btoa(parts.join(""));
}

/** Base64 → Float32Array. */
export function floats(text) {
  return new Float32Array(bytesOf(text).buffer);
}

const count = (shape) => shape.reduce((product, side) => product * side, 1);

/** A wire array → {shape, data: Float32Array}, row-major. */
export function decodeArray({ shape, f32, u16, low, high }) {
  const data = f32 === undefined ? dequantised(u16, shape.at(-1), low, high) : floats(f32);
  if (data.length !== count(shape)) throw new Error(`${data.length} values do not fill the shape ${shape}`);
  return { shape, data };
}

function dequantised(text, width, low, high) {
  const steps = low.map((start, j) => (high[j] - start) / 65535);
  return Float32Array.from(new Uint16Array(bytesOf(text).buffer), (u, i) => low[i % width] + u * steps[i % width]);
}

/** {data, shape} → a wire array of 32-bit floats. */
export function encodeArray({ shape, data }) {
  return { shape, f32: textOf(data) };
}

/** {data, shape} → a wire array of 16-bit numbers that span the range of each index of the last axis. */
export function quantiseArray({ shape, data }) {
  const width = shape.at(-1);
  const low = new Array(width).fill(Infinity);
  const high = new Array(width).fill(-Infinity);
  data.forEach((x, i) => {
    low[i % width] = Math.min(low[i % width], x);
    high[i % width] = Math.max(high[i % width], x);
  });
  const scale = low.map((start, j) => (high[j] > start ? 65535 / (high[j] - start) : 0));
  const u16 = Uint16Array.from(data, (x, i) => Math.round((x - low[i % width]) * scale[i % width]));
  return { shape, u16: textOf(u16), low, high };
}

/** {name: base64} of a snapshot → {name: Float32Array}. */
export function decodeWeights(weights) {
  return Object.fromEntries(Object.entries(weights).map(([name, text]) => [name, floats(text)]));
}
