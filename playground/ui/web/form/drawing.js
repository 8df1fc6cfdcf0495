// A pad to draw on, by mouse, pen or finger: strokes as lists of coordinates, x before y; one corner alone is a dot.

import { drawn, h } from "../common/dom.js";
import { frame } from "./frame.js";

const HALF = 3; // the pad shows so far from its middle; strokes that reach further, as from a file, widen it
const SIZE = 300; // units of its picture
const APART = 0.04; // a corner nearer than this to the one before is not kept
const OFF = 0.025; // a corner nearer than this to the line between its neighbours goes
const rounded = (value) => Math.round(100 * value) / 100;

export function drawingField(form, field, path) {
  const parts = frame(form, field, path, { bound: false });
  const ink = drawn(SIZE, "", { "stroke-width": 4 });
  const live = ink.firstChild.cloneNode();
  live.setAttribute("class", "pg-ink-live");
  ink.append(live);
  const hint = h("span", { class: "pg-pad-hint" }, "Draw here");
  const named = { role: "img", "aria-label": `${field.title}: draw with the mouse or a finger`, id: parts.id };
  const pad = h("div", { class: "pg-pad", ...named }, ink, hint);
  const say = (text) => (note.textContent = text);
  const note = h("span", { class: "pg-pad-note", role: "status" });
  const back = h(
    "button",
    { type: "button", class: "pg-pad-button", onclick: () => change(strokes.slice(0, -1)) },
    "Undo stroke",
  );
  const clear = h("button", { type: "button", class: "pg-pad-button", onclick: () => change([]) }, "Clear");
  const bar = h("div", { class: "pg-pad-bar" }, back, clear, note);
  let strokes = [];
  let half = HALF;
  let points = null; // of the stroke under way

  const change = (next) => {
    say("");
    form.change(path, next, true);
  };
  const place = ({ clientX, clientY }) => {
    const box = pad.getBoundingClientRect();
    const across = (2 * (clientX - box.left)) / box.width - 1;
    const up = 1 - (2 * (clientY - box.top)) / box.height;
    const within = (value) => rounded(half * Math.min(1, Math.max(-1, value)));
    return [within(across), within(up)];
  };
  const draw = () => {
    ink.firstChild.setAttribute("d", strokes.map((stroke) => picture(pairs(stroke), half)).join(""));
    live.setAttribute("d", points ? picture(points, half) : "");
    hint.hidden = strokes.length > 0 || points !== null;
    back.disabled = clear.disabled = strokes.length === 0;
  };
  const finish = () => {
    if (!points) return;
    const stroke = simplified(points, OFF).flat();
    points = null;
    const used = strokes.reduce((sum, each) => sum + each.length / 2, 0);
    const [room, most] = [field.most - used, field.max_length ?? Infinity];
    if (stroke.length / 2 > room || strokes.length >= most) {
      say("The drawing is full; clear it or take back a stroke.");
      draw();
    } else change([...strokes, stroke]);
  };
  pad.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || points) return;
    event.preventDefault();
    pad.setPointerCapture(event.pointerId);
    points = [place(event)];
    draw();
  });
  pad.addEventListener("pointermove", (event) => {
    if (!points || !pad.hasPointerCapture(event.pointerId)) return;
    for (const each of event.getCoalescedEvents?.() ?? [event]) {
      const [x, y] = place(each);
      const [before, above] = points.at(-1);
      if (Math.hypot(x - before, y - above) >= APART) points.push([x, y]);
    }
    draw();
  });
  pad.addEventListener("pointerup", finish);
  pad.addEventListener("pointercancel", finish);
  parts.finish(pad, pad, bar);
  return {
    element: parts.element,
    write(value) {
      strokes = Array.isArray(value) ? value : [];
      half = Math.max(HALF, 1.05 * strokes.flat().reduce((most, each) => Math.max(most, Math.abs(each)), 0));
      draw();
      parts.changed(value);
    },
  };
}

const pairs = (stroke) => Array.from({ length: stroke.length / 2 }, (_, k) => stroke.slice(2 * k, 2 * k + 2));

/** The path of a stroke in the pad's picture. */
function picture(corners, half) {
  const at = ([x, y]) => `${((SIZE * (x / half + 1)) / 2).toFixed(1)} ${((SIZE * (1 - y / half)) / 2).toFixed(1)}`;
  return corners.length === 1 ? `M${at(corners[0])}h0` : `M${corners.map(at).join("L")}`;
}

/** The corners that matter (Ramer 1972, Douglas and Peucker 1973): none is further than `off` from what is left. */
export function simplified(corners, off) {
  if (corners.length < 3) return corners;
  const [[ax, ay], [bx, by]] = [corners[0], corners.at(-1)];
  const length = Math.hypot(bx - ax, by - ay);
  const away = ([x, y]) =>
    length ? Math.abs((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / length : Math.hypot(x - ax, y - ay);
  let furthest = 0;
  corners.forEach((corner, k) => (furthest = away(corner) > away(corners[furthest]) ? k : furthest));
  if (away(corners[furthest]) <= off) return [corners[0], corners.at(-1)];
  return [...simplified(corners.slice(0, furthest + 1), off).slice(0, -1), ...simplified(corners.slice(furthest), off)];
}
