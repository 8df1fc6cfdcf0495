(() => {
  // What the eye sees of every text on the page: its colour against the ground behind it, as WCAG 2.2 has contrast.
  // An expression that contrast.py evaluates in the page: a function () => [how many texts, {text too faint: ratio}].
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const ctx = canvas.getContext("2d", { willReadFrequently: true });
  const known = new Map();

  /** [red, green, blue, alpha] of a CSS colour; alpha in 0–1. */
  const rgba = (css) => {
    if (!known.has(css)) {
      ctx.clearRect(0, 0, 1, 1);
      ctx.fillStyle = "#0000";
      ctx.fillStyle = css;
      ctx.fillRect(0, 0, 1, 1);
      const [red, green, blue, alpha] = ctx.getImageData(0, 0, 1, 1).data;
      known.set(css, [red, green, blue, alpha / 255]);
    }
    return [...known.get(css)];
  };
  const over = (top, below) => [0, 1, 2].map((k) => top[3] * top[k] + (1 - top[3]) * below[k]).concat(1);
  const linear = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([red, green, blue]) => 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  const contrast = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
  const lineage = (element) => (element ? [...lineage(element.parentElement), element] : []);

  /** What may lie behind an element: one colour, or black and white both where a canvas shows through. */
  function grounds(element) {
    let found = [[255, 255, 255, 1]];
    for (const each of lineage(element)) {
      const paper = rgba(getComputedStyle(each).backgroundColor);
      found = found.map((below) => over(paper, below));
      const below = each.querySelector(":scope > canvas:not([hidden])");
      if (below && getComputedStyle(below).position === "absolute")
        found = [[0, 0, 0, 1], [255, 255, 255, 1], ...found];
    }
    return found;
  }

  /** The worst ratio of a text in this style, on a ground of its own where it has one, and whether it is enough. */
  function judge(element, style, paper = "transparent") {
    const drawn = element instanceof SVGElement;
    const ink = rgba(drawn ? style.fill : style.color);
    if (drawn) ink[3] *= style.fillOpacity;
    ink[3] *= lineage(element).reduce((share, each) => share * getComputedStyle(each).opacity, 1);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (style.fontWeight >= 700 && size >= 18.66);
    const behind = grounds(element).map((back) => over(rgba(paper), back));
    const ratio = Math.min(...behind.map((back) => contrast(over(ink, back), back)));
    return { ratio, enough: ratio >= (large ? 3 : 4.5) };
  }

  /** {element, text, style} of whatever is written in an element itself. */
  function* written(element) {
    const style = getComputedStyle(element);
    const own = [...element.childNodes].filter(({ nodeType }) => nodeType === Node.TEXT_NODE);
    const text = own.map(({ textContent }) => textContent.trim()).join(" ");
    if (element.matches("select")) yield { text: element.selectedOptions[0]?.text, style };
    else if (element.matches("textarea, input:not([type=range], [type=checkbox], [type=radio], [type=file])"))
      yield element.value
        ? { text: element.value, style }
        : { text: element.placeholder, style: getComputedStyle(element, "::placeholder") };
    else yield { text, style };
    for (const pseudo of ["::before", "::after"]) {
      const of = getComputedStyle(element, pseudo);
      const shows = of.visibility === "visible" && of.opacity > 0;
      if (shows && /^"[^"]*\w/.test(of.content)) yield { text: of.content, style: of, paper: of.backgroundColor };
    }
  }

  return () => {
    const found = {};
    let looked = 0;
    for (const element of document.querySelectorAll("body *")) {
      // What cannot be used now is exempt (WCAG 1.4.3), and so is what only a screen reader finds.
      if (element.closest("script, style, option, :disabled, .pg-refused, .pg-unseen")) continue;
      if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
      for (const { text, style, paper } of written(element)) {
        if (!text?.trim()) continue;
        looked += 1;
        const { ratio, enough } = judge(element, style, paper);
        const where = element.className?.baseVal ?? element.className;
        if (!enough) found[`${text.trim().slice(0, 40)} (${element.tagName.toLowerCase()}.${where})`] = ratio;
      }
    }
    return [looked, found];
  };
})();
