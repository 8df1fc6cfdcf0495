// The page's title, its tabs, its presets in groups, and what is said to whoever comes for the first time.

import { card, gallery } from "./gallery.js";
import { h } from "../common/dom.js";
import { menu } from "../common/menu.js";
import { roving } from "../common/roving.js";
import { skipLink } from "./actions.js";
import { welcome } from "./welcome.js";

export class Header {
  /** presets: [{key, name, about, group, thumbnail: points (k, 2) in [-1, 1]}], tabs: [{key, label, about}]; open(key) and
      turn(key) are called for the chosen one. */
  constructor(part, { presets, tabs }, { open, turn }) {
    Object.assign(this, { presets, about: "" }); // about: what to look for in the one that is open
    this.tabs = tabs.map(({ key, label, about }) => {
      const chosen = { role: "tab", title: about, "data-tab": key, onclick: () => turn(key) };
      return h("button", { type: "button", ...chosen }, label);
    });
    const list = h("div", { class: "pg-tabnav", role: "tablist", "aria-label": "Parts of the playground" });
    list.append(...this.tabs);
    list.hidden = tabs.length < 2;
    this.stops = [roving(list)];
    this.menus = [...Map.groupBy(presets, ({ group }) => group)].map(([group, members]) => {
      const { button, panel } = menu(group, { title: members.map(({ name }) => name).join(", ") });
      panel.classList.add("pg-menu-presets");
      panel.append(
        ...members.map(({ key, ...about }) =>
          card({ key, ...about }, "preset", () => (panel.hidePopover(), open(key))),
        ),
      );
      return { button, panel, keys: members.map(({ key }) => key) };
    });
    this.buttons = this.menus.flatMap(({ panel }) => [...panel.children]);
    const row = h("nav", { class: "pg-presetbar", "aria-label": "Presets" });
    row.append(h("span", { class: "pg-presets-name" }, "Presets"));
    row.append(...this.menus.flatMap(({ button, panel }) => [button, panel]));
    this.gallery = gallery(part, presets, open);
    const title = "Every preset, with a line on what to look for";
    this.all = h(
      "button",
      { type: "button", class: "pg-all", title, onclick: () => this.gallery.showModal() },
      "All presets",
    );
    row.append(this.all);
    this.stops.push(roving(row, ":scope > button"));
    part.append(skipLink(), h("h1", {}, "Generative Dynamics Playground"), list, row, welcome());
  }

  /** Shows which tab is in front. */
  front(key) {
    for (const tab of this.tabs) {
      tab.setAttribute("aria-selected", String(tab.dataset.tab === key));
      tab.tabIndex = tab.dataset.tab === key ? 0 : -1;
    }
  }

  /** Shows which preset is open, and returns its line on what to look for; null for none of them. */
  mark(key) {
    for (const button of this.buttons) button.toggleAttribute("aria-current", button.dataset.preset === key);
    for (const { button, keys } of this.menus) button.toggleAttribute("data-current", keys.includes(key));
    const { name, about = "" } = this.presets.find((preset) => preset.key === key) ?? {};
    this.all.textContent = name ? `${name} · All presets` : "All presets";
    this.about = about;
    return about;
  }
}
