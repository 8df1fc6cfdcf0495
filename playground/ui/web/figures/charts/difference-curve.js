/** How far the learned field is from the exact one, over the particles' time. */

import { noExact } from "../../scene/exact-field.js";

export function differenceCurve({ scene, picture, differences, training }, theme) {
  const refused = noExact(scene);
  if (refused) return refused;
  if (training) return "Compared when training is done.";
  const found = differences.get(picture?.snapshot);
  if (!found) return "The learned field is being held against the exact one …";
  if (typeof found === "string") return found;
  const line = (name, values, color, dash, long) => ({
    name,
    x: found.t,
    y: values,
    mode: "lines+markers",
    line: { color, dash, width: 2 },
    marker: { color, size: 4 },
    hovertemplate: `t = %{x:.2f}: %{y:.3g}, ${long}<extra></extra>`,
  });
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const share = (100 * mean(found.error)) / mean(found.speed);
  return {
    title: "Learned minus exact velocity",
    description: `The mean squared difference of the learned field from the exact one over time: ${share.toFixed(1)} % of its mean square.`,
    caption:
      `The exact field is that of ${found.about}. On the mean over time the difference is ${share.toPrecision(2)} % of E‖v‖²: what ` +
      "the loss still has above the least that any network can reach.",
    moving: true,
    traces: [
      line("E‖v̂ − v‖², the difference", found.error, theme.moving, "solid", "learned minus exact, squared"),
      line("E‖v‖², for comparison", found.speed, theme["ink-soft"], "dash", "the exact velocity, squared"),
    ],
    x: { title: "time t (0 source, 1 target)", range: [-0.01, 1.01] },
    y: { title: "mean square (units² / time²)", short: "mean square", type: "log" },
  };
}
