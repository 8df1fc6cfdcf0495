/* The two small pictures below a panel: how much each mode has now, and which was alive when. */

import { alive } from "../../compute/metrics/modes.js";

function penOf(canvas) {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const dpr = Math.min(3, window.devicePixelRatio || 1);
  if (!width || !height) return null;
  Object.assign(canvas, { width: Math.round(width * dpr), height: Math.round(height * dpr) });
  const ctx = canvas.getContext("2d");
  ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
  const style = getComputedStyle(canvas);
  const colour = (name) => style.getPropertyValue(`--pg-${name}`).trim();
  ctx.font = `11px ${colour("font")}`;
  return { ctx, width, height, colour };
}

/** A bar for each mode's share of the samples, and a line where its true share is. */
export function drawBars(canvas, look, weights) {
  const pen = penOf(canvas);
  if (!pen) return;
  const { ctx, width, height, colour } = pen;
  const [left, bottom, top] = [36, height - 15, 6];
  const most = Math.max(1.6 * Math.max(...weights), ...(look?.shares ?? [0]));
  const wide = (width - left - 4) / weights.length;
  const Y = (share) => bottom - (share / most) * (bottom - top);
  ctx.fillStyle = colour("ink-faint");
  ctx.textBaseline = "middle";
  ctx.textAlign = "right";
  const tick = Math.max(...weights);
  const apart = Y(0) - Y(tick) > 12; // or one would be written over the other
  for (const share of apart ? [0, tick] : [tick]) ctx.fillText(`${(100 * share).toFixed(0)} %`, left - 5, Y(share));
  ctx.fillStyle = colour("line-strong");
  ctx.fillRect(left, bottom, width - left - 4, 1);
  look?.shares.forEach((share, k) => {
    const lives = alive([share])[0];
    ctx.fillStyle = lives ? colour("moving") : colour("error");
    const tall = Math.max(share > 0 ? 1 : 0, bottom - Y(share));
    ctx.fillRect(left + k * wide + 1, bottom - tall, Math.max(1, wide - 2), tall);
    if (!lives && wide >= 8) {
      ctx.textAlign = "center";
      ctx.fillText("×", left + (k + 0.5) * wide, bottom - 7);
    }
  });
  ctx.fillStyle = colour("target-ink") || colour("target");
  weights.forEach((weight, k) => ctx.fillRect(left + k * wide, Y(weight) - 1, wide, 2));
  ctx.fillStyle = colour("ink-faint");
  ctx.textBaseline = "top";
  ctx.textAlign = "left";
  ctx.fillText("mode 1", left, bottom + 3);
  ctx.textAlign = "right";
  ctx.fillText(String(weights.length), width - 4, bottom + 3);
}

/** A row for each mode along the training: filled while it is alive, fainter while it has less than its due. */
export function drawTimeline(canvas, looks, { weights, steps, now, alarm }) {
  const pen = penOf(canvas);
  if (!pen) return;
  const { ctx, width, height, colour } = pen;
  const [left, right, top, bottom] = [36, width - 4, 4, height - 16];
  const last = Math.max(steps, looks.at(-1)?.step ?? 0, 1);
  const X = (step) => left + (step / last) * (right - left);
  const tall = (bottom - top) / weights.length;
  ctx.fillStyle = colour("field");
  ctx.fillRect(left, top, right - left, bottom - top);
  ctx.fillStyle = colour("moving");
  looks.forEach(({ step, shares }, at) => {
    const to = looks[at + 1] ? X(looks[at + 1].step) : Math.min(right, X(step) + 3);
    alive(shares).forEach((lives, k) => {
      if (!lives) return;
      ctx.globalAlpha = 0.25 + 0.75 * Math.min(1, shares[k] / weights[k]);
      ctx.fillRect(X(step), top + k * tall, Math.max(1, to - X(step)), Math.max(1, tall - (tall > 4 ? 1 : 0.4)));
    });
  });
  ctx.globalAlpha = 1;
  ctx.fillStyle = colour("ink-faint");
  ctx.textBaseline = "middle";
  ctx.textAlign = "right";
  ctx.fillText("1", left - 5, top + Math.max(5, tall / 2));
  ctx.fillText(String(weights.length), left - 5, bottom - Math.max(5, tall / 2));
  ctx.textBaseline = "top";
  ctx.textAlign = "left";
  ctx.fillText("step 0", left, bottom + 4);
  ctx.textAlign = "right";
  ctx.fillText(last.toLocaleString("en"), right, bottom + 4);
  if (alarm) line(X(alarm.step), colour("error"), 2, [4, 3]);
  if (now !== null) line(X(now), colour("ink"), 1.5, []);

  function line(x, stroke, thick, dash) {
    ctx.strokeStyle = stroke;
    ctx.lineWidth = thick;
    ctx.setLineDash(dash);
    ctx.beginPath();
    ctx.moveTo(x, top - 2);
    ctx.lineTo(x, bottom + 2);
    ctx.stroke();
  }
}
