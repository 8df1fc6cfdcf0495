/* Work done in the background: in a worker of its own, in small pieces, and only while nobody waits for a picture. */

import { shareOf } from "../compute/networks/condition.js";

/** A piece has at most so many particles: some 30 ms at 100 evaluations, the longest that a hand can be in its way. */
const PIECE = 512;
/** So long (ms) after the last picture nothing is begun. */
const CALM_AFTER = 300;

export class BackgroundWorker {
  #waiting = new Map();
  #count = 0;
  #disturbed = 0;

  constructor() {
    this.port = new Worker(new URL("./measuring-worker.js", import.meta.url), { type: "module" });
    this.port.onmessage = ({ data: { id, error, ...answer } }) => {
      const asked = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (!asked) reportError(new Error(error));
      else if (error === undefined) asked.resolve(answer);
      else asked.reject(new Error(error));
    };
    this.port.onerror = (event) => {
      const error = new Error(`the measuring worker failed: ${event.message ?? "not loaded"}`);
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    };
  }

  /** Sends what has no answer: open, put, compare, forget; see the workers next to this file. */
  tell(kind, fields) {
    this.port.postMessage({ kind, ...fields });
  }

  /** Sends a request and resolves to its answer. */
  ask(kind, fields) {
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.port.postMessage({ id, kind, ...fields });
    });
  }

  /** Somebody waits for a picture: what is not urgent stands back for a moment. */
  disturb() {
    this.#disturbed = performance.now();
  }

  /** Resolves when no picture has been asked for, for a moment, and the page is looked at; sooner if `hurry()` says so. */
  async calm(hurry = () => false) {
    while (!hurry()) {
      const left = document.hidden ? CALM_AFTER : this.#disturbed + CALM_AFTER - performance.now();
      if (left <= 0) return;
      await new Promise((resolve) => setTimeout(resolve, left));
    }
  }

  /** Samples x0 (n·dim values) piece by piece, each in a calm moment: calls `each` with every piece's
      trajectory, where in x0 it begins, and what its particles are told. */
  async sample({ x0, dim, whole = false, told = null, ...request }, each) {
    const size = whole ? x0.length : PIECE * dim;
    for (let at = 0; at < x0.length; at += size) {
      await this.calm();
      const end = Math.min(at + size, x0.length);
      const part = { x0: x0.slice(at, end), told: shareOf(told, at / dim, end / dim) };
      await each(
        await this.ask("sample", { ...request, ...part, particle: at / dim, patience: Infinity }),
        at,
        part.told,
      );
    }
  }

  close() {
    this.port.terminate();
  }
}
