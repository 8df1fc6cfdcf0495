// The bubble that says what something is: one for a form's "?", one for everything on the page that has a title.

import { h } from "./dom.js";

const REST = 350; // ms that a mouse rests before the bubble comes
const PRESS = 450; // ms of a finger's press
const STILL = 8; // px that a finger may move meanwhile
const ACTS = "button, input, select, textarea, summary, a, canvas, [role=tab]"; // a tap on these does something else

/** A small bubble beside a "?": by hover, by focus, by touch; gone with Escape, scrolling or a press elsewhere. */
export class Tooltip {
  constructor(root) {
    this.element = h("div", { class: "pg-tip", popover: "manual", "aria-hidden": "true" });
    root.append(this.element);
    this.owner = null;
    this.away = (event) => {
      if (event.type === "scroll" || !this.owner?.contains(event.target)) this.hide();
    };
  }

  attach(button, text) {
    const show = () => this.show(button, text);
    const hide = () => this.hide();
    button.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && show());
    button.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && hide());
    button.addEventListener("focus", show);
    button.addEventListener("blur", hide);
    button.addEventListener("click", show);
    button.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  }

  show(button, text) {
    this.owner = button;
    this.element.textContent = text;
    this.element.classList.toggle("pg-titled", text.includes("\n")); // then the first line is a name
    this.element.classList.add("pg-open");
    this.element.showPopover?.();
    const at = button.getBoundingClientRect();
    const own = this.element.getBoundingClientRect();
    const within = (place, size, room) => Math.max(8, Math.min(place, room - size - 8));
    const above = at.top - own.height - 8;
    const inColumn = getComputedStyle(button.parentElement).flexDirection === "column" && at.width <= 40;
    const beside = inColumn && at.right + own.width + 16 <= innerWidth; // above would be in the way of its neighbours
    const left = beside ? at.right + 8 : within(at.left + at.width / 2 - own.width / 2, own.width, innerWidth);
    const top = beside
      ? within(at.top + at.height / 2 - own.height / 2, own.height, innerHeight)
      : above >= 8
        ? above
        : at.bottom + 8;
    Object.assign(this.element.style, { left: `${left}px`, top: `${top}px` });
    document.addEventListener("pointerdown", this.away, true);
    document.addEventListener("scroll", this.away, true);
  }

  hide() {
    if (!this.owner) return;
    this.owner = null;
    this.element.classList.remove("pg-open");
    this.element.hidePopover?.();
    document.removeEventListener("pointerdown", this.away, true);
    document.removeEventListener("scroll", this.away, true);
  }

  remove() {
    this.hide();
    this.element.remove();
  }
}

/**
 * Says what an element's title says, in the page's own bubble: by mouse soon, by keyboard focus at once, by touch with a
 * long press, or with a tap on what does nothing else (a name, a figure).
 */
export class Hints extends Tooltip {
  #told = null; // {owner, title}: whose title shows or soon will, and the title while it is put aside
  #timer = 0;
  #pressed = null; // where a finger is down
  #held = false; // a long press has shown the bubble: the click that follows is not meant

  constructor(root) {
    super(root);
    const hear = (name, act) => document.addEventListener(name, act, true);
    hear(
      "pointerover",
      (event) =>
        event.pointerType === "mouse" &&
        !event.buttons &&
        this.#wait(event.target, REST, (owner) => this.#putAside(owner)),
    );
    hear("pointerout", (event) => event.pointerType === "mouse" && !this.#within(event.relatedTarget) && this.hide());
    hear("pointerdown", (event) => this.#down(event));
    hear("pointermove", ({ pointerType, clientX, clientY }) => {
      const from = this.#pressed;
      if (pointerType !== "mouse" && from && Math.hypot(clientX - from.x, clientY - from.y) > STILL) this.#up();
    });
    hear("pointerup", () => this.#up());
    hear("pointercancel", () => this.#up());
    hear("contextmenu", (event) => this.#held && event.preventDefault());
    hear("click", (event) => this.#click(event));
    hear(
      "focusin",
      ({ target }) => target.matches(":focus-visible:not(textarea, input[type=text])") && this.#wait(target, 0),
    );
    hear("focusout", () => this.hide());
    hear("keydown", ({ key }) => key !== "Tab" && key !== "Shift" && this.hide());
  }

  #down(event) {
    if (event.pointerType === "mouse") return this.hide();
    [this.#pressed, this.#held] = [{ x: event.clientX, y: event.clientY }, false];
    if (!event.target.closest("canvas, input[type=range]")) this.#wait(event.target, PRESS, () => (this.#held = true));
  }

  #up() {
    this.#pressed = null;
    if (!this.owner) this.hide();
  }

  #click(event) {
    const touched = event.pointerType && event.pointerType !== "mouse";
    if (this.#held && touched) {
      event.preventDefault();
      event.stopPropagation();
    } else if (touched && !event.target.closest(ACTS)) this.#wait(event.target, 0);
    this.#held = false;
  }

  #within(place) {
    return this.#told !== null && place instanceof Node && this.#told.owner.contains(place);
  }

  /** Shows the title of what `target` belongs to after so many ms, and calls `then`. */
  #wait(target, after, then = () => {}) {
    const owner = target.closest?.("[title]:not([title=''])");
    if (this.#within(target) && (!owner || owner.contains(this.#told.owner))) return;
    this.hide();
    if (!owner) return;
    this.#told = { owner, title: null };
    this.#timer = setTimeout(() => {
      if (!owner.isConnected || !owner.title) return this.hide();
      this.show(owner, owner.title);
      then(owner);
    }, after);
  }

  /** Takes the title away while the bubble says it, so that the browser does not say it again beside the mouse. */
  #putAside(owner) {
    this.#told.title = owner.title;
    owner.title = "";
  }

  hide() {
    clearTimeout(this.#timer);
    const told = this.#told;
    this.#told = null;
    if (told?.title && !told.owner.title) told.owner.title = told.title;
    super.hide();
  }
}
