/** The exact solution of an equation as green lines beside the numerical paths, and how far off these are. */

const PARTICLES = 24;
/** Times between the solver's own at which the solution is drawn. */
const FINE = 64;
/** Where probes are numbered from, as in probes.js. */
const FIRST = 2 ** 20;

/** The times of the solver's states and evenly spaced ones between, ascending. */
function timesOf(t, from = 0) {
  const all = [from, ...t, ...Array.from({ length: FINE + 1 }, (_, k) => k / FINE)].filter((one) => one >= from);
  return Float64Array.from([...new Set(all)].sort((one, other) => one - other));
}

function line(ctx, view, { t, x, n, dim }, i) {
  for (let k = 0; k < t.length; k++) {
    const at = (k * n + i) * dim;
    const right = dim === 1 ? 0 : x[at];
    ctx.lineTo(view.X(right, t[k]), view.Y(right, x[at + dim - 1]));
  }
}

function paint(ctx, view, { found: { exact }, theme, probes }) {
  if (!exact) return;
  const strokes = [];
  if (!probes.length) for (let i = 0; i < exact.cloud.n; i++) strokes.push([exact.cloud, i]);
  for (const way of exact.ways) strokes.push([way, 0]);
  ctx.lineJoin = "round";
  ctx.strokeStyle = theme["target-ink"];
  ctx.lineWidth = probes.length ? 2 : 1.1;
  ctx.globalAlpha = probes.length ? 1 : 0.65;
  for (const [way, i] of strokes) {
    ctx.beginPath();
    line(ctx, view, way, i);
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
}

/** The mean distance of the particles from the exact solution, at the solver's last state up to the time t. */
function errorAt({ trajectory: { t, x, n, dim }, found: { exact }, t: now }) {
  let k = 0;
  while (k < t.length - 1 && t[k + 1] <= now + 1e-9) k++;
  const { cloud } = exact;
  const at = cloud.t.findIndex((one) => one >= t[k] - 1e-12);
  let [sum, count] = [0, 0];
  for (let i = 0; i < Math.min(n, cloud.n); i++) {
    const away = Math.hypot(
      ...Array.from({ length: dim }, (_, j) => x[(k * n + i) * dim + j] - cloud.x[(at * cloud.n + i) * dim + j]),
    );
    if (Number.isFinite(away)) [sum, count] = [sum + away, count + 1];
  }
  return { error: sum / (count || 1), time: t[k] };
}

export const exact = {
  name: "exact",
  label: "Exact solution",
  key: "1",
  about:
    "Where the particles really go, in green: by the closed form where there is one, else by a much finer solution. The number is how far off the shown ones are at this time.",
  legend(state) {
    const { equation } = state.scene.network;
    const what = equation.solution.length ? "exact solution" : "reference solution";
    if (!state.found.exact || !state.trajectory) return { mark: "target", text: `${what} …` };
    const { error, time } = errorAt(state);
    const said = error < 0.001 ? error.toExponential(1).replace("-", "−") : error.toPrecision(3);
    const T = state.numbers?.T ?? equation.T;
    return { mark: "target", text: `${what}; error at t = ${(T * time).toPrecision(3)}: ${said}` };
  },
  icon: '<path d="M3 15c4 0 4-10 8-10s3 6 6 6"/><path d="M3 17c5 0 5-8 9-8s3 4 5 4" stroke-dasharray="2 2"/>',
  needs: "equation",
  timed: true,
  asks: ({ request, picture, probes }) => `${request.field} ${picture} ${probes.map(({ id }) => id)}`,
  ask: async (sampler, { request: { run, snapshot }, starts, n, dim, probes, trajectory: { t } }, lane) => {
    const x0 = starts.slice(0, Math.min(PARTICLES, n) * dim);
    const common = { run, snapshot, dim, solver: "exact" };
    const cloud = sampler.sample({ ...common, x0, times: timesOf(t), lane });
    const ways = probes.map((probe, k) =>
      sampler.sample({
        ...common,
        x0: Float32Array.from(probe.point),
        times: timesOf(t, probe.t),
        particle: FIRST + k,
        lane: `${lane} ${k}`,
      }),
    );
    const [one, ...others] = await Promise.all([cloud, ...ways]);
    return one && others.every(Boolean) ? { cloud: one, ways: others } : null;
  },
  painters: [{ plane: "over", paint }],
};
