/**
 * The pairs of the experiment's coupling, between the start points and the target's points that are shown: what three
 * layers draw. They are asked of the server once for a scene, when one of these layers is first looked at.
 */

import { fetchJSON, pageKey } from "../server.js";

export const USERS = ["coupling", "batch", "curved"];
const [TRIES, TRY_AGAIN] = [4, 1500];

/** The server's answer about a setting, asked again while it is busy with others. */
export async function answered(route, question) {
  const text = JSON.stringify({ page: await pageKey(), ...question });
  for (let tries = 1; ; tries++) {
    try {
      return await fetchJSON(`/playground/${route}`, text);
    } catch (error) {
      if (!error.busy || tries === TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN));
    }
  }
}

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
