// The page's title and its presets.

export class Header {
  /** presets: [{key, name}]; open(key) is called for the one that a person chooses. */
  constructor(part, presets, open) {
    const title = document.createElement("h1");
    title.textContent = "Generative Dynamics Playground";
    const nav = document.createElement("nav");
    nav.setAttribute("aria-label", "Presets");
    this.buttons = presets.map(({ key, name }) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "pg-preset", textContent: name });
      button.dataset.preset = key;
      button.addEventListener("click", () => open(key));
      return button;
    });
    nav.append(...this.buttons);
    part.append(title, nav);
  }

  /** Shows which preset was opened last. */
  mark(key) {
    for (const button of this.buttons) button.toggleAttribute("aria-current", button.dataset.preset === key);
  }
}
