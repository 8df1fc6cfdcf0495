/* A worker of the pool: it holds runs with their snapshots and answers one request at a time.

   Messages in, told apart by `kind`:
     open {run, description}, put {run, snapshot, weights}, forget {run, snapshot?}, refer {run, points, dim}
     sample {id, run, snapshot, x0, solver, steps}   → {id, t, x, nfe, ms}; x state after state
     evaluate {id, run, snapshot, points, t}         → {id, values}
     distance {id, run, points}                      → {id, value}
     cancel {id}: answer null and do no more, if the request has already taken long
   A request that fails is answered with {id, error}; a declaration that fails is reported as {error}. */

import { Kernel } from "./kernel.js";
import { fixedDirections, slicedW2OfSorted, sortedProjections } from "./metrics.js";
import { NetworkRun } from "./network.js";
import { solverOf, uniformGrid } from "./solvers.js";

/** After this long a request looks whether it has been overtaken; a shorter one always ends, so that a drag shows. */
const PATIENCE_MS = 200;

/** What a run can be, by the `kind` of its description; each has put, drop and field as NetworkRun has. */
const RUNS = { network: NetworkRun };

const kernel = new Kernel();
const runs = new Map();
const references = new Map();
let cancelled = null;

const handlers = {
  open({ run, description }) {
    const Run = RUNS[description.kind ?? "network"];
    if (!Run) throw new Error(`there is no kind of run "${description.kind}" here`);
    runs.set(run, new Run(kernel, description));
  },

  put({ run, snapshot, weights }) {
    found(run).put(snapshot, weights);
  },

  forget({ run, snapshot }) {
    if (snapshot !== undefined) return runs.get(run)?.drop(snapshot);
    references.delete(run);
    runs.delete(run);
  },

  refer({ run, points, dim }) {
    references.set(run, { points, dim, sorted: null });
  },

  cancel({ id }) {
    cancelled = id;
  },

  async sample({ id, run, snapshot, x0, solver, steps }) {
    const began = performance.now();
    const { velocity, tMin, tMax } = found(run).field(snapshot);
    const states = [];
    let looked = began;
    for (const state of solverOf(solver)(velocity, x0, uniformGrid(tMin, tMax, steps))) {
      states.push(state);
      if (performance.now() - looked < PATIENCE_MS) continue;
      await messagesHandled();
      if (cancelled === id) return { overtaken: true };
      looked = performance.now();
    }
    const x = new Float32Array(states.length * x0.length);
    states.forEach((state, k) => x.set(state.x, k * x0.length));
    const t = Float64Array.from(states, (state) => state.t);
    return { t, x, nfe: states.at(-1).nfe, ms: performance.now() - began };
  },

  evaluate({ run, snapshot, points, t }) {
    const values = new Float32Array(points.length);
    found(run).field(snapshot).velocity(points, t, values);
    return { values };
  },

  distance({ run, points }) {
    const reference = references.get(run);
    if (!reference) throw new Error(`run ${run} has no reference points`);
    const directions = fixedDirections(reference.dim);
    reference.sorted ??= sortedProjections(reference.points, reference.dim, directions);
    const sorted = sortedProjections(points, reference.dim, directions);
    return { value: slicedW2OfSorted(sorted, reference.sorted) };
  },
};

function found(run) {
  if (!runs.has(run)) throw new Error(`run ${run} is not open`);
  return runs.get(run);
}

/** Resolves after the messages that wait have been handled. */
function messagesHandled() {
  return new Promise((resolve) => setTimeout(resolve));
}

self.onmessage = async ({ data }) => {
  const { id } = data;
  try {
    const answer = await handlers[data.kind](data);
    if (id === undefined || data.kind === "cancel") return;
    const buffers = Object.values(answer).filter(ArrayBuffer.isView).map((array) => array.buffer);
    self.postMessage({ id, ...answer }, buffers);
  } catch (error) {
    self.postMessage({ id, error: error.message });
  }
};
