/** Presets at a glance: cards with picture, name and what to look for, in the menus of their groups and all in one dialog. */

import { drawn, h } from "../common/dom.js";

/** The shape of a preset's target, from its thumbnail's points. */
export function picture(thumbnail) {
  const dots = thumbnail.map(([x, y]) => `M${(24 + 22 * x).toFixed(1)} ${(24 - 22 * y).toFixed(1)}h0`).join("");
  return drawn(48, dots, { "stroke-width": 2 });
}

/** A button that calls choose() for a preset; `attribute` is the name under which its key is kept. */
export function card({ key, name, about, thumbnail }, attribute, choose) {
  const words = h("span", {}, h("b", {}, name), h("small", {}, about));
  return h(
    "button",
    { type: "button", class: "pg-preset", [`data-${attribute}`]: key, onclick: choose },
    picture(thumbnail),
    words,
  );
}

/** Builds the dialog inside `root`, closed; `open(key)` is called for the one that is chosen. */
export function gallery(root, presets, open) {
  const dialog = h("dialog", { class: "pg-gallery", "aria-label": "All presets" });
  const close = h("button", { type: "button", class: "pg-close", "aria-label": "Close", title: "Close (Esc)" }, "×");
  const sections = [...Map.groupBy(presets, ({ group }) => group)].map(([group, members]) => {
    const cards = members.map((preset) => card(preset, "gallery", () => (dialog.close(), open(preset.key))));
    return h("section", {}, h("h3", {}, group), h("div", { class: "pg-gallery-cards" }, ...cards));
  });
  dialog.append(h("header", {}, h("h2", {}, "Presets"), close), ...sections);
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  root.append(dialog);
  return dialog;
}
