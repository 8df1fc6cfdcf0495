/**
 * The log-density of the model itself, exact up to the solver, where the density layer counts particles. In 2-D of the
 * clock's time, or of the samples where the model knows no other; in 1-D over space and time. The server works it out
 * for what is in sight, once the clock stands.
 */

import { decodeArray } from "../../../common/codec.js";
import { rounded } from "../../../common/numbers.js";
import { asked as told } from "../../../api/probing.js";

/** So many nats below the highest log-density the colour has faded to nothing. */
const RANGE = 7;

async function ask(sampler, state) {
  const {
    dim,
    scene,
    t,
    request: { snapshot },
  } = state;
  const { low, high } = state.view.sight;
  const time = scene.density === "time" ? t : 1;
  const answer = await told("density/surface", { scene, snapshot, low, high, t: time });
  const {
    shape: [rows, columns],
    data,
  } = decodeArray(answer.values);
  const most = data.reduce((a, b) => (b > a ? b : a), -Infinity);
  return { rows, columns, data, most, low, high, t: dim === 2 ? time : null };
}

function painter() {
  const canvas = document.createElement("canvas");
  const own = canvas.getContext("2d");
  return (ctx, view, { found: { likelihood }, dim, t: now, theme }) => {
    if (!likelihood?.data) return;
    const { rows, columns, data, most, low, high } = likelihood;
    Object.assign(canvas, { width: columns, height: rows });
    const image = own.createImageData(columns, rows);
    for (let k = 0; k < data.length; k++) {
      const share = Math.max(0, 1 + (data[k] - most) / RANGE); // of the range; drawn steeper, so that peaks stand out
      const from = 4 * Math.round(255 * share ** 1.6);
      const to = 4 * ((rows - 1 - Math.floor(k / columns)) * columns + (k % columns));
      for (let c = 0; c < 4; c++) image.data[to + c] = theme.ramp[from + c];
    }
    own.putImageData(image, 0, 0);
    ctx.save();
    if (dim === 1) {
      const { left, right } = view.box;
      ctx.drawImage(canvas, left, view.Y(0, high[0]), right - left, view.Y(0, low[0]) - view.Y(0, high[0]));
    } else {
      const [wide, tall] = [(high[0] - low[0]) / columns, (high[1] - low[1]) / rows];
      ctx.transform(view.ax * wide, view.bx * wide, 0, -view.by * tall, view.X(low[0], now), view.Y(low[0], high[1]));
      ctx.drawImage(canvas, 0, 0);
    }
    ctx.restore();
  };
}

function legend({ dim, scene, found: { likelihood } }) {
  if (!likelihood?.data) return { mark: "heat", text: "log-density of the model …" };
  const when = dim === 1 ? "at every time" : `at t = ${likelihood.t.toFixed(2)}`;
  const scale = `full colour ${rounded(likelihood.most).replace("-", "−")} nats, gone ${RANGE} nats lower`;
  return {
    mark: "heat",
    text: `log-density of the model ${scene.density === "end" ? "" : `${when} `}: ${scale}`.replace(" :", ":"),
  };
}

export const likelihood = () => {
  let asked = null;
  return {
    name: "likelihood",
    label: "Log-density of the model",
    key: "i",
    about:
      "The model's own log-density in nats, by the instantaneous change of variables with the exact trace where it is a " +
      "flow. The server works it out when the clock stands.",
    legend,
    icon: '<path d="M3 16.500h14M3 15c4 0 3.500-10.500 7-10.500S13 15 17 15"/><path d="M6 12.500h8M8 8.500h4" stroke-width="1.100"/>',
    needs: "density",
    alone: true,
    asks: (state) => {
      const { dim, t, still, training, request, place, scene } = state;
      const time = dim === 2 && scene.density === "time" ? t.toFixed(2) : "";
      const text = `${request.run} ${request.snapshot} ${place} ${time}`;
      if (asked?.scene !== scene || (still && !training)) asked = { scene, text };
      return asked.text;
    },
    ask,
    painters: [{ plane: "live", paint: painter() }],
  };
};
