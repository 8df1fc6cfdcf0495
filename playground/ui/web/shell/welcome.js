// What the page is, in a line, for whoever comes for the first time; gone for good once it has been put away.

import { h } from "../common/dom.js";

const KEPT = "pg-welcomed"; // in the browser's storage, where it has one

function remembered() {
  try {
    return localStorage.getItem(KEPT) !== null;
  } catch {
    return false; // a frame without storage: it is shown again
  }
}

/** The line, hidden where it has been put away before. */
export function welcome() {
  const close = h("button", { type: "button", "aria-label": "Put this line away", title: "Put this line away" }, "×");
  const words = h("p", {});
  words.innerHTML =
    "<b>Watch probability move.</b> A network learns to carry one cloud of points into another: " +
    "change model or clouds, press Train.";
  const line = h("div", { class: "pg-welcome", role: "note", hidden: remembered() }, words, close);
  close.addEventListener("click", () => {
    line.hidden = true;
    try {
      localStorage.setItem(KEPT, "yes");
    } catch {
      // then it is shown again at the next visit
    }
  });
  return line;
}
