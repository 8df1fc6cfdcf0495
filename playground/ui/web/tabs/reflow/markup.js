/** The Reflow tab's own markup: what is asked for, and what stands above, below and beside each panel. */

import { FLOOR } from "../../scene/against.js";

const radios = (name, choices, chosen) =>
  choices
    .map(
      ([value, label, title = ""]) =>
        `<label title="${title}"><input type="radio" name="pg-reflow-${name}" value="${value}"${value === chosen ? " checked" : ""}><span>${label}</span></label>`,
    )
    .join("");

/** Fills the choices of a side, source or target, from the form's description; `last` is an option of another kind. */
export function offerKinds(select, { fields }, last) {
  const { kinds } = fields.find(({ name }) => name === select.dataset.part);
  select.append(...kinds.map(({ kind, label }) => new Option(label, kind)), last);
}

/** charts: their names, in the order in which they stand. */
export const pageOf = (charts) => `
  <p class="pg-lead">The first flow learns from pairs drawn at random. Where their straight paths cross it can only learn the
    mean direction, and so it <em>bends</em>. Its own pairs hardly cross: a flow that learns from them is nearly straight, and
    <em>one step</em> is enough. Drag Steps to 1 and look.</p>
  <div class="pg-bar" role="group" aria-label="Training of all rounds">
    <button type="button" class="pg-primary" data-do="train">Train all rounds</button>
    <button type="button" data-do="stop" hidden>Stop</button>
    <button type="button" data-do="resume" hidden>Continue</button>
    <label>From <select data-part="source" aria-label="Source"></select></label>
    <label>to <select data-part="target" aria-label="Target"></select></label>
    <fieldset class="pg-switch"><legend>Flows</legend>${radios(
      "rounds",
      [
        ["1", "1"],
        ["2", "2"],
        ["3", "3"],
        ["4", "4"],
      ],
      "2",
    )}</fieldset>
    <label title="At the end, distil the last flow into a one-step network"><input type="checkbox" data-part="distill" checked> then distil to one step</label>
    <details class="pg-more"><summary>More</summary><div>
      <fieldset class="pg-switch"><legend>Pairs</legend>${radios(
        "pairs",
        [
          ["fresh", "fresh", "The flow before carries new source points to the target"],
          [
            "mixed",
            "mixed with real data",
            "As many again are real target points, carried back to the source: against the drift of many rounds",
          ],
        ],
        "fresh",
      )}</fieldset>
      <fieldset class="pg-switch"><legend>Distillation loss</legend>${radios(
        "loss",
        [
          ["squared", "squared"],
          ["huber", "Huber", "Which the few points between modes do not rule"],
        ],
        "squared",
      )}</fieldset>
      <label title="How many pairs a flow makes for the next round. More take longer to make; few are memorised.">Pairs a round <input type="number" data-part="count" min="4096" max="131072" step="1024" value="16384"></label>
      <label>Steps a round <input type="number" data-part="steps" min="100" max="20000" step="100" value="4000"></label>
      <label>Seed <input type="number" data-part="seed" min="0" max="999999" step="1" value="0"></label>
    </div></details>
  </div>
  <ol class="pg-progress" data-part="progress" aria-label="Rounds"></ol>
  <p class="pg-problem" data-part="problem" role="alert"></p>
  <p class="pg-run-of" data-part="shows"></p>
  <div data-part="differs"></div>
  <div data-part="panels"></div>
  <div class="pg-heat-row" data-part="heats"></div>
  <p class="pg-caption">The small maps: <b>where from</b> is S by starting point, of the distilled map how far it lands from the flow,
    squared. <b>Why</b> is the conditional variance of the
    pairs that the round was trained on, at the time on the clock: how much the straight paths through a place disagree
    there. Each kind has one scale for all panels.</p>
  <div class="pg-reflow-charts">${charts.map((name) => `<div class="pg-reflow-chart" data-chart="${name}" role="figure"><p class="pg-empty">Comes with the first round.</p></div>`).join("")}</div>
  <div data-part="table"></div>`;

export const HEAD = `
  <dl class="pg-round-figures">
    <div title="S = E∫|(Z₁ − Z₀) − v|² dt, 0 for straight paths; of the solution with 100 Heun steps"><dt>S</dt><dd data-figure="straightness">–</dd></div>
    <div title="Normalised path energy: how far the energy of the paths is from the least that carries the source to the target, 0 for optimal transport"><dt>NPE</dt><dd data-figure="npe">–</dd></div>
    <div title="E|Z₁ − Z₀|², in squared units of the data; optimal transport's is in the chart below"><dt>Cost</dt><dd data-figure="cost">–</dd></div>
    <div title="Sliced W2 of the picture, at the step count of the slider, over the floor. ${FLOOR}"><dt>W<sub>2</sub> ÷ floor</dt><dd data-figure="distance">–</dd></div>
  </dl>
  <p class="pg-round-note" data-figure="below"></p>`;
export const FOOT = `
  <button type="button" class="pg-open" data-open disabled title="Shows this round in the Studio, with everything that it can show">Open in the Studio</button>`;
export const HEATS = `
  <div class="pg-heats">
    <figure><canvas data-heat="from" role="img" aria-label="Straightness lost, by starting point"></canvas><figcaption>where from</figcaption></figure>
    <figure><canvas data-heat="why" role="img" aria-label="Conditional variance of the pairs it learnt from, now"></canvas><figcaption>why, at t = <span data-now></span>: <b data-variance>–</b></figcaption></figure>
  </div>`;
