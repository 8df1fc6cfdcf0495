/** What the particles were when this was switched on, faint, so that whatever comes next can be held against it. */

import { positionsAt } from "../../../compute/sampling/interpolation.js";
import { dotRadius } from "./particles.js";

let held = null; // where the ghosts are at one time

function paint(ctx, view, { ghost: { trajectory }, n, t, theme }) {
  const { dim } = trajectory;
  if (held?.length !== trajectory.n * dim) held = new Float32Array(trajectory.n * dim);
  positionsAt(trajectory, t, held);
  const side = 2 * dotRadius(view, n);
  ctx.fillStyle = theme.ink;
  ctx.globalAlpha = theme.dark ? 0.38 : 0.28;
  for (let i = 0; i < held.length; i += dim) {
    const X = view.X(dim === 1 ? 0 : held[i], t);
    ctx.fillRect(X - side / 2, view.Y(dim === 1 ? 0 : held[i], held[i + dim - 1]) - side / 2, side, side);
  }
}

export const ghost = {
  name: "ghost",
  label: "Ghost",
  key: "r",
  about:
    "Keeps the particles as they go now, as a faint grey crowd behind whatever comes next: other steps, another solver, a further training, another model.",
  legend: ({
    ghost: {
      trajectory: { nfe },
    },
  }) => ({ mark: "ghost", text: `ghost: kept at ${nfe.toLocaleString("en")} NFE` }),
  icon: '<path d="M5 16.500V9a5 5 0 0 1 10 0v7.500l-1.700-1.400-1.600 1.400-1.700-1.400-1.700 1.400-1.600-1.400z"/><g fill="currentColor" stroke="none"><circle cx="8.200" cy="8.800" r="1"/><circle cx="11.800" cy="8.800" r="1"/></g>',
  needs: "ghost",
  onward: true,
  painters: [{ plane: "live", paint }],
};
