/* The worker beside the stage's: it does what worker.js does, and measures clouds.

   Messages in, besides those of worker.js:
     compare {run, points, dim, modes, values, training}: what `measure` measures against, until another of that run
                                       or its forgetting; values are the points' own of the condition, if there is one,
                                       training the points that training is limited to, or null
     measure {id, run, points, all, value}
                                     → {id, sliced_w2} and, if `all`, {energy_distance, coverage, memorised}; with a
                                       value of the condition the distances are to the target's points under it */

import { coverage, energyDistance, nearness } from "./metrics.js";
import { Reference } from "./reference.js";
import "./worker.js";

const sampling = self.onmessage;
const references = new Map();

const handlers = {
  compare({ run, points, dim, modes, values, training }) {
    references.set(run, Object.assign(new Reference(points, dim, values), { modes, training }));
  },

  measure({ run, points, all, value }) {
    const reference = references.get(run);
    if (!reference) throw new Error(`run ${run} has nothing to be compared with`);
    const { dim, modes, training } = reference;
    if (!points.every(Number.isFinite)) return { sliced_w2: null, energy_distance: null, coverage: null, memorised: null };
    const measured = { sliced_w2: reference.distance(points, value) };
    if (!all) return measured;
    const real = reference.under(value).points;
    measured.energy_distance = real.length ? energyDistance(points, real, dim, reference.within(value)) : null;
    measured.coverage = modes && coverage(points, modes, dim);
    if (training) reference.nearness ??= nearness(reference.points, training, dim);
    measured.memorised = training && { ...nearness(points, training, dim), floor: reference.nearness };
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
