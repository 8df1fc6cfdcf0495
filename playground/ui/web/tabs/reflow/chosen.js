/** What the Reflow tab's bar asks for, as an experiment. */

import { complete } from "../../form/values.js";
import { differences } from "../../form/differences.js";
import { offerKinds } from "./markup.js";

const STUDIO = "studio";
/** What the bar begins with. */
const FIRST = { source: "gaussian", target: "checkerboard" };

export class Chosen {
  /** parts: the bar's inputs by name; description: of the form; studio() is the Studio's experiment. */
  constructor(root, parts, description, studio) {
    Object.assign(this, { root, parts, description, studio });
    for (const side of ["source", "target"]) {
      offerKinds(parts[side], description, new Option("as in the Studio", STUDIO));
      parts[side].value = FIRST[side];
    }
  }

  /** The experiment; what the bar does not offer is as in `shown`, if there is one. */
  experiment(shown) {
    const { distill, count, steps, seed } = this.parts;
    const radio = (name) => this.root.querySelector(`[name=pg-reflow-${name}]:checked`).value;
    const side = (name) => {
      const kind = this.parts[name].value;
      if (kind === STUDIO) return this.studio()[name];
      return kind === shown?.[name]?.kind ? shown[name] : { kind };
    };
    const model = {
      kind: "rectified_flow",
      rounds: Number(radio("rounds")),
      distill: distill.checked,
      pairs: radio("pairs"),
      distill_loss: radio("loss"),
      pair_count: count.valueAsNumber,
    };
    const training = { steps: steps.valueAsNumber, seed: seed.valueAsNumber };
    const given = {
      ...shown,
      name: "Reflow",
      about: "",
      source: side("source"),
      target: side("target"),
      model: { ...shown?.model, ...model },
      training: { ...shown?.training, ...training },
    };
    return complete(this.description, given);
  }

  /** What differs from the experiment of the run that is shown; see form/differences.js. */
  differing(shown) {
    return differences(this.description, complete(this.description, shown), this.experiment(shown));
  }

  /** Lets the bar say what an experiment has. */
  show({ source, target, model, training }) {
    const { parts, root } = this;
    const known = ({ options }, kind) => [...options].some(({ value }) => value === kind);
    for (const [side, { kind }] of Object.entries({ source, target }))
      if (known(parts[side], kind)) parts[side].value = kind;
    const radios = { rounds: model.rounds, pairs: model.pairs, loss: model.distill_loss };
    for (const [name, value] of Object.entries(radios)) {
      const radio = root.querySelector(`[name=pg-reflow-${name}][value="${value}"]`);
      if (radio) radio.checked = true;
    }
    parts.distill.checked = model.distill;
    if (model.pair_count) parts.count.value = model.pair_count;
    if (training.steps) parts.steps.value = training.steps;
    if (Number.isFinite(training.seed)) parts.seed.value = training.seed;
  }
}
