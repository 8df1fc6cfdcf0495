/**
 * How the figures of a snapshot are worked out in the background: a solution piece by piece, fields compared over time. What is
 * wanted, and when, is for Measured to know; nothing here is kept.
 */

import { boundOf, discretePath } from "./charts/bound.js";
import { decodeArray } from "../common/codec.js";
import { common, exactOf, Marginal, meanSquare } from "../scene/exact-field.js";
import { PathSums } from "../compute/metrics/metrics.js";
import { started } from "../compute/networks/place.js";
import { decodeTrajectory } from "../api/remote.js";
import { isAdaptive } from "../compute/sampling/solvers.js";

/** The solution on which straightness, path energy and transport cost are taken, whatever sampler is chosen. */
const FINE = { solver: "heun", steps: 100 };
/** The sampler of the curve over training, and how many particles it carries. */
const GROWTH = { solver: "heun", steps: 50 };
const FEWER = 500;
/** Times at which the learned field is held against the exact one. */
const DIFFERENT_TIMES = 41;

export class Workings {
  /** values: what each particle is told, or null; hand(id) gives the worker a snapshot's weights where it lacks them. */
  constructor(background, scene, values, hand) {
    const { network, dim } = scene;
    this.width = network.map?.latent ?? dim; // of what the samples start from
    this.starts = started(decodeArray((network.map && scene.latent) || scene.x0).data, network);
    Object.assign(this, { background, scene, values, hand });
  }

  /** {straightness, energy, cost} of a snapshot; null where one is not finite. Ends early when it is not `still` wanted. */
  async fine(id, still) {
    const { background, scene, starts: x0 } = this;
    const { run, dim } = scene;
    const totals = { straightness: 0, energy: 0, cost: 0 };
    await this.#sample(id, { x0, ...FINE }, async (piece, _, told) => {
      if (!still()) return;
      const paths = new PathSums(piece);
      const size = piece.x.length / piece.t.length;
      for (let k = 0; k < piece.t.length && still(); k++) {
        const points = piece.x.slice(k * size, (k + 1) * size);
        const { values } = await background.ask("evaluate", { run, snapshot: id, points, t: piece.t[k], told });
        paths.add(k, values);
      }
      for (const name of Object.keys(totals)) totals[name] += (paths.sums[name] * dim) / x0.length;
    });
    return Object.values(totals).every(Number.isFinite) ? totals : null;
  }

  /** {t: [], error: [], speed: [], about}: E‖v̂ − v‖² and E‖v‖² over time, of a snapshot's field against the exact one, on
      points of the path's own marginals. */
  async difference(id) {
    const { background, scene } = this;
    const x0 = decodeArray(scene.x0).data;
    const { run, dim, network } = scene;
    const exact = await exactOf(scene);
    const [first, last] = common(network.path, exact.network.path);
    const marginal = new Marginal({
      path: network.path,
      exact,
      x0,
      target: decodeArray(scene.target).data,
      dim,
      count: x0.length / dim,
    });
    this.hand(id);
    background.tell("open", { run: `${run} exact`, description: exact.network });
    const found = { t: [], error: [], speed: [], about: exact.target };
    for (let k = 0; k < DIFFERENT_TIMES; k++) {
      await background.calm();
      const t = first + ((last - first) * (k + 0.5)) / DIFFERENT_TIMES;
      const points = marginal.at(t);
      const [learned, known] = await Promise.all(
        [
          [run, id],
          [`${run} exact`, 0],
        ].map(([of, snapshot]) => background.ask("evaluate", { run: of, snapshot, points, t })),
      );
      found.t.push(t);
      found.error.push(meanSquare(learned.values, known.values, dim));
      found.speed.push(meanSquare(known.values, null, dim));
    }
    background.tell("forget", { run: `${run} exact` });
    return found;
  }

  /** The terms of the variational bound (bound.js), over the target's own mix of conditions where there are some. */
  async bound(id, variance) {
    const { background, scene } = this;
    const { run, dim } = scene;
    this.hand(id);
    const target = decodeArray(scene.target).data;
    const told = scene.condition ? decodeArray(scene.condition.target).data : null;
    const evaluate = async (points, t) => {
      const under = told?.slice(0, points.length / dim);
      return (await background.ask("evaluate", { run, snapshot: id, points, t, told: under })).values;
    };
    return boundOf({ path: discretePath(scene), target, dim, variance }, evaluate, () => background.calm());
  }

  /** The sliced W2 of fewer particles under a snapshot; of the trajectory that came with it where the server samples. */
  async grown(id, trajectory) {
    if (this.scene.network.remote) return trajectory ? this.#distance(firstOf(decodeTrajectory(trajectory))) : null;
    return (await this.reached(id, GROWTH, this.starts.slice(0, FEWER * this.width))).sliced_w2;
  }

  /** {nfe, sliced_w2} of where x0 ends; sliced_w2 is null where the solver gave up or the run has been left. */
  async reached(id, sampling, x0 = this.starts) {
    const ends = new Float32Array((x0.length / this.width) * this.scene.dim);
    let nfe = null;
    try {
      const whole = isAdaptive(sampling.solver); // all particles share its step size
      await this.#sample(id, { x0, whole, ...sampling }, (piece, at) => {
        ends.set(piece.x.subarray(-piece.x.length / piece.t.length), (at / this.width) * this.scene.dim);
        nfe = piece.nfe;
      });
      return { nfe, sliced_w2: await this.#distance(ends) };
    } catch {
      return { nfe, sliced_w2: null };
    }
  }

  async #distance(points) {
    return (await this.background.ask("measure", { run: this.scene.run, points, all: false })).sliced_w2;
  }

  #sample(id, request, each) {
    this.hand(id);
    return this.background.sample(
      { run: this.scene.run, snapshot: id, dim: this.width, told: this.values, ...request },
      each,
    );
  }
}

/** Where the first particles of a trajectory end. */
function firstOf({ x, n, dim }) {
  return x.slice(-n * dim).slice(0, FEWER * dim);
}
