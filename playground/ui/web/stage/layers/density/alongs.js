/** log p along the way of each probe, told beside it where it is now. */

import { rounded } from "../../../common/numbers.js";
import { asked } from "../../../api/probing.js";

/** The value between the two nearest times. */
function read({ t, log }, now) {
  let k = 0;
  while (k < t.length - 2 && t[k + 1] <= now) k++;
  const [from, to] = [log[k], log[k + 1] ?? log[k]];
  if (from === null || to === null) return null;
  const share = Math.min(1, Math.max(0, (now - t[k]) / (t[k + 1] - t[k] || 1)));
  return from + share * (to - from);
}

/** Where a way {t, x, dim} is at a time. */
function at({ t, x, dim }, now) {
  let k = 0;
  while (k < t.length - 2 && t[k + 1] <= now) k++;
  const share = Math.min(1, Math.max(0, (now - t[k]) / (t[k + 1] - t[k] || 1)));
  return Array.from({ length: dim }, (_, j) => x[k * dim + j] + share * (x[(k + 1) * dim + j] - x[k * dim + j]));
}

function paint(ctx, view, { found: { alongs, probes: ways }, probes, t, theme }) {
  if (
    !alongs?.ways ||
    !ways?.length ||
    alongs.ids.join() !==
      probes
        .slice(-alongs.ways.length)
        .map(({ id }) => id)
        .join()
  )
    return;
  ctx.font = `600 11px ${theme.font}`;
  Object.assign(ctx, {
    textAlign: "left",
    textBaseline: "middle",
    lineWidth: 4,
    lineJoin: "round",
    strokeStyle: theme.paper,
  });
  alongs.ways.forEach((one, i) => {
    const way = ways.at(i - alongs.ways.length);
    if (!way) return;
    const value = read(one, t);
    const place = at(way, t);
    const right = way.dim === 1 ? 0 : place[0];
    const text = `log p = ${value === null ? "−∞" : rounded(value).replace("-", "−")}`;
    const X = Math.min(view.width - ctx.measureText(text).width - 6, view.X(right, t) + 11);
    const Y = Math.min(view.height - 30, Math.max(16, view.Y(right, place.at(-1)) - 12));
    ctx.strokeText(text, X, Y);
    ctx.fillStyle = theme.ink;
    ctx.fillText(text, X, Y);
  });
}

export const alongs = {
  name: "alongs",
  always: true,
  needs: "density",
  asks: ({ request, scene, probes, training }) =>
    probes.length && scene.density === "time" && !training
      ? `${request.run} ${request.snapshot} ${probes.map(({ id }) => id)}`
      : "none",
  ask: async (sampler, state) => {
    const {
      probes,
      scene,
      training,
      request: { snapshot },
    } = state;
    if (!probes.length || scene.density !== "time" || training) return {};
    const given = probes.map(({ point, t }) => ({ point: Array.from(point), t }));
    const { ways } = await asked("density/along", { scene, snapshot, probes: given });
    return { ways, ids: probes.slice(-ways.length).map(({ id }) => id) };
  },
  legend: ({ found, probes }) =>
    found.alongs?.ways?.length && probes.length
      ? { mark: "probe", text: "log p_t of the model at the probe, in nats" }
      : null,
  painters: [{ plane: "over", paint }],
};
