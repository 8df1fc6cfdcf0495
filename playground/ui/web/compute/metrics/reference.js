/* The target's points that clouds are compared with: all of them, or those under one value of the condition. */

import { pointsUnder } from "../networks/condition.js";
import { fixedDirections, meanDistanceWithin, slicedW2OfSorted, sortedProjections } from "./metrics.js";
import { Neighbourhood } from "./neighbours.js";

export class Reference {
  /** `values`: the condition of each point, where there is one. */
  constructor(points, dim, values = null) {
    Object.assign(this, { points, dim, values, directions: fixedDirections(dim), parts: new Map() });
  }

  /** {points, sorted, within} of the points under a value, undefined or null for all; no points where it has none. */
  under(value) {
    const key = this.values && Number.isFinite(value) ? Math.fround(value) : null;
    if (!this.parts.has(key)) {
      const points = key === null ? this.points : pointsUnder(this.points, this.dim, this.values, key);
      this.parts.set(key, { points, sorted: sortedProjections(points, this.dim, this.directions), within: null });
    }
    return this.parts.get(key);
  }

  /** Sliced W2 between a cloud and the points under a value; null where there are none. */
  distance(cloud, value) {
    const { points, sorted } = this.under(value);
    if (!points.length) return null;
    return slicedW2OfSorted(sortedProjections(cloud, this.dim, this.directions), sorted);
  }

  /** The sharpness of a cloud against the points under a value, see `Neighbourhood`; null where there are too few. */
  sharpness(cloud, value) {
    const part = this.under(value);
    if (part.points.length / this.dim < 2) return null;
    return (part.near ??= new Neighbourhood(part.points, this.dim)).sharpness(cloud);
  }

  /** E|X − X'| of the points under a value. */
  within(value) {
    const part = this.under(value);
    return (part.within ??= meanDistanceWithin(part.points, this.dim));
  }
}
