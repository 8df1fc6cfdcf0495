/* How far trainings that go by turns have come, together, and how long the rest will take. */

import { Progress } from "../common/announce.js";

/** Before this share is done the time that is left is anybody's guess. */
const GUESS_FROM = 0.02;

/** A time to wait for, in words that promise no more than is known. */
function inWords(seconds) {
  if (seconds < 4) return "a moment left";
  if (seconds < 90) return `about ${seconds < 20 ? Math.round(seconds) : 5 * Math.round(seconds / 5)} s left`;
  return `about ${Math.round(seconds / 60)} min left`;
}

/** The words for what is left after `seconds`, in which the share that is done has grown: nothing while that would be a guess. */
export function leftOf(seconds, share, grown = share) {
  return grown > GUESS_FROM && share < 1 ? inWords((seconds * (1 - share)) / grown) : "";
}

export class UnderWay {
  constructor(root) {
    root.className = "pg-underway";
    root.hidden = true;
    root.innerHTML = `<progress max="1" value="0" aria-label="Progress of all trainings"></progress><span></span>`;
    this.root = root;
    this.progress = new Progress();
  }

  /** count: trainings; budget: "seconds" or "steps"; amount: of it for each. */
  begin(count, budget, amount) {
    Object.assign(this, { count, budget, amount, since: null, shares: new Map(), before: new Map() });
    this.#show();
  }

  /** One of them has been charged so many seconds and has come so far. */
  heard(key, charged, { step, steps, done }) {
    if (!this.shares) return;
    const share = done ? 1 : this.budget === "seconds" ? charged / this.amount : step / steps;
    this.since ??= performance.now(); // waiting for the server is not training
    if (!this.before.has(key)) this.before.set(key, Math.min(1, share)); // from a training that goes on
    this.shares.set(key, Math.min(1, share));
    this.#show();
  }

  end() {
    this.progress.end("All trainings have ended.");
    this.shares = null;
    this.root.hidden = true;
  }

  #show() {
    const [share, before] = [this.shares, this.before].map(
      (one) => [...one.values()].reduce((a, b) => a + b, 0) / this.count,
    );
    const [progress, text] = this.root.children;
    this.root.hidden = false;
    progress.value = share;
    this.progress.hear(share);
    text.textContent =
      this.since === null
        ? "waiting for the server …"
        : leftOf((performance.now() - this.since) / 1000, share, share - before) || "training …";
  }
}
