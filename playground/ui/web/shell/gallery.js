/** Every preset at a glance, by family: its picture, its name and what to look for. */

/** Builds the dialog inside `root`, closed; `open(key)` is called for the one that is chosen. */
export function gallery(root, presets, picture, open) {
  const dialog = document.createElement("dialog");
  dialog.className = "pg-gallery";
  dialog.setAttribute("aria-label", "All presets");
  const close = Object.assign(document.createElement("button"), {
    type: "button",
    className: "pg-close",
    textContent: "×",
  });
  close.setAttribute("aria-label", "Close");
  close.title = "Close (Esc)";
  const heading = Object.assign(document.createElement("h2"), { textContent: "Presets" });
  const header = document.createElement("header");
  header.append(heading, close);
  const groups = Map.groupBy(presets, ({ family }) => family);
  const sections = [...groups].map(([family, members]) => {
    const section = document.createElement("section");
    const cards = document.createElement("div");
    cards.className = "pg-gallery-cards";
    cards.append(...members.map((preset) => card(preset, picture, () => (dialog.close(), open(preset.key)))));
    section.append(Object.assign(document.createElement("h3"), { textContent: family }), cards);
    return section;
  });
  dialog.append(header, ...sections);
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  root.append(dialog);
  return dialog;
}

function card({ key, name, about, thumbnail }, picture, choose) {
  const button = Object.assign(document.createElement("button"), { type: "button" });
  button.dataset.gallery = key;
  const words = document.createElement("span");
  words.append(
    Object.assign(document.createElement("b"), { textContent: name }),
    Object.assign(document.createElement("small"), { textContent: about }),
  );
  button.append(picture(thumbnail), words);
  button.addEventListener("click", choose);
  return button;
}
