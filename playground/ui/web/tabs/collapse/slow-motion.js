/* Slow motion: the critic's steps and the generator's in turn, each said in words and left time to be seen. */

const BEAT = 1100; // ms
/** Steps in a beat: a single one moves less than an eye can see. */
const STEPS = 8;
const BEATS = [
  { turn: "critic", says: `The critic learns (${STEPS} steps): its surface moves, the points stand still.` },
  {
    turn: "generator",
    says: `The generator follows the arrows (${STEPS} steps): its points move, the surface stands still.`,
  },
];

export class SlowMotion {
  /** step(turn, key, repeat) takes the steps; `heard` is to be called when they have been shown. */
  constructor(step) {
    Object.assign(this, { step, playing: null });
  }

  toggle(key, button, caption) {
    const same = this.playing?.key === key;
    this.stop();
    if (same) return;
    this.playing = { key, button, caption };
    button.setAttribute("aria-pressed", "true");
    this.#play(this.playing);
  }

  stop() {
    if (!this.playing) return;
    this.playing.button.setAttribute("aria-pressed", "false");
    this.playing.caption.textContent = "";
    this.playing = null;
  }

  heard() {
    this.arrived?.();
  }

  async #play(one) {
    for (let beat = 0; this.playing === one; beat++) {
      const { turn, says } = BEATS[beat % BEATS.length];
      one.caption.textContent = says;
      const shown = new Promise((resolve) => (this.arrived = resolve));
      this.step(turn, one.key, STEPS);
      await Promise.race([shown, passed(5000)]);
      await passed(BEAT);
    }
  }
}

const passed = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
