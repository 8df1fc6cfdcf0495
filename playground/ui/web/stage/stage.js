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
 *     pg:snapshot  {snapshot}, which has been added to the round on the stage
 *     pg:rounds    {tracks, track}, when a round has begun or another one is shown
 *     pg:sampled   {run, snapshot, solver, steps, grid | rtol, atol, nfe, ms, trajectory} for each new picture
 *     pg:distance  {value, floor} of the end points of the newest picture; floor null where none is known
 *     pg:caption   {text}, what the picture shows
 *     pg:time      {t} whenever the clock stands elsewhere
 *     pg:settings  the settings, soon after one has changed (the time that passes while it plays is none)
 */

import { captionOf } from "./caption.js";
import { decodeArray, decodeWeights } from "../common/codec.js";
import { isOffered } from "./colours.js";
import { Controls } from "./controls/controls.js";
import { SWITCHES } from "./layers/index.js";
import { SPEEDS } from "./frame.js";
import { started } from "../compute/networks/place.js";
import { Sampled } from "./sampled.js";
import { reducedMotion } from "./surroundings.js";
import { Track } from "../scene/track.js";

export class Stage extends Sampled {
  /** led: somebody else moves the clock (panels.js), so that it neither starts nor stops by itself. */
  constructor(root, { sampler, led = false }) {
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
      sampling: (since) => this.resampleByHand(since),
      training: (index, since) => this.#lookAt(index, since),
      round: (index) => this.showRound(index),
    });
    super(root, { sampler, lane, controls });
    this.led = led;
    this.#begin(null);
    this.#setState("empty");
    window.__playground ??= { stages: [] };
    window.__playground.stages.push(this.counters);
  }

  /** Shows source and target at once; forgets the previous run with its history. */
  setScene(scene) {
    const before = this.state.scene;
    this.#close();
    const { data: x0 } = decodeArray(scene.x0);
    const { data: target } = decodeArray(scene.target);
    const learnt = scene.training ? decodeArray(scene.training).data : null;
    const latent = scene.latent ? decodeArray(scene.latent).data : null;
    const values = scene.condition ? decodeArray(scene.condition.values).data : null;
    const { dim } = scene;
    const n = x0.length / dim;
    const nothing = { trajectory: null, request: null, training: false, hovered: null, pointer: null };
    const fresh = { starts: started(x0, scene.network), found: {}, trainedStep: 0, shown: x0.slice(), ...nothing };
    Object.assign(this.state, { scene, dim, n, x0, latent, values, target, learnt, ...fresh });
    this.#begin(scene);
    if (JSON.stringify(before?.view) !== JSON.stringify(scene.view)) this.fit();
    if (before?.dim !== dim) this.setProbes([]);
    if (Boolean(before?.condition) !== Boolean(values)) this.setColour(values ? "condition" : "angle");
    if (!isOffered(this.colour, this.state)) this.setColour("angle");
    this.recolour();
    this.controls.showScene(scene, n);
    this.controls.showRounds([], 0);
    this.controls.showKind(scene.network);
    this.numbers = null;
    this.controls.T = scene.network?.equation?.T ?? null;
    if (JSON.stringify(before?.sampler) !== JSON.stringify(scene.sampler)) this.controls.setSampling(scene.sampler);
    this.controls.showReady(false, scene.network ? "" : "Nothing learnt yet. Train, and the particles find their way.");
    this.controls.showHistory([], -1);
    this.controls.showMessage("");
    const goesOn = before?.network?.equation && scene.network?.equation; // the same page of theory, other numbers
    if (!goesOn) {
      this.clock.pause();
      this.clock.seek(1);
    }
    this.#setState("waiting");
    this.caption();
    this.looked();
    this.emit("scene", { scene });
    if (scene.network?.mixture || scene.network?.equation) this.#showExact();
  }

  /** Keeps the weights in the history and, unless the past or an earlier round is being looked at, shows what they do. */
  addSnapshot(snapshot) {
    const track = this.#trackOf(snapshot);
    if (!track) return;
    const { id, trajectory, done } = snapshot;
    this.sampler.put(track.scene.run, id, decodeWeights(snapshot.weights ?? {}), trajectory, Boolean(done));
    track.add({ ...snapshot, run: track.scene.run });
    this.counters.snapshots += 1;
    if (track !== this.track) {
      if (this.staysAt !== null) return this.#tellRounds();
      this.#showTrack(track);
    }
    this.forgetGone();
    this.counters.history = this.history.kept.length;
    this.state.trainedStep = snapshot.step;
    this.#lead(snapshot);
    this.controls.showHistory(this.history.kept, track.index);
    this.controls.showPace(snapshot);
    this.lossIsStale = true;
    this.draw();
    if (snapshot.remark || this.remarked) this.controls.showMessage(snapshot.remark ?? "", true);
    this.remarked = snapshot.remark;
    if (snapshot.message) this.controls.showMessage(snapshot.message, true);
    if (track.past === null) this.resample({ glide: !done });
    this.emit("snapshot", { snapshot: track.history.kept.at(-1) });
  }

  // ---------------------------------------------------------------------------------------------- rounds

  get history() {
    return this.track.history;
  }

  /** The track of a snapshot's round, begun where it is new; null where it belongs to another run. */
  #trackOf(snapshot) {
    const first = this.tracks[0];
    if (!first?.scene?.network || snapshot.run !== first.scene.run) return null;
    const { round = 0, network } = snapshot;
    if (!this.tracks[round] && network) {
      this.tracks[round] = Track.after(first, snapshot);
      this.#open(this.tracks[round]);
    }
    return this.tracks[round] ?? null;
  }

  #open({ scene }) {
    this.sampler.open(scene.run, scene.network);
    const values = scene.condition ? decodeArray(scene.condition.target).data : null;
    this.sampler.refer(scene.run, this.state.target, scene.dim, values);
  }

  /** Shows another round, and stays with it while later ones are trained; the last one is followed by its next. */
  showRound(index) {
    const track = this.tracks[index];
    if (!track) return;
    this.staysAt = index === this.tracks.length - 1 ? null : index;
    if (track === this.track) return;
    this.#showTrack(track);
    this.controls.showPace(track.history.kept.at(-1));
    this.controls.showHistory(track.history.kept, track.index);
    this.lossIsStale = true;
    this.resample({});
  }

  #showTrack(track) {
    this.track = track;
    Object.assign(this.state, { scene: track.scene, request: null, found: {}, hovered: null });
    this.companions.reset();
    this.controls.showKind(track.scene.network);
    this.emit("scene", { scene: track.scene });
    for (const snapshot of track.history.kept) this.emit("snapshot", { snapshot });
    this.#tellRounds();
  }

  #tellRounds() {
    this.controls.showRounds(
      this.tracks.map(({ name }) => name),
      this.tracks.indexOf(this.track),
    );
    this.emit("rounds", { tracks: this.tracks, track: this.track });
  }

  #close() {
    for (const { scene } of this.tracks) if (scene?.network) this.sampler.forget(scene.run);
  }

  /** A field that is known exactly needs no training: it is its own only snapshot. */
  #showExact() {
    this.track.add({ id: 0, step: 0, steps: 0, loss: [], done: true });
    this.#lead({ done: true });
    this.resample({});
  }

  /** What belongs to one scene: its rounds, of which the newest is followed unless another one was chosen. */
  #begin(scene) {
    this.track = new Track(scene);
    this.tracks = [this.track];
    this.staysAt = null;
    this.handled = this.led;
    this.wanted = null;
    if (scene?.network) this.#open(this.track);
    this.companions.reset();
  }

  /** Says what the picture shows. */
  caption() {
    const { scene, request, trajectory } = this.state;
    const { kept } = this.history;
    const snapshot = kept.find(({ id }) => id === request?.snapshot) ?? this.track.shown;
    const round = this.tracks.length > 1 ? this.track.name : "";
    const parts = captionOf({ scene, snapshot, round, request, trajectory });
    this.controls.showCaption(parts);
    this.emit("caption", { text: parts.join(" · ") });
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
    if (isOffered(colour, this.state)) this.setColour(colour);
    if (view === "flat" || view === "unrolled") this.unroll(view === "unrolled");
    if (SPEEDS.includes(speed)) this.clock.speed = speed;
    if (typeof loop === "boolean") this.clock.loop = loop;
    if (typeof t === "number" && t >= 0 && t <= 1) this.clock.scrub(t);
    else if (playing === false) this.clock.pause();
    if (t !== undefined || playing !== undefined) this.handled = true;
    if (this.controls.setSampling(settings)) this.resample({});
    this.looked();
  }

  destroy() {
    this.close();
    this.#close();
    this.state = { scene: null };
    window.__playground.stages = window.__playground.stages.filter((one) => one !== this.counters);
    this.root.replaceChildren();
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

  // ---------------------------------------------------------------------------------------------- the past

  faster(sign) {
    this.setSpeed(SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, SPEEDS.indexOf(this.clock.speed) + sign))]);
  }

  lookBack(by, since) {
    const last = this.history.kept.length - 1;
    if (last > 0) this.#lookAt(Math.min(last, Math.max(0, this.track.index + by)), since);
  }

  /** Looks at the snapshot that is nearest to this share of the training's steps. */
  lookAtShare(share, since) {
    const { kept } = this.history;
    if (kept.length < 2) return;
    const wanted = share >= 1 ? kept.at(-1) : this.history.nearest(share * kept.at(-1).step);
    this.#lookAt(kept.indexOf(wanted), since);
  }

  #lookAt(index, since) {
    this.track.lookAt(index);
    this.controls.showHistory(this.history.kept, index);
    this.lossIsStale = true;
    this.resample({ since });
  }

  // ---------------------------------------------------------------------------------------------- after a frame

  painted() {
    if (this.lossIsStale) this.#plotLoss();
    super.painted();
  }

  #plotLoss() {
    this.lossIsStale = false;
    const { kept } = this.history;
    const marked = this.track.past === null ? null : this.track.shown?.step;
    this.controls.showLoss(this.track.loss, kept.at(-1)?.steps ?? 0, this.state.theme, marked);
  }

  restyle() {
    this.lossIsStale = true;
    super.restyle();
  }

  #setState(name) {
    this.root.dataset.state = name;
  }
}
