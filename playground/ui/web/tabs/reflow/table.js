/* The rounds in numbers, as a table below the charts: what each was trained on, what it makes, how far it has drifted. */

import { rounded, times } from "../../common/numbers.js";
import { SHARPNESS, about, verdict } from "../../scene/sharpness.js";

const COLUMNS = [
  [
    "pairs",
    "V of its pairs, before → after",
    "V(X₀, X₁), the conditional variance: of the pairs that the round was trained on, and of those that it makes. It is what a flow has to bend for",
  ],
  [
    "cost",
    "cost, before → after",
    "E|X₁ − X₀|² of the pairs that it was trained on, and of those that it makes: a reflow never pays more",
  ],
  ["one", "sliced W₂, 1 NFE", "With one Euler step"],
  ["fine", "sliced W₂, 100 NFE", "With 100 Euler steps"],
  ["sharp-one", "sharpness KL, 1 NFE", `With one Euler step. ${SHARPNESS}`],
  ["sharp-fine", "sharpness KL, 100 NFE", `With 100 Euler steps. ${SHARPNESS}`],
  [
    "shift",
    "drift of the mean",
    "How far the mean of its end points is from that of real points; every round adds its own error",
  ],
  [
    "spread",
    "spread kept",
    "The deviation of its end points over that of real points: below 1× the samples contract from round to round",
  ],
];

export class RoundTable {
  constructor(root) {
    this.root = root;
  }

  begin(names) {
    this.root.innerHTML = `
      <div class="pg-round-table"><table>
        <caption>The rounds in numbers</caption>
        <thead><tr><th scope="col">round</th>${COLUMNS.map(([, label, about]) => `<th scope="col" title="${about}">${label}</th>`).join("")}</tr></thead>
        <tbody>${names.map((name) => `<tr><th scope="row">${name}</th>${COLUMNS.map(([key, label]) => `<td data-cell="${key}" data-label="${label}">–</td>`).join("")}</tr>`).join("")}</tbody>
      </table></div>`;
    this.rows = [...this.root.querySelectorAll("tbody tr")];
  }

  /** floor: of the scene, what real points have against other real points. */
  show(index, { quality, cost, variance, drift }, figures, floor, before) {
    const say = (key, text) => (this.rows[index].querySelector(`[data-cell=${key}]`).textContent = text);
    const at = (nfe) => quality.find((one) => one.nfe === nfe);
    const beside = (one) =>
      Number.isFinite(one?.sliced_w2)
        ? `${rounded(one.sliced_w2)}, ${times(one.sliced_w2, floor.sliced_w2, "floor")}`
        : "–";
    const sharp = (key, found) => {
      say(key, found ? `${rounded(found.sample_kl)} nats, ${verdict(found, floor)}` : "–");
      this.rows[index].querySelector(`[data-cell=${key}]`).title = found ? about(found, floor).trim() : "";
    };
    if (Number.isFinite(variance)) say("pairs", `${rounded(before?.variance)} → ${rounded(variance)}`);
    if (Number.isFinite(cost)) say("cost", `${rounded(before?.cost)} → ${rounded(cost)}`);
    say("one", beside(at(1)));
    say("fine", beside(at(100)));
    sharp("sharp-one", at(1)?.sharpness);
    sharp("sharp-fine", at(100)?.sharpness);
    if (!drift) return;
    say("shift", rounded(drift.shift));
    say("spread", `${drift.spread.toFixed(3)}×`);
  }
}
