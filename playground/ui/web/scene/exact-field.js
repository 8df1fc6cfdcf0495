/** The exact field that a network tends to, asked of the server once for a scene; and points at which the two compare. */

import { decodeArray } from "../common/codec.js";
import { answered } from "../api/probing.js";
import { PathTable } from "../compute/networks/place.js";

/** @import {ExactAnswer, PathDescription} from "../common/wire.js" */
/** @import {StageScene} from "./track.js" */
/** @typedef {{t_min: number, t_max: number}} Interval */

/** @type {WeakMap<StageScene, Promise<ExactAnswer>>} */
const asked = new WeakMap();

/**
 * Why there is nothing to compare this scene's field with; null where there is.
 * @param {StageScene} scene
 */
export function noExact({ no_exact: why, network, origin }) {
  if (origin?.round) return "The exact field of a further round is not known.";
  if (why) return why;
  if (network?.condition) return "This network is told a condition; the exact field is known without one.";
  if (!network) return "Nothing learnt yet that could be compared.";
  return network.networks?.velocity && network.path?.table
    ? null
    : "The browser does not know the field of this model.";
}

/**
 * {network, target, few} of a scene, the same promise for all who ask; it is asked again after a failure.
 * @param {StageScene} scene
 * @returns {Promise<ExactAnswer>}
 */
export function exactOf(scene) {
  const known = asked.get(scene);
  if (known) return known;
  const answer = answered("exact", { setting: scene.setting });
  answer.catch(() => asked.delete(scene));
  asked.set(scene, answer);
  return answer;
}

/** Points (n·dim values) of the path's marginal at time t, from independent pairs of source and target points. */
export class Marginal {
  /**
   * exact: the server's answer; where it stands on a few training points these are the target.
   * @param {{path: PathDescription, exact: ExactAnswer, x0: Float32Array, target: Float32Array, dim: number, count: number}} of
   */
  constructor({ path, exact, x0, target, dim, count }) {
    const mixture = exact.few ? exact.network?.mixture : null;
    this.table = new PathTable(path.table);
    this.x0 = x0;
    this.target = mixture ? decodeArray(mixture.centers).data : target;
    this.dim = dim;
    this.count = count;
    this.z = noise(count * dim);
  }

  /** @param {number} t */
  at(t) {
    const { x0, target, dim, count, z } = this;
    const { alpha, sigma, gamma } = this.table.at(t);
    return Float32Array.from({ length: count * dim }, (_, k) => {
      return alpha * target[k % target.length] + sigma * x0[k % x0.length] + gamma * z[k];
    });
  }
}

/**
 * Normal numbers, the same every time.
 * @param {number} length
 */
export function noise(length) {
  let state = 1;
  const next = () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) + 0.5) / 2 ** 32;
  return Float64Array.from({ length }, () => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next()));
}

/**
 * The mean squared length of a − b, points of dim coordinates each; b may be left out.
 * @param {ArrayLike<number>} a
 * @param {ArrayLike<number> | null} b
 * @param {number} dim
 */
export function meanSquare(a, b, dim) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - (b ? b[i] : 0)) ** 2;
  return (sum * dim) / a.length;
}

/**
 * The interval on which both fields are finite.
 * @param {Interval} one
 * @param {Interval} other
 * @returns {[number, number]}
 */
export function common(one, other) {
  return [Math.max(one.t_min, other.t_min), Math.min(one.t_max, other.t_max)];
}
