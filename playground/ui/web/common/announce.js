// What a screen reader is told while the eyes have a picture: one live region for all of the page.

import { h } from "./dom.js";

/** @type {HTMLElement | null} */
let region = null;

/**
 * Says a sentence when whoever listens is done with what is being read.
 * @param {string} sentence
 */
export function announce(sentence) {
  if (!region) {
    region = h("div", { class: "pg-announcer", role: "status", "aria-live": "polite" });
    document.body.append(region);
  }
  if (region.textContent !== sentence) region.textContent = sentence;
}

/** Says how a training goes: at each quarter, and at its end. */
export class Progress {
  #quarter = 0;
  #under = false;

  /**
   * @param {number} share how much of it is done, in 0–1
   * @param {string} name of what is trained, where there are several
   */
  hear(share, name = "Training") {
    const quarter = Math.min(3, Math.floor(4 * share));
    if (this.#under && quarter > this.#quarter) announce(`${name}: ${25 * quarter} % done.`);
    else if (!this.#under) announce(`${name} has begun.`);
    [this.#quarter, this.#under] = [quarter, true];
  }

  /**
   * Once a training is over.
   * @param {string} sentence what it came to
   */
  end(sentence) {
    if (this.#under) announce(sentence);
    [this.#quarter, this.#under] = [0, false];
  }

  /**
   * The same from a snapshot of a training.
   * @param {{step: number, steps: number, seconds: number, done: boolean}} snapshot
   */
  read({ step, steps, seconds, done }) {
    if (!done) return this.hear(steps ? step / steps : 0);
    const ended = `Training has ended after ${step.toLocaleString("en")} steps, ${seconds.toFixed(1)} s.`;
    this.end(step ? ended : "The network is untrained.");
  }
}
