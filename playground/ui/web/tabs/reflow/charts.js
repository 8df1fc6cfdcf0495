/** What the charts of the Reflow tab show: from the rounds' figures (reflow-figures.js) to Plotly's traces and axes. */

import { bandOf, belowOptimal, floorOf, rangeOf } from "../../scene/against.js";
import { rounded, times } from "../../common/numbers.js";
import { EVALUATIONS } from "./figures.js";

const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "star"];
const DASHES = ["solid", "dash", "dot", "dashdot", "longdash"];
const flows = (rounds) => rounds.filter((round) => round && !round.map);

/** Colour, symbol and dash of a round, the same in all charts. */
function look(round, theme) {
  const k = round.map ? 4 : round.index;
  return {
    color: theme.lines[k % theme.lines.length],
    symbol: SYMBOLS[k % SYMBOLS.length],
    dash: DASHES[k % DASHES.length],
  };
}

export function straightnessChart({ rounds }, theme) {
  const known = flows(rounds).filter(({ straightness }) => Number.isFinite(straightness));
  if (!known.length) return null;
  return {
    title: "Straightness against round",
    description: known.map(({ name, straightness }) => `${name}: S = ${rounded(straightness)}`).join("; "),
    traces: [
      {
        x: known.map(({ name }) => name),
        y: known.map(({ straightness }) => straightness),
        mode: "lines+markers+text",
        text: known.map(({ straightness }) => rounded(straightness)),
        textposition: "top right",
        cliponaxis: false,
        line: { color: theme.accent, width: 2 },
        marker: {
          size: 9,
          color: known.map((round) => look(round, theme).color),
          symbol: known.map((round) => look(round, theme).symbol),
        },
        hovertemplate: "%{x}: S = %{y:.3g}<extra></extra>",
        showlegend: false,
      },
    ],
    x: { type: "category", range: [-0.3, Math.max(1, known.length - 1) + 0.6] },
    y: {
      title: "straightness S (squared data units)",
      short: "S",
      type: "log",
      ...decades(known.map(({ straightness }) => straightness)),
    },
  };
}

/** A log axis that leaves room above the highest value for its number. */
function decades(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)].map((value) => Math.log10(Math.max(value, 1e-6)));
  return { range: [low - 0.35, high + 0.5] };
}

export function qualityChart({ rounds, floor }, theme) {
  const known = rounds.filter((round) => round?.quality.length);
  if (!known.length) return null;
  const traces = known.map((round) => {
    const { color, symbol, dash } = look(round, theme);
    return {
      name: round.name,
      x: round.quality.map(({ nfe }) => nfe),
      y: round.quality.map(({ sliced_w2 }) => sliced_w2),
      text: round.quality.map(({ sliced_w2 }) => times(sliced_w2, floor.value, "floor")),
      mode: "lines+markers",
      line: { color, dash, width: 2 },
      marker: { color, symbol, size: round.map ? 14 : 8 },
      hovertemplate: `%{x} NFE: %{y:.3g}, %{text}<extra>${round.name}</extra>`,
    };
  });
  const against = floorOf(floor, theme, [1, 100]);
  return {
    title: "Quality against evaluations",
    description: known
      .map(({ name, quality }) => `${name}: ${rounded(quality[0].sliced_w2)} at one evaluation`)
      .join("; "),
    traces: [...traces, against.line],
    shapes: against.band,
    x: { title: "network evaluations (NFE), Euler", short: "NFE, Euler", type: "log", tickvals: EVALUATIONS },
    y: { title: "sliced W<sub>2</sub> to the target", short: "sliced W<sub>2</sub>", type: "log" },
  };
}

export function costChart({ rounds, independent, optimal }, theme) {
  const known = rounds.filter((round) => Number.isFinite(round?.cost));
  if (!known.length) return null;
  const bars = [{ name: "independent pairs", ...independent }, ...known];
  const name = optimal?.value ? `optimal: ${rounded(optimal.value)} ± ${optimal.error.toPrecision(1)}` : "";
  const least = bandOf(rangeOf(optimal), {
    name,
    about: "optimal transport, estimated:",
    ends: [bars[0].name, bars.at(-1).name],
    theme,
  });
  return {
    title: "Transport cost beside optimal transport",
    description: bars
      .map((bar) => `${bar.name}: ${rounded(bar.cost)}. ${belowOptimal(bar, optimal)}`.trim())
      .join("; "),
    traces: [
      {
        type: "bar",
        x: bars.map(({ name }) => name),
        y: bars.map(({ cost }) => cost),
        error_y: { array: bars.map(({ costError }) => costError), thickness: 1, width: 3, color: theme["ink-soft"] },
        text: bars.map(({ cost }) => rounded(cost)),
        customdata: bars.map(({ costError }) => costError),
        textposition: "outside",
        cliponaxis: false,
        width: 0.55,
        marker: { color: bars.map((round) => ("index" in round ? look(round, theme).color : theme["ink-faint"])) },
        hovertemplate: "%{x}: %{y:.3g} ± %{customdata:.1g} over the particles<extra></extra>",
        showlegend: false,
      },
      least.line,
    ],
    shapes: least.band,
    x: {
      type: "category",
      slim: {
        tickangle: 0,
        tickvals: bars.map((bar) => bar.name),
        ticktext: bars.map((bar) => bar.name.replaceAll(" ", "<br>")),
      },
    },
    y: { title: "E|Z<sub>1</sub> − Z<sub>0</sub>|² (squared data units)", short: "cost", rangemode: "tozero" },
  };
}

export function bendingChart({ rounds }, theme) {
  const known = flows(rounds).filter(({ bends }) => bends);
  if (!known.length) return null;
  return {
    title: "Where in time straightness is lost",
    description: known
      .map(({ name, straightness }) => `${name}: the area below is S = ${rounded(straightness)}`)
      .join("; "),
    traces: known.map((round) => {
      const { color, dash } = look(round, theme);
      return {
        name: round.name,
        x: Array.from(round.times),
        y: Array.from(round.bends),
        mode: "lines",
        line: { color, dash, width: 2 },
        hovertemplate: `t = %{x:.2f}: %{y:.3g}<extra>${round.name}</extra>`,
      };
    }),
    x: { title: "time t", range: [0, 1] },
    y: { title: "S(t) = E|(Z<sub>1</sub> − Z<sub>0</sub>) − v|²", short: "S(t)", rangemode: "tozero" },
    moving: true,
  };
}
