/* How the kernel's memory is laid out, counted in floats: two buffers that layers write in turn, then an arena.

   A block is feature-major: row j holds feature j of its 64 particles. Packed weights of a layer, for each pair of
   outputs (p, q), an odd last one being paired with zeros: [bias_p, bias_q, w_p0, w_q0, w_p1, w_q1, …], so that the
   inner loop reads them in one sweep. Packed components of a mixture, COMPONENT floats each: see mixture.js. */

export const BLOCK = 64;
export const MAX_ROWS = 512;
export const COMPONENT = 12;
export const PAGE_FLOATS = 16384; // of a WebAssembly memory
export const WEIGHTS = 2 * MAX_ROWS * BLOCK; // first float after the two buffers
export const ARENA = 8 * 1024 * 1024; // floats of packed weights kept before all are dropped and loaded again on demand

export const SELU_SCALE = 1.0507009873554805;
export const SELU_ALPHA = 1.6732632423543772;
