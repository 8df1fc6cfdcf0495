/** What differs between two experiments, in the words of the form. */

import { equal, fieldsIn, kindOf, show } from "./values.js";

/** What says nothing of what is trained. */
const ASIDE = ["name", "about", "sampler"];

/**
 * The settings that matter for training and differ: [{label, before, after}]. What a kind makes no use of is left out, and
 * what matters for sampling alone. description: what describe() made; before, after: whole experiments.
 */
export function differences(description, before, after) {
  const kinds = description.fields.filter(({ type }) => type === "union");
  const idle = kinds.flatMap((field) => Object.keys(kindOf(field, after[field.name]?.kind)?.idle ?? {}));
  const same = before.model?.kind === after.model?.kind; // else one of the two may make use of it
  return description.fields
    .filter(({ name }) => !ASIDE.includes(name) && !(same && idle.includes(name)))
    .flatMap((field) => below(field, before[field.name], after[field.name]));
}

function below(field, before, after) {
  if (field.sampling || equal(before, after)) return [];
  const parts = field.type === "union" || field.type === "group";
  if (!parts || !before || !after || before.kind !== after.kind)
    return [{ label: field.title, before: words(field, before), after: words(field, after) }];
  return fieldsIn(field, after).flatMap((part) => below(part, before[part.name], after[part.name]));
}

function words(field, value) {
  if (value === null || value === undefined) return field.none ?? "none";
  if (field.type === "union") return kindOf(field, value.kind)?.label ?? value.kind;
  if (field.type === "group") return "set";
  if (field.type === "bool") return value ? "on" : "off";
  if (field.type === "choice") return field.options.find((option) => option.value === value)?.label ?? `${value}`;
  if (field.type === "drawing") return "drawn";
  return typeof value === "number" && Math.abs(value) >= 1000 ? value.toLocaleString("en") : show(field, value);
}

/** Differences as a sentence of at most so many. */
export function told(differing, most = 3) {
  const one = ({ label, before, after }) => `${label} ${after}, not ${before}`;
  const more = differing.length - most;
  return [...differing.slice(0, most).map(one), ...(more > 0 ? [`${more} more`] : [])].join("; ");
}
