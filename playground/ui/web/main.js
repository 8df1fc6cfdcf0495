// The page in the browser: its header, its tabs and the Studio, each part mounted by a Gradio component.

import { Header } from "./shell/header.js";
import { Hints } from "./common/tooltip.js";
import { listenForKeys } from "./shell/actions.js";
import { pageKey, UNREACHABLE } from "./api/client.js";
import { Sampler } from "./workers/pool.js";
import { Studio } from "./studio.js";

const asked = new URLSearchParams(window.location.search);
const sampler = new Sampler();
const opening = document.querySelector("meta[name=pg-opening]")?.content;
const studio = new Studio({ sampler, asked, opening });
const { ready } = studio;
new Hints(document.body);
listenForKeys();

/** A tab's own module and its name, which exports `mount(part, options, page)`; page is what it may use of this one. */
const TABS = {
  collapse: "./tabs/collapse/collapse.js",
  compare: "./tabs/compare/compare.js",
  reflow: "./tabs/reflow/reflow.js",
};
const page = { sampler, ready, openInStudio, turnTo, compare: Promise.withResolvers() };
const fronts = new Map(); // tab → what is to be told when it comes to the front

/** What was said of a lost connection is true no longer. */
window.addEventListener("pg:back", () => {
  for (const line of document.querySelectorAll("[role=alert], [role=status]"))
    if (line.textContent.includes(UNREACHABLE)) line.textContent = "The connection to the server is back: try again.";
});

export function mount(kind, options) {
  const part = options.element.querySelector(`.pg-${kind}-root`);
  const own = {
    header: () => mountHeader(part, options),
    tools: () => studio.mountTools(part, compareStudio),
    form: () => studio.mountForm(part, options),
    stage: () => studio.mountStage(part, options),
  };
  if (own[kind]) own[kind]();
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

/** Shows a run {scene, snapshots} in the Studio. */
async function openInStudio(run) {
  await turnTo("studio");
  await studio.openFromTab(run);
}

function mountHeader(part, { props }) {
  const header = new Header(part, props, { open: (key) => studio.openPreset(key), turn: turnTo });
  ready.header.resolve(header);
  turnTo(asked.get("tab") ?? "studio");
  studio.begin();
}
