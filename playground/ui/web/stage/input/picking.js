/** What a pixel of the picture means: the particle under it, and the probe that a click there drops. */

/** A particle this near to the pointer (CSS pixels) is meant. */
const NEAR = 10;

let dropped = 0; // only so that two probes differ

/** The index of the particle under a pixel, or null. */
export function particleAt({ view, trajectory, shown, n, dim, t, on }, X, Y) {
  if (!view || !trajectory || !on.has("particles")) return null;
  let [best, least] = [null, NEAR ** 2];
  for (let i = 0; i < n; i++) {
    const right = dim === 1 ? 0 : shown[2 * i];
    const away = (view.X(right, t) - X) ** 2 + (view.Y(right, shown[i * dim + dim - 1]) - Y) ** 2;
    if (away < least) [best, least] = [i, away];
  }
  return best;
}

/** A probe at a pixel: at the current time, in 1-D at the time of the pixel; null before there are paths. */
export function probeAt({ view, trajectory, t }, X, Y) {
  if (!view || !trajectory) return null;
  const [first, last] = [trajectory.t[0], trajectory.t.at(-1)];
  const data = view.data(X, Y, t);
  return { ...data, t: Math.min(last, Math.max(first, data.t)), id: ++dropped };
}
