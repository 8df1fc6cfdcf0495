/* What only the server knows of a run besides its samples, or of a setting, asked for again while it is busy: see
   playground/ui/probing.py. */

import { fetchJSON, pageKey } from "./client.js";

/** The server may be busy: so often, and so many ms apart, it is asked. */
const [TRIES, TRY_AGAIN] = [5, 700];

/** The answer to a question about a scene's snapshot: what is "density" or "carry". */
export function asked(what, { scene, snapshot, ...about }) {
  const origin = scene.origin ?? scene.network?.origin ?? { run: scene.run, round: 0 };
  return answered(what, { ...origin, snapshot, ...about });
}

/** The answer to any question that names what it is about. */
export async function answered(route, question) {
  const body = JSON.stringify({ page: await pageKey(), ...question });
  for (let tries = 1; ; tries++) {
    try {
      return await fetchJSON(`/playground/${route}`, body);
    } catch (error) {
      if (!error.busy || tries === TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN));
    }
  }
}
