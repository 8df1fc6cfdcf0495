/** What is around the picture: its size, the page's colours, whether anybody looks, whether motion is welcome. */

export const reducedMotion = window.matchMedia("(prefers-reduced-motion: reduce)");

/** Tells of each change until `signal` aborts; returns the observers, to be disconnected then. `seen` is told at once. */
export function watchSurroundings(root, picture, signal, { size, colours, seen, calm }) {
  let onScreen = true;
  const look = () => seen(onScreen && !document.hidden);
  const sizes = new ResizeObserver(size);
  sizes.observe(picture);
  const screen = new IntersectionObserver(([entry]) => ((onScreen = entry.isIntersecting), look()));
  screen.observe(root);
  const classes = new MutationObserver(colours);
  for (const node of [document.documentElement, document.body]) {
    classes.observe(node, { attributes: true, attributeFilter: ["class"] });
  }
  document.addEventListener("visibilitychange", look, { signal });
  reducedMotion.addEventListener("change", calm, { signal });
  look();
  return [sizes, screen, classes];
}
