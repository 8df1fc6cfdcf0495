// What a narrow screen shows of a tab's lead and bar: the first lines, and the buttons that begin; the rest on request.

import { h } from "../common/dom.js";
import { keepFocus } from "../common/focus.js";

const KEPT = "[data-do=train], [data-do=stop], [data-do=resume], .pg-choose";

/**
 * Lets the lead and the bar inside `root` be folded; whether they are is the stylesheet's affair.
 * @param {HTMLElement} root
 */
export function compact(root) {
  const lead = /** @type {HTMLElement} */ (root.querySelector(".pg-lead"));
  lead.append(opener(lead, "More", "Less"));
  const bar = /** @type {HTMLElement} */ (root.querySelector(".pg-bar"));
  keepFocus(bar);
  const rest = h("div", { class: "pg-settings" });
  rest.append(...[...bar.children].filter((one) => !one.matches(KEPT)));
  bar.append(opener(bar, "Settings", "Settings"), rest);
}

/**
 * A button, there where the screen is narrow, that opens and closes a part.
 * @param {HTMLElement} part
 * @param {string} closed what it says while the part is closed
 * @param {string} opened
 */
function opener(part, closed, opened) {
  const button = h("button", { type: "button", class: "pg-opener", "aria-expanded": "false" }, closed);
  button.addEventListener("click", () => {
    const open = part.classList.toggle("pg-opened");
    button.setAttribute("aria-expanded", String(open));
    button.textContent = open ? opened : closed;
  });
  return button;
}
