/* What several seeds came to: for each model the modes that it reached, with their spread, instead of one anecdote. */

import { leftOf } from "../underway.js";

/** The strip of a model: width, height, and the room beside its ends (px). */
const [WIDE, HIGH, ASIDE] = [220, 30, 9];

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const range = (values, write) => [...new Set([Math.min(...values), Math.max(...values)].map(write))].join(" to ");
const percent = (share) => `${(100 * share).toFixed(1)} %`;

/** What a model's seeds say of it: strict counts of `total` modes. */
export function verdict(strict, total) {
  const whole = strict.filter((count) => count === total).length;
  const [least, most] = [Math.min(...strict), Math.max(...strict)];
  if (strict.length === 1) return whole ? `all ${total} in its first seed` : `${least} of ${total} in its first seed`;
  if (whole === strict.length) return `all ${total} modes in every seed`;
  if (whole) return `all ${total} in ${whole} of ${strict.length} seeds, ${least} at worst`;
  return `never all ${total}: ${least === most ? `always ${least}` : `${least} to ${most}`}`;
}

export class SeedTable {
  constructor(root, entrants) {
    Object.assign(this, { root, entrants });
    root.className = "pg-seeds";
  }

  /** about: what is trained and for how long, in words. */
  begin(about) {
    this.root.innerHTML = `
      <div class="pg-seeds-head"><h3>Five seeds</h3><p>${about}</p><button type="button" aria-label="Close the table of seeds" title="Close">×</button></div>
      <div class="pg-seeds-doing"><progress max="1" value="0" aria-label="Progress of the seeds"></progress><p role="status">Waiting for the server …</p></div>
      <div class="pg-seeds-table"></div>`;
    [this.doing, this.table] = [".pg-seeds-doing", ".pg-seeds-table"].map((one) => this.root.querySelector(one));
    this.root.querySelector("button").addEventListener("click", () => (this.root.innerHTML = ""));
    this.shown = null;
  }

  /** all: trainings; share: of them done; at: {key, seed} of the one under way; rows: {key, seed, strict, total, …} of each that is finished. */
  show({ all, share, seconds, at, ended, rows }) {
    if (!this.root.firstChild) this.begin("");
    const [progress, status] = this.doing.children;
    progress.value = share;
    progress.hidden = Boolean(ended);
    this.doing.hidden = ended === "done";
    status.textContent = ended
      ? `Stopped: ${rows.length} of ${all} trainings are finished and counted.`
      : this.#under(all, share, seconds, at, rows);
    const text = JSON.stringify(rows);
    if (text === this.shown) return;
    this.shown = text;
    this.table.innerHTML = `<table>
      <thead><tr><th>Model</th><th title="A dot for each seed, a line from the worst to the best">Modes that hold ≥ 1 %</th><th>mean</th><th>range</th><th>in words</th>
        <th title="Share of the samples within 3 standard deviations of a mode, whichever: mean and range, and on how many modes in the mean">High quality</th><th title="How many times as wide as they should be the modes are, those that are reached: mean and range">Width of modes</th><th title="Of the modes' shares from the true ones, in nats: mean and range">KL of modes</th></tr></thead>
      <tbody>${this.entrants.map((entrant) => this.#row(entrant, rows)).join("")}</tbody></table>`;
  }

  #under(all, share, seconds, at, rows) {
    const { title } = this.entrants.find(({ key }) => key === at?.key) ?? { title: "" };
    const left = leftOf(seconds, share);
    return `Seed ${(at?.seed ?? 0) + 1} of ${all / this.entrants.length}: ${title} · ${rows.length} of ${all} trainings done${left && ` · ${left}`}`;
  }

  #row({ key, title }, rows) {
    const own = rows.filter((row) => row.key === key && row.strict !== null);
    if (!own.length) return `<tr><th>${title}</th><td colspan="7" class="pg-seeds-none">none finished yet</td></tr>`;
    const strict = own.map((row) => row.strict);
    const kls = own.map((row) => row.kl).filter((kl) => kl !== null);
    const good = own.map((row) => row.high_quality);
    const covered = own.map((row) => row.covered);
    const widths = own.map((row) => row.spread).filter(Number.isFinite);
    const factor = (value) => `${value.toFixed(2)}×`;
    const { total } = own[0];
    const broken = own.filter(({ failure }) => failure).length;
    const note = broken ? `; ${broken} broke down` : "";
    const aside = (values, write) => (values.length > 1 ? ` <small>${range(values, write)}</small>` : "");
    return `<tr><th>${title}</th><td>${strip(strict, total)}</td><td><b>${mean(strict).toFixed(1)}</b> of ${total}</td>
      <td>${range(strict, String)}</td><td>${verdict(strict, total)}${note}</td>
      <td>${percent(mean(good))} on ${mean(covered).toFixed(1)} modes${aside(good, percent)}</td>
      <td>${widths.length ? `${factor(mean(widths))}${aside(widths, factor)}` : "–"}</td>
      <td>${kls.length ? `${mean(kls).toFixed(3)}${aside(kls, (kl) => kl.toFixed(3))}` : "–"}</td></tr>`;
  }
}

/** A dot for each seed along 0 to all modes, equal ones above each other, over a line from the worst to the best. */
function strip(strict, total) {
  const X = (count) => ASIDE + (count / total) * (WIDE - 2 * ASIDE);
  const ground = HIGH - 6;
  const seen = new Map();
  const dots = strict.map((count, seed) => {
    const level = seen.get(count) ?? 0;
    seen.set(count, level + 1);
    return `<circle cx="${X(count)}" cy="${ground - 1 - 5 * level}" r="3.4" class="${count === total ? "pg-whole" : ""}"><title>seed ${seed + 1}: ${count} of ${total}</title></circle>`;
  });
  const ticks = Array.from(
    { length: total + 1 },
    (_, k) => `<line x1="${X(k)}" x2="${X(k)}" y1="${ground + 2}" y2="${ground + (k % total ? 4 : 6)}"/>`,
  );
  return `<svg width="${WIDE}" height="${HIGH}" role="img" aria-label="${strict.join(", ")} of ${total}">
    <line x1="${X(0)}" x2="${X(total)}" y1="${ground + 2}" y2="${ground + 2}"/>${ticks.join("")}
    <line class="pg-spread" x1="${X(Math.min(...strict))}" x2="${X(Math.max(...strict))}" y1="${ground + 2}" y2="${ground + 2}"/>${dots.join("")}</svg>`;
}
