// The experiment's form, drawn from the description that playground/ui/form.py makes of the pydantic declarations.
//
//   const form = new Form(root, description, { value, onChange, groups, hide });
//   form.value                  the whole experiment as plain JSON, as it stands, right or wrong
//   form.valid, form.problems   [{path, sentence}] found here
//   form.set(value)             shows another experiment; what it leaves out has its default
//   form.markProblems(problems) shows what the server found wrong, until what is about is changed
//   form.offer(refused)         does not offer these alternatives: {path: [{value, sentence}]}
//   form.moment                 where in its history it stands
//   form.reset(path), undo(), redo(), undoTo(accept), canUndo, canRedo, forgetPast(), reveal(path), destroy()
//
// onChange(value, {valid, path, final, travelled}) is called for whatever a person does; `final` is false in the middle of
// a drag or of typing, `travelled` true after undo and redo. A drag or an edit is one step of undo.

import { groupBody, makeField, unionBody } from "./choices.js";
import { chevron, h } from "../common/dom.js";
import { helpButton, invalidate, problemLine, resetButton, setChanged, showProblem } from "./frame.js";
import { complete, equal, get, kindOf, problemsIn, put, standardAt, switched } from "./values.js";
import { Tooltip } from "../common/tooltip.js";

const HISTORY = 100;
const isSection = (field) => field.type === "union" || field.type === "group";
const keyOf = (path) => path.join(".");
const pathOf = (path) => (typeof path === "string" ? path.split(".").filter(Boolean) : (path ?? []).map(String));

/** Another experiment than the one that had the name, and what was said to look for: it has neither. */
const unnamed = ({ name, about, ...state }) => ({ ...state, ...(name === undefined ? {} : { name: "", about: "" }) });

let forms = 0; // only so that ids differ between two forms on one page

export class Form {
  /**
   * root: element that the form is appended to. description: what describe() made.
   * value: an experiment, whole or in part. groups: which top-level fields are drawn, in this order, each a name or
   * {name, title, open}; all by default. hide: dotted paths that are not drawn; their values are kept.
   */
  constructor(root, description, { value = {}, onChange = () => {}, groups = null, hide = [] } = {}) {
    Object.assign(this, { description, onChange, hidden: new Set(hide), prefix: `pg-form-${++forms}` });
    this.widgets = new Map(); // dotted path → {element, mark(sentence)}
    this.offers = new Map(); // dotted path → function(Map of refused value → sentence) of a control that offers choices
    this.refused = new Map(); // dotted path → Map of value → sentence
    this.unfolded = new Set(); // dotted paths whose "More" is open
    this.remembered = new Map(); // what a kind was set to before another was chosen
    this.server = [];
    [this.past, this.future, this.gesture] = [[], [], null];
    this.state = complete(description, value);
    this.element = h("div", { class: "pg-form", onkeydown: (event) => this.#keys(event) });
    this.tooltip = new Tooltip(document.body); // outside of the form, whose styles it would inherit
    this.general = h("ul", { class: "pg-problems", role: "alert", hidden: true });
    const part = (field) => (isSection(field) ? this.#section(field) : makeField(this, field, [field.name]));
    this.parts = this.#chosen(groups).map((field) => [field.name, part(field)]);
    this.element.append(this.general, ...this.parts.map(([, part]) => part.element));
    this.#refresh();
    root.append(this.element);
  }

  get value() {
    return structuredClone(this.state);
  }

  /** Which moment of its history the form stands at: an object that is the same whenever it is come back to. */
  get moment() {
    return this.state;
  }

  get problems() {
    return problemsIn(this.description, this.state);
  }

  get valid() {
    return this.problems.length === 0;
  }

  get canUndo() {
    return this.past.length > 0;
  }

  get canRedo() {
    return this.future.length > 0;
  }

  set(value) {
    this.#become(complete(this.description, value));
    this.server = [];
    this.remembered.clear();
    this.#refresh();
  }

  markProblems(problems) {
    this.server = problems.map(({ path, sentence }) => ({ path: pathOf(path), sentence }));
    this.#refresh();
    for (const { path } of this.server) this.#unfold(this.#nearest(path)[0]);
  }

  offer(refused) {
    const maps = Object.entries(refused).map(([key, list]) => [
      key,
      new Map(list.map((each) => [each.value, each.sentence])),
    ]);
    this.refused = new Map(maps);
    for (const [key, show] of this.offers) show(this.refused.get(key) ?? new Map());
  }

  reset(path) {
    this.change(pathOf(path), this.standard(pathOf(path)), true);
  }

  undo() {
    this.#travel(this.past, this.future);
  }

  redo() {
    this.#travel(this.future, this.past);
  }

  /** Undoes as far as the newest earlier moment that `accept` is true for; false where there is none. */
  undoTo(accept) {
    if (!this.past.some(accept)) return false;
    while (!accept(this.past.at(-1))) {
      this.future.push(this.state);
      this.state = this.past.pop();
    }
    this.undo();
    return true;
  }

  /** What stands now is what there is to begin with: undo goes back to nothing before it. */
  forgetPast() {
    [this.past, this.future] = [[], []];
  }

  /** Opens what encloses the field at `path`, brings it into view and focuses its control. */
  reveal(path) {
    const [widget] = this.#nearest(pathOf(path));
    this.#unfold(widget);
    widget?.element.scrollIntoView({ block: "nearest" });
    widget?.element.querySelector("input, select, textarea")?.focus({ preventScroll: true });
  }

  destroy() {
    this.tooltip.remove();
    this.element.remove();
  }

  // What the controls ask of the form.

  id(path) {
    return [this.prefix, ...path].join("-");
  }

  at(path) {
    return get(this.state, path);
  }

  standard(path) {
    return standardAt(this.description, this.state, path);
  }

  hides(field, path) {
    return field.type === "hidden" || this.hidden.has(keyOf(path));
  }

  register(path, widget) {
    this.widgets.set(keyOf(path), widget);
  }

  /** Forgets the controls below `path`, which are about to be replaced. */
  forget(path) {
    for (const map of [this.widgets, this.offers]) {
      for (const key of [...map.keys()]) if (key.startsWith(`${keyOf(path)}.`)) map.delete(key);
    }
  }

  /** Lets a control that offers choices know, now and later, which of them are refused. */
  registerOffer(path, show) {
    this.offers.set(keyOf(path), show);
    show(this.refused.get(keyOf(path)) ?? new Map());
  }

  change(path, value, final) {
    if (this.drawing) return; // a browser reports the text of an input even while it is taken away
    const key = keyOf(path);
    const same = equal(this.at(path), value);
    if (same && !(final && this.gesture === key)) return;
    if (!same) {
      this.#become(unnamed(put(this.state, path, value)), this.gesture === key);
      const apart = (other) => other.some((name, index) => index < path.length && name !== path[index]);
      this.server = this.server.filter((problem) => problem.path.length > 0 && apart(problem.path));
    }
    this.gesture = final ? null : key;
    this.#refresh();
    this.#tell(path, final);
  }

  /** Changes the kind of a union; a kind chosen before comes back as it was left. */
  choose(path, field, kind) {
    const before = this.at(path);
    const memory = (each) => `${keyOf(path)}:${each}`;
    if (before) this.remembered.set(memory(before.kind), before);
    const standard = this.standard(path);
    const base = this.remembered.get(memory(kind)) ?? (standard?.kind === kind ? standard : undefined);
    const [old, suited] = [before?.kind, kind].map((each) => field.kinds.find((one) => one.kind === each)?.steps);
    // A family that takes its own time to train is given it, unless someone has said how long.
    if (suited && old !== suited && this.at(["training", "steps"]) === old)
      this.change(["training", "steps"], suited, true);
    this.change(path, kind === null ? null : switched(field, before, kind, base), true);
  }

  /** Turns an optional group on or off. */
  turn(path, field, on) {
    if (!on) this.remembered.set(keyOf(path), this.at(path));
    this.change(path, on ? complete(field, this.remembered.get(keyOf(path)) ?? {}) : null, true);
  }

  #chosen(groups) {
    const wanted = groups ?? this.description.fields.map((field) => field.name);
    const named = wanted.map((group) => (typeof group === "string" ? { name: group } : group));
    const found = named.map((group) => {
      const field = this.description.fields.find((each) => each.name === group.name);
      return field && { ...field, title: group.title ?? field.title, open: group.open ?? !field.advanced };
    });
    const fields = found.filter((field) => field && !this.hides(field, [field.name]));
    return groups ? fields : [...fields.filter((field) => !isSection(field)), ...fields.filter(isSection)];
  }

  /** A titled part of the form that folds: a group or a union at the top level. */
  #section(field) {
    const path = [field.name];
    const id = this.id(path);
    const union = field.type === "union";
    const body = union ? unionBody(this, field, path, id) : groupBody(this, field, path);
    const current = h("span", { class: "pg-current" });
    const toggle = h(
      "button",
      { type: "button", class: "pg-toggle", id: `${id}-label`, "aria-controls": `${id}-body` },
      chevron(),
      h("span", {}, field.title),
      current,
    );
    const standard = this.standard(path);
    const reset = resetButton(this, field, path, standard);
    const head = h("div", { class: "pg-head" }, h("h3", {}, toggle), helpButton(this, field, id), reset);
    const problem = problemLine(id);
    const about = h("span", { class: "pg-unseen", id: `${id}-about` }, field.description);
    const control = body.control;
    if (control) {
      control.id = id;
      control.setAttribute("aria-describedby", about.id);
    }
    const label = control && h("label", { class: "pg-unseen", for: id }, field.title);
    const idle = h("p", { class: "pg-idle", hidden: true });
    const content = h(
      "div",
      { class: "pg-used" },
      ...[problem, label, control, body.summary, body.element].filter(Boolean),
    );
    const inside = h("div", { class: "pg-body", id: `${id}-body` }, idle, content);
    const names = { "data-path": field.name, "aria-labelledby": `${id}-label` };
    const element = h("section", { class: "pg-section", ...names }, head, inside, about);
    const open = (wanted) => {
      inside.hidden = !wanted;
      toggle.setAttribute("aria-expanded", String(wanted));
    };
    toggle.addEventListener("click", () => open(inside.hidden));
    open(field.open);
    this.register(path, {
      element,
      open,
      mark(sentence) {
        showProblem(problem, sentence);
        invalidate(control, sentence !== null, problem.id);
      },
    });
    return {
      element,
      write: (value) => {
        body.write(value);
        const none = field.none ?? "None";
        const why = this.#told("idle", field.name);
        idle.textContent = why ?? this.#told("notes", field.name) ?? "";
        [idle.hidden, content.hidden] = [!idle.textContent, why !== null];
        element.classList.toggle("pg-unused", why !== null);
        const label = () => (value === null ? none : (kindOf(field, value.kind)?.label ?? ""));
        if (union) current.textContent = why === null ? label() : "not used";
        setChanged(element, reset, !equal(value, standard));
      },
    };
  }

  /** What is chosen elsewhere says of the top-level field of this name, as its "idle" or its "notes"; null: nothing. */
  #told(what, name) {
    const unions = this.description.fields.filter(({ type }) => type === "union");
    const whys = unions.map((field) => kindOf(field, this.state[field.name]?.kind)?.[what]?.[name]);
    return whys.find(Boolean) ?? null;
  }

  #become(state, quietly = false) {
    if (!quietly && !equal(state, this.state)) {
      this.past = [...this.past, this.state].slice(-HISTORY);
      this.future = [];
    }
    this.gesture = null;
    this.state = state;
  }

  #travel(from, to) {
    if (from.length === 0) return;
    to.push(this.state);
    this.state = from.pop();
    [this.gesture, this.server] = [null, []];
    this.#refresh();
    this.#tell([], true, true);
  }

  #tell(path, final, travelled = false) {
    this.onChange(this.value, { valid: this.valid, path, final, travelled });
  }

  #refresh() {
    this.drawing = true;
    for (const [name, part] of this.parts) part.write(this.state[name]);
    this.drawing = false;
    const sentences = new Map();
    const general = [];
    for (const { path, sentence } of [...this.problems, ...this.server]) {
      const [widget, rest] = this.#nearest(path);
      const place = rest.some((name) => !/^\d+$/.test(name)) ? `${keyOf(rest)}: ` : "";
      if (!widget) general.push(`${place}${sentence}`);
      else if (!sentences.has(widget)) sentences.set(widget, `${place}${sentence}`);
    }
    for (const widget of this.widgets.values()) widget.mark(sentences.get(widget) ?? null);
    this.general.hidden = general.length === 0;
    const lines = general.map(() => h("li", {}));
    lines.forEach((line, index) => showProblem(line, general[index]));
    this.general.replaceChildren(...lines);
  }

  /** The drawn control nearest to `path`, and what of the path lies below it. */
  #nearest(path) {
    for (let length = path.length; length > 0; length--) {
      const widget = this.widgets.get(keyOf(path.slice(0, length)));
      if (widget) return [widget, path.slice(length)];
    }
    return [null, path];
  }

  #unfold(widget) {
    for (let element = widget?.element; element && element !== this.element; element = element.parentElement) {
      if (element.matches("details.pg-more")) element.open = true;
      if (element.matches(".pg-section")) this.widgets.get(element.dataset.path).open(true);
    }
  }

  #keys(event) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const key = event.key.toLowerCase();
    const typing = this.gesture !== null && event.target.matches("input[type=text], textarea"); // its own undo serves
    if (typing || !(key === "z" || key === "y")) return;
    event.preventDefault();
    if (key === "y" || event.shiftKey) this.redo();
    else this.undo();
  }
}
