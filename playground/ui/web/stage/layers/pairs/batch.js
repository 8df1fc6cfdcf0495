/**
 * A training batch: pairs of a source and a target point as the coupling makes them, the path between the two, the
 * point on it at time t, and the velocity there that the network is asked for.
 */

import { PathTable } from "../../../compute/networks/place.js";
import { pathOf } from "../../../scene/path.js";
import { arrow, softened } from "../arrows.js";
import { pair } from "./pairs.js";

const PAIRS = 40;
/** Corners of a path that is not straight. */
const CORNERS = 24;

function* numbers(seed) {
  for (let state = seed >>> 0; ;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // Numerical Recipes' generator: enough to pick pairs
    yield (state + 0.5) / 2 ** 32;
  }
}

/** Pairs {x0, x1, z} for one training step; z is the noise of a bridge. */
function drawn(state) {
  const { n, dim, trainedStep = 0 } = state;
  const random = numbers(trainedStep + 1);
  const next = () => random.next().value;
  const normal = () => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
  return Array.from({ length: PAIRS }, () => ({
    ...pair(state, Math.floor(n * next())),
    z: Array.from({ length: dim }, normal),
  }));
}

function painter() {
  let table;
  let of;
  return (ctx, view, state) => {
    const { scene, dim, t, theme } = state;
    if (!state.found.pairs?.partners) return;
    const path = pathOf(scene);
    if (of !== scene) {
      of = scene;
      table = new PathTable(path.table);
    }
    const straight = path.kind === "linear";
    const { t_min: low = 0, t_max: high = 1 } = path;
    const within = (time) => Math.min(high, Math.max(low, time));
    const batch = drawn(state);
    const at = ({ x0, x1, z }, time) => {
      const { alpha, sigma, gamma } = table.at(within(time));
      return Array.from(x1, (b, j) => alpha * b + sigma * x0[j] + gamma * z[j]);
    };
    const pixel = (point, time) => [
      view.X(dim === 1 ? 0 : point[0], time),
      view.Y(dim === 1 ? 0 : point[0], point[dim - 1]),
    ];

    ctx.lineWidth = 1;
    ctx.strokeStyle = theme.moving;
    ctx.globalAlpha = 0.45;
    ctx.beginPath();
    for (const one of batch) {
      const corners = straight ? [0, 1] : Array.from({ length: CORNERS + 1 }, (_, k) => k / CORNERS);
      corners.forEach((time, k) =>
        k ? ctx.lineTo(...pixel(at(one, time), time)) : ctx.moveTo(...pixel(at(one, time), time)),
      );
    }
    ctx.stroke();
    ctx.globalAlpha = 1;
    const { dAlpha, dSigma, dGamma } = table.at(within(t));
    ctx.lineWidth = 1.5;
    ctx.lineCap = "round";
    ctx.beginPath();
    for (const one of batch) {
      const point = at(one, t);
      const velocity = Array.from(one.x1, (b, j) => dAlpha * b + dSigma * one.x0[j] + dGamma * one.z[j]);
      if (dim === 1) {
        const [right, down] = [view.at, view.by * velocity[0]];
        const length = 26 / Math.hypot(right, down);
        arrow(ctx, ...pixel(point, t), length * right, length * down);
      } else {
        const speed = Math.hypot(...velocity);
        const length = softened(speed, 0.5 * view.half, 0.22 * view.half) / (speed || 1);
        const [across, up] = velocity.map((v) => length * v);
        arrow(ctx, ...pixel(point, t), view.ax * across, view.bx * across + view.by * up);
      }
    }
    ctx.stroke();
    const dots = (time, fill, radius) => {
      ctx.fillStyle = fill;
      for (const one of batch) {
        ctx.beginPath();
        ctx.arc(...pixel(at(one, time), time), radius, 0, 7);
        ctx.fill();
      }
    };
    dots(0, theme.source, 2.6);
    dots(1, theme["target-ink"], 2.6);
    dots(t, theme.moving, 3.4);
  };
}

export const batch = () => ({
  name: "batch",
  label: "A training batch",
  key: "b",
  about:
    "Pairs of a source and a target point, as the coupling makes them, the point between them at this time, and the velocity that the network is to learn there.",
  legend: ({ scene, found }) => ({
    mark: "batch",
    text: found.pairs?.partners ? `a training batch, ${scene.coupling.toLowerCase()} pairs` : "a training batch …",
  }),
  icon: '<path d="M4.500 15 15 5.500M5 8l10 6" /><circle cx="4" cy="15.500" r="1.700" fill="currentColor"/><circle cx="16" cy="4.700" r="1.700"/><circle cx="4" cy="7.300" r="1.700" fill="currentColor"/><circle cx="16" cy="14.600" r="1.700"/>',
  needs: "pairs",
  alone: true,
  painters: [{ plane: "over", paint: painter() }],
});
