/**
 * Where data lie on the canvas. One affine map serves all views, so that a painter need not know which it paints:
 *
 *     X = ax·x + at·t + a0        Y = bx·x + by·y + b0        (CSS pixels; t is the time of what is painted)
 *
 *     flat      2-D: the plane as it is, at = bx = 0, equal scales
 *     unrolled  2-D: each time has a plane of its own, seen from the side; they stand in a row from source to target
 *     1-D       time across and the position up: a point is (0, position)
 *
 * A zoom magnifies the picture and moves it; in 1-D only up and down, for all of time stays in sight.
 */

/** What a hand has magnified: factor and shift, the shift as a share of width and height, so that it outlives a resize. */
export class Zoom {
  constructor() {
    this.reset();
  }

  reset() {
    Object.assign(this, { factor: 1, right: 0, down: 0 });
  }

  get isFit() {
    return this.factor === 1 && this.right === 0 && this.down === 0;
  }

  /** Magnifies by `factor` around the pixel (X, Y) of a canvas of width × height. */
  around(X, Y, factor, width, height) {
    const next = Math.min(40, Math.max(0.4, this.factor * factor));
    const ratio = next / this.factor;
    this.right = X / width - ratio * (X / width - this.right);
    this.down = Y / height - ratio * (Y / height - this.down);
    this.factor = next;
  }

  move(across, down, width, height) {
    this.right += across / width;
    this.down += down / height;
  }
}

export class View {
  /** Fits `scene.view`, a square {center, half}, into width × height CSS pixels. */
  constructor(scene, width, height, { zoom = new Zoom(), unrolled = false, dpr = 1 } = {}) {
    const { center, half } = scene.view;
    const { dim } = scene;
    Object.assign(this, { width, height, dim, dpr, half, center, unrolled: unrolled && dim === 2, side: 0 });
    this.box = { left: 0, right: width, top: 0, bottom: height };
    if (dim === 1) this.#line(center[center.length - 1]);
    else if (this.unrolled) this.#row();
    else this.#plane();
    const { factor, right, down } = zoom;
    if (dim === 2) {
      for (const name of ["ax", "at", "a0"]) this[name] *= factor;
      this.a0 += right * width;
    }
    for (const name of ["bx", "by", "b0"]) this[name] *= factor;
    this.b0 += down * height;
    /** How much larger things are than when all of the scene just fits; marks grow by less than the plane. */
    this.factor = factor;
  }

  #line(center) {
    const { width, height, half } = this;
    this.side = Math.max(44, Math.min(0.15 * width, 130));
    this.box = { left: this.side, right: width - this.side, top: 0, bottom: height - 22 };
    const by = -this.box.bottom / (2 * half);
    Object.assign(this, {
      ax: 0,
      at: width - 2 * this.side,
      a0: this.side,
      bx: 0,
      by,
      b0: this.box.bottom / 2 - by * center,
    });
  }

  #plane() {
    const {
      width,
      height,
      half,
      center: [cx, cy],
    } = this;
    const scale = Math.min(width, height) / (2 * half);
    Object.assign(this, {
      ax: scale,
      at: 0,
      a0: width / 2 - scale * cx,
      bx: 0,
      by: -scale,
      b0: height / 2 + scale * cy,
    });
  }

  /** Each plane is turned: its horizontal axis is short and goes up into the depth. */
  #row() {
    const {
      width,
      height,
      half,
      center: [cx, cy],
    } = this;
    const [short, rise, tall] = [0.4, 0.22, 0.86];
    const scale = Math.min((0.9 * height) / (tall + rise), (0.42 * width) / short) / (2 * half);
    const at = 0.94 * width - short * scale * 2 * half;
    Object.assign(this, { ax: short * scale, at, bx: -rise * scale, by: -tall * scale });
    this.a0 = width / 2 - at / 2 - this.ax * cx;
    this.b0 = height / 2 - 6 - this.bx * cx - this.by * cy;
  }

  X(x, t) {
    return this.ax * x + this.at * t + this.a0;
  }

  Y(x, y) {
    return this.bx * x + this.by * y + this.b0;
  }

  /** The data under a pixel: in 2-D those of time t, in 1-D the time is the pixel's own. */
  data(X, Y, t) {
    if (this.dim === 1) {
      const time = Math.min(1, Math.max(0, (X - this.a0) / this.at));
      return { point: [(Y - this.b0) / this.by], t: time };
    }
    const x = (X - this.a0 - this.at * t) / this.ax;
    return { point: [x, (Y - this.b0 - this.bx * x) / this.by], t };
  }

  /** The data in sight, {low, high} for each axis; unrolled, those of the whole scene. */
  get sight() {
    const { center, half } = this;
    if (this.unrolled) return { low: center.map((c) => c - half), high: center.map((c) => c + half) };
    const one = this.data(this.box.left, this.box.bottom, 0).point;
    const other = this.data(this.box.right, this.box.top, 0).point;
    return { low: one, high: other };
  }
}

/** Numbers 1, 2 or 5·10^k apart, about `count` of them within [low, high]. */
export function ticks(low, high, count) {
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= raw);
  const [first, last] = [Math.ceil(low / step), Math.floor(high / step)];
  return Array.from({ length: last - first + 1 }, (_, k) => Number(((first + k) * step).toPrecision(6)));
}
