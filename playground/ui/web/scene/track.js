/** One round of a run on the stage: how its network is read, its snapshots, its losses, and which moment is looked at. */

import { History } from "./history.js";
import { addLosses } from "./losses.js";

/** @import {Origin, Reading, Scene} from "../common/wire.js" */
/** @import {Kept} from "./history.js" */
/** @import {Point} from "./losses.js" */
/** @typedef {Omit<Scene, "network"> & {network: (Reading & {origin?: Origin}) | null, origin?: Origin}} StageScene
 *  origin: of a further round, how the server knows it */

/** A budget in seconds has this many steps until the first ones have been timed. */
export const UNKNOWN_STEPS = 200_000;

export class Track {
  /**
   * scene: as setScene has it, with a `run` and a `network` of this round's own.
   * @param {StageScene | null} scene
   * @param {string} name
   */
  constructor(scene, name = "") {
    this.scene = scene;
    this.name = name;
    this.history = new History();
    /** @type {Point[]} */
    this.loss = [];
    /** @type {number | null} the id of the snapshot that is looked at; null for the newest, whichever that is */
    this.past = null;
    this.pastStep = 0;
    /** @type {Kept[]} */
    this.gone = [];
    this.done = false;
  }

  /**
   * The track of a further round, of which `snapshot` is the first.
   * @param {Track} first
   * @param {{run: string, round: number, name: string, network?: Reading}} snapshot
   */
  static after(first, { run, round, name, network }) {
    const { scene } = first;
    if (!scene || !network) throw new Error("a further round says how it is read, and follows one of a scene");
    const origin = { run, ...scene.origin, round }; // the server may know it by another name
    const density = network.map ? null : scene.density; // of a map none is known
    const own = { run: `${run} round ${round}`, origin, network: { ...network, origin }, density };
    return new Track({ ...scene, ...own }, name);
  }

  /**
   * Keeps a snapshot; those that have to go for it are added to `gone`.
   * @param {Omit<Kept, "order">} snapshot
   */
  add(snapshot) {
    if (snapshot.id === this.history.kept.at(-1)?.id) return; // the same once more, while its round prepares itself
    this.gone.push(...this.history.add(snapshot));
    this.loss = addLosses(this.loss, snapshot.loss);
    this.name = snapshot.name ?? this.name;
    this.done = Boolean(snapshot.done);
    if (this.past !== null && this.index < 0) this.past = this.history.nearest(this.pastStep).id;
  }

  /**
   * Looks at one of the kept snapshots; at the newest also at those that will follow it.
   * @param {number} index
   */
  lookAt(index) {
    const { kept } = this.history;
    this.past = index >= kept.length - 1 ? null : kept[index].id;
    this.pastStep = kept[index].step;
  }

  /** Where among the kept snapshots the one stands that is looked at. */
  get index() {
    const { kept } = this.history;
    return this.past === null ? kept.length - 1 : kept.findIndex(({ id }) => id === this.past);
  }

  get shown() {
    return this.history.kept[this.index];
  }
}

/**
 * All snapshots of a run's tracks, as the server tells them of a finished run: a round's losses with its last one.
 * @param {Track[]} tracks
 */
export function snapshotsOf(tracks) {
  const run = tracks[0].scene?.run;
  return tracks.flatMap((track, round) => {
    const { kept } = track.history;
    return kept.map((snapshot, k) => {
      const last = k === kept.length - 1;
      const loss = last ? track.loss : [];
      const network = round > 0 && k === 0 ? { network: track.scene?.network } : {};
      const done = snapshot.done || (last && round === tracks.length - 1);
      return { ...snapshot, run, round, name: track.name, loss, done, ...network };
    });
  });
}
