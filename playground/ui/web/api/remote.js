/* Runs that only the server can sample: the finished trajectories that it sent, and those that it is asked for.

   A snapshot comes with the trajectory that its training showed, of few states while it goes on. Another look at it, or
   other settings, cost one request; of several wishes in one lane the newest is sent when the one before is answered. */

import { decodeArray } from "../common/codec.js";
import { answered } from "./probing.js";

/** @import {Origin, WireTrajectory} from "../common/wire.js" */
/** @typedef {ReturnType<typeof decodeTrajectory>} RemoteTrajectory */
/** @typedef {{shown: RemoteTrajectory | null, whole: boolean, asked: Map<string, RemoteTrajectory>}} Kept
 *  asked: by the text of the settings */

/**
 * A wire trajectory → what the sampler answers.
 * @param {WireTrajectory} trajectory
 */
export function decodeTrajectory({ t, x, nfe, ms, axis, ends, broken, acceptance }) {
  const {
    shape: [, n, dim],
    data,
  } = decodeArray(x);
  return { t: Float64Array.from(t), x: data, n, dim, nfe, rejected: [], ms, axis, ends, broken, acceptance };
}

export class Remote {
  /** @type {Map<string, {origin: Origin, sampled: boolean, found: Map<number, Kept>}>} by run, and by snapshot */
  #runs = new Map();
  /** @type {Set<string>} lanes with a request under way */
  #busy = new Set();
  /** @type {Map<string, {wish: object, resolve: (answer: any) => void, reject: (error: unknown) => void}>} by lane */
  #waiting = new Map();

  /**
   * origin: {run, round} as the server knows them; sampled: whether solver and steps matter.
   * @param {string} run
   * @param {{origin?: Origin, sampled?: boolean}} about
   */
  open(run, { origin = { run, round: 0 }, sampled = false }) {
    this.#runs.set(run, { origin, sampled, found: new Map() });
  }

  /** @param {string} run */
  has(run) {
    return this.#runs.has(run);
  }

  /**
   * Keeps what came with a snapshot, if anything did; `whole`: no later request would give more.
   * @param {string} run
   * @param {number} snapshot
   * @param {WireTrajectory | null | undefined} trajectory
   * @param {boolean} whole
   */
  put(run, snapshot, trajectory, whole) {
    const shown = trajectory ? decodeTrajectory(trajectory) : null;
    this.#runs.get(run)?.found.set(snapshot, { shown, whole, asked: new Map() });
  }

  /**
   * @param {string} run
   * @param {number} [snapshot] all of the run without it
   */
  forget(run, snapshot) {
    if (snapshot === undefined) this.#runs.delete(run);
    else this.#runs.get(run)?.found.delete(snapshot);
  }

  /**
   * The trajectory of a snapshot under these settings; null where a newer wish of the lane took its place.
   * live: what was sent is enough. settings: {model, and where they matter solver, steps, …}, null for as trained.
   * @param {{run: string, snapshot: number, lane: string, live: boolean, settings: object | null}} wish
   * @returns {Promise<RemoteTrajectory | null>}
   */
  async sample({ run, snapshot, lane, live, settings }) {
    const about = this.#runs.get(run);
    const kept = about?.found.get(snapshot);
    if (!about || !kept) return null;
    if (kept.shown && !settings && (kept.whole || live)) return kept.shown;
    const text = JSON.stringify(settings);
    const known = kept.asked.get(text);
    if (known) return known;
    const answer = await this.#queue(lane, { ...about.origin, snapshot, ...settings });
    if (answer === null) return null;
    const found = decodeTrajectory(answer);
    kept.asked.set(text, found);
    return found;
  }

  /**
   * @param {string} lane
   * @param {object} wish
   * @returns {Promise<WireTrajectory | null>}
   */
  #queue(lane, wish) {
    this.#waiting.get(lane)?.resolve(null);
    return new Promise((resolve, reject) => {
      this.#waiting.set(lane, { wish, resolve, reject });
      this.#next(lane);
    });
  }

  /** @param {string} lane */
  async #next(lane) {
    const one = this.#waiting.get(lane);
    if (!one || this.#busy.has(lane)) return;
    this.#waiting.delete(lane);
    this.#busy.add(lane);
    try {
      one.resolve(await answered("sample", one.wish));
    } catch (error) {
      one.reject(error);
    }
    this.#busy.delete(lane);
    this.#next(lane);
  }
}
