// Where the keyboard's focus goes when what has it goes away.

/** Whether a button can be pressed now. */
export const seen = (button) => Boolean(button) && !button.disabled && button.offsetParent !== null;

/** Where a button that the keyboard has pressed goes, its focus goes on to the one that takes its place. */
export function keepFocus(row) {
  let held = null;
  row.addEventListener("focusin", ({ target }) => (held = target.matches(":focus-visible") ? target : null));
  document.addEventListener("focusin", ({ target }) => !row.contains(target) && (held = null));
  document.addEventListener("pointerdown", () => (held = null), true);
  const look = new ResizeObserver(() => {
    if (!held || seen(held) || ![document.body, held].includes(document.activeElement)) return;
    [...row.querySelectorAll("button")].find(seen)?.focus({ focusVisible: true });
  });
  for (const button of row.querySelectorAll("button")) look.observe(button);
}
