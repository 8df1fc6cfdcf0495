/* Two charts over all entries: quality against evaluations, and quality against training time, both worked out here. */

import { Chart, themeOf } from "../../figures/charts/chart.js";
import { hasField } from "../../scene/capabilities.js";

const TRIALS = [1, 2, 4, 8, 16, 32];
const GROWTH = { solver: "heun", steps: 8, grid: "uniform" };
const NARROW = 560;
const PAUSE = 40; // ms between two pieces of work, so that a hand is never waited for
const SYMBOLS = ["circle", "square", "diamond", "triangle-up"];
const DASHES = ["solid", "dash", "dot", "dashdot"];
const DISTANCE = {
  title: "sliced W<sub>2</sub> to the target (data units)",
  short: "sliced W<sub>2</sub>",
  type: "log",
};

export class CompareCharts {
  constructor(root, sampler) {
    Object.assign(this, { root, sampler, entries: [], turn: 0 });
    root.innerHTML = `<div class="pg-plot" role="figure" data-chart="nfe"></div><div class="pg-plot" role="figure" data-chart="growth"></div>`;
    const node = (name) => root.querySelector(`[data-chart="${name}"]`);
    this.charts = {
      nfe: new Chart(node("nfe"), "quality-against-evaluations"),
      growth: new Chart(node("growth"), "quality-against-training-time"),
    };
    this.look = new IntersectionObserver((found) => found.some(({ isIntersecting }) => isIntersecting) && this.#work());
    this.look.observe(root);
    const colours = new MutationObserver(() => this.#draw());
    for (const one of [document.documentElement, document.body])
      colours.observe(one, { attributes: true, attributeFilter: ["class"] });
  }

  show(entries) {
    this.entries = entries;
    this.root.hidden = !entries.length;
    for (const entry of entries) {
      if (entry.curves?.run !== entry.scene.run)
        entry.curves = { run: entry.scene.run, nfe: new Map(), growth: new Map() };
    }
    this.#work();
  }

  /** Works out what is missing, a point at a time and of all entries in turn, while the charts are in sight. */
  async #work() {
    const turn = ++this.turn;
    this.#draw();
    for (;;) {
      const next = this.entries.map((entry) => this.#missing(entry)).find(Boolean);
      if (!next || !this.root.offsetParent) break;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
      if (turn !== this.turn) return;
      await next().catch(() => null);
      if (turn !== this.turn) return;
      this.#draw();
    }
  }

  /** A function that finds one missing point of an entry; null where there is none, or training goes on. */
  #missing(entry) {
    const {
      curves,
      panel: { stage },
    } = entry;
    const { scene, training, latent, starts: x0, dim, n } = stage.state;
    const { kept } = stage.history;
    if (!scene?.network || scene.network.remote || training || !kept.length) return null;
    const flows = hasField(scene);
    const ask = async (into, at, nfe, snapshot, sampling) => {
      into.set(at, null); // asked for once, whatever becomes of it
      const request = { run: scene.run, snapshot, x0: scene.network.map && latent ? latent : x0, dim, ...sampling };
      const found = await this.sampler.sample({ ...request, lane: `chart ${entry.key}` });
      if (!found) return into.delete(at);
      const points = found.x.subarray(-n * dim);
      const value = await this.sampler.distance({ run: scene.run, points, lane: `chart distance ${entry.key}` });
      into.set(at, value === null ? null : { nfe: found.nfe, value });
    };
    const trial = (flows ? TRIALS : [1]).find((steps) => !curves.nfe.has(steps));
    if (trial)
      return () => ask(curves.nfe, trial, trial, kept.at(-1).id, { solver: "euler", steps: trial, grid: "uniform" });
    const shot = kept.find(({ id, step }) => step > 0 && !curves.growth.has(id));
    return shot ? () => ask(curves.growth, shot.id, 0, shot.id, GROWTH) : null;
  }

  #draw() {
    if (this.due || !this.root.offsetParent) return;
    this.due = setTimeout(() => {
      this.due = null;
      this.#paint();
    }, 250);
  }

  #paint() {
    if (!this.root.offsetParent || !this.entries.length) return;
    const theme = themeOf(this.root);
    const trace = (entry, k, points, more) => ({
      name: this.root.clientWidth < NARROW ? entry.letter : `${entry.letter} ${entry.title}`,
      x: points.map(([x]) => x),
      y: points.map(([, y]) => y),
      mode: "lines+markers",
      line: { color: theme.lines[k], width: 2, dash: DASHES[k] },
      marker: { color: theme.lines[k], symbol: SYMBOLS[k], size: points.length === 1 ? 11 : 6 },
      hovertemplate: more,
    });
    const { shapes, annotations } = floorsOf(this.entries, theme);
    const byNFE = ({ curves }) =>
      [...curves.nfe.values()]
        .filter(Boolean)
        .map(({ nfe, value }) => [nfe, value])
        .sort((a, b) => a[0] - b[0]);
    const grown = ({ curves, panel }) =>
      panel.stage.history.kept
        .filter(({ id }) => curves.growth.get(id))
        .map(({ id, seconds }) => [seconds, curves.growth.get(id).value]);
    const common = { y: DISTANCE, shapes, annotations };
    this.charts.nfe
      .draw(
        {
          title: "Quality against evaluations (Euler)",
          traces: this.entries.map((entry, k) =>
            trace(entry, k, byNFE(entry), "%{x} evaluations: %{y:.3g}<extra></extra>"),
          ),
          x: { title: "network evaluations for each particle", short: "evaluations", type: "log" },
          ...common,
        },
        theme,
        "compare nfe",
      )
      .catch(() => null);
    this.charts.growth
      .draw(
        {
          title: "Quality against training time",
          traces: this.entries.map((entry, k) => trace(entry, k, grown(entry), "%{x:.1f} s: %{y:.3g}<extra></extra>")),
          x: { title: "training (s)", rangemode: "tozero" },
          ...common,
        },
        theme,
        "compare growth",
      )
      .catch(() => null);
  }
}

/** A line at each floor, and whose it is where targets, and so floors, differ. */
function floorsOf(entries, theme) {
  const known = entries.filter(({ scene }) => Number.isFinite(scene.floor?.sliced_w2));
  const floors = [...Map.groupBy(known, ({ scene }) => scene.floor.sliced_w2)];
  const line = { color: theme["ink-faint"], dash: "dot", width: 1 };
  return {
    shapes: floors.map(([y]) => ({ type: "line", xref: "paper", x0: 0, x1: 1, y0: y, y1: y, line })),
    annotations: floors.map(([floor, of]) => ({
      xref: "paper",
      x: 1,
      xanchor: "right",
      y: Math.log10(floor),
      yanchor: "bottom",
      text: floors.length > 1 ? `floor of ${of.map(({ letter }) => letter).join(", ")}` : "floor",
    })),
  };
}
