/* What several seeds came to: for each model the modes that it reached, with their range, instead of one anecdote. */

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

export class SeedTable {
  constructor(root, entrants) {
    Object.assign(this, { root, entrants });
    root.className = "pg-seeds";
  }

  begin() {
    this.root.innerHTML = `<h3>Five seeds</h3><progress max="1" value="0" aria-label="Progress of the seeds"></progress><div></div>`;
  }

  /** done: 0 to 1; rows: [{key, seed, strict, total, high_quality, kl}] of what is finished. */
  show({ done, rows }) {
    if (!this.root.firstChild) this.begin();
    const [, progress, place] = this.root.children;
    progress.value = done;
    progress.hidden = done >= 1;
    const text = JSON.stringify(rows);
    if (text === this.shown) return;
    this.shown = text;
    place.innerHTML = `<table>
      <thead><tr><th>Model</th><th>Modes, strict</th><th>range</th><th>each seed</th><th>High quality</th><th>KL of modes</th></tr></thead>
      <tbody>${this.entrants.map((entrant) => this.#row(entrant, rows)).join("")}</tbody></table>`;
  }

  #row({ key, title }, rows) {
    const own = rows.filter((row) => row.key === key && row.strict !== null);
    if (!own.length) return `<tr><th>${title}</th><td colspan="5">–</td></tr>`;
    const strict = own.map((row) => row.strict);
    const kls = own.map((row) => row.kl).filter((kl) => kl !== null);
    const { total } = own[0];
    const dots = own.map(({ strict: s }) => `<i style="--share:${s / total}" title="${s} of ${total}">${s}</i>`).join("");
    return `<tr><th>${title}</th><td><b>${mean(strict).toFixed(1)}</b> of ${total}</td>
      <td>${Math.min(...strict)}–${Math.max(...strict)}</td><td class="pg-seed-dots">${dots}</td>
      <td>${(100 * mean(own.map((row) => row.high_quality))).toFixed(1)} %</td>
      <td>${kls.length ? mean(kls).toFixed(3) : "–"}</td></tr>`;
  }
}
