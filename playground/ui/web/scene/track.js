/** One round of a run on the stage: how its network is read, its snapshots, its losses, and which moment is looked at. */

import { History } from "./history.js";
import { addLosses } from "./losses.js";

/** A budget in seconds has this many steps until the first ones have been timed. */
export const UNKNOWN_STEPS = 200_000;

export class Track {
  /** scene: as setScene has it, with a `run` and a `network` of this round's own. */
  constructor(scene, name = "") {
    Object.assign(this, {
      scene,
      name,
      history: new History(),
      loss: [],
      past: null,
      pastStep: 0,
      gone: [],
      done: false,
    });
  }

  /** The track of a further round, of which `snapshot` is the first. */
  static after(first, { run, round, name, network }) {
    const origin = { run, ...first.scene.origin, round }; // the server may know it by another name
    const density = network.map ? null : first.scene.density; // of a map none is known
    const own = { run: `${run} round ${round}`, origin, network: { ...network, origin }, density };
    return new Track({ ...first.scene, ...own }, name);
  }

  /** Keeps a snapshot; those that have to go for it are added to `gone`. */
  add(snapshot) {
    if (snapshot.id === this.history.kept.at(-1)?.id) return; // the same once more, while its round prepares itself
    this.gone.push(...this.history.add(snapshot));
    this.loss = addLosses(this.loss, snapshot.loss);
    this.name = snapshot.name ?? this.name;
    this.done = Boolean(snapshot.done);
    if (this.past !== null && this.index < 0) this.past = this.history.nearest(this.pastStep).id;
  }

  /** Looks at one of the kept snapshots; at the newest also at those that will follow it. */
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

/** All snapshots of a run's tracks, as the server tells them of a finished run: a round's losses with its last one. */
export function snapshotsOf(tracks) {
  const { run } = tracks[0].scene;
  return tracks.flatMap((track, round) => {
    const { kept } = track.history;
    return kept.map((snapshot, k) => {
      const last = k === kept.length - 1;
      const loss = last ? track.loss : [];
      const network = round > 0 && k === 0 ? { network: track.scene.network } : {};
      const done = snapshot.done || (last && round === tracks.length - 1);
      return { ...snapshot, run, round, name: track.name, loss, done, ...network };
    });
  });
}
