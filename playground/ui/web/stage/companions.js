/**
 * What layers ask of the sampler besides the picture: fields, reference solutions, grids, probes.
 *
 * A layer has `asks(state)`, a text of all that its answer depends on, and `ask(sampler, state, lane)`, a promise of
 * the answer or of null where it was overtaken. Each layer has one request under way at most; when that is answered
 * and the text has changed meanwhile, it asks again. The picture goes first: only `light` layers ask while it is made.
 */
export class Companions {
  /** found(name, answer) is called with each answer, failed(error) with each failure. */
  constructor(sampler, lane, layers, { found, failed }) {
    Object.assign(this, { sampler, lane, found, failed });
    this.layers = layers.filter(({ ask }) => ask).map((layer) => ({ layer, have: null, busy: false }));
  }

  /** Forgets all answers, also those that are still to come. */
  reset() {
    for (const one of this.layers) one.have = null;
    this.scene = null;
  }

  /** How many requests are under way. */
  get busy() {
    return this.layers.filter(({ busy }) => busy).length;
  }

  /** Asks for what the layers that `wanted` admits still lack; `idle` where no picture is being made. */
  update(state, wanted, idle) {
    this.scene = state.scene;
    for (const one of this.layers) {
      const { layer } = one;
      if (one.busy || !wanted(layer) || !(idle || layer.light)) continue;
      const text = layer.asks(state);
      if (text !== one.have) this.#ask(one, text, state);
    }
  }

  async #ask(one, text, state) {
    const { scene } = state;
    one.busy = true;
    try {
      const answer = await one.layer.ask(this.sampler, state, `${this.lane} ${one.layer.name}`);
      one.busy = false;
      if (scene !== this.scene) return;
      if (answer !== null) one.have = text;
      this.found(one.layer.name, answer);
    } catch (error) {
      one.busy = false;
      if (scene !== this.scene) return;
      one.have = text; // or it would fail again and again
      this.failed(error);
    }
  }
}
