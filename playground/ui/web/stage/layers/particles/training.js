/** The training points, where the experiment is limited to some: rings, so that copies are seen to sit on them. */

const MOST = 4096;
const FEW = 64;

function* chosen(points, dim) {
  const n = points.length / dim;
  const every = Math.ceil(n / MOST);
  for (let i = 0; i < n; i += every) yield i * dim;
}

function rings(ctx, view, { learnt, theme }) {
  const radius = learnt.length / 2 <= FEW ? 5.5 : learnt.length / 2 <= 1024 ? 3.5 : 2;
  ctx.strokeStyle = theme.ink;
  ctx.lineWidth = radius > 3 ? 1.5 : 1;
  ctx.globalAlpha = radius > 3 ? 0.9 : 0.5;
  for (const at of chosen(learnt, 2)) {
    ctx.beginPath();
    ctx.arc(view.X(learnt[at], 1), view.Y(learnt[at], learnt[at + 1]), radius, 0, 7);
    ctx.stroke();
  }
}

/** 1-D: bars at the right end. */
function bars(ctx, view, { learnt, theme }) {
  ctx.fillStyle = theme.ink;
  ctx.globalAlpha = learnt.length <= FEW ? 0.9 : 0.3;
  for (const at of chosen(learnt, 1)) ctx.fillRect(view.X(0, 1) - 7, view.Y(0, learnt[at]) - 0.75, 14, 1.5);
}

export const training = {
  name: "learnt",
  label: "Training points",
  key: "o",
  about:
    "The points of the target that training is limited to. Where particles end only on them, the model has memorised them.",
  legend: ({ learnt: { length }, dim }) => ({
    mark: "learnt",
    text: `the ${(length / dim).toLocaleString("en")} training points`,
  }),
  icon: '<circle cx="5" cy="13.500" r="2.600"/><circle cx="10.500" cy="6" r="2.600"/><circle cx="15.500" cy="13" r="2.600"/>',
  needs: "training",
  painters: [
    { plane: "over", dims: [2], paint: rings },
    { plane: "over", dims: [1], paint: bars },
  ],
};
