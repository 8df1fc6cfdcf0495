/**
 * The pairs of the experiment's coupling, between the start points and the target's points that are shown: what three
 * layers draw. They are asked of the server once for a scene, when one of these layers is first looked at.
 */

import { answered } from "../../../api/probing.js";

export const USERS = ["coupling", "batch", "curved"];

/** The points {x0, x1} of the i-th pair; null where the pairs have not come. */
export function pair({ found: { pairs }, x0, target, dim }, i) {
  const j = pairs.partners[i];
  return { x0: x0.subarray(i * dim, (i + 1) * dim), x1: target.subarray(j * dim, (j + 1) * dim) };
}

export const pairs = {
  name: "pairs",
  always: true,
  needs: "pairs",
  asks: ({ on, scene }) => (USERS.some((name) => on.has(name)) ? scene.run : "none"),
  ask: async (sampler, { on, scene: { setting } }) =>
    USERS.some((name) => on.has(name)) ? answered("coupling", { setting }) : {},
  painters: [],
};
