/**
 * The stage: particles carried from source to target by a network that was trained elsewhere and is sampled here.
 *
 *     const stage = new Stage(element, { sampler });
 *     stage.setScene(scene);          // start points, target, how to read the network
 *     stage.addSnapshot(snapshot);    // weights, as training goes on
 *     stage.apply(stage.settings);    // what is looked at and how: a plain object, for links
 *
 * Steps, solver and training history are answered in the browser. Distances are measured after the picture, by the
 * same workers. On its element it tells what happens:
 *
 *     pg:scene     {scene}, which is shown from now on
 *     pg:snapshot  {snapshot}, which has been added
 *     pg:sampled   {run, snapshot, solver, steps, grid | rtol, atol, nfe, ms, trajectory} for each new picture
 *     pg:time      {t} whenever the clock stands elsewhere
 *     pg:settings  the settings, soon after one has changed (the time that passes while it plays is none)
 */

import { History } from "./clock.js";
import { decodeArray, decodeWeights } from "./codec.js";
import { COLOURS } from "./colours.js";
import { Controls } from "./controls.js";
import { FEW_STEPS } from "./layers/paths.js";
import { SWITCHES } from "./layers/index.js";
import { SPEEDS } from "./frame.js";
import { Pictures } from "./picture.js";
import { reducedMotion } from "./surroundings.js";
import { Viewer } from "./viewer.js";

/** How many particles leave a trail: fewer where each state of the solver is a node. */
const TRACED = { smooth: 320, nodes: 120 };
/** While training streams, sampling one picture may take so long (ms). */
const LIVE_MS = 70;
/** ... but never with fewer steps than these. */
const LIVE_STEPS = 6;
/** While things change, distances are measured at most so often (ms): training wants the processor too. */
const MEASURE_EVERY = 150;

export class Stage extends Viewer {
  constructor(root, { sampler }) {
    const lane = `stage ${Math.random()}`;
    root.classList.add("pg-stage");
    const controls = new Controls(root, {
      play: () => this.playOrPause(),
      restart: () => this.byHand(() => this.clock.restart()),
      state: (sign) => this.toState(sign),
      loop: () => this.loop(),
      speed: (speed) => this.setSpeed(speed),
      hold: () => this.byHand(() => this.clock.hold()),
      scrub: (t) => this.seek(t),
      release: () => this.byHand(() => this.clock.release()),
      sampling: (since) => this.#resampleByHand(since),
      training: (index, since) => this.#lookAt(index, since),
    });
    super(root, { sampler, lane, controls });
    this.sampler = sampler;
    this.lane = lane;
    this.pictures = new Pictures(sampler, lane);
    this.#begin();
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
    const { dim } = scene;
    const n = x0.length / dim;
    const nothing = { trajectory: null, request: null, training: false, hovered: null, found: {}, trainedStep: 0 };
    Object.assign(this.state, { scene, dim, n, x0, target, shown: x0.slice(), ...nothing });
    this.#begin();
    if (JSON.stringify(before?.view) !== JSON.stringify(scene.view)) this.fit();
    if (before?.dim !== dim) this.setProbes([]);
    if (!COLOURS[this.colour].dims.includes(dim)) this.setColour("angle");
    this.recolour();
    this.controls.showScene(scene, n);
    if (JSON.stringify(before?.sampler) !== JSON.stringify(scene.sampler)) this.controls.setSampling(scene.sampler);
    this.controls.showReady(false, scene.network ? "" : "Nothing learnt yet. Train, and the particles find their way.");
    this.controls.showHistory([], -1);
    this.controls.showMessage("");
    this.clock.pause();
    this.clock.seek(1);
    this.#setState("waiting");
    this.looked();
    this.emit("scene", { scene });
    if (scene.network?.mixture) this.#showExact();
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
    this.state.trainedStep = step;
    this.#lead(snapshot);
    if (this.past !== null && this.index < 0) this.past = this.history.nearest(this.pastStep).id;
    this.controls.showHistory(this.history.kept, this.index);
    this.controls.showPace(snapshot);
    this.lossIsStale = true;
    this.draw();
    if (snapshot.message) this.controls.showMessage(snapshot.message, true);
    if (this.past === null) this.#resample({ glide: !snapshot.done });
    this.emit("snapshot", { snapshot });
  }

  /** A field that is known exactly needs no training: it is its own only snapshot. */
  #showExact() {
    this.history.add({ id: 0, step: 0, steps: 0 });
    this.#lead({ done: true });
    this.#resample({});
  }

  /** What belongs to one scene: its snapshots, which of them is looked at (null: the newest), its loss. */
  #begin() {
    this.history = new History();
    this.past = null;
    this.gone = [];
    this.loss = [];
    this.handled = false;
    this.wanted = null;
    this.companions.reset();
  }

  /** A sentence below the controls: a notice, or a problem. */
  say(text, problem = false) {
    this.controls.showMessage(text, problem);
  }

  /** What is looked at and how, as a plain object: layers, colour, view, speed, loop, t, playing and the sampling. */
  get settings() {
    const { on, unrolled } = this.state;
    const { speed, loop, t, playing } = this.clock;
    const layers = SWITCHES.filter((name) => on.has(name));
    const view = unrolled ? "unrolled" : "flat";
    const time = { t: playing ? null : Math.round(1000 * t) / 1000, playing, speed, loop };
    return { layers, colour: this.colour, view, ...time, ...this.controls.choices };
  }

  /** Takes over those settings that are given and make sense. */
  apply(settings) {
    const { layers, colour, view, t, playing, speed, loop } = settings;
    if (Array.isArray(layers)) this.state.on = new Set(SWITCHES.filter((name) => layers.includes(name)));
    if (Object.hasOwn(COLOURS, colour ?? "") && COLOURS[colour].dims.includes(this.state.dim ?? 2)) this.setColour(colour);
    if (view === "flat" || view === "unrolled") this.unroll(view === "unrolled");
    if (SPEEDS.includes(speed)) this.clock.speed = speed;
    if (typeof loop === "boolean") this.clock.loop = loop;
    if (typeof t === "number" && t >= 0 && t <= 1) this.clock.scrub(t);
    else if (playing === false) this.clock.pause();
    if (t !== undefined || playing !== undefined) this.handled = true;
    if (this.controls.setSampling(settings)) this.#resample({});
    this.looked();
  }

  destroy() {
    this.close();
    if (this.state.scene?.network) this.sampler.forget(this.state.scene.run);
    this.state = { scene: null };
    window.__playground.stages = window.__playground.stages.filter((one) => one !== this.counters);
    this.root.replaceChildren();
  }

  /** Where the history slider stands. */
  get index() {
    const { kept } = this.history;
    return this.past === null ? kept.length - 1 : kept.findIndex(({ id }) => id === this.past);
  }

  /** Unless a hand is on the clock: while training the end points show, and when it is done the way there plays. */
  #lead({ done }) {
    const before = this.root.dataset.state;
    this.#setState(done ? "ready" : "training");
    this.state.training = !done;
    if (this.handled || before === this.root.dataset.state) return;
    this.clock.pause();
    this.clock.seek(1);
    if (done && !reducedMotion.matches) this.clock.play();
    this.touch();
  }

  // ---------------------------------------------------------------------------------------------- sampling

  /** More or fewer steps by keyboard. */
  refine(sign, since) {
    this.controls.refine(sign);
    this.#resampleByHand(since);
  }

  nextSolver(since) {
    this.controls.nextSolver();
    this.#resampleByHand(since);
  }

  faster(sign) {
    this.setSpeed(SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, SPEEDS.indexOf(this.clock.speed) + sign))]);
  }

  lookBack(by, since) {
    const last = this.history.kept.length - 1;
    if (last > 0) this.#lookAt(Math.min(last, Math.max(0, this.index + by)), since);
  }

  #lookAt(index, since) {
    const { kept } = this.history;
    const one = kept[index];
    this.past = index >= kept.length - 1 ? null : one.id;
    this.pastStep = one.step;
    this.controls.showHistory(kept, index);
    this.lossIsStale = true;
    this.#resample({ since });
  }

  #resampleByHand(since) {
    this.controls.showSampling();
    this.#resample({ since });
    this.settingsChanged();
  }

  /** Asks for a trajectory with the current weights and sampling; of several wishes in one go the last is sent. */
  async #resample(wish) {
    if (!this.history.kept.length) return;
    const waits = this.wanted !== null;
    this.wanted = { since: null, glide: false, ...wish };
    if (waits || !this.visible) return;
    await null; // several snapshots that come at once are one picture
    this.#send();
  }

  cameIntoSight() {
    if (this.wanted) this.#send();
  }

  async #send() {
    if (!this.wanted || !this.visible) return;
    const { since, glide } = this.wanted;
    this.wanted = null;
    const { scene, dim, x0 } = this.state;
    const snapshot = this.history.kept[this.index].id;
    const request = { run: scene.run, snapshot, ...this.#affordable(this.controls.sampling) };
    try {
      const trajectory = await this.pictures.ask({ ...request, x0, dim });
      if (trajectory && scene === this.state.scene) this.#show(trajectory, request, { since, glide });
    } catch (error) {
      if (scene === this.state.scene) this.say(`The browser could not sample this network: ${error.message}`, true);
    }
    this.#forget();
    this.draw();
  }

  /** Lets the sampler drop what the history has dropped, but not what it may be sampling just now. */
  #forget() {
    const kept = this.gone.filter(({ id }) => this.pictures.uses(id) || id === this.state.request?.snapshot);
    for (const one of this.gone) if (!kept.includes(one)) this.sampler.forget(this.state.scene.run, one.id);
    this.gone = kept;
  }

  /** While weights stream in, no more steps than keep the picture live; the last snapshot gets all that are asked. */
  #affordable(sampling) {
    const { training, trajectory } = this.state;
    if (!training || !trajectory || this.past !== null || !sampling.steps) return sampling;
    const each = trajectory.ms / (trajectory.t.length - 1);
    return { ...sampling, steps: Math.min(sampling.steps, Math.max(LIVE_STEPS, Math.floor(LIVE_MS / each))) };
  }

  #show(trajectory, request, { since, glide }) {
    const { state, counters } = this;
    this.glide = glide && state.trajectory && !reducedMotion.matches ? { from: state.shown.slice() } : null;
    const traced = trajectory.t.length - 1 <= FEW_STEPS ? TRACED.nodes : TRACED.smooth;
    Object.assign(state, { trajectory, request, traced: Math.min(traced, state.n), picture: (state.picture ?? 0) + 1 });
    this.since = since ?? this.since;
    counters.samples += 1;
    counters.lastSteps = trajectory.t.length - 1;
    this.recolour();
    this.drawing.invalidate("paths", "travelled", "live", "dots", "over");
    this.draw();
    this.controls.showReady(true);
    this.controls.showPicture(trajectory);
    this.showKeys();
    const { nfe, ms } = trajectory;
    this.emit("sampled", { ...request, steps: trajectory.t.length - 1, nfe, ms, trajectory });
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

  // ---------------------------------------------------------------------------------------------- after a frame

  painted() {
    if (this.lossIsStale) this.#plotLoss();
    if (this.since) this.#stamp();
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

  restyle() {
    this.lossIsStale = true;
    super.restyle();
  }

  #setState(name) {
    this.root.dataset.state = name;
  }
}
