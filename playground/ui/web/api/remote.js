/* Runs that only the server can sample: the finished trajectories that it sent, and those that it is asked for.

   A snapshot comes with the trajectory that its training showed, of few states while it goes on. Another look at it, or
   other settings, cost one request; of several wishes in one lane the newest is sent when the one before is answered. */

import { decodeArray } from "../common/codec.js";
import { fetchJSON, pageKey } from "./client.js";

/** The server may be busy: so often, and so many ms apart, it is asked. */
const [TRIES, TRY_AGAIN] = [5, 700];

/** A wire trajectory → what the sampler answers: {t, x, n, dim, nfe, rejected, ms, axis, ends, broken, acceptance}. */
export function decodeTrajectory({ t, x, nfe, ms, axis, ends, broken, acceptance }) {
  const {
    shape: [, n, dim],
    data,
  } = decodeArray(x);
  return { t: Float64Array.from(t), x: data, n, dim, nfe, rejected: [], ms, axis, ends, broken, acceptance };
}

export class Remote {
  #runs = new Map(); // run → {origin, sampled, found: Map(snapshot → Map(text of the settings → trajectory))}
  #busy = new Set(); // lanes with a request under way
  #waiting = new Map(); // lane → the newest wish, with its resolve and reject

  /** origin: {run, round} as the server knows them; sampled: whether solver and steps matter. */
  open(run, { origin = { run, round: 0 }, sampled = false }) {
    this.#runs.set(run, { origin, sampled, found: new Map() });
  }

  has(run) {
    return this.#runs.has(run);
  }

  /** Keeps what came with a snapshot, if anything did; `whole`: no later request would give more. */
  put(run, snapshot, trajectory, whole) {
    const { found } = this.#runs.get(run);
    const shown = trajectory ? decodeTrajectory(trajectory) : null;
    found.set(snapshot, { shown, whole, asked: new Map() });
  }

  forget(run, snapshot) {
    if (snapshot === undefined) this.#runs.delete(run);
    else this.#runs.get(run)?.found.delete(snapshot);
  }

  /** The trajectory of a snapshot under these settings; null where a newer wish of the lane took its place.
      live: what was sent is enough. settings: {model, and where they matter solver, steps, …}, null for as trained. */
  async sample({ run, snapshot, lane, live, settings }) {
    const about = this.#runs.get(run);
    const kept = about?.found.get(snapshot);
    if (!kept) return null;
    if (kept.shown && !settings && (kept.whole || live)) return kept.shown;
    const text = JSON.stringify(settings);
    if (!kept.asked.has(text)) {
      const answer = await this.#queue(lane, { ...about.origin, snapshot, ...settings });
      if (answer === null) return null;
      kept.asked.set(text, decodeTrajectory(answer));
    }
    return kept.asked.get(text);
  }

  #queue(lane, wish) {
    this.#waiting.get(lane)?.resolve(null);
    return new Promise((resolve, reject) => {
      this.#waiting.set(lane, { wish, resolve, reject });
      this.#next(lane);
    });
  }

  async #next(lane) {
    const one = this.#waiting.get(lane);
    if (!one || this.#busy.has(lane)) return;
    this.#waiting.delete(lane);
    this.#busy.add(lane);
    try {
      one.resolve(await this.#fetch(one.wish));
    } catch (error) {
      one.reject(error);
    }
    this.#busy.delete(lane);
    this.#next(lane);
  }

  async #fetch(wish) {
    const body = JSON.stringify({ page: await pageKey(), ...wish });
    for (let tries = 1; ; tries++) {
      try {
        return await fetchJSON("/playground/sample", body);
      } catch (error) {
        if (!error.busy || tries === TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN));
      }
    }
  }
}
