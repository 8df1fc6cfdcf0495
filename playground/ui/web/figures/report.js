/** What the server measures of a finished run, as a table: exact transport, floors, paths, modes. */

import { percent, rounded, times } from "../common/numbers.js";
import { fetchJSON, pageKey } from "../api/client.js";

const DISTANCES = {
  sliced_w2: "Sliced W<sub>2</sub>",
  w2: "W<sub>2</sub>, exact",
  energy_distance: "Energy distance",
  sample_kl: "Sharpness, KL",
  stray: "Astray",
  missed: "Missed",
};

export class Report {
  /** `changed` is called when there is another measurement, or none. */
  constructor(node, changed) {
    Object.assign(this, { node, changed, run: null, answer: null });
    this.say("Nothing to measure yet.");
  }

  /** Another run, or other weights: what was measured is of the past. `possible`: whether it can be measured now. */
  forget(scene, possible) {
    const run = scene?.network ? scene.run : null;
    const same = this.run === run && this.possible === possible && !this.answer;
    Object.assign(this, { run, origin: scene?.origin ?? { run, round: 0 }, possible, answer: null, asked: null });
    if (same) return;
    this.say(possible ? "" : run ? "This run is still training." : "Nothing learnt yet. Train, then measure.");
    if (possible) this.offer();
    this.changed();
  }

  say(text, problem = false) {
    const line = document.createElement("p");
    line.textContent = text;
    line.className = problem ? "pg-empty pg-problem" : "pg-empty";
    line.setAttribute("role", problem ? "alert" : "status");
    this.node.replaceChildren(line);
  }

  offer() {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "pg-ask", textContent: "Measure on the server" });
    button.addEventListener("click", () => this.measure());
    this.node.firstChild.append(
      button,
      "Exact transport distance, straightness and modes of the newest weights, on 1,000 fresh points.",
    );
  }

  /** Asks the server; one question at a time. */
  async measure() {
    if (this.asked || !this.possible) return;
    const asked = (this.asked = {});
    this.say("The server is measuring…");
    try {
      const answer = await fetchJSON("/playground/measure", JSON.stringify({ page: await pageKey(), ...this.origin }));
      if (this.asked !== asked) return;
      this.answer = answer;
      this.#show(answer);
      this.changed();
    } catch (error) {
      if (this.asked !== asked) return;
      this.say(`It could not be measured: ${error.message} `, true);
      this.offer();
      this.changed();
    }
    this.asked = null;
  }

  #show({ by_nfe: rows, floor, points, ...figures }) {
    const names = Object.keys(DISTANCES);
    const beside = (value, unit) => (unit ? ` <small>${times(value, unit, "floor")}</small>` : "");
    const cell = (value, unit) => `<td>${rounded(value ?? NaN)}${beside(value, unit)}</td>`;
    const line = (head, cells) => `<tr><th scope="row">${head}</th>${cells.join("")}</tr>`;
    const body = Object.entries(rows).map(([nfe, row]) =>
      line(
        nfe,
        names.map((name) => cell(row[name], floor[name])),
      ),
    );
    const facts = {
      "Straightness S": number(figures.straightness),
      NPE: number(figures.npe),
      "Transport cost":
        figures.transport_cost === null
          ? null
          : [rounded(figures.transport_cost), times(figures.transport_cost, figures.optimal_cost, "optimal")]
              .filter(Boolean)
              .join(", "),
      "Modes ≥ 1 %": figures.modes_total && `${figures.modes_covered_strict} of ${figures.modes_total}`,
      "High quality":
        figures.high_quality === null
          ? null
          : `${percent(figures.high_quality)}, on ${figures.modes_covered} of ${figures.modes_total} modes`,
      "KL(target ‖ model)": Number.isFinite(figures.kl) && `${rounded(figures.kl)} ± ${rounded(figures.kl_error)} nats`,
      "Width of the modes": Number.isFinite(figures.spread) && `${rounded(figures.spread)}× the true one`,
      "−log p of the target": figures.nll === null ? null : `${rounded(figures.nll)} nats`,
      "Loss, training · held-out":
        figures.held_out_loss && `${rounded(figures.training_loss)} · ${rounded(figures.held_out_loss)}`,
      "To nearest training point":
        figures.nearest && `${rounded(figures.nearest)}, ${times(figures.nearest, figures.nearest_floor, "held-out")}`,
      "Target's entropy": figures.entropy === null ? null : `${rounded(figures.entropy)} nats`,
    };
    const known = Object.entries(facts).filter(([, text]) => text);
    const list = known.map(([name, text]) => `<div><dt>${name}</dt><dd>${text}</dd></div>`);
    for (const { name, value, unit, note } of figures.facts ?? []) {
      list.push(
        `<div><dt>${name}</dt><dd>${rounded(value)} ${unit}${note ? `<small> ${note}</small>` : ""}</dd></div>`,
      );
    }
    this.node.innerHTML = `
      <div class="pg-report">
        <table>
          <caption>Newest weights, ${body.length > 1 ? "Euler, " : ""}${points.toLocaleString("en")} points (the cards: 2,000)</caption>
          <thead><tr><th scope="col">NFE</th>${names.map((name) => `<th scope="col">${DISTANCES[name]}</th>`).join("")}</tr></thead>
          <tbody>${body.join("")}</tbody>
          <tfoot>${line(
            "floor",
            names.map((name) => cell(floor[name])),
          )}</tfoot>
        </table>
        <dl>${list.join("")}</dl>
      </div>`;
  }
}

const number = (value) => (value === null ? null : rounded(value));
