// What can be done with the whole form: undo, redo, surprise, share, save as YAML and open a file.

import { fetchJSON } from "../api/client.js";
import { roving } from "../common/roving.js";

const ICONS = {
  undo: "M9 14 4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3",
  redo: "m15 14 5-5-5-5M20 9H10a6 6 0 0 0 0 12h3",
  surprise:
    "M12 3l1.9 5.1L19 10l-5.1 1.9L12 17l-1.9-5.1L5 10l5.1-1.9zM19 15l.9 2.1L22 18l-2.1.9L19 21l-.9-2.1L16 18l2.1-.9z",
  share: "M10 13a5 5 0 0 0 7.5.5l3-3a5 5 0 0 0-7-7l-1.7 1.7M14 11a5 5 0 0 0-7.5-.5l-3 3a5 5 0 0 0 7 7l1.7-1.7",
  save: "M12 4v11m-5-5 5 5 5-5M5 20h14",
  compare: "M4 5h6v14H4zM14 5h6v14h-6zM7 9v6M17 9v6",
  load: "M12 20V9m-5 5 5-5 5 5M5 4h14",
};

const MOST_BUSY = 4;
const A_PRODUCT = 6.7e-5; // microseconds for a weight and a point, up and down

export class Tools {
  /**
   * form: the Form; say(text, problem) tells the person; open(experiment) shows one and its clouds; settings() says
   * how the stage is set; compare() puts the run beside others.
   */
  constructor(part, { form, say, open, settings, compare }) {
    Object.assign(this, { form, say, open, settings, paces: new Map(), paced: null, told: null, left: null });
    const bar = document.createElement("div");
    bar.className = "pg-tools";
    bar.setAttribute("role", "toolbar");
    bar.setAttribute("aria-label", "The experiment");
    bar.append(
      button("undo", "Undo the last change, with the run that was shown (Ctrl+Z)", () => form.undo()),
      button("redo", "Redo (Ctrl+Shift+Z)", () => form.redo()),
      button("surprise", "Surprise me: another source and target", () => this.#surprise()),
      button("share", "Copy a link to this experiment", () => this.#share()),
      button("save", "Save this experiment as a YAML file", () => this.#save()),
      button("load", "Open a YAML file", () => this.file.click()),
      ...(compare ? [button("compare", "Compare this run with others, side by side", compare)] : []),
    );
    roving(bar);
    this.file = document.createElement("input");
    Object.assign(this.file, { type: "file", accept: ".yaml,.yml", hidden: true });
    this.file.addEventListener("change", () => this.#load());
    this.cost = document.createElement("output");
    Object.assign(this.cost, { className: "pg-cost", title: "What training would take with these settings" });
    bar.append(this.cost);
    this.link = document.createElement("input");
    Object.assign(this.link, { className: "pg-link", type: "text", readOnly: true, hidden: true });
    this.link.setAttribute("aria-label", "Link to this experiment");
    this.link.addEventListener("focus", () => this.link.select());
    part.append(bar, this.link, this.file);
    this.showCost();
  }

  /** Says how many weights are trained and how long that should take here; cost: as the server told it last. */
  showCost(cost = this.told) {
    this.told = cost;
    const { model, training } = this.form.value;
    if (this.left !== null) return;
    if (!cost) return this.cost.replaceChildren("");
    const { weights, rounds, step } = cost;
    const each = step && microseconds(cost, training.batch) * this.#pace(model.kind);
    const seconds = step && (training.seconds ?? (training.steps * each) / 1e6) * rounds;
    const parts = [];
    if (Number.isFinite(seconds))
      parts.push(`≈ ${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds).toLocaleString("en")} s`);
    if (weights) parts.push(`${weights.toLocaleString("en")} ${step?.passes ? "weights" : "numbers"}`);
    this.cost.replaceChildren(parts.join(" · ") || "nothing to train");
  }

  /** Says how long the training that a snapshot is of will still take, and learns how fast this server is. */
  hear({ left, rate, seconds }) {
    this.left = left;
    if (rate && seconds > 1) this.#learnPace(rate);
    if (left === null) return this.showCost();
    const told = left < 10 ? left.toFixed(1) : Math.round(left).toLocaleString("en");
    this.cost.replaceChildren(`≈ ${told} s left`);
  }

  /** What the form says is trained from now on. */
  beginPace() {
    const { model, training } = this.form.value;
    this.paced = this.told?.step ? { kind: model.kind, expected: microseconds(this.told, training.batch) } : null;
  }

  /** Learns from that training how fast this server is, with its family and any: its rate in steps a second. */
  #learnPace(rate) {
    if (this.paced) this.paces.set(this.paced.kind, 1e6 / rate / this.paced.expected);
  }

  /** So many times what is expected a step takes here: as this family was seen to, else as the others in the middle,
      within what a busy machine explains. */
  #pace(kind) {
    const seen = [...this.paces.values()].sort((a, b) => a - b);
    return this.paces.get(kind) ?? Math.min(MOST_BUSY, Math.max(1 / MOST_BUSY, seen[seen.length >> 1] ?? 1));
  }

  /** Random kinds of two dimensions with their default values, and a new seed. */
  #surprise() {
    const one = (list) => list[Math.floor(Math.random() * list.length)];
    const kinds = this.form.description.fields.find(({ name }) => name === "target").kinds;
    const shapes = kinds.filter(({ dim }) => dim === 2).map(({ kind }) => kind);
    const target = one(shapes.filter((kind) => kind !== this.form.value.target.kind));
    const source = Math.random() < 0.6 ? "gaussian" : one(shapes.filter((kind) => kind !== target));
    const training = { ...this.form.value.training, seed: Math.floor(Math.random() * 2 ** 31) };
    this.open({ ...this.form.value, source, target, training, name: "", about: "" });
  }

  async #written() {
    try {
      return await fetchJSON("/playground/write", JSON.stringify(this.form.value));
    } catch (error) {
      this.form.markProblems(error.problems ?? []);
      this.say(error.message, true);
      return null;
    }
  }

  async #share() {
    const written = await this.#written();
    if (!written) return;
    const url = new URL(window.location.href);
    url.searchParams.delete("preset");
    url.searchParams.set("x", written.link);
    url.searchParams.set("view", JSON.stringify(this.settings()));
    window.history.replaceState(null, "", url);
    const copied = await copy(url.href);
    this.link.hidden = copied;
    if (copied) return this.say("The link to this experiment is copied.");
    this.link.value = url.href;
    this.link.focus();
    this.link.select();
    this.say("This browser lets no page copy here: the link stands selected below Train, to be copied by hand.");
  }

  async #save() {
    const written = await this.#written();
    if (!written) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([written.yaml], { type: "application/yaml" }));
    link.download = `${(this.form.value.name || "experiment").toLowerCase().replace(/[^a-z0-9]+/g, "-")}.yaml`;
    link.click();
    URL.revokeObjectURL(link.href);
  }

  async #load() {
    const [file] = this.file.files;
    this.file.value = "";
    if (!file) return;
    try {
      if (file.size > 64_000) throw new Error("an experiment is shorter than 64 kB.");
      const { experiment } = await fetchJSON("/playground/read", await file.text());
      this.open(experiment);
      this.say(`${file.name} is open.`);
    } catch (error) {
      this.say(`${file.name} could not be opened: ${error.message}`, true);
    }
  }
}

/** Whether the clipboard took it: a page in a frame may not. */
async function copy(text) {
  if (!navigator.clipboard) return false;
  return navigator.clipboard.writeText(text).then(
    () => true,
    () => false,
  );
}

/** One training step on a processor of 2024, one thread: what the server says of the family, and the products. */
function microseconds({ weights, step }, batch) {
  return step.overhead + A_PRODUCT * step.passes * weights * batch;
}

function button(name, title, act) {
  const element = document.createElement("button");
  Object.assign(element, { type: "button", className: "pg-tool", title });
  element.dataset.tool = name;
  element.setAttribute("aria-label", title);
  element.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`;
  element.addEventListener("click", act);
  return element;
}
