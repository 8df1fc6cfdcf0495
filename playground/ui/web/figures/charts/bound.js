/* The terms of a discrete diffusion's variational bound, in nats, and their chart.

   The twin of DiscreteFlow.bound in playground/models/diffusion.py, where they are explained: L_0 is the density of the
   data around what the last step makes of them, L_{i−1} a divergence between Gaussians, L_T what is left of the data. */

import { Brownian } from "../../compute/sampling/noise.js";
import { PathTable } from "../../compute/networks/place.js";
import { pathOf } from "../../scene/path.js";

/** So many target points stand for all, each with one noise a step. */
const POINTS = 500;
const SEED = 2 ** 30 + 1;

/** The path of a scene's discrete diffusion; null of any other model. */
export function discretePath(scene) {
  const path = pathOf(scene);
  return path?.table.timesteps ? path : null;
}

/** [L_0, …, L_T] and their sum; `evaluate(points, t)` is a promise of the velocity, `calm()` one of a free moment. */
export async function boundOf({ path, target, dim, variance = 0 }, evaluate, calm = () => null) {
  const table = new PathTable(path.table);
  const { timesteps } = table;
  const x1 = target.slice(0, POINTS * dim);
  const n = x1.length / dim;
  const at = (k) => table.at(k / timesteps);
  const first = at(0);
  const square = x1.reduce((sum, value) => sum + value * value, 0) / n;
  const prior = 0.5 * (first.alpha ** 2 * square + dim * (first.sigma ** 2 - 1 - 2 * Math.log(first.sigma)));
  const terms = [prior];
  const noise = new Brownian({ seed: SEED, first: 0, size: x1.length, dim, start: 0, stop: 1 });
  for (let k = 0; k < timesteps; k++) {
    await calm();
    const [now, then] = [at(k), at(k + 1)];
    const z = noise.step(k / timesteps, (k + 1) / timesteps);
    const x = x1.map((value, i) => now.alpha * value + now.sigma * z[i]);
    const velocity = await evaluate(x, k / timesteps);
    const turning = now.dAlpha * now.sigma - now.dSigma * now.alpha;
    let error = 0;
    for (let i = 0; i < x1.length; i++) error += ((now.sigma * velocity[i] - now.dSigma * x[i]) / turning - x1[i]) ** 2;
    error /= n;
    const most = now.sigma ** 2 - ((now.alpha / then.alpha) * then.sigma) ** 2;
    const least = (then.sigma / now.sigma) ** 2 * most;
    if (k === timesteps - 1) {
      terms.push(0.5 * (error / most + dim * Math.log(2 * Math.PI * most)));
      continue;
    }
    const spread = most ** variance * least ** (1 - variance);
    const mean = then.alpha - ((now.alpha / then.alpha) * then.sigma ** 2 * now.alpha) / now.sigma ** 2;
    terms.push(0.5 * ((mean ** 2 * error) / spread + dim * (least / spread - 1 - Math.log(least / spread))));
  }
  terms.reverse();
  return { terms, sum: terms.reduce((a, b) => a + b), timesteps, variance };
}

export function boundChart({ scene, picture, bounds, training }, theme) {
  if (!discretePath(scene)) return "Only a discrete diffusion has such a bound: choose the model Diffusion (DDPM).";
  if (training) return "Worked out when training is done.";
  const found = bounds.get(picture?.snapshot);
  if (!found) return "The terms of the bound are being worked out …";
  if (found.message) return found.message;
  const { terms, sum, timesteps, variance } = found;
  const spread =
    { 0: "the least variance β̃", 1: "the greatest variance β" }[variance] ?? `the variance ${variance} between β̃ and β`;
  const inner = terms.slice(1, -1);
  const steps = inner.map((_, k) => k + 1);
  const said = (value) => value.toPrecision(3).replace("-", "−");
  const colour = theme.lines[0];
  return {
    title: "Terms of the variational bound",
    description: `The terms L_1 to L_${timesteps - 1} of the variational bound on the negative log-likelihood; the sum of all is ${said(sum)} nats.`,
    caption:
      `−log p ≤ ΣL = ${said(sum)} nats, for ${spread} in each step (the dial of the ancestral sampler). Beside the bars: L₀ = ${said(terms[0])}, ` +
      `the density of the data in the last step, and L_T = ${said(terms.at(-1))}, what is left of the data after all noise.`,
    traces: [
      {
        name: "L_i",
        type: "bar",
        x: steps,
        y: inner,
        marker: { color: colour },
        hovertemplate: "L_%{x}: %{y:.3g} nats<extra></extra>",
      },
    ],
    x: { title: "step of noising i (1: next to the data, T: next to the noise)", short: "step i" },
    y: { title: "L_i (nats)", short: "nats", type: inner.every((value) => value > 0) ? "log" : "linear" },
  };
}
