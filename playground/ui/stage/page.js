// The page in the browser: connects the form, the stage and the presets, each mounted by a Gradio component.
//
// Python speaks through props: `scene` (a run's clouds and how to read its network), `value` (one snapshot) and
// `problems` (what is wrong with the form). The form speaks back through its value and its `edit` event.

import { Form } from "./form.js";
import { Sampler } from "./sampler.js";
import { Stage } from "./stage.js";

const GROUPS = ["source", "target", "model", "network", "training"];
const PREVIEW_AFTER = 150; // ms without another edit before a new source or target is asked for

const page = { sampler: new Sampler() };
const ready = Object.fromEntries(["form", "stage"].map((name) => [name, deferred()]));

function deferred() {
  let resolve;
  const promise = new Promise((done) => (resolve = done));
  return { promise, resolve };
}

export function mount(kind, options) {
  ({ header: mountHeader, form: mountForm, stage: mountStage })[kind](options);
}

function mountStage({ element, props, watch }) {
  const stage = new Stage(element.querySelector(".pg-stage-root"), { sampler: page.sampler });
  const seen = {};
  const fresh = (name) => {
    const text = props[name];
    if (!text || text === seen[name]) return null;
    seen[name] = text;
    return JSON.parse(text);
  };
  const read = async () => {
    const [scene, snapshot, problems] = [fresh("scene"), fresh("value"), fresh("problems")];
    if (scene) stage.setScene(scene);
    if (snapshot) stage.addSnapshot(snapshot);
    if (problems) {
      (await ready.form.promise).markProblems(problems);
      stage.say(problems.map(({ sentence }) => sentence).join(" "), problems.length > 0);
    }
  };
  watch(read);
  read();
  page.stage = stage;
  ready.stage.resolve(stage);
}

function mountForm({ element, props, trigger }) {
  let timer;
  const clouds = ({ source, target }) => JSON.stringify([source, target]);
  const form = new Form(element.querySelector(".pg-form-root"), props.description, {
    groups: GROUPS.map((name) => ({ name, open: name !== "network" })),
    onChange: (value, { valid }) => {
      props.value = JSON.stringify(value);
      if (!valid || clouds(value) === page.clouds) return;
      clearTimeout(timer);
      timer = setTimeout(() => {
        page.clouds = clouds(form.value);
        trigger("edit");
      }, PREVIEW_AFTER);
    },
  });
  page.show = (experiment) => {
    clearTimeout(timer);
    form.set(experiment);
    page.clouds = clouds(form.value);
    props.value = JSON.stringify(form.value);
  };
  props.value = JSON.stringify(form.value);
  ready.form.resolve(form);
}

function mountHeader({ element, props }) {
  const root = element.querySelector(".pg-header-root");
  const buttons = props.presets.map(({ key, name }) => {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "pg-preset", textContent: name });
    button.dataset.preset = key;
    button.addEventListener("click", () => open(key));
    return button;
  });
  const nav = document.createElement("nav");
  nav.setAttribute("aria-label", "Presets");
  nav.append(...buttons);
  const title = document.createElement("h1");
  title.textContent = "Generative Dynamics Playground";
  root.append(title, nav);

  async function open(key) {
    for (const button of buttons) button.toggleAttribute("aria-current", button.dataset.preset === key);
    const stage = await ready.stage.promise;
    try {
      const response = await fetch(`${window.gradio_config?.root ?? ""}/playground/presets/${key}.json`);
      if (!response.ok) throw new Error((await response.json()).message);
      const { experiment, scene, snapshots } = await response.json();
      stage.setScene(scene);
      for (const snapshot of snapshots) stage.addSnapshot(snapshot);
      await ready.form.promise;
      page.show(experiment);
    } catch (error) {
      stage.say(`This preset could not be opened: ${error.message}`, true);
    }
  }
  open(props.opening);
}
