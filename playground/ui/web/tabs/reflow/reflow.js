/**
 * The Reflow tab: a flow, the flow of its pairs, and so on, then a map of one call, side by side on one clock, all from
 * the same start points. One button trains them in order; every panel's figures are worked out here, from the weights.
 */

import { belowOptimal, pathEnergy } from "../../scene/against.js";
import { Chart, themeOf } from "../../figures/charts/chart.js";
import { rounded } from "../../common/numbers.js";
import { Panels } from "../../stage/panels.js";
import { bendingChart, costChart, qualityChart, straightnessChart } from "./charts.js";
import { RoundFigures } from "./figures.js";
import { coloursOf, drawMaps } from "./maps.js";
import { Progress } from "../../common/announce.js";
import { compact } from "../compact.js";
import { Chosen } from "./chosen.js";
import { Differs } from "../../stage/differs.js";
import { told } from "../../form/differences.js";
import { FOOT, HEAD, HEATS, pageOf } from "./markup.js";
import { RoundTable } from "./table.js";
import { fetchJSON } from "../../api/client.js";
import { readNewProps } from "../../api/props.js";

const PRESET = "rectified-flow-checkerboard";
const CHARTS = { straightness: straightnessChart, quality: qualityChart, cost: costChart, bending: bendingChart };
/** Between two redrawings of the charts, and of the maps while the clock runs (ms). */
const [DRAW_EVERY, MAP_EVERY] = [400, 120];
const LAYERS = ["particles", "paths"];

export function mount(part, options, page) {
  return new Reflow(part, options, page);
}

class Reflow {
  constructor(root, { props, watch, desk }, page) {
    root.classList.add("pg-reflow");
    root.innerHTML = pageOf(Object.keys(CHARTS));
    compact(root);
    Object.assign(this, {
      root,
      desk,
      page,
      run: null,
      rounds: [],
      state: "empty",
      charts: {},
      reference: null,
      due: 0,
      mapped: 0,
    });
    this.parts = Object.fromEntries(
      [...root.querySelectorAll(":scope > [data-part], .pg-bar [data-part]")].map((node) => [node.dataset.part, node]),
    );
    this.buttons = Object.fromEntries([...root.querySelectorAll("[data-do]")].map((node) => [node.dataset.do, node]));
    this.panels = new Panels(this.parts.panels, { sampler: page.sampler, history: false });
    this.panels.setSampling({ solver: "euler", steps: 32 });
    this.figures = new RoundFigures((index) => this.#measured(index));
    this.table = new RoundTable(this.parts.table);
    this.counters = { state: this.state, figures: () => this.#told() };
    (window.__playground ??= { stages: [] }).reflow = this.counters;
    for (const name of ["train", "stop", "resume"]) this.buttons[name].addEventListener("click", () => this[name]());
    this.panels.root.addEventListener("pg:sampled", (event) => this.#sampled(event));
    this.panels.root.addEventListener("pg:deck", ({ detail }) => {
      if (detail.sampling) this.figures.disturb();
      this.#moved();
    });
    for (const field of root.querySelectorAll("input[type=number]")) {
      field.addEventListener("change", () => (field.value ||= field.defaultValue)); // an empty one is its default again
    }
    const redraw = () => this.#draw();
    this.colours = new MutationObserver(() => (this.#drawMaps(), redraw()));
    for (const node of [document.documentElement, document.body])
      this.colours.observe(node, { attributes: true, attributeFilter: ["class"] });
    this.#become("empty");
    this.#listen(props, watch);
    this.differs = new Differs(this.parts.differs, {
      train: () => this.train(),
      back: () => (this.chosen.show(this.shown), this.#compare()),
    });
    for (const name of ["input", "change", "pointerenter"]) root.addEventListener(name, () => this.#compare());
    this.#choose().then(() => this.#open());
  }

  // ---------------------------------------------------------------------------------------------- what is asked for

  async #choose() {
    const [description, { form }] = await Promise.all([
      fetchJSON("/playground/form.json"),
      this.page.ready.form.promise,
    ]);
    this.chosen = new Chosen(this.root, this.parts, description, () => form.value);
  }

  async train() {
    this.#say("");
    this.progress = new Progress(); // what was trained before is not told
    this.#become("training");
    this.experiment = this.chosen.experiment(this.shown);
    this.desk.ask("train", { experiment: this.experiment });
  }

  resume() {
    this.#become("training");
    this.desk.ask("resume", { experiment: this.experiment });
  }

  stop() {
    this.desk.ask("stop", {});
  }

  // ---------------------------------------------------------------------------------------------- what is shown

  /** What was trained before, so that there is something to see at once. */
  async #open() {
    try {
      const { scene, snapshots } = await fetchJSON(`/playground/presets/${PRESET}.json`);
      if (this.state !== "empty") return;
      const run = `reflow ${scene.run}`; // a name of this tab's own: the Studio may show the same preset
      this.#begin({ ...scene, run, origin: { run: scene.run, round: 0 } });
      for (const snapshot of snapshots) this.#add({ ...snapshot, run });
      this.panels.play();
    } catch (error) {
      this.#say(`The first example could not be opened: ${error.message}`);
    }
  }

  #listen(props, watch) {
    const fresh = readNewProps(props);
    const read = () => {
      const [scene, snapshot, problems] = [fresh("scene"), fresh("value"), fresh("problems")];
      const own = (message) => ({ ...message, run: `reflow ${message.run}` });
      if (scene) this.#begin({ ...own(scene), origin: { page: this.desk.key, run: scene.run, round: 0 } });
      if (snapshot) this.#add(own(snapshot));
      if (problems?.length) {
        this.#say(problems.map(({ path, sentence }) => [...(path ?? []).slice(-1), sentence].join(": ")).join(" "));
        this.#become(this.rounds.length ? "ready" : "empty");
      }
    };
    watch(read);
    read();
  }

  /** A new run: a panel for every round, which waits for its turn. */
  #begin(scene) {
    const { experiment } = scene;
    const { rounds, distill } = experiment.model;
    const names = [...Array.from({ length: rounds }, (_, k) => `flow ${k + 1}`), ...(distill ? ["distilled"] : [])];
    Object.assign(this, { run: scene.run, scene, names, shown: experiment, experiment, reference: null });
    this.panels.clear();
    this.figures.begin(scene);
    this.parts.heats.replaceChildren();
    this.parts.heats.style.setProperty("--panels", names.length);
    this.table.begin(names.map(titleOf));
    this.rounds = names.map((name, index) => this.#panel(name, index, scene));
    this.parts.progress.innerHTML = names
      .map((name) => titleOf(name).split(":")[0])
      .map(
        (title) =>
          `<li data-state="waiting"><span>${title}</span><progress max="1" value="0" aria-label="${title}"></progress><small></small></li>`,
      )
      .join("");
    this.chosen?.show(experiment);
    const { model, between, seed } = scene.summary;
    this.parts.shows.textContent = ["Shown", model, between, names.join(", then "), `seed ${seed}`].join(" · ");
    this.#compare();
    this.#refer(scene);
    this.#draw();
  }

  #panel(name, index, scene) {
    const sampler = { ...this.panels.controls.sampling }; // what the slider says, whatever the experiment does
    const panel = this.panels.add(name, titleOf(name));
    panel.head.innerHTML = HEAD;
    panel.foot.innerHTML = FOOT;
    panel.stage.apply({ layers: LAYERS });
    panel.stage.setScene({ ...ownScene(scene, index), sampler, network: null });
    const waits = index ? `Waits for ${titleOf(this.names[index - 1]).toLowerCase()}.` : "The first to learn.";
    panel.stage.controls.showReady(false, waits);
    panel.foot.querySelector("[data-open]").addEventListener("click", () => this.#openInStudio(index));
    const heats = document.createElement("section");
    heats.setAttribute("aria-label", `Maps of ${titleOf(name)}`);
    heats.innerHTML = `<h4>${titleOf(name)}</h4>${HEATS}`;
    if (name === "distilled") heats.querySelector("figcaption").textContent = "misses the flow";
    this.parts.heats.append(heats);
    return {
      name,
      index,
      panel,
      heats,
      sampler,
      network: index === 0 ? scene.network : null,
      newest: null,
      done: false,
    };
  }

  /** Says whether what is chosen is what is shown. */
  #compare() {
    const { chosen, shown } = this;
    if (!chosen || !shown) return;
    const differing = chosen.differing(shown);
    this.differs.show(told(differing));
    this.root.toggleAttribute("data-differs", differing.length > 0);
  }

  #add(snapshot) {
    if (snapshot.run !== this.run) return;
    const round = this.rounds[snapshot.round];
    if (!round) return;
    for (const before of this.rounds.slice(0, snapshot.round)) if (!before.done) this.#finish(before);
    round.network ??= snapshot.network;
    const { stage } = round.panel;
    if (!round.newest) {
      round.run = `${this.run} ${round.name}`;
      stage.setScene({
        ...ownScene(this.scene, round.index),
        sampler: round.sampler,
        run: round.run,
        network: round.network,
        density: round.network.map ? null : this.scene.density,
      });
    }
    round.newest = snapshot;
    this.#tell(round, snapshot);
    const complete = snapshot.done || snapshot.step === snapshot.steps;
    const { network, ...plain } = snapshot;
    stage.addSnapshot({ ...plain, run: round.run, round: 0, done: complete });
    if (complete) this.#finish(round);
    const last = round === this.rounds.at(-1) && snapshot.step === snapshot.steps;
    if (snapshot.done) this.#become(last ? "done" : "ready");
    else if (this.state !== "training") this.#become("training");
  }

  /** A round whose last weights are here. One that was stopped early may go on: then it is measured again. */
  #finish(round) {
    const { newest, run, network, panel } = round;
    if (!newest || (round.measured === newest.id && round.done)) return;
    round.done = newest.step === newest.steps;
    round.measured = newest.id;
    panel.foot.querySelector("[data-open]").disabled = false;
    if (newest.step > 0)
      this.figures.add(round.index, { run, network, snapshot: { ...newest, name: titleOf(round.name) } });
  }

  #tell({ index, name }, { step, steps, prepared = 1, seconds, done }) {
    if (step === steps || done) this.progress?.end(`${titleOf(name)} has been trained.`);
    else this.progress?.hear(step / steps, titleOf(name));
    const item = this.parts.progress.children[index];
    const complete = step === steps;
    for (const before of [...this.parts.progress.children].slice(0, index)) before.dataset.state = "done";
    item.dataset.state = complete ? "done" : done ? "stopped" : "training";
    item.querySelector("progress").value = prepared < 1 ? prepared : step / steps;
    item.classList.toggle("pg-making", prepared < 1);
    const text =
      prepared < 1
        ? `making pairs ${Math.round(100 * prepared)} %`
        : complete
          ? `${steps.toLocaleString("en")} steps, ${seconds.toFixed(1)} s`
          : `step ${step.toLocaleString("en")} of ${steps.toLocaleString("en")}`;
    item.querySelector("small").textContent = done && !complete ? `stopped at ${text}` : text;
  }

  /** What the figures are read against, which the server knows. */
  async #refer({ between, run }) {
    const given = JSON.stringify({ page: `${this.desk.key}`, ...between });
    for (let tries = 0; tries < 5; tries++) {
      const found = await fetchJSON("/playground/reference", given).catch(() => null);
      if (run !== this.run) return;
      if (found) {
        this.reference = found;
        return this.rounds.forEach(({ index }) => this.#measured(index));
      }
      await new Promise((resolve) => setTimeout(resolve, 3000));
    }
  }

  // ---------------------------------------------------------------------------------------------- figures

  #measured(index) {
    const round = this.rounds[index];
    const found = this.figures.rounds[index];
    if (!round || !found) return;
    const say = (name, value) => (round.panel.head.querySelector(`[data-figure=${name}]`).textContent = value);
    const { straightness, energy, cost } = found;
    say("straightness", found.map ? "one jump" : rounded(straightness));
    say("npe", found.map ? "–" : rounded(pathEnergy(energy, this.reference?.optimal_cost) ?? NaN));
    say("cost", rounded(cost));
    say("below", belowOptimal(found, this.reference?.optimal_cost, this.scene.floor.sliced_w2));
    this.table.show(
      index,
      found,
      this.figures,
      this.scene.floor,
      index ? this.figures.rounds[index - 1] : this.figures.independent,
    );
    this.#drawMaps();
    this.#draw();
  }

  async #sampled(event) {
    const panel = this.panels.of(event);
    const round = this.rounds.find((one) => one.panel === panel);
    if (!round || !event.detail.trajectory) return;
    const { x, n, dim } = event.detail.trajectory;
    const { run } = event.detail;
    const value = await this.page.sampler
      .distance({ run, points: x.subarray(-n * dim), lane: `reflow ${round.index}` })
      .catch(() => null);
    if (value === null || run !== round.run) return;
    const cell = panel.head.querySelector("[data-figure=distance]");
    cell.textContent = `${(value / this.scene.floor.sliced_w2).toFixed(1)}×`;
    cell.dataset.nfe = event.detail.nfe;
    round.distance = value;
  }

  #moved() {
    if (this.mapDue) return;
    this.mapDue = setTimeout(() => ((this.mapDue = 0), this.#drawMaps(true)), MAP_EVERY);
  }

  #drawMaps(moved = false) {
    if (!this.scene || !this.root.offsetParent) return;
    const t = Math.min(0.98, Math.max(0.02, this.panels.clock.t));
    drawMaps(this.rounds, { t, figures: this.figures, scene: this.scene, colours: coloursOf(this.root), moved });
    this.charts.bending?.mark(this.panels.clock.t);
  }

  #draw() {
    this.due ||= setTimeout(() => ((this.due = 0), this.#drawNow()), DRAW_EVERY);
  }

  async #drawNow() {
    if (!this.scene || !this.root.offsetParent) return;
    const theme = themeOf(this.root);
    const { rounds, independent } = this.figures;
    const known = {
      rounds,
      independent,
      optimal: this.reference?.optimal_cost,
      floor: this.reference?.floor.sliced_w2 ?? { value: this.scene.floor.sliced_w2 },
    };
    for (const [name, content] of Object.entries(CHARTS)) {
      const node = this.root.querySelector(`[data-chart=${name}]`);
      const drawn = content(known, theme);
      const empty = node.querySelector(".pg-empty");
      if (!drawn) continue;
      empty?.remove();
      this.charts[name] ??= new Chart(node, `reflow-${name}`);
      try {
        await this.charts[name].draw(drawn, theme, `${this.run} ${name} ${rounds.filter(Boolean).length}`);
      } catch (error) {
        this.#say(error.message);
      }
    }
    this.charts.bending?.mark(this.panels.clock.t);
  }

  /** The round in the Studio, with the other rounds behind its buttons. */
  async #openInStudio(index) {
    const { scene, rounds, page } = this;
    const run = `${scene.run} in the Studio`;
    const snapshots = rounds
      .filter(({ newest }) => newest)
      .flatMap(({ network, panel, index: round }) =>
        panel.stage.history.kept.map((snapshot, k) => ({
          ...snapshot,
          run,
          round,
          ...(round > 0 && k === 0 ? { network } : {}),
        })),
      );
    await page.openInStudio({ scene: { ...scene, run }, snapshots });
    const stage = await page.ready.stage.promise;
    stage.showRound(index);
    const goesOn = this.state === "ready" ? "where Continue trains its rounds on" : "where its rounds are trained";
    stage.say(`From the Reflow tab, ${goesOn}; Train begins anew here.`);
  }

  /** What the panels say, for whoever reads the page by program. */
  #told() {
    return this.rounds.map(({ name, index, distance, done, newest }) => {
      const { straightness, energy, cost, variance, quality, drift } = this.figures.rounds[index] ?? {};
      return { name, done, step: newest?.step ?? null, distance, straightness, energy, cost, variance, quality, drift };
    });
  }

  #say(text) {
    this.parts.problem.textContent = text;
  }

  #become(state) {
    this.state = this.counters.state = this.root.dataset.state = state;
    const { train, stop, resume } = this.buttons;
    train.hidden = state === "training";
    stop.hidden = state !== "training";
    resume.hidden = state !== "ready";
    if (state === "done") this.panels.play();
  }
}

/** The scene of a round: the experiment's pairs are those of the first. */
function ownScene(scene, round) {
  return { ...scene, origin: { ...scene.origin, round } };
}

const titleOf = (name) => (name === "distilled" ? "Distilled: one call" : name.replace("flow ", "Flow "));
