/**
 * What a conditional network is asked for: every class or one of them, or a direction, and how strongly it is guided.
 *
 *     {given, guidance}   given: a label, an angle in degrees, or null for every one as often as the target has it
 */

export class ConditionControls {
  /** The rows are those of frame.js; `slide(part, value)` moves a slider, changed(since) is told of a hand. */
  constructor(parts, rows, slide, changed) {
    Object.assign(this, { parts, rows, slide });
    parts.label.addEventListener("change", ({ timeStamp }) => this.#tell(changed, timeStamp));
    for (const part of ["angle", "guidance"]) {
      parts[part].addEventListener("input", ({ timeStamp }) => this.#tell(changed, timeStamp));
    }
    this.offer(null);
  }

  #tell(changed, since) {
    this.show();
    changed(since);
  }

  /** Offers what a network's condition allows; nothing where there is none. */
  offer(condition) {
    if (JSON.stringify(condition) === JSON.stringify(this.condition)) return;
    this.condition = condition;
    const { label, angle } = this.parts;
    const classes = condition?.kind === "labels" ? condition.classes : 0;
    const options = Array.from({ length: classes }, (_, k) => new Option(`class ${k}`, `${k}`));
    label.replaceChildren(new Option("every class", ""), ...options);
    this.slide("angle", angle.min);
    this.slide("guidance", 1);
    this.rows.label.hidden = condition?.kind !== "labels";
    this.rows.angle.hidden = condition?.kind !== "angle";
    this.rows.guidance.hidden = !condition?.guidable;
    this.show();
  }

  /** The choices as they stand; empty where there is no condition. */
  get choices() {
    const { condition, parts } = this;
    if (!condition) return {};
    const { label, angle, guidance } = parts;
    const one = condition.kind === "labels" ? label.value : angle.valueAsNumber < 0 ? "" : angle.value;
    return { given: one === "" ? null : Number(one), guidance: condition.guidable ? guidance.valueAsNumber : 1 };
  }

  /** Takes over what can be chosen here. */
  set({ given, guidance }) {
    const { condition, parts } = this;
    if (!condition) return;
    const { label, angle } = parts;
    const every = given === null;
    if (condition.kind === "labels") {
      if (every || (Number.isInteger(given) && given >= 0 && given < condition.classes))
        label.value = every ? "" : `${given}`;
    } else if (every || Number.isFinite(given)) this.slide("angle", every ? angle.min : given);
    if (condition.guidable && Number.isFinite(guidance)) this.slide("guidance", guidance);
    this.show();
  }

  show() {
    const { given = null, guidance = 1 } = this.choices;
    const { angle } = this.parts;
    this.slide("angle", angle.valueAsNumber);
    this.slide("guidance", guidance);
    const direction = given === null ? "every direction" : `${given}°`;
    this.parts["angle-value"].textContent = direction;
    angle.setAttribute("aria-valuetext", direction);
    const cost = guidance === 0 ? "none: all together" : guidance === 1 ? "1, unguided" : `w = ${guidance}, NFE × 2`;
    this.parts["guidance-value"].textContent = cost;
  }
}
