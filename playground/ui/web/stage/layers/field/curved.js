/**
 * Why is it curved? The conditional paths that lead through one point at one time, and their mean velocity, which is the
 * velocity of the flow there: as time goes on other paths come by, and so their mean turns. The point is that of the last
 * probe, or else under the pointer; the time is the clock's, but for a pointer on space × time, which has its own.
 *
 * The mean is drawn to scale: from where the whole time at this velocity would have begun to where one step to the end
 * would land, which for straight paths is from the mean of their sources to the mean of their targets.
 */

import { Conditional } from "../../../scene/conditional.js";
import { rounded } from "../../../common/numbers.js";
import { pathOf } from "../../../scene/path.js";
import { arrow } from "../arrows.js";

/** Corners of a path that is not straight. */
const CORNERS = 24;

function asking() {
  let of = {};
  /** What leads through the point that is pointed at: {place, found}, worked out once for each; null without one. */
  return (state) => {
    const {
      scene,
      found: { pairs },
      x0,
      target,
      dim,
    } = state;
    const place = placeOf(state);
    if (!place || !pairs?.partners) return null;
    if (of.scene !== scene) {
      const independent = pairs.couplings.find(({ chosen }) => chosen)?.kind === "independent";
      const partners = independent ? null : pairs.partners;
      of = {
        scene,
        conditional: new Conditional({
          path: pathOf(scene),
          x0,
          target,
          dim,
          half: scene.view.half,
          partners,
          source: scene.experiment?.source,
        }),
      };
    }
    const same = of.place?.point === place.point && of.place.t === place.t;
    if (!same) Object.assign(of, { place, found: of.conditional.through(place.point, place.t) });
    return of;
  };
}

/** In 1-D what the pointer is at, or else the last probe; in 2-D the last probe, or else what the pointer is at. */
function placeOf({ dim, probes, pointer, t }) {
  if (dim === 1 && pointer) return pointer;
  const kept = probes.at(-1) ?? pointer;
  return kept && { point: kept.point, t };
}

/** Where the straight line through a point at time t with this velocity is at other times. */
export function meanLine(point, t, velocity, times) {
  return times.map((time) => point.map((x, j) => x + (time - t) * velocity[j]));
}

function painter(found) {
  return (ctx, view, state) => {
    const answer = found(state);
    if (!answer?.found) return;
    const { dim, theme } = state;
    const {
      place,
      conditional,
      found: { paths, mean },
    } = answer;
    const pixel = (point, time) => [
      view.X(dim === 1 ? 0 : point[0], time),
      view.Y(dim === 1 ? 0 : point[0], point[dim - 1]),
    ];
    const corners =
      conditional.path.kind === "linear" ? [0, 1] : Array.from({ length: CORNERS + 1 }, (_, k) => k / CORNERS);
    ctx.lineWidth = 1.2;
    ctx.lineCap = ctx.lineJoin = "round";
    ctx.strokeStyle = theme.accent;
    for (const one of paths) {
      ctx.globalAlpha = Math.min(0.9, 0.3 + 0.12 * one.times);
      ctx.beginPath();
      for (const time of corners) ctx.lineTo(...pixel(conditional.along(one, time), time));
      ctx.stroke();
    }
    ctx.globalAlpha = 0.9;
    for (const [time, fill] of [
      [0, theme.source],
      [1, theme["target-ink"]],
    ]) {
      ctx.fillStyle = fill;
      for (const one of paths) {
        ctx.beginPath();
        ctx.arc(...pixel(conditional.along(one, time), time), 2.3, 0, 7);
        ctx.fill();
      }
    }
    const [X, Y] = pixel(place.point, place.t);
    const { t_min: first = 0, t_max: last = 1 } = conditional.path;
    const ends = meanLine(place.point, place.t, mean, [first, last]);
    const [from, to] = [pixel(ends[0], first), pixel(ends[1], last)];
    ctx.globalAlpha = 1;
    for (const [wider, colour] of [
      [3, theme.paper],
      [0, theme.ink],
    ]) {
      ctx.strokeStyle = colour;
      ctx.lineWidth = 1.4 + wider;
      ctx.beginPath();
      ctx.moveTo(...from);
      ctx.lineTo(X, Y);
      ctx.stroke();
      ctx.lineWidth = 3 + wider;
      ctx.beginPath();
      arrow(ctx, X, Y, to[0] - X, to[1] - Y);
      ctx.stroke();
    }
    ctx.beginPath();
    ctx.arc(X, Y, 4, 0, 7);
    Object.assign(ctx, { fillStyle: theme.paper, strokeStyle: theme.ink, lineWidth: 2 });
    ctx.fill();
    ctx.stroke();
  };
}

const numbers = (values) => {
  const text = values.map((v) => (Math.abs(v) < 5e-3 ? "0" : rounded(v).replace("-", "−"))).join(", ");
  return values.length > 1 ? `(${text})` : text;
};

export const curved = () => {
  const found = asking();
  return {
    name: "curved",
    label: "Why is it curved?",
    key: "w",
    about:
      "The straight or curved paths of single pairs that lead through one point at one time, as often as they are likely, " +
      "and the mean of their velocities: that is the velocity there, drawn to scale, with its tip where one step to the end " +
      "would land. Point at a place; a click keeps it, and Play shows how the mean turns.",
    legend: (state) => {
      const answer = found(state);
      const ask = "point at a place to see the paths through it; a click keeps it";
      if (!answer) return { mark: "curved", text: state.found.pairs?.partners ? ask : "the paths through a place …" };
      const where = `x = ${numbers(answer.place.point)} at t = ${answer.place.t.toFixed(2)}`;
      if (!answer.found) return { mark: "curved", text: `no pair of these points leads through ${where}` };
      const { mean, deviation, rough } = answer.found;
      return {
        mark: "curved",
        text: `paths through ${where}: mean velocity ${numbers(mean)}, single paths ± ${rounded(deviation)}${rough ? "; roughly, as few points lead there" : ""}`,
      };
    },
    icon: '<path d="M3 4.500 17 13M3 10.500l14-1M3 16 17 6" opacity=".75" stroke-width="1.100"/><circle cx="9.800" cy="9.200" r="2.400" fill="currentColor"/><path d="M3 13.500c4-1 5.500-3 7-4.500s4-1.500 7-1.200" />',
    needs: "pairs",
    timed: true,
    painters: [{ plane: "over", paint: painter(found) }],
  };
};
