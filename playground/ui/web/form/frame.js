// What every field has around its control: label, "?", the dot that resets it, and the sentence on what is wrong.

import { h } from "../common/dom.js";
import { equal, show } from "./values.js";

/** {id, element, line, finish(control, ...below), changed(value)} for the field at `path`, registered with the form. */
export function frame(form, field, path, { bound = true, kind = field.type } = {}) {
  const id = form.id(path);
  const standard = form.standard(path);
  const attributes = { class: "pg-label", id: `${id}-label`, for: bound ? id : null };
  const label = h(bound ? "label" : "span", attributes, field.title);
  const reset = resetButton(form, field, path, standard);
  const line = h("div", { class: "pg-line" }, label, helpButton(form, field, id), reset);
  const problem = problemLine(id);
  const about = field.description ? h("span", { class: "pg-unseen", id: `${id}-about` }, field.description) : null;
  const element = h("div", { class: `pg-field pg-type-${kind}`, "data-path": path.join(".") }, line);
  let marked = null;
  const mark = (sentence) => {
    showProblem(problem, sentence);
    invalidate(marked, sentence !== null, problem.id);
  };
  form.register(path, { element, mark });
  return {
    id,
    element,
    line,
    /** Puts what stands below the line in place; `control` is what is described, and marked when invalid. */
    finish(control, ...below) {
      marked = control;
      if (about) control.setAttribute("aria-describedby", about.id);
      element.append(...[...below, problem, about].filter(Boolean));
    },
    changed: (value) => setChanged(element, reset, !equal(value, standard)),
  };
}

export function helpButton(form, field, id) {
  if (!field.description) return null;
  const spoken = { "aria-label": `What is ${field.title}?`, "aria-describedby": `${id}-about` };
  const button = h("button", { type: "button", class: "pg-help", ...spoken }, "?");
  form.tooltip.attach(button, field.description);
  return button;
}

export function resetButton(form, field, path, standard) {
  const simple = typeof standard !== "object" || Array.isArray(standard);
  const short = show(field, standard).replaceAll("\n", "; ");
  const text = `Reset ${field.title}${simple && short.length <= 30 ? ` to ${short}` : ""}`;
  const onclick = (event) => {
    form.reset(path);
    if (event.detail === 0) form.reveal(path); // pressed by key: the dot is gone, so focus the control
  };
  return h("button", { type: "button", class: "pg-reset", title: text, "aria-label": text, hidden: true, onclick });
}

export function setChanged(element, reset, changed) {
  element.classList.toggle("pg-changed", changed);
  reset.hidden = !changed;
}

export const problemLine = (id) =>
  h("p", { class: "pg-problem", id: `${id}-problem`, "aria-live": "polite", hidden: true });

export function showProblem(line, sentence) {
  line.hidden = sentence === null;
  const text = (sentence ?? "").replace(/^[a-z]/, (letter) => letter.toUpperCase());
  if (line.textContent !== text) line.textContent = text;
}

export function invalidate(control, invalid, problemId) {
  if (!control) return;
  const before = (control.getAttribute("aria-describedby") ?? "").split(" ");
  const others = before.filter((id) => id && id !== problemId);
  const described = [...others, ...(invalid ? [problemId] : [])].join(" ");
  if (described) control.setAttribute("aria-describedby", described);
  else control.removeAttribute("aria-describedby");
  if (invalid) control.setAttribute("aria-invalid", "true");
  else control.removeAttribute("aria-invalid");
}
