/* The figures of every round of a rectified flow, worked out in the background once the round is there: the fine solution with S(t)
   and S by starting point, quality against evaluations, and what its coupling leaves to bend for. */

import { started } from "../../compute/networks/place.js";
import { BackgroundWorker } from "../../workers/background.js";
import { decodeArray, decodeWeights } from "../../common/codec.js";
import { conditionalVariance, drift, mean, transportCost } from "../../compute/metrics/crossing.js";
import { PathSums } from "../../compute/metrics/metrics.js";

const FINE = { solver: "heun", steps: 100 };
export const EVALUATIONS = [1, 2, 4, 8, 16, 32, 100];

export class RoundFigures {
  #background = new BackgroundWorker();
  #queue = Promise.resolve();

  /** `changed(index)` is called whenever a round has more figures. */
  constructor(changed) {
    this.changed = changed;
    this.rounds = [];
  }

  /** Another run: {dim, x0, target} of its scene. */
  begin(scene) {
    for (const { run } of this.rounds) this.#background.tell("forget", { run });
    const real = decodeArray(scene.target).data;
    Object.assign(this, {
      rounds: [],
      scene,
      dim: scene.dim,
      x0: started(decodeArray(scene.x0).data, scene.network),
      real,
    });
    this.real = real.slice(0, this.x0.length);
    const pairs = { ...transportCost(this.x0, this.real, this.dim), variance: this.#variance(this.x0, this.real) };
    this.independent = pairs; // of source and target points as they come, which are independent
  }

  /** A picture, a hand: what is not urgent stands back. */
  disturb() {
    this.#background.disturb();
  }

  /** Measures a round's weights, after those that are under way. */
  add(index, { run, network, snapshot }) {
    const { scene } = this;
    const round = { run, index, map: Boolean(network.map), quality: [], name: snapshot.name };
    this.rounds[index] = round;
    this.#background.tell("open", { run, description: network });
    this.#background.tell("put", { run, snapshot: snapshot.id, weights: decodeWeights(snapshot.weights) });
    this.#background.tell("compare", {
      run,
      dim: this.dim,
      modes: null,
      values: null,
      training: null,
      points: decodeArray(scene.target).data,
    });
    this.#queue = this.#queue
      .then(() => this.rounds[index] === round && this.#measure(round, snapshot.id))
      .catch((error) => this.rounds[index] === round && reportError(error)); // of a run that was left none is expected
    return this.#queue;
  }

  async #measure(round, snapshot) {
    if (round.map) this.#missed(round, await this.#reach(round, snapshot, 1));
    else await this.#solve(round, snapshot);
    if (this.rounds[round.index] !== round || !round.ends) return;
    Object.assign(round, {
      ...transportCost(this.x0, round.ends, this.dim),
      variance: this.#variance(this.x0, round.ends),
    });
    round.drift = drift(round.ends, this.real, this.dim);
    this.changed(round.index);
    for (const nfe of round.map ? [1] : EVALUATIONS) {
      const ends = await this.#reach(round, snapshot, nfe);
      if (this.rounds[round.index] !== round) return;
      const asked = { run: round.run, points: ends, all: false, sharp: true };
      const { sliced_w2, sharpness } = await this.#background.ask("measure", asked);
      round.quality.push({ nfe, sliced_w2, sharpness });
      this.changed(round.index);
    }
    round.done = true;
    this.changed(round.index);
  }

  /** How far, squared, a map lands from the end points of the flow that it is distilled from, by starting point. */
  #missed(round, ends) {
    const { dim } = this;
    const wanted = this.rounds[round.index - 1]?.ends ?? ends;
    round.ends = ends;
    round.particles = new Float32Array(ends.length / dim);
    ends.forEach((value, i) => (round.particles[Math.floor(i / dim)] += (value - wanted[i]) ** 2));
  }

  #variance(x0, x1) {
    return conditionalVariance(x0, x1, this.dim);
  }

  /** The fine solution: S(t), S of each particle, energy, end points. */
  async #solve(round, snapshot) {
    const { dim, x0 } = this;
    const n = x0.length / dim;
    const found = { particles: new Float32Array(n), ends: new Float32Array(x0.length), energy: 0 };
    await this.#background.sample({ run: round.run, snapshot, x0, dim, ...FINE }, async (piece, at) => {
      const size = piece.x.length / piece.t.length;
      const sums = new PathSums(piece);
      found.times ??= piece.t.slice();
      found.bends ??= new Float64Array(piece.t.length);
      found.ends.set(piece.x.subarray(-size), at);
      const rates = new Float64Array(size / dim);
      for (let k = 0; k < piece.t.length; k++) {
        if (this.rounds[round.index] !== round) return;
        const points = piece.x.slice(k * size, (k + 1) * size);
        const { values } = await this.#background.ask("evaluate", { run: round.run, snapshot, points, t: piece.t[k] });
        sums.add(k, values);
        const width = (piece.t[Math.min(k + 1, piece.t.length - 1)] - piece.t[Math.max(k - 1, 0)]) / 2;
        for (let i = 0; i < rates.length; i++) {
          let squared = 0;
          for (let j = 0; j < dim; j++) squared += (sums.moved[i * dim + j] - values[i * dim + j]) ** 2;
          rates[i] += width * squared;
          found.bends[k] += squared / n;
        }
      }
      found.particles.set(rates, at / dim);
      found.energy += (sums.sums.energy * dim) / x0.length;
    });
    if (this.rounds[round.index] !== round) return;
    Object.assign(round, found, { straightness: mean(found.particles) });
  }

  /** Where all particles end after so many Euler steps. */
  async #reach(round, snapshot, nfe) {
    const ends = new Float32Array(this.x0.length);
    await this.#background.sample(
      { run: round.run, snapshot, x0: this.x0, dim: this.dim, solver: "euler", steps: nfe },
      (piece, at) => {
        ends.set(piece.x.subarray(-piece.x.length / piece.t.length), at);
      },
    );
    return ends;
  }

  /** The pairs that a round was trained on, as {x0, x1}: independent ones, or those of the flow before. */
  trainedOn(index) {
    const before = index === 0 ? this.real : this.rounds[index - 1]?.ends;
    return before ? { x0: this.x0, x1: before } : null;
  }
}
