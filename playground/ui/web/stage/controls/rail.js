/** The bar above the picture: the common layers by a word each, the others, colours and views behind the name of their kind. */

import { COLOURS } from "../colours.js";
import { h } from "../../common/dom.js";
import { menu } from "../../common/menu.js";
import { lackOf, offered } from "../../scene/capabilities.js";
import { GROUPS, SWITCHES } from "../layers/index.js";
import { roving } from "../../common/roving.js";

const ICONS = {
  colour:
    '<path d="M10 3a7 7 0 1 0 0 14c1.500 0 1.600-1.200 1-2-.7-1-.1-2.300 1.300-2.300H14a3 3 0 0 0 3-3C17 5.800 13.800 3 10 3z"/><g fill="currentColor" stroke="none"><circle cx="6.600" cy="10.500" r="1.100"/><circle cx="8" cy="6.900" r="1.100"/><circle cx="12" cy="6.400" r="1.100"/></g>',
  unrolled: '<path d="M3 6.500 6 4v10l-3 2.500zM9 6.500 12 4v10l-3 2.500zM15 6.500 18 4v10l-3 2.500z"/>',
  clear: '<path d="m4 12 6-7 6 5-5 6H7zM8 7.500l6 5M11 16.500h6"/>',
  fit: '<path d="M3.500 7.500v-4h4M12.500 3.500h4v4M16.500 12.500v4h-4M7.500 16.500h-4v-4"/><circle cx="10" cy="10" r="1.800" fill="currentColor"/>',
  full: '<path d="M11.500 8.500 16.500 3.500m0 4v-4h-4M8.500 11.500 3.500 16.500m0-4v4h4"/>',
  help: '<circle cx="10" cy="10" r="7"/><path d="M8 8.200c.2-2.600 4.200-2.300 4 .1-.1 1.500-2 1.500-2 3.200M10 14v.1"/>',
};

const TOOLS = [
  { name: "colour", label: "Colour", key: "k", about: "What the colour of a particle says: its start or its speed." },
  {
    name: "unrolled",
    label: "Unrolled",
    key: "u",
    about: "The planes of all times in a row, from the source at the left to the target at the right.",
    pressed: true,
    dims: [2],
  },
  { name: "clear", label: "Clear the probes", key: "x", about: "Click into the picture to drop a probe." },
  { name: "fit", label: "Fit", key: "0", about: "All of the scene again, after zoom and pan." },
  { name: "full", label: "Full screen", key: "f", about: "The picture on all of the screen, and back." },
  {
    name: "help",
    label: "Keys and hands",
    key: "?",
    about: "What each key does, and what can be done in the picture.",
  },
];
/** After these the menu is in the way. */
const LEAVING = ["curved", "full", "help"];

const upper = (key) => key.toUpperCase();

/** The View menu, below the layers. */
const VIEW = { label: "View", first: {}, more: TOOLS.map(({ name }) => name) };

/** The first sentence of what is said about something. */
const brief = (about) => /^.*?[.?!](?= |$)/s.exec(about ?? "")?.[0] ?? about ?? "";
const drawing = (icon) => `<svg viewBox="0 0 20 20" aria-hidden="true">${icon}</svg>`;

export class Rail {
  /** Builds itself inside `part`; `act` has toggle(name) and a function for each of the tools. folded: all of it behind
      one word, where there is no room for more. */
  constructor(part, layers, act, { folded = false } = {}) {
    this.entries = new Map();
    this.menus = [];
    const about = Object.fromEntries(TOOLS.map((tool) => [tool.name, { ...tool, icon: ICONS[tool.name] }]));
    for (const layer of layers) if (SWITCHES.includes(layer.name)) about[layer.name] = { ...layer, pressed: true };
    this.#act = (name) => (SWITCHES.includes(name) ? act.toggle(name) : act[name]());
    if (folded) this.#fold(part, about);
    else this.#spread(part, about);
    this.bar = folded ? null : roving(part, ":scope > span > button");
  }

  #act;

  /** A bar of words, of which each may open what else there is of its kind. */
  #spread(part, about) {
    for (const { label, first, more } of [...GROUPS, VIEW]) {
      const group = h("span", { class: "pg-rail-group", role: "group", "aria-label": label });
      for (const [name, word] of Object.entries(first)) group.append(this.#button(about[name], word));
      const alone = !Object.keys(first).length;
      const names = {
        name: alone ? label : `More of ${label.toLowerCase()}`,
        title: more.map((name) => about[name].label).join(", "),
      };
      const { button, panel } = menu(alone ? label : "", names);
      panel.append(...more.map((name) => this.#row(about[name], panel)));
      group.append(button, panel);
      part.append(group);
      this.menus.push({ button, names: more });
    }
  }

  /** One menu with everything, by groups. */
  #fold(part, about) {
    const { button, panel } = menu("Layers", { title: "What is drawn, and how it is looked at" });
    panel.classList.add("pg-menu-wide");
    const columns = h("div", {});
    panel.append(columns);
    for (const { label, first, more } of [...GROUPS, VIEW]) {
      const rows = [...Object.keys(first), ...more].map((name) => this.#row(about[name], panel));
      columns.append(h("section", { "aria-label": label }, h("h4", {}, label), ...rows));
    }
    part.append(button, panel);
    this.menus.push({ button, names: [] });
  }

  /** A switch in sight: a word, with the rest in its hint. */
  #button(entry, word) {
    const { name, label, key, about } = entry;
    const button = this.#make(entry, "pg-tool-button");
    button.append(word);
    this.entries.set(name, {
      ...entry,
      button,
      tell: (lack) => (button.title = `${label} (${upper(key)})\n${lack ?? about}`),
    });
    return button;
  }

  /** A line of a menu: picture, name, key and what it is, or why it is not to be had. */
  #row(entry, panel) {
    const { name, label, key, about } = entry;
    const button = this.#make(entry, "pg-menu-row");
    button.insertAdjacentHTML("beforeend", drawing(entry.icon));
    const title = h("b", {}, label);
    const said = h("small", {}, brief(about));
    button.append(h("span", {}, title, said), h("kbd", {}, upper(key)));
    if (LEAVING.includes(name)) button.addEventListener("click", () => panel.hidePopover());
    const tell = (lack) => said.textContent !== (lack ?? brief(about)) && (said.textContent = lack ?? brief(about));
    this.entries.set(name, { ...entry, button, tell, title });
    return button;
  }

  #make({ name, label, key, pressed = false }, look) {
    const button = h("button", { type: "button", class: look, "aria-label": label, "aria-keyshortcuts": upper(key) });
    button.dataset.tool = name;
    if (pressed) button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => this.#act(name));
    return button;
  }

  /** Shows what is on, and what there is nothing to do for. */
  show({ on, colour, unrolled, probes, zoom, scene }) {
    for (const [name, { button, tell, needs, dims = [1, 2] }] of this.entries) {
      button.hidden = !offered({ needs }, { scene });
      if (SWITCHES.includes(name)) button.setAttribute("aria-pressed", String(on.has(name)));
      const lack = lackOf({ needs, dims }, scene);
      button.disabled = lack !== null || (name === "clear" && !probes.length) || (name === "fit" && zoom.isFit);
      tell(lack);
    }
    this.entries.get("unrolled").button.setAttribute("aria-pressed", String(unrolled));
    const { button, title } = this.entries.get("colour");
    title.textContent = `Colour by ${COLOURS[colour].name}`;
    button.setAttribute("aria-label", title.textContent);
    const seen = ({ button: { hidden, disabled } }) => !hidden && !disabled;
    for (const { button: opener, names } of this.menus) {
      const count = names.filter((name) => on.has(name) && seen(this.entries.get(name))).length;
      if (count) opener.dataset.count = count;
      else delete opener.dataset.count;
    }
    this.bar?.settle();
  }
}
