/**
 * Painting the stage: the painters of its layers on a stack of canvases.
 *
 * A painter is `{ plane, dims?, paint(ctx, view, state) }` and draws in CSS pixels. Its plane says when it is redone:
 *     ground     when scene, view or colours change
 *     paths      when the trajectory changes as well, on a copy of the ground
 *     travelled  never cleared while t only grows: a painter adds what lies between state.since and state.t
 *     live       at every frame
 *     dots       at every frame; belongs to the particles alone, who write its pixels themselves
 *     over       at every frame, above the particles
 *
 * Painters leave no trace in the pens of `ctx`. `view` maps data to the canvas, see view.js. `state` is what the Stage knows: scene, dim, n, x0, target, tint (the
 * colour of each path), tintNow (of each particle), traced (how many of the first particles leave a trail), request
 * and picture (what was asked of the sampler, and a number that is new with each trajectory), trajectory, t, shown
 * (the n·dim positions at t), found (what layers asked for), probes, hovered, on (names of layers), training, theme.
 */

import { present } from "../scene/capabilities.js";
import { View } from "./view.js";

const PLANES = ["ground", "paths", "travelled", "live", "dots", "over"];
export const MOVING = ["live", "dots", "over"];

export class Drawing {
  /** Stacks its canvases inside `host`, which gives them their size. The ground is copied below the paths. */
  constructor(host, layers) {
    this.host = host;
    this.painters = layers.flatMap((layer) => layer.painters.map((painter) => ({ layer, ...painter })));
    this.stale = new Set(PLANES);
    this.until = 0;
    this.planes = Object.fromEntries(
      PLANES.map((name) => {
        const canvas = document.createElement("canvas");
        canvas.dataset.plane = name;
        canvas.setAttribute("aria-hidden", "true");
        if (name !== "ground") host.append(canvas);
        return [name, canvas.getContext("2d")];
      }),
    );
  }

  /** Marks planes to be redone at the next paint; all of them without a name. */
  invalidate(...names) {
    for (const name of names.length ? names : PLANES) this.stale.add(name);
  }

  /** Where the data of a state lie on the canvas; null while there is nothing to see. */
  view({ scene, zoom, unrolled }) {
    const { clientWidth: width, clientHeight: height } = this.host;
    if (!scene || !width || !height) return null;
    return new View(scene, width, height, { zoom, unrolled, dpr: Math.min(3, window.devicePixelRatio || 1) });
  }

  /** Paints what is stale; returns how many planes that were. */
  paint(state) {
    const { view } = state;
    if (!view) return 0;
    const { width, height, dpr } = view;
    this.#fit(Math.round(width * dpr), Math.round(height * dpr));
    const moved = state.t !== this.until;
    const names = PLANES.filter((name) => this.stale.has(name) || (name === "travelled" && moved));
    for (const name of names) {
      const ctx = this.planes[name];
      const painters = this.painters.filter(({ layer, plane, dims = [view.dim] }) => {
        if (layer.onward && state.back) return false;
        return (
          plane === name &&
          dims.includes(view.dim) &&
          (layer.always || state.on.has(layer.name)) &&
          present(layer, state)
        );
      });
      const adds = name === "travelled" && !this.stale.has(name) && state.t > this.until;
      ctx.canvas.hidden = painters.length === 0;
      ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
      if (!adds) ctx.clearRect(0, 0, width, height);
      if (name === "paths") {
        ctx.canvas.hidden = false;
        ctx.drawImage(this.planes.ground.canvas, 0, 0, width, height);
      }
      for (const { paint } of painters) {
        ctx.save(); // so that no layer leaves its pens to the next
        paint(ctx, view, { ...state, since: adds ? this.until : 0 });
        ctx.restore();
      }
    }
    this.until = state.t;
    this.stale.clear();
    return names.length;
  }

  #fit(width, height) {
    for (const { canvas } of Object.values(this.planes)) {
      if (canvas.width === width && canvas.height === height) continue;
      Object.assign(canvas, { width, height });
      this.invalidate();
    }
  }
}
