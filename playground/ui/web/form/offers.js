// What the form does not offer, because the rest of the experiment does not allow it: asked of the server, which tries
// every alternative, a moment after the last change; never waited for.

import { h } from "../common/dom.js";
import { fetchJSON } from "../api/client.js";

const AFTER = 120; // ms without another change
const MOST = 3; // names that are told one by one
const TOLD = 2; // sentences

/**
 * Keeps `form` from offering what is refused, and tells what the experiment would cost. Returns a function to call
 * after each change.
 */
export function keepOffers(form, tellCost = () => {}) {
  let timer;
  let turn = 0;
  let asked;
  const ask = async () => {
    const text = JSON.stringify(form.value);
    if (text === asked || !form.valid) return; // what is wrong by itself is marked, and hides what would not go together
    const mine = ++turn;
    const answer = await fetchJSON("/playground/alternatives", text).catch(() => null);
    if (mine !== turn || !answer) return;
    asked = text;
    form.offer(answer.refused);
    tellCost(answer.cost);
  };
  return () => {
    clearTimeout(timer);
    timer = setTimeout(ask, AFTER);
  };
}

/**
 * What a control passes to `form.registerOffer`: it tells `refuse(index, sentence or undefined)` of each of the options
 * [{value, label}], and keeps a line below `element`, or at the end of a <details>, that says what is not offered.
 */
export function offering(form, options, element, refuse) {
  let line = null;
  return (refusals) => {
    options.forEach(({ value }, index) => refuse(index, refusals.get(value)));
    line?.remove();
    const mine = (line = notOffered(form, options, refusals));
    const place = () => {
      if (line !== mine || !mine) return;
      if (element.matches("details")) element.append(mine);
      else (element.closest(".pg-line") ?? element).after(mine);
    };
    if (element.parentElement) place();
    else queueMicrotask(place); // it is being built
  };
}

/** The line, with the reasons behind its "?". */
function notOffered(form, options, refusals) {
  const refused = options.filter(({ value }) => refusals.has(value));
  if (!refused.length) return null;
  const names = refused.map(({ label }) => label).join(", ");
  const reasons = new Map();
  for (const { value, label } of refused) {
    const sentence = refusals.get(value);
    reasons.set(sentence, [...(reasons.get(sentence) ?? []), label]);
  }
  const told = [...reasons].map(([sentence, labels]) => `${labels.join(", ")}: ${sentence}`);
  const more = told.length > TOLD ? [`… and ${told.length - TOLD} more, as each of them says.`] : [];
  const why = h("button", { type: "button", class: "pg-help", "aria-label": `Why not ${names}?` }, "?");
  form.tooltip.attach(why, [...told.slice(0, TOLD), ...more].join("\n"));
  const text = refused.length > MOST ? `${refused.length} are not offered now` : `Not offered now: ${names}`;
  return h("p", { class: "pg-not-offered" }, text, why);
}
