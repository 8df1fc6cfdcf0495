// What a model family says of itself, folded under its name: what it is, its loss, what to look for, what to try.

import { chevron, h } from "../common/dom.js";

const PARTS = [
  ["about", "What it is"],
  ["formula", "As a formula"],
  ["look_for", "Look for"],
  ["try_this", "Try this"],
  ["versus", "Side by side"],
];

/** The folded explanation of a kind, as a list of at most one element; it stays open from one kind to the next. */
export function explanation(form, chosen, path) {
  if (!chosen?.explained) return [];
  const key = `${path.join(".")}?`;
  const parts = PARTS.filter(([name]) => chosen.explained[name]).flatMap(([name, title]) => [
    h("dt", {}, title),
    told(name, chosen.explained[name]),
  ]);
  const fold = h("details", { class: "pg-more pg-explained" });
  fold.append(h("summary", {}, chevron(), `${chosen.label} in short`), h("dl", {}, ...parts));
  fold.open = form.unfolded.has(key);
  fold.addEventListener("toggle", () => form.unfolded[fold.open ? "add" : "delete"](key));
  return [fold];
}

function told(name, text) {
  if (name === "versus") return h("dd", {}, table(text));
  if (name !== "formula") return h("dd", {}, text);
  const element = h("dd", { class: "pg-formula", tabindex: "0" });
  element.innerHTML = text; // MathML that the server made from the declarations, not from anything a person wrote
  return element;
}

/** Rows of equal length, of which the first is the head and the first column says what a row is about. */
function table([head, ...rows]) {
  const cells = (row) => row.map((text, k) => (k ? h("td", {}, text) : h("th", { scope: "row" }, text)));
  return h(
    "table",
    { class: "pg-versus" },
    h("thead", {}, h("tr", {}, ...head.map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, ...rows.map((row) => h("tr", {}, ...cells(row)))),
  );
}
