/* A worker of the pool: it holds runs with their snapshots and answers one request at a time.

   Messages in, told apart by `kind`:
     open {run, description}, put {run, snapshot, weights}, forget {run, snapshot?}, refer {run, points, dim, values}
     sample {id, run, snapshot, x0, waited, overtaken, solver, steps, grid, rtol, atol, times, told, guidance,
             guiding, seed, particle, …dial}
                                                     → {id, t, x, nfe, rejected, ms}; x state after state
     evaluate {id, run, snapshot, points, t, told, guidance, guiding}
                                                     → {id, values}
     surface {id, run, snapshot, name, points, raw}  → {id, values}, one for each point
     distance {id, run, points, value}               → {id, value}
     sharpness {id, run, points}                     → {id, found: {sample_kl, stray, missed} or null}
     cancel {id}: a newer request waits: give this one up, → {id, overtaken}, unless it is soon done
   A request that fails is answered with {id, error}; a declaration that fails is reported as {error}. */

import { Kernel } from "../compute/kernel/kernel.js";
import { MixtureRun } from "../compute/networks/mixture.js";
import { NetworkRun } from "../compute/networks/network.js";
import { Reference } from "../compute/metrics/reference.js";
import { planOf } from "../compute/sampling/solvers.js";
import { EquationRun } from "../compute/systems/equation.js";
import { MapRun, SurfaceRun } from "../compute/networks/surfaces.js";

/** So often (ms) a request looks whether it has been overtaken. */
const LOOK_MS = 40;
/** Then it is given up if it would take longer than this (ms), and longer than twice the time without any answer. */
const PATIENCE_MS = 150;

/** What a run can be, by the first of these keys that its description has; each has put and drop as NetworkRun has, and
    field or jump. */
const RUNS = { equation: EquationRun, mixture: MixtureRun, map: MapRun, remote: SurfaceRun, networks: NetworkRun };

const kernel = new Kernel();
const runs = new Map();
const references = new Map();
let cancelled = null;

const handlers = {
  open({ run, description }) {
    const kind = Object.keys(RUNS).find((key) => key in description);
    if (!kind) throw new Error(`a run has one of ${Object.keys(RUNS).join(", ")}, not ${Object.keys(description)}`);
    runs.set(run, new RUNS[kind](kernel, description));
  },

  put({ run, snapshot, weights }) {
    found(run).put(snapshot, weights);
  },

  forget({ run, snapshot }) {
    if (snapshot !== undefined) return runs.get(run)?.drop(snapshot);
    references.delete(run);
    runs.delete(run);
  },

  refer({ run, points, dim, values }) {
    references.set(run, new Reference(points, dim, values));
  },

  cancel({ id }) {
    cancelled = id;
  },

  async sample({ id, run, snapshot, x0, waited, overtaken, ...request }) {
    if (overtaken) cancelled = id;
    const began = performance.now();
    if (found(run).jump) {
      const [seen, made] = found(run).jump(snapshot, x0);
      const x = new Float32Array(2 * made.length);
      x.set(seen);
      x.set(made, made.length);
      return { t: Float64Array.of(0, 1), x, nfe: 1, rejected: [], ms: performance.now() - began };
    }
    const process = found(run).field(snapshot, request);
    const { tMin, tMax, spent } = process;
    const { solve, evaluations } = process.plan?.(request) ?? planOf(request, tMin, tMax, process);
    const states = [];
    let [looked, done] = [began, 0];
    for (const state of solve(process, x0)) {
      if (state) states.push(state);
      else done += 1;
      const now = performance.now();
      if (now - looked < LOOK_MS || !done) continue;
      await messagesHandled();
      const share = evaluations ? done / evaluations : Math.max(0.02, (states.at(-1).t - tMin) / (tMax - tMin));
      const left = ((now - began) * (1 - share)) / share;
      const patience = Math.max(PATIENCE_MS, 2 * (waited + now - began));
      if (cancelled === id && left > patience) return { overtaken: true };
      looked = performance.now();
    }
    const x = new Float32Array(states.length * x0.length);
    states.forEach((state, k) => x.set(state.x, k * x0.length));
    const t = Float64Array.from(states, (state) => state.t);
    const rejected = states.flatMap((state) => state.rejected ?? []);
    return { t, x, nfe: spent?.() ?? states.at(-1).nfe, rejected, ms: performance.now() - began };
  },

  evaluate({ run, snapshot, points, t, told, guidance, guiding }) {
    const values = new Float32Array(points.length);
    found(run).field(snapshot, { told, guidance, guiding }).velocity(points, t, values);
    return { values };
  },

  surface({ run, snapshot, name, points, raw }) {
    return { values: found(run).scalars.values(snapshot, name, points, raw) };
  },

  distance({ run, points, value }) {
    const reference = references.get(run);
    if (!reference) throw new Error(`run ${run} has no reference points`);
    return { value: reference.distance(points, value) };
  },

  sharpness({ run, points }) {
    const reference = references.get(run);
    if (!reference) throw new Error(`run ${run} has no reference points`);
    return { found: points.every(Number.isFinite) ? reference.sharpness(points) : null };
  },
};

function found(run) {
  if (!runs.has(run)) throw new Error(`run ${run} is not open`);
  return runs.get(run);
}

const { port1: here, port2: there } = new MessageChannel();

/** Resolves after the messages that wait have been handled. */
function messagesHandled() {
  return new Promise((resolve) => {
    here.onmessage = resolve;
    there.postMessage(null);
  });
}

self.onmessage = async ({ data }) => {
  const { id } = data;
  try {
    const answer = await handlers[data.kind](data);
    if (id === undefined || data.kind === "cancel") return;
    const buffers = Object.values(answer)
      .filter(ArrayBuffer.isView)
      .map((array) => array.buffer);
    self.postMessage({ id, ...answer }, buffers);
  } catch (error) {
    self.postMessage({ id, error: error.message });
  }
};
