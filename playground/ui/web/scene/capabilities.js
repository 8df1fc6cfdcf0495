// What a layer needs, and whether it is there; see index.js for the names.

import { noExact } from "./exact-field.js";
import { pathOf } from "./path.js";

/** @import {Reading} from "../common/wire.js" */
/** @import {StageScene} from "./track.js" */
/** @typedef {{needs?: string, dims?: number[]}} Layer */

/**
 * What only some models have, by the name under which a layer needs it.
 * @type {Record<string, (network: Reading | null | undefined) => boolean>}
 */
const OWN = {
  diffusion: (network) => Boolean(network?.samplers?.includes("ancestral")),
  surface: (network) => Boolean(network?.surfaces),
  energy: (network) => Object.values(network?.surfaces ?? {}).some(({ of }) => of === "energy"),
  critic: (network) => Object.values(network?.surfaces ?? {}).some(({ of }) => of !== "energy"),
  map: (network) => Boolean(network?.map),
  equation: (network) => Boolean(network?.equation),
};

/**
 * Whether a model could show this layer; what only other families have is not offered.
 * @param {Layer} layer
 * @param {{scene?: StageScene | null}} state
 */
export function offered({ needs }, { scene }) {
  return !needs || !(needs in OWN) || OWN[needs](scene?.network);
}

/**
 * Whether a layer that is switched on can be seen in this state.
 * @param {Layer} layer
 * @param {{scene?: StageScene | null, dim?: number, trajectory?: unknown, ghost?: {trajectory: {dim: number}} | null}} state
 */
export function present({ needs, dims = [1, 2] }, { scene, dim, trajectory, ghost }) {
  if (!scene || dim === undefined || !dims.includes(dim)) return false;
  if (needs === "training") return Boolean(scene.training);
  if (needs === "pairs") return noPairs(scene) === null && Boolean(pathOf(scene));
  if (needs === "density") return Boolean(trajectory) && noDensity(scene) === null;
  if (needs === "exact") return Boolean(trajectory) && noExact(scene) === null;
  if (needs === "carried") return Boolean(trajectory) && (hasField(scene) || Boolean(scene.network?.carries));
  if (needs === "ghost") return ghost?.trajectory.dim === dim;
  if (needs === "scene") return true;
  if (needs === "diffusion") return OWN.diffusion(scene.network);
  if (needs === "network") return Boolean(scene.network?.path?.table || scene.network?.equation);
  if (needs && needs in OWN && !OWN[needs](scene.network)) return false;
  return Boolean(trajectory) && (needs !== "flow" || hasField(scene));
}

/**
 * Whether the browser knows the velocity of this scene's particles.
 * @param {StageScene} scene
 */
export function hasField({ network }) {
  return Boolean(network && !network.map && !network.remote);
}

/**
 * Why this scene has no log-density; null where it has one.
 * @param {StageScene} scene
 */
export function noDensity({ network, density, dim }) {
  if (!network) return "Nothing learnt yet.";
  if (!density) return "The density of this model is not known.";
  return dim <= 2 ? null : "Only in one and two dimensions.";
}

/**
 * Why there are no pairs of this scene to be drawn; null where there are.
 * @param {StageScene} scene
 */
function noPairs({ coupling, origin }) {
  if (origin?.round)
    return "This round learnt from pairs that the round before it made; they are not sent to the page.";
  return coupling ? null : "This model is not trained on pairs of a source point and a target point.";
}

/**
 * What is said of a layer for which there is nothing here, by what it needs.
 * @type {Record<string, (scene: StageScene) => string | null>}
 */
const LACKS = {
  pairs: noPairs,
  density: noDensity,
  exact: noExact,
  training: ({ training }) => (training ? null : "Training is not limited to some points here."),
};

/**
 * Why a layer cannot be shown of this scene; null where it can.
 * @param {Layer} layer
 * @param {StageScene | null | undefined} scene
 */
export function lackOf({ needs, dims = [1, 2] }, scene) {
  if (!dims.includes(scene?.dim ?? 2))
    return dims.length === 1
      ? `Only in ${["one dimension", "two dimensions"][dims[0] - 1]}.`
      : "Only in one and two dimensions.";
  return scene && needs ? (LACKS[needs]?.(scene) ?? null) : null;
}
