/**
 * The layers of a stage, from the lowest to the highest within each plane. A new layer is one file and its place here:
 *
 *     name, label, key, about, icon   what the button and the shortcut say; `always` instead where there is neither
 *     needs     what must be there before it is painted (needs.js): "scene", "training" (points that it is limited to), "pairs"
 *               (of a coupling, along a path), "trajectory", "density" (that the server knows), "exact" (a network whose
 *               exact field is known), "network" (whose path is known), or "flow" (a trajectory, and a field here that
 *               carries other points too); or what only some models have: "surface", "energy" (a surface), "critic" (one
 *               that judges samples), "map" (from a latent, in one step); "ghost" (a trajectory that was kept); or "carried" (other points are carried too, here or
 *               by the server); "diffusion" (noise can be added, as the score is known); "equation" (which is followed)
 *     onward    whether it is away while time runs back
 *     alone     whether the particles stand back while it is on, since it would drown among them
 *     dims      where it is for 1-D or 2-D alone
 *     legend    state → {mark, text} | null
 *     timed     whether its legend tells of the clock's time
 *     painters  [{plane, dims?, paint(ctx, view, state)}]; see drawing.js
 *     asks, ask what it wants of the sampler besides the picture; see companions.js
 */

import { alongs } from "./density/alongs.js";
import { batch } from "./pairs/batch.js";
import { boltzmannDensity } from "./density/boltzmann.js";
import { contours } from "./density/contours.js";
import { coupling } from "./pairs/coupling.js";
import { density } from "./density/density.js";
import { curved } from "./field/curved.js";
import { difference } from "./field/difference.js";
import { ends } from "./particles/ends.js";
import { error } from "./particles/error.js";
import { exact } from "./particles/exact.js";
import { field } from "./field/field.js";
import { forward } from "./particles/forward.js";
import { ghost } from "./particles/ghost.js";
import { ground } from "./ground.js";
import { likelihood } from "./density/likelihood.js";
import { manifold } from "./particles/manifold.js";
import { pairs } from "./pairs/pairs.js";
import { particles } from "./particles/particles.js";
import { paths } from "./particles/paths.js";
import { probes } from "./particles/probes.js";
import { pull } from "./field/pull.js";
import { shapes } from "./field/shapes.js";
import { surface } from "./density/surface.js";
import { training } from "./particles/training.js";
import { warp } from "./field/warp.js";

export const layers = () => [
  surface(),
  boltzmannDensity(),
  ground,
  pairs,
  likelihood(),
  contours(),
  density(),
  ghost,
  paths,
  ends,
  warp,
  difference(),
  field,
  shapes,
  particles(),
  forward,
  coupling,
  batch(),
  manifold,
  pull,
  curved(),
  error,
  exact,
  training,
  probes,
  alongs,
];

/**
 * The switches by what they show. `first` stand in sight, each by a word; the rest of a group waits behind its name.
 */
export const GROUPS = [
  {
    label: "Particles",
    first: { particles: "Particles", paths: "Paths" },
    more: ["ghost", "learnt", "forward", "manifold"],
  },
  { label: "Field", first: { field: "Field" }, more: ["warp", "curved", "pull"] },
  { label: "Density", first: { density: "Density" }, more: ["likelihood", "contours", "surface", "boltzmann"] },
  { label: "Pairs", first: {}, more: ["ends", "coupling", "batch"] },
  { label: "Errors", first: {}, more: ["error", "exact", "difference"] },
];
export const SWITCHES = GROUPS.flatMap(({ first, more }) => [...Object.keys(first), ...more]);
export const CALM = ["particles", "paths", "learnt", "boltzmann"];
