// Where the keyboard's focus goes when what has it goes away.

/**
 * Whether a button can be pressed now.
 * @param {HTMLButtonElement} button
 */
export const seen = (button) => !button.disabled && button.offsetParent !== null;

/**
 * Where a button that the keyboard has pressed goes, its focus goes on to the one that takes its place.
 * @param {HTMLElement} row
 */
export function keepFocus(row) {
  /** @type {HTMLButtonElement | null} */
  let held = null;
  document.addEventListener("focusin", ({ target }) => {
    const button = target instanceof HTMLButtonElement && row.contains(target) ? target : null;
    held = button?.matches(":focus-visible") ? button : null;
  });
  document.addEventListener("pointerdown", () => (held = null), true);
  const look = new ResizeObserver(() => {
    const { activeElement: active } = document;
    if (!held || seen(held) || (active !== document.body && active !== held)) return;
    [...row.querySelectorAll("button")].find(seen)?.focus();
  });
  for (const button of row.querySelectorAll("button")) look.observe(button);
}
