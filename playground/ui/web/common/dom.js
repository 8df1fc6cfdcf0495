// Making elements.

/** @typedef {string | number | boolean | null | undefined | ((event: any) => void)} Attribute */
/** @typedef {Node | string | null | undefined} Child */

/**
 * An element with attributes (true: present; false, null: absent), listeners (onname) and children.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, Attribute>} attributes
 * @param {Child[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/**
 * An SVG element drawn in the colour of the text.
 * @param {number} size of its square view box
 * @param {string} path
 * @param {Record<string, string | number>} attributes of the path
 */
export function drawn(size, path, attributes = {}) {
  /** @type {(tag: string, values: Record<string, string | number>) => Element} */
  const make = (tag, values) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(values)) element.setAttribute(name, String(value));
    return element;
  };
  const svg = make("svg", { viewBox: `0 0 ${size} ${size}`, "aria-hidden": "true", focusable: "false" });
  const line = { fill: "none", stroke: "currentColor", "stroke-linecap": "round", "stroke-linejoin": "round" };
  svg.append(make("path", { d: path, ...line, ...attributes }));
  return svg;
}

export const chevron = () => drawn(12, "M4 2.5 8 6 4 9.5", { "stroke-width": 1.6 });
