/* The page's way to its workers: one pool for all stages.

   Requests wait in one line, in order of arrival, so that no run starves another. Each has a lane; in a lane the newest
   request wins: those that still wait resolve to null, and one that is running is given up, unless it is soon done (see
   worker.js), so that a drag shows something on its way however slow the network. A caller need not wait for one answer
   before it asks for the next. Particles are divided between the workers, but for an adaptive solver, whose step size is
   one for all. */

import { shareOf } from "../compute/networks/condition.js";
import { BLOCK } from "../compute/kernel/layout.js";
import { Remote } from "../api/remote.js";
import { isAdaptive } from "../compute/sampling/solvers.js";

/** @typedef {{t: Float64Array, x: Float32Array, n: number, dim: number, nfe: number, rejected: [number, number][],
    ms: number}} Trajectory
    t are the times of the states; where the solver is adaptive they are the ends of the accepted steps, and rejected
    holds [begin, end] of those that were tried in vain, in order. x is state after state, point after point, coordinate
    after coordinate; nfe counts rejected steps too; ms is the slowest worker's computing. */

export class Sampler {
  #workers;
  #dims = new Map(); // run → dim
  #latents = new Map(); // run of a map → dimensions of its latent
  #remote = new Remote();
  #waiting = []; // jobs with parts that no worker has yet
  #running = new Set(); // jobs with parts in workers
  #since = new Map(); // lane → when it was last answered, or began to be asked
  #count = 0;
  #failure = null;

  constructor({ workers = 2 } = {}) {
    this.#workers = Array.from({ length: workers }, () => {
      const port = new Worker(new URL("./sampling-worker.js", import.meta.url), { type: "module" });
      const worker = { port, task: null };
      port.onmessage = ({ data }) => this.#answered(worker, data);
      port.onerror = (event) => this.#fail(new Error(`the sampling worker failed: ${event.message ?? "not loaded"}`));
      return worker;
    });
  }

  /** Declares a run by the structure of its networks, by a mixture (mixture.js), which may be sampled at once, as any
      snapshot, by a map (surfaces.js), or as one that the server samples (remote.js); an earlier run of that name is
      forgotten. */
  open(run, description) {
    this.forget(run);
    this.#dims.set(run, description.dim ?? description.mixture?.centers.shape[1]);
    if (description.map) this.#latents.set(run, description.map.latent);
    if (description.remote) this.#remote.open(run, description);
    this.#tell(() => ({ kind: "open", run, description }));
  }

  /** Adds a snapshot's weights {name: Float32Array} to a run; they are copied. Of a run that the server samples it may
      have a trajectory too; see remote.js. */
  put(run, snapshot, weights, trajectory = null, whole = true) {
    if (this.#remote.has(run)) this.#remote.put(run, snapshot, trajectory, whole);
    const copied = () => Object.fromEntries(Object.entries(weights).map(([name, values]) => [name, values.slice()]));
    this.#tell(() => ({ kind: "put", run, snapshot, weights: copied() }));
  }

  /** Sets the points that `distance` compares a run with, and their values where there is a condition. */
  refer(run, points, dim, values = null) {
    this.#tell(() => ({ kind: "refer", run, points: points.slice(), dim, values: values?.slice() ?? null }));
  }

  /** Drops one snapshot, or without one the whole run: its waiting requests resolve to null. */
  forget(run, snapshot) {
    this.#remote.forget(run, snapshot);
    if (snapshot === undefined) {
      this.#dims.delete(run);
      this.#latents.delete(run);
      for (const job of [...this.#waiting, ...this.#running]) if (job.run === run) this.#settle(job, null);
    }
    this.#tell(() => ({ kind: "forget", run, snapshot }));
  }

  /** Carries x0 (n·dim values) from the path's first time to its last.

      `solver` is a name or a tableau {a, b, c}; solvers with fixed steps take `steps` of them on the `grid` "uniform",
      "late", "quadratic", "cosine" or "karras", adaptive ones keep to `rtol` and `atol`. With `times` instead, the states stand exactly
      there, whatever the solver: points that join a cloud later ride the times of its trajectory, from any of them to
      any other, back in time where the times descend. Samplers of diffusions also take their dial (samplers.js), the
      `seed` of their noise, and the number of the first `particle`, since each has noise of its own. A map takes its latent as x0 and no solver; what the server
      samples takes `live` and `settings`, and neither x0 nor a solver. A conditional network is `told` a value for
      each particle, one for all, or nothing (condition.js), and follows its field under `guidance`; see guiding.js for
      `guiding`.
      @returns {Promise<Trajectory | null>} null where a newer request of the lane (by default the run) overtook it. */
  async sample({ run, snapshot, x0, dim, times, told, live, settings, lane = run, particle = 0, ...sampling }) {
    if (this.#remote.has(run)) return this.#remote.sample({ run, snapshot, lane, live, settings });
    const latent = this.#latents.get(run);
    const whole = !latent && !times && isAdaptive(sampling.solver);
    const width = latent ?? dim;
    const shares = whole ? [x0.slice()] : this.#divide(x0, width);
    const request = { kind: "sample", run, snapshot, ...sampling };
    let first = particle;
    const parts = this.#told(shares, told, width).map((part) => {
      const one = { ...request, ...part, times: times?.slice(), particle: first };
      first += part.x0.length / width;
      return one;
    });
    const answers = await this.#ask(run, lane, parts);
    return answers && joined(answers, dim);
  }

  /** The velocity at points (n·dim values) and time t: a Float32Array of the same length.
      With a `lane` it is null where a newer request of that lane overtook it. */
  async evaluate({ run, snapshot, points, t, told, guidance, guiding, lane = null }) {
    const dim = this.#dims.get(run) ?? 1;
    const shares = this.#told(this.#divide(points, dim), told, dim);
    const parts = shares.map(({ x0, told: part }) => ({
      kind: "evaluate",
      run,
      snapshot,
      points: x0,
      told: part,
      guidance,
      guiding,
      t,
    }));
    const answers = await this.#ask(run, lane, parts);
    return answers && concatenated(answers.map((answer) => answer.values));
  }

  /** The values of one of a run's surfaces (surfaces.js) at points: a Float32Array, one for each; null as above. Of a
      probability `raw` gives what it is the logistic function of. */
  async surface({ run, snapshot, name, points, raw = false, lane = null }) {
    const shares = this.#divide(points, this.#dims.get(run) ?? 1);
    const parts = shares.map((part) => ({ kind: "surface", run, snapshot, name, points: part, raw }));
    const answers = await this.#ask(run, lane, parts);
    return answers && concatenated(answers.map((answer) => answer.values));
  }

  /** Sliced W2 between points and the run's reference points, with a `value` those under it; null as in `evaluate`. */
  async distance({ run, points, value, lane = null }) {
    const answers = await this.#ask(run, lane, [{ kind: "distance", run, points: points.slice(), value }]);
    return answers && answers[0].value;
  }

  /** How sharp points are against all of the run's reference points, see `Neighbourhood`; null as in `evaluate`. */
  async sharpness({ run, points, lane = null }) {
    const answers = await this.#ask(run, lane, [{ kind: "sharpness", run, points: points.slice() }]);
    return answers && answers[0].found;
  }

  /** Ends the workers; whatever is still asked resolves to null. */
  close() {
    for (const job of [...this.#waiting, ...this.#running]) this.#settle(job, null);
    for (const { port } of this.#workers) port.terminate();
  }

  #tell(message) {
    for (const { port } of this.#workers) post(port, message());
  }

  /** Copies of the points, a share of whole blocks for each worker. */
  #divide(points, dim) {
    const blocks = Math.ceil(points.length / (BLOCK * dim));
    const share = Math.max(1, Math.ceil(blocks / this.#workers.length)) * BLOCK * dim;
    const count = Math.max(1, Math.ceil(points.length / share));
    return Array.from({ length: count }, (_, k) => points.slice(k * share, (k + 1) * share));
  }

  /** Shares of points with what each is told: [{x0, told}]. */
  #told(shares, told, dim) {
    let at = 0;
    return shares.map((x0) => ({ x0, told: shareOf(told, at, (at += x0.length / dim)) }));
  }

  #ask(run, lane, parts) {
    if (this.#failure) return Promise.reject(this.#failure);
    if (lane !== null) this.#overtake(lane);
    return new Promise((resolve, reject) => {
      const asked = { id: ++this.#count, run, lane, parts, overtaken: false };
      this.#waiting.push({ ...asked, begun: 0, answers: [], answered: 0, resolve, reject });
      this.#dispatch();
    });
  }

  #overtake(lane) {
    const pending = [...this.#waiting, ...this.#running].some((job) => job.lane === lane);
    if (!pending) this.#since.set(lane, performance.now());
    for (const job of [...this.#waiting]) if (job.lane === lane && job.begun === 0) this.#settle(job, null);
    for (const job of this.#running) if (job.lane === lane) job.overtaken = true; // for parts that are yet to begin
    for (const { port, task } of this.#workers) {
      if (task?.job.lane === lane) post(port, { kind: "cancel", id: task.job.id });
    }
  }

  #dispatch() {
    for (const worker of this.#workers) {
      const job = this.#waiting[0];
      if (!job) return;
      if (worker.task) continue;
      const part = job.begun++;
      if (job.begun === job.parts.length) this.#waiting.shift();
      this.#running.add(job);
      worker.task = { job, part };
      const waited = performance.now() - this.#since.get(job.lane);
      post(worker.port, { id: job.id, waited, overtaken: job.overtaken, ...job.parts[part] });
    }
  }

  #answered(worker, { id, error, ...answer }) {
    if (id === undefined) {
      if (worker === this.#workers[0]) reportError(new Error(error)); // all of them were told, and all fail alike
      return;
    }
    const { job, part } = worker.task;
    worker.task = null;
    job.answers[part] = answer;
    if (error !== undefined) this.#settle(job, null, new Error(error));
    else if (answer.overtaken) this.#settle(job, null);
    else if (++job.answered === job.parts.length) this.#finish(job);
    this.#dispatch();
  }

  /** Answers a job, and with null whatever was asked in its lane before it. */
  #finish(job) {
    this.#since.set(job.lane, performance.now());
    for (const older of this.#running) {
      if (job.lane !== null && older.lane === job.lane && older.id < job.id) this.#settle(older, null);
    }
    this.#settle(job, job.answers);
  }

  /** Ends a job; the answers of parts that are still in a worker are then of no use. */
  #settle(job, value, error = null) {
    this.#waiting = this.#waiting.filter((other) => other !== job);
    this.#running.delete(job);
    if (error) job.reject(error);
    else job.resolve(value);
  }

  #fail(error) {
    this.#failure = error;
    for (const job of [...this.#waiting, ...this.#running]) this.#settle(job, null, error);
  }
}

/** Sends a message, handing over the arrays in it. */
function post(port, message) {
  const arrays = [...Object.values(message), ...Object.values(message.weights ?? {})].filter(ArrayBuffer.isView);
  port.postMessage(
    message,
    arrays.map((array) => array.buffer),
  );
}

/** The trajectories of consecutive shares of particles as one. */
function joined(answers, dim) {
  const { t, nfe, rejected } = answers[0];
  const ms = Math.max(...answers.map((answer) => answer.ms));
  const size = answers.reduce((sum, answer) => sum + answer.x.length, 0) / t.length;
  if (answers.length === 1) return { t, x: answers[0].x, n: size / dim, dim, nfe, rejected, ms };
  const x = new Float32Array(t.length * size);
  let from = 0;
  for (const answer of answers) {
    const share = answer.x.length / t.length;
    for (let k = 0; k < t.length; k++) x.set(answer.x.subarray(k * share, (k + 1) * share), k * size + from);
    from += share;
  }
  return { t, x, n: size / dim, dim, nfe, rejected, ms };
}

function concatenated(arrays) {
  if (arrays.length === 1) return arrays[0];
  const whole = new Float32Array(arrays.reduce((sum, array) => sum + array.length, 0));
  let at = 0;
  for (const array of arrays) {
    whole.set(array, at);
    at += array.length;
  }
  return whole;
}
