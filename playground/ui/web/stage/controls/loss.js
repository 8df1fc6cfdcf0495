/** The strip of the training loss below the snapshot slider. */

import { binned, smoothed } from "../../scene/losses.js";
import { ticks } from "../view.js";

/** So many points a strip has, and so many of them are averaged for the strong line. */
const [DRAWN, AVERAGED] = [240, 13];

/** The loss over the steps, log scale: as it was faint, smoothed strong; `marked` is the step looked at. */
export function plotLoss(canvas, points, steps, theme, marked = null) {
  const { clientWidth: width, clientHeight: height } = canvas.parentElement;
  const dpr = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * dpr);
  canvas.height = Math.round(height * dpr);
  const ctx = canvas.getContext("2d");
  ctx.scale(dpr, dpr);
  ctx.font = `11px ${theme.font}`;
  ctx.fillStyle = theme["ink-faint"];
  const values = binned(points, DRAWN).filter(([, loss]) => loss > 0);
  const logs = values.map(([, loss]) => Math.log10(loss)).sort((a, b) => a - b);
  const low = (logs[0] ?? -1) - 0.03;
  const high = Math.max(low + 0.2, (logs.at(-1) ?? 0) + 0.03);
  const marks = values.length ? logTicks(low, high) : [];
  const widest = Math.max(26, ...marks.map((loss) => ctx.measureText(String(loss)).width));
  const [left, right, top, bottom] = [widest + 8, width - 4, 6, height - 18];
  const X = (step) => left + ((right - left) * step) / Math.max(1, steps);
  const Y = (loss) => bottom - ((bottom - top) * (Math.log10(loss) - low)) / (high - low);
  ctx.strokeStyle = theme.line;
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  for (const loss of marks) {
    ctx.strokeRect(left, Math.round(Y(loss)) + 0.5, right - left, 0);
    ctx.fillText(String(loss), left - 6, Y(loss));
  }
  ctx.strokeRect(left, Math.round(bottom) + 0.5, right - left, 0);
  ctx.textBaseline = "top";
  for (const step of steps ? ticks(0, steps, 3) : []) {
    ctx.textAlign = X(step) > right - 12 ? "right" : step === 0 ? "left" : "center";
    ctx.fillText(Math.round(step).toLocaleString("en"), X(step), bottom + 5);
  }
  const curve = (series, colour, alpha, lineWidth) => {
    Object.assign(ctx, { strokeStyle: colour, globalAlpha: alpha, lineWidth, lineJoin: "round" });
    ctx.beginPath();
    for (const [step, loss] of series) ctx.lineTo(X(step), Y(loss));
    ctx.stroke();
  };
  curve(values, theme.accent, 0.3, 1);
  curve(smoothed(values, AVERAGED), theme.accent, 1, 1.8);
  ctx.globalAlpha = 1;
  ctx.fillStyle = theme.moving;
  if (marked !== null) ctx.fillRect(X(marked) - 1, top, 2, bottom - top);
}

/** Two to four round numbers between 10^low and 10^high: powers of ten, else 1, 2, 5·10^k, else evenly spaced ones. */
function logTicks(low, high) {
  const decades = Array.from({ length: Math.ceil(high - low) + 2 }, (_, k) => Math.floor(low) + k);
  const within = (digits) =>
    decades
      .flatMap((k) => digits.map((m) => Number(`${m}e${k}`)))
      .filter((value) => Math.log10(value) >= low && Math.log10(value) <= high);
  const choices = [within([1]), within([1, 2, 5]), ticks(10 ** low, 10 ** high, 3)];
  return choices.find(({ length }) => length >= 2 && length <= 4) ?? choices[0];
}
