/** Arrows of bounded length, for velocities of any size. */

/** The length in pixels at which a velocity is drawn: proportional where slow, never longer than `most`. */
export function softened(speed, usual, most) {
  return (most * speed) / (speed + usual);
}

/** Adds to the path of `ctx` an arrow from (X, Y) by (across, down) pixels, with its middle there if `centred`. */
export function arrow(ctx, X, Y, across, down, centred = false) {
  const length = Math.hypot(across, down);
  if (length < 0.7) return;
  const [fromX, fromY] = centred ? [X - across / 2, Y - down / 2] : [X, Y];
  const [toX, toY] = [fromX + across, fromY + down];
  const head = Math.min(6, 0.42 * length) / length;
  ctx.moveTo(fromX, fromY);
  ctx.lineTo(toX, toY);
  ctx.moveTo(toX - head * (across + 0.55 * down), toY - head * (down - 0.55 * across));
  ctx.lineTo(toX, toY);
  ctx.lineTo(toX - head * (across - 0.55 * down), toY - head * (down + 0.55 * across));
}
