/* What one panel of the mode-collapse tab counts: above the picture modes covered and quality, below it bars, the timeline
   and the alarm.

   Every picture that its stage shows is counted, so that the figures follow each slider; snapshots that were not shown
   are sampled when there is time, so that the timeline has no gaps. */

import { drawBars, drawTimeline } from "./charts.js";
import { alarm, course, modeKL, verdict } from "../../compute/metrics/modes.js";
import { coverage } from "../../compute/metrics/metrics.js";
import { width } from "../../scene/sharpness.js";
import { UNKNOWN_STEPS } from "../../scene/track.js";

/** Looks up to which a run is too young for a verdict, unless it has collapsed. */
const FEW_LOOKS = 8;
const FILL_EVERY = 60; // ms between two snapshots that are sampled for the timeline alone

const FLOW = { solver: "heun", steps: 8, grid: "uniform" };

const ABOVE = `
  <dl class="pg-modes-figures">
    <div class="pg-modes-main" title="Modes that hold at least 1 % of the samples: the strict rule. Beside it, as in the VEEGAN paper, those that hold any good sample.">
      <dt>Modes covered</dt><dd><b data-part="strict">–</b> <small data-part="lenient"></small></dd></div>
    <div title="The share of samples within 3 standard deviations of a mode; a perfect sample has 98.9 %."><dt>High quality</dt><dd><b data-part="quality">–</b> <small data-part="on"></small></dd></div>
    <div title="KL divergence of the modes' shares among the good samples from the true ones, in nats: 0 where every mode has its due."><dt>KL of modes</dt><dd><b data-part="kl">–</b></dd></div>
  </dl>`;
const BELOW = `
  <canvas class="pg-modes-bars" data-part="bars" role="img" aria-label="Share of the samples on each mode"></canvas>
  <canvas class="pg-modes-line" data-part="line" role="img" aria-label="Which mode was alive when"></canvas>
  <p class="pg-modes-alarm" data-part="alarm" role="status"></p>`;

export class ModeCard {
  constructor(above, below, stage, sampler) {
    above.innerHTML = ABOVE;
    below.innerHTML = BELOW;
    const parts = [above, below].flatMap((root) => [...root.querySelectorAll("[data-part]")]);
    this.parts = Object.fromEntries(parts.map((node) => [node.dataset.part, node]));
    Object.assign(this, { above, stage, sampler, looks: new Map(), shown: null, filling: false, alarmed: null });
    this.listen = new AbortController();
    const on = (name, act) =>
      stage.root.addEventListener(name, ({ detail }) => act(detail), { signal: this.listen.signal });
    on("pg:scene", () => this.#begin());
    on("pg:sampled", (picture) => this.#count(picture));
    on("pg:snapshot", () => this.#fill());
    this.size = new ResizeObserver(() => this.draw());
    this.size.observe(below);
  }

  close() {
    this.listen.abort();
    this.size.disconnect();
  }

  get modes() {
    return this.stage.state.scene?.modes ?? null;
  }

  /** The looks in order of training. */
  get ordered() {
    return [...this.looks.values()].sort((a, b) => a.step - b.step);
  }

  /** {strict, total, covered, highQuality, kl, alarm, looks} of what is shown. */
  get figures() {
    const { modes } = this;
    const shown = this.shown ?? this.ordered.at(-1); // a picture that is out of sight is not made
    if (!shown || !modes) return null;
    return { ...shown, kl: modeKL(shown.shares, modes.weights), alarm: this.alarmed, looks: this.looks.size };
  }

  #begin() {
    this.looks.clear();
    Object.assign(this, { shown: null, alarmed: null });
    this.draw();
  }

  #count({ snapshot, trajectory }) {
    const { modes, stage } = this;
    const taken = stage.history.kept.find(({ id }) => id === snapshot);
    if (!modes || !taken) return;
    const { n, dim } = stage.state;
    this.shown = { step: taken.step, ...coverage(trajectory.x.subarray(-n * dim), modes, dim) };
    this.looks.set(taken.step, this.shown);
    this.#judge();
    this.draw();
  }

  #judge() {
    this.alarmed = alarm(this.ordered);
  }

  /** Counts the modes of snapshots that no picture has shown, one at a time. */
  async #fill() {
    if (this.filling) return;
    this.filling = true;
    const { scene } = this.stage.state;
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, FILL_EVERY));
      const { stage, modes } = this;
      if (scene !== stage.state.scene || !modes || this.listen.signal.aborted) break;
      const next = stage.history.kept.find(({ step }) => !this.looks.has(step));
      if (!next) break;
      const { starts: x0, latent, dim, n } = stage.state;
      const request = { run: scene.run, snapshot: next.id, x0: scene.network?.map ? latent : x0, dim, ...FLOW };
      const found = await this.sampler.sample({ ...request, lane: `${stage.lane} looks` }).catch(() => null);
      if (scene !== stage.state.scene) break;
      if (!found) continue;
      if (this.looks.has(next.step)) continue;
      this.looks.set(next.step, { step: next.step, ...coverage(found.x.subarray(-n * dim), modes, dim) });
      this.#judge();
      this.draw();
    }
    this.filling = false;
    if (this.stage.state.scene !== scene) this.#fill();
  }

  draw() {
    if (this.due) return;
    this.due = requestAnimationFrame(() => {
      this.due = 0;
      this.#paint();
    });
  }

  #paint() {
    const { parts, modes, figures, stage } = this;
    const say = (part, text) => parts[part].textContent !== text && (parts[part].textContent = text);
    say("strict", figures ? `${figures.strict} of ${figures.total}` : "–");
    say("lenient", figures ? `≥ 1 point: ${figures.covered}` : "");
    say("quality", figures ? `${(100 * figures.highQuality).toFixed(1)} %` : "–");
    say("on", figures ? `on ${figures.covered} of ${figures.total} modes` : "");
    say("kl", figures && figures.kl !== null ? figures.kl.toFixed(3) : "–");
    this.above.dataset.covered = figures ? String(figures.strict === figures.total) : "";
    this.#warn();
    if (!modes) return;
    drawBars(parts.bars, figures, modes.weights);
    const planned = stage.history.kept.at(-1)?.steps ?? 0;
    const steps = planned < UNKNOWN_STEPS ? planned : 0;
    const now = this.shown?.step ?? null;
    drawTimeline(parts.line, this.ordered, { weights: modes.weights, steps, now, alarm: this.alarmed });
  }

  #warn() {
    const { parts, ordered: looks, alarmed } = this;
    const enough = alarmed || looks.length > FEW_LOOKS;
    const kind = course(looks)?.kind;
    const wide = kind === "smear" ? "" : width(looks.at(-1)?.spread); // which is said of a smear in other words
    const shown = enough ? [verdict(looks), wide].filter(Boolean).join(" ") : "";
    const calm = !enough || ["all", "some", "recovered"].includes(kind);
    parts.alarm.classList.toggle("pg-modes-calm", calm);
    if (parts.alarm.textContent !== shown) parts.alarm.textContent = shown;
  }
}
