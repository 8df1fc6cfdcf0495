/**
 * How the picture is looked at: layers, colours, zoom, the unrolled view, hovering and probes. What is shown (the scene,
 * the network's snapshots, the trajectory) comes from the Stage, which extends this.
 */

import { COLOURS, conditionTints, isOffered, shortOf, SpeedTints, startTints, themeOf } from "./colours.js";
import { Gestures } from "./input/gestures.js";
import { helpDialog } from "./input/help.js";
import { listen, shortcuts } from "./input/keyboard.js";
import { hasField, present } from "../scene/capabilities.js";
import { particleAt, probeAt } from "./input/picking.js";
import { Player } from "./player.js";
import { Rail } from "./controls/rail.js";
import { reducedMotion, watchSurroundings } from "./surroundings.js";

const MOST_PROBES = 24;

export class Viewer extends Player {
  constructor(root, { sampler, lane, controls }) {
    super(root, { sampler, lane, controls });
    this.rail = new Rail(controls.parts.rail, this.layers, {
      toggle: (name) => this.toggle(name),
      colour: () => this.nextColour(),
      unrolled: () => this.unroll(),
      clear: () => this.clearProbes(),
      fit: () => this.fit(),
      full: () => this.fullScreen(),
      help: () => this.help(),
    });
    this.listening = new AbortController();
    const keys = shortcuts(this.layers);
    this.dialog = helpDialog(root, keys);
    listen(this, keys, this.listening.signal);
    this.gestures = new Gestures(
      this.picture,
      {
        zoom: (X, Y, factor) => this.#zoomAt(X, Y, factor),
        pan: (across, down) => this.#pan(across, down),
        click: (X, Y) => this.dropProbe(X, Y),
        double: () => this.#double(),
        point: (X, Y) => this.#point(X, Y),
        leave: () => this.#point(null),
      },
      this.listening.signal,
    );
    const { signal } = this.listening;
    this.observers = watchSurroundings(this.root, this.picture, signal, {
      size: () => this.#fitSize(),
      colours: () => this.restyle(),
      seen: (visible) => this.#seen(visible),
      calm: () => this.#calm(),
    });
    this.looked();
  }

  // ---------------------------------------------------------------------------------------------- layers, colours

  toggle(name, on = !this.state.on.has(name)) {
    if (on) this.state.on.add(name);
    else this.state.on.delete(name);
    this.state.pointer = null;
    if (name === "ghost") this.keepGhost(null);
    this.#showProbed();
    this.looked();
    if (name === "forward" && on && this.clock.returns && this.clock.playing && !this.led) this.#dissolve();
  }

  /** While the layer is on, what it keeps: `before`, or the picture as it is now. */
  keepGhost(before = this.state.ghost) {
    const { on, trajectory } = this.state;
    const now = trajectory && { trajectory };
    this.state.ghost = on.has("ghost") ? (before ?? now) : null;
  }

  /** Where time runs, shows at once what the forward process is, from the data back; a clock that stands is left alone. */
  #dissolve() {
    this.byHand(() => {
      this.clock.seek(1);
      this.clock.play();
    });
  }

  nextColour() {
    const offered = Object.keys(COLOURS).filter((mode) => isOffered(mode, this.state));
    this.setColour(offered[(offered.indexOf(this.colour) + 1) % offered.length]);
  }

  setColour(mode) {
    this.colour = mode;
    this.recolour();
    this.looked();
  }

  /** The tints of particles and paths, after the scene, the trajectory or the colour mode has changed. */
  recolour() {
    const { state, colour } = this;
    if (!state.scene) return;
    this.speeds = colour === "speed" && state.trajectory ? new SpeedTints(state.trajectory) : null;
    if (colour === "speed") state.tint = this.speeds?.mean ?? new Uint8Array(state.n);
    else if (colour === "condition") state.tint = conditionTints(state);
    else if (this.tinted !== state.x0 || this.tintedBy !== colour) state.tint = startTints(state.x0, state.dim, colour);
    [this.tinted, this.tintedBy] = [state.x0, colour];
  }

  restyle() {
    this.state.theme = themeOf(this.root, this.state.dim, this.colour);
    this.drawing.invalidate();
    this.touch();
  }

  /** How one looks at the picture has changed. */
  looked() {
    this.turnsBack();
    this.rail.show({ ...this.state, colour: this.colour });
    this.controls.showColour(this.colour, shortOf(this.colour, this.state));
    this.showKeys();
    this.restyle();
    this.settingsChanged();
  }

  /** Layers that would drown among the particles make them stand back. */
  #quieten() {
    const { state } = this;
    const loud = this.layers.some((layer) => layer.alone && state.on.has(layer.name) && present(layer, state));
    this.picture.toggleAttribute("data-quiet", loud);
  }

  showKeys() {
    const { state } = this;
    this.#quieten();
    const seen = this.layers.filter(
      (layer) => layer.legend && (layer.always || state.on.has(layer.name)) && present(layer, state),
    );
    this.controls.showKeys(seen.map((layer) => layer.legend(state)).filter(Boolean));
  }

  // ---------------------------------------------------------------------------------------------- view

  unroll(unrolled = !this.state.unrolled) {
    this.state.unrolled = unrolled;
    this.state.zoom.reset();
    this.#moved();
  }

  fit() {
    this.state.zoom.reset();
    this.#moved();
  }

  zoomBy(factor) {
    this.#zoomAt(this.picture.clientWidth / 2, this.picture.clientHeight / 2, factor);
  }

  panBy(arrow) {
    const [across, down] = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] }[arrow];
    this.#pan(across, down);
  }

  #zoomAt(X, Y, factor) {
    this.state.zoom.around(X, Y, factor, this.picture.clientWidth, this.picture.clientHeight);
    this.#moved();
  }

  #pan(across, down) {
    this.state.zoom.move(across, down, this.picture.clientWidth, this.picture.clientHeight);
    this.#moved();
  }

  #moved() {
    const { zoom } = this.state;
    this.picture.toggleAttribute("data-zoomed", !zoom.isFit);
    this.rail.show({ ...this.state, colour: this.colour });
    this.drawing.invalidate();
    this.draw();
    this.settingsChanged();
  }

  fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else
      this.root.requestFullscreen?.().catch(() => this.say("This browser does not let the picture fill the screen."));
  }

  help() {
    this.dialog.showModal();
  }

  // ---------------------------------------------------------------------------------------------- probes

  /** The rest of the picture stands back while single paths are looked at. */
  #showProbed() {
    const { probes, pointer, on } = this.state;
    this.picture.toggleAttribute("data-probed", probes.length > 0 || (on.has("curved") && pointer !== null));
  }

  /** What the pointer is at: a particle, and for the layers that ask for it a place; null where it has left. */
  #point(X, Y) {
    const { state } = this;
    const places = state.on.has("curved");
    this.#hover(X === null || places ? null : particleAt(state, X, Y));
    if (!places || !state.view) return;
    state.pointer = X === null ? null : state.view.data(X, Y, state.t);
    this.#showProbed();
    this.showKeys();
    this.drawing.invalidate("over");
    this.draw();
  }

  #hover(particle) {
    if (this.state.hovered === particle) return;
    this.state.hovered = particle;
    this.drawing.invalidate("over");
    this.draw();
  }

  /** A probe at a pixel, or in the middle: at the current time, in 1-D at the time of the pixel. */
  dropProbe(X = this.picture.clientWidth / 2, Y = this.picture.clientHeight / 2) {
    const { scene, trajectory, probes } = this.state;
    if (trajectory && !hasField(scene))
      return this.say("A probe follows a velocity field, which this model does not have.");
    const probe = probeAt(this.state, X, Y);
    if (probe && this.state.dim === 1 && this.state.on.has("curved")) this.seek(probe.t); // the paths there and then
    if (probe) this.setProbes([...probes, probe].slice(-MOST_PROBES));
  }

  clearProbes() {
    this.setProbes([]);
  }

  /** A double-click fits; the probe that its first click has dropped goes again. */
  #double() {
    this.setProbes(this.state.probes.slice(0, -1));
    this.fit();
  }

  setProbes(probes) {
    this.state.probes = probes;
    this.emit("probes", { probes });
    if (!probes.length) this.state.found.probes = [];
    this.#showProbed();
    this.rail.show({ ...this.state, colour: this.colour });
    this.showKeys();
    this.drawing.invalidate("over");
    this.draw();
  }

  // ---------------------------------------------------------------------------------------------- surroundings

  /** Tells the stylesheet what height there is: what the page has above the stage, and how tall the screen is. */
  #fitSize() {
    const above = this.root.getBoundingClientRect().top + window.scrollY;
    this.root.style.setProperty("--pg-above", `${Math.min(above, 0.3 * window.innerHeight)}px`);
    this.root.style.setProperty("--pg-screen", `${window.screen.availHeight}px`);
    this.restyle();
  }

  #seen(visible) {
    this.visible = visible;
    if (!visible) return;
    this.clock.last = null;
    this.draw();
    this.cameIntoSight();
  }

  #calm() {
    if (reducedMotion.matches) this.clock.pause();
    this.touch();
  }

  close() {
    super.close();
    for (const observer of this.observers) observer.disconnect();
    this.listening.abort();
  }
}
