/** What each coupling would make of the points that are shown, as a table. */

import { rounded } from "../../common/numbers.js";

const CAPTION =
  "In squared units of the data, on the points of the picture. Cost: the mean of |x₁ − x₀|². V: the variance of the " +
  "directions of straight paths that meet, 0 where none cross.";
const CLASSES =
  " Class shift: how far a class moves the mean of its own source points, squared; more than chance breaks training " +
  "that is told the class.";

export function couplingTable({ scene, couplings }) {
  if (!scene?.coupling) return "This model is not trained on pairs of a source point and a target point.";
  if (!couplings) return "Every coupling is being tried on these points …";
  if (typeof couplings === "string") return couplings;
  const classed = couplings.classes > 1;
  const heads = ["Coupling", "Cost", "V(X₀, X₁)", ...(classed ? ["Class shift"] : [])];
  const row = ({ label, chosen, together, cost, variance, class_shift: shift }) => `
    <tr${chosen ? ' aria-current="true"' : ""}>
      <th scope="row">${label} <small>${[chosen && "chosen", together && `${together} at a time`].filter(Boolean).join(", ")}</small></th>
      <td>${rounded(cost)}</td><td>${rounded(variance)}</td>${classed ? `<td>${rounded(shift)}</td>` : ""}
    </tr>`;
  return {
    caption: CAPTION + (classed ? CLASSES : ""),
    html: `
      <div class="pg-report pg-couplings"><table>
        <caption>Couplings of ${scene.source_label} and ${scene.target_label}, ${couplings.points.toLocaleString("en")} pairs</caption>
        <thead><tr>${heads.map((head) => `<th scope="col">${head}</th>`).join("")}</tr></thead>
        <tbody>${couplings.couplings.map(row).join("")}</tbody>
      </table></div>`,
  };
}
