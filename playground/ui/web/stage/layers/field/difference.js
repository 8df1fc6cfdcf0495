/**
 * Learned minus exact velocity. 2-D: at time t, how large it is as heat and where it points as arrows. 1-D: over space
 * and time, too high or too low. Both fade where hardly any particle comes: there nothing was learnt, nor matters.
 */

import { common, exactOf, Marginal, meanSquare } from "../../../scene/exact-field.js";
import { smooth } from "../../../compute/metrics/grid.js";
import { rounded } from "../../../common/numbers.js";
import { arrow, softened } from "../arrows.js";

const CELLS = 44;
/** An arrow in every so many cells along each axis. */
const EVERY = 2;
/** 1-D: cells along time and up. */
const [TIMES, HEIGHTS] = [36, 60];
/** Points over which the mean is taken, and of whose density the heat fades. */
const POINTS = 1000;
/** Heat is full at this share of the usual speed, the root mean square of the exact velocity. */
const FULL = 0.4;
/** Where the density falls below this share of its highest the heat begins to fade. */
const FADES = 0.06;

const mid = (low, high, k, count) => low + ((high - low) * (k + 0.5)) / count;

function asking() {
  let open = {};
  /** The exact run beside a scene's, opened in the sampler when it is first wanted. */
  return async function opened(sampler, { scene, x0, target, dim }, lane) {
    if (open.scene === scene) return open;
    const exact = await exactOf(scene);
    const run = `${lane} exact`;
    sampler.open(run, exact.network);
    const marginal = new Marginal({ path: scene.network.path, exact, x0, target, dim, count: POINTS });
    const [first, last] = common(scene.network.path, exact.network.path);
    const some = [0.1, 0.5, 0.9].map((share) => first + share * (last - first));
    const slopes = await Promise.all(
      some.map((t) => sampler.evaluate({ run, snapshot: 0, points: marginal.at(t), t })),
    );
    const square = slopes.reduce((sum, values) => sum + meanSquare(values, null, dim) / some.length, 0);
    open = { scene, run, marginal, first, last, about: exact.target, usual: Math.sqrt(square) || 1 };
    return open;
  };
}

/** The difference at points and time t, and its mean square over the marginal. */
async function differences(sampler, { request: { run, snapshot }, dim }, exact, grid, t, lane) {
  const points = new Float32Array(grid.length + POINTS * dim);
  points.set(grid);
  points.set(exact.marginal.at(t), grid.length);
  const [learned, true_] = await Promise.all([
    sampler.evaluate({ run, snapshot, points, t, lane: `${lane} learned` }),
    sampler.evaluate({ run: exact.run, snapshot: 0, points, t, lane: `${lane} true` }),
  ]);
  if (!learned || !true_) return null;
  const mean = meanSquare(learned.subarray(grid.length), true_.subarray(grid.length), dim);
  return { values: Float32Array.from(grid, (_, i) => learned[i] - true_[i]), mean };
}

async function plane(sampler, state, exact, lane) {
  const { low, high } = state.view.sight;
  const points = new Float32Array(2 * CELLS * CELLS);
  for (let k = 0; k < CELLS * CELLS; k++) {
    points[2 * k] = mid(low[0], high[0], k % CELLS, CELLS);
    points[2 * k + 1] = mid(low[1], high[1], Math.floor(k / CELLS), CELLS);
  }
  const t = Math.min(exact.last, Math.max(exact.first, state.t));
  const found = await differences(sampler, state, exact, points, t, lane);
  return found && { ...exact, ...found, points, low, high, t };
}

async function spaceTime(sampler, state, exact, lane) {
  const {
    low: [low],
    high: [high],
  } = state.view.sight;
  const points = Float32Array.from({ length: HEIGHTS }, (_, k) => mid(low, high, k, HEIGHTS));
  const times = Array.from({ length: TIMES }, (_, k) => (k + 0.5) / TIMES);
  const inside = (t) => t >= exact.first && t <= exact.last;
  const found = await Promise.all(
    times.map((t, k) =>
      inside(t) ? differences(sampler, state, exact, points, t, `${lane} ${k}`) : { values: null, mean: NaN },
    ),
  );
  if (!found.every(Boolean)) return null;
  const means = found.map(({ mean }) => mean).filter(Number.isFinite);
  const mean = means.reduce((sum, one) => sum + one, 0) / means.length;
  return { ...exact, low, high, times, columns: found.map(({ values }) => values), mean };
}

/** How opaque the heat is in each cell: 1 where particles are, 0 far from all of them. */
function visibility(density) {
  const most = density.reduce((a, b) => Math.max(a, b), 0) || 1;
  return density.map((value) => Math.min(1, value / (FADES * most)));
}

const rgb = (css) => css.match(/[0-9a-f]{2}/gi).map((part) => parseInt(part, 16));

function canvasOf(columns, rows) {
  const canvas = Object.assign(document.createElement("canvas"), { width: columns, height: rows });
  const own = canvas.getContext("2d");
  return { canvas, own, image: own.createImageData(columns, rows) };
}

function paintPlane() {
  const { canvas, own, image } = canvasOf(CELLS, CELLS);
  return (ctx, view, { found: { difference }, t: now, theme }) => {
    if (!difference?.points) return;
    const { points, values, low, high, usual, marginal, t } = difference;
    const [wide, tall] = [0, 1].map((axis) => (high[axis] - low[axis]) / CELLS);
    const seen = visibility(densityOn(marginal.at(t), low, wide, tall));
    const [r, g, b] = rgb(theme.error);
    for (let k = 0; k < CELLS * CELLS; k++) {
      const share = Math.min(1, Math.hypot(values[2 * k], values[2 * k + 1]) / (FULL * usual));
      const to = 4 * ((CELLS - 1 - Math.floor(k / CELLS)) * CELLS + (k % CELLS));
      image.data.set([r, g, b, 220 * share * seen[k]], to);
    }
    own.putImageData(image, 0, 0);
    ctx.save();
    ctx.transform(view.ax * wide, view.bx * wide, 0, -view.by * tall, view.X(low[0], now), view.Y(low[0], high[1]));
    ctx.drawImage(canvas, 0, 0);
    ctx.restore();
    const most = 1.1 * EVERY * wide;
    ctx.beginPath();
    for (let k = 0; k < CELLS * CELLS; k++) {
      if ((k % CELLS) % EVERY || Math.floor(k / CELLS) % EVERY || seen[k] < 0.5) continue;
      const [vx, vy] = [values[2 * k], values[2 * k + 1]];
      const speed = Math.hypot(vx, vy);
      const length = softened(speed, 0.3 * usual, most) / (speed || 1);
      const [X, Y] = [view.X(points[2 * k], now), view.Y(points[2 * k], points[2 * k + 1])];
      arrow(ctx, X, Y, view.ax * length * vx, view.bx * length * vx + view.by * length * vy, true);
    }
    ctx.lineWidth = 1.1;
    ctx.strokeStyle = theme.ink;
    ctx.globalAlpha = 0.7;
    ctx.stroke();
  };
}

function densityOn(points, low, wide, tall) {
  const values = new Float32Array(CELLS * CELLS);
  for (let i = 0; i < points.length; i += 2) {
    const [column, row] = [Math.floor((points[i] - low[0]) / wide), Math.floor((points[i + 1] - low[1]) / tall)];
    if (column >= 0 && row >= 0 && column < CELLS && row < CELLS) values[row * CELLS + column] += 1;
  }
  return smooth(values, CELLS, CELLS, 1.3);
}

function paintSpaceTime() {
  const { canvas, own, image } = canvasOf(TIMES, HEIGHTS);
  return (ctx, view, { found: { difference }, theme }) => {
    if (!difference?.columns) return;
    const { columns, times, low, high, usual, marginal } = difference;
    const [above, below] = [rgb(theme.error), rgb(theme.accent)];
    image.data.fill(0);
    columns.forEach((values, column) => {
      if (!values) return;
      const counts = new Float32Array(HEIGHTS);
      for (const y of marginal.at(times[column])) {
        const row = Math.floor(((y - low) / (high - low)) * HEIGHTS);
        if (row >= 0 && row < HEIGHTS) counts[row] += 1;
      }
      const seen = visibility(smooth(counts, 1, HEIGHTS, 1.3));
      values.forEach((value, row) => {
        const share = Math.min(1, Math.abs(value) / (FULL * usual));
        image.data.set(
          [...(value > 0 ? above : below), 220 * share * seen[row]],
          4 * ((HEIGHTS - 1 - row) * TIMES + column),
        );
      });
    });
    own.putImageData(image, 0, 0);
    const { left, right } = view.box;
    ctx.drawImage(canvas, left, view.Y(0, high), right - left, view.Y(0, low) - view.Y(0, high));
  };
}

function legend({ dim, found: { difference } }) {
  if (!difference?.usual) return { mark: "difference", text: "learned − exact velocity …" };
  const { usual, mean, about, t } = difference;
  const sign = dim === 1 ? "red upwards, blue downwards, " : "";
  const of = about.endsWith("own density") ? "" : ` (of ${about})`;
  const where = dim === 1 ? "over all times" : `at t = ${t.toFixed(2)}`;
  const scale = `${sign}full colour at ${rounded(FULL * usual)}, 40 % of the usual speed`;
  return { mark: "difference", text: `learned − exact velocity${of}: E‖v̂ − v‖² = ${rounded(mean)} ${where}; ${scale}` };
}

export const difference = () => {
  const opened = asking();
  return {
    name: "difference",
    label: "Learned minus exact",
    key: "q",
    about:
      "Where the learned velocity differs from the exact one, which is known for a Gaussian source and independent pairs.",
    legend,
    icon: '<path d="M3 14.500c3-7 6-8 14-9M3 14.500c5-1 9-2 14-9" /><path d="M6 11.500v1.500M9 8.800v3.600M12 7.200v3.200" stroke-width="1.100"/>',
    needs: "exact",
    alone: true,
    light: true,
    asks: ({ dim, t, request, place }) =>
      `${request.run} ${request.snapshot} ${place} ${dim === 2 ? t.toFixed(3) : ""}`,
    ask: async (sampler, state, lane) => {
      const exact = await opened(sampler, state, lane);
      return (state.dim === 1 ? spaceTime : plane)(sampler, state, exact, lane);
    },
    painters: [
      { plane: "live", dims: [2], paint: paintPlane() },
      { plane: "live", dims: [1], paint: paintSpaceTime() },
    ],
  };
};
