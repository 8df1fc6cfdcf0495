/** @import {WireSnapshot} from "../common/wire.js" */
/** @typedef {Pick<WireSnapshot, "id" | "step" | "steps" | "loss" | "done"> & Partial<WireSnapshot> & {order: number}} Kept
 *  order: how many came before it */

const MOST_KEPT = 48;

/**
 * The snapshots of one training, at most 48 and evenly spread: every `stride`-th that came, and always the first and
 * the last. When it is full the stride doubles, so that every second one goes.
 */
export class History {
  constructor() {
    /** @type {Kept[]} */
    this.kept = [];
    this.stride = 1;
    this.seen = 0;
  }

  /**
   * Adds the newest and returns those that had to go.
   * @param {Omit<Kept, "order">} snapshot
   */
  add(snapshot) {
    /** @type {(one: Kept) => boolean} */
    const stays = ({ order }) => order % this.stride === 0;
    const before = this.kept;
    /** @type {Kept} */
    const newest = { ...snapshot, order: this.seen++ };
    this.kept = [...before.filter((one, k) => k < before.length - 1 || stays(one)), newest];
    if (this.kept.length > MOST_KEPT) {
      this.stride *= 2;
      this.kept = this.kept.filter((one, k) => stays(one) || k === this.kept.length - 1);
    }
    return before.filter((one) => !this.kept.includes(one));
  }

  /**
   * The one that is nearest to a training step.
   * @param {number} step
   */
  nearest(step) {
    return this.kept.reduce((best, one) => (Math.abs(one.step - step) < Math.abs(best.step - step) ? one : best));
  }
}
