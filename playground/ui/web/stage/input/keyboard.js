/** The keys of a stage: one list, from which they act and from which the help is written. */

import { SWITCHES } from "../layers/index.js";

/** [{keys, says, act(stage, event)}] by group; keys are as KeyboardEvent.key has them, `shown` as people write them. */
export function shortcuts(layers) {
  const named = Object.fromEntries(layers.map((layer) => [layer.name, layer]));
  return {
    Time: [
      { keys: [" "], shown: "Space", says: "Play or pause", act: (stage) => stage.playOrPause() },
      {
        keys: ["ArrowLeft"],
        shown: "←",
        says: "Step back",
        act: (stage) => stage.nudge(-0.02),
        moves: true,
      },
      { keys: ["ArrowRight"], shown: "→", says: "Step forward", act: (stage) => stage.nudge(0.02), moves: true },
      { keys: [","], says: "Previous solver state", act: (stage) => stage.toState(-1) },
      { keys: ["."], says: "Next solver state", act: (stage) => stage.toState(1) },
      { keys: ["Home"], says: "To the source", act: (stage) => stage.seek(0), moves: true },
      { keys: ["End"], says: "To the target", act: (stage) => stage.seek(1), moves: true },
      { keys: ["l"], says: "Loop", act: (stage) => stage.loop() },
      { keys: ["<"], says: "Slower", act: (stage) => stage.faster(-1) },
      { keys: [">"], says: "Faster", act: (stage) => stage.faster(1) },
    ],
    Sampling: [
      {
        keys: ["["],
        says: "Fewer steps, or a wider tolerance",
        act: (stage, event) => stage.refine(-1, event.timeStamp),
      },
      {
        keys: ["]"],
        says: "More steps, or a narrower tolerance",
        act: (stage, event) => stage.refine(1, event.timeStamp),
      },
      { keys: ["s"], says: "Next solver", act: (stage, event) => stage.nextSolver(event.timeStamp) },
      {
        keys: ["{"],
        says: "An earlier snapshot of the training",
        act: (stage, event) => stage.lookBack(-1, event.timeStamp),
      },
      { keys: ["}"], says: "A later snapshot", act: (stage, event) => stage.lookBack(1, event.timeStamp) },
    ],
    Layers: [
      ...SWITCHES.map((name) => {
        const { key, label } = named[name];
        return { keys: [key], says: label, act: (stage) => stage.toggle(name) };
      }),
      { keys: ["k"], says: "Colour by start angle, start position, speed", act: (stage) => stage.nextColour() },
    ],
    View: [
      { keys: ["u"], says: "Unrolled: source at the left, target at the right", act: (stage) => stage.unroll() },
      {
        keys: ["Enter"],
        says: "Drop a probe in the middle (when the picture has the focus)",
        act: (stage) => stage.dropProbe(),
        onPicture: true,
      },
      { keys: ["x", "Escape"], shown: "X or Esc", says: "Clear the probes", act: (stage) => stage.clearProbes() },
      { keys: ["+", "="], shown: "+", says: "Zoom in", act: (stage) => stage.zoomBy(1.25) },
      { keys: ["-"], shown: "−", says: "Zoom out", act: (stage) => stage.zoomBy(0.8) },
      {
        keys: ["Shift+ArrowLeft", "Shift+ArrowRight", "Shift+ArrowUp", "Shift+ArrowDown"],
        shown: "Shift + ←↑→↓",
        says: "Move the picture",
        act: (stage, event) => stage.panBy(event.key),
        moves: true,
      },
      { keys: ["0"], says: "Fit: all of it again", act: (stage) => stage.fit() },
      { keys: ["f"], says: "Full screen", act: (stage) => stage.fullScreen() },
      { keys: ["?"], says: "These keys", act: (stage) => stage.help() },
    ],
  };
}

const TYPING = "textarea, select, [contenteditable], input:not([type=range], [type=checkbox], [type=radio])";
/** What has a use of its own for keys that move. */
const MOVED = "input, [role=slider], [role=radio], [role=tab], [role=option], summary";
const PRESSED = "button, a, summary, input:not([type=range])";

/** Lets keys act on `stage`, the only one of its page or the one that pointer or focus is in, unless somebody types. */
export function listen(stage, groups, signal) {
  const all = Object.values(groups).flat();
  const act = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (target.closest(TYPING) || document.querySelector("dialog[open]")) return;
    const { root, picture } = stage;
    const alone = [...document.querySelectorAll(".pg-canvas")].filter((one) => one.offsetParent).length === 1;
    if (!root.contains(target) && !root.matches(":hover") && !alone) return;
    const pressed = event.shiftKey && event.key.startsWith("Arrow") ? `Shift+${event.key}` : event.key;
    const name = pressed.length === 1 ? pressed.toLowerCase() : pressed;
    const found = all.find(({ keys }) => keys.includes(name));
    if (!found || (found.moves && target.closest(MOVED)) || (found.onPicture && target !== picture)) return;
    if (name === " " && (target.closest(PRESSED) || !(root.contains(target) || target === document.body))) return;
    event.preventDefault();
    found.act(stage, event);
  };
  document.addEventListener("keydown", act, { signal });
}
