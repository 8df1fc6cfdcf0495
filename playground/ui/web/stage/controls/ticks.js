/** The solver's steps on the time slider: accepted ones end in a tick below the track, rejected ones in one above. */

/** More than these would be a grey band. */
const MOST = 130;

const mark = (t, from, to) => `<path d="M${(1000 * t).toFixed(1)} ${from}V${to}"/>`;

export class Ticks {
  constructor(part) {
    this.part = part;
  }

  /** Shows the states of a trajectory {t, rejected: [begin, end][]}; null empties it. */
  show(trajectory) {
    const times = trajectory && trajectory.t.length <= MOST ? Array.from(trajectory.t) : [];
    const vain = (trajectory?.rejected ?? []).slice(0, MOST);
    const said = `${times.length - 1} accepted steps${vain.length ? ` (below), ${vain.length} rejected (above, at the time that they aimed at)` : ""}`;
    this.part.innerHTML = times.length
      ? `<svg viewBox="0 0 1000 24" preserveAspectRatio="none" role="img" aria-label="${said}">
          <g class="pg-accepted">${times.map((t) => mark(t, 17, 22)).join("")}</g>
          <g class="pg-rejected">${vain.map(([, end]) => mark(end, 1, 7)).join("")}</g></svg>`
      : "";
  }
}
