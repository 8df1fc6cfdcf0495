/** The model's exact density at the end of the way, of those that know it: the server's answer, as a heat map. */

import { rounded } from "../cards.js";
import { asked } from "../probing.js";

/** The patch is this much larger than the picture that fits all points. */
const WIDER = 1.15;

/** One byte a cell is a depth below the highest density; heat goes by the root of the density, as for particles. */
function coloured(image, levels, cells, deepest, ramp) {
  for (let k = 0; k < levels.length; k++) {
    const density = Math.exp(((levels[k] / 255) - 1) * deepest);
    const from = 4 * Math.floor(255 * Math.sqrt(density));
    const to = 4 * ((cells - 1 - Math.floor(k / cells)) * cells + (k % cells));
    for (let c = 0; c < 4; c++) image.data[to + c] = ramp[from + c];
  }
}

function paint() {
  let drawn = {};
  return (ctx, view, { found: { likelihood }, theme, t }) => {
    if (!likelihood?.levels) return;
    const { cells, levels, low, high, deepest } = likelihood;
    if (drawn.likelihood !== likelihood || drawn.theme !== theme) {
      const canvas = Object.assign(document.createElement("canvas"), { width: cells, height: cells });
      const own = canvas.getContext("2d");
      const image = own.createImageData(cells, cells);
      coloured(image, levels, cells, deepest, theme.ramp);
      own.putImageData(image, 0, 0);
      drawn = { likelihood, theme, canvas };
    }
    const [wide, tall] = [0, 1].map((axis) => (high[axis] - low[axis]) / cells);
    ctx.save();
    ctx.transform(view.ax * wide, view.bx * wide, 0, -view.by * tall, view.X(low[0], t), view.Y(low[0], high[1]));
    ctx.drawImage(drawn.canvas, 0, 0);
    ctx.restore();
  };
}

function legend({ found: { likelihood } }) {
  if (likelihood?.waits) return { mark: "heat", text: "the model's density, when training is done" };
  if (!likelihood) return { mark: "heat", text: "the model's density …" };
  return { mark: "heat", text: `the model's exact density at its end, at most ${rounded(Math.exp(likelihood.most))}` };
}

export const likelihood = () => ({
  name: "likelihood",
  label: "Exact density of the model",
  key: "q",
  dims: [2],
  about: "The density that the model itself gives each place, not an estimate from its particles.",
  legend,
  icon: '<path d="M2.500 16c4 0 4.500-12 7.500-12s3.500 12 7.500 12"/><path d="M2.500 16h15" opacity=".5"/>',
  needs: "dense",
  asks: ({ request, training }) => (training ? "training" : `${request.run} ${request.snapshot} ${request.field}`),
  ask: async (_, { scene, request, training }) => {
    if (training) return { waits: true };
    const { center, half } = scene.view;
    const [low, high] = [-1, 1].map((sign) => center.map((c) => c + sign * WIDER * half));
    const answer = await asked("density", { scene, snapshot: request.snapshot, low, high });
    const levels = Uint8Array.from(atob(answer.u8), (c) => c.charCodeAt(0));
    return { ...answer, levels, low, high };
  },
  painters: [{ plane: "live", paint: paint() }],
});
