/**
 * What is on the stage as pictures: trajectories asked of the sampler, shown when they come, and measured after that.
 * Which weights, and of which run, the Stage says, which extends this.
 */

import { coverage } from "../compute/metrics/metrics.js";
import { valueOf } from "../compute/networks/condition.js";
import { FEW_STEPS } from "./layers/particles/paths.js";
import { Pictures } from "./picture.js";
import { isNoisy } from "../compute/sampling/samplers.js";
import { about, verdict } from "../scene/sharpness.js";
import { reducedMotion } from "./surroundings.js";
import { renumbered, stabilityOf } from "../scene/equation.js";
import { truncated } from "../compute/sampling/truncation.js";
import { Viewer } from "./viewer.js";

/** How many particles leave a trail: fewer where each state of the solver is a node. */
const TRACED = { smooth: 320, nodes: 120, jagged: 40 };
/** Axes along which particles wander: fewer of their paths are drawn, or they would hide everything. */
const CHAIN = /(move|Langevin step)$/;
/** While training streams, sampling one picture may take so long (ms). */
const LIVE_MS = 70;
/** ... but never with fewer steps than these. */
const LIVE_STEPS = 6;
/** While things change, distances are measured at most so often (ms): training wants the processor too. */
const MEASURE_EVERY = 150;

export class Sampled extends Viewer {
  constructor(root, { sampler, lane, controls }) {
    super(root, { sampler, lane, controls });
    this.sampler = sampler;
    this.lane = lane;
    this.pictures = new Pictures(sampler, lane);
    this.wanted = null; // the newest wish for a picture that has not been sent
  }

  /** More or fewer steps by keyboard. */
  refine(sign, since) {
    this.controls.refine(sign);
    this.resampleByHand(since);
  }

  nextSolver(since) {
    this.controls.nextSolver();
    this.resampleByHand(since);
  }

  resampleByHand(since) {
    this.controls.showSampling();
    this.resample({ since });
    this.settingsChanged();
  }

  /** Asks for a trajectory with the current weights and sampling; of several wishes in one go the last is sent. */
  async resample(wish) {
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
    const { scene, dim } = this.state;
    const { id: snapshot } = this.track.shown;
    const request = {
      run: scene.run,
      snapshot,
      ...this.#affordable(this.controls.sampling),
      ...this.#asked(scene.network, snapshot),
    };
    try {
      const trajectory = await this.pictures.ask({ ...request, ...this.#start(scene.network, request), dim });
      if (trajectory && scene === this.state.scene) this.#show(trajectory, request, { since, glide });
    } catch (error) {
      if (scene === this.state.scene) this.say(`The browser could not sample this network: ${error.message}`, true);
    }
    this.forgetGone();
    this.draw();
  }

  /** The condition that is asked for, and under what guidance; `field` tells apart what other points are carried by. */
  #asked({ condition, equation }, snapshot) {
    if (equation) return { field: `${snapshot} ${JSON.stringify(this.numbers ?? null)}` };
    const guiding = this.#guiding();
    if (!condition) return { guiding, field: `${snapshot} ${JSON.stringify(guiding)}` };
    const { given, guidance } = this.controls.condition.choices;
    const told = given === null ? null : Float32Array.of(valueOf(condition, given));
    return { told, guidance, guiding, field: `${snapshot} ${given} ${guidance} ${JSON.stringify(guiding)}` };
  }

  /** When the field is guided, and by which earlier snapshot, the nearest to the share of the training that is asked. */
  #guiding() {
    const { offered, choices } = this.controls.guiding;
    const { autoguidance, guide: share, guidance_from: from, guidance_to: until } = choices;
    const { kept } = this.history;
    const { step } = this.track.shown;
    const far = (one) => Math.abs(one.step - share * step);
    const earlier = offered ? kept.filter((one) => one.step < step) : [];
    const guide = earlier.reduce((best, one) => (best && far(best) <= far(one) ? best : one), null);
    this.controls.guiding.showGuide(guide?.step ?? null);
    return { from, until, early: guide ? autoguidance : 1, guide: guide?.id ?? null };
  }

  /** Where particles start, in the latent where there is one; what the server samples is told the settings instead. */
  #start({ map, remote, sampled, condition }, { told }) {
    const { starts, latent, training } = this.state;
    if (!remote)
      return {
        x0: map && latent ? this.#within(map) : starts,
        ...(condition ? { told: told ?? this.state.values } : {}),
      };
    const chosen = {
      ...(sampled ? { sampler: this.controls.described } : {}),
      ...(this.model ? { model: this.model } : {}),
    };
    const asTrained = !this.model && (!sampled || this.controls.untouched);
    return { live: training && this.track.past === null, settings: asTrained ? null : chosen };
  }

  /** The latents, truncated as the form says now. */
  #within({ truncation: from, kind }) {
    const { latent } = this.state;
    const { truncation: to = from } = this.model ?? {};
    return from === undefined ? latent : truncated(latent, kind, from, to);
  }

  /** Takes over those fields of the model that matter for sampling alone; null for those that it was trained with. */
  setModel(fields) {
    if (JSON.stringify(fields) === JSON.stringify(this.model ?? null)) return;
    this.model = fields;
    const { remote, map, equation } = this.state.scene?.network ?? {};
    if (remote || map) this.resample({});
    if (equation && fields?.system) this.#renumber(equation, fields.system);
  }

  /** Follows the equation with other numbers in it at once; what else is changed comes with the scene that is made of it. */
  #renumber(equation, system) {
    const numbers = renumbered(equation, system);
    if (!numbers || JSON.stringify(numbers) === JSON.stringify(this.numbers ?? equation.parameters)) return;
    this.numbers = numbers;
    this.sampler.put(this.state.scene.run, 0, { live: Float64Array.from(Object.values(numbers)) });
    this.controls.T = numbers.T;
    this.resample({});
  }

  /** Lets the sampler drop what the history has dropped, but not what it may be sampling just now. */
  forgetGone() {
    const { track } = this;
    const kept = track.gone.filter(({ id }) => this.pictures.uses(id) || this.#shows(id));
    for (const one of track.gone) if (!kept.includes(one)) this.sampler.forget(track.scene.run, one.id);
    track.gone = kept;
  }

  #shows(id) {
    const { snapshot, guiding } = this.state.request ?? {};
    return id === snapshot || id === guiding?.guide;
  }

  /** While weights stream in, no more steps than keep the picture live; the last snapshot gets all that are asked. */
  #affordable(sampling) {
    const { training, trajectory } = this.state;
    if (!training || !trajectory || this.track.past !== null || !sampling.steps) return sampling;
    const each = trajectory.ms / (trajectory.t.length - 1);
    return { ...sampling, steps: Math.min(sampling.steps, Math.max(LIVE_STEPS, Math.floor(LIVE_MS / each))) };
  }

  #show(trajectory, request, { since, glide }) {
    const { state, counters } = this;
    this.glide = glide && state.trajectory && !reducedMotion.matches ? { from: state.shown.slice() } : null;
    const smooth = trajectory.t.length - 1 <= FEW_STEPS ? TRACED.nodes : TRACED.smooth;
    const traced = isNoisy(request) || CHAIN.test(trajectory.axis) ? TRACED.jagged : smooth;
    Object.assign(state, { trajectory, request, traced: Math.min(traced, state.n), picture: (state.picture ?? 0) + 1 });
    state.shapes = this.history.kept.find(({ id }) => id === request.snapshot)?.shapes ?? null;
    state.numbers = this.numbers;
    this.#warn(trajectory, request);
    this.keepGhost();
    this.since = since ?? this.since;
    counters.samples += 1;
    counters.lastSteps = trajectory.t.length - 1;
    this.recolour();
    this.drawing.invalidate("paths", "travelled", "live", "dots", "over");
    this.draw();
    this.controls.showReady(true);
    this.controls.showPicture(trajectory);
    this.caption();
    this.showKeys();
    const { nfe, ms } = trajectory;
    this.emit("sampled", { ...request, steps: trajectory.t.length - 1, nfe, ms, trajectory, numbers: this.numbers });
    this.#measure();
  }

  /** Says when chains have flown off, and takes it back when they do not any more. */
  #warn({ broken, axis, ends, t }, { solver }) {
    const { network } = this.state.scene;
    if (network?.equation) return this.#stable(stabilityOf(network, this.numbers, solver, t.length - 1));
    const flew = Boolean(broken);
    if (flew || this.warned) {
      const text = `Numerical instability: after ${axis} ${ends?.[1] ?? 0} the chains leave all bounds, because the step size is too large for the slope of the energy. What is shown ends there.`;
      this.controls.showMessage(flew ? text : "", flew);
    }
    this.warned = flew;
  }

  /** Names the limit of the step when it has been crossed, and takes it back. */
  #stable(found) {
    const sentence = found?.sentence ?? "";
    if (sentence || this.warned) this.controls.showMessage(sentence, Boolean(sentence));
    this.warned = Boolean(sentence);
  }

  /** The distance of the end points to the target: after the picture, of the newest only, and not too often. */
  async #measure() {
    if (this.measuring) return;
    this.measuring = true;
    await new Promise((resolve) => setTimeout(resolve, MEASURE_EVERY));
    const { scene, trajectory, n, dim } = this.state;
    const { told, snapshot } = this.state.request ?? {};
    if (trajectory) {
      const points = trajectory.x.subarray(-n * dim);
      const request = { run: scene.run, points, value: told?.[0], lane: `${this.lane} distance` };
      const value = await this.sampler.distance(request).catch(() => null);
      const floor = told ? null : scene.floor.sliced_w2; // which is known for the whole target alone
      if (value !== null && scene === this.state.scene) {
        const found = told ? null : await this.#sharpness(scene, points);
        this.judged = { value, floor, found, scene, snapshot };
        this.#tellDistance();
        this.emit("distance", { value, floor });
      }
    }
    this.measuring = false;
    if (this.state.trajectory !== trajectory) this.#measure();
  }

  /** What the density of a snapshot lacks is known: {run, snapshot, kl, kl_error}. */
  weighed(lack) {
    this.lack = lack;
    if (this.judged?.scene === this.state.scene) this.#tellDistance();
  }

  /** The distance that was measured last, with words for what is wrong with the end points. */
  #tellDistance() {
    const { value, floor, found, scene, snapshot } = this.judged;
    const { run, snapshot: of, kl, kl_error } = this.lack ?? {};
    const all = found && { ...found, ...(run === scene.run && of === snapshot && { kl, kl_error }) };
    const words = all && { words: verdict(all, scene.floor), about: about(all, scene.floor) };
    this.controls.showDistance(value, floor, words);
  }

  /** The sharpness of the end points, and how wide their modes are; null where that is not known. */
  async #sharpness(scene, points) {
    const { modes, dim, run } = scene;
    const found = await this.sampler.sharpness({ run, points, lane: `${this.lane} sharpness` }).catch(() => null);
    return found && { ...found, spread: modes ? coverage(points, modes, dim).spread : null };
  }

  // ---------------------------------------------------------------------------------------------- after a frame

  painted() {
    if (this.since) this.#stamp();
  }

  /** After the frame that shows the answer to a hand is painted, notes how long that took. */
  #stamp() {
    const since = this.since;
    this.since = null;
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => (this.counters.lastPaintMs = performance.now() - since);
    port2.postMessage(null);
  }
}
