/**
 * The figures of the run on the stage, as far as they are known: those of the picture follow it at once, the others
 * are worked out aside, piece by piece, for what is wanted at the moment. Nothing here draws.
 *
 *     const measured = new Measured((what) => …);   // told "picture", "fine", "reference", "couplings", "loss", "solvers", "growth"
 *     measured.begin(scene); measured.add(snapshot); measured.show(picture); measured.want("cards", true);
 */

import { Aside } from "./aside.js";
import { boundOf, discretePath } from "./bound.js";
import { History } from "./clock.js";
import { decodeArray, decodeWeights } from "./codec.js";
import { common, exactOf, Marginal, meanSquare, noExact } from "./exact-field.js";
import { hasField } from "./layers/needs.js";
import { PathSums } from "./metrics.js";
import { started } from "./place.js";
import { answered } from "./layers/pairs.js";
import { decodeTrajectory } from "./remote.js";
import { asked } from "./probing.js";
import { fetchJSON, pageKey } from "./server.js";
import { isAdaptive, TABLEAUX } from "./solvers.js";

/** The solution on which straightness, path energy and transport cost are taken, whatever sampler is chosen. */
const FINE = { solver: "heun", steps: 100 };
/** The sampler of the curve over training, and how many particles it carries. */
const GROWTH = { solver: "heun", steps: 50 };
const FEWER = 500;
/** The picture is measured when it has stood for so long (ms), or is the newest of a drag that goes on for so long. */
const [STOOD, GOES_ON] = [80, 400];
/** After a measurement so long (ms) no other, while training wants the processor. */
const BREATH = 300;
/** The server may be busy: so often, and so many ms apart, it is asked what figures are read against. */
const [TRIES, TRY_AGAIN] = [4, 4000];
/** Times at which the learned field is held against the exact one. */
const DIFFERENT_TIMES = 41;
const MOST_LOSSES = 4000;

const EVALUATIONS = [1, 2, 4, 8, 16, 32, 100];
const TOLERANCES = [1e-1, 1e-2, 1e-3, 1e-4];

/** Samplers of diffusions that are tried out where they are offered, with their dials as they begin. */
const SAMPLED = ["ddim", "dpm_solver", "euler_maruyama"];

/** What the solvers are tried out with on a scene, cheapest first. */
export function trialsOf(scene) {
  const offered = SAMPLED.filter((solver) => scene?.network?.samplers?.includes(solver));
  const more = offered.flatMap((solver) => EVALUATIONS.map((nfe) => ({ solver, steps: nfe, cost: nfe })));
  return [...TRIALS, ...more].sort((one, other) => one.cost - other.cost);
}

const TRIALS = Object.entries(TABLEAUX)
  .flatMap(([solver, { b, error }]) => {
    if (error) return TOLERANCES.map((rtol) => ({ solver, rtol, atol: rtol, cost: 1000 - Math.log(rtol) }));
    const fitting = EVALUATIONS.filter((nfe) => nfe % b.length === 0);
    return fitting.map((nfe) => ({ solver, steps: nfe / b.length, cost: nfe }));
  });

export class Measured {
  #aside = new Aside();
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
    this.likelihoods = new Map(); // snapshot → {nll, outside, entropy}, null where the server does not know
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
    if (this.scene?.network) this.#aside.tell("forget", { run: this.scene.run });
    this.#reset(scene);
    if (!scene.network) return;
    const { run, dim, modes, network } = scene;
    this.width = network.map?.latent ?? dim; // of what the samples start from
    this.starts = started(decodeArray((network.map && scene.latent) || scene.x0).data, network);
    this.#aside.tell("open", { run, description: network });
    const { condition } = scene;
    this.values = network.condition ? decodeArray(condition.values).data : null; // what each particle is told
    const values = condition ? decodeArray(condition.target).data : null;
    const training = scene.training ? decodeArray(scene.training).data : null;
    this.#aside.tell("compare", { run, dim, modes, training, values, classes: condition?.kind === "labels", points: decodeArray(scene.target).data });
    if (network.mixture) this.#exact();
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
    for (const [step, loss] of snapshot.loss) this.loss.push([step, loss]);
    if (this.loss.length > MOST_LOSSES) this.loss = halved(this.loss);
    this.changed("loss");
    this.#work();
  }

  #drop(id) {
    const of = [this.fine, this.solvers, this.growth, this.bounds, this.differences, this.likelihoods];
    for (const figures of of) figures.delete(id);
    if (this.handed.delete(id)) this.#aside.tell("forget", { run: this.scene.run, snapshot: id });
  }

  /** [training, held-out] loss of the picture's weights, null where they are not known. */
  get apart() {
    return this.history.kept.find(({ id }) => id === this.picture?.snapshot)?.apart ?? null;
  }

  /** The picture is another: {trajectory, snapshot, solver, steps}. */
  show(picture) {
    this.#aside.disturb();
    this.picture = picture;
    if (this.#wanted.has("cards")) this.changed("picture");
    this.#look();
    this.#work();
  }

  /** A hand is at the controls. */
  disturb() {
    this.#aside.disturb();
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
    this.#aside.close();
  }

  /** The distances and the coverage of the picture, of the newest only. */
  async #look() {
    if (this.#looking || !this.picture || !this.#wanted.has("cards") || this.distances?.picture === this.picture) return;
    this.#looking = true;
    const { scene, picture } = await this.#settled();
    this.#looking = false;
    if (!picture) return;
    this.#looking = true;
    try {
      const { x, n, dim } = picture.trajectory;
      const value = picture.told?.[0]; // the one that was asked for, or all
      const asked = { all: true, value, values: this.values };
      const answer = await this.#aside.ask("measure", { run: scene.run, points: x.slice(-n * dim), ...asked });
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
    return this.#aside.calm(() => this.training);
  }

  /** Works out, one after the other, whatever is wanted and not known yet. */
  async #work() {
    if (this.#working) return;
    this.#working = true;
    this.#refer();
    for (let job = this.#next(); job; job = this.#next()) await job();
    this.#working = false;
  }

  #next() {
    const id = this.picture?.snapshot;
    if (id === undefined || this.training || !this.#wanted.size) return null;
    if (!this.history.kept.some((one) => one.id === id)) return null;
    const solved = hasField(this.scene);
    if (solved && this.#wanted.has("cards") && !this.fine.has(id)) return () => this.#solveFinely(id);
    const newest = id === this.history.kept.at(-1).id; // the server is not asked about the past
    if (newest && this.#wanted.has("cards") && this.scene.density && !this.likelihoods.has(id)) return () => this.#weigh(id);
    if (solved && this.#wanted.has("solvers") && (this.solvers.get(id)?.length ?? 0) < trialsOf(this.scene).length) return () => this.#tryOut(id);
    if (this.#wanted.has("difference") && !this.differences.has(id) && !noExact(this.scene)) return () => this.#differ(id);
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
      await this.#aside.calm();
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
    const { scene, starts: x0 } = this;
    const { run, dim } = scene;
    const totals = { straightness: 0, energy: 0, cost: 0 };
    const still = () => scene === this.scene && this.picture?.snapshot === id && !this.training;
    try {
      await this.#sample(id, { x0, ...FINE }, async (piece, _, told) => {
        if (!still()) return;
        const paths = new PathSums(piece);
        const size = piece.x.length / piece.t.length;
        for (let k = 0; k < piece.t.length && still(); k++) {
          const points = piece.x.slice(k * size, (k + 1) * size);
          const { values } = await this.#aside.ask("evaluate", { run, snapshot: id, points, t: piece.t[k], told });
          paths.add(k, values);
        }
        for (const name of Object.keys(totals)) totals[name] += (paths.sums[name] * dim) / x0.length;
      });
    } catch (error) {
      totals.cost = NaN;
      if (still()) reportError(error);
    }
    if (!still()) return;
    this.fine.set(id, Object.values(totals).every(Number.isFinite) ? totals : null);
    this.changed("fine");
  }

  /** Asks the server how likely real points are under a snapshot. */
  async #weigh(id) {
    const { scene } = this;
    await this.#aside.calm();
    if (scene !== this.scene || this.picture?.snapshot !== id) return;
    this.likelihoods.set(id, await asked("density/likelihood", { scene, snapshot: id }).catch(() => null));
    if (scene === this.scene) this.changed("fine");
  }

  /** E‖v̂ − v‖² over time, of a snapshot's field against the exact one, on points of the path's own marginals. */
  async #differ(id) {
    const { scene } = this;
    const x0 = decodeArray(scene.x0).data;
    const { run, dim, network } = scene;
    try {
      const exact = await exactOf(scene);
      const [first, last] = common(network.path, exact.network.path);
      const marginal = new Marginal({ path: network.path, exact, x0, target: decodeArray(scene.target).data, dim, count: x0.length / dim });
      this.#hand(id);
      this.#aside.tell("open", { run: `${run} exact`, description: exact.network });
      const found = { t: [], error: [], speed: [], about: exact.target };
      for (let k = 0; k < DIFFERENT_TIMES; k++) {
        await this.#aside.calm();
        const t = first + ((last - first) * (k + 0.5)) / DIFFERENT_TIMES;
        const points = marginal.at(t);
        const [learned, known] = await Promise.all(
          [[run, id], [`${run} exact`, 0]].map(([of, snapshot]) => this.#aside.ask("evaluate", { run: of, snapshot, points, t })),
        );
        found.t.push(t);
        found.error.push(meanSquare(learned.values, known.values, dim));
        found.speed.push(meanSquare(known.values, null, dim));
      }
      this.#aside.tell("forget", { run: `${run} exact` });
      this.differences.set(id, found);
    } catch ({ message }) {
      this.differences.set(id, message);
    }
    if (scene === this.scene) this.changed("differences");
  }

  /** Works out the terms of the variational bound, over the target's own mix of conditions where there are some. */
  async #boundBy(id) {
    const { scene } = this;
    const { run, dim } = scene;
    const variance = varianceOf(this.picture);
    this.#hand(id);
    const target = decodeArray(scene.target).data;
    const told = scene.condition ? decodeArray(scene.condition.target).data : null;
    const evaluate = async (points, t) => {
      const under = told?.slice(0, points.length / dim);
      return (await this.#aside.ask("evaluate", { run, snapshot: id, points, t, told: under })).values;
    };
    const given = { path: discretePath(scene), target, dim, variance };
    const found = await boundOf(given, evaluate, () => this.#aside.calm()).catch(({ message }) => ({ variance, message }));
    if (scene !== this.scene) return;
    this.bounds.set(id, found);
    this.changed("bounds");
  }

  async #tryOut(id) {
    const { scene } = this;
    if (!this.solvers.has(id)) this.solvers.set(id, []);
    const done = this.solvers.get(id);
    const trial = trialsOf(scene)[done.length];
    const { nfe, sliced_w2 } = await this.#reach(id, { x0: this.starts, ...trial });
    done.push({ ...trial, nfe, sliced_w2 });
    if (scene === this.scene) this.changed("solvers");
  }

  async #lookBack(id) {
    const { scene, growth } = this;
    const { trajectory } = this.history.kept.find((one) => one.id === id);
    const x0 = this.starts.slice(0, FEWER * this.width);
    const sent = scene.network.remote;
    const { sliced_w2 } = await (sent ? this.#sent(trajectory) : this.#reach(id, { x0, ...GROWTH }));
    growth.set(id, sliced_w2);
    if (scene === this.scene) this.changed("growth");
  }

  /** {sliced_w2} of the first particles of a trajectory that came with a snapshot; null where none did. */
  async #sent(trajectory) {
    if (!trajectory) return { sliced_w2: null };
    const { x, n, dim } = decodeTrajectory(trajectory);
    const points = x.slice((x.length / (n * dim) - 1) * n * dim).slice(0, FEWER * dim);
    return this.#aside.ask("measure", { run: this.scene.run, points, all: false });
  }

  /** {nfe, sliced_w2} of where x0 ends; sliced_w2 is null where the solver gave up or the run has been left. */
  async #reach(id, { x0, ...request }) {
    const { scene } = this;
    const ends = new Float32Array((x0.length / this.width) * scene.dim);
    let nfe = null;
    try {
      const whole = isAdaptive(request.solver); // all particles share its step size
      await this.#sample(id, { x0, whole, ...request }, (piece, at) => {
        ends.set(piece.x.subarray(-piece.x.length / piece.t.length), (at / this.width) * scene.dim);
        nfe = piece.nfe;
      });
      const { sliced_w2 } = await this.#aside.ask("measure", { run: scene.run, points: ends, all: false });
      return { nfe, sliced_w2 };
    } catch {
      return { nfe, sliced_w2: null };
    }
  }

  #sample(id, request, each) {
    const { run } = this.scene;
    this.#hand(id);
    return this.#aside.sample({ run, snapshot: id, dim: this.width, told: this.values, ...request }, each);
  }

  /** Gives the worker a snapshot's weights, once. */
  #hand(id) {
    const snapshot = this.history.kept.find((one) => one.id === id);
    if (!snapshot || this.handed.has(id)) return;
    this.handed.add(id);
    this.#aside.tell("put", { run: this.scene.run, snapshot: id, weights: decodeWeights(snapshot.weights) });
  }
}

/** That of the ancestral sampler, as its dial stands; others leave it at the posterior's. */
const varianceOf = ({ solver, variance }) => (solver === "ancestral" ? variance : 0);

const passed = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Neighbours averaged two by two. */
function halved(points) {
  return points.flatMap(([step, loss], k) => {
    const after = points[k + 1];
    if (k % 2) return [];
    return [after ? [(step + after[0]) / 2, (loss + after[1]) / 2] : [step, loss]];
  });
}

/** The last, the first, the middle, the quarters, …: an order in which a curve is soon whole, if coarse. */
function spread(all) {
  const order = [all.length - 1, 0];
  for (let step = all.length / 2; step >= 0.5; step /= 2) {
    for (let at = step; at < all.length; at += step) order.push(Math.floor(at));
  }
  return [...new Set(order)].filter((k) => k >= 0).map((k) => all[k]);
}
