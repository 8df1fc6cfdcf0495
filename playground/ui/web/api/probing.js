/* What only the server knows, of a run besides its samples or of a setting, asked for again while it is busy: see
   playground/ui/measures.py. */

import { fetchJSON, pageKey } from "./client.js";

/** @import {Origin, Reading} from "../common/wire.js" */
/** @import {ServerError} from "./client.js" */

/** How often a busy server is asked, and how many ms apart. */
const PATIENCE = { tries: 5, apart: 700 };

/**
 * The answer to a question about a scene's snapshot.
 * @param {string} what "density/…" or "carry"
 * @param {{
 *   scene: {run: string, origin?: Origin, network?: (Reading & {origin?: Origin}) | null},
 *   snapshot: number,
 *   [more: string]: unknown,
 * }} question with whatever else it names
 */
export function asked(what, { scene, snapshot, ...about }) {
  const origin = scene.origin ?? scene.network?.origin ?? { run: scene.run, round: 0 };
  return answered(what, { ...origin, snapshot, ...about });
}

/**
 * The answer to any question that names what it is about. Throws a ServerError.
 * @param {string} route
 * @param {object} question
 * @param {{tries: number, apart: number}} [patience]
 * @returns {Promise<any>} a message of wire.d.ts
 */
export async function answered(route, question, { tries, apart } = PATIENCE) {
  const body = JSON.stringify({ page: await pageKey(), ...question });
  for (let left = tries - 1; ; left--) {
    try {
      return await fetchJSON(`/playground/${route}`, body);
    } catch (error) {
      const { busy, past } = /** @type {ServerError} */ (error);
      if (!busy || past || left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, apart));
    }
  }
}
