/* What differs between experiments: figures of the pictures, figures that the server measures, and settings. */

import { ALIKE, FLOOR } from "../../scene/against.js";
import { coverage } from "../../compute/metrics/metrics.js";
import { SHARPNESS } from "../../scene/sharpness.js";
import { percent, rounded, times } from "../../common/numbers.js";
import { answered } from "../../api/probing.js";

const PATIENCE = { tries: 22, apart: 900 }; // with a busy server

/** [label, title, which is better: −1 the lower, 1 the higher, 0 neither, how it is written] by name. */
const ROWS = {
  sliced_w2: [
    "Sliced W<sub>2</sub>",
    `Distance of the end points to real target samples, in units of the data; beside it in units of the floor. ${FLOOR}`,
    -1,
  ],
  sample_kl: ["Sharpness, KL", SHARPNESS, -1],
  stray: [
    "Astray",
    "Share of the particles where no real point is near: blur, bridges between modes, a blob over the gaps.",
    -1,
    percent,
  ],
  strict: ["Modes covered, ≥ 1 %", "Modes that hold at least 1 % of the particles.", 1],
  high_quality: [
    "High quality",
    "Share of the particles within 3 standard deviations of a mode, whichever: all on one mode are 98.9 % as well. Read it beside the modes covered.",
    0,
    (value) => `${(100 * value).toFixed(1)} %`,
  ],
  nfe: ["NFE", "Network evaluations for each particle.", -1],
  ms: [
    "Sampling",
    "What the picture took your browser.",
    -1,
    (value) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`,
  ],
  seconds: [
    "Training time",
    "Seconds of training up to the snapshot that is looked at.",
    -1,
    (value) => `${value.toFixed(1)} s`,
  ],
  step: ["Training steps", "Gradient steps up to the snapshot that is looked at.", 0],
  straightness: [
    "Straightness S",
    "0 for straight paths at constant speed; of the solution with 100 Heun steps. Measured on the server.",
    -1,
  ],
  npe: ["Path energy, NPE", "0 for optimal transport. Measured on the server.", -1],
  w2: [
    "W<sub>2</sub>, exact",
    `At the most evaluations, on 1,000 points; beside it in units of its floor. Measured on the server. ${FLOOR}`,
    -1,
  ],
  kl: [
    "KL(target ‖ model)",
    "What the model's density lacks at real points to the target's, in nats, with its standard error; 0 is perfect. " +
      "Measured on the server.",
    -1,
  ],
  nll: ["NLL", "Negative log-likelihood of real points, in nats. Measured on the server.", -1],
};
const LACKS = "–"; // of an experiment that has no such setting
/** What is said of a figure that the server measures where a model has none. */
const NONE = { straightness: "no path", npe: "not known", w2: "not known", kl: "not known", nll: "not known" };
/** The distances that have a floor, and by what name it is known. */
const FLOORS = { sliced_w2: "floor", w2: "w2_floor", sample_kl: "kl_floor", stray: "stray_floor" };
const ASIDE = ["straightness", "npe", "w2", "kl", "nll"];

export class CompareTable {
  constructor(root, sampler) {
    Object.assign(this, { root, sampler, entries: [], values: {}, all: false });
    root.innerHTML = `<div class="pg-head"><h3>Differences</h3><button type="button" data-measure>Measure on the server</button>
      <span role="status"></span></div><div class="pg-scroll"></div>`;
    this.button = root.querySelector("[data-measure]");
    this.status = root.querySelector("[role=status]");
    this.button.addEventListener("click", () => this.measure());
  }

  /** Shows these entries; what was known of one is kept with it. */
  show(entries) {
    this.entries = entries;
    for (const entry of entries) {
      if (entry.known?.run === entry.scene.run) continue;
      entry.known = { run: entry.scene.run };
    }
    this.#draw();
  }

  /** Takes the figures of a picture that an entry's stage shows. */
  async picture(entry, { snapshot, nfe, ms, trajectory }) {
    const { n, dim, scene } = entry.panel.stage.state;
    const taken = entry.panel.stage.history.kept.find(({ id }) => id === snapshot);
    if (!entry.known || !taken) return;
    const points = trajectory.x.subarray(-n * dim);
    const found = scene.modes ? coverage(points, scene.modes, dim) : null;
    Object.assign(entry.known, { nfe, ms, step: taken.step, seconds: taken.seconds });
    Object.assign(entry.known, { strict: found?.strict, total: found?.total, high_quality: found?.highQuality });
    this.#draw();
    const request = { run: scene.run, points, lane: `compared ${entry.key}` };
    const value = await this.sampler.distance(request).catch(() => null);
    if (value === null) return;
    const { sliced_w2: floor, sample_kl: kl_floor, stray: stray_floor } = scene.floor;
    Object.assign(entry.known, { sliced_w2: value, floor, kl_floor, stray_floor });
    this.#draw();
    const sharp = await this.sampler
      .sharpness({ ...request, lane: `compared sharpness ${entry.key}` })
      .catch(() => null);
    Object.assign(entry.known, { sample_kl: sharp?.sample_kl, stray: sharp?.stray });
    this.#draw();
  }

  /** Asks the server for what takes it a moment, one entry after another. */
  async measure() {
    this.button.disabled = true;
    for (const entry of this.entries) {
      if (entry.known.measured) continue;
      this.status.textContent = `measuring ${entry.letter} …`;
      try {
        entry.known.measured = await answered("measure", entry.origin, PATIENCE);
        const { straightness, npe, nll, kl, kl_error, by_nfe, floor } = entry.known.measured;
        Object.assign(entry.known, {
          straightness,
          npe,
          nll,
          kl,
          kl_error,
          w2: Object.values(by_nfe).at(-1)?.w2,
          w2_floor: floor.w2,
        });
        entry.measured?.();
      } catch (error) {
        entry.known.failed = error.message;
        this.status.textContent = `${entry.letter}: ${error.message}`;
        this.button.disabled = false;
        continue;
      }
      this.#draw();
    }
    this.button.disabled = false;
    if (this.status.textContent.startsWith("measuring")) this.status.textContent = "";
    this.root.dispatchEvent(new CustomEvent("pg:measured", { bubbles: true }));
  }

  #draw() {
    this.due ??= requestAnimationFrame(() => {
      this.due = null;
      this.#paint();
    });
  }

  #paint() {
    const { entries } = this;
    const head = entries
      .map(
        ({ letter, title }, k) =>
          `<th style="--entry: var(--pg-series-${k + 1})" title="${escaped(title)}"><i>${letter}</i><span>${escaped(title)}</span></th>`,
      )
      .join("");
    const figures = Object.keys(ROWS)
      .map((name) => this.#figures(name))
      .join("");
    const settings = differing(entries.map(({ scene }) => scene.experiment));
    const row = ([name, values]) =>
      `<tr class="pg-setting"><th>${escaped(name)}</th>${values.map((one) => `<td>${escaped(one)}</td>`).join("")}</tr>`;
    const shared = settings.filter(([, values]) => values.filter((one) => one !== LACKS).length > 1);
    const single = settings.filter((one) => !shared.includes(one));
    const more = single.length
      ? `<tr><th colspan="${entries.length + 1}"><button type="button" data-more aria-expanded="${this.all}">
      ${this.all ? "Hide" : "Show"} the ${single.length} that only one of them has</button></th></tr>${this.all ? single.map(row).join("") : ""}`
      : "";
    const between =
      entries.length > 1
        ? `<tr class="pg-section"><th colspan="${entries.length + 1}">Settings that differ</th></tr>${shared.map(row).join("")}${more}`
        : "";
    this.root.querySelector(".pg-scroll").innerHTML =
      `<table><thead><tr><th></th>${head}</tr></thead><tbody>${figures}${between}</tbody></table>`;
    this.root.querySelector("[data-more]")?.addEventListener("click", () => {
      this.all = !this.all;
      this.#draw();
    });
    for (const { letter, known } of entries) this.values[letter] = known;
  }

  #figures(name) {
    const [label, title, better, write = rounded] = ROWS[name];
    const values = this.entries.map(({ known }) => known?.[name]);
    if (!values.some(Number.isFinite)) {
      if (!ASIDE.includes(name)) return "";
    }
    const floors = this.entries.map(({ known }) => known?.[FLOORS[name]]);
    // What cannot be told from real is as good as anything else that cannot.
    const judged = values.map((value, k) => (value <= ALIKE * floors[k] ? 0 : value));
    const finite = judged.filter(Number.isFinite);
    const best = better && new Set(finite).size > 1 ? (better < 0 ? Math.min(...finite) : Math.max(...finite)) : null;
    const cells = values.map((value, k) => {
      const { known } = this.entries[k];
      if (!Number.isFinite(value)) return `<td>${lack(name, known)}</td>`;
      const note = floors[k]
        ? ` <small>${times(value, floors[k], "floor")}</small>`
        : name === "strict"
          ? ` <small>of ${known.total}</small>`
          : name === "kl"
            ? ` <small>± ${rounded(known.kl_error)}</small>`
            : "";
      return `<td${judged[k] === best ? ' class="pg-best"' : ""}>${write(value)}${note}</td>`;
    });
    return `<tr title="${title}"><th>${label}</th>${cells.join("")}</tr>`;
  }
}

/** Why there is no such figure, in a word or two and a sentence. */
function lack(name, known) {
  if (!ASIDE.includes(name)) return "–";
  if (known.measured) return `<small>${NONE[name]}</small>`;
  return known.failed
    ? `<small title="${escaped(known.failed)}">not measured</small>`
    : '<small title="Press Measure on the server.">to measure</small>';
}

const escaped = (text) =>
  String(text).replace(/[&<>"]/g, (one) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[one]);

/** The settings of experiments as [name, values], those alone in which not all agree. How each would be sampled is left
    out: here all are sampled as the deck says. */
export function differing(experiments) {
  const flat = experiments.map((experiment) => {
    const { name, about, sampler, ...rest } = experiment;
    return Object.fromEntries(leaves(rest));
  });
  const names = [...new Set(flat.flatMap(Object.keys))];
  const shown = (value) =>
    value === undefined
      ? LACKS
      : value === null
        ? "none"
        : Array.isArray(value)
          ? JSON.stringify(value)
          : String(value);
  return names
    .filter((name) => new Set(flat.map((one) => JSON.stringify(one[name]))).size > 1)
    .map((name) => [
      name.replaceAll("_", " ").replace(/\.kind$/, ""),
      flat.map((one) => shown(one[name]).replaceAll("_", " ")),
    ]);
}

function leaves(value, path = "") {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return [[path, value]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, path ? `${path}.${key}` : key));
}
