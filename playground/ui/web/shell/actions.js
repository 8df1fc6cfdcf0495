// Train and Stop from anywhere on the page: their keys, a link that skips to them, and the focus that stays with them.

import { h } from "../common/dom.js";
import { keepFocus, seen } from "../common/focus.js";

/** Beside the mouse: what the keys are called in hints. */
/** @type {Record<string, string | undefined>} */
const KEYS = { train: "Ctrl+Enter", stop: "Ctrl+." };
const HINTS = {
  train: `Train from the beginning, with the settings as they are (${KEYS.train})`,
  stop: `Stop here; Continue goes on from there (${KEYS.stop})`,
  resume: "Go on training from where this run stopped, or further from its end",
  step: "One gradient step, to watch it learn slowly",
  reset: "Back to the untrained network that the seed gives",
};

/**
 * The button of the tab in front that does this.
 * @param {string} what "train" or "stop"
 */
function find(what) {
  const { tab } = document.body.dataset;
  const own = tab === "studio" ? `#${what}` : `#tab-${tab} [data-do=${what}]`;
  const button = /** @type {HTMLButtonElement | null} */ (document.querySelector(own));
  return button && seen(button) ? button : null;
}

/**
 * Furnishes the Studio's own buttons as soon as Gradio has made all of them.
 * @param {HTMLElement} row
 */
export async function furnish(row) {
  const missing = () => Object.keys(HINTS).some((name) => !row.querySelector(`#${name}`));
  while (missing()) await new Promise((resolve) => setTimeout(resolve, 50));
  for (const [name, hint] of Object.entries(HINTS)) {
    const button = /** @type {HTMLButtonElement} */ (row.querySelector(`#${name}`));
    button.title = hint;
    const keys = KEYS[name]?.replace("Ctrl", "Control");
    if (keys) button.setAttribute("aria-keyshortcuts", keys);
  }
  keepFocus(row);
}

/** Ctrl+Enter trains and Ctrl+. stops what is in front, also while somebody types. */
export function listenForKeys() {
  document.addEventListener("keydown", (event) => {
    const what = (event.ctrlKey || event.metaKey) && !event.altKey && { Enter: "train", ".": "stop" }[event.key];
    if (!what || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur(); // what is being typed is meant
    find(what)?.click();
  });
}

/** A link, seen when it has the focus, past all that stands before Train. */
export function skipLink() {
  /** @param {Event} event */
  const skip = (event) => {
    event.preventDefault();
    const other = `#tab-${document.body.dataset.tab} .pg-bar :is(button, select)`;
    (find("train") ?? find("stop") ?? /** @type {HTMLElement | null} */ (document.querySelector(other)))?.focus();
  };
  return h("a", { class: "pg-skip", href: "#train", onclick: skip }, "Skip to Train");
}
