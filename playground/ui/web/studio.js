/**
 * The Studio: the form, the picture with its figures, the tools and the runs of this tab, each mounted by a Gradio
 * component, and what each tells the others.
 *
 * Python speaks through props of the stage: `scene` (a run's clouds and how to read its network), `value` (one snapshot)
 * and `problems` (what is wrong with the form). The form speaks back through its value and its `edit` event.
 */

import { differences, told } from "./form/differences.js";
import { Differs } from "./stage/differs.js";
import { complete } from "./form/values.js";
import { fetchJSON, pageKey } from "./api/client.js";
import { furnish } from "./shell/actions.js";
import { Figures } from "./figures/figures.js";
import { Form } from "./form/form.js";
import { keepOffers } from "./form/offers.js";
import { Progress } from "./common/announce.js";
import { Runs, shortOf } from "./shell/runs.js";
import { snapshotsOf } from "./scene/track.js";
import { Stage } from "./stage/stage.js";
import { Tools } from "./shell/tools.js";
import { readNewProps } from "./api/props.js";

const GROUPS = ["model", "source", "target", "condition", "network", "training"];
/** What is changed least stands folded, so that model and target are above the fold. */
const FOLDED = ["source", "network"];
const PREVIEW_AFTER = 150; // ms without another edit before a new source or target is asked for
const CONNECTION_TIMEOUT_MS = 12_000; // without a snapshot for so long, a training's connection counts as lost
const PATIENCE = 2000; // ms that the server has to say whether it still keeps a run
const PRESET = "preset "; // what the name of a preset's run begins with
/** What the tab's storage keeps over a reload: the form, and the name of the run that is shown. */
const [FORM_KEPT, SHOWN_KEPT] = ["pg-experiment", "pg-shown"];

export class Studio {
  #heard = 0; // when the last snapshot came
  #turn = Date.now(); // grows, over a reload too, so that a preview which comes late does not end a training
  #moments = new WeakMap(); // moment of the form → the name of the run that is, or was, shown with it
  #asked = null; // the form's moment for which the server was asked for a scene
  #clouds = ""; // what of the form the clouds on the stage, or those asked for, depend on
  #presets = new Map(); // those that are fetched already

  /** asked: the page's parameters; opening: the preset that it opens with. What needs no element begins at once. */
  constructor({ sampler, asked, opening }) {
    Object.assign(this, { sampler, asked, opening });
    const parts = ["form", "stage", "header", "tools"];
    this.ready = Object.fromEntries(parts.map((name) => [name, Promise.withResolvers()]));
    this.described = early(fetchJSON("/playground/form.json"));
    if (asked.has("x") || (!asked.has("preset") && sessionStorage.getItem(FORM_KEPT))) return;
    const key = asked.get("preset") ?? opening;
    this.#presets.set(key, early(presetOf(key)));
  }

  // ---------------------------------------------------------------------------------------------- its parts

  mountStage(part, { props, watch }) {
    const stage = (this.stage = new Stage(part, { sampler: this.sampler }));
    this.figures = new Figures(part, { stage });
    this.differs = new Differs(stage.picture, { train: () => this.#trainChosen(), back: () => this.#chooseShown() });
    stage.root.addEventListener("pg:sampled", ({ detail }) => this.runs?.picture({ ...stage.state, ...detail }));
    const fresh = readNewProps(props);
    const progress = new Progress();
    const act = async ([scene, snapshot, problems]) => {
      const { form, runs } = await this.#whole();
      if (scene) this.#begin(scene, scene.network ? "here" : "none", !scene.network);
      // Of a preset that is trained anew what to look for is the same.
      if (scene && !problems?.length) this.ready.header.promise.then((header) => stage.say(header.about));
      if (snapshot && !runs.add(snapshot)) stage.addSnapshot(snapshot);
      if (snapshot) this.#heard = performance.now();
      if (snapshot) progress.read(snapshot);
      if (snapshot) this.ready.tools.promise.then((tools) => tools.hear(snapshot));
      if (!problems) return;
      form.markProblems(problems);
      stage.say(problems.map(({ sentence }) => sentence).join(" "), problems.length > 0);
    };
    let acting = Promise.resolve();
    const read = () => {
      const news = ["scene", "value", "problems"].map(fresh);
      acting = acting.then(() => act(news)).catch(reportError); // in the order in which they came
    };
    watch(read);
    read();
    setInterval(() => this.#reconnect(), CONNECTION_TIMEOUT_MS / 3);
    this.ready.stage.resolve(stage);
  }

  async mountForm(part, { props, trigger }) {
    const [page, description] = await Promise.all([pageKey(), this.described]);
    this.description = description;
    let timer;
    const tell = (experiment) => {
      document.body.toggleAttribute("data-at-once", this.#atOnce(experiment.model));
      props.value = JSON.stringify({ page, turn: ++this.#turn, experiment });
      sessionStorage.setItem(FORM_KEPT, JSON.stringify(experiment));
    };
    const preview = () => {
      clearTimeout(timer);
      this.#expect(form.value);
      trigger("edit");
    };
    const form = new Form(part, description, {
      groups: GROUPS.map((name) => ({ name, open: !FOLDED.includes(name) })),
      hide: (this.asked.get("hide") ?? "").split(",").filter(Boolean),
      onChange: (value, { valid, travelled }) => {
        tell(value);
        this.ready.header.promise.then((header) => header.mark(null));
        clearTimeout(timer);
        const run = travelled && this.runs?.find(this.#moments.get(form.moment));
        if (run && run !== this.runs.current) this.bringBack(run, { settings: false });
        else if (valid && this.#cloudsOf(value) !== this.#clouds)
          timer = setTimeout(preview, travelled ? 0 : PREVIEW_AFTER);
        if (!travelled && this.shown) this.#moments.set(form.moment, this.shown.run);
        this.#changed(valid);
      },
    });
    this.form = form;
    this.offersChanged = keepOffers(form, (cost) => this.ready.tools.promise.then((tools) => tools.showCost(cost)));
    const set = (experiment) => {
      clearTimeout(timer);
      form.set(experiment);
      tell(form.value);
      this.#changed(true);
    };
    // A button pressed in the meantime shows these clouds itself.
    const act = ({ target }) => {
      if (!target.closest("#train, #reset")) return;
      clearTimeout(timer);
      this.#expect(form.value);
      if (target.closest("#train")) this.ready.tools.promise.then((tools) => tools.beginPace());
    };
    const actions = document.getElementById("actions");
    actions.addEventListener("click", act, { capture: true });
    furnish(actions);
    tell(form.value);
    this.ready.form.resolve({ form, set, preview });
  }

  /** compare() puts the run beside others. */
  async mountTools(part, compare) {
    const [{ form, set, preview }, stage] = await Promise.all([this.ready.form.promise, this.ready.stage.promise]);
    const tools = new Tools(part, {
      form,
      say: (text, problem) => stage.say(text, problem),
      settings: () => stage.settings,
      compare,
      open: (experiment) => {
        this.ready.header.promise.then((header) => header.mark(null));
        set(experiment);
        preview();
      },
    });
    this.runs = new Runs(part, { open: (run) => this.bringBack(run) });
    this.ready.tools.resolve(tools);
  }

  async #whole() {
    await Promise.all([this.ready.form.promise, this.ready.stage.promise, this.ready.tools.promise]);
    return this;
  }

  // ---------------------------------------------------------------------------------------------- what is shown

  /** The scene of what is on the stage: of the first round, where there are several. */
  get shown() {
    return this.stage?.tracks?.[0]?.scene ?? null;
  }

  /** Puts a scene on the stage; what it takes the place of is kept, and that is said where nobody asked for it. */
  #begin(scene, place, unasked) {
    const training = this.stage.root.dataset.state === "training";
    this.stage.setScene(scene);
    const left = this.runs.begin(this.stage.tracks, place);
    document.body.dataset.run = place;
    sessionStorage.setItem(SHOWN_KEPT, scene.run);
    for (const moment of [this.#asked, this.form.moment]) if (moment) this.#moments.set(moment, scene.run);
    this.#asked = null;
    this.#clouds = this.#cloudsOf(complete(this.description, scene.experiment));
    if (left && (training || (unasked && left.place === "here")))
      this.runs.say(`${training ? "Stopped and kept" : "Kept"}: ${shortOf(left)}.`, () => this.#takeBack(left));
    this.#changed(true);
  }

  /** Shows a run {scene, snapshots}; the server is told, unless it has just said so itself. */
  async show({ scene, snapshots }, { place, settings = true, unasked = false, tell = true } = {}) {
    await this.#whole();
    if (tell && (this.#asked || this.runs.current?.place === "here")) this.#tellShown(scene.run);
    if (settings) (await this.ready.form.promise).set(scene.experiment);
    this.#begin(scene, place, unasked);
    for (const snapshot of snapshots) this.stage.addSnapshot(snapshot);
  }

  /** Shows a run of this tab again, with its settings unless the form stands at them already. */
  async bringBack(run, { settings = true } = {}) {
    if (run === this.runs.current) return;
    const { kept } = await this.#tellShown(run.run);
    const scene = { ...run.tracks[0].scene };
    const lost = run.own && !kept ? await this.#returned(run, scene) : "";
    const place = kept ? "here" : "preset";
    await this.show({ scene, snapshots: snapshotsOf(run.tracks) }, { place, settings, tell: false });
    if (scene.run.startsWith(PRESET)) await this.#mark(scene.run.slice(PRESET.length));
    if (lost) this.stage.say(lost);
  }

  /** Tells the server what is shown, which sets aside whatever else it trains for this page: {kept} by it, or not. */
  async #tellShown(run) {
    const given = JSON.stringify({ page: await pageKey(), run, turn: ++this.#turn });
    const late = new Promise((resolve) => setTimeout(resolve, PATIENCE, { kept: false }));
    return Promise.race([fetchJSON("/playground/shown", given).catch(() => ({ kept: false })), late]);
  }

  /** Gives the server a run that it has forgotten, for all that only it can work out; returns what is to be said. */
  async #returned(run, scene) {
    const rounds = run.tracks.map(({ name, history, shown }) => {
      const { id: snapshot, step, seconds, weights } = history.kept.at(-1) ?? shown;
      return { name, snapshot, step, seconds, weights };
    });
    const gone = "The server no longer trains this run, so Continue is not offered: Train begins anew.";
    if (!rounds.every(({ weights }) => weights))
      return `${gone} It is shown as it was; other steps and solvers would need it there.`;
    const given = JSON.stringify({ page: await pageKey(), experiment: scene.experiment, rounds });
    const answer = await fetchJSON("/playground/returned", given).catch(() => null);
    if (!answer) return `${gone} What only the server can work out of it is missing.`;
    run.tracks.forEach((track, round) => Object.assign(track.scene, { origin: { run: answer.run, round } }));
    scene.origin = { run: answer.run, round: 0 };
    return gone;
  }

  /** Undoes what took the place of a run: back to the moment of the form with which it was shown. */
  #takeBack(run) {
    if (!this.form.undoTo((moment) => this.#moments.get(moment) === run.run)) this.bringBack(run);
  }

  // ---------------------------------------------------------------------------------------------- what is chosen

  /** The form has changed, or what is shown with it. */
  #changed(valid) {
    this.offersChanged();
    this.ready.tools.promise.then((tools) => tools.showCost());
    const { shown, form, description } = this;
    const network = shown?.network;
    const compared = network && !this.#atOnce(form.value.model); // which is on its way to the stage
    const differing = compared ? differences(description, complete(description, shown.experiment), form.value) : [];
    this.differs?.show(told(differing));
    this.stage?.root.toggleAttribute("data-differs", differing.length > 0);
    this.figures?.differ(differing.length > 0);
    if (valid && network) this.stage.setModel(this.#sampling(form.value.model, shown.experiment.model));
  }

  /** Those fields of a model that matter for sampling alone, where they differ from what the run was trained with. */
  #sampling(model, trained) {
    const free = this.#kindOf(model).fields.filter((field) => field.sampling);
    const chosen = Object.fromEntries(free.map(({ name }) => [name, model[name]]));
    if (this.#atOnce(model)) return chosen;
    const same = model.kind !== trained.kind || free.every(({ name }) => model[name] === trained[name]);
    return same ? null : chosen;
  }

  #kindOf(model) {
    return this.description.fields.find(({ name }) => name === "model").kinds.find(({ kind }) => kind === model.kind);
  }

  /** What needs no training is shown as soon as it is chosen. */
  #atOnce(model) {
    return Boolean(this.#kindOf(model)?.at_once);
  }

  /** The server is asked for the scene of these settings. */
  #expect(experiment) {
    this.#asked = this.form.moment;
    this.#clouds = this.#cloudsOf(experiment);
  }

  /** What a scene shows of an experiment. Before anything is trained that is also what is to be trained. */
  #cloudsOf({ source, target, model, condition, network, training: { points, seed } }) {
    const planned = this.shown?.network ? [] : [network, points, seed];
    const models = this.#atOnce(model) || !this.shown?.network ? [model, condition] : [];
    return JSON.stringify([source, target, ...models, ...planned]);
  }

  #trainChosen() {
    document.getElementById("train").click();
  }

  async #chooseShown() {
    (await this.ready.form.promise).set(this.shown.experiment);
  }

  // ---------------------------------------------------------------------------------------------- opening

  /** What the page opens with: a link's experiment, what this tab showed last, a named preset, or the default. */
  async begin() {
    const { asked, opening } = this;
    if (asked.has("embed")) document.body.classList.add("pg-embed");
    await this.#open(asked, opening);
    (await this.ready.form.promise).form.forgetPast();
    if (asked.has("x") || asked.has("preset")) await this.#applyView();
  }

  async #open(asked, opening) {
    if (asked.has("x")) return this.#openLink(asked.get("x"));
    if (asked.has("preset")) return this.openPreset(asked.get("preset"), opening);
    const [kept, shown] = [FORM_KEPT, SHOWN_KEPT].map((name) => sessionStorage.getItem(name));
    const preset = shown?.startsWith(PRESET) ? shown.slice(PRESET.length) : null;
    if (kept && !preset && (await this.#openRun())) return;
    await this.openPreset(preset ?? opening, opening);
    if (!kept) return;
    const { form, set, preview } = await this.ready.form.promise;
    set(JSON.parse(kept));
    if (this.#cloudsOf(form.value) !== this.#clouds) preview();
  }

  /** The stage as the link's `view` says; what it does not understand of it, it leaves out. */
  async #applyView() {
    try {
      this.stage.apply(JSON.parse(this.asked.get("view") ?? "{}"));
    } catch {
      this.stage.say("The view settings in the link could not be read, so the stage is as usual.", true);
    }
  }

  async #openLink(link) {
    const { stage } = await this.#whole();
    try {
      const { experiment } = await fetchJSON("/playground/read", `link:${link}`);
      const { set, preview } = await this.ready.form.promise;
      const shown = new Promise((resolve) => stage.root.addEventListener("pg:scene", resolve, { once: true }));
      set(experiment);
      preview();
      await shown; // what the link says of the view is said of this scene
    } catch (error) {
      await this.openPreset(this.opening);
      stage.say(`The link could not be read (${error.message}), so this is the default.`, true);
    }
  }

  async #openRun() {
    const run = await fetchJSON(`/playground/runs/${await pageKey()}.json`).catch(() => null);
    if (run) await this.show(run, { place: "here", tell: false });
    return Boolean(run);
  }

  /** Where a training has fallen silent, shows what the server has kept of it, as soon as the server answers. */
  async #reconnect() {
    const { stage } = this;
    if (stage.root.dataset.state !== "training" || performance.now() - this.#heard < CONNECTION_TIMEOUT_MS) return;
    const found = await this.#openRun();
    stage.say(
      found
        ? "The connection was lost for a while; this is what was learnt. Continue goes on from here."
        : "The connection to the server is lost; trying again.",
      !found,
    );
  }

  async openPreset(key, otherwise) {
    const { stage } = await this.#whole();
    try {
      const first = this.#presets.get(key);
      this.#presets.delete(key);
      const run = await (first ?? presetOf(key));
      await this.show(run, { place: "preset", unasked: true });
      stage.apply(run.scene.sampler); // as the preset has it, whatever the sliders said
      await this.#mark(key);
    } catch (error) {
      if (otherwise) await this.openPreset(otherwise);
      stage.say(`This preset could not be opened: ${error.message}`, true);
    }
  }

  async #mark(key) {
    this.stage.say((await this.ready.header.promise).mark(key));
  }

  /** Shows a run {scene, snapshots} of another tab, which is not the Studio's to continue. */
  async openFromTab(run) {
    await this.show(run, { place: "preset", unasked: true });
    (await this.ready.header.promise).mark(null);
  }
}

/** A promise whose failure is told to whoever waits for it, however late. */
function early(promise) {
  promise.catch(() => {});
  return promise;
}

function presetOf(key) {
  return fetchJSON(`/playground/presets/${encodeURIComponent(key)}.json`);
}
