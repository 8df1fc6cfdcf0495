/** A note on a picture that does not show what is chosen: what differs, and two ways out. */

import { h } from "../common/dom.js";

export class Differs {
  /** Adds itself to `host`; `train` trains what is chosen, `back` chooses again what is shown. */
  constructor(host, { train, back }) {
    this.what = h("span");
    this.element = h(
      "div",
      { class: "pg-differs", role: "status" },
      h("p", {}, h("b", {}, "Settings changed, not trained yet: "), this.what),
      h("button", { type: "button", "data-differs": "train", onclick: train }, "Train with these settings"),
      h("button", { type: "button", "data-differs": "back", onclick: back }, "Back to the settings of this run"),
    );
    this.element.hidden = true;
    // What is pressed here is not a place in the picture.
    for (const name of ["pointerdown", "pointerup", "pointermove", "click", "dblclick", "keydown"])
      this.element.addEventListener(name, (event) => event.stopPropagation());
    host.append(this.element);
  }

  /** Says what differs; nothing with an empty text. */
  show(text) {
    this.element.hidden = !text;
    if (this.what.textContent !== text) this.what.textContent = text;
  }
}
