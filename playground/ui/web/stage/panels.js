/**
 * Several stages side by side, moved by one deck: one clock, one sampling, one way of looking, the same probes.
 *
 *     const panels = new Panels(root, { sampler });
 *     const panel = panels.add("flow 1", "First flow");     // {key, stage, element, head, foot}
 *     panel.stage.setScene(scene); panel.stage.addSnapshot(snapshot);
 *     panels.remove("flow 1"); panels.clear();
 *
 * `head` and `foot` are empty elements above and below the picture, for figures. What the stages tell ("pg:sampled", …)
 * bubbles; `panels.of(event)` is the panel that it comes from. The deck itself tells "pg:deck" {t} when time moves.
 */

import { Clock } from "./clock.js";
import { Controls } from "./controls/controls.js";
import { DECK, SPEEDS } from "./frame.js";
import { layers } from "./layers/index.js";
import { menu } from "../common/menu.js";
import { Rail } from "./controls/rail.js";
import { Stage } from "./stage.js";
import { reducedMotion } from "./surroundings.js";

export class Panels {
  #panels = new Map();
  #raf = 0;
  #linking = false;

  /** history: whether there is one slider for the training of all, as a share of each one's own. */
  constructor(root, { sampler, history = true }) {
    Object.assign(this, { root, sampler, clock: new Clock(), share: 1 });
    root.classList.add("pg-panels");
    this.row = document.createElement("div");
    this.row.className = "pg-panel-row";
    const deck = document.createElement("div");
    deck.className = "pg-stage pg-deck";
    deck.setAttribute("aria-label", "Controls of all panels");
    root.append(this.row, deck);
    this.controls = new Controls(
      deck,
      {
        play: () => this.#byHand(() => (this.clock.playing ? this.clock.pause() : this.clock.play())),
        restart: () => this.#byHand(() => this.clock.restart()),
        state: (sign) => this.#toState(sign),
        loop: () => this.#byHand(() => (this.clock.loop = !this.clock.loop)),
        speed: (speed) => this.#byHand(() => (this.clock.speed = SPEEDS.includes(speed) ? speed : 1)),
        hold: () => this.#byHand(() => this.clock.hold()),
        scrub: (t) => this.#byHand(() => this.clock.scrub(t)),
        release: () => this.#byHand(() => this.clock.release()),
        sampling: () => this.#resample(),
        training: (value, since) => this.lookAtShare(value / 100, since),
      },
      DECK,
    );
    this.controls.rows.training.hidden = !history;
    const { button, panel } = menu("Solver", { title: "How steps are taken, by all panels" });
    panel.classList.add("pg-deck-menu");
    const method = deck.querySelector(".pg-deck-method");
    method.before(button, panel);
    panel.append(method);
    Object.assign(this.controls.parts.training, { max: 100, disabled: false, value: 100 });
    const each = (act) => () => this.#each(act);
    this.rail = new Rail(
      this.controls.parts.rail,
      layers(),
      {
        toggle: (name) => this.toggle(name),
        colour: each((stage) => stage.nextColour()),
        unrolled: () => this.#unroll(),
        clear: each((stage) => stage.clearProbes()),
        fit: each((stage) => stage.fit()),
        full: () => (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen?.()),
        help: () => this.#first?.help(),
      },
      { folded: true },
    );
    root.addEventListener("pg:probes", ({ target, detail }) => this.#link(target, detail.probes));
    root.addEventListener("pg:sampled", () => this.#arrived());
    root.addEventListener("pg:scene", ({ detail: { scene } }) => {
      if (scene.network?.condition) this.controls.condition.offer(scene.network.condition);
      this.#show();
    });
    this.controls.showSampling();
    this.#show();
  }

  get #first() {
    return this.all[0]?.stage;
  }

  /** The panels in their order. */
  get all() {
    return [...this.#panels.values()];
  }

  get(key) {
    return this.#panels.get(key);
  }

  /** The panel that an event comes from. */
  of({ target }) {
    return this.all.find(({ element }) => element.contains(target));
  }

  /** A further panel, or the one with this key under another title. */
  add(key, title) {
    const before = this.#panels.get(key);
    if (before) {
      before.element.querySelector("h3").textContent = title;
      return before;
    }
    const element = document.createElement("section");
    element.className = "pg-panel";
    element.dataset.panel = key;
    element.setAttribute("aria-label", title);
    const heading = Object.assign(document.createElement("h3"), { textContent: title });
    const [head, body, foot] = ["head", "body", "foot"].map((name) => {
      return Object.assign(document.createElement("div"), { className: `pg-panel-${name}` });
    });
    element.append(heading, head, body, foot);
    this.row.append(element);
    const stage = new Stage(body, { sampler: this.sampler, led: true });
    const like = this.#first;
    if (like) stage.apply({ layers: like.settings.layers, colour: like.colour, view: like.settings.view });
    stage.apply(this.controls.choices);
    const panel = { key, stage, element, head, foot };
    this.#panels.set(key, panel);
    this.row.style.setProperty("--panels", this.#panels.size);
    this.#show();
    return panel;
  }

  remove(key) {
    const panel = this.#panels.get(key);
    if (!panel) return;
    panel.stage.destroy();
    panel.element.remove();
    this.#panels.delete(key);
    this.row.style.setProperty("--panels", this.#panels.size);
  }

  clear() {
    for (const key of [...this.#panels.keys()]) this.remove(key);
  }

  // ---------------------------------------------------------------------------------------------- what all do alike

  /** Plays from the source, where motion is welcome. */
  play() {
    if (!reducedMotion.matches) this.#byHand(() => (this.clock.restart(), this.clock.play()));
  }

  seek(t) {
    this.#byHand(() => this.clock.scrub(t));
  }

  toggle(name, on = !this.#first?.state.on.has(name)) {
    this.#each((stage) => stage.toggle(name, on));
  }

  /** All look at the same share of their training; 1 is the newest and stays with it. */
  lookAtShare(share, since) {
    this.share = share;
    this.#each((stage) => stage.lookAtShare(share, since));
    this.#show();
  }

  /** {solver, steps, grid, tolerance} for all, as far as given. */
  setSampling(sampling) {
    this.controls.setSampling(sampling);
    this.#resample();
  }

  #resample() {
    this.controls.showSampling();
    this.#each((stage) => stage.apply(this.controls.choices));
    this.root.dispatchEvent(
      new CustomEvent("pg:deck", { detail: { t: this.clock.t, sampling: this.controls.sampling } }),
    );
  }

  #unroll() {
    const unrolled = !this.#first?.state.unrolled;
    this.#each((stage) => stage.unroll(unrolled));
  }

  #toState(sign) {
    const times = Array.from(this.#first?.state.trajectory?.t ?? []);
    const { t } = this.clock;
    const next = sign > 0 ? times.find((one) => one > t + 1e-6) : times.findLast((one) => one < t - 1e-6);
    this.seek(next ?? (sign > 0 ? 1 : 0));
  }

  #each(act) {
    for (const { stage } of this.all) act(stage);
    this.#show();
  }

  /** Probes that one panel has got are dropped in all others too. */
  #link(from, probes) {
    if (this.#linking) return;
    this.#linking = true;
    for (const { stage } of this.all) if (stage.root !== from) stage.setProbes(probes);
    this.#linking = false;
    this.#show();
  }

  #arrived() {
    const trajectory = this.#first?.state.trajectory;
    if (trajectory) this.controls.showTicks(trajectory);
    this.controls.showReady(true);
  }

  #show() {
    this.controls.showClock(this.clock);
    this.controls.showShare(this.share);
    const stage = this.#first;
    if (stage) this.rail.show({ ...stage.state, colour: stage.colour });
  }

  // ---------------------------------------------------------------------------------------------- the clock

  #byHand(act) {
    act();
    this.#moved();
  }

  #moved() {
    for (const { stage } of this.all) stage.lead(this.clock.t);
    this.controls.showClock(this.clock);
    this.root.dispatchEvent(new CustomEvent("pg:deck", { detail: { t: this.clock.t } }));
    if (this.clock.playing && !this.#raf) this.#raf = requestAnimationFrame((now) => this.#tick(now));
  }

  #tick(now) {
    this.#raf = 0;
    if (!this.root.offsetParent) return this.clock.pause(); // nobody looks
    const before = this.clock.playing;
    if (this.clock.tick(now) || before !== this.clock.playing) return this.#moved();
    if (this.clock.playing) this.#raf = requestAnimationFrame((later) => this.#tick(later));
  }
}
