/** What hands do on the picture: zoom by wheel or pinch, pan by dragging, point, click, double-click. */

const STILL = 5; // a press that moves by fewer pixels is a click

export class Gestures {
  /** on has zoom(X, Y, factor), pan(across, down), click(X, Y), double(), point(X, Y) and leave(). */
  constructor(host, on, signal) {
    this.host = host;
    this.on = on;
    this.pressed = new Map();
    this.moved = false;
    const listen = (name, act, options) => host.addEventListener(name, act, { signal, ...options });
    listen("wheel", (event) => this.#wheel(event), { passive: false });
    listen("pointerdown", (event) => this.#down(event));
    listen("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) listen(name, (event) => this.#up(event));
    listen("pointerleave", () => on.leave());
    listen("click", (event) => this.#click(event));
  }

  #at(event) {
    const { left, top } = this.host.getBoundingClientRect();
    return [event.clientX - left - this.host.clientLeft, event.clientY - top - this.host.clientTop];
  }

  /** With Ctrl or ⌘, as a trackpad's pinch also says; without, the wheel scrolls the page. */
  #wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    this.on.zoom(...this.#at(event), Math.exp(-0.0016 * Math.max(-200, Math.min(200, lines * event.deltaY))));
  }

  #down(event) {
    if (event.button !== 0) return;
    this.pressed.set(event.pointerId, this.#at(event));
    if (this.pressed.size === 1) {
      this.moved = false;
      this.start = this.#at(event);
    } else this.moved = true;
  }

  #move(event) {
    const now = this.#at(event);
    const before = this.pressed.get(event.pointerId);
    if (!before) {
      if (event.pointerType === "mouse") this.on.point(...now);
      return;
    }
    if (!this.moved && Math.hypot(now[0] - this.start[0], now[1] - this.start[1]) < STILL) return;
    if (!this.moved) {
      this.moved = true;
      this.host.setPointerCapture(event.pointerId);
      this.host.dataset.dragging = "";
      this.on.leave();
    }
    this.pressed.set(event.pointerId, now);
    if (this.pressed.size === 1) this.on.pan(now[0] - before[0], now[1] - before[1]);
    else this.#pinch(event.pointerId, before, now);
  }

  /** One of two fingers moves: the plane keeps to both. */
  #pinch(id, before, now) {
    const [, other] = [...this.pressed].find(([key]) => key !== id);
    const distance = (point) => Math.max(20, Math.hypot(point[0] - other[0], point[1] - other[1]));
    this.on.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
    this.on.zoom((now[0] + other[0]) / 2, (now[1] + other[1]) / 2, distance(now) / distance(before));
  }

  #up(event) {
    this.pressed.delete(event.pointerId);
    if (this.pressed.size === 0) delete this.host.dataset.dragging;
  }

  #click(event) {
    if (this.moved) {
      this.moved = false;
      return;
    }
    if (event.detail > 1) this.on.double();
    else this.on.click(...this.#at(event));
  }
}
