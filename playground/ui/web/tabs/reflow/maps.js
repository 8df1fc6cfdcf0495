/** The Reflow tab's small maps: where straightness is lost, by starting point, and why, at one time. */

import { disagreement, mean } from "../../compute/metrics/crossing.js";
import { heat, paintHeat, scaleOf } from "../../figures/charts/heat.js";
import { rounded } from "../../common/numbers.js";

/** Draws those of all rounds [{index, heats}] at time t; where only time has moved, those that follow it. */
export function drawMaps(rounds, { t, figures, scene, colours, moved }) {
  const views = { from: viewOf(figures.x0, scene.dim), why: scene.view };
  const maps = rounds.map(({ index }) => {
    const pairs = figures.trainedOn(index);
    const why = pairs && disagreement(pairs.x0, pairs.x1, t, scene.dim);
    const at = pairs && Float32Array.from(pairs.x0, (value, i) => value + t * (pairs.x1[i] - value));
    const from = figures.rounds[index]?.particles;
    return {
      from: from && heat(figures.x0, from, scene.dim, views.from),
      why: why && heat(at, why, scene.dim, views.why),
      variance: why && mean(why),
    };
  });
  for (const kind of moved ? ["why"] : ["from", "why"]) {
    const first = maps[0][kind]; // the first flow's is the largest: the others are seen beside it
    const most = first ? scaleOf(first) : 0;
    for (const { heats, index } of rounds) {
      const canvas = heats.querySelector(`[data-heat=${kind}]`);
      const cells = maps[index][kind];
      if (cells) paintHeat(canvas, cells, most, colours);
      else canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
    }
  }
  for (const { heats, index } of rounds) {
    heats.querySelector("[data-now]").textContent = t.toFixed(2);
    heats.querySelector("[data-variance]").textContent = rounded(maps[index].variance ?? NaN);
  }
}

/** The square that shows all start points. */
function viewOf(x0, dim) {
  const sides = Array.from({ length: dim }, (_, k) => {
    const values = x0.filter((_, i) => i % dim === k).sort();
    return [values[Math.floor(0.004 * values.length)], values[Math.floor(0.996 * (values.length - 1))]];
  });
  return {
    center: sides.map(([low, high]) => (low + high) / 2),
    half: (1.06 * Math.max(...sides.map(([low, high]) => high - low))) / 2,
  };
}

/** The colours of nothing and of much, as [r, g, b], from the page's own. */
export function coloursOf(element) {
  const style = getComputedStyle(element);
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  return ["--pg-field", "--pg-moving"].map((name) => {
    pen.fillStyle = style.getPropertyValue(name).trim();
    pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)];
  });
}
