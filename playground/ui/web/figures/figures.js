/**
 * The numbers beside the picture: cards that follow the sliders, charts to read and zoom, the server's measurement.
 *
 *     new Figures(above, { stage });    // goes below that element; what nobody looks at is not worked out
 *
 * The stage tells of "pg:scene", "pg:snapshot", "pg:sampled" and "pg:settings"; all this comes after the picture.
 */

import { boundChart, discretePath } from "./charts/bound.js";
import { Cards } from "./cards.js";
import { Chart, fetchLibrary, themeOf } from "./charts/chart.js";
import { couplingTable } from "./charts/coupling-table.js";
import { differenceCurve } from "./charts/difference-curve.js";
import { fokkerPlanckChart } from "./charts/fokker-planck.js";
import { growthCurve, lossCurve, solverCurves } from "./charts/curves.js";
import { orderChart } from "./charts/order.js";
import { LatentPane } from "./latent.js";
import { Measured } from "./measured.js";
import { Report } from "./report.js";
import { scheduleCurves } from "./charts/schedule.js";
import { stabilityChart } from "./charts/stability.js";
import { stillness } from "../common/stillness.js";
import { trialsOf } from "./trials.js";

const TABS = {
  solvers: "Quality vs NFE",
  growth: "Quality vs training time",
  loss: "Loss",
  path: "Path",
  coupling: "Coupling",
  difference: "Learned vs exact",
  latent: "Latent space",
  bound: "Variational bound",
  stability: "Stability",
  order: "Order",
  fokker: "Fokker–Planck",
  report: "Measured on the server",
};
const DOWNLOADS = {
  loss: "training-loss",
  solvers: "quality-against-evaluations",
  growth: "quality-against-training-time",
  path: "path-schedule",
  difference: "learned-against-exact",
  bound: "variational-bound",
  stability: "stability",
  order: "order-of-convergence",
  fokker: "fokker-planck",
};
const CURVES = {
  loss: lossCurve,
  solvers: solverCurves,
  growth: growthCurve,
  path: scheduleCurves,
  coupling: couplingTable,
  difference: differenceCurve,
  bound: boundChart,
  stability: stabilityChart,
  order: orderChart,
  fokker: fokkerPlanckChart,
};
/** So much of a part must be in sight to be looked at. */
const SEEN = 0.2;
/** While things change a chart is drawn at most so often (ms). */
const DRAW_EVERY = 400;
/** A chart waits so long (ms) for a moment in which nothing moves, and for the first one, which loads the library. */
const [SOON, LATER] = [1500, 8000];

const tab = ([name, label]) => `
  <button type="button" role="tab" id="pg-tab-${name}" data-tab="${name}" aria-controls="pg-panel-${name}">${label}</button>`;

const panel = (name) => `
  <div class="pg-chart-panel" role="tabpanel" id="pg-panel-${name}" aria-labelledby="pg-tab-${name}" data-panel="${name}" hidden>
    <div class="pg-plot"${name in DOWNLOADS ? ' role="figure"' : ""}></div><p class="pg-empty"></p><p class="pg-caption"></p>
  </div>`;

const PAGE = `
  <dl class="pg-figure-cards" data-part="cards" aria-label="Figures of the picture"></dl>
  <p class="pg-figures-of"><span>Figures of</span> <b data-part="of"></b><em> · not of the settings in the form</em></p>
  <div class="pg-charts">
    <div class="pg-tabbar">
      <div class="pg-tabs" role="tablist" aria-label="Charts">
        ${Object.entries(TABS).map(tab).join("")}
      </div>
      <span class="pg-doing" data-part="doing" role="status"></span>
      <button type="button" class="pg-log" data-part="log" aria-pressed="true"
        title="A logarithmic axis shows equal ratios as equal heights">log scale</button>
    </div>
    ${Object.keys(TABS).map(panel).join("")}
  </div>`;

export class Figures {
  constructor(above, { stage }) {
    const root = document.createElement("section");
    Object.assign(this, { root, stage, log: true, charts: {}, due: null });
    root.className = "pg-figures";
    root.setAttribute("aria-label", "Figures");
    above.after(root);
    root.innerHTML = PAGE;
    const part = (name) => root.querySelector(`[data-part="${name}"]`);
    this.parts = { doing: part("doing"), log: part("log"), cards: part("cards"), of: part("of") };
    this.panels = Object.fromEntries([...root.querySelectorAll("[data-panel]")].map((one) => [one.dataset.panel, one]));
    this.tabs = [...root.querySelectorAll("[data-tab]")];
    this.cards = new Cards(this.parts.cards, () => (this.open("report"), this.report.measure()));
    this.report = new Report(this.panels.report.firstElementChild, () => this.#showCards());
    this.latent = new LatentPane(this.panels.latent.firstElementChild);
    this.measured = new Measured((what) => this.#changed(what));
    this.counters = { cards: this.cards.values, referred: false, solvers: 0, growth: 0, drawn: 0, waiting: false };
    this.listen = new AbortController();
    this.#listen();
    this.#watch();
    this.tabs.find((one) => one.dataset.tab === "latent").hidden = true;
    this.open("solvers"); // the loss has its strip beside the picture
    this.#showCards();
    (window.__playground ??= { stages: [] }).figures = this.counters;
  }

  /** Brings a tab to the front. */
  open(name) {
    this.active = name;
    for (const tab of this.tabs) {
      const chosen = tab.dataset.tab === name;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      this.panels[tab.dataset.tab].hidden = !chosen;
    }
    this.parts.log.hidden = name !== "loss";
    this.#want();
    this.#draw(true);
  }

  /** A chart that a family cannot have has no tab: only a discrete diffusion has a bound, not all have a path. */
  #offerTabs(scene) {
    const without = {
      bound: !discretePath(scene),
      path: !scene.has_path,
      difference: !scene.has_path,
      coupling: !scene.coupling,
      stability: !scene.network?.equation,
      order: !scene.network?.equation,
      fokker: !scene.network?.equation?.lattice,
      growth: Boolean(scene.network?.equation),
      loss: Boolean(scene.network?.equation),
    };
    for (const tab of this.tabs) tab.hidden = without[tab.dataset.tab] ?? tab.hidden;
    if (without[this.active]) this.open("solvers");
  }

  /** Whether they are of other settings than those that are chosen. */
  differ(differs) {
    this.root.toggleAttribute("data-differs", differs);
  }

  destroy() {
    this.listen.abort();
    for (const observer of this.observers) observer.disconnect();
    for (const chart of Object.values(this.charts)) chart.close();
    this.measured.close();
    this.latent.close();
    this.root.remove();
  }

  #listen() {
    const { signal } = this.listen;
    const on = (name, act) => this.stage.root.addEventListener(name, ({ detail }) => act(detail ?? {}), { signal });
    on("pg:scene", ({ scene }) => {
      this.measured.begin(scene);
      this.#offerTabs(scene);
      this.report.forget(scene, Boolean(scene.network?.mixture || scene.network?.equation));
      this.#offerLatent(scene);
      this.#showCards();
      this.#draw();
    });
    on("pg:snapshot", ({ snapshot }) => {
      this.measured.add(snapshot);
      this.report.forget(this.measured.scene, Boolean(snapshot.done));
    });
    on("pg:sampled", (picture) => this.measured.show(picture));
    on("pg:settings", () => this.measured.disturb());
    on("pg:caption", ({ text }) => (this.parts.of.textContent = text));
    on("pg:time", ({ t }) => this.#mark(t));
    this.parts.log.addEventListener("click", () => {
      this.log = !this.log;
      this.parts.log.setAttribute("aria-pressed", String(this.log));
      this.#draw(true);
    });
    for (const tab of this.tabs) tab.addEventListener("click", () => this.open(tab.dataset.tab));
    this.root.querySelector("[role=tablist]").addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const names = this.tabs.filter((tab) => !tab.hidden).map((tab) => tab.dataset.tab);
      this.open(names[(names.indexOf(this.active) + step + names.length) % names.length]);
      this.tabs.find((tab) => tab.dataset.tab === this.active).focus();
      event.preventDefault();
    });
  }

  /** The latent space has a tab where there is an encoder, and comes to the front with it. */
  #offerLatent({ network }) {
    const tab = this.tabs.find((one) => one.dataset.tab === "latent");
    if (network && tab.hidden === Boolean(network.encoder)) {
      tab.hidden = !network.encoder;
      if (network.encoder || this.active === "latent") this.open(network.encoder ? "latent" : "solvers");
    }
  }

  /** Follows what is looked at, and the colours. */
  #watch() {
    this.inView = new Set();
    const look = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) {
          if (isIntersecting) this.inView.add(target.dataset.part ?? "charts");
          else this.inView.delete(target.dataset.part ?? "charts");
        }
        this.#want();
        this.#showCards();
        this.#draw();
      },
      { threshold: SEEN },
    );
    look.observe(this.parts.cards);
    look.observe(this.root.querySelector(".pg-charts"));
    const colours = new MutationObserver(() => this.#draw(true));
    for (const node of [document.documentElement, document.body]) {
      colours.observe(node, { attributes: true, attributeFilter: ["class"] });
    }
    this.observers = [look, colours];
  }

  #want() {
    const charts = this.inView?.has("charts");
    this.measured.want("cards", Boolean(this.inView?.has("cards") || charts));
    for (const name of ["solvers", "growth", "coupling", "difference", "bound"])
      this.measured.want(name, Boolean(charts && this.active === name));
  }

  #changed(what) {
    if (["picture", "fine", "reference"].includes(what)) this.#showCards();
    if (what === "fine") this.#weighed();
    if (what !== "fine") this.#draw();
  }

  /** The stage's words take in what is known of the density of its model. */
  #weighed() {
    const { scene, picture, likelihoods } = this.measured;
    const lack = likelihoods.get(picture?.snapshot);
    if (lack) this.stage.weighed({ run: scene.run, snapshot: picture.snapshot, kl: lack.kl, kl_error: lack.kl_error });
  }

  #showCards() {
    this.cards.show(this.measured, this.report.answer);
    this.counters.cards = this.cards.values;
    this.counters.referred = "floor" in this.measured.reference;
  }

  /** Draws the chart in front: soon, at once where a hand asks for it. */
  #draw(now = false) {
    this.#tell();
    if (now) {
      clearTimeout(this.due);
      this.due = null;
    }
    this.counters.waiting = true;
    this.due ??= setTimeout(
      async () => {
        await this.#drawNow(now);
        this.counters.waiting = Boolean(this.due);
      },
      now ? 0 : DRAW_EVERY,
    );
  }

  async #drawNow(now) {
    const { measured } = this;
    const { due } = this;
    if (!now) {
      if (this.inView.has("charts")) fetchLibrary();
      await measured.calm(); // a drag is not to wait for a chart, nor the playing picture
      await stillness(this.stage.clock, window.Plotly ? SOON : LATER);
    }
    if (this.due !== due) return;
    this.due = null;
    const { active: name } = this;
    if (name === "report" || !this.inView.has("charts") || !measured.scene) return;
    if (measured.scene.network && !measured.picture) return; // the picture comes first
    const theme = themeOf(this.root);
    if (name === "latent") return this.#showLatent(theme);
    const content = CURVES[name](measured, theme, this.log);
    const [plot, empty, caption] = this.panels[name].children;
    const nothing = typeof content === "string";
    this.moving = content.moving ? name : null;
    caption.textContent = content.caption ?? "";
    plot.classList.toggle("pg-hidden", nothing);
    empty.textContent = nothing ? content : "";
    if (nothing) return;
    if (content.html) {
      plot.innerHTML = content.html;
      this.counters.drawn += 1;
      return;
    }
    this.charts[name] ??= new Chart(plot, DOWNLOADS[name]);
    if (!window.Plotly) empty.textContent = "Loading…";
    try {
      await this.charts[name].draw(content, theme, `${measured.scene.run} ${name}`);
      empty.textContent = "";
      this.counters.drawn += 1;
      this.#mark(this.stage.state.t);
    } catch (error) {
      empty.textContent = error.message;
    }
  }

  #showLatent(theme) {
    const { scene, picture, training, history } = this.measured;
    const snapshot = history.kept.find(({ id }) => id === picture?.snapshot);
    if (!scene.network?.encoder || !snapshot) return;
    this.latent.show(scene, snapshot, theme, !training);
    this.counters.drawn += 1;
  }

  /** Where the clock is, on a chart over the particles' time. */
  #mark(t) {
    if (this.moving === this.active) this.charts[this.active]?.mark(t);
  }

  /** How far the work for the chart in front has come. */
  #tell() {
    const { active, measured } = this;
    const { picture, training } = measured;
    this.counters.solvers = measured.solvers.get(picture?.snapshot)?.length ?? 0;
    this.counters.growth = measured.growth.size;
    const { solvers, growth } = this.counters;
    const parts = {
      solvers: [solvers, trialsOf(measured.scene).length],
      growth: [growth, measured.history.kept.length],
    };
    const [done, all] = parts[active] ?? [0, 0];
    const when = training ? "measured when training is done" : `measuring ${done} of ${all}`;
    const text = !picture || done >= all ? "" : when;
    if (this.parts.doing.textContent !== text) this.parts.doing.textContent = text;
  }
}
