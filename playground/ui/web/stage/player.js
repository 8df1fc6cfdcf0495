/**
 * A picture in time: the clock by hand and from frame to frame, and what is painted then. How one looks at it is the
 * Viewer's, which extends this.
 */

import { Clock } from "./clock.js";
import { positionsAt } from "../compute/sampling/interpolation.js";
import { Companions } from "./companions.js";
import { Drawing, MOVING } from "./painter.js";
import { CALM, layers } from "./layers/index.js";
import { present } from "../scene/capabilities.js";
import { Zoom } from "./view.js";

/** A live update glides from the previous picture to the new one for so long (ms). */
const GLIDE = 110;

export class Player {
  constructor(root, { sampler, lane, controls }) {
    this.root = root;
    this.controls = controls;
    this.picture = controls.parts.canvas;
    this.counters = { frames: 0, draws: 0, samples: 0, snapshots: 0, history: 0, playing: false };
    Object.assign(this.counters, { lastPaintMs: null, lastSteps: null, answers: 0 });
    Object.defineProperty(this.counters, "busy", { get: () => this.companions.busy + this.pictures.underWay.size });
    this.clock = new Clock();
    this.layers = layers();
    this.colour = "angle";
    const look = {
      on: new Set(CALM),
      zoom: new Zoom(),
      unrolled: false,
      probes: [],
      hovered: null,
      pointer: null,
      found: {},
    };
    this.state = { scene: null, trajectory: null, t: 1, ...look };
    this.drawing = new Drawing(this.picture, this.layers);
    this.companions = new Companions(sampler, lane, this.layers, {
      found: (name, answer) => this.#found(name, answer),
      failed: (error) => this.say(`A layer could not be drawn: ${error.message}`, true),
    });
  }

  emit(name, detail) {
    this.root.dispatchEvent(new CustomEvent(`pg:${name}`, { detail, bubbles: true }));
  }

  /** Tells once, soon, that a setting has changed. */
  settingsChanged() {
    clearTimeout(this.telling);
    this.telling = setTimeout(() => this.emit("settings", this.settings), 50);
  }

  // ---------------------------------------------------------------------------------------------- time, by hand

  playOrPause() {
    if (this.state.trajectory) this.byHand(() => (this.clock.playing ? this.clock.pause() : this.clock.play()));
  }

  loop() {
    this.byHand(() => (this.clock.loop = !this.clock.loop));
  }

  seek(t) {
    this.byHand(() => this.clock.scrub(t));
  }

  /** Stands at t: somebody else moves the clock. */
  lead(t) {
    this.clock.seek(t);
    this.touch();
  }

  nudge(by) {
    this.seek(this.clock.t + by);
  }

  /** To the solver's state before or after the current time. */
  toState(sign) {
    const times = Array.from(this.state.trajectory?.t ?? []);
    const next = sign > 0 ? times.find((t) => t > this.clock.t + 1e-6) : times.findLast((t) => t < this.clock.t - 1e-6);
    this.seek(next ?? (sign > 0 ? 1 : 0));
  }

  setSpeed(speed) {
    this.byHand(() => (this.clock.speed = speed));
  }

  byHand(act) {
    this.handled = true;
    act();
    this.touch();
    this.settingsChanged();
  }

  /** The clock has changed: show it, and go on drawing. */
  touch() {
    this.state.t = this.clock.t;
    this.state.still = !this.clock.playing && !this.clock.held;
    if (this.state.back !== this.clock.back) this.#turned();
    this.counters.playing = this.clock.playing;
    this.root.dataset.playing = String(this.clock.playing);
    this.controls.showClock(this.clock);
    this.emit("time", { t: this.clock.t });
    if (this.layers.some(({ name, timed }) => timed && this.state.on.has(name))) this.showKeys();
    this.drawing.invalidate(...MOVING);
    this.draw();
  }

  /** With the forward process on the clock runs there and back. */
  turnsBack() {
    const { on } = this.state;
    this.clock.returns = this.layers.some(
      (layer) => layer.name === "forward" && on.has(layer.name) && present(layer, this.state),
    );
    if (this.clock.returns || !this.clock.back) return;
    this.clock.seek(this.clock.t);
    this.touch();
  }

  /** Time runs the other way: other layers show. */
  #turned() {
    this.state.back = this.clock.back;
    this.drawing.invalidate();
    this.showKeys();
  }

  // ---------------------------------------------------------------------------------------------- frames

  draw() {
    if (!this.raf && this.visible && this.state.scene) this.raf = requestAnimationFrame((now) => this.#frame(now));
  }

  #frame(now) {
    this.raf = 0;
    const { state } = this;
    this.counters.frames += 1;
    const wasPlaying = this.clock.playing;
    if (state.trajectory && (this.clock.tick(now) || this.clock.playing !== wasPlaying)) this.touch();
    const gliding = this.#place(now);
    if (gliding) this.drawing.invalidate(...MOVING);
    state.tintNow = this.speeds ? this.speeds.at(state.t) : state.tint;
    state.view = this.drawing.view(state);
    state.place =
      state.view && [state.view.width, state.view.height, state.view.a0, state.view.b0, state.view.by].join();
    if (this.drawing.paint(state)) this.counters.draws += 1;
    this.painted(now);
    this.#ask();
    if ((this.clock.playing && state.trajectory) || gliding) this.draw();
  }

  /** Lets the layers that are on ask for what they lack. */
  #ask() {
    const { state } = this;
    if (!state.view) return;
    const ready = ({ needs }) => state.request || needs === "pairs"; // pairs are of an experiment, trained or not
    const wanted = (layer) => ready(layer) && (layer.always || state.on.has(layer.name)) && present(layer, state);
    this.companions.update(state, wanted, this.pictures.idle);
  }

  #found(name, answer) {
    if (answer !== null) {
      this.state.found[name] = answer;
      this.counters.answers += 1;
    }
    const below = this.layers.find((layer) => layer.name === name).painters.some(({ plane }) => plane === "ground");
    this.drawing.invalidate(...MOVING, ...(below ? ["ground", "paths"] : [])); // the paths stand on a copy of it
    this.showKeys();
    this.draw();
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

  close() {
    cancelAnimationFrame(this.raf);
    clearTimeout(this.telling);
  }
}
