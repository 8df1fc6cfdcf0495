// The page in the browser: connects the form, the stage, the tools and the presets, each mounted by a Gradio component.
//
// Python speaks through props of the stage: `scene` (a run's clouds and how to read its network), `value` (one
// snapshot) and `problems` (what is wrong with the form). The form speaks back through its value and its `edit` event.

import { Figures } from "./figures/figures.js";
import { Form } from "./form/form.js";
import { Header } from "./shell/header.js";
import { keepOffers } from "./form/offers.js";
import { fetchJSON, pageKey } from "./api/client.js";
import { Sampler } from "./workers/pool.js";
import { Stage } from "./stage/stage.js";
import { unread } from "./api/props.js";
import { Hints } from "./common/tooltip.js";
import { Tools } from "./shell/tools.js";

const GROUPS = ["source", "target", "model", "condition", "network", "training"];
const PREVIEW_AFTER = 150; // ms without another edit before a new source or target is asked for
const FORM_KEPT = "pg-experiment"; // in the tab's storage

const SILENCE = 12_000; // ms without a snapshot after which a training's connection counts as lost

let heard = 0; // when the last snapshot came
const asked = new URLSearchParams(window.location.search);
const opening = document.querySelector("meta[name=pg-opening]")?.content;
// What needs no element begins before Gradio has made any: the workers, the form's description, the opening preset.
const sampler = new Sampler();
const described = early(fetchJSON("/playground/form.json"));
const presets = new Map();
if (!asked.has("x") && (asked.has("preset") || !sessionStorage.getItem(FORM_KEPT))) {
  const key = asked.get("preset") ?? opening;
  presets.set(key, early(presetOf(key)));
}
new Hints(document.body);
const ready = Object.fromEntries(["form", "stage", "header", "tools"].map((name) => [name, Promise.withResolvers()]));

/** A tab's own module and its name, which exports `mount(part, options, page)`; page is what it may use of this one. */
const TABS = {
  collapse: "./tabs/collapse/collapse.js",
  compare: "./tabs/compare/compare.js",
  reflow: "./tabs/reflow/reflow.js",
};
const page = { sampler, ready, openInStudio, turnTo, compare: Promise.withResolvers() };
const fronts = new Map(); // tab → what is to be told when it comes to the front

/** A promise whose failure is told to whoever waits for it, however late. */
function early(promise) {
  promise.catch(() => {});
  return promise;
}

function presetOf(key) {
  return fetchJSON(`/playground/presets/${encodeURIComponent(key)}.json`);
}

export function mount(kind, options) {
  const part = options.element.querySelector(`.pg-${kind}-root`);
  const own = { header: mountHeader, tools: mountTools, form: mountForm, stage: mountStage };
  if (own[kind]) own[kind](part, options);
  else if (kind.endsWith("-asks")) mountAsks(kind.slice(0, -5), options);
  else mountTab(kind, part, options);
}

// -------------------------------------------------------------------------------------------------- tabs

const desks = {}; // tab → promise of ask(verb, experiment)
const desk = (tab) => (desks[tab] ??= Promise.withResolvers());

/** The events that a tab's page sends: ask(verb, message) with its own key, so that its runs are its own. */
async function mountAsks(tab, { props, trigger }) {
  const key = `${await pageKey()}-${tab}`;
  let turn = 0;
  desk(tab).resolve({
    key,
    ask(verb, message) {
      props.value = JSON.stringify({ page: key, turn: ++turn, ...message });
      trigger(verb);
    },
  });
}

/** Builds a tab when it first comes to the front. */
function mountTab(tab, part, options) {
  let built = false;
  const build = async () => {
    if (built) return;
    built = true;
    const { mount: begin } = await import(TABS[tab]);
    begin(part, { ...options, desk: await desk(tab).promise }, page);
  };
  fronts.set(tab, build);
  if (document.body.dataset.tab === tab) build();
}

async function turnTo(tab) {
  const header = await ready.header.promise;
  const known = header.tabs.some((one) => one.dataset.tab === tab) ? tab : "studio";
  document.body.dataset.tab = known;
  header.front(known);
  fronts.get(known)?.();
  const url = new URL(window.location.href);
  if (known === "studio") url.searchParams.delete("tab");
  else url.searchParams.set("tab", known);
  window.history.replaceState(window.history.state, "", url);
}

/** Puts the Studio's run, as it is now, beside others. */
async function compareStudio() {
  await turnTo("compare");
  (await page.compare.promise).pin();
}

/** Shows a run {experiment, scene, snapshots} in the Studio. */
async function openInStudio(run) {
  await turnTo("studio");
  await show(run);
  (await ready.header.promise).mark(null);
}

// -------------------------------------------------------------------------------------------------- the Studio

function mountStage(part, { props, watch }) {
  const stage = new Stage(part, { sampler });
  new Figures(part, { stage });
  const fresh = unread(props);
  const read = async () => {
    const [scene, snapshot, problems] = [fresh("scene"), fresh("value"), fresh("problems")];
    if (scene) {
      stage.setScene(scene);
      // Of a preset that is trained anew what to look for is the same.
      if (!problems?.length) ready.header.promise.then((header) => stage.say(header.about));
      document.body.dataset.run = scene.network ? "here" : "none";
    }
    if (snapshot) stage.addSnapshot(snapshot);
    if (snapshot) heard = performance.now();
    if (snapshot?.rate && snapshot.step > 500) (await ready.tools.promise).learnPace(snapshot.rate);
    if (problems) {
      const { form } = await ready.form.promise;
      form.markProblems(problems);
      stage.say(problems.map(({ sentence }) => sentence).join(" "), problems.length > 0);
    }
  };
  watch(read);
  read();
  setInterval(() => listenAgain(stage), SILENCE / 3);
  ready.stage.resolve(stage);
}

async function mountForm(part, { props, trigger }) {
  const [page, description] = await Promise.all([pageKey(), described]);
  let timer;
  let shown;
  let trainedWith;
  let turn = Date.now(); // grows, over a reload too, so that a preview which comes late does not end a training
  // Before anything is trained the picture also shows what is known of the model: its path, its remarks.
  // What needs no training is shown as soon as it is chosen.
  const kinds = description.fields.find(({ name }) => name === "model").kinds;
  const atOnce = (model) => Boolean(kinds.find(({ kind }) => kind === model?.kind)?.at_once);
  const clouds = ({ source, target, model, condition }) =>
    JSON.stringify(
      document.body.dataset.run === "none" || atOnce(model) ? [source, target, model, condition] : [source, target],
    );
  const tell = (experiment) => {
    document.body.toggleAttribute("data-at-once", atOnce(experiment.model));
    props.value = JSON.stringify({ page, turn: ++turn, experiment });
    sessionStorage.setItem(FORM_KEPT, JSON.stringify(experiment));
  };
  const preview = () => {
    shown = clouds(form.value);
    trigger("edit");
  };
  const form = new Form(part, description, {
    groups: GROUPS.map((name) => ({ name, open: name !== "network" })),
    hide: (asked.get("hide") ?? "").split(",").filter(Boolean),
    onChange: (value, { valid }) => {
      tell(value);
      ready.header.promise.then((header) => header.mark(null));
      offersChanged();
      if (valid) ready.stage.promise.then((stage) => stage.setModel(sampling(value.model)));
      ready.tools.promise.then((tools) => tools.showCost());
      clearTimeout(timer);
      if (valid && clouds(value) !== shown) timer = setTimeout(preview, PREVIEW_AFTER);
    },
  });
  const offersChanged = keepOffers(form, (cost) => ready.tools.promise.then((tools) => tools.showCost(cost)));
  const set = (experiment) => {
    clearTimeout(timer);
    form.set(experiment);
    offersChanged();
    shown = clouds(form.value);
    tell(form.value);
    ready.tools.promise.then((tools) => tools.showCost());
    trainedWith = form.value.model;
    ready.stage.promise.then((stage) => stage.setModel(null));
  };
  trainedWith = form.value.model;
  /** Those fields of a model that matter for sampling alone, where they differ from what the run was sampled with. */
  const sampling = (model) => {
    const free = kinds.find(({ kind }) => kind === model.kind).fields.filter((field) => field.sampling);
    const chosen = Object.fromEntries(free.map(({ name }) => [name, model[name]]));
    if (atOnce(model)) return chosen;
    const same = model.kind !== trainedWith.kind || free.every(({ name }) => model[name] === trainedWith[name]);
    return same ? null : chosen;
  };
  // A button pressed in the meantime shows these clouds itself.
  const act = ({ target }) => {
    clearTimeout(timer);
    shown = clouds(form.value);
    if (target.closest("#train")) ready.tools.promise.then((tools) => tools.beginPace());
    if (!target.closest("#train, #reset")) return;
    trainedWith = form.value.model;
    ready.stage.promise.then((stage) => stage.setModel(null));
  };
  document.getElementById("actions").addEventListener("click", act, { capture: true });
  tell(form.value);
  ready.form.resolve({ form, set, preview });
}

async function mountTools(part) {
  const [{ form, set, preview }, stage] = await Promise.all([ready.form.promise, ready.stage.promise]);
  const tools = new Tools(part, {
    form,
    say: (text, problem) => stage.say(text, problem),
    settings: () => stage.settings,
    compare: compareStudio,
    open: (experiment) => {
      ready.header.promise.then((header) => header.mark(null));
      set(experiment);
      preview();
    },
  });
  ready.tools.resolve(tools);
}

function mountHeader(part, { props }) {
  const header = new Header(part, props, { open: openPreset, turn: turnTo });
  ready.header.resolve(header);
  turnTo(asked.get("tab") ?? "studio");
  begin();
}

/** What the page opens with: a link's experiment, this tab's last run, its last form, a named preset, or the default. */
async function begin() {
  if (asked.has("embed")) document.body.classList.add("pg-embed");
  if (asked.has("x")) return openLink(asked.get("x")).then(applyView);
  if (asked.has("preset")) return openPreset(asked.get("preset"), opening).then(applyView);
  const kept = sessionStorage.getItem(FORM_KEPT);
  if (kept && (await openRun(await pageKey()))) return;
  await openPreset(opening);
  if (kept) (await ready.form.promise).set(JSON.parse(kept));
}

/** The stage as the link's `view` says; what it does not understand of it, it leaves out. */
async function applyView() {
  try {
    (await ready.stage.promise).apply(JSON.parse(asked.get("view") ?? "{}"));
  } catch {
    (await ready.stage.promise).say("The view settings in the link could not be read, so the stage is as usual.", true);
  }
}

async function openLink(link) {
  const stage = await ready.stage.promise;
  try {
    const { experiment } = await fetchJSON("/playground/read", `link:${link}`);
    const { set, preview } = await ready.form.promise;
    const shown = new Promise((resolve) => stage.root.addEventListener("pg:scene", resolve, { once: true }));
    set(experiment);
    preview();
    await shown; // what the link says of the view is said of this scene
  } catch (error) {
    await openPreset(opening);
    stage.say(`The link could not be read (${error.message}), so this is the default.`, true);
  }
}

async function openRun(key) {
  const run = await fetchJSON(`/playground/runs/${key}.json`).catch(() => null);
  if (!run) return false;
  await show(run);
  document.body.dataset.run = "here";
  return true;
}

/** Where a training has fallen silent, shows what the server has kept of it, as soon as the server answers. */
async function listenAgain(stage) {
  if (stage.root.dataset.state !== "training" || performance.now() - heard < SILENCE) return;
  const found = await openRun(await pageKey());
  stage.say(
    found
      ? "The connection was lost for a while; this is what was learnt. Continue goes on from here."
      : "The connection to the server is lost; trying again.",
    !found,
  );
}

async function openPreset(key, otherwise) {
  const [stage, header] = await Promise.all([ready.stage.promise, ready.header.promise]);
  try {
    const first = presets.get(key);
    presets.delete(key);
    const run = await (first ?? presetOf(key));
    await show(run);
    stage.apply(run.scene.sampler); // as the preset has it, whatever the sliders said
    document.body.dataset.run = "preset";
    stage.say(header.mark(key));
  } catch (error) {
    if (otherwise) await openPreset(otherwise);
    stage.say(`This preset could not be opened: ${error.message}`, true);
  }
}

async function show({ experiment, scene, snapshots }) {
  const stage = await ready.stage.promise;
  stage.setScene(scene);
  for (const snapshot of snapshots) stage.addSnapshot(snapshot);
  (await ready.form.promise).set(experiment);
}
