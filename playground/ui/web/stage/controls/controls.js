/**
 * What stands around the picture: legend, transport, sampling and training controls, readouts, the loss strip.
 *
 * Native inputs only, so that keyboard, touch and screen readers work by themselves. The controls hold no state of
 * their own beyond the inputs; what a hand does is reported through `on`, what is to be shown is told by `show…`.
 */

import { ConditionControls } from "./condition-controls.js";
import { FRAME, icon } from "../frame.js";
import { GuidingControls } from "./guiding-controls.js";
import { plotLoss } from "./loss.js";
import { times } from "../../common/numbers.js";
import { DIALS, isSampler, SAMPLERS } from "../../compute/sampling/samplers.js";
import { FOR_EQUATIONS, isAdaptive } from "../../compute/sampling/solvers.js";
import { Ticks } from "./ticks.js";

const count = (value) => Math.round(value).toLocaleString("en");
const seconds = (value) => (value < 9.95 ? `${value.toFixed(1)} s` : `${Math.round(value)} s`);

/** Why a solver cannot be chosen for a network; null where it can. */
function whyNot(solver, network) {
  const noisy = Boolean(network?.equation?.noise.length);
  if (noisy && isAdaptive(solver)) return "It takes the right-hand side to be smooth, and noise is not.";
  const special = isSampler(solver) || Object.hasOwn(FOR_EQUATIONS, solver);
  if (!special || (network ? network.samplers?.includes(solver) : isSampler(solver))) return null;
  if (solver === "milstein" && network?.equation) return "It differs from Euler's method only where there is noise.";
  return isSampler(solver)
    ? "It asks for a path and a score: a standard Gaussian source in independent pairs."
    : "It asks for the derivatives of the field, which equations have.";
}

export class Controls {
  /** Builds itself inside `root`; `on` has play, restart, state, loop, speed, hold, scrub, release, sampling, training,
      round. */
  constructor(root, on, frame = FRAME) {
    root.innerHTML = frame;
    this.root = root;
    this.on = on;
    this.parts = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]));
    this.rows = Object.fromEntries([...root.querySelectorAll("[data-row]")].map((node) => [node.dataset.row, node]));
    this.ticks = new Ticks(this.parts.ticks);
    const { play, restart, back, on: next, loop, speed, time, steps, tolerance, solver, grid, training } = this.parts;
    play.addEventListener("click", () => on.play());
    restart.addEventListener("click", () => on.restart());
    back.addEventListener("click", () => on.state(-1));
    next.addEventListener("click", () => on.state(1));
    loop.addEventListener("click", () => on.loop());
    speed.addEventListener("change", () => on.speed(Number(speed.value)));
    time.addEventListener("pointerdown", () => on.hold());
    time.addEventListener("input", () => on.scrub(time.valueAsNumber));
    for (const end of ["pointerup", "pointercancel"]) time.addEventListener(end, () => on.release());
    const dials = Object.keys(DIALS).map((name) => this.parts[name]);
    for (const input of [steps, tolerance, ...dials])
      input.addEventListener("input", (event) => on.sampling(event.timeStamp));
    for (const choice of [solver, grid]) choice.addEventListener("change", (event) => on.sampling(event.timeStamp));
    const slide = (part, value) => this.#slide(part, value);
    this.condition = new ConditionControls(this.parts, this.rows, slide, on.sampling);
    this.guiding = new GuidingControls(this.parts, this.rows, slide, this.condition, on.sampling);
    training.addEventListener("input", (event) => on.training(training.valueAsNumber, event.timeStamp));
  }

  // ---------------------------------------------------------------------------------------------- sampling

  get solver() {
    return this.parts.solver.value;
  }

  /** What a request to the sampler takes: fixed steps on a grid, or a tolerance. */
  get sampling() {
    const { solver } = this;
    const tolerance = 10 ** this.parts.tolerance.valueAsNumber;
    if (isAdaptive(solver)) return { solver, rtol: tolerance, atol: tolerance };
    const { dial } = SAMPLERS[solver] ?? {};
    const set = dial ? { [dial]: this.parts[dial].valueAsNumber } : {};
    return { solver, steps: this.parts.steps.valueAsNumber, grid: this.parts.grid.value, ...set };
  }

  /** All of the sampling choices, also those that do not matter for this solver. */
  get choices() {
    const { steps, tolerance, grid } = this.parts;
    const numerics = { steps: steps.valueAsNumber, grid: grid.value, tolerance: 10 ** tolerance.valueAsNumber };
    const dials = Object.fromEntries(Object.keys(DIALS).map((name) => [name, this.parts[name].valueAsNumber]));
    return { solver: this.solver, ...numerics, ...dials, ...this.condition.choices, ...this.guiding.choices };
  }

  /** Takes over what is there and can be chosen here; returns whether anything has changed. */
  setSampling({ solver, steps, grid, rtol, tolerance = rtol, given, guidance, ...dials }) {
    const before = JSON.stringify(this.choices);
    const offered = [...this.parts.solver.options].some((option) => option.value === solver && !option.disabled);
    if (offered) this.parts.solver.value = solver;
    for (const name of Object.keys(DIALS)) if (Number.isFinite(dials[name])) this.#slide(name, dials[name]);
    if (Number.isFinite(steps)) this.#slide("steps", steps);
    if ([...this.parts.grid.options].some(({ value }) => value === grid)) this.parts.grid.value = grid;
    if (tolerance > 0) this.#slide("tolerance", Math.log10(tolerance));
    this.condition.set({ given, guidance });
    this.guiding.set(dials);
    this.showSampling();
    return JSON.stringify(this.choices) !== before;
  }

  /** The sampling as an experiment has it. */
  get described() {
    const { solver, steps, grid, tolerance } = this.choices;
    if (isAdaptive(solver)) return { solver: { kind: solver, rtol: tolerance, atol: tolerance } };
    const { dial } = SAMPLERS[solver] ?? {};
    return { solver: dial ? { kind: solver, [dial]: this.choices[dial] } : solver, steps, grid };
  }

  /** Whether it is still the one that the run came with. */
  get untouched() {
    const { solver, steps, grid, rtol } = this.standard ?? {};
    const now = this.choices;
    if (now.solver !== solver) return false;
    return isAdaptive(solver)
      ? Math.abs(Math.log10(now.tolerance / rtol)) < 0.01
      : now.steps === steps && now.grid === grid && this.#sameDial(solver);
  }

  #sameDial(solver) {
    const { dial } = SAMPLERS[solver] ?? {};
    return !dial || this.choices[dial] === this.standard[dial];
  }

  /** More or fewer steps, or a narrower or wider tolerance. */
  refine(sign) {
    const { steps, tolerance } = this.parts;
    if (isAdaptive(this.solver)) return this.setSampling({ tolerance: 10 ** (tolerance.valueAsNumber - 0.5 * sign) });
    const now = steps.valueAsNumber;
    return this.setSampling({ steps: now + sign * Math.max(1, Math.round(now / 8)) });
  }

  nextSolver() {
    const { solver } = this.parts;
    const { options } = solver;
    do solver.selectedIndex = (solver.selectedIndex + 1) % options.length;
    while (options[solver.selectedIndex].disabled);
    this.showSampling();
  }

  showSampling() {
    const { solver, steps, tolerance } = this.choices;
    const adapts = isAdaptive(solver);
    this.rows.steps.hidden = adapts;
    this.rows.tolerance.hidden = !adapts;
    this.parts.grid.disabled = adapts;
    for (const name of Object.keys(DIALS)) {
      this.rows[name].hidden = SAMPLERS[solver]?.dial !== name;
      this.#slide(name, this.parts[name].valueAsNumber);
      this.#say(`${name}-value`, String(this.parts[name].valueAsNumber));
    }
    const { bias } = SAMPLERS[solver] ?? {};
    this.parts.bias.hidden = !bias;
    this.#say("bias", bias ?? "");
    this.#slide("steps", steps);
    this.#slide("tolerance", Math.log10(tolerance));
    this.#say("steps-value", count(steps));
    this.#say("tolerance-value", tolerance.toExponential(0).replace("-", "−"));
    this.parts.tolerance.setAttribute("aria-valuetext", tolerance.toExponential(0));
  }

  // ---------------------------------------------------------------------------------------------- showing

  showScene(scene, n) {
    const { source_label: source, target_label: target } = scene;
    this.#say("source", source);
    this.#say("target", target);
    this.parts.canvas.setAttribute("aria-label", `${count(n)} particles from ${source} to ${target}`);
    this.standard = scene.sampler;
    this.axis = null;
    for (const part of ["distance", "nfe"]) {
      this.#say(part, "–");
      this.#say(`${part}-note`, "");
    }
    this.#say("pace", "");
    this.parts.progress.value = 0;
    this.parts.remarks.replaceChildren(
      ...(scene.remarks ?? []).map((text) => Object.assign(document.createElement("li"), { textContent: text })),
    );
  }

  /** A choice between the rounds of a run, where there are several. */
  showRounds(names, index) {
    const { rounds } = this.parts;
    rounds.hidden = names.length < 2;
    while (rounds.children.length > names.length) rounds.lastChild.remove();
    names.forEach((name, k) => {
      let button = rounds.children[k];
      if (!button) {
        button = Object.assign(document.createElement("button"), { type: "button", onclick: () => this.on.round(k) });
        rounds.append(button);
      }
      if (button.textContent !== name) button.textContent = name;
      button.setAttribute("aria-pressed", String(k === index));
    });
  }

  /** Steps and solvers are offered where there is something to solve. */
  showKind(network) {
    const none = network?.map || (network?.remote && !network.sampled);
    this.root.dataset.sampling = none ? "none" : "solver";
    this.root.dataset.kind = network?.equation ? "equation" : "model";
    this.condition.offer(network?.condition ?? null);
    this.guiding.offer(Boolean(network?.networks?.velocity));
    const { solver } = this.parts;
    for (const option of solver.options) {
      const why = whyNot(option.value, network);
      option.disabled = why !== null;
      option.title = why ?? "";
    }
    if (solver.selectedOptions[0]?.disabled) this.setSampling({ solver: "heun" });
  }

  /** Whether there is anything that can move; if not, the hint says why. */
  showReady(ready, hint = "") {
    for (const part of ["play", "restart", "back", "on", "time"]) this.parts[part].disabled = !ready;
    if (this.parts.hint) this.#say("hint", hint);
  }

  showClock({ t, playing, held, loop, speed }) {
    const { play, loop: again } = this.parts;
    this.parts.speed.value = String(speed);
    this.#slide("time", t);
    this.#say("time-value", this.axis ? this.axis.at(t) : t.toFixed(2));
    const face = playing || held ? "pause" : "play";
    if (play.dataset.face !== face) {
      play.dataset.face = face;
      play.innerHTML = icon(face);
      play.setAttribute("aria-label", face === "pause" ? "Pause" : "Play");
    }
    again.setAttribute("aria-pressed", String(loop));
  }

  showHistory(kept, index) {
    const { training } = this.parts;
    const last = kept.length - 1;
    training.disabled = last < 1;
    training.max = Math.max(0, last);
    this.#slide("training", index);
    const { step, steps } = kept[index] ?? {};
    const said = kept.length ? `step ${count(step)} of ${count(steps)}` : "none yet";
    this.#say("training-value", said);
    training.setAttribute("aria-valuetext", said);
    training.closest("label").classList.toggle("pg-past", index < last);
  }

  /** The share of their trainings that several stages look at. */
  showShare(share) {
    this.#slide("training", Math.round(100 * share));
    this.#say("training-value", share >= 1 ? "newest" : `${Math.round(100 * share)} %`);
  }

  showPace({ step, steps, seconds: spent, rate, left, done, prepared = 1 }) {
    this.parts.progress.value = prepared < 1 ? prepared : steps ? step / steps : 0;
    this.parts.progress.classList.toggle("pg-done", Boolean(done));
    const pace = done ? `${count(step)} steps in ${seconds(spent)}` : `${count(rate)} steps/s`;
    if (prepared < 1) return this.#say("pace", `making pairs · ${Math.round(100 * prepared)} %`);
    this.#say("pace", done || left === null ? pace : `${pace} · ${seconds(left)} left`);
  }

  /** Where the solver's states stand in time. */
  showTicks(trajectory) {
    this.ticks.show(trajectory);
  }

  showPicture(trajectory) {
    const { nfe, ms, t, rejected, axis, ends } = trajectory;
    const counted = axis && axis !== "time" && ends;
    const { T } = this;
    if (T) this.axis = { at: (share) => (T * share).toPrecision(3) };
    else this.axis = counted ? { at: (share) => `${axis} ${Math.round(ends[0] + share * (ends[1] - ends[0]))}` } : null;
    this.parts.time.title = counted
      ? `${axis}: drag to scrub.`
      : "Time along the path: 0 is the source, 1 the target. Drag to scrub.";
    this.#say("nfe", count(nfe));
    this.showTicks(trajectory);
    if (isAdaptive(this.solver)) {
      const vain = rejected?.length ? `, ${rejected.length} rejected` : "";
      this.#say(
        "tolerance-value",
        `${this.choices.tolerance.toExponential(0).replace("-", "−")} · ${t.length - 1} steps${vain}`,
      );
    }
    this.parts.distance.classList.add("pg-stale");
    const accepted =
      typeof trajectory.acceptance === "number" ? `, ${Math.round(100 * trajectory.acceptance)} % accepted` : "";
    this.#say("nfe-note", `in ${ms < 9.95 ? ms.toFixed(1) : count(ms)} ms${accepted}`);
  }

  /** sharpness: {words, about}, what is wrong with the picture and the figures behind it; null where not known. */
  showDistance(value, floor, sharpness = null) {
    this.parts.distance.classList.remove("pg-stale");
    this.#say("distance", value.toFixed(3));
    this.#say("distance-note", [times(value, floor, "floor"), sharpness?.words].filter(Boolean).join(" · "));
    this.parts["distance-note"].title = sharpness?.about ?? "";
  }

  /** A line below the controls; a problem is announced at once, a notice when there is time. */
  showMessage(text, problem = false) {
    const { message } = this.parts;
    message.setAttribute("role", problem ? "alert" : "status");
    message.classList.toggle("pg-problem", problem);
    message.textContent = text ?? "";
  }

  showLoss(points, steps, theme, marked) {
    plotLoss(this.parts.loss, points, steps, theme, marked);
  }

  /** What the picture shows, in parts of a few words. */
  showCaption(parts) {
    const text = parts.join(" · ");
    if (!this.parts.shows || this.parts.shows.title === text) return;
    this.parts.shows.title = text;
    this.parts.shows.replaceChildren(
      ...parts.map((part, k) => Object.assign(document.createElement(k ? "span" : "b"), { textContent: part })),
    );
  }

  /** What the colours of the particles say. */
  showColour(mode, name) {
    this.parts.moving.dataset.mode = mode;
    this.#say("colour", name);
  }

  /** The entries {mark, text} of the layers that are on. */
  showKeys(entries) {
    const text = JSON.stringify(entries);
    if (this.keys === text) return;
    this.keys = text;
    this.parts.keys.replaceChildren(
      ...entries.map((entry) => {
        const item = document.createElement("li");
        const mark = document.createElement("i");
        mark.className = `pg-mark pg-mark-${entry.mark}`;
        item.append(mark, entry.text);
        return item;
      }),
    );
  }

  #slide(part, value) {
    const input = this.parts[part];
    if (input.valueAsNumber !== value) input.value = value;
    const share = (input.value - input.min) / (input.max - input.min || 1);
    input.style.setProperty("--fill", share.toFixed(4));
  }

  #say(part, text) {
    const node = this.parts[part];
    if (node.textContent !== text) node.textContent = text;
  }
}
