/**
 * The parts that a model is made of, where they can be drawn: Gaussians as ellipses at one and two standard deviations,
 * the stronger the more probability they have; hidden units as the lines at which they turn on, with an arrow to where
 * they then pull. They belong to the snapshot that is looked at.
 */

import { arrow } from "../arrows.js";

const POINTS = 48;
const SIGMAS = [1, 2];
/** Length of the longest pull, in pixels. */
const REACH = 46;

function ellipse(ctx, view, { center: [cx, cy], root: [[a, b], [c, d]] }, sigmas) {
  for (let k = 0; k <= POINTS; k++) {
    const [u, v] = [sigmas * Math.cos((2 * Math.PI * k) / POINTS), sigmas * Math.sin((2 * Math.PI * k) / POINTS)];
    const [x, y] = [cx + a * u + b * v, cy + c * u + d * v];
    if (k) ctx.lineTo(view.X(x, 1), view.Y(x, y));
    else ctx.moveTo(view.X(x, 1), view.Y(x, y));
  }
}

function ellipses(ctx, view, all, theme) {
  const most = Math.max(...all.map(({ share }) => share));
  for (const one of all) {
    const strength = 0.25 + 0.75 * (one.share / most);
    for (const sigmas of SIGMAS) {
      ctx.beginPath();
      ellipse(ctx, view, one, sigmas);
      const width = sigmas === 1 ? 1.8 : 1.1;
      for (const [colour, more, alpha] of [
        [theme.paper, 2.4, 0.6],
        [theme.ink, 0, 1],
      ]) {
        // seen on particles too
        ctx.strokeStyle = colour;
        ctx.lineWidth = width + more;
        ctx.globalAlpha = alpha * strength * (sigmas === 1 ? 0.95 : 0.6);
        ctx.stroke();
      }
    }
    const [X, Y] = [view.X(one.center[0], 1), view.Y(...one.center)];
    ctx.globalAlpha = strength;
    ctx.beginPath();
    ctx.moveTo(X - 4, Y);
    ctx.lineTo(X + 4, Y);
    ctx.moveTo(X, Y - 4);
    ctx.lineTo(X, Y + 4);
    ctx.lineWidth = 1.4;
    ctx.stroke();
  }
}

function lines(ctx, view, all, theme) {
  const {
    center: [cx, cy],
    half,
  } = view;
  const far = 4 * half;
  const longest = Math.max(1e-9, ...all.map(({ pull }) => Math.hypot(...pull)));
  ctx.strokeStyle = theme.ink;
  for (const {
    normal: [nx, ny],
    offset,
    pull,
  } of all) {
    const size = Math.hypot(nx, ny);
    const strength = Math.hypot(...pull) / longest;
    if (size < 1e-9) continue;
    const apart = (nx * cx + ny * cy + offset) / size; // the view's centre is so far on the side where the unit is on
    const [x, y] = [cx - (apart * nx) / size, cy - (apart * ny) / size];
    const [dx, dy] = [(-ny / size) * far, (nx / size) * far];
    ctx.beginPath();
    ctx.moveTo(view.X(x - dx, 1), view.Y(x - dx, y - dy));
    ctx.lineTo(view.X(x + dx, 1), view.Y(x + dx, y + dy));
    ctx.globalAlpha = 0.2 + 0.5 * strength;
    ctx.lineWidth = 1.2;
    ctx.stroke();
    if (Math.abs(apart) > 1.3 * half) continue;
    const [px, py] = [pull[0] / longest, -pull[1] / longest];
    ctx.beginPath();
    arrow(ctx, view.X(x, 1), view.Y(x, y), REACH * px, REACH * py);
    ctx.globalAlpha = 0.45 + 0.55 * strength;
    ctx.lineWidth = 1.8;
    ctx.stroke();
  }
}

export const shapes = {
  name: "shapes",
  always: true,
  dims: [2],
  needs: "trajectory",
  legend: ({ shapes: found }) => {
    if (found?.ellipses?.length) return { mark: "ellipse", text: "components at 1 and 2 standard deviations" };
    if (found?.lines?.length)
      return { mark: "arrow", text: "hidden units: on beyond their line, pulling along the arrow" };
    return null;
  },
  painters: [
    {
      plane: "over",
      paint(ctx, view, { shapes: found, theme }) {
        if (!found || view.unrolled) return;
        ctx.lineCap = ctx.lineJoin = "round";
        if (found.ellipses?.length) ellipses(ctx, view, found.ellipses, theme);
        if (found.lines?.length) lines(ctx, view, found.lines, theme);
      },
    },
  ],
};
