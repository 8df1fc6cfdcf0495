/** The coupling as lines between paired points of source and target. */

import { rounded } from "../../../common/numbers.js";
import { pair } from "./pairs.js";

const LINES = 160;

function paint(ctx, view, state) {
  const { dim, n, found, tint, theme } = state;
  if (!found.pairs?.partners) return;
  const pixel = (point, t) => [view.X(dim === 1 ? 0 : point[0], t), view.Y(dim === 1 ? 0 : point[0], point[dim - 1])];
  const some = Array.from({ length: Math.min(LINES, n) }, (_, i) => i);
  const drawn = some.map((i) => ({ i, from: pixel(pair(state, i).x0, 0), to: pixel(pair(state, i).x1, 1) }));
  ctx.lineWidth = 1.1;
  ctx.lineCap = "round";
  ctx.globalAlpha = theme.dark ? 0.75 : 0.65;
  for (const { i, from, to } of drawn) {
    ctx.strokeStyle = theme.tints[tint[i]].css;
    ctx.beginPath();
    ctx.moveTo(...from);
    ctx.lineTo(...to);
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
  for (const [end, fill] of [
    ["from", theme.source],
    ["to", theme["target-ink"]],
  ]) {
    ctx.fillStyle = fill;
    for (const one of drawn) {
      ctx.beginPath();
      ctx.arc(...one[end], 2.1, 0, 7);
      ctx.fill();
    }
  }
}

/** "cost 1.02, V 0.055 (independent 6.11, 3.70)". */
function figures({ couplings }) {
  const [chosen, independent] = [
    couplings.find(({ chosen }) => chosen),
    couplings.find(({ kind }) => kind === "independent"),
  ];
  const beside =
    chosen === independent ? "" : ` (independent ${rounded(independent.cost)}, ${rounded(independent.variance)})`;
  return `cost ${rounded(chosen.cost)}, V ${rounded(chosen.variance)}${beside}`;
}

export const coupling = {
  name: "coupling",
  label: "Coupling",
  key: "j",
  about:
    "Lines between points that the coupling pairs. Cost: the mean of |x₁ − x₀|². V: how much the straight paths through " +
    "one point disagree, 0 where none cross. Both in squared units of the data.",
  legend: ({ scene, found: { pairs } }) => ({
    mark: "pairs",
    text: pairs?.couplings ? `pairs, ${scene.coupling.toLowerCase()}: ${figures(pairs)}` : "pairs of the coupling …",
  }),
  icon: '<path d="M6.200 5.500h7.400M6.200 14.500h7.400"/><g fill="currentColor" stroke="none"><circle cx="4.500" cy="5.500" r="2.300"/><circle cx="4.500" cy="14.500" r="2.300"/></g><circle cx="15.700" cy="5.500" r="2"/><circle cx="15.700" cy="14.500" r="2"/>',
  needs: "pairs",
  alone: true,
  painters: [{ plane: "over", paint }],
};
