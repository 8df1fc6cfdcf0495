/** The narrow bar beside the picture: a switch for each layer, colours, views, help. */

import { COLOURS } from "../colours.js";
import { noExact } from "../../scene/exact-field.js";
import { noDensity, offered } from "../../scene/capabilities.js";
import { GROUPS, SWITCHES } from "../layers/index.js";

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
  { name: "colour", label: "Colour", key: "k", apart: true },
  {
    name: "unrolled",
    label: "Unrolled",
    key: "u",
    about: "The planes of all times in a row, from the source at the left to the target at the right.",
    pressed: true,
    dims: [2],
    apart: true,
  },
  { name: "clear", label: "Clear the probes", key: "x", about: "Click into the picture to drop a probe." },
  { name: "fit", label: "Fit", key: "0", about: "All of the scene again, after zoom and pan." },
  { name: "full", label: "Full screen", key: "f" },
  { name: "help", label: "Keys and hands", key: "?" },
];

/** What is said of a layer for which there is nothing here. */
const LACKS = {
  pairs: (scene) => (scene.coupling ? null : "This model pairs no points of the source with points of the target."),
  density: noDensity,
  exact: noExact,
  training: (scene) => (scene.training ? null : "Training is not limited to some points here."),
};

export class Rail {
  /** Builds itself inside `part`; `act` has toggle(name) and a function for each of the tools. */
  constructor(part, layers, act) {
    this.entries = new Map();
    const add = ({ name, label, key, about, icon, dims, needs, pressed = false, apart = false }, onClick) => {
      const button = document.createElement("button");
      const title = `${label} (${key.toUpperCase()})${about ? `\n${about}` : ""}`;
      Object.assign(button, { type: "button", className: "pg-tool-button", title });
      button.dataset.tool = name;
      button.setAttribute("aria-label", label);
      button.setAttribute("aria-keyshortcuts", key.toUpperCase());
      if (pressed) button.setAttribute("aria-pressed", "false");
      if (apart) button.dataset.apart = "";
      button.innerHTML = `<svg viewBox="0 0 20 20" aria-hidden="true">${icon}</svg>`;
      button.addEventListener("click", onClick);
      part.append(button);
      this.entries.set(name, { button, title, dims, needs });
    };
    for (const name of SWITCHES) {
      const layer = layers.find((one) => one.name === name);
      const apart = GROUPS.some(([first], k) => k > 0 && first === name);
      add({ ...layer, pressed: true, apart }, () => act.toggle(name));
    }
    for (const tool of TOOLS) add({ ...tool, icon: ICONS[tool.name] }, () => act[tool.name]());
  }

  /** Shows what is on, and what there is nothing to do for. */
  show({ on, colour, unrolled, probes, zoom, dim, scene }) {
    for (const [name, { button, title, needs, dims = [1, 2] }] of this.entries) {
      button.hidden = !offered({ needs }, { scene });
      if (SWITCHES.includes(name)) button.setAttribute("aria-pressed", String(on.has(name)));
      const flat = !dims.includes(dim ?? 2);
      const lack = flat ? "Only in two dimensions." : scene && LACKS[needs]?.(scene);
      const out = Boolean(lack);
      button.disabled = out || (name === "clear" && !probes.length) || (name === "fit" && zoom.isFit);
      button.title = out ? `${title}\n${lack}` : title;
    }
    this.entries.get("unrolled").button.setAttribute("aria-pressed", String(unrolled));
    const { button } = this.entries.get("colour");
    button.title = `Colour by ${COLOURS[colour].name} (K)\nWhat the colour of a particle says: its start or its speed.`;
    button.setAttribute("aria-label", `Colour by ${COLOURS[colour].name}`);
  }
}
