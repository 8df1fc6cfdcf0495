/**
 * What stands around the picture: legend, transport, sampling and training controls, readouts, the loss strip.
 *
 * Native inputs only, so that keyboard, touch and screen readers work by themselves. The controls hold no state of
 * their own beyond the inputs; what a hand does is reported through `on`, what is to be shown is told by `show…`.
 */

import { ticks } from "./drawing.js";
import { TABLEAUX } from "./solvers.js";

const SOLVERS = { euler: "Euler", midpoint: "Midpoint", heun: "Heun", rk4: "RK4" };

const ICONS = {
  play: '<path d="M6 3.8v12.4a.8.8 0 0 0 1.2.7l10-6.2a.8.8 0 0 0 0-1.4l-10-6.2A.8.8 0 0 0 6 3.8z"/>',
  pause: '<rect x="4.5" y="3.5" width="4" height="13" rx="1"/><rect x="11.5" y="3.5" width="4" height="13" rx="1"/>',
  restart: '<rect x="3.5" y="4" width="2.6" height="12" rx="1"/><path d="M16.5 4.9v10.2a.8.8 0 0 1-1.3.6l-6.6-5a.8.8 0 0 1 0-1.3l6.6-5a.8.8 0 0 1 1.3.5z"/>',
  loop: '<path d="M5 9V8a3 3 0 0 1 3-3h7m0 0-2.6-2.6M15 5l-2.6 2.6M15 11v1a3 3 0 0 1-3 3H5m0 0 2.6-2.6M5 15l2.6 2.6" fill="none" stroke="currentColor" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round"/>',
};
const icon = (name) => `<svg viewBox="0 0 20 20" aria-hidden="true">${ICONS[name]}</svg>`;

const button = (part, name, label, title) =>
  `<button type="button" class="pg-button" data-part="${part}" aria-label="${label}" title="${title}">${icon(name)}</button>`;

const slider = (part, label, title, attributes) => `
  <label class="pg-slider" title="${title}">
    <span class="pg-name">${label}</span>
    <output data-part="${part}-value"></output>
    <input type="range" data-part="${part}" ${attributes}>
  </label>`;

const card = (part, label, title) => `
  <div class="pg-card" title="${title}"><dt>${label}</dt><dd data-part="${part}">–</dd></div>`;

const PAGE = `
<div class="pg-body">
  <div class="pg-picture">
    <ul class="pg-legend" aria-label="Legend">
      <li><i class="pg-mark pg-mark-source"></i><span>source <b data-part="source"></b></span></li>
      <li title="Each particle keeps the colour of the place where it starts."><i class="pg-mark pg-mark-moving"></i><span>moving, <span class="pg-wide">coloured </span>by start</span></li>
      <li><i class="pg-mark pg-mark-target"></i><span>target <b data-part="target"></b></span></li>
    </ul>
    <div class="pg-canvas" data-part="canvas" tabindex="0" role="img"><p class="pg-hint" data-part="hint"></p></div>
    <div class="pg-transport">
      ${button("play", "play", "Play", "Play or pause (space)")}
      ${button("restart", "restart", "Back to the source", "Back to the source")}
      ${button("loop", "loop", "Loop", "Start over at the end")}
      ${slider("time", "Time <i>t</i>", "Time along the path: 0 is the source, 1 the target. Drag to scrub.", 'min="0" max="1" step="0.001" value="1"')}
    </div>
  </div>
  <div class="pg-side">
    <section class="pg-group" aria-label="Sampling">
      <h3>Sampling</h3>
      <dl class="pg-cards">
        ${card("distance", "Sliced W<sub>2</sub> to target", "Distance between the end points and real target samples. The floor is what two real samples of this size measure: 1× cannot be told from real.")}
        ${card("nfe", "NFE", "Network evaluations for each particle, the true cost of a picture.")}
        ${card("ms", "Sampled in", "Time your browser took to integrate all particles.")}
      </dl>
      ${slider("steps", "Steps", "Solver steps from source to target. Few steps are cheap and bend where the field bends.", 'min="1" max="100" step="1" value="50"')}
      <label class="pg-select" title="How a step is taken. Higher order costs more evaluations a step and errs less."><span class="pg-name">Solver</span>
        <select data-part="solver">${Object.entries(SOLVERS).map(([kind, label]) => `<option value="${kind}">${label}</option>`).join("")}</select>
      </label>
    </section>
    <section class="pg-group" aria-label="Training">
      <div class="pg-head"><h3>Training</h3><span data-part="pace"></span></div>
      <progress data-part="progress" max="1" value="0" aria-label="Training progress"></progress>
      ${slider("training", "Snapshot", "Look back at the network as it was during training; the right end is the newest.", 'min="0" max="0" step="1" value="0" disabled')}
      <div class="pg-loss"><canvas data-part="loss" role="img" aria-label="Training loss"></canvas></div>
    </section>
    <p class="pg-message" data-part="message" role="status"></p>
  </div>
</div>`;

const count = (value) => Math.round(value).toLocaleString("en");
const seconds = (value) => (value < 9.95 ? `${value.toFixed(1)} s` : `${Math.round(value)} s`);

export class Controls {
  /** Builds itself inside `root`; `on` has play, restart, loop, scrub, release, sampling, training. */
  constructor(root, on) {
    root.innerHTML = PAGE;
    this.parts = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]));
    const { play, restart, loop, time, steps, solver, training } = this.parts;
    play.addEventListener("click", () => on.play());
    restart.addEventListener("click", () => on.restart());
    loop.addEventListener("click", () => on.loop());
    time.addEventListener("pointerdown", () => on.hold());
    time.addEventListener("input", () => on.scrub(time.valueAsNumber));
    for (const end of ["pointerup", "pointercancel"]) time.addEventListener(end, () => on.release());
    steps.addEventListener("input", (event) => on.sampling(event.timeStamp));
    solver.addEventListener("change", (event) => on.sampling(event.timeStamp));
    training.addEventListener("input", (event) => on.training(training.valueAsNumber, event.timeStamp));
    this.listen = new AbortController();
    this.#keys(root, on);
  }

  /** Space plays and pauses while the pointer is over the stage or the focus inside it. */
  #keys(root, on) {
    const typing = "button, select, textarea, input:not([type=range]), [contenteditable]";
    const key = (event) => {
      if (event.key !== " " || event.target.closest?.(typing)) return;
      if (!root.contains(event.target) && !(event.target === document.body && root.matches(":hover"))) return;
      event.preventDefault();
      on.play();
    };
    document.addEventListener("keydown", key, { signal: this.listen.signal });
  }

  get steps() {
    return this.parts.steps.valueAsNumber;
  }

  get solver() {
    return this.parts.solver.value;
  }

  setSampling({ solver, steps }) {
    this.parts.solver.value = solver in SOLVERS ? solver : "heun";
    this.#slide("steps", steps);
    this.showSampling();
  }

  showSampling() {
    const { steps } = this;
    this.#slide("steps", steps);
    const nfe = steps * TABLEAUX[this.solver].b.length;
    this.#say("steps-value", `${steps} ${steps === 1 ? "step" : "steps"} · ${count(nfe)} NFE`);
  }

  showScene(scene, n) {
    const { source_label: source, target_label: target } = scene;
    this.#say("source", source);
    this.#say("target", target);
    this.parts.canvas.setAttribute("aria-label", `${count(n)} particles from ${source} to ${target}`);
    for (const part of ["distance", "nfe", "ms"]) this.#say(part, "–");
    this.#say("pace", "");
    this.parts.progress.value = 0;
  }

  /** Whether there is anything that can move; if not, the hint says why. */
  showReady(ready, hint = "") {
    for (const part of ["play", "restart", "time"]) this.parts[part].disabled = !ready;
    this.#say("hint", hint);
  }

  showClock({ t, playing, held, loop }) {
    const { play, loop: again } = this.parts;
    this.#slide("time", t);
    this.#say("time-value", t.toFixed(2));
    const face = playing || held ? "pause" : "play";
    if (play.dataset.face !== face) {
      play.dataset.face = face;
      play.innerHTML = icon(face);
      play.setAttribute("aria-label", face === "pause" ? "Pause" : "Play");
    }
    again.setAttribute("aria-pressed", String(loop));
  }

  showHistory(kept, index) {
    const { training } = this.parts;
    const last = kept.length - 1;
    training.disabled = last < 1;
    training.max = Math.max(0, last);
    this.#slide("training", index);
    const { step, steps } = kept[index] ?? {};
    const said = kept.length ? `step ${count(step)} of ${count(steps)}` : "none yet";
    this.#say("training-value", said);
    training.setAttribute("aria-valuetext", said);
    training.closest("label").classList.toggle("pg-past", index < last);
  }

  showPace({ step, steps, seconds: spent, rate, left, done }) {
    this.parts.progress.value = steps ? step / steps : 0;
    this.parts.progress.classList.toggle("pg-done", Boolean(done));
    const pace = done ? `${count(step)} steps in ${seconds(spent)}` : `${count(rate)} steps/s`;
    this.#say("pace", done || left === null ? pace : `${pace} · ${seconds(left)} left`);
  }

  showPicture({ nfe, ms }) {
    this.#say("nfe", count(nfe));
    this.parts.distance.classList.add("pg-stale");
    this.#say("ms", `${ms < 9.95 ? ms.toFixed(1) : count(ms)} ms`);
  }

  showDistance(value, floor) {
    const ratio = floor > 0 ? `<small>${(value / floor).toFixed(1)}× floor</small>` : "";
    this.parts.distance.classList.remove("pg-stale");
    this.parts.distance.innerHTML = `${value.toFixed(3)} ${ratio}`;
  }

  /** A line below the controls; a problem is announced at once, a notice when there is time. */
  showMessage(text, problem = false) {
    const { message } = this.parts;
    message.setAttribute("role", problem ? "alert" : "status");
    message.classList.toggle("pg-problem", problem);
    message.textContent = text ?? "";
  }

  /** The loss over the steps, log scale: raw values faint, their running mean strong; `marked` is the step looked at. */
  showLoss(points, steps, theme, marked = null) {
    const canvas = this.parts.loss;
    const { clientWidth: width, clientHeight: height } = canvas.parentElement;
    const dpr = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * dpr);
    canvas.height = Math.round(height * dpr);
    const ctx = canvas.getContext("2d");
    ctx.scale(dpr, dpr);
    ctx.font = `11px ${theme.font}`;
    ctx.fillStyle = theme["ink-faint"];
    const [left, right, top, bottom] = [34, width - 4, 6, height - 18];
    const values = points.filter(([, loss]) => loss > 0);
    const logs = values.map(([, loss]) => Math.log10(loss)).sort((a, b) => a - b);
    const low = (logs[0] ?? -1) - 0.03;
    const high = Math.max(low + 0.2, (logs.at(-1) ?? 0) + 0.03);
    const X = (step) => left + ((right - left) * step) / Math.max(1, steps);
    const Y = (loss) => bottom - ((bottom - top) * (Math.log10(loss) - low)) / (high - low);
    ctx.strokeStyle = theme.line;
    ctx.textAlign = "right";
    ctx.textBaseline = "middle";
    for (const loss of values.length ? logTicks(low, high) : []) {
      ctx.strokeRect(left, Math.round(Y(loss)) + 0.5, right - left, 0);
      ctx.fillText(String(loss), left - 6, Y(loss));
    }
    ctx.strokeRect(left, Math.round(bottom) + 0.5, right - left, 0);
    ctx.textBaseline = "top";
    for (const step of steps ? ticks(0, steps, 3) : []) {
      ctx.textAlign = X(step) > right - 12 ? "right" : step === 0 ? "left" : "center";
      ctx.fillText(count(step), X(step), bottom + 5);
    }
    const curve = (series, colour, alpha, lineWidth) => {
      Object.assign(ctx, { strokeStyle: colour, globalAlpha: alpha, lineWidth, lineJoin: "round" });
      ctx.beginPath();
      for (const [step, loss] of series) ctx.lineTo(X(step), Y(loss));
      ctx.stroke();
    };
    curve(values, theme.accent, 0.3, 1);
    curve(smoothed(values), theme.accent, 1, 1.8);
    ctx.globalAlpha = 1;
    ctx.fillStyle = theme.moving;
    if (marked !== null) ctx.fillRect(X(marked) - 1, top, 2, bottom - top);
  }

  destroy() {
    this.listen.abort();
  }

  #slide(part, value) {
    const input = this.parts[part];
    if (input.valueAsNumber !== value) input.value = value;
    const share = (input.value - input.min) / (input.max - input.min || 1);
    input.style.setProperty("--fill", share.toFixed(4));
  }

  #say(part, text) {
    const node = this.parts[part];
    if (node.textContent !== text) node.textContent = text;
  }
}

/** Two to four round numbers between 10^low and 10^high: powers of ten, else 1, 2, 5·10^k, else evenly spaced ones. */
function logTicks(low, high) {
  const decades = Array.from({ length: Math.ceil(high - low) + 2 }, (_, k) => Math.floor(low) + k);
  const within = (digits) => decades.flatMap((k) => digits.map((m) => Number(`${m}e${k}`)))
    .filter((value) => Math.log10(value) >= low && Math.log10(value) <= high);
  const choices = [within([1]), within([1, 2, 5]), ticks(10 ** low, 10 ** high, 3)];
  return choices.find(({ length }) => length >= 2 && length <= 4) ?? choices[0];
}

/** Running mean over about a twentieth of the points so far. */
function smoothed(points) {
  let mean = 0;
  return points.map(([step, loss], k) => {
    mean += (loss - mean) / Math.min(k + 1, Math.max(8, points.length / 20));
    return [step, mean];
  });
}
