/**
 * The mode-collapse tab: a GAN by a recipe that collapses, the same GAN tuned, and a flow, side by side on one clock.
 *
 * It opens with what was trained before (the presets); Train lets the server train all anew, by turns, until each has had
 * the same computing time or the same steps. Below each picture its modes are counted; see mode-card.js.
 */

import { fetchJSON } from "../../api/client.js";
import { compact } from "../compact.js";
import { ModeCard } from "./mode-card.js";
import { Panels } from "../../stage/panels.js";
import { SeedTable } from "./seed-table.js";
import { SlowMotion } from "./slow-motion.js";
import { UNKNOWN_STEPS } from "../../scene/track.js";
import { readNewProps } from "../../api/props.js";
import { UnderWay } from "../underway.js";

const ENTRANTS = [
  {
    key: "collapsing",
    presets: { ring: "gan_collapsing", grid: "gan_grid_collapsing" },
    title: "GAN, collapsing recipe",
    about: "Raw coordinates, β₁ = 0.9, constant rate, no average, a generator five times as fast as its critic.",
  },
  {
    key: "tuned",
    presets: { ring: "gan_tuned", grid: "gan_grid_tuned" },
    title: "The same GAN, tuned",
    about: "Standardised, β₁ = 0.5, falling rate, R1 = R2 = 0.02.",
  },
  {
    key: "flow",
    presets: { ring: "ring", grid: "grid_apart" },
    title: "Flow matching",
    about: "The default flow: nothing to tune, nothing to lose.",
  },
];
/** The budgets are about what the trainings took that the tab opens with. */
const TARGETS = {
  ring: { label: "Ring of 8", budget: { seconds: 8, steps: 3000 } },
  grid: { label: "Grid of 25", budget: { seconds: 40, steps: 8000 } },
};
const BUDGETS = {
  seconds: {
    label: "compute time",
    unit: "s each",
    min: 2,
    max: 60,
    step: 1,
    title: "Each model gets the same processor time of the server",
  },
  steps: {
    label: "gradient steps",
    unit: "steps each",
    min: 500,
    max: 10_000,
    step: 500,
    title: "Each model takes the same number of steps, whatever they cost",
  },
};
const LAYERS = ["particles", "surface", "pull"];

const radios = (name, choices) =>
  Object.entries(choices)
    .map(
      ([value, { label, title = "" }], k) =>
        `<label title="${title}"><input type="radio" name="pg-${name}" value="${value}"${k ? "" : " checked"}><span>${label}</span></label>`,
    )
    .join("");

const PAGE = `
  <p class="pg-lead">A GAN learns from its critic alone, and nothing in its loss asks for <em>every</em> mode; a flow is
    asked for all of them at once. Whether a GAN collapses depends on its recipe: the first one here does, the second is the
    cure, if it is given the time. Purple is what the critic takes for generated, green for real; arrows show where it pulls.</p>
  <div class="pg-bar" role="group" aria-label="Training of all models">
    <button type="button" class="pg-primary" data-do="train">Train all</button>
    <button type="button" data-do="stop" hidden>Stop</button>
    <button type="button" data-do="resume" hidden>Continue</button>
    <fieldset class="pg-switch"><legend>Target</legend>${radios("target", TARGETS)}</fieldset>
    <fieldset class="pg-switch"><legend>Equal</legend>${radios("budget", BUDGETS)}</fieldset>
    <label class="pg-amount"><span class="pg-unseen">Budget</span><input type="range" data-part="amount"><output data-part="amount-value"></output></label>
    <button type="button" data-do="seeds" title="Trains every model from five seeds, fifteen trainings in all, and counts the modes that each reaches">Run 5 seeds</button>
  </div>
  <div data-part="underway"></div>
  <p class="pg-problem" data-part="problem" role="alert"></p>
  <div data-part="seeds"></div>
  <div data-part="panels"></div>`;

export function mount(part, { props, watch, desk }, page) {
  return new Collapse(part, { props, watch, desk, page });
}

class Collapse {
  constructor(root, { props, watch, desk, page }) {
    root.classList.add("pg-collapse");
    root.innerHTML = PAGE;
    compact(root);
    Object.assign(this, {
      root,
      desk,
      page,
      cards: new Map(),
      presets: new Map(),
      contest: null,
      fromPresets: false,
      state: "empty",
    });
    this.parts = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]));
    this.buttons = Object.fromEntries([...root.querySelectorAll("[data-do]")].map((node) => [node.dataset.do, node]));
    this.panels = new Panels(this.parts.panels, { sampler: page.sampler });
    this.panels.setSampling({ solver: "heun", steps: 12 });
    this.underway = new UnderWay(this.parts.underway);
    this.seeds = new SeedTable(this.parts.seeds, ENTRANTS);
    this.counters = { shots: 0, state: this.state, figures: () => this.figures };
    (window.__playground ??= { stages: [] }).collapse = this.counters;
    for (const name of ["train", "stop", "resume"]) this.buttons[name].addEventListener("click", () => this[name]());
    this.buttons.seeds.addEventListener("click", () => this.trySeeds());
    for (const radio of root.querySelectorAll("[name=pg-budget]"))
      radio.addEventListener("change", () => this.#offer());
    for (const radio of root.querySelectorAll("[name=pg-target]"))
      radio.addEventListener("change", () => this.#retarget());
    this.parts.amount.addEventListener("input", () => this.#showAmount());
    for (const { key, title } of ENTRANTS) this.#furnish(this.panels.add(key, title), key);
    this.slow = new SlowMotion((turn, key, repeat) => this.#ask("step", { turn, key, repeat }));
    this.#offer();
    this.#listen(props, watch);
    this.#showPresets();
  }

  get #target() {
    return this.root.querySelector("[name=pg-target]:checked").value;
  }

  get #budget() {
    return this.root.querySelector("[name=pg-budget]:checked").value;
  }

  /** What each panel shows, by its key. */
  get figures() {
    return Object.fromEntries([...this.cards].map(([key, card]) => [key, card.figures]));
  }

  #furnish({ stage, head, foot, element }, key) {
    const { about } = ENTRANTS.find((one) => one.key === key);
    head.innerHTML = `<p class="pg-recipe" title="${about}">${about}</p><p class="pg-charged" data-charged></p>`;
    const tools = document.createElement("div");
    tools.className = "pg-turns";
    foot.append(tools);
    if (key === "flow") tools.textContent = "One network, one regression: no game.";
    else {
      tools.innerHTML = `
        <button type="button" data-turn="critic" title="One step of the critic alone: its surface moves. Of a model that was trained before it goes on from its weights.">Step D</button>
        <button type="button" data-turn="generator" title="One step of the generator alone: its points move. Of a model that was trained before it goes on from its weights.">Step G</button>
        <button type="button" data-turn="both" title="One step of each. Of a model that was trained before it goes on from its weights.">Both</button>
        <button type="button" data-slow aria-pressed="false" title="Walks through the updates one after another">Slow motion</button>
        <span data-beat role="status"></span>`;
      tools.addEventListener("click", ({ target }) => {
        if (target.dataset.turn) this.#ask("step", { turn: target.dataset.turn, key, repeat: 1 });
        else if ("slow" in target.dataset) this.slow.toggle(key, target, tools.querySelector("[data-beat]"));
      });
    }
    const [verdict, figures] = [document.createElement("div"), document.createElement("div")];
    head.append(verdict);
    foot.append(figures);
    this.cards.set(key, new ModeCard(verdict, figures, stage, this.page.sampler));
    stage.apply({ layers: LAYERS });
    element.dataset.entrant = key;
  }

  // ---------------------------------------------------------------------------------------------- what is shown at first

  /** What was trained before for the target that is chosen. */
  async #open() {
    const target = this.#target;
    try {
      const found = await Promise.all(
        ENTRANTS.map(async ({ key, presets }) => [key, await fetchJSON(`/playground/presets/${presets[target]}.json`)]),
      );
      this.presets.set(target, new Map(found));
    } catch (error) {
      this.#say(`The models could not be opened: ${error.message}`);
    }
  }

  async #showPresets() {
    const target = this.#target;
    if (!this.presets.has(target)) await this.#open();
    const presets = this.presets.get(target);
    if (!presets || this.contest || target !== this.#target || this.state === "training") return;
    for (const [key, { scene, snapshots }] of presets) {
      const { stage, head } = this.panels.get(key);
      const run = `${key} ${scene.run}`; // a name of this tab's own: the Studio may show the same preset
      stage.setScene({ ...scene, run });
      stage.apply(this.panels.controls.choices);
      for (const snapshot of snapshots) stage.addSnapshot({ ...snapshot, run });
      const { steps, seconds } = snapshots.at(-1);
      head.querySelector("[data-charged]").textContent =
        `${steps.toLocaleString("en")} steps in ${seconds.toFixed(1)} s of computing, trained before`;
    }
    this.fromPresets = true;
    this.#become("ready");
  }

  #retarget() {
    if (this.state === "training") this.stop();
    this.contest = null;
    this.slow.stop();
    this.#offer();
    this.#become("waiting");
    return this.#showPresets();
  }

  #offer() {
    const { min, max, step } = BUDGETS[this.#budget];
    Object.assign(this.parts.amount, { min, max, step, value: TARGETS[this.#target].budget[this.#budget] });
    this.#showAmount();
  }

  #showAmount() {
    const { amount } = this.parts;
    amount.style.setProperty("--fill", (amount.value - amount.min) / (amount.max - amount.min));
    this.parts["amount-value"].textContent =
      `${amount.valueAsNumber.toLocaleString("en")} ${BUDGETS[this.#budget].unit}`;
  }

  // ---------------------------------------------------------------------------------------------- asking

  train() {
    this.slow.stop();
    this.panels.lookAtShare(1);
    this.#ask("train");
    this.underway.begin(ENTRANTS.length, this.#budget, this.parts.amount.valueAsNumber);
    this.#become("training");
  }

  resume() {
    this.slow.stop();
    this.#ask("resume");
    this.underway.begin(ENTRANTS.length, this.#budget, this.parts.amount.valueAsNumber);
    this.#become("training");
  }

  stop() {
    this.slow.stop();
    this.#ask("stop");
  }

  trySeeds() {
    this.slow.stop();
    this.#ask("seeds", { count: 5 });
    this.seeds.begin(
      `${TARGETS[this.#target].label}, ${this.parts["amount-value"].textContent} (${BUDGETS[this.#budget].label}), 2,500 samples`,
    );
    this.#become("training");
  }

  async #ask(verb, more = {}) {
    const target = this.#target;
    if (!this.presets.has(target)) await this.#open();
    const presets = this.presets.get(target);
    if (!presets) return;
    const goesOn = verb === "step" && this.fromPresets;
    if (goesOn) this.panels.lookAtShare(1); // the steps follow the last snapshot
    const entrants = ENTRANTS.map(({ key, title, presets: names }) => ({
      key,
      title,
      experiment: presets.get(key).scene.experiment,
      ...(goesOn ? { preset: names[target] } : {}),
    }));
    this.#say("");
    this.desk.ask(verb, { entrants, budget: this.#budget, amount: this.parts.amount.valueAsNumber, ...more });
  }

  // ---------------------------------------------------------------------------------------------- hearing

  #listen(props, watch) {
    const fresh = readNewProps(props);
    const read = () => {
      const [scene, value, problems] = [fresh("scene"), fresh("value"), fresh("problems")];
      if (scene) this.#begin(scene);
      if (value?.seeds) this.#showSeeds(value.seeds);
      if (value?.shots) this.#add(value);
      if (problems) {
        this.#say(problems.map(({ sentence }) => sentence).join(" "));
        if (problems.length) this.#become("ready");
      }
    };
    watch(read);
    read();
  }

  #begin({ contest, panels }) {
    this.contest = contest;
    this.fromPresets = false;
    for (const { key, scene } of panels) {
      const { stage } = this.panels.get(key);
      stage.setScene(scene);
      stage.apply(this.panels.controls.choices);
    }
    this.panels.lookAtShare(1);
  }

  #add({ contest, of_presets: ofPresets, shots, stopped }) {
    if (ofPresets ? !this.fromPresets : contest !== this.contest) return;
    for (const { key, charged, shot } of shots) {
      const { stage, head } = this.panels.get(key);
      stage.addSnapshot(ofPresets ? { ...shot, run: stage.state.scene.run } : shot);
      this.underway.heard(key, charged, shot);
      const all = !ofPresets && shot.steps < UNKNOWN_STEPS ? ` of ${shot.steps.toLocaleString("en")}` : "";
      const steps = `step ${shot.step.toLocaleString("en")}${all}`;
      head.querySelector("[data-charged]").textContent = ofPresets
        ? `${steps}: on from the trained weights, with Adam begun anew at a third of the rate`
        : `${charged.toFixed(1)} s of computing · ${steps}`;
      this.counters.shots += 1;
    }
    if (stopped) this.#become("ready");
    this.slow.heard();
  }

  #showSeeds(seeds) {
    this.seeds.show(seeds);
    if (seeds.ended) this.#become("ready");
  }

  #say(text) {
    this.parts.problem.textContent = text;
  }

  #become(state) {
    this.state = this.counters.state = state;
    this.root.dataset.state = state;
    const busy = state === "training";
    if (!busy) this.underway.end();
    const { train, stop, resume, seeds } = this.buttons;
    train.hidden = seeds.disabled = busy;
    stop.hidden = !busy;
    resume.hidden = busy || !this.contest;
    for (const button of this.root.querySelectorAll("[data-turn], [data-slow]")) button.disabled = busy;
  }
}
