/** What a picture shows, in a few words each. */

import { ADAPTIVE, FIXED } from "./frame.js";
import { SAMPLERS } from "../compute/sampling/samplers.js";
import { UNKNOWN_STEPS } from "../scene/track.js";

const count = (value) => Math.round(value).toLocaleString("en");

/**
 * The parts of a picture's caption: the model, between what, the round, the training step, how it was sampled, the seed.
 * snapshot: of the picture, none before there is any; round: its name where there are several.
 */
export function captionOf({ scene, snapshot = null, round = "", request = null, trajectory = null }) {
  const { model, between, seed } = scene.summary ?? {};
  if (!model) return [];
  if (!scene.network) return ["Not trained yet", between, model];
  const all = snapshot?.steps < UNKNOWN_STEPS ? ` of ${count(snapshot.steps)}` : "";
  const trained = snapshot?.steps ? `step ${count(snapshot.step)}${all}` : null;
  return [model, between, round, trained, sampled(scene.network, request, trajectory), `seed ${seed}`].filter(Boolean);
}

function sampled({ map, remote, sampled: solved }, request, trajectory) {
  if (!request || !trajectory) return null;
  if (map) return "one call";
  const states = trajectory.t.length - 1;
  if (remote && !solved) return trajectory.ends ? `${trajectory.axis} ${count(trajectory.ends[1])}` : null;
  const { solver, guidance = 1 } = request;
  const name = FIXED[solver] ?? ADAPTIVE[solver] ?? SAMPLERS[solver]?.label ?? solver;
  const guided = guidance === 1 ? "" : `, guidance ${guidance}`;
  return `${name}, ${count(request.steps ?? states)} ${(request.steps ?? states) === 1 ? "step" : "steps"}${guided}`;
}
