// One stop of the Tab key for a row of buttons: the arrows go from one to the next (WAI-ARIA's roving tabindex).

/** Buttons of `row` that match `selector` share one stop; those that are hidden or disabled are passed over. */
export function roving(row, selector = "button") {
  const all = () => [...row.querySelectorAll(selector)];
  const free = () => all().filter((one) => !one.disabled && one.offsetParent);
  const choose = (chosen) => {
    for (const one of all()) one.tabIndex = one === chosen ? 0 : -1;
  };
  /** Whoever has the stop may have gone: then the first that is there gets it. */
  const settle = () => {
    const current = all().find((one) => one.tabIndex === 0 && !one.disabled && !one.hidden);
    choose(current ?? all().find((one) => !one.disabled && !one.hidden));
  };
  row.addEventListener("focusin", ({ target }) => all().includes(target) && choose(target));
  row.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    const end = { Home: 0, End: -1 }[event.key];
    if ((step === undefined && end === undefined) || !all().includes(event.target)) return;
    const buttons = free();
    const next = end ?? (buttons.indexOf(event.target) + step + buttons.length) % buttons.length;
    event.preventDefault();
    buttons.at(next)?.focus();
  });
  settle();
  return { settle };
}
