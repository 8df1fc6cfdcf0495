/* Guidance in an interval of times, and by an earlier snapshot: the twin of playground/dynamics/guiding.py.

   What is asked for beside a condition and its `guidance`: {from, until, early, guide}: the times between which either
   kind is in force, w of autoguidance, and the snapshot that guides. */

import { passesOf } from "./condition.js";

export const UNGUIDED = { from: 0, until: 1, early: 1, guide: null };

/** How particles are evaluated at a time t: (t) → {passes, calls, early}, early being w of autoguidance there. */
export function guidedPasses(condition, told, guidance, { from, until, early } = UNGUIDED) {
  const within = { ...passesOf(condition, told, guidance), early };
  const beyond = { ...passesOf(condition, told, 1), early: 1 };
  return (t) => (from <= t && t <= until ? within : beyond);
}

/** into = other + w (into − other) */
export function lead(w, into, other) {
  for (let k = 0; k < into.length; k++) into[k] = other[k] + w * (into[k] - other[k]);
}
