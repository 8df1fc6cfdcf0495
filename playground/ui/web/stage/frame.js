/** The stage's own markup: rail, picture, transport, sampling and training controls, readouts. */

import { FLOOR } from "../scene/against.js";
import { DIALS, SAMPLERS } from "../compute/sampling/samplers.js";
import { FOR_EQUATIONS } from "../compute/sampling/solvers.js";
import { GUIDING } from "./controls/guiding-controls.js";
import { GRIDS } from "../compute/sampling/grids.js";

export const FIXED = { euler: "Euler", midpoint: "Midpoint", heun: "Heun", rk4: "RK4" };
export const ADAPTIVE = { dopri5: "Dormand–Prince 5(4)", bogacki_shampine: "Bogacki–Shampine 3(2)" };
const DIFFUSION = Object.fromEntries(Object.entries(SAMPLERS).map(([name, { label }]) => [name, label]));
const GRID_NAMES = {
  uniform: "Uniform",
  late: "Late, few steps",
  quadratic: "Quadratic, dense at the end",
  cosine: "Cosine, dense at the start",
  karras: "Karras, dense at little noise",
};
export const SPEEDS = [0.25, 0.5, 1, 2, 4];
/** The widest and the narrowest tolerance, as powers of ten. */
export const TOLERANCES = [-1, -7];

const ICONS = {
  play: '<path d="M6 3.8v12.4a.8.8 0 0 0 1.2.7l10-6.2a.8.8 0 0 0 0-1.4l-10-6.2A.8.8 0 0 0 6 3.8z"/>',
  pause: '<rect x="4.5" y="3.5" width="4" height="13" rx="1"/><rect x="11.5" y="3.5" width="4" height="13" rx="1"/>',
  restart:
    '<rect x="3.5" y="4" width="2.6" height="12" rx="1"/><path d="M16.5 4.9v10.2a.8.8 0 0 1-1.3.6l-6.6-5a.8.8 0 0 1 0-1.3l6.6-5a.8.8 0 0 1 1.3.5z"/>',
  back: '<path d="M12.5 5 7.500 10l5 5" fill="none" stroke="currentColor" stroke-width="1.900" stroke-linecap="round" stroke-linejoin="round"/>',
  on: '<path d="m7.500 5 5 5-5 5" fill="none" stroke="currentColor" stroke-width="1.900" stroke-linecap="round" stroke-linejoin="round"/>',
  loop: '<path d="M5 9V8a3 3 0 0 1 3-3h7m0 0-2.6-2.6M15 5l-2.6 2.6M15 11v1a3 3 0 0 1-3 3H5m0 0 2.6-2.6M5 15l2.6 2.6" fill="none" stroke="currentColor" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round"/>',
};
export const icon = (name) => `<svg viewBox="0 0 20 20" aria-hidden="true">${ICONS[name]}</svg>`;

const button = (part, name, label, title) =>
  `<button type="button" class="pg-button" data-part="${part}" aria-label="${label}" title="${title}">${icon(name)}</button>`;

/** An output is what a label is of, where it comes first: so the input has its name from an attribute. */
const slider = (part, label, title, attributes, { name = label, more = "" } = {}) => `
  <label class="pg-slider" data-row="${part}" title="${title}">
    <span class="pg-name">${label}</span>
    <output data-part="${part}-value"></output>
    <input type="range" data-part="${part}" aria-label="${name}" ${attributes}>${more}
  </label>`;

const options = (labels) =>
  Object.entries(labels)
    .map(([value, label]) => `<option value="${value}">${label}</option>`)
    .join("");

const select = (part, label, title, inner) => `
  <label class="pg-select" data-row="${part}" title="${title}"><span class="pg-name">${label}</span><select data-part="${part}">${inner}</select></label>`;

const card = (part, label, title) => `
  <div class="pg-card" title="${title}"><dt>${label}</dt><dd data-part="${part}">–</dd><dd data-part="${part}-note"></dd></div>`;

const transport = `
  <div class="pg-transport">
    ${button("play", "play", "Play", "Play or pause (Space)")}
    ${button("restart", "restart", "Back to the source", "Back to the source (Home)")}
    ${button("back", "back", "Previous solver state", "Previous solver state (,)")}
    ${button("on", "on", "Next solver state", "Next solver state (.)")}
    ${button("loop", "loop", "Loop", "Start over at the end (L)")}
    <label class="pg-speed" title="Speed of the playback (&lt; and &gt;)"><span class="pg-unseen">Speed</span>
      <select data-part="speed">${options(Object.fromEntries(SPEEDS.map((speed) => [`${speed}`, `${speed}×`])))}</select></label>
    ${slider("time", "<i>t</i>", "Time along the path: 0 is the source, 1 the target. Drag to scrub.", 'min="0" max="1" step="0.001" value="1"', { name: "Time", more: '<span class="pg-ticks" data-part="ticks"></span>' })}
  </div>`;

/** How to sample: the same on a stage and on the deck of several. First what is dragged most. */
const chosen = `
    ${select("label", "Class", "Which class the network is asked for.", "")}
    ${slider("angle", "Direction", "Which direction from the target's middle the network is asked for; counter-clockwise.", 'min="-15" max="345" step="15" value="-15"')}
    ${slider("guidance", "Guidance", "w in v∅ + w (v_c − v∅): 0 is the field of all together, 1 that of the condition; more exaggerates what tells the condition apart, and spends diversity on it.", 'min="0" max="8" step="0.1" value="1"')}
    ${slider("steps", "Steps", "Solver steps from source to target. Few steps are cheap, and miss where the field bends.", 'min="1" max="100" step="1" value="50"')}
    ${slider("tolerance", "Tolerance", "How far off a step may be before the solver rejects it and tries a shorter one. Its steps show on the time slider.", `min="${TOLERANCES[1]}" max="${TOLERANCES[0]}" step="0.5" value="-5"`)}`;

/** And by what method. */
const method = `
    ${select("solver", "Solver", "How a step is taken. Higher order costs more evaluations a step and errs less; adaptive ones choose their steps.", `<optgroup label="Fixed steps">${options(FIXED)}</optgroup><optgroup label="Adaptive">${options(ADAPTIVE)}</optgroup><optgroup label="Of equations">${options(FOR_EQUATIONS)}</optgroup><optgroup label="Of diffusions">${options(DIFFUSION)}</optgroup>`)}
    <p class="pg-bias" data-part="bias" hidden></p>
    ${Object.entries(DIALS)
      .map(([name, { label, about, low, high, step, standard }]) =>
        slider(name, label, about, `min="${low}" max="${high}" step="${step}" value="${standard}"`),
      )
      .join("")}
    ${select("grid", "Time grid", "Where the steps lie in time: evenly, dense at one end, or where little noise is left, as in EDM (ρ = 7).", options(Object.fromEntries(GRIDS.map((grid) => [grid, GRID_NAMES[grid] ?? grid]))))}
    ${GUIDING.map(([name, label, about, low, high, step, standard]) => slider(name, label, about, `min="${low}" max="${high}" step="${step}" value="${standard}"`)).join("")}`;

const sampling = `
  <section class="pg-group" data-group="sampling" aria-label="Sampling">
    <h3>Sampling</h3>
    <dl class="pg-cards">
      ${card("distance", "Sliced W<sub>2</sub>", `Distance between the end points and real target samples, seen along 128 directions; in units of the data. ${FLOOR}`)}
      ${card("nfe", "NFE", "Network evaluations for each particle, the true cost of a picture, and the time that it took your browser.")}
    </dl>
    ${chosen}
    ${method}
  </section>`;

const training = `
  <section class="pg-group" data-group="training" aria-label="Training">
    <div class="pg-head"><h3>Training</h3><span data-part="pace"></span></div>
    <div class="pg-rounds" data-part="rounds" role="group" aria-label="Round" hidden></div>
    <progress data-part="progress" max="1" value="0" aria-label="Training progress"></progress>
    ${slider("training", "Snapshot", "Look back at the network as it was during training; the right end is the newest.", 'min="0" max="0" step="1" value="0" disabled')}
    <div class="pg-loss"><canvas data-part="loss" role="img" aria-label="Training loss"></canvas></div>
  </section>`;

export const FRAME = `
<div class="pg-body">
  <div class="pg-picture">
    <div class="pg-above">
      <p class="pg-shows" data-part="shows" aria-label="What the picture shows"></p>
      <ul class="pg-legend" aria-label="Legend">
        <li><i class="pg-mark pg-mark-source"></i><span>source <b data-part="source"></b></span></li>
        <li><i class="pg-mark pg-mark-moving" data-part="moving"></i><span>moving, <span class="pg-wide">coloured </span>by <span data-part="colour">start</span></span></li>
        <li><i class="pg-mark pg-mark-target"></i><span>target <b data-part="target"></b></span></li>
      </ul>
    </div>
    <div class="pg-rail" data-part="rail" role="toolbar" aria-label="Layers and views"></div>
    <div class="pg-canvas" data-part="canvas" tabindex="0" role="img">
      <ul class="pg-keys" data-part="keys"></ul>
      <p class="pg-hint" data-part="hint"></p>
    </div>
    ${transport}
  </div>
  <div class="pg-side">
    ${sampling}
    ${training}
    <ul class="pg-remarks" data-part="remarks" aria-label="Remarks on this experiment"></ul>
    <p class="pg-message" data-part="message" role="status"></p>
  </div>
</div>`;

/** The controls of several stages at once (panels.js): no picture, no readouts. */
export const DECK = `
${transport}
<div class="pg-deck-sampling">
  ${slider("training", "Training", "Look back at all panels as they were at the same share of their training; the right end is the newest.", 'min="0" max="100" step="1" value="100"')}
  ${chosen}
</div>
<div class="pg-deck-more">
  <div class="pg-deck-method">${method}</div>
  <div class="pg-rail" data-part="rail"></div>
</div>`;
