/* The worker beside the stage's: it does what worker.js does, and measures clouds.

   Messages in, besides those of worker.js:
     compare {run, points, dim, modes}: what `measure` measures against, until another of that run or its forgetting
     measure {id, run, points, all}  → {id, sliced_w2} and, if `all`, {energy_distance, coverage} */

import { coverage, energyDistance, fixedDirections, meanDistanceWithin } from "./metrics.js";
import { slicedW2OfSorted, sortedProjections } from "./metrics.js";
import "./worker.js";

const sampling = self.onmessage;
const references = new Map();

const handlers = {
  compare({ run, points, dim, modes }) {
    const directions = fixedDirections(dim);
    const sorted = sortedProjections(points, dim, directions);
    references.set(run, { points, dim, modes, directions, sorted });
  },

  measure({ run, points, all }) {
    const reference = references.get(run);
    if (!reference) throw new Error(`run ${run} has nothing to be compared with`);
    const { dim, modes, directions, sorted } = reference;
    if (!points.every(Number.isFinite)) return { sliced_w2: null, energy_distance: null, coverage: null };
    const measured = { sliced_w2: slicedW2OfSorted(sortedProjections(points, dim, directions), sorted) };
    if (!all) return measured;
    reference.within ??= meanDistanceWithin(reference.points, dim);
    measured.energy_distance = energyDistance(points, reference.points, dim, reference.within);
    measured.coverage = modes && coverage(points, modes, dim);
    return measured;
  },
};

self.onmessage = (event) => {
  const { id, kind, run, snapshot } = event.data;
  if (kind === "forget" && snapshot === undefined) references.delete(run);
  if (!Object.hasOwn(handlers, kind)) return sampling(event);
  try {
    const answer = handlers[kind](event.data);
    if (answer) self.postMessage({ id, ...answer });
  } catch (error) {
    self.postMessage({ id, error: error.message });
  }
};
