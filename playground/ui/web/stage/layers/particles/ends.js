/** The coupling that a model makes: a straight line from where each particle starts to where it ends. */

const LINES = 260;

function paint(ctx, view, { trajectory, tint, theme }) {
  const { t, x, n, dim } = trajectory;
  const last = (t.length - 1) * n * dim;
  const place = (at, time) => [view.X(dim === 1 ? 0 : x[at], time), view.Y(dim === 1 ? 0 : x[at], x[at + dim - 1])];
  ctx.lineWidth = 1;
  ctx.globalAlpha = theme.dark ? 0.6 : 0.5;
  for (let i = 0; i < Math.min(LINES, n); i++) {
    ctx.strokeStyle = theme.tints[tint[i]].css;
    ctx.beginPath();
    ctx.moveTo(...place(i * dim, t[0]));
    ctx.lineTo(...place(last + i * dim, t.at(-1)));
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
}

export const ends = {
  name: "ends",
  label: "Start to end",
  key: "z",
  about:
    "A straight line from the start of each particle to its end: the pairs (Z₀, Z₁) that this model makes, and that a reflow learns from.",
  legend: () => ({ mark: "line", text: "start to end: the pairs that this model makes" }),
  icon: '<path d="M4.500 15.500 15 5M4.500 10.500 15.500 12"/><g fill="currentColor" stroke="none"><circle cx="4" cy="15.800" r="1.900"/><circle cx="4" cy="10.400" r="1.900"/></g><circle cx="16" cy="4.500" r="1.800"/><circle cx="16.200" cy="12.200" r="1.800"/>',
  needs: "trajectory",
  painters: [{ plane: "paths", paint }],
};
