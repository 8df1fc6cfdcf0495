/** Probes, drawn in full forward and backward in time, and the way of the particle under the pointer. */

import { hasField } from "../../../scene/capabilities.js";

/** Up to so many states of a way are drawn as nodes. */
const NODES = 40;
/** Where probes are numbered from, so that their noise is not that of a particle. */
const FIRST = 2 ** 20;

/** A way {t, x}: its line and nodes on a halo, its start as a ring, and where it is at time `now` as a disc. */
function way(ctx, view, { t, x, dim }, now, colour, theme) {
  const place = (k) => [
    view.X(dim === 1 ? 0 : x[k * dim], t[k]),
    view.Y(dim === 1 ? 0 : x[k * dim], x[k * dim + dim - 1]),
  ];
  const states = Array.from(t, (_, k) => k);
  for (const [width, style] of [
    [5, theme.paper],
    [2.2, colour],
  ]) {
    ctx.beginPath();
    for (const k of states) ctx.lineTo(...place(k));
    Object.assign(ctx, { lineWidth: width, strokeStyle: style, lineJoin: "round", globalAlpha: width > 3 ? 0.8 : 1 });
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
  const disc = ([X, Y], radius, fill, edge) => {
    ctx.beginPath();
    ctx.arc(X, Y, radius, 0, 7);
    ctx.fillStyle = fill;
    ctx.fill();
    Object.assign(ctx, { strokeStyle: edge, lineWidth: 1.6 });
    ctx.stroke();
  };
  if (t.length <= NODES) for (const k of states) disc(place(k), 2, theme.paper, colour);
  disc(place(0), 3.6, theme.paper, colour);
  let k = 0;
  while (k < t.length - 2 && t[k + 1] <= now) k++;
  const share = Math.min(1, Math.max(0, (now - t[k]) / (t[k + 1] - t[k] || 1)));
  const [from, to] = [place(k), place(k + 1)];
  disc([from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])], 6, colour, theme.paper);
}

/** The way of one particle of the trajectory. */
function ofParticle({ t, x, n, dim }, i) {
  const way = new Float32Array(t.length * dim);
  for (let k = 0; k < t.length; k++) for (let j = 0; j < dim; j++) way[k * dim + j] = x[(k * n + i) * dim + j];
  return { t, x: way, dim };
}

/** Crosses where probes were dropped, then the ways. */
function paint(ctx, view, { found, probes, hovered, trajectory, tint, t, theme }) {
  ctx.strokeStyle = theme.ink;
  ctx.lineWidth = 1.6;
  for (const { point, t: dropped } of probes) {
    const right = point.length === 1 ? 0 : point[0];
    const [X, Y] = [view.X(right, view.dim === 1 || view.unrolled ? dropped : t), view.Y(right, point.at(-1))];
    ctx.beginPath();
    for (const [across, down] of [
      [1, 1],
      [1, -1],
    ]) {
      ctx.moveTo(X - 4 * across, Y - 4 * down);
      ctx.lineTo(X + 4 * across, Y + 4 * down);
    }
    ctx.stroke();
  }
  if (hovered !== null) way(ctx, view, ofParticle(trajectory, hovered), t, theme.tints[tint[hovered]].css, theme);
  for (const one of found.probes ?? []) way(ctx, view, one, t, theme.moving, theme);
}

/** The ways of all probes, each from where it was dropped to both ends, at the times of the picture's own states. */
async function ask(sampler, { request, probes, dim, trajectory: { t: times } }, lane) {
  const carry = async (probe, k, onward) => {
    const rest = onward
      ? times.filter((time) => time > probe.t + 1e-9)
      : times.filter((time) => time < probe.t - 1e-9).reverse();
    if (!rest.length) return { t: [], x: [] };
    const grid = Float64Array.from([probe.t, ...rest]);
    const x0 = Float32Array.from(probe.point);
    const part = await sampler.sample({
      ...request,
      x0,
      dim,
      times: grid,
      particle: FIRST + k,
      lane: `${lane} ${k} ${onward}`,
    });
    return part && { t: Array.from(part.t).slice(1), x: Array.from(part.x).slice(dim) };
  };
  const ways = await Promise.all(
    probes.map(async (probe, k) => {
      const [back, on] = await Promise.all([carry(probe, k, false), carry(probe, k, true)]);
      if (!back || !on) return null;
      const x = [...chunks(back.x, dim).reverse().flat(), ...probe.point, ...on.x];
      return { t: [...back.t.reverse(), probe.t, ...on.t], x, dim };
    }),
  );
  return ways.every(Boolean) ? ways : null;
}

function chunks(values, size) {
  return Array.from({ length: values.length / size }, (_, k) => values.slice(k * size, (k + 1) * size));
}

export const probes = {
  name: "probes",
  always: true,
  needs: "trajectory",
  legend: ({ probes: { length } }) =>
    length ? { mark: "probe", text: length === 1 ? "a probe, dropped at ×" : `${length} probes, dropped at ×` } : null,
  asks: ({ request, picture, scene, probes: dropped }) =>
    dropped.length && hasField(scene) ? `${request.field} ${picture} ${dropped.map(({ id }) => id)}` : "none",
  ask: async (sampler, state, lane) => (state.probes.length && hasField(state.scene) ? ask(sampler, state, lane) : []),
  painters: [{ plane: "over", paint }],
};
