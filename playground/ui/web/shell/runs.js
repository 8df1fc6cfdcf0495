/**
 * The last runs of this tab: a strip of small pictures, each of which brings its run back, and a line that says what was
 * kept when another took its place.
 *
 *     const runs = new Runs(part, { open });     // open(run) is asked to show one again
 *     runs.begin(tracks, place)                  // these are on the stage from now on
 *     runs.add(snapshot)                         // one of a run that is not on the stage any more
 *
 * A run is {run: its name, place, own, tracks: its rounds with all snapshots (scene/track.js)}. place says whether the
 * server can train it on: "here", or "preset" for what is shown alone; own, whether it was ever trained here.
 */

import { h } from "../common/dom.js";

/** So many runs are kept, and so many characters of weights in all; the oldest go, but not the one that is shown. */
const MOST = 8;
const MOST_CHARACTERS = 160e6;
/** Points of a thumbnail, and its size in pixels of the page. */
const [POINTS, SIDE] = [500, 34];
/** While training streams a thumbnail is drawn at most so often (ms). */
const DRAW_EVERY = 700;

export class Runs {
  constructor(part, { open }) {
    Object.assign(this, { open, all: [], current: null, drawn: 0 });
    this.list = h("ul", { "aria-label": "Runs of this tab" });
    this.line = h("p", { role: "status" });
    this.root = h("div", { class: "pg-runs" }, this.list, this.line);
    this.root.hidden = this.line.hidden = true;
    part.append(this.root);
    const redraw = () => this.all.forEach((run) => draw(run));
    this.colours = new MutationObserver(redraw);
    for (const node of [document.documentElement, document.body])
      this.colours.observe(node, { attributes: true, attributeFilter: ["class"] });
  }

  find(name) {
    return this.all.find(({ run }) => run === name);
  }

  /** What is on the stage from now on, a run or only a scene; returns the run that it took the place of, if that is kept. */
  begin(tracks, place) {
    const { scene } = tracks[0];
    const before = this.current;
    if (before && !hasLearnt(before)) this.#drop(before);
    this.current = null;
    if (scene.network) {
      this.current = this.find(scene.run);
      if (!this.current) this.all.push((this.current = this.#furnished(scene.run)));
      Object.assign(this.current, { tracks, place, own: this.current.own || place === "here" });
    }
    this.say("");
    this.#bound();
    this.#show();
    return before !== this.current && this.all.includes(before) ? before : null;
  }

  /** A snapshot of a run that is not on the stage any more: true where it is one of these. */
  add(snapshot) {
    const run = this.find(snapshot.run);
    if (!run || run === this.current) return false;
    run.tracks[snapshot.round ?? 0]?.add({ ...snapshot, run: snapshot.run });
    this.#tell(run);
    return true;
  }

  /** The picture of the run on the stage: {trajectory, n, dim} in a view. */
  picture({ trajectory, n, dim, scene }) {
    const { current } = this;
    const now = performance.now();
    if (!current || (isTraining(current) && now - this.drawn < DRAW_EVERY)) return;
    this.drawn = now;
    current.points = thinned(trajectory.x.subarray(-n * dim), dim, scene.view);
    draw(current);
    this.#tell(current);
  }

  /** A line below the pictures, with a button to take back what it tells; nothing with an empty text. */
  say(text, undo = null) {
    const back = undo && h("button", { type: "button", onclick: () => (this.say(""), undo()) }, "Undo");
    this.line.replaceChildren(...[text, back].filter(Boolean));
    this.line.hidden = !text;
    this.#show();
  }

  #furnished(name) {
    const run = { run: name, own: false };
    run.canvas = h("canvas", { width: 2 * SIDE, height: 2 * SIDE, "aria-hidden": "true" });
    run.button = h("button", { type: "button", "data-run": name, onclick: () => this.open(run) }, run.canvas);
    run.element = h("li", {}, run.button);
    return run;
  }

  #drop(run) {
    this.all = this.all.filter((one) => one !== run);
    run.element.remove();
  }

  #bound() {
    const size = () => this.all.reduce((sum, { tracks }) => sum + charactersOf(tracks), 0);
    const oldest = () => this.all.find((run) => run !== this.current);
    while (this.all.length > MOST || (this.all.length > 1 && size() > MOST_CHARACTERS)) this.#drop(oldest());
  }

  /** There is something to choose from, or to say. */
  #show() {
    this.list.hidden = this.all.every((run) => run === this.current);
    this.root.hidden = this.list.hidden && this.line.hidden;
    this.list.replaceChildren(...this.all.map(({ element }) => element));
    for (const run of this.all) {
      if (run === this.current) run.button.setAttribute("aria-current", "true");
      else run.button.removeAttribute("aria-current");
      this.#tell(run);
    }
  }

  #tell(run) {
    const text = titleOf(run);
    if (run.button.title === text) return;
    run.button.title = text;
    run.button.setAttribute("aria-label", `Bring back ${text}`);
  }
}

const newestOf = ({ tracks }) => tracks.at(-1).history.kept.at(-1);
const isTraining = (run) => newestOf(run)?.done === false;
/** What has not is as soon made again, such as an exact field. */
const hasLearnt = (run) => {
  const newest = newestOf(run);
  return Boolean(newest) && (newest.step > 0 || run.tracks.length > 1);
};

/** A run in a few words: the model, between what, how far it was trained, the seed. */
function titleOf(run) {
  const { model, seed } = run.tracks[0].scene.summary;
  return `${model} · ${shortOf(run)} · seed ${seed}`;
}

/** In fewer words still. */
export function shortOf(run) {
  const { step = 0 } = newestOf(run) ?? {};
  return `${run.tracks[0].scene.summary.between}, step ${step.toLocaleString("en")}`;
}

function charactersOf(tracks) {
  const of = ({ weights = {} }) =>
    Object.values(weights).reduce((sum, { f16, length }) => sum + (f16?.length ?? length), 0);
  return tracks.reduce((sum, { history: { kept } }) => sum + kept.length * (kept.length ? of(kept.at(-1)) : 0), 0);
}

/** Some of the points (n·dim), from 0 to 1 within the view; of a line they are stacked by how many lie beside. */
function thinned(points, dim, { center, half }) {
  const every = Math.max(1, Math.floor(points.length / dim / POINTS));
  const found = [];
  const heights = new Map();
  for (let i = 0; i + dim <= points.length; i += every * dim) {
    const x = 0.5 + (points[i] - center[0]) / (2 * half);
    const column = Math.round(x * SIDE);
    heights.set(column, (heights.get(column) ?? 0) + 1);
    found.push([x, dim > 1 ? 0.5 - (points[i + 1] - center[1]) / (2 * half) : 1 - heights.get(column) / SIDE]);
  }
  return found;
}

function draw({ canvas, points = [] }) {
  const ctx = canvas.getContext("2d");
  ctx.clearRect(0, 0, canvas.width, canvas.height);
  ctx.fillStyle = getComputedStyle(canvas).getPropertyValue("--pg-accent");
  for (const [x, y] of points) ctx.fillRect(x * canvas.width - 0.8, y * canvas.height - 0.8, 1.7, 1.7);
}
