// One control for each type of field that holds no others. A control is {element, write(value)}; it reports to the
// form by form.change(path, value, final) and is told what is wrong with it by the mark that its frame registers.

import { drawn, h } from "../common/dom.js";
import { drawingField } from "./drawing.js";
import { frame } from "./frame.js";
import { sliderOf, stepped } from "./slider.js";
import { equal, misread, parse, show } from "./values.js";
import { offering } from "./offers.js";

const DICE =
  "M4 2.5h8A1.5 1.5 0 0 1 13.5 4v8a1.5 1.5 0 0 1-1.5 1.5H4A1.5 1.5 0 0 1 2.5 12V4A1.5 1.5 0 0 1 4 2.5Z" +
  "M5.5 5.5h.01M10.5 5.5h.01M8 8h.01M5.5 10.5h.01M10.5 10.5h.01";
const BESIDE = 4; // so many numbers fit beside their label
const SEEDS = 10_000; // short enough to read out to somebody

export const FIELDS = {
  float: numberField,
  int: numberField,
  bool: boolField,
  choice: choiceField,
  drawing: drawingField,
  text: textField,
  vector: textField,
  matrix: textField,
};

/** Joins a text input to a field: what is typed is parsed at once, and rewritten only when it says something else. */
function typed(form, field, path, input) {
  input.addEventListener("input", () => form.change(path, parse(field, input.value), false));
  input.addEventListener("change", () => {
    const value = parse(field, input.value);
    input.value = show(field, value);
    form.change(path, value, true);
  });
  return (value) => {
    if (!equal(parse(field, input.value), value)) input.value = show(field, value);
  };
}

function numberField(form, field, path) {
  const parts = frame(form, field, path, { kind: "number" });
  const slider = sliderOf(field);
  const whole = field.type === "int";
  const input = h("input", {
    class: "pg-entry",
    id: parts.id,
    type: "text",
    inputmode: field.minimum >= 0 ? (whole ? "numeric" : "decimal") : "text",
    autocomplete: "off",
    spellcheck: "false",
    placeholder: field.optional ? (field.none ?? "none") : null,
  });
  const write = typed(form, field, path, input);
  input.addEventListener("keydown", (event) => {
    const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!direction) return;
    event.preventDefault();
    const value = stepped(field, parse(field, input.value), direction);
    input.value = show(field, value);
    form.change(path, value, true);
  });
  const unit = field.unit ? h("span", { class: "pg-unit" }, field.unit) : null;
  parts.line.append(h("span", { class: "pg-end" }, input, unit, field.dice ? dice(form, field, path) : null));
  if (!slider) {
    parts.finish(input);
    return { element: parts.element, write: (value) => (write(value), parts.changed(value)) };
  }
  const { min, max, step } = slider;
  const labelled = { "aria-labelledby": `${parts.id}-label` };
  const range = h("input", { class: "pg-slider", type: "range", min, max, step, ...labelled });
  const moved = (final) => () => form.change(path, slider.value(Number(range.value)), final);
  range.addEventListener("input", moved(false));
  range.addEventListener("change", moved(true));
  parts.finish(input, range);
  return {
    element: parts.element,
    write(value) {
      write(value);
      parts.changed(value);
      const known = typeof value === "number" && Number.isFinite(value);
      range.classList.toggle("pg-absent", !known);
      const position = known ? slider.position(value) : min;
      range.value = position;
      range.style.setProperty("--pg-fill", (position - min) / (max - min || 1));
      const said = known ? `${show(field, value)} ${field.unit ?? ""}`.trim() : (field.none ?? "none");
      range.setAttribute("aria-valuetext", said);
    },
  };
}

function dice(form, field, path) {
  const text = `Roll a new ${field.title.toLowerCase()}`;
  const low = field.minimum ?? 0;
  const count = Math.min(SEEDS, (field.maximum ?? Infinity) - low + 1);
  const roll = () => {
    const before = form.at(path);
    let value = before;
    while (value === before && count > 1) value = low + Math.floor(Math.random() * count);
    form.change(path, value, true);
  };
  const face = drawn(16, DICE, { "stroke-width": 1.4 });
  return h("button", { type: "button", class: "pg-dice", title: text, "aria-label": text, onclick: roll }, face);
}

function boolField(form, field, path) {
  const parts = frame(form, field, path);
  const input = h("input", { class: "pg-switch", id: parts.id, type: "checkbox", role: "switch" });
  input.addEventListener("change", () => form.change(path, input.checked, true));
  parts.line.append(h("span", { class: "pg-end" }, input));
  parts.finish(input);
  const ways = [
    { value: true, label: "on" },
    { value: false, label: "off" },
  ];
  const refuse = (index, sentence) => {
    if (input.checked === ways[index].value) return;
    input.disabled = sentence !== undefined;
    input.title = sentence ?? "";
  };
  form.registerOffer(path, offering(form, ways, input, refuse));
  return {
    element: parts.element,
    write(value) {
      input.checked = value === true;
      parts.changed(value);
    },
  };
}

function textField(form, field, path) {
  const parts = frame(form, field, path);
  const table = field.type === "matrix";
  const input = h(table ? "textarea" : "input", {
    class: field.type === "text" ? "pg-text" : "pg-text pg-numbers",
    id: parts.id,
    type: table ? null : "text",
    autocomplete: "off",
    spellcheck: "false",
    placeholder: field.optional ? (field.none ?? "none") : null,
  });
  const write = typed(form, field, path, input);
  const fit = () => table && (input.rows = Math.min(6, Math.max(2, input.value.split("\n").length)));
  input.addEventListener("input", fit);
  const beside = field.type === "vector" && field.max_length <= BESIDE;
  if (beside) parts.line.append(h("span", { class: "pg-end" }, input));
  const note = field.type === "vector" ? h("p", { class: "pg-summary", role: "status" }) : null;
  if (note) input.addEventListener("input", () => (note.textContent = misread(input.value) ?? ""));
  parts.finish(input, beside ? null : input, note);
  if (field.formula) underlined(form, path, input);
  return { element: parts.element, write: (value) => (write(value), fit(), parts.changed(value)) };
}

/** The characters that a sentence is about, counted from 1. */
const PLACE = /^characters? (\d+)(?: to (\d+))?: /;

/** Below a formula with a mistake the formula once more, the mistake underlined. */
function underlined(form, path, input) {
  const line = h("p", { class: "pg-mistake", hidden: true, "aria-hidden": "true" });
  input.after(line);
  const widget = form.widgets.get(path.join("."));
  const { mark } = widget;
  widget.mark = (sentence) => {
    mark(sentence);
    const [, from, to = from] = PLACE.exec(sentence ?? "") ?? [];
    line.hidden = !from;
    if (!from) return;
    const text = `${input.value} `;
    line.replaceChildren(text.slice(0, from - 1), h("u", {}, text.slice(from - 1, to)), text.slice(to));
  };
}

/** A few short options stand side by side; otherwise a list to choose from. */
function choiceField(form, field, path) {
  const none = field.optional ? [{ value: null, label: field.none ?? "none" }] : [];
  const named = field.options.map(({ value, label }) => ({ value, label: field.labels?.[value] ?? label }));
  const options = [...none, ...named];
  const short = options.length <= 4 && options.reduce((length, { label }) => length + label.length + 2, 0) <= 34;
  const parts = frame(form, field, path, { bound: !short });
  const choose = (index) => form.change(path, options[index].value, true);
  const place = (value) => options.findIndex((option) => option.value === value);
  if (short) {
    const button = (_, index) => h("input", { type: "radio", name: parts.id, onchange: () => choose(index) });
    const radios = options.map(button);
    const cell = ({ label }, index) => h("label", { class: "pg-segment" }, radios[index], h("span", {}, label));
    const role = { role: "radiogroup", "aria-labelledby": `${parts.id}-label` };
    const cells = options.map(cell);
    const group = h("div", { class: "pg-segments", id: parts.id, ...role }, ...cells);
    parts.finish(group, group);
    const refuse = (index, sentence) => {
      radios[index].disabled = sentence !== undefined;
      cells[index].classList.toggle("pg-refused", sentence !== undefined);
      cells[index].title = sentence ?? "";
    };
    form.registerOffer(path, offering(form, options, group, refuse));
    return {
      element: parts.element,
      write(value) {
        radios.forEach((radio, index) => (radio.checked = index === place(value)));
        parts.changed(value);
      },
    };
  }
  const select = h("select", { class: "pg-select", id: parts.id, onchange: () => choose(select.selectedIndex) });
  select.append(...options.map(({ label }) => h("option", {}, label)));
  parts.line.append(h("span", { class: "pg-end" }, select));
  parts.finish(select);
  const refuse = (index, sentence) => {
    select.options[index].disabled = sentence !== undefined;
    select.options[index].title = sentence ?? "";
  };
  form.registerOffer(path, offering(form, options, select, refuse));
  return { element: parts.element, write: (value) => ((select.selectedIndex = place(value)), parts.changed(value)) };
}
