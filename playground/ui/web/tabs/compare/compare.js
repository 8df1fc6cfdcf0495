/**
 * The compare tab: two to four experiments side by side, on linked axes, clocks and starting points.
 *
 * They come from presets, from the Studio (pinned as they are now, so that the Studio may train on) and from files; with
 * an equal budget the server trains them all anew by turns. Below: what differs, quality against evaluations and against
 * training time. A probe dropped in one picture runs through all.
 */

import { textOf } from "../../common/codec.js";
import { CompareCharts } from "./charts.js";
import { compact } from "../compact.js";
import { CompareTable } from "./table.js";
import { Differs } from "../../stage/differs.js";
import { fetchJSON, pageKey } from "../../api/client.js";
import { FLOOR } from "../../scene/against.js";
import { Panels } from "../../stage/panels.js";
import { times } from "../../common/numbers.js";
import { readNewProps } from "../../api/props.js";
import { UnderWay } from "../underway.js";

const MOST = 4;
const FIRST = ["ring", "gan_tuned"]; // or those that the link names: ?tab=compare&compare=neural_ode,two_moons
const LETTERS = "ABCD";
const BUDGETS = {
  none: { label: "as trained", title: "Each as it came, with the training that it had" },
  seconds: {
    label: "compute time",
    unit: "s each",
    min: 2,
    max: 30,
    step: 1,
    value: 5,
    title: "Train all again, each for the same processor time",
  },
  steps: {
    label: "gradient steps",
    unit: "steps each",
    min: 500,
    max: 10_000,
    step: 500,
    value: 2000,
    title: "Train all again, each for the same number of steps",
  },
};

const PAGE = `
  <p class="pg-lead">Any two to four experiments on one clock: the same axes, the same starting points where they share a
    source, one step slider. Click into a picture and the probe runs through all of them.</p>
  <div class="pg-bar" role="group" aria-label="What is compared">
    <label class="pg-choose">Add <select data-part="add"><option value="">an experiment …</option></select></label>
    <button type="button" data-do="open" title="A run that was saved to a folder: choose its experiment.yaml and run.safetensors">Open a saved run</button>
    <input type="file" data-part="files" multiple accept=".yaml,.yml,.safetensors" hidden>
    <button type="button" data-do="pin" title="Keep the Studio's run as it is now beside the others">Pin the Studio's run</button>
    <fieldset class="pg-switch"><legend>Budget</legend>${Object.entries(BUDGETS)
      .map(
        ([value, { label, title }], k) => `
      <label title="${title}"><input type="radio" name="pg-equal" value="${value}"${k ? "" : " checked"}><span>${label}</span></label>`,
      )
      .join("")}</fieldset>
    <label class="pg-amount" hidden><span class="pg-unseen">Budget</span><input type="range" data-part="amount"><output data-part="amount-value"></output></label>
    <button type="button" class="pg-primary" data-do="train" hidden>Train all</button>
    <button type="button" data-do="stop" hidden>Stop</button>
  </div>
  <div data-part="underway"></div>
  <p class="pg-problem" data-part="problem" role="alert"></p>
  <div data-part="differs"></div>
  <div data-part="panels"></div>
  <section data-part="table" class="pg-compare-table" aria-label="Differences"></section>
  <section data-part="charts" class="pg-compare-charts" aria-label="Charts"></section>`;

export function mount(part, { props, watch, desk }, page) {
  const compare = new Compare(part, { props, watch, desk, page });
  page.compare.resolve(compare);
}

class Compare {
  constructor(root, { props, watch, desk, page }) {
    root.classList.add("pg-compare");
    root.innerHTML = PAGE;
    compact(root);
    Object.assign(this, { root, desk, page, entries: [], count: 0, contest: null, state: "empty" });
    this.parts = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]));
    this.buttons = Object.fromEntries([...root.querySelectorAll("[data-do]")].map((node) => [node.dataset.do, node]));
    this.panels = new Panels(this.parts.panels, { sampler: page.sampler });
    this.panels.setSampling({ solver: "heun", steps: 16 });
    this.underway = new UnderWay(this.parts.underway);
    this.table = new CompareTable(this.parts.table, page.sampler);
    this.charts = new CompareCharts(this.parts.charts, page.sampler);
    this.counters = {
      state: "empty",
      entries: () => this.entries.map(({ key, title }) => [key, title]),
      table: this.table.values,
    };
    (window.__playground ??= { stages: [] }).compare = this.counters;
    this.parts.add.addEventListener("change", () => this.#addChosen());
    this.buttons.open.addEventListener("click", () => this.parts.files.click());
    this.parts.files.addEventListener("change", () => this.#addFiles());
    this.buttons.pin.addEventListener("click", () => this.pin());
    this.buttons.train.addEventListener("click", () => this.#train());
    this.buttons.stop.addEventListener("click", () => this.desk.ask("stop", {}));
    for (const radio of root.querySelectorAll("[name=pg-equal]")) radio.addEventListener("change", () => this.#offer());
    this.parts.amount.addEventListener("input", () => this.#showAmount());
    this.panels.root.addEventListener("pg:sampled", (event) => this.#sampled(event));
    this.panels.root.addEventListener("pg:distance", (event) => this.#judged(event));
    this.panels.root.addEventListener("pg:caption", (event) => this.#caption(event));
    this.differs = new Differs(this.parts.differs, {
      train: () => this.#train(),
      back: () => {
        root.querySelector("[name=pg-equal][value=none]").checked = true;
        this.#offer();
      },
    });
    this.#listen(props, watch);
    this.opening = this.#open();
  }

  get #budget() {
    return this.root.querySelector("[name=pg-equal]:checked").value;
  }

  // ---------------------------------------------------------------------------------------------- what is compared

  async #open() {
    const { presets } = await this.page.ready.header.promise;
    for (const { key, name } of presets) this.parts.add.append(new Option(name, key));
    const asked = new URLSearchParams(window.location.search).get("compare")?.split(",").slice(0, MOST);
    for (const key of asked ?? FIRST) await this.addPreset(key, presets.find((one) => one.key === key)?.name ?? key);
  }

  async #addChosen() {
    const { add } = this.parts;
    const [key, name] = [add.value, add.selectedOptions[0].textContent];
    add.value = "";
    if (key) await this.addPreset(key, name);
  }

  async addPreset(key, name) {
    try {
      this.#add(await fetchJSON(`/playground/presets/${encodeURIComponent(key)}.json`), name, {
        page: await pageKey(),
        run: `preset ${key}`,
      });
    } catch (error) {
      this.#say(`This experiment could not be opened: ${error.message}`);
    }
  }

  /** The two files of a saved run, as `Run.save` writes them. */
  async #addFiles() {
    const files = [...this.parts.files.files];
    this.parts.files.value = "";
    const yaml = files.find(({ name }) => /\.ya?ml$/.test(name));
    const weights = files.find(({ name }) => name.endsWith(".safetensors"));
    if (!yaml || !weights) return this.#say("Choose both files of a saved run: experiment.yaml and run.safetensors.");
    try {
      const page = await pageKey();
      const body = { page, yaml: await yaml.text(), weights: textOf(new Uint8Array(await weights.arrayBuffer())) };
      const run = await fetchJSON("/playground/saved", JSON.stringify(body));
      const title = titleOf(run.scene.experiment);
      this.#add(run, `${title} (saved)`, { page, run: run.scene.run });
    } catch (error) {
      this.#say(`This run could not be opened: ${error.message}`);
    }
  }

  /** Keeps what the Studio shows beside the others: a preset, or a copy of its run so far. */
  async pin() {
    await this.opening;
    const { scene } = (await this.page.ready.stage.promise).state;
    if (!scene?.network) return this.#say("The Studio has nothing trained yet: train there first, then pin its run.");
    const page = await pageKey();
    try {
      const [, preset] = /^preset (.*)$/.exec(scene.run) ?? [];
      const path = preset
        ? `/playground/presets/${encodeURIComponent(preset)}.json`
        : `/playground/pinned/${page}.json`;
      const run = (await fetchJSON(path)) ?? (await fetchJSON(`/playground/runs/${page}.json`)); // as far as it is trained
      if (!run) return this.#say("The server no longer has the Studio's run; train it again.");
      const title = titleOf(run.scene.experiment);
      this.#add(run, preset ? title : `${title} (pinned)`, { page, run: run.scene.run });
    } catch (error) {
      this.#say(`The Studio's run could not be pinned: ${error.message}`);
    }
  }

  /** origin: {page, run} as the server knows it. */
  #add({ scene, snapshots }, title, origin) {
    if (this.entries.length === MOST) return this.#say(`${MOST} is the most: remove one first.`);
    if (this.entries.length && this.entries[0].scene.dim !== scene.dim) {
      return this.#say(
        `${title} has ${scene.dim} dimensions and the others ${this.entries[0].scene.dim}: compare what has as many.`,
      );
    }
    this.#say("");
    const key = `entry ${++this.count}`;
    const run = `compared ${this.count}`;
    const network = scene.network?.remote ? { ...scene.network, origin: { run: scene.run, round: 0 } } : scene.network;
    const entry = {
      key,
      title,
      experiment: scene.experiment,
      scene: { ...scene, run, network, origin: scene.origin ?? { run: scene.run, round: 0 } },
      snapshots,
      origin,
    };
    this.entries.push(entry);
    this.#furnish(entry);
    const { stage } = entry.panel;
    stage.setScene(entry.scene);
    stage.apply(this.panels.controls.choices);
    for (const snapshot of snapshots) stage.addSnapshot({ ...snapshot, run });
    this.#changed();
  }

  #furnish(entry) {
    const { key, title } = entry;
    entry.panel = this.panels.add(key, title);
    const { head } = entry.panel;
    head.innerHTML = `<div class="pg-entry"><i></i><span data-about></span>
      <button type="button" data-open title="Open this experiment in the Studio">Studio</button>
      <button type="button" data-remove aria-label="Remove ${title.replaceAll('"', "")}" title="Remove">×</button></div>
      <p class="pg-verdict" title="Sliced W2 of this picture: the distance between its end points and real target samples. ${FLOOR}">Sliced W<sub>2</sub>
        <b data-verdict>–</b> <span data-floors></span></p>`;
    head.querySelector("[data-remove]").addEventListener("click", () => this.#remove(entry));
    head.querySelector("[data-open]").addEventListener("click", () => {
      const { scene, snapshots } = entry;
      this.page.openInStudio({
        scene: { ...scene, run: `${scene.run} in the Studio` },
        snapshots: snapshots.map((one) => ({ ...one, run: `${scene.run} in the Studio` })),
      });
    });
  }

  #remove(entry) {
    this.entries = this.entries.filter((one) => one !== entry);
    this.panels.remove(entry.key);
    this.#changed();
  }

  /** Letters, colours and axes of all; table and charts anew. */
  #changed() {
    const views = this.entries.map(({ scene }) => scene.own ?? scene.view);
    const view = together(views);
    this.entries.forEach((entry, k) => {
      entry.letter = LETTERS[k];
      entry.panel.element.style.setProperty("--entry", `var(--pg-series-${k + 1})`);
      entry.panel.head.querySelector("i").textContent = entry.letter;
      const { state } = entry.panel.stage;
      entry.scene.own ??= entry.scene.view;
      if (state.scene && JSON.stringify(state.scene.view) !== JSON.stringify(view)) {
        Object.assign(state.scene, { view });
        entry.panel.stage.fit();
      }
      entry.panel.stage.restyle();
    });
    this.table.show(this.entries);
    this.charts.show(this.entries);
    this.#compare();
    this.buttons.train.disabled = this.entries.length < 1;
    this.#become(this.state === "training" ? "training" : "ready");
  }

  // ---------------------------------------------------------------------------------------------- an equal budget

  #offer() {
    const { min, max, step, value } = BUDGETS[this.#budget];
    const none = this.#budget === "none";
    if (none) for (const entry of this.entries) this.#asItCame(entry);
    this.root.querySelector(".pg-amount").hidden = none;
    this.#become(this.state);
    if (!none) Object.assign(this.parts.amount, { min, max, step, value });
    this.#showAmount();
  }

  /** Shows the training that an entry came with again, where it was trained anew since. */
  #asItCame(entry) {
    if (!entry.came || this.state === "training") return;
    Object.assign(entry, entry.came, { came: null, trained: null, charged: undefined });
    const { stage } = entry.panel;
    stage.setScene(entry.scene);
    stage.apply(this.panels.controls.choices);
    for (const snapshot of entry.snapshots) stage.addSnapshot({ ...snapshot, run: entry.scene.run });
    this.#changed();
  }

  #showAmount() {
    const { amount } = this.parts;
    const { unit } = BUDGETS[this.#budget];
    if (unit) this.parts["amount-value"].textContent = `${amount.valueAsNumber.toLocaleString("en")} ${unit}`;
    this.#compare();
  }

  /** The budget that is chosen, in words; nothing where all are as they came. */
  get #wanted() {
    return this.#budget === "none" ? null : this.parts["amount-value"].textContent;
  }

  /** Says which of the pictures were not trained with the budget that is chosen. */
  #compare() {
    const wanted = this.#wanted;
    const others = wanted === null ? [] : this.entries.filter(({ trained = null }) => trained !== wanted);
    const letters = others.map(({ letter }) => letter).join(", ");
    const differs = letters && this.state !== "training";
    this.differs.show(differs ? `${wanted}; ${letters} ${others.length > 1 ? "are" : "is"} shown as captioned` : "");
    this.root.toggleAttribute("data-differs", Boolean(differs));
  }

  #train() {
    const entrants = this.entries.map(({ key, title, experiment }) => ({
      key: key.replace(" ", "-"),
      title,
      experiment,
    }));
    this.#say("");
    this.panels.lookAtShare(1);
    this.desk.ask("train", { entrants, budget: this.#budget, amount: this.parts.amount.valueAsNumber });
    this.asked = this.#wanted;
    this.underway.begin(this.entries.length, this.#budget, this.parts.amount.valueAsNumber);
    this.#become("training");
  }

  #listen(props, watch) {
    const fresh = readNewProps(props);
    const read = () => {
      const [scene, value, problems] = [fresh("scene"), fresh("value"), fresh("problems")];
      if (scene) this.#begin(scene);
      if (value?.shots) this.#shots(value);
      if (!problems) return;
      this.#say(problems.map(({ sentence }) => sentence).join(" "));
      if (problems.length) this.#become("ready");
    };
    watch(read);
    read();
  }

  #entry(key) {
    return this.entries.find((entry) => entry.key.replace(" ", "-") === key);
  }

  #begin({ contest, panels }) {
    this.contest = contest;
    for (const { key, scene } of panels) {
      const entry = this.#entry(key);
      if (!entry) continue;
      const origin = { page: this.desk.key, run: scene.run };
      const network = scene.network.remote ? { ...scene.network, origin: { ...origin, round: 0 } } : scene.network;
      entry.came ??= { scene: entry.scene, snapshots: entry.snapshots, origin: entry.origin };
      Object.assign(entry, {
        trained: this.asked,
        scene: { ...scene, network, own: scene.view, origin: { ...origin, round: 0 } },
        snapshots: [],
        origin,
      });
      entry.panel.stage.setScene(entry.scene);
      entry.panel.stage.apply(this.panels.controls.choices);
    }
    this.#changed();
  }

  #shots({ contest, shots, stopped }) {
    if (contest !== this.contest) return;
    for (const { key, charged, shot } of shots) {
      const entry = this.#entry(key);
      if (!entry) continue;
      entry.charged = charged;
      this.underway.heard(key, charged, shot);
      entry.snapshots.push(shot);
      entry.panel.stage.addSnapshot(shot);
    }
    if (!stopped) return;
    this.#become("ready");
    this.#changed();
  }

  #sampled(event) {
    const panel = this.panels.of(event);
    const entry = this.entries.find((one) => one.panel === panel);
    if (entry) this.table.picture(entry, event.detail);
  }

  /** The verdict on one picture, above it. */
  #judged(event) {
    const { head } = this.panels.of(event);
    const { value, floor } = event.detail;
    head.querySelector("[data-verdict]").textContent = value.toFixed(3);
    head.querySelector("[data-floors]").textContent = times(value, floor, "floor");
  }

  /** Each panel says what it shows. */
  #caption(event) {
    const about = this.panels.of(event)?.head.querySelector("[data-about]");
    if (about) about.textContent = event.detail.text;
  }

  #say(text) {
    this.parts.problem.textContent = text;
  }

  #become(state) {
    this.state = this.counters.state = this.root.dataset.state = state;
    const busy = state === "training";
    if (!busy) this.underway.end();
    this.#compare();
    const { train, stop, pin, open } = this.buttons;
    train.hidden = busy || this.#budget === "none";
    stop.hidden = !busy;
    pin.disabled = open.disabled = this.parts.add.disabled = busy || this.entries.length === MOST;
    for (const button of this.root.querySelectorAll("[data-remove]")) button.disabled = busy;
  }
}

/** One square that shows all views. */
function together(views) {
  if (!views.length) return null;
  const axes = views[0].center.map((_, axis) => {
    const low = Math.min(...views.map(({ center, half }) => center[axis] - half));
    const high = Math.max(...views.map(({ center, half }) => center[axis] + half));
    return [low, high];
  });
  return {
    center: axes.map(([low, high]) => (low + high) / 2),
    half: Math.max(...axes.map(([low, high]) => (high - low) / 2)),
  };
}

const titleOf = ({ name, model, target }) => name || `${kindOf(model)}, ${kindOf(target)}`;
const kindOf = (choice) => String(choice.kind ?? choice).replaceAll("_", " ");
