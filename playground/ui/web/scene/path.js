/** The path of a scene, whether or not anything has been learnt along it. */

/** @import {StageScene} from "./track.js" */

/**
 * The path of a scene; undefined where there is none.
 * @param {Pick<StageScene, "network" | "path"> | null | undefined} scene
 */
export function pathOf(scene) {
  const path = scene?.network?.path ?? scene?.path;
  return path?.table ? path : undefined;
}
