/**
 * A training batch: pairs of a source and a target point, the path between the two, the point on it at time t, and
 * the velocity there that the network is asked for. Pairs are drawn here at random, as an independent coupling does.
 */

import { PathTable } from "../place.js";
import { arrow, softened } from "./arrows.js";

const PAIRS = 40;
/** Corners of a path that is not straight. */
const CORNERS = 24;

function* numbers(seed) {
  for (let state = seed >>> 0; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // Numerical Recipes' generator: enough to pick pairs
    yield state / 2 ** 32;
  }
}

/** Pairs {x0, x1} for one training step. */
function drawn({ x0, target, dim, trainedStep = 0 }) {
  const random = numbers(trainedStep + 1);
  const pick = (points) => {
    const at = Math.floor((random.next().value * points.length) / dim) * dim;
    return points.slice(at, at + dim);
  };
  return Array.from({ length: PAIRS }, () => ({ x0: pick(x0), x1: pick(target) }));
}

function painter() {
  let table;
  let of;
  return (ctx, view, state) => {
    const { scene, dim, t, theme } = state;
    if (of !== scene) {
      of = scene;
      table = new PathTable(scene.network.path.table);
    }
    const straight = scene.network.path.kind === "linear";
    const { t_min: low = 0, t_max: high = 1 } = scene.network.path;
    const within = (time) => Math.min(high, Math.max(low, time));
    const pairs = drawn(state);
    const at = ({ x0, x1 }, time) => {
      const { alpha, sigma } = table.at(within(time));
      return Array.from(x1, (b, j) => alpha * b + sigma * x0[j]);
    };
    const pixel = (point, time) => [view.X(dim === 1 ? 0 : point[0], time), view.Y(dim === 1 ? 0 : point[0], point[dim - 1])];

    ctx.lineWidth = 1;
    ctx.strokeStyle = theme.moving;
    ctx.globalAlpha = 0.45;
    ctx.beginPath();
    for (const pair of pairs) {
      const corners = straight ? [0, 1] : Array.from({ length: CORNERS + 1 }, (_, k) => k / CORNERS);
      corners.forEach((time, k) => (k ? ctx.lineTo(...pixel(at(pair, time), time)) : ctx.moveTo(...pixel(at(pair, time), time))));
    }
    ctx.stroke();
    ctx.globalAlpha = 1;
    const { dAlpha, dSigma } = table.at(within(t));
    ctx.lineWidth = 1.5;
    ctx.lineCap = "round";
    ctx.beginPath();
    for (const pair of pairs) {
      const point = at(pair, t);
      const velocity = Array.from(pair.x1, (b, j) => dAlpha * b + dSigma * pair.x0[j]);
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
      for (const pair of pairs) {
        ctx.beginPath();
        ctx.arc(...pixel(at(pair, time), time), radius, 0, 7);
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
  about: "Random pairs of a source and a target point, the point between them at this time, and the velocity that the network is to learn there.",
  legend: () => ({ mark: "batch", text: "a training batch, in random pairs" }),
  icon: '<path d="M4.500 15 15 5.500M5 8l10 6" /><circle cx="4" cy="15.500" r="1.700" fill="currentColor"/><circle cx="16" cy="4.700" r="1.700"/><circle cx="4" cy="7.300" r="1.700" fill="currentColor"/><circle cx="16" cy="14.600" r="1.700"/>',
  needs: "network",
  painters: [{ plane: "over", paint: painter() }],
});
