// A button that opens a panel of choices below it, or above where there is more room.

import { drawn, h } from "./dom.js";

const GAP = 4; // px between button and panel
const EDGE = 8; // px that stay free beside the window's edge

let menus = 0; // only so that ids differ

/**
 * A button and its panel, both still to be put in place: next to each other, so that Tab leads from one into the other.
 * @param {string} label what the button says, "" for an arrow alone
 * @param {{name?: string, title?: string | null}} [said] name: what a screen reader says instead; title: its hint
 * @returns {{button: HTMLButtonElement, panel: HTMLDivElement}}
 */
export function menu(label, { name = label, title = null } = {}) {
  const id = `pg-menu-${++menus}`;
  const panel = h("div", { class: "pg-menu", id, popover: "auto", role: "group", "aria-label": name });
  const button = h(
    "button",
    { type: "button", class: "pg-menu-button", popovertarget: id, "aria-expanded": "false", "aria-label": name, title },
    label ? h("span", {}, label) : null,
    drawn(12, "M2.5 4.5 6 8l3.5-3.5", { "stroke-width": 1.6 }),
  );
  /** @type {(event: Event) => boolean} */
  const opens = (event) => /** @type {ToggleEvent} */ (event).newState === "open";
  panel.addEventListener("beforetoggle", (event) => opens(event) && (panel.style.opacity = "0"));
  panel.addEventListener("toggle", (event) => {
    button.setAttribute("aria-expanded", String(opens(event)));
    if (opens(event)) place(panel, button);
  });
  /** @param {KeyboardEvent} event */
  const leave = (event) => {
    if (event.key !== "Escape" || !panel.matches(":popover-open")) return;
    event.preventDefault(); // Escape has other uses on the page
    panel.hidePopover();
    button.focus();
  };
  button.addEventListener("keydown", leave);
  panel.addEventListener("keydown", leave);
  return { button, panel };
}

/** @param {HTMLElement} panel @param {HTMLElement} button */
function place(panel, button) {
  const at = button.getBoundingClientRect();
  const below = innerHeight - at.bottom;
  const upward = below < panel.scrollHeight + GAP + EDGE && at.top > below;
  panel.style.maxHeight = `${(upward ? at.top : below) - GAP - EDGE}px`;
  const { width, height } = panel.getBoundingClientRect();
  const left = Math.max(EDGE, Math.min(at.left, innerWidth - width - EDGE));
  const top = upward ? at.top - GAP - height : at.bottom + GAP;
  Object.assign(panel.style, { left: `${left}px`, top: `${top}px`, opacity: "1" });
}
