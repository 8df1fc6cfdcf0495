/**
 * The stage: particles carried from source to target by a network that was trained elsewhere and is sampled here.
 *
 *     const stage = new Stage(element, { sampler });
 *     stage.setScene(scene);          // start points, target, how to read the network
 *     stage.addSnapshot(snapshot);    // weights, as training goes on
 *
 * Steps, solver and training history are answered in the browser, with one request to the sampler under way and the
 * newest one waiting. Distances are measured after the picture, by the same workers.
 */

import { Clock, History, positionsAt } from "./clock.js";
import { decodeArray, decodeWeights } from "./codec.js";
import { Controls } from "./controls.js";
import { Drawing, FEW_STEPS, TINTS, themeOf } from "./drawing.js";

/** How many particles leave a trail: fewer where each state of the solver is a node. */
const TRACED = { smooth: 240, nodes: 110 };
/** A live update glides from the previous picture to the new one for so long (ms). */
const GLIDE = 110;
/** While training streams, sampling one picture may take so long (ms). */
const LIVE_MS = 70;
/** While things change, distances are measured at most so often (ms): training wants the processor too. */
const MEASURE_EVERY = 150;

const reducedMotion = window.matchMedia("(prefers-reduced-motion: reduce)");

export class Stage {
  constructor(root, { sampler }) {
    this.root = root;
    this.sampler = sampler;
    this.lane = `stage ${Math.random()}`;
    this.counters = { frames: 0, draws: 0, samples: 0, snapshots: 0, history: 0, playing: false };
    Object.assign(this.counters, { lastPaintMs: null, lastSteps: null });
    this.clock = new Clock();
    this.state = { scene: null, trajectory: null, t: 1 };
    this.#begin();

    root.classList.add("pg-stage");
    this.controls = new Controls(root, {
      play: () => this.#byHand(() => (this.clock.playing ? this.clock.pause() : this.clock.play())),
      restart: () => this.#byHand(() => this.clock.restart()),
      loop: () => this.#byHand(() => (this.clock.loop = !this.clock.loop)),
      hold: () => this.#byHand(() => this.clock.hold()),
      scrub: (t) => this.#byHand(() => this.clock.scrub(t)),
      release: () => this.#byHand(() => this.clock.release()),
      sampling: (since) => (this.controls.showSampling(), this.#resample({ since })),
      training: (index, since) => this.#lookBack(index, since),
    });
    this.drawing = new Drawing(this.controls.parts.canvas);
    this.#watch();
    this.#restyle();
    this.#setState("empty");
    window.__playground ??= { stages: [] };
    window.__playground.stages.push(this.counters);
  }

  /** Shows source and target at once; forgets the previous run with its history. */
  setScene(scene) {
    const before = this.state.scene;
    if (before?.network) this.sampler.forget(before.run);
    const { data: x0 } = decodeArray(scene.x0);
    const { data: target } = decodeArray(scene.target);
    if (scene.network) {
      this.sampler.open(scene.run, scene.network);
      this.sampler.refer(scene.run, target, scene.dim);
    }
    const n = x0.length / scene.dim;
    const tint = tintsOf(x0, scene.dim);
    const shown = x0.slice();
    Object.assign(this.state, { scene, dim: scene.dim, n, x0, target, tint, shown, trajectory: null, training: false });
    this.#begin();
    this.controls.showScene(scene, n);
    if (JSON.stringify(before?.sampler) !== JSON.stringify(scene.sampler)) this.controls.setSampling(scene.sampler);
    this.controls.showReady(false, scene.network ? "" : "Nothing learnt yet. Train, and the particles find their way.");
    this.controls.showHistory([], -1);
    this.controls.showMessage("");
    this.clock.pause();
    this.clock.seek(1);
    this.#setState("waiting");
    this.#restyle();
  }

  /** Keeps the weights in the history and, unless the past is being looked at, shows what they do. */
  addSnapshot(snapshot) {
    const { scene } = this.state;
    if (!scene?.network || snapshot.run !== scene.run) return;
    this.sampler.put(scene.run, snapshot.id, decodeWeights(snapshot.weights));
    const { id, step, steps } = snapshot;
    this.gone.push(...this.history.add({ id, step, steps }));
    this.#forget();
    for (const point of snapshot.loss) this.loss.push(point);
    if (this.loss.length > 4000) this.loss = this.loss.filter((_, k) => k % 2 === 0);
    this.counters.snapshots += 1;
    this.counters.history = this.history.kept.length;
    this.#lead(snapshot);
    if (this.past !== null && this.index < 0) this.past = this.history.nearest(this.pastStep).id;
    this.controls.showHistory(this.history.kept, this.index);
    this.controls.showPace(snapshot);
    this.lossIsStale = true;
    this.#draw();
    if (snapshot.message) this.controls.showMessage(snapshot.message, true);
    if (this.past === null) this.#resample({ glide: !snapshot.done });
  }

  /** What belongs to one scene: its snapshots, which of them is looked at (null: the newest), its loss. */
  #begin() {
    this.history = new History();
    this.past = null;
    this.gone = [];
    this.loss = [];
    this.handled = false;
    this.wanted = null;
  }

  /** A sentence below the controls: a notice, or a problem. */
  say(text, problem = false) {
    this.controls.showMessage(text, problem);
  }

  destroy() {
    cancelAnimationFrame(this.raf);
    for (const observer of this.observers) observer.disconnect();
    this.listen.abort();
    this.controls.destroy();
    if (this.state.scene?.network) this.sampler.forget(this.state.scene.run);
    this.state = { scene: null };
    this.#begin();
    window.__playground.stages = window.__playground.stages.filter((one) => one !== this.counters);
    this.root.replaceChildren();
  }

  /** Where the history slider stands. */
  get index() {
    const { kept } = this.history;
    return this.past === null ? kept.length - 1 : kept.findIndex(({ id }) => id === this.past);
  }

  // ---------------------------------------------------------------------------------------------- time

  /** Unless a hand is on the clock: while training the end points show, and when it is done the way there plays. */
  #lead({ done }) {
    const before = this.root.dataset.state;
    this.#setState(done ? "ready" : "training");
    this.state.training = !done;
    if (this.handled || before === this.root.dataset.state) return;
    this.clock.pause();
    this.clock.seek(1);
    if (done && !reducedMotion.matches) this.clock.play();
    this.#touch();
  }

  #byHand(act) {
    this.handled = true;
    act();
    this.#touch();
  }

  /** The clock has changed: show it, and go on drawing. */
  #touch() {
    this.state.t = this.clock.t;
    this.counters.playing = this.clock.playing;
    this.root.dataset.playing = String(this.clock.playing);
    this.controls.showClock(this.clock);
    this.drawing.invalidate("live", "dots");
    this.#draw();
  }

  #draw() {
    if (!this.raf && this.visible && this.state.scene) this.raf = requestAnimationFrame((now) => this.#frame(now));
  }

  #frame(now) {
    this.raf = 0;
    this.counters.frames += 1;
    const wasPlaying = this.clock.playing;
    if (this.state.trajectory && (this.clock.tick(now) || this.clock.playing !== wasPlaying)) this.#touch();
    const gliding = this.#place(now);
    if (gliding) this.drawing.invalidate("live", "dots");
    if (this.drawing.paint(this.state)) this.counters.draws += 1;
    if (this.lossIsStale) this.#plotLoss();
    if (this.since) this.#stamp();
    if ((this.clock.playing && this.state.trajectory) || gliding) this.#draw();
  }

  /** Puts `shown` where the particles are at t; true while they still glide there from the last picture. */
  #place(now) {
    const { trajectory, shown, t } = this.state;
    if (!trajectory) return false;
    positionsAt(trajectory, t, shown);
    if (!this.glide) return false;
    this.glide.start ??= now;
    const share = (now - this.glide.start) / GLIDE;
    if (share >= 1) this.glide = null;
    else for (let i = 0; i < shown.length; i++) shown[i] = this.glide.from[i] + share * (shown[i] - this.glide.from[i]);
    return share < 1;
  }

  #plotLoss() {
    this.lossIsStale = false;
    const { kept } = this.history;
    const marked = this.past === null ? null : kept[this.index]?.step;
    this.controls.showLoss(this.loss, kept.at(-1)?.steps ?? 0, this.state.theme, marked);
  }

  /** After the frame that shows the answer to a hand is painted, notes how long that took. */
  #stamp() {
    const since = this.since;
    this.since = null;
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => (this.counters.lastPaintMs = performance.now() - since);
    port2.postMessage(null);
  }

  // ---------------------------------------------------------------------------------------------- sampling

  #lookBack(index, since) {
    const { kept } = this.history;
    const one = kept[index];
    this.past = index >= kept.length - 1 ? null : one.id;
    this.pastStep = one.step;
    this.controls.showHistory(kept, index);
    this.lossIsStale = true;
    this.#resample({ since });
  }

  /** Asks for a trajectory with the current weights, solver and steps; a newer wish replaces the one that waits. */
  #resample({ since = null, glide = false }) {
    if (!this.history.kept.length) return;
    this.wanted = { since, glide };
    if (!this.busy && this.visible) this.#work();
  }

  async #work() {
    this.busy = true;
    await null; // several snapshots that come at once are one picture
    while (this.wanted && this.visible) {
      const { since, glide } = this.wanted;
      this.wanted = null;
      const { scene, dim, x0 } = this.state;
      const { solver } = this.controls;
      const steps = this.#affordable(this.controls.steps);
      const snapshot = (this.asked = this.history.kept[this.index].id);
      try {
        const request = { run: scene.run, snapshot, x0, dim, solver, steps, lane: this.lane };
        const trajectory = await this.sampler.sample(request);
        if (trajectory && scene === this.state.scene) this.#show(trajectory, { since, glide, steps });
      } catch (error) {
        if (scene === this.state.scene) this.say(`The browser could not sample this network: ${error.message}`, true);
      }
    }
    this.asked = null;
    this.busy = false;
    this.#forget();
  }

  /** Lets the sampler drop what the history has dropped, but not what it may be sampling just now. */
  #forget() {
    const kept = this.gone.filter(({ id }) => id === this.asked);
    for (const one of this.gone) if (!kept.includes(one)) this.sampler.forget(this.state.scene.run, one.id);
    this.gone = kept;
  }

  /** While weights stream in, no more steps than keep the picture live; the last snapshot gets all that are asked. */
  #affordable(steps) {
    const { training, trajectory } = this.state;
    if (!training || !trajectory || this.past !== null) return steps;
    const each = trajectory.ms / (trajectory.t.length - 1);
    return Math.min(steps, Math.max(FEW_STEPS + 1, Math.floor(LIVE_MS / each)));
  }

  #show(trajectory, { since, glide, steps }) {
    const { state, counters } = this;
    this.glide = glide && state.trajectory && !reducedMotion.matches ? { from: state.shown.slice() } : null;
    const traced = trajectory.t.length - 1 <= FEW_STEPS ? TRACED.nodes : TRACED.smooth;
    Object.assign(state, { trajectory, traced: Math.min(traced, state.n) });
    this.since = since ?? this.since;
    counters.samples += 1;
    counters.lastSteps = steps;
    this.drawing.invalidate("paths", "travelled", "live", "dots");
    this.#draw();
    this.controls.showReady(true);
    this.controls.showPicture(trajectory);
    this.#measure();
  }

  /** The distance of the end points to the target: after the picture, of the newest only, and not too often. */
  async #measure() {
    if (this.measuring) return;
    this.measuring = true;
    await new Promise((resolve) => setTimeout(resolve, MEASURE_EVERY));
    const { scene, trajectory, n, dim } = this.state;
    if (trajectory) {
      const points = trajectory.x.subarray(-n * dim);
      const request = { run: scene.run, points, lane: `${this.lane} distance` };
      const value = await this.sampler.distance(request).catch(() => null);
      if (value !== null && scene === this.state.scene) this.controls.showDistance(value, scene.floor.sliced_w2);
    }
    this.measuring = false;
    if (this.state.trajectory !== trajectory) this.#measure();
  }

  // ---------------------------------------------------------------------------------------------- surroundings

  #setState(name) {
    this.root.dataset.state = name;
  }

  #restyle() {
    this.state.theme = themeOf(this.root, this.state.dim);
    this.lossIsStale = true;
    this.drawing.invalidate();
    this.#touch();
  }

  /** Tells the stylesheet what height there is: what the page has above the stage, and how tall the screen is. */
  #fit() {
    const above = this.root.getBoundingClientRect().top + window.scrollY;
    this.root.style.setProperty("--pg-above", `${Math.min(above, 0.3 * window.innerHeight)}px`);
    this.root.style.setProperty("--pg-screen", `${window.screen.availHeight}px`);
    this.#restyle();
  }

  /** Follows size, colours and visibility; nothing moves where nobody looks. */
  #watch() {
    this.listen = new AbortController();
    const { signal } = this.listen;
    let onScreen = true;
    const look = () => {
      this.visible = onScreen && !document.hidden;
      if (!this.visible) return;
      this.clock.last = null;
      this.#draw();
      if (this.wanted && !this.busy) this.#work();
    };
    const size = new ResizeObserver(() => this.#fit());
    size.observe(this.controls.parts.canvas);
    const screen = new IntersectionObserver(([entry]) => ((onScreen = entry.isIntersecting), look()));
    screen.observe(this.root);
    const colours = new MutationObserver(() => this.#restyle());
    for (const node of [document.documentElement, document.body]) {
      colours.observe(node, { attributes: true, attributeFilter: ["class"] });
    }
    this.observers = [size, screen, colours];
    document.addEventListener("visibilitychange", look, { signal });
    const calm = () => {
      if (reducedMotion.matches) this.clock.pause();
      this.#touch();
    };
    reducedMotion.addEventListener("change", calm, { signal });
    look();
  }
}

/** The colour of each particle by where it starts: by angle around the centre, in 1-D by rank. */
function tintsOf(x0, dim) {
  const n = x0.length / dim;
  if (dim === 1) {
    const order = Array.from(x0.keys()).sort((a, b) => x0[a] - x0[b]);
    const tint = new Uint8Array(n);
    order.forEach((i, rank) => (tint[i] = Math.floor((TINTS * rank) / n)));
    return tint;
  }
  let [cx, cy] = [0, 0];
  for (let i = 0; i < n; i++) {
    cx += x0[2 * i] / n;
    cy += x0[2 * i + 1] / n;
  }
  return Uint8Array.from({ length: n }, (_, i) => {
    const turns = Math.atan2(x0[2 * i + 1] - cy, x0[2 * i] - cx) / (2 * Math.PI);
    return Math.floor(TINTS * (turns - Math.floor(turns))) % TINTS;
  });
}
