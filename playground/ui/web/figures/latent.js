/**
 * A latent space beside the data: what an encoder makes of real points, what a decoder makes of the prior, each point
 * in one colour on both sides. A brush on either side shows what belongs to it on the other.
 */

import { decodeArray, decodeWeights } from "../common/codec.js";
import { Coder } from "../compute/networks/coder.js";
import { noise as normals } from "../scene/exact-field.js";
import { rounded } from "../common/numbers.js";

/** Real points that are encoded, of which so many get an ellipse; and latents of the prior that are decoded. */
const [REAL, ELLIPSES, PRIOR] = [600, 90, 600];
/** The latent pane reaches so far, in the prior's deviations. */
const REACH = 3.6;
const BRUSH = 26; // px
/** Nats below which a latent says nothing, as in playground/models/vae.py. */
const IDLE = 0.01;
/** For the importance-weighted bound: points, and latents for each. */
const [WEIGHED, DRAWS] = [200, 32];

const PAGE = `
  <figure><figcaption data-part="latent-title"></figcaption><canvas data-pane="latent" tabindex="0"></canvas></figure>
  <figure><figcaption>Data: real points, and <span class="pg-latent-made">decoded</span> ones</figcaption><canvas data-pane="data" tabindex="0"></canvas></figure>
  <dl data-part="figures"></dl>`;

export class LatentPane {
  constructor(node) {
    this.node = node;
    node.classList.add("pg-latent");
    node.innerHTML = PAGE;
    const pane = (name) => node.querySelector(`[data-pane="${name}"]`);
    this.panes = { latent: pane("latent"), data: pane("data") };
    this.title = node.querySelector('[data-part="latent-title"]');
    this.list = node.querySelector('[data-part="figures"]');
    this.brush = null;
    for (const [name, canvas] of Object.entries(this.panes)) {
      canvas.setAttribute("role", "img");
      const move = ({ offsetX: x, offsetY: y }) => this.#brushAt({ name, x, y });
      canvas.addEventListener("pointermove", move);
      canvas.addEventListener("pointerdown", move);
      canvas.addEventListener("pointerleave", () => this.#brushAt(null));
    }
    this.size = new ResizeObserver(() => this.#paint());
    this.size.observe(node);
  }

  close() {
    this.size.disconnect();
  }

  /** Shows a snapshot of a scene's run. weighed: whether there is time for the importance-weighted bound. */
  show(scene, snapshot, theme, weighed) {
    const text = `${scene.run} ${snapshot.id} ${weighed}`;
    this.theme = theme;
    if (this.shown !== text) {
      this.shown = text;
      this.#compute(scene, snapshot, weighed);
    }
    this.#paint();
  }

  #compute(scene, snapshot, weighed) {
    const { network, dim } = scene;
    const coder = new Coder(network, decodeWeights(snapshot.weights));
    const { k } = coder;
    const real = decodeArray(scene.target).data.slice(0, REAL * dim);
    const code = coder.encode(real);
    const rates = Array.from(coder.rates(code));
    const order = rates.map((_, i) => i).sort((a, b) => rates[b] - rates[a]);
    const axes = k > 2 ? order.slice(0, 2).sort((a, b) => a - b) : [0, k > 1 ? 1 : null];
    const [all, columns] = [decodeArray(scene.latent).data, network.map.latent];
    const prior = Float64Array.from({ length: PRIOR * k }, (_, i) => all[Math.floor(i / k) * columns + (i % k)]);
    const means = coder.decode(prior);
    const { spread } = coder.weights;
    const made = means.map((value, i) => value + spread[i % dim] * all[Math.floor(i / dim) * columns + k + (i % dim)]);
    const random = normals(REAL * k);
    const drawn = code.mean.map((m, i) => m + code.deviation[i] * random[i]);
    const bounds = coder.bounds(real.slice(0, WEIGHED * dim), cut(code, WEIGHED * k), weighed ? DRAWS : 4, seeded());
    Object.assign(this, { scene, dim, k, axes, real, code, prior, made, drawn, hues: hues(real, dim) });
    this.#tell(rates, bounds, weighed, drawn);
  }

  #tell(rates, { reconstruction, weighted }, weighed, drawn) {
    const { k, axes } = this;
    const rate = rates.reduce((sum, one) => sum + one, 0);
    const idle = rates.filter((one) => one < IDLE).length;
    const bound = reconstruction - rate;
    const stds = axes.filter((axis) => axis !== null).map((axis) => deviation(drawn, k, axis).toFixed(2));
    const figures = [
      ["Reconstruction, −E log p(x|z)", `${rounded(-reconstruction)} nats`],
      ["Rate, KL(q ‖ prior)", `${rounded(rate)} nats`, rates.map((one, i) => `z${i + 1} ${one.toFixed(2)}`).join(", ")],
      ["−ELBO", `${rounded(-bound)} nats`, "reconstruction + rate"],
      weighed && [
        "−log p(x) by importance weighting",
        `${rounded(-weighted)} nats`,
        `the ELBO misses ${rounded(Math.max(0, weighted - bound))}`,
      ],
      ["All posteriors together", `deviation ${stds.join(", ")}`, "the prior has 1"],
    ].filter(Boolean);
    const rows = figures.map(
      ([name, value, note]) => `<div><dt>${name}</dt><dd>${value}${note ? `<small>${note}</small>` : ""}</dd></div>`,
    );
    const which = k === 1 ? "the latent says" : `${idle} of ${k} latents say`;
    const collapse = idle
      ? `<p role="status"><strong>Posterior collapse:</strong> ${which} nothing of the data (less than ${IDLE} nats). Its ellipses lie on the prior. Try a smaller β, or a learnt deviation of the decoder.</p>`
      : "";
    this.list.innerHTML = `${collapse}${rows.join("")}`;
    const named =
      k > 2
        ? ` (z${axes[0] + 1} and z${axes[1] + 1}, which say most of ${k})`
        : k === 1
          ? " (one number; the height is arbitrary)"
          : "";
    this.title.innerHTML = `Latent${named}: posteriors of real points, <span class="pg-latent-prior">prior</span>`;
    this.panes.latent.setAttribute(
      "aria-label",
      `The latent space: rate ${rounded(rate)} nats, ${idle} of ${k} latents idle`,
    );
    this.panes.data.setAttribute("aria-label", "The data: real points and decoded ones");
  }

  // ---------------------------------------------------------------------------------------------- painting

  #brushAt(brush) {
    this.brush = brush;
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.#paint());
  }

  /** Pixels of point i: of latents by the axes that are shown, of data by its own. */
  #places(size) {
    const { axes, k, dim, scene } = this;
    const { center, half } = scene.view;
    const latent = (value) => (size * (value + REACH)) / (2 * REACH);
    const height = (i) => latent(2.6 * (((i * 0.6180339887) % 1) - 0.5));
    const data = (value, axis) => (size * (value - center[axis] + half)) / (2 * half);
    return {
      latent: (points) => (i) => [
        latent(points[i * k + axes[0]]),
        axes[1] === null ? height(i) : size - latent(points[i * k + axes[1]]),
      ],
      data: (points) => (i) => [data(points[i * dim], 0), dim > 1 ? size - data(points[i * dim + 1], 1) : height(i)],
      scale: size / (2 * REACH),
    };
  }

  #paint() {
    if (!this.scene || !this.node.clientWidth) return;
    const size = this.panes.latent.clientWidth;
    if (!size) return;
    const { theme, hues, code, k, axes } = this;
    const place = this.#places(size);
    const at = {
      code: place.latent(code.mean),
      prior: place.latent(this.prior),
      drawn: place.latent(this.drawn),
      real: place.data(this.real),
      made: place.data(this.made),
    };
    const [own, other] = this.brush?.name === "data" ? [at.real, at.made] : [at.code, at.prior];
    const within = (where) => (i) => Math.hypot(where(i)[0] - this.brush.x, where(i)[1] - this.brush.y) < BRUSH;
    const chosen = this.brush ? within(own) : () => true;
    const picked = this.brush ? within(other) : () => true;
    const colour = (i) => `hsl(${hues[i]} 75% 48%)`;

    const latent = context(this.panes.latent, size);
    latent.strokeStyle = theme["line-strong"];
    latent.setLineDash([4, 4]);
    for (const radius of [1, 2]) {
      latent.beginPath();
      if (axes[1] === null)
        for (const x of [size / 2 - radius * place.scale, size / 2 + radius * place.scale]) {
          latent.moveTo(x, 0);
          latent.lineTo(x, size);
        }
      else latent.arc(size / 2, size / 2, radius * place.scale, 0, 2 * Math.PI);
      latent.stroke();
    }
    latent.setLineDash([]);
    dots(
      latent,
      PRIOR,
      at.prior,
      () => "#3b82f6",
      (i) => (this.brush && picked(i) ? 0.9 : 0.28),
      1.3,
    );
    dots(latent, REAL, at.drawn, colour, (i) => (chosen(i) ? 0.55 : 0.07), 1.4);
    for (let i = 0; i < ELLIPSES; i++) {
      const [x, y] = at.code(i);
      const [wide, tall] = axes.map((axis) =>
        axis === null ? 4 : Math.max(0.7, place.scale * code.deviation[i * k + axis]),
      );
      latent.globalAlpha = chosen(i) ? 0.9 : 0.12;
      latent.strokeStyle = colour(i);
      latent.beginPath();
      latent.ellipse(x, y, wide, tall, 0, 0, 2 * Math.PI);
      latent.stroke();
    }
    const data = context(this.panes.data, size);
    dots(
      data,
      PRIOR,
      at.made,
      () => "#f17720",
      (i) => (picked(i) ? 0.75 : 0.07),
      1.6,
    );
    dots(data, REAL, at.real, colour, (i) => (chosen(i) ? 0.85 : 0.1), 1.9);
    if (!this.brush) return;
    const ctx = this.brush.name === "latent" ? latent : data;
    ctx.globalAlpha = 1;
    ctx.strokeStyle = theme.ink;
    ctx.beginPath();
    ctx.arc(this.brush.x, this.brush.y, BRUSH, 0, 2 * Math.PI);
    ctx.stroke();
  }
}

function context(canvas, size) {
  const dpr = Math.min(3, window.devicePixelRatio || 1);
  const side = Math.round(size * dpr);
  if (canvas.width !== side || canvas.height !== side) Object.assign(canvas, { width: side, height: side });
  const ctx = canvas.getContext("2d");
  ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
  ctx.globalAlpha = 1;
  ctx.clearRect(0, 0, size, size);
  return ctx;
}

function dots(ctx, n, place, colour, alpha, radius) {
  for (let i = 0; i < n; i++) {
    const [x, y] = place(i);
    ctx.globalAlpha = alpha(i);
    ctx.fillStyle = colour(i);
    ctx.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
  }
}

/** A hue for each point: by its angle about the middle, in 1-D by its place. */
function hues(points, dim) {
  const n = points.length / dim;
  const middle = [0, 1].map((axis) =>
    axis < dim ? points.reduce((sum, value, i) => sum + (i % dim === axis ? value : 0), 0) / n : 0,
  );
  const turn = (i) =>
    dim > 1
      ? Math.atan2(points[i * dim + 1] - middle[1], points[i * dim] - middle[0])
      : Math.atan(points[i] - middle[0]) * 2;
  return Float32Array.from({ length: n }, (_, i) => 180 + (180 * turn(i)) / Math.PI);
}

function deviation(points, k, axis) {
  const values = points.filter((_, i) => i % k === axis);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

const cut = ({ mean, deviation: std }, length) => ({ mean: mean.slice(0, length), deviation: std.slice(0, length) });

/** A source of normal numbers that begins anew each time. */
function seeded() {
  const kept = normals(WEIGHED * 8 * DRAWS);
  let at = 0;
  return () => kept[at++ % kept.length];
}
