/**
 * The figures of the run on the stage, as far as they are known: those of the picture follow it at once, the others
 * are worked out in the background, piece by piece, for what is wanted at the moment. Nothing here draws.
 *
 *     const measured = new Measured((what) => …);   // told "picture", "fine", "reference", "couplings", "loss", "solvers", "growth"
 *     measured.begin(scene); measured.add(snapshot); measured.show(picture); measured.want("cards", true);
 */

import { BackgroundWorker } from "../workers/background.js";
import { discretePath } from "./charts/bound.js";
import { History } from "../scene/history.js";
import { decodeArray, decodeWeights } from "../common/codec.js";
import { noExact } from "../scene/exact-field.js";
import { hasField } from "../scene/capabilities.js";
import { answered, asked } from "../api/probing.js";
import { addLosses } from "../scene/losses.js";
import { fetchJSON, pageKey } from "../api/client.js";
import { trialsOf } from "./trials.js";
import { Workings } from "./workings.js";

/** The picture is measured when it has stood for so long (ms), or is the newest of a drag that goes on for so long. */
const [STOOD, GOES_ON] = [80, 400];
/** After a measurement so long (ms) no other, while training wants the processor. */
const BREATH = 300;
/** The server may be busy: so often, and so many ms apart, it is asked what figures are read against. */
const [TRIES, TRY_AGAIN] = [4, 4000];

export class Measured {
  #background = new BackgroundWorker();
  #wanted = new Set();
  #looking = false;
  #working = false;

  constructor(changed) {
    this.changed = changed;
    this.#reset(null);
  }

  #reset(scene) {
    Object.assign(this, { scene, picture: null, training: false, reference: {}, asked: false, distances: null });
    Object.assign(this, { history: new History(), loss: [], marks: [], newest: null });
    this.likelihoods = new Map(); // snapshot → {nll, nll_outside, kl, kl_error, entropy, …}, null where the server does not know
    this.differences = new Map(); // snapshot → {t: [], error: [], speed: []}: E‖v̂ − v‖² and E‖v‖², or a sentence
    this.bounds = new Map(); // snapshot → the terms of its variational bound, see bound.js, or a message
    this.couplings = null; // what each coupling would cost here, or a sentence
    this.fine = new Map(); // snapshot → {straightness, energy, cost}, null where it is not finite
    this.solvers = new Map(); // snapshot → [{solver, nfe, sliced_w2, …}] for as many of trialsOf as are done
    this.growth = new Map(); // snapshot → sliced W2
    this.handed = new Set();
  }

  /** Forgets the previous run. */
  begin(scene) {
    if (this.scene?.network) this.#background.tell("forget", { run: this.scene.run });
    this.#reset(scene);
    if (!scene.network) return;
    const { run, dim, modes, network } = scene;
    this.#background.tell("open", { run, description: network });
    const { condition } = scene;
    this.values = network.condition ? decodeArray(condition.values).data : null; // what each particle is told
    this.workings = new Workings(this.#background, scene, this.values, (id) => this.#hand(id));
    const values = condition ? decodeArray(condition.target).data : null;
    const training = scene.training ? decodeArray(scene.training).data : null;
    this.#background.tell("compare", {
      run,
      dim,
      modes,
      training,
      values,
      classes: condition?.kind === "labels",
      points: decodeArray(scene.target).data,
    });
    if (network.mixture || network.equation) this.#exact();
  }

  /** A field that is known has one state, which the worker has already. */
  #exact() {
    this.history.add({ id: 0, step: 0, seconds: 0 });
    this.handed.add(0);
  }

  /** Keeps a snapshot with its weights, and its losses. */
  add(snapshot) {
    if (!this.scene?.network || snapshot.run !== this.scene.run) return;
    const before = this.newest;
    const at = before?.step ?? 0;
    if (before && snapshot.phase !== before.phase) this.marks.push({ step: at, name: "trained on" });
    this.newest = snapshot;
    this.training = !snapshot.done;
    for (const gone of this.history.add({ ...snapshot, loss: null })) this.#drop(gone.id);
    this.loss = addLosses(this.loss, snapshot.loss);
    this.changed("loss");
    this.#work();
  }

  #drop(id) {
    const of = [this.fine, this.solvers, this.growth, this.bounds, this.differences, this.likelihoods];
    for (const figures of of) figures.delete(id);
    if (this.handed.delete(id)) this.#background.tell("forget", { run: this.scene.run, snapshot: id });
  }

  /** [training, held-out] loss of the picture's weights, null where they are not known. */
  get apart() {
    return this.history.kept.find(({ id }) => id === this.picture?.snapshot)?.apart ?? null;
  }

  /** The picture is another: {trajectory, snapshot, solver, steps}. */
  show(picture) {
    this.#background.disturb();
    this.picture = picture;
    if (this.#wanted.has("cards")) this.changed("picture");
    this.#look();
    this.#work();
  }

  /** A hand is at the controls. */
  disturb() {
    this.#background.disturb();
  }

  /** Whether "cards", "solvers" or "growth" are being looked at: what is not is not worked out. */
  want(what, wanted) {
    if (wanted) this.#wanted.add(what);
    else this.#wanted.delete(what);
    this.#look();
    this.#work();
    if (what === "coupling" && wanted) this.#compare();
  }

  close() {
    this.#reset(null);
    this.#wanted.clear();
    this.#background.close();
  }

  /** The orders of the solvers along an equation (compute/systems/order.js); null until they are measured. */
  orders(key, given) {
    return this.#worked("orders", key, given);
  }

  /** The density on a grid beside particles (compute/systems/fokker-planck.js); null until it is solved for. */
  densities(key, given) {
    return this.#worked("densities", key, given);
  }

  /** What the worker answers to what `given` makes, kept until the key is another. */
  #worked(kind, key, given) {
    this.answers ??= {};
    if (this.answers[kind]?.key === key) return this.answers[kind].found;
    this.answers[kind] = { key, found: null };
    this.#background.ask(kind, given()).then((found) => {
      if (this.answers[kind].key !== key) return;
      this.answers[kind].found = found;
      this.changed(kind);
    }, reportError);
    return null;
  }

  /** The distances and the coverage of the picture, of the newest only. */
  async #look() {
    if (this.#looking || !this.picture || !this.#wanted.has("cards") || this.distances?.picture === this.picture)
      return;
    this.#looking = true;
    const { scene, picture } = await this.#settled();
    this.#looking = false;
    if (!picture) return;
    this.#looking = true;
    try {
      const { x, n, dim } = picture.trajectory;
      const value = picture.told?.[0]; // the one that was asked for, or all
      const asked = { all: true, value, values: this.values };
      const answer = await this.#background.ask("measure", { run: scene.run, points: x.slice(-n * dim), ...asked });
      if (scene === this.scene) this.distances = { ...answer, picture };
    } catch (error) {
      if (scene === this.scene) this.distances = { picture, error: error.message };
    }
    this.changed("picture");
    if (this.training) await passed(BREATH);
    this.#looking = false;
    this.#look();
  }

  /** The scene and the picture, once it stands for a moment; a drag that goes on is not waited for. */
  async #settled() {
    const since = performance.now();
    let before;
    do {
      before = this.picture;
      await passed(STOOD);
    } while (before !== this.picture && performance.now() - since < GOES_ON);
    return { scene: this.scene, picture: this.picture };
  }

  /** Resolves when nobody waits for a picture; training, which never does, is not waited for. */
  calm() {
    return this.#background.calm(() => this.training);
  }

  /** Works out, one after the other, whatever is wanted and not known yet. */
  async #work() {
    if (this.#working) return;
    this.#working = true;
    try {
      for (let job = this.#next(); job; job = this.#next()) await job();
    } finally {
      this.#working = false;
    }
  }

  /** The next piece of work; what the figures are read against is asked for beside it, whichever scene it is by now. */
  #next() {
    this.#refer();
    const id = this.picture?.snapshot;
    if (id === undefined || this.training || !this.#wanted.size) return null;
    if (!this.history.kept.some((one) => one.id === id)) return null;
    const solved = hasField(this.scene);
    if (solved && this.#wanted.has("cards") && !this.fine.has(id)) return () => this.#solveFinely(id);
    const newest = id === this.history.kept.at(-1).id; // the server is not asked about the past
    if (newest && this.#wanted.has("cards") && this.scene.density && !this.likelihoods.has(id))
      return () => this.#weigh(id);
    if (solved && this.#wanted.has("solvers") && (this.solvers.get(id)?.length ?? 0) < trialsOf(this.scene).length)
      return () => this.#tryOut(id);
    if (this.#wanted.has("difference") && !this.differences.has(id) && !noExact(this.scene))
      return () => this.#differ(id);
    const stale = this.bounds.get(id)?.variance !== varianceOf(this.picture);
    if (this.#wanted.has("bound") && stale && discretePath(this.scene)) return () => this.#boundBy(id);
    const other = this.#wanted.has("growth") && spread(this.history.kept).find((one) => !this.growth.has(one.id));
    return other ? () => this.#lookBack(other.id) : null;
  }

  /** Asks, once for a scene, what each of the couplings would make of its points. */
  async #compare() {
    const { scene } = this;
    if (!scene?.coupling || this.comparing === scene || this.couplings) return;
    this.comparing = scene;
    const question = { setting: scene.setting, every: true };
    const couplings = await answered("coupling", question).catch(({ message }) => message);
    this.comparing = null;
    if (scene === this.scene) this.couplings = couplings;
    if (this.#wanted.has("coupling")) await this.#compare();
    this.changed("couplings");
  }

  /** Asks, once, what the figures are read against; without an answer they stand alone. */
  async #refer() {
    const { scene } = this;
    if (this.asked || this.training || !this.picture || !this.#wanted.size) return;
    this.asked = true;
    for (let tries = 0; tries < TRIES; tries++) {
      await this.#background.calm();
      if (scene !== this.scene) return;
      const given = JSON.stringify({ page: await pageKey(), ...scene.between });
      const reference = await fetchJSON("/playground/reference", given).catch(() => null);
      if (scene !== this.scene) return;
      if (reference) {
        this.reference = reference;
        return this.changed("reference");
      }
      await passed(TRY_AGAIN);
    }
  }

  async #solveFinely(id) {
    const { scene } = this;
    const still = () => scene === this.scene && this.picture?.snapshot === id && !this.training;
    const found = await this.workings.fine(id, still).catch((error) => void (still() && reportError(error)));
    if (!still()) return;
    this.fine.set(id, found ?? null);
    this.changed("fine");
  }

  /** Asks the server how likely real points are under a snapshot. */
  async #weigh(id) {
    const { scene } = this;
    await this.#background.calm();
    if (scene !== this.scene || this.picture?.snapshot !== id) return;
    this.likelihoods.set(id, await asked("density/likelihood", { scene, snapshot: id }).catch(() => null));
    if (scene === this.scene) this.changed("fine");
  }

  async #differ(id) {
    const { scene } = this;
    this.differences.set(id, await this.workings.difference(id).catch(({ message }) => message));
    if (scene === this.scene) this.changed("differences");
  }

  async #boundBy(id) {
    const { scene } = this;
    const variance = varianceOf(this.picture);
    const found = await this.workings.bound(id, variance).catch(({ message }) => ({ variance, message }));
    if (scene !== this.scene) return;
    this.bounds.set(id, found);
    this.changed("bounds");
  }

  async #tryOut(id) {
    const { scene } = this;
    if (!this.solvers.has(id)) this.solvers.set(id, []);
    const done = this.solvers.get(id);
    const trial = trialsOf(scene)[done.length];
    done.push({ ...trial, ...(await this.workings.reached(id, trial)) });
    if (scene === this.scene) this.changed("solvers");
  }

  async #lookBack(id) {
    const { scene, growth } = this;
    const { trajectory } = this.history.kept.find((one) => one.id === id);
    growth.set(id, await this.workings.grown(id, trajectory));
    if (scene === this.scene) this.changed("growth");
  }

  /** Gives the worker a snapshot's weights, once. */
  #hand(id) {
    const snapshot = this.history.kept.find((one) => one.id === id);
    if (!snapshot || this.handed.has(id)) return;
    this.handed.add(id);
    this.#background.tell("put", { run: this.scene.run, snapshot: id, weights: decodeWeights(snapshot.weights) });
  }
}

/** That of the ancestral sampler, as its dial stands; others leave it at the posterior's. */
const varianceOf = ({ solver, variance }) => (solver === "ancestral" ? variance : 0);

const passed = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The last, the first, the middle, the quarters, …: an order in which a curve is soon whole, if coarse. */
function spread(all) {
  const order = [all.length - 1, 0];
  for (let step = all.length / 2; step >= 0.5; step /= 2) {
    for (let at = step; at < all.length; at += step) order.push(Math.floor(at));
  }
  return [...new Set(order)].filter((k) => k >= 0).map((k) => all[k]);
}
