// Groups of fields, and unions: a kind is chosen from a list or from thumbnails and its fields follow at once.

import { chevron, drawn, h } from "../common/dom.js";
import { explanation } from "./explained.js";
import { FIELDS } from "./fields.js";
import { frame } from "./frame.js";
import { kindOf } from "./values.js";
import { offering } from "./offers.js";

const ACROSS = 4; // thumbnails in a row
const FOLDED_ABOVE = 8; // so many thumbnails or more are folded away behind the chosen one

/** The control of any field. */
export function makeField(form, field, path) {
  const make = { ...FIELDS, group: groupField, union: unionField }[field.type];
  return make(form, field, path);
}

/** Fields one below the other, the advanced ones folded under "More". */
export function fieldList(form, fields, path) {
  const drawnFields = fields.filter((field) => !form.hides(field, [...path, field.name]));
  const controls = drawnFields.map((field) => [field, makeField(form, field, [...path, field.name])]);
  const elements = (advanced) =>
    controls.filter(([field]) => Boolean(field.advanced) === advanced).map(([, control]) => control.element);
  const element = h("div", { class: "pg-fields" }, ...elements(false));
  const more = elements(true);
  if (more.length) {
    const inside = h("div", { class: "pg-fields" }, ...more);
    const fold = h("details", { class: "pg-more" }, h("summary", {}, chevron(), "More"), inside);
    fold.open = form.unfolded.has(path.join("."));
    fold.addEventListener("toggle", () => form.unfolded[fold.open ? "add" : "delete"](path.join(".")));
    element.append(fold);
  }
  return { element, write: (value) => controls.forEach(([field, control]) => control.write(value?.[field.name])) };
}

/** A group inside another: a heading, a switch where it may be absent, its fields. */
export function groupField(form, field, path) {
  const parts = frame(form, field, path, { bound: Boolean(field.optional) });
  const body = groupBody(form, field, path);
  if (body.control) {
    body.control.id = parts.id;
    parts.line.append(h("span", { class: "pg-end" }, body.control));
  }
  parts.finish(body.control ?? body.element, body.element);
  return { element: parts.element, write: (value) => (body.write(value), parts.changed(value)) };
}

/** A union inside a group: its name and the list of kinds on one line, then the fields of the kind. */
export function unionField(form, field, path) {
  const parts = frame(form, field, path);
  const body = unionBody(form, field, path, parts.id);
  const beside = body.control.matches("select, span");
  if (beside) parts.line.append(h("span", { class: "pg-end" }, body.control));
  parts.finish(body.control, beside ? null : body.control, body.summary, body.element);
  return { element: parts.element, write: (value) => (body.write(value), parts.changed(value)) };
}

export function groupBody(form, field, path) {
  const element = h("div", { class: "pg-inside" });
  let fields = null;
  const write = (value) => {
    element.hidden = value === null;
    if (value !== null && !fields) {
      fields = fieldList(form, field.fields, path);
      element.replaceChildren(fields.element);
    }
    if (value !== null) fields.write(value);
  };
  if (!field.optional) return { element, control: null, write };
  const control = h("input", { class: "pg-switch", type: "checkbox", role: "switch" });
  control.addEventListener("change", () => form.turn(path, field, control.checked));
  return {
    element,
    control,
    write(value) {
      control.checked = value !== null;
      write(value);
    },
  };
}

/** {control: what the kind is chosen with, summary: a line about the kind, element: the kind's fields, write}. */
export function unionBody(form, field, path, id) {
  const options = field.optional ? [{ kind: null, label: field.none ?? "None" }, ...field.kinds] : field.kinds;
  const choose = (kind) => form.choose(path, field, kind);
  const pictured = options.some((option) => option.thumbnail);
  const picker = pictured ? tiles(field, options, id, choose) : list(options, id, choose);
  const named = options.map(({ kind, label }) => ({ value: kind, label }));
  if (options.length > 1) form.registerOffer(path, offering(form, named, picker.element, picker.refuse));
  const summary = h("p", { class: "pg-summary" });
  const element = h("div", { class: "pg-inside" });
  let shown, fields;
  return {
    control: picker.element,
    summary,
    element,
    write(value) {
      const kind = value === null ? null : value.kind;
      picker.write(kind);
      if (kind !== shown) {
        shown = kind;
        form.forget(path);
        const chosen = kindOf(field, kind);
        summary.textContent = chosen?.summary ?? "";
        summary.hidden = !chosen?.summary;
        fields = fieldList(form, chosen?.fields ?? [], path);
        element.replaceChildren(...explanation(form, chosen, path), ...standards(form, chosen, path), fields.element);
        element.hidden = element.childElementCount === 1 && fields.element.childElementCount === 0;
      }
      fields.write(value);
    },
  };
}

/** The settings that the literature uses of a kind, by name. */
function standards(form, chosen, path) {
  if (!chosen?.presets) return [];
  const element = h("select", { class: "pg-select pg-standards", "aria-label": "Settings from the literature" });
  element.append(
    h("option", {}, "As in the literature …"),
    ...chosen.presets.map(({ label }) => h("option", {}, label)),
  );
  element.addEventListener("change", () => {
    const preset = chosen.presets[element.selectedIndex - 1];
    if (preset) form.change(path, structuredClone(preset.value), true);
    element.selectedIndex = 0;
  });
  element.id = `${form.id(path)}-standards`;
  return [h("label", { class: "pg-unseen", for: element.id }, "Settings from the literature"), element];
}

function list(options, id, choose) {
  if (options.length === 1) return { element: h("span", { class: "pg-only", id }, options[0].label), write() {} };
  const element = h("select", { class: "pg-select", id, onchange: () => choose(options[element.selectedIndex].kind) });
  element.append(...options.map(({ kind, label }) => h("option", { value: kind ?? "" }, label)));
  return {
    element,
    write: (kind) => (element.selectedIndex = options.findIndex((option) => option.kind === kind)),
    refuse(index, sentence) {
      element.options[index].disabled = sentence !== undefined;
      element.options[index].title = sentence ?? "";
    },
  };
}

/** Kinds as pictures with radio semantics: arrows move by one, up and down by a row. */
function tiles(field, options, id, choose) {
  const radios = options.map(({ kind }) =>
    h("input", { type: "radio", name: id, value: kind ?? "", onchange: () => choose(kind) }),
  );
  const cells = options.map((option, index) =>
    h("label", { class: "pg-tile", title: option.label }, radios[index], ...face(option)),
  );
  const grid = h("div", { class: "pg-tiles", role: "radiogroup", "aria-label": field.title }, ...cells);
  grid.addEventListener("keydown", (event) => {
    const rows = { ArrowUp: -ACROSS, ArrowDown: ACROSS }[event.key];
    const next = radios[radios.indexOf(event.target) + rows];
    if (rows) event.preventDefault();
    next?.focus();
    next?.click();
  });
  const check = (kind) => radios.forEach((radio, index) => (radio.checked = options[index].kind === kind));
  const refuse = (index, sentence) => {
    radios[index].disabled = sentence !== undefined;
    cells[index].classList.toggle("pg-refused", sentence !== undefined);
    cells[index].title = [options[index].label, sentence].filter(Boolean).join(": ");
  };
  if (options.length <= FOLDED_ABOVE) {
    grid.id = id;
    return { element: grid, write: check, refuse };
  }
  const now = h("span", { class: "pg-now" });
  const element = h("details", { class: "pg-picker", id }, h("summary", {}, now, chevron()), grid);
  let shown;
  return {
    element,
    refuse,
    write(kind) {
      check(kind);
      if (kind === shown) return;
      shown = kind;
      const option = options.find((each) => each.kind === kind);
      now.replaceChildren(...face(option ?? { label: "" }));
    },
  };
}

/** A thumbnail over its label: an image by its data URL, or points (k, 2) in [-1, 1] as dots in the text's colour. */
function face({ thumbnail, label }) {
  const image = typeof thumbnail === "string" && thumbnail.startsWith("data:image/");
  const dot = ([x, y]) => `M${(24 + 22 * x).toFixed(1)} ${(24 - 22 * y).toFixed(1)}h0`;
  const dots = Array.isArray(thumbnail) ? thumbnail.map(dot).join("") : "";
  const picture = image ? h("img", { src: thumbnail, alt: "" }) : drawn(48, dots, { "stroke-width": 1.5 });
  picture.setAttribute("class", "pg-picture");
  return [picture, h("span", { class: "pg-tile-label" }, label)];
}
