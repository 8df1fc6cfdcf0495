/**
 * When a field is guided, and whether by an earlier snapshot of its own training.
 *
 *     {autoguidance, guide, guidance_from, guidance_to}   as the fields of an experiment's sampler
 */

/** Of each slider: its name, its label, what it is about, where it begins and ends, its step, where it stands first. */
export const GUIDING = [
  [
    "autoguidance",
    "Autoguidance",
    "w in v_early + w (v − v_early): guided by the same network as it was earlier in training. 1 is the field alone; more goes on where training went, for twice the evaluations, and spends diversity on it.",
    0,
    4,
    0.1,
    1,
  ],
  [
    "guide",
    "Guide",
    "How far trained the network was that guides, as a share of the steps of the shown one. The less, the more diversity it costs.",
    0,
    0.95,
    0.05,
    0.25,
  ],
  ["guidance_from", "Guided from", "The time from which guidance is in force; 0 is the source.", 0, 0.95, 0.05, 0],
  [
    "guidance_to",
    "Guided until",
    "The time until which guidance is in force. Outside it costs nothing and spends no diversity.",
    0.05,
    1,
    0.05,
    1,
  ],
];
const NAMES = GUIDING.map(([name]) => name);

export class GuidingControls {
  /** The rows are those of frame.js; `slide(part, value)` moves a slider, changed(since) is told of a hand. `condition`
      are the controls of the other kind of guidance, which gives way to this one and this one to it. */
  constructor(parts, rows, slide, condition, changed) {
    Object.assign(this, { parts, rows, slide, condition, offered: false, step: null });
    for (const name of NAMES) {
      parts[name].addEventListener("input", ({ timeStamp }) => {
        this.#settle(name);
        this.show();
        changed(timeStamp);
      });
    }
    parts.guidance.addEventListener("input", () => {
      this.#settle("guidance");
      this.show();
    });
    this.show();
  }

  /** Whether there is a field that earlier snapshots can guide. */
  offer(offered) {
    this.offered = offered;
    this.show();
  }

  get choices() {
    return Object.fromEntries(NAMES.map((name) => [name, this.parts[name].valueAsNumber]));
  }

  /** Takes over what can be chosen here. */
  set(choices) {
    for (const name of NAMES) if (Number.isFinite(choices[name])) this.slide(name, choices[name]);
    for (const name of NAMES) if (Number.isFinite(choices[name])) this.#settle(name);
    this.show();
  }

  /** Says which step of the training guides; null where there is none yet. */
  showGuide(step) {
    this.step = step;
    this.show();
  }

  /** What cannot go together with what a hand has just moved gives way. */
  #settle(moved) {
    const { autoguidance, guidance_from: from, guidance_to: to } = this.choices;
    if (moved === "autoguidance" && autoguidance !== 1 && this.offered) this.condition.set({ guidance: 1 });
    if (moved === "guidance" && (this.condition.choices.guidance ?? 1) !== 1) this.slide("autoguidance", 1);
    if (from < to) return;
    if (moved === "guidance_from") this.slide("guidance_to", from + 0.05);
    else this.slide("guidance_from", to - 0.05);
  }

  show() {
    const { parts, rows, offered } = this;
    const { autoguidance, guide, guidance_from: from, guidance_to: to } = this.choices;
    const early = offered && autoguidance !== 1;
    const guided = early || (this.condition.choices.guidance ?? 1) !== 1;
    rows.autoguidance.hidden = !offered;
    rows.guide.hidden = !early;
    rows.guidance_from.hidden = rows.guidance_to.hidden = !guided;
    for (const name of NAMES) this.slide(name, parts[name].valueAsNumber);
    const at = this.step === null ? "no earlier snapshot" : `step ${this.step.toLocaleString("en")}`;
    const cost = autoguidance === 1 ? "1, off" : `w = ${autoguidance}, NFE × 2`;
    parts["autoguidance-value"].textContent = cost;
    parts["guide-value"].textContent = `${Math.round(100 * guide)} %: ${at}`;
    parts["guidance_from-value"].textContent = `t = ${from}`;
    parts["guidance_to-value"].textContent = `t = ${to}`;
  }
}
