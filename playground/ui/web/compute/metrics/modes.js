/* Mode collapse over time, the twin of playground/metrics/collapse.py: which mode is alive, the KL of the modes' shares,
   and an alarm. A look is {step, total, covered, strict, highQuality, shares} (see `coverage` in metrics.js). */

/** The share of a sample from which on a mode is alive. */
const ALIVE = 0.01;
/** The share of the modes, or of those of more than that which were alive before, from which down it has collapsed. */
const FEW = 0.5;
/** The share of high-quality points from which on few modes are a collapse, and not the beginning of learning. */
const GOOD = 0.5;

export function alive(shares) {
  return shares.map((share) => share > 0 && share >= ALIVE * (1 - 1e-12));
}

/** KL(q ‖ p) in nats of the modes' shares among the good points from their weights; null where no point is good. */
export function modeKL(shares, weights) {
  const whole = shares.reduce((a, b) => a + b, 0);
  if (!whole) return null;
  return shares.reduce(
    (sum, share, k) => (share ? sum + (share / whole) * Math.log(share / whole / weights[k]) : sum),
    0,
  );
}

/** The first collapse in looks in order of training, {step, alive, before}, or null. */
export function alarm(looks) {
  let most = 0;
  let first = null;
  for (const { step, total, highQuality, shares } of looks) {
    const count = alive(shares).filter(Boolean).length;
    const few = highQuality >= GOOD && count <= FEW * total;
    const fallen = most > FEW * total && count <= FEW * most;
    if (total < 2 || !(few || fallen)) first = null;
    else if (first) return first;
    else first = { step, alive: count, before: most };
    most = Math.max(most, count);
  }
  return null;
}
