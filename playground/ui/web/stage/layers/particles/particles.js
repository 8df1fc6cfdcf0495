/**
 * The particles where they are at t, written straight into pixels: without a graphics card that is ten times as fast
 * as stamping images or filling circles. Where dots overlap the more opaque pixel wins, and the later of equals.
 */

export function dotRadius(view, n) {
  const room = (Math.min(view.width, view.height) / 640) ** 0.5 * Math.max(1, view.factor) ** 0.25;
  return Math.max(1.2, Math.min(5, Math.min(3, 2.1 * (2000 / n) ** 0.25) * room * (view.unrolled ? 0.75 : 1)));
}

function painter() {
  let image;
  let pixels;
  return (ctx, view, { shown, tintNow, n, t, theme }) => {
    const { width, height } = ctx.canvas;
    if (image?.width !== width || image?.height !== height) {
      image = ctx.createImageData(width, height);
      pixels = new Uint32Array(image.data.buffer);
    } else pixels.fill(0);
    const { dim, dpr } = view;
    const { side, masks } = dot(dotRadius(view, n) * dpr);
    const [ax, bx, by] = [view.ax * dpr, view.bx * dpr, view.by * dpr];
    const a0 = view.X(0, t) * dpr - side / 2;
    const b0 = view.b0 * dpr - side / 2;
    const colours = theme.tints.map(({ pixel }) => pixel);
    for (let i = 0; i < n; i++) {
      const x = dim === 1 ? 0 : shown[2 * i];
      const X = a0 + ax * x;
      const Y = b0 + bx * x + by * shown[dim * i + dim - 1];
      const [left, top] = [Math.floor(X), Math.floor(Y)];
      if (!(left >= 0 && top >= 0 && left + side <= width && top + side <= height)) continue;
      const mask = masks[4 * Math.floor(4 * (Y - top)) + Math.floor(4 * (X - left))];
      const colour = colours[tintNow[i]];
      for (let k = 0, row = top * width + left; k < mask.length; row += width) {
        for (let at = row; at < row + side; at++, k++) {
          if (mask[k] !== 0 && mask[k] >= pixels[at] >>> 24) pixels[at] = (mask[k] << 24) | colour;
        }
      }
    }
    ctx.putImageData(image, 0, 0);
  };
}

/** Coverage (0–255) of a disc in a square of pixels, for its centre at each quarter of a pixel. */
function dot(radius) {
  const side = 2 * Math.ceil(radius + 1);
  const masks = Array.from({ length: 16 }, (_, quarter) =>
    Uint8Array.from({ length: side * side }, (_, k) => {
      const x = (k % side) + 0.5 - side / 2 - ((quarter % 4) + 0.5) / 4;
      const y = Math.floor(k / side) + 0.5 - side / 2 - (Math.floor(quarter / 4) + 0.5) / 4;
      return 255 * Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(x, y)));
    }),
  );
  return { side, masks };
}

export const particles = () => ({
  name: "particles",
  label: "Particles",
  key: "p",
  about: "The particles where they are at this time.",
  icon: '<g fill="currentColor" stroke="none"><circle cx="6" cy="6" r="1.900"/><circle cx="13.500" cy="5" r="1.900"/><circle cx="10" cy="10.500" r="1.900"/><circle cx="4.500" cy="14" r="1.900"/><circle cx="15.500" cy="14.500" r="1.900"/></g>',
  needs: "trajectory",
  onward: true,
  painters: [{ plane: "dots", paint: painter() }],
});
