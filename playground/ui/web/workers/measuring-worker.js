/* The worker beside the stage's: it does what worker.js does, and measures clouds.

   Messages in, besides those of worker.js:
     compare {run, points, dim, modes, values, training, classes}: what `measure` measures against, until another of
                                       that run or its forgetting; values are the points' own of the condition, if there
                                       is one, classes whether these are labels, training the points that training is
                                       limited to, or null
     orders {id, description, numbers, x0}
                                     → {id, lines, variation}: see compute/systems/order.js
     densities {id, description, numbers, lattice, start, x0}
                                     → {id, …}: see compared in compute/systems/fokker-planck.js
     measure {id, run, points, all, sharp, value, values}
                                     → {id, sliced_w2}, if `sharp` {sharpness} too and, if `all`, {sharpness, energy_distance, coverage, memorised, classes};
                                       with a value of the condition the distances are to the target's points under it;
                                       values are what each of the points was asked for instead */

import { classFigures } from "../compute/metrics/classes.js";
import { coverage, energyDistance, nearness } from "../compute/metrics/metrics.js";
import { Reference } from "../compute/metrics/reference.js";
import { Equations } from "../compute/systems/equation.js";
import { compared } from "../compute/systems/fokker-planck.js";
import { ordersOf, variationOf } from "../compute/systems/order.js";
import "./sampling-worker.js";

const sampling = self.onmessage;
const references = new Map();

const handlers = {
  compare({ run, points, dim, modes, values, training, classes }) {
    references.set(run, Object.assign(new Reference(points, dim, values), { modes, training, classes }));
  },

  orders({ description, numbers, x0 }) {
    const equations = new Equations(description);
    equations.parameters = numbers;
    const lines = ordersOf(equations, x0);
    return { lines, variation: equations.noisy ? variationOf(equations, x0) : null };
  },

  densities({ description, numbers, lattice, start, x0 }) {
    const equations = new Equations(description);
    equations.parameters = numbers;
    const { end, ...found } = compared(equations, lattice, start, x0, { by: lattice.cells.length === 1 ? 4 : 6 });
    return found;
  },

  measure({ run, points, all, sharp, value, values }) {
    const reference = references.get(run);
    if (!reference) throw new Error(`run ${run} has nothing to be compared with`);
    const { dim, modes, training } = reference;
    if (!points.every(Number.isFinite))
      return {
        sliced_w2: null,
        sharpness: null,
        energy_distance: null,
        coverage: null,
        memorised: null,
        classes: null,
      };
    const measured = { sliced_w2: reference.distance(points, value) };
    if (sharp || all) measured.sharpness = reference.sharpness(points, value);
    if (!all) return measured;
    const real = reference.under(value).points;
    measured.energy_distance = real.length ? energyDistance(points, real, dim, reference.within(value)) : null;
    measured.coverage = modes && coverage(points, modes, dim);
    if (training) reference.nearness ??= nearness(reference.points, training, dim);
    measured.memorised = training && { ...nearness(points, training, dim), floor: reference.nearness };
    const labels = Number.isFinite(value) ? new Float32Array(points.length / dim).fill(value) : values;
    measured.classes =
      reference.classes && labels ? classFigures(points, labels, reference.points, reference.values, dim, modes) : null;
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
