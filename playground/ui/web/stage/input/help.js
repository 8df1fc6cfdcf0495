/** The dialog that lists the keys and what the hands can do. */

const HANDS = [
  ["Hover over a particle", "See its way"],
  ["Point or click, with “Why is it curved?” on", "See which paths lead through that place, and their mean"],
  ["Click", "Drop a probe: the way through that place at this time, forward and backward"],
  ["Ctrl + wheel, pinch", "Zoom"],
  ["Drag", "Move the picture"],
  ["Double-click", "Fit"],
  ["Rest on anything, or hold a finger on it", "Read what it is"],
];

const TRAINING = [
  ["<kbd>Ctrl</kbd> + <kbd>Enter</kbd>", "Train"],
  ["<kbd>Ctrl</kbd> + <kbd>.</kbd>", "Stop"],
  ["<kbd>Ctrl</kbd> + <kbd>Z</kbd>", "Undo the last change of the settings"],
];

const upper = (key) => (/^[a-z]$/.test(key) ? key.toUpperCase() : key);

/** Builds the dialog inside `root`, closed; it has showModal(). */
export function helpDialog(root, groups) {
  const dialog = document.createElement("dialog");
  dialog.className = "pg-help";
  const id = `pg-help-${Math.random().toString(36).slice(2)}`;
  dialog.setAttribute("aria-labelledby", id);
  const rows = (list) => list.map(([keys, says]) => `<div><dt>${keys}</dt><dd>${says}</dd></div>`).join("");
  const sections = Object.entries(groups).map(([name, list]) => {
    const entries = list.map(({ keys, shown, says }) => [
      `<kbd>${shown ?? upper(keys[0]).replace("<", "&lt;")}</kbd>`,
      says,
    ]);
    return `<section><h3>${name}</h3><dl>${rows(entries)}</dl></section>`;
  });
  dialog.innerHTML = `
    <header><h2 id="${id}">Keys and hands</h2><button type="button" class="pg-button" aria-label="Close" title="Close (Esc)">×</button></header>
    <div class="pg-help-body">${sections.join("")}<section><h3>Training</h3><dl>${rows(TRAINING)}</dl></section><section><h3>On the picture</h3><dl>${rows(HANDS)}</dl></section></div>`;
  dialog.querySelector("button").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  root.append(dialog);
  return dialog;
}
