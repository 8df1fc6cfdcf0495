// Making elements, and the one tooltip of a form.

/** An element with attributes (true: present; false, null: absent), listeners (onname) and children. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** An SVG element drawn in the colour of the text. */
export function drawn(size, path, attributes = {}) {
  const make = (tag, values) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(values)) element.setAttribute(name, value);
    return element;
  };
  const svg = make("svg", { viewBox: `0 0 ${size} ${size}`, "aria-hidden": "true", focusable: "false" });
  const line = { fill: "none", stroke: "currentColor", "stroke-linecap": "round", "stroke-linejoin": "round" };
  svg.append(make("path", { d: path, ...line, ...attributes }));
  return svg;
}

export const chevron = () => drawn(12, "M4 2.5 8 6 4 9.5", { "stroke-width": 1.6 });

/** A small bubble beside a "?": by hover, by focus, by touch; gone with Escape, scrolling or a press elsewhere. */
export class Tooltip {
  constructor(root) {
    this.element = h("div", { class: "pg-tip", popover: "manual", "aria-hidden": "true" });
    root.append(this.element);
    this.owner = null;
    this.away = (event) => {
      if (event.type === "scroll" || !this.owner?.contains(event.target)) this.hide();
    };
  }

  attach(button, text) {
    const show = () => this.show(button, text);
    const hide = () => this.hide();
    button.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && show());
    button.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && hide());
    button.addEventListener("focus", show);
    button.addEventListener("blur", hide);
    button.addEventListener("click", show);
    button.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  }

  show(button, text) {
    this.owner = button;
    this.element.textContent = text;
    this.element.classList.add("pg-open");
    this.element.showPopover?.();
    const at = button.getBoundingClientRect();
    const own = this.element.getBoundingClientRect();
    const left = Math.min(Math.max(8, at.left + at.width / 2 - own.width / 2), innerWidth - own.width - 8);
    const above = at.top - own.height - 8;
    this.element.style.left = `${Math.max(8, left)}px`;
    this.element.style.top = `${above >= 8 ? above : at.bottom + 8}px`;
    document.addEventListener("pointerdown", this.away, true);
    document.addEventListener("scroll", this.away, true);
  }

  hide() {
    if (!this.owner) return;
    this.owner = null;
    this.element.classList.remove("pg-open");
    this.element.hidePopover?.();
    document.removeEventListener("pointerdown", this.away, true);
    document.removeEventListener("scroll", this.away, true);
  }
}
