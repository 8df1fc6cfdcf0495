// One stop of the Tab key for a row of buttons: the arrows go from one to the next (WAI-ARIA's roving tabindex).

/** @type {Record<string, number | undefined>} */
const STEPS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };
/** @type {Record<string, number | undefined>} */
const ENDS = { Home: 0, End: -1 };

/**
 * Buttons of `row` that match `selector` share one stop; those that are hidden or disabled are passed over.
 * @param {HTMLElement} row
 * @param {string} selector
 * @returns {{settle: () => void}} settle: to be called when some have been hidden, shown, disabled or enabled
 */
export function roving(row, selector = "button") {
  const all = () => /** @type {HTMLButtonElement[]} */ ([...row.querySelectorAll(selector)]);
  const free = () => all().filter((one) => !one.disabled && one.offsetParent);
  /** @param {HTMLButtonElement | undefined} chosen */
  const choose = (chosen) => {
    for (const one of all()) one.tabIndex = one === chosen ? 0 : -1;
  };
  /** Whoever has the stop may have gone: then the first that is there gets it. */
  const settle = () => {
    const current = all().find((one) => one.tabIndex === 0 && !one.disabled && !one.hidden);
    choose(current ?? all().find((one) => !one.disabled && !one.hidden));
  };
  /** @type {(target: EventTarget | null) => HTMLButtonElement | undefined} */
  const one = (target) => all().find((button) => button === target);
  row.addEventListener("focusin", ({ target }) => one(target) && choose(one(target)));
  row.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    const end = ENDS[event.key];
    const from = one(event.target);
    if ((step === undefined && end === undefined) || !from) return;
    const buttons = free();
    const next = end ?? (buttons.indexOf(from) + (step ?? 0) + buttons.length) % buttons.length;
    event.preventDefault();
    buttons.at(next)?.focus();
  });
  settle();
  return { settle };
}
