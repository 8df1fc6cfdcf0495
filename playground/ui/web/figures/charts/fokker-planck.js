/** The density on a grid, by the Fokker–Planck equation, beside particles: how far they are apart over time. */

import { decodeArray } from "../../common/codec.js";

export function fokkerPlanckChart(measured, theme) {
  const { scene, picture } = measured;
  const { equation } = scene.network ?? {};
  if (!equation?.lattice)
    return "The Fokker–Planck equation is of equations with noise; without it the density moves along the paths.";
  const numbers = picture?.numbers ?? equation.parameters;
  const found = measured.densities(JSON.stringify([scene.run, numbers]), () => ({
    description: scene.network,
    numbers,
    lattice: equation.lattice,
    start: Float64Array.from(decodeArray(equation.lattice.density).data),
    x0: Float64Array.from(decodeArray(scene.x0).data),
  }));
  if (!found) return "Solving …";
  const line = (name, y, colour, dash) => ({
    name,
    x: found.times,
    y,
    mode: "lines",
    line: { color: colour, dash, width: 2.4 },
    hovertemplate: `${name}: %{y:.3f} at t = %{x:.3g}<extra></extra>`,
  });
  return {
    title: "L1 difference to the Fokker–Planck density",
    description: "How far the histograms of the particles are from the density on the grid, over time.",
    caption:
      `Finite volumes with the fluxes of Scharfetter and Gummel on ${found.cells.join(" × ")} cells, ${found.steps} implicit steps: ` +
      `mass is conserved to ${found.mass.toExponential(0).replace("-", "−")} and the density stays positive. The probability-flow ODE has the same ` +
      "marginals without noise. Below the dotted line a histogram of so many particles cannot be told from the density.",
    traces: [
      line("particles of the SDE", found.particles, theme.moving, "solid"),
      line("probability-flow ODE", found.flow, theme.lines[0], "solid"),
      line("chance alone", found.chance, theme["ink-soft"], "dot"),
    ],
    x: { title: "time t" },
    y: { title: "L1 difference (0 to 2)", rangemode: "tozero" },
  };
}
