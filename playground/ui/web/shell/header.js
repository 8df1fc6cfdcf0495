// The page's title, its tabs and its presets, each a picture of its target and a name, with a line on what to look for.

import { drawn } from "../common/dom.js";
import { gallery } from "./gallery.js";

/** The shape of a preset's target, from its thumbnail's points. */
function picture(thumbnail) {
  const dots = thumbnail.map(([x, y]) => `M${(24 + 22 * x).toFixed(1)} ${(24 - 22 * y).toFixed(1)}h0`).join("");
  return drawn(48, dots, { "stroke-width": 2 });
}

export class Header {
  /** presets: [{key, name, about, family, thumbnail: points (k, 2) in [-1, 1]}], tabs: [{key, label, about}]; open(key) and
      turn(key) are called for the chosen one. */
  constructor(part, { presets, tabs }, { open, turn }) {
    const title = document.createElement("h1");
    title.textContent = "Generative Dynamics Playground";
    const list = document.createElement("div");
    list.className = "pg-tabnav";
    list.setAttribute("role", "tablist");
    list.setAttribute("aria-label", "Parts of the playground");
    this.tabs = tabs.map(({ key, label, about }) => {
      const tab = Object.assign(document.createElement("button"), { type: "button", title: about, textContent: label });
      tab.setAttribute("role", "tab");
      tab.dataset.tab = key;
      tab.addEventListener("click", () => turn(key));
      return tab;
    });
    list.append(...this.tabs);
    list.hidden = tabs.length < 2;
    const nav = document.createElement("nav");
    nav.className = "pg-presets";
    nav.setAttribute("aria-label", "Presets");
    Object.assign(this, { presets, about: "" }); // about: what to look for in the one that is open
    this.buttons = presets.map(({ key, name, about, thumbnail }) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "pg-preset", title: about });
      button.dataset.preset = key;
      button.append(picture(thumbnail), name);
      button.addEventListener("click", () => open(key));
      return button;
    });
    nav.append(...this.buttons);
    const row = document.createElement("div");
    row.className = "pg-presetbar";
    const all = Object.assign(document.createElement("button"), {
      type: "button",
      className: "pg-all",
      textContent: "All presets",
    });
    all.title = "Every preset, with a line on what to look for";
    this.gallery = gallery(part, presets, picture, open);
    all.addEventListener("click", () => this.gallery.showModal());
    row.append(nav, all);
    part.append(title, list, row);
  }

  /** Shows which tab is in front. */
  front(key) {
    for (const tab of this.tabs) tab.setAttribute("aria-selected", String(tab.dataset.tab === key));
  }

  /** Shows which preset is open, and returns its line on what to look for; null for none of them. */
  mark(key) {
    for (const button of this.buttons) button.toggleAttribute("aria-current", button.dataset.preset === key);
    const current = this.buttons.find((button) => button.dataset.preset === key);
    current?.scrollIntoView({ block: "nearest", inline: "nearest" });
    this.about = this.presets.find((preset) => preset.key === key)?.about ?? "";
    return this.about;
  }
}
